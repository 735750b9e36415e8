//! What is done about it.

use chrono::TimeDelta;
use cloudtrail::{Event, EventId};
use remedy::{Incident, State, Status};
use session_denial::Denial;
use testkit::{Bench, World, check_laws, now};

use super::fake::{Iam, LEAKED, OTHER, a_cut_off_now, an_old_cut_off};
use super::{event, events};
use crate::DisableAccessKey;

fn deliver(bench: &Bench, iam: &Iam, event: &Event) -> Status {
    let responded = bench.deliver(&DisableAccessKey(iam.clone()), event, "a");
    assert!(responded.failure.is_none(), "{:?}", responded.failure);
    assert_eq!(responded.outcomes.len(), 1);
    responded.outcomes[0].status
}

/// The same thing, told once more.
fn again(event: &Event, id: &str) -> Event {
    Event { id: EventId::new(id), ..event.clone() }
}

fn only(bench: &Bench) -> Incident {
    let mut incidents = bench.ledger.incidents();
    assert_eq!(incidents.len(), 1);
    incidents.remove(0)
}

fn did(incident: &Incident) -> Vec<&str> {
    incident.receipt.iter().map(|entry| entry.did.as_str()).collect()
}

#[test]
fn keeps_the_laws() {
    let not_containable_at_first = ["finding-on-root", "key-of-root", "key-reactivated"];
    let mut containable = events("match", "");
    containable.retain(|(name, _)| !not_containable_at_first.contains(&name.as_str()));
    let containable: Vec<Event> = containable.into_iter().map(|(_, event)| event).collect();
    check_laws(
        |event| {
            let iam = Iam::new();
            // One of the two ways the account may have looked before.
            if event.id.as_str().bytes().map(u32::from).sum::<u32>().is_multiple_of(2) {
                iam.put_policy(&an_old_cut_off());
            }
            (iam.clone(), DisableAccessKey(iam))
        },
        &containable,
    );
}

#[test]
fn only_the_key_that_is_meant_is_disabled() {
    for name in ["key-for-another-user", "key-without-answer", "key-found-in-public", "finding-on-a-long-term-key"] {
        let (iam, bench) = (Iam::new(), Bench::enforcing());
        assert_eq!(deliver(&bench, &iam, &event(name)), Status::Contained, "{name}");
        assert!(!iam.is_active(LEAKED) && iam.is_active(OTHER), "{name}");
        assert_eq!(iam.policy(), Some(a_cut_off_now()), "{name}");
        let incident = only(&bench);
        assert_eq!(incident.resource.arn.as_str(), "arn:aws:iam::123456789012:user/engineering/alice");
        assert_eq!(incident.resource.tags.as_ref().unwrap()["team"], "payments");
        assert_eq!(
            did(&incident),
            [
                "disable access key AKIAIOSFODNN7EXAMPLE of alice",
                "deny alice's temporary credentials issued before 2026-11-22T07:01:00Z"
            ]
        );
    }
}

#[test]
fn a_quarantine_disables_every_active_key() {
    let (iam, bench) = (Iam::new(), Bench::enforcing());
    assert_eq!(deliver(&bench, &iam, &event("quarantine-v3-attached")), Status::Contained);
    assert!(!iam.is_active(LEAKED) && !iam.is_active(OTHER) && iam.is_active("AKIAI44QH8DHBEXAMPLE"));
    assert_eq!(only(&bench).receipt.len(), 3);
}

#[test]
fn a_temporary_credential_costs_the_user_no_key() {
    let (iam, bench) = (Iam::new(), Bench::enforcing());
    let seen = event("finding-on-a-temporary-key");
    assert_eq!(deliver(&bench, &iam, &seen), Status::Contained);
    assert!(iam.is_active(LEAKED) && iam.is_active(OTHER));
    assert_eq!(did(&only(&bench)), ["deny alice's temporary credentials issued before 2026-11-22T07:01:00Z"]);

    // GuardDuty goes on updating its finding: what was cut off stays so, and the user's new sessions are spared.
    let update = Event { time: Some(now() + TimeDelta::hours(6)), ..again(&seen, "update") };
    bench.wait(TimeDelta::hours(6));
    assert_eq!(deliver(&bench, &iam, &update), Status::AlreadySafe);
    assert_eq!(iam.policy(), Some(a_cut_off_now()));
}

#[test]
fn a_session_is_cut_off_unless_a_younger_policy_does_it_already() {
    let seen = event("finding-on-a-temporary-key");
    let before = seen.time.unwrap();
    for (there, status) in [
        (Denial::of_all(before).document(), Status::Contained),
        (Denial::of_all(before + TimeDelta::seconds(1)).document(), Status::AlreadySafe),
        (Denial::of_all(before + TimeDelta::days(1)).document().replace("Deny", "Allow"), Status::Contained),
    ] {
        let (iam, bench) = (Iam::new(), Bench::enforcing());
        iam.put_policy(&there);
        assert_eq!(deliver(&bench, &iam, &seen), status, "{there}");
    }
}

#[test]
fn a_cut_off_is_never_moved_back() {
    let (iam, bench) = (Iam::new(), Bench::enforcing());
    let later = Denial::of_all(now() + TimeDelta::seconds(61)).document();
    iam.put_policy(&later);
    assert_eq!(deliver(&bench, &iam, &event("key-for-another-user")), Status::Contained);
    assert!(!iam.is_active(LEAKED));
    assert_eq!(iam.policy(), Some(later));
}

