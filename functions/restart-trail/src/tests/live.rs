//! The whole path over the fake.

use cloudtrail::Arn;
use remedy::{Responder, State, Status};
use testkit::{Bench, World, block_on, check_laws};

use super::fake::{Captured, CloudTrail, strong};
use super::{event, events};
use crate::RestartTrail;
use crate::trail::{Switch, Trail};

#[test]
fn keeps_the_laws() {
    let events: Vec<_> =
        events("match").into_iter().filter(|(name, _)| name != "stopped-elsewhere").map(|(_, event)| event).collect();
    let setting = |event: &_| {
        let world = CloudTrail::after(event);
        (world.clone(), Captured(RestartTrail(world)))
    };
    check_laws(setting, &events);
}

fn deliver(bench: &Bench, world: &CloudTrail, name: &str) -> Status {
    let responded = bench.deliver(&RestartTrail(world.clone()), &event(name), name);
    assert!(responded.failure.is_none(), "{:?}", responded.failure);
    responded.outcomes[0].status
}

#[test]
fn without_a_baseline_a_stopped_trail_is_started_and_an_undo_stops_it() {
    let (world, bench) = (CloudTrail::after(&event("stopped")), Bench::enforcing());
    assert_eq!(deliver(&bench, &world, "stopped"), Status::Contained);
    assert_eq!(world.state(), Some(strong()));
    bench.undo(&RestartTrail(world.clone()), bench.ledger.incidents().remove(0)).unwrap();
    assert_eq!(world.state(), CloudTrail::after(&event("stopped")).state());
}

#[test]
fn a_deleted_trail_without_a_baseline_needs_a_person() {
    let (world, bench) = (CloudTrail::after(&event("deleted")), Bench::enforcing());
    assert_eq!(deliver(&bench, &world, "deleted"), Status::Uncontainable);
    assert_eq!(bench.ledger.incidents()[0].state, State::Uncontainable);
    assert_eq!(world.journal().writes(), 0);
}

#[test]
fn another_accounts_trail_is_not_even_looked_at() {
    let (world, bench) = (CloudTrail::with(Some(strong())), Bench::enforcing());
    assert_eq!(deliver(&bench, &world, "stopped-elsewhere"), Status::Uncontainable);
    assert!(world.journal().calls().is_empty());
}

#[test]
fn what_a_person_mended_is_safe() {
    for name in ["stopped", "one-region-only", "only-writes", "another-bucket", "insights-emptied"] {
        let (world, bench) = (CloudTrail::with(Some(strong())), Bench::enforcing());
        assert_eq!(deliver(&bench, &world, name), Status::AlreadySafe, "{name}");
    }
}

#[test]
fn one_weakness_that_an_undo_wanted_does_not_excuse_another() {
    let (world, bench) = (CloudTrail::after(&event("one-region-only")), Bench::enforcing());
    assert_eq!(deliver(&bench, &world, "one-region-only"), Status::Contained);
    bench.undo(&RestartTrail(world.clone()), bench.ledger.incidents().remove(0)).unwrap();
    world.trail.borrow_mut().as_mut().unwrap().on = [Switch::Logging].into();
    assert_eq!(deliver(&bench, &world, "unvalidated-and-local"), Status::Contained);
    let on = world.state().unwrap().on;
    assert_eq!(on, [Switch::GlobalServiceEvents, Switch::Validation, Switch::Logging].into(), "but not all regions");
}

#[test]
fn an_undo_stops_where_the_trail_was_changed() {
    let (world, bench) = (CloudTrail::after(&event("only-writes")), Bench::enforcing());
    assert_eq!(deliver(&bench, &world, "only-writes"), Status::Contained);
    world.trail.borrow_mut().as_mut().unwrap().event_selectors = crate::selectors::EventSelectors::Advanced(Vec::new());
    bench.undo(&RestartTrail(world), bench.ledger.incidents().remove(0)).unwrap_err();
}

#[test]
fn what_is_captured_is_what_a_plan_reads() {
    let world = CloudTrail::with(Some(strong()));
    let captured = block_on(RestartTrail(world).capture()).unwrap();
    assert_eq!(captured[0].0, strong().resource());
    assert_eq!(serde_json::from_value::<Trail>(captured[0].1.clone()).unwrap(), strong());
}

#[test]
fn a_trail_that_we_created_is_not_deleted_once_somebody_has_changed_it() {
    let (world, bench) = (CloudTrail::after(&event("deleted")), Bench::enforcing());
    let responder = Captured(RestartTrail(world.clone()));
    bench.deliver(&responder, &event("deleted"), "a");
    assert_eq!(world.state(), Some(strong()));
    world.trail.borrow_mut().as_mut().unwrap().on.remove(&Switch::Validation);
    bench.undo(&responder, bench.ledger.incidents().remove(0)).unwrap_err();
    assert!(world.state().is_some());
}

/// An alarm names neither a trail nor who changed it: only a baseline says whether a trail that does not log should.
#[test]
fn an_alarm_has_only_captured_trails_started() {
    let (world, bench) = (CloudTrail::after(&event("alarm")), Bench::enforcing());
    assert_eq!(deliver(&bench, &world, "alarm"), Status::Uncontainable);
    assert_eq!(world.journal().writes(), 0);
    let responder = Captured(RestartTrail(world.clone()));
    let other = cloudtrail::Event { id: cloudtrail::EventId::new("later"), ..event("alarm") };
    assert_eq!(bench.deliver(&responder, &other, "b").outcomes[0].status, Status::Contained);
    assert_eq!(world.state(), Some(strong()));

    let (mut stopped, bench) = (strong(), Bench::enforcing());
    stopped.on.remove(&Switch::Logging);
    bench.ledger.store_baseline(
        &remedy::MemoryKey::of("restart-trail", &stopped.resource()),
        serde_json::to_value(&stopped).unwrap(),
    );
    assert_eq!(deliver(&bench, &CloudTrail::with(Some(stopped)), "alarm"), Status::AlreadySafe);
}

#[test]
fn an_alarm_where_all_is_well_changes_nothing() {
    let (world, bench) = (CloudTrail::with(Some(strong())), Bench::enforcing());
    assert_eq!(deliver(&bench, &world, "alarm"), Status::AlreadySafe);
    assert_eq!(world.journal().writes(), 0);
    let theirs =
        Trail { arn: Arn::parse(&strong().arn.as_str().replace("123456789012", "210987654321")).unwrap(), ..strong() };
    let responder = RestartTrail(CloudTrail::with(Some(theirs)));
    assert!(bench.deliver(&responder, &event("alarm"), "b").outcomes.is_empty());
}

/// Whoever may set an alarm's state can have us look, and no more than that.
#[test]
fn another_alarm_is_no_reason_to_look() {
    let ignored = events("ignore").into_iter().filter(|(name, _)| name.contains("alarm"));
    for (name, event) in ignored {
        let world = CloudTrail::after(&event);
        let responded = Bench::enforcing().deliver(&RestartTrail(world.clone()), &event, &name);
        assert!(responded.outcomes.is_empty() && responded.failure.is_none(), "{name}: {responded:?}");
        assert!(world.journal().calls().is_empty(), "{name}");
    }
}
