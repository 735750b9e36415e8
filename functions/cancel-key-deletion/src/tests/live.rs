//! The whole path over the fake.

use remedy::{Responder, State, Status};
use testkit::{Bench, World, block_on, check_laws};

use super::fake::{Kms, OWN};
use super::{event, events};
use crate::CancelKeyDeletion;
use crate::key::{Baseline, KeyState};

/// Those that a change can help.
fn helped() -> Vec<cloudtrail::Event> {
    let helpless = ["policy-left-out", "policy-locks-out", "policy-public-in-an-own-statement", "policy-unclear"];
    let events = events("match").into_iter().filter(|(name, _)| !helpless.contains(&name.as_str()));
    events.map(|(_, event)| event).collect()
}

#[test]
fn keeps_the_laws() {
    let events = helped();
    assert_eq!(events.len(), 7);
    let setting = |event: &_| {
        let world = Kms::after(event);
        (world.clone(), CancelKeyDeletion(world))
    };
    check_laws(setting, &events);
}

fn deliver(bench: &Bench, world: &Kms, name: &str) -> Status {
    let responded = bench.deliver(&CancelKeyDeletion(world.clone()), &event(name), name);
    assert!(responded.failure.is_none(), "{:?}", responded.failure);
    responded.outcomes[0].status
}

#[test]
fn a_key_whose_account_is_locked_out_needs_aws_support() {
    let (world, bench) = (Kms::after(&event("policy-locks-out")), Bench::enforcing());
    world.denies.set(true);
    assert_eq!(deliver(&bench, &world, "policy-locks-out"), Status::Uncontainable);
    let incident = bench.ledger.incidents().remove(0);
    assert_eq!(incident.state, State::Uncontainable);
    assert!(incident.because.contains("AWS Support"), "{}", incident.because);
    assert_eq!(world.journal().writes(), 0);
}

#[test]
fn a_refusal_without_such_a_policy_is_a_missing_permission() {
    for name in ["policy-public", "scheduled", "disabled", "rotation-disabled"] {
        let (world, bench) = (Kms::after(&event(name)), Bench::enforcing());
        world.denies.set(true);
        let responded = bench.deliver(&CancelKeyDeletion(world), &event(name), "a");
        assert_eq!(responded.failure.unwrap().kind(), "Denied", "{name}");
    }
}

#[test]
fn what_no_safe_change_can_help_needs_a_person() {
    for name in ["policy-locks-out", "policy-public-in-an-own-statement", "policy-unclear"] {
        let (world, bench) = (Kms::after(&event(name)), Bench::enforcing());
        assert_eq!(deliver(&bench, &world, name), Status::Uncontainable, "{name}");
        assert_eq!(world.journal().writes(), 0, "{name}");
    }
}

#[test]
fn what_a_person_mended_is_safe() {
    for (name, event) in events("match") {
        let finding = CancelKeyDeletion::<Kms>::detect(&event).unwrap().remove(0);
        let (world, bench) = (Kms::new(&finding.resource.arn), Bench::enforcing());
        assert_eq!(deliver(&bench, &world, &name), Status::AlreadySafe, "{name}");
    }
}

#[test]
fn a_run_that_died_between_cancelling_and_enabling_is_completed() {
    let (world, bench) = (Kms::after(&event("scheduled")), Bench::enforcing());
    let responder = CancelKeyDeletion(world.clone());
    world.journal().refuse_write(Some(1));
    assert!(bench.deliver(&responder, &event("scheduled"), "a").failure.is_some());
    assert_eq!(world.state().unwrap().key.state, KeyState::Disabled, "as a cancelled deletion leaves it");
    world.journal().refuse_write(None);
    assert_eq!(deliver(&bench, &world, "scheduled"), Status::Contained);
    assert_eq!(world.state().unwrap().key.state, KeyState::Enabled);
    bench.undo(&responder, bench.ledger.incidents().remove(0)).unwrap();
    assert_eq!(world.state(), Kms::after(&event("scheduled")).state());
}

#[test]
fn an_undo_stops_where_the_policy_was_changed() {
    let (world, bench) = (Kms::after(&event("policy-public")), Bench::enforcing());
    assert_eq!(deliver(&bench, &world, "policy-public"), Status::Contained);
    world.change(|state| OWN.clone_into(&mut state.policy));
    bench.undo(&CancelKeyDeletion(world.clone()), bench.ledger.incidents().remove(0)).unwrap_err();
    assert_eq!(world.state().unwrap().policy, OWN);
}

#[test]
fn what_is_captured_is_what_a_plan_reads() {
    let arn = CancelKeyDeletion::<Kms>::detect(&event("disabled")).unwrap().remove(0).resource.arn;
    let world = Kms::new(&arn);
    let captured = block_on(CancelKeyDeletion(world.clone()).capture()).unwrap();
    let baseline: Baseline = serde_json::from_value(captured[0].1.clone()).unwrap();
    let state = world.state().unwrap();
    assert_eq!((captured.len(), &captured[0].0.arn), (1, &arn));
    assert_eq!(baseline, Baseline { enabled: true, rotation: state.rotation, policy: OWN.to_owned() });

    world.change(|state| state.key.state = KeyState::PendingDeletion);
    assert_eq!(block_on(CancelKeyDeletion(world.clone()).capture()).unwrap(), [], "that is not how it should be");
    world.change(|state| state.key.state = KeyState::Enabled);
    world.denies.set(true);
    assert_eq!(block_on(CancelKeyDeletion(world).capture()).unwrap(), [], "it may not be read");
}