#[test]
fn roots_key_needs_a_person() {
    for name in ["key-of-root", "finding-on-root"] {
        let (iam, bench) = (Iam::new(), Bench::enforcing());
        assert_eq!(deliver(&bench, &iam, &event(name)), Status::Uncontainable, "{name}");
        assert!(iam.journal().calls().is_empty(), "{name}");
        let because = only(&bench).because;
        assert!(because.contains("delete access key AKIAROOT7KEY0EXAMPLE"), "{because}");
        assert!(because.contains("root user of account 123456789012"), "{because}");
        assert_eq!(bench.told().len(), 1);
    }
}

#[test]
fn a_key_found_in_public_that_no_user_holds_needs_a_person() {
    let (iam, bench) = (Iam::new(), Bench::enforcing());
    iam.account.borrow_mut().users.remove("alice");
    assert_eq!(deliver(&bench, &iam, &event("key-found-in-public")), Status::Uncontainable);
    let because = only(&bench).because;
    assert!(because.contains(LEAKED) && because.contains("`alice`"), "{because}");
}

#[test]
fn what_is_gone_or_already_disabled_is_safe() {
    let seen = event("key-for-another-user");
    let inactive = Iam::new();
    inactive.set_active(LEAKED, false);
    let keyless = Iam::new();
    keyless.account.borrow_mut().keys.get_mut("alice").unwrap().remove(0);
    let userless = Iam::new();
    userless.account.borrow_mut().users.remove("alice");
    for iam in [inactive, keyless, userless] {
        let before = iam.state();
        assert_eq!(deliver(&Bench::enforcing(), &iam, &seen), Status::AlreadySafe);
        assert_eq!(iam.state(), before);
    }
    let forgotten = Iam::new();
    forgotten.account.borrow_mut().keys.clear();
    assert_eq!(deliver(&Bench::enforcing(), &forgotten, &event("key-found-in-public")), Status::AlreadySafe);
}

#[test]
fn the_new_key_is_found_by_its_age() {
    let seen = event("key-without-answer");
    for (age, status) in [(-5, Status::Contained), (5, Status::Contained), (6, Status::AlreadySafe)] {
        let iam = Iam::new();
        let created = seen.time.unwrap() + TimeDelta::seconds(age);
        iam.account.borrow_mut().keys.get_mut("alice").unwrap()[0].created = Some(created);
        assert_eq!(deliver(&Bench::enforcing(), &iam, &seen), status, "{age}");
        assert!(iam.is_active(OTHER));
    }
}

#[test]
fn an_activated_key_is_disabled_again_only_if_we_had_disabled_it() {
    let (iam, bench) = (Iam::new(), Bench::enforcing());
    let activated = event("key-reactivated");
    assert_eq!(deliver(&bench, &iam, &activated), Status::AlreadySafe);
    assert!(iam.is_active(LEAKED));

    assert_eq!(deliver(&bench, &iam, &event("key-for-another-user")), Status::Contained);
    let first = iam.policy().unwrap();
    iam.set_active(LEAKED, true);
    bench.wait(TimeDelta::minutes(10));
    let activated = Event { time: Some(now() + TimeDelta::minutes(9)), ..again(&activated, "later") };
    assert_eq!(deliver(&bench, &iam, &activated), Status::Contained);
    assert!(!iam.is_active(LEAKED));
    assert!(
        Denial::cut_off_of_all(&iam.policy().unwrap()) > Denial::cut_off_of_all(&first),
        "sessions made meanwhile end as well"
    );
}

#[test]
fn a_key_that_an_undo_gave_back_stays_active_and_so_do_its_sessions() {
    let (iam, bench) = (Iam::new(), Bench::enforcing());
    assert_eq!(deliver(&bench, &iam, &event("key-for-another-user")), Status::Contained);
    let before = Iam::new().state();
    bench.undo(&DisableAccessKey(iam.clone()), only(&bench)).unwrap();
    assert_eq!(iam.state(), before);
    assert_eq!(deliver(&bench, &iam, &event("key-reactivated")), Status::AlreadySafe);
    assert_eq!(deliver(&bench, &iam, &event("finding-on-a-long-term-key")), Status::Exempt);
    assert_eq!(iam.state(), before);

    // That a person vouched for one key says nothing of the other.
    assert_eq!(deliver(&bench, &iam, &event("quarantine-v2-attached")), Status::Contained);
    assert!(iam.is_active(LEAKED) && !iam.is_active(OTHER) && iam.policy().is_some());
}

#[test]
fn vouching_for_several_keys_is_vouching_for_each() {
    let (iam, bench) = (Iam::new(), Bench::enforcing());
    assert_eq!(deliver(&bench, &iam, &event("quarantine-v3-attached")), Status::Contained);
    bench.undo(&DisableAccessKey(iam.clone()), only(&bench)).unwrap();
    assert_eq!(deliver(&bench, &iam, &event("finding-on-a-long-term-key")), Status::Exempt);
    assert_eq!(iam.state(), Iam::new().state());
}

#[test]
fn an_undo_stops_where_the_policy_was_changed() {
    let (iam, bench) = (Iam::new(), Bench::enforcing());
    assert_eq!(deliver(&bench, &iam, &event("key-for-another-user")), Status::Contained);
    iam.put_policy(&an_old_cut_off());
    bench.undo(&DisableAccessKey(iam.clone()), only(&bench)).unwrap_err();
    assert!(!iam.is_active(LEAKED));
}

#[test]
fn a_failed_run_keeps_what_it_did() {
    let (iam, bench) = (Iam::new(), Bench::enforcing());
    iam.journal().refuse_write(Some(1));
    let responded = bench.deliver(&DisableAccessKey(iam.clone()), &event("key-for-another-user"), "a");
    assert!(responded.failure.is_some_and(|failure| failure.is_retryable()));
    assert_eq!(only(&bench).state, State::Failed);
    assert_eq!(did(&only(&bench)), ["disable access key AKIAIOSFODNN7EXAMPLE of alice"]);
}
