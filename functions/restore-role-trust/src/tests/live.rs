//! What is done about it.

use chrono::TimeDelta;
use cloudtrail::{Event, EventId};
use remedy::{Incident, State, Status};
use serde_json::json;
use session_denial::Denial;
use testkit::{Bench, World, check_laws};

use super::fake::{Iam, a_cut_off, a_cut_off_now, allow, created, record, role, trust, updated};
use super::{event, events};
use crate::{NOBODY, RestoreRoleTrust};

fn deliver(bench: &Bench, iam: &Iam, event: &Event) -> Status {
    let responded = bench.deliver(&RestoreRoleTrust(iam.clone()), event, "a");
    assert!(responded.failure.is_none(), "{:?}", responded.failure);
    assert_eq!(responded.outcomes.len(), 1);
    responded.outcomes[0].status
}

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
    let only_live = ["mfa-perhaps-lost", "made-for-an-organization-perhaps-ours"];
    let mut containable = events("match", "");
    containable.retain(|(name, _)| !only_live.contains(&name.as_str()));
    let containable: Vec<Event> = containable.into_iter().map(|(_, event)| event).collect();
    check_laws(
        |event| {
            let iam = Iam::after(event);
            // One of the two ways the account may have looked before.
            if event.id.as_str().bytes().map(u32::from).sum::<u32>().is_multiple_of(2) {
                iam.put_policy(&a_cut_off(TimeDelta::days(100)));
            }
            (iam.clone(), RestoreRoleTrust(iam))
        },
        &containable,
    );
}

#[test]
fn only_the_statement_that_is_wrong_is_taken_away() {
    let opened = event("opened-to-a-foreign-account");
    let (iam, bench) = (Iam::after(&opened), Bench::enforcing());
    let before = iam.trust();
    assert_eq!(deliver(&bench, &iam, &opened), Status::Contained);
    let removed = r#",
    {
      "Effect": "Allow",
      "Principal": {
        "AWS": "arn:aws:iam::444455556666:root"
      },
      "Action": "sts:AssumeRole"
    }"#;
    assert_eq!(iam.trust(), before.replacen(removed, "", 1));
    assert_eq!(iam.policy(), Some(a_cut_off_now()));
    let incident = only(&bench);
    assert_eq!(
        did(&incident),
        [
            "close the trust of web-server to 444455556666",
            "deny web-server's sessions minted before 2026-11-22T07:01:00Z"
        ]
    );
    assert_eq!(incident.resource.tags.as_ref().unwrap()["team"], "payments");

    bench.undo(&RestoreRoleTrust(iam.clone()), incident).unwrap();
    assert_eq!((iam.trust(), iam.policy()), (before, None), "byte for byte");
}

#[test]
fn a_new_role_allows_nobody_even_if_part_of_its_trust_is_right() {
    let document = trust(&[&allow("ec2.amazonaws.com", ""), &allow("444455556666", "")]);
    let made = created(&document);
    let (iam, bench) = (Iam::after(&made), Bench::enforcing());
    assert_eq!(deliver(&bench, &iam, &made), Status::Contained);
    assert_eq!(iam.trust(), NOBODY);
    bench.undo(&RestoreRoleTrust(iam.clone()), only(&bench)).unwrap();
    assert_eq!(iam.trust(), document);

    // Once somebody has written another trust, it is a role like others.
    let later = trust(&[&allow("lambda.amazonaws.com", ""), &allow("777788889999", "")]);
    let (iam, bench) = (Iam::after(&made), Bench::enforcing());
    iam.set(&later);
    assert_eq!(deliver(&bench, &iam, &made), Status::Contained);
    assert_eq!(iam.trust(), trust(&[&allow("lambda.amazonaws.com", "")]));
}

#[test]
fn where_no_statement_is_left_nobody_is_let_in() {
    let opened = event("opened-to-everybody");
    let (iam, bench) = (Iam::after(&opened), Bench::enforcing());
    assert_eq!(deliver(&bench, &iam, &opened), Status::Contained);
    assert_eq!(iam.trust(), NOBODY);
}

#[test]
fn what_is_gone_or_already_closed_is_safe() {
    let opened = event("opened-to-a-foreign-account");
    let gone = Iam::after(&opened);
    gone.account.borrow_mut().roles.clear();
    let closed = Iam::after(&opened);
    closed.set(&trust(&[&allow("ec2.amazonaws.com", "")]));
    for iam in [gone, closed] {
        let before = iam.state();
        assert_eq!(deliver(&Bench::enforcing(), &iam, &opened), Status::AlreadySafe);
        assert_eq!(iam.state(), before);
    }
}

#[test]
fn the_live_trust_counts_and_not_that_of_the_event() {
    let opened = event("opened-to-a-foreign-account");
    let (iam, bench) = (Iam::after(&opened), Bench::enforcing());
    iam.set(&trust(&[&allow("ec2.amazonaws.com", ""), &allow("777788889999", "")]));
    assert_eq!(deliver(&bench, &iam, &opened), Status::Contained);
    assert_eq!(iam.trust(), trust(&[&allow("ec2.amazonaws.com", "")]));
    assert_eq!(did(&only(&bench))[0], "close the trust of web-server to 777788889999");
}

#[test]
fn roles_that_aws_keeps_need_a_person_and_their_look_alikes_do_not() {
    let open = trust(&[&allow("444455556666", "")]);
    for (path, name, says) in [
        ("/aws-reserved/sso.amazonaws.com/eu-west-1/", "app", Some("Revoke active IAM role sessions")),
        ("/aws-service-role/x.amazonaws.com/", "app", Some("Service-linked roles")),
        ("/AWSReservedSSO_Admin/", "app", None),
        ("/service-role/", "app", None),
    ] {
        let (iam, bench) = (Iam::with(role(path, name, &open)), Bench::enforcing());
        let status = deliver(&bench, &iam, &updated(&open));
        let because = only(&bench).because;
        match says {
            Some(says) => {
                assert_eq!((status, iam.trust()), (Status::Uncontainable, open.clone()), "{path}");
                assert!(because.contains(says) && because.contains("444455556666"), "{because}");
                assert_eq!(bench.told().len(), 1);
            }
            None => assert_eq!(status, Status::Contained, "{path}"),
        }
    }
    let iam = Iam::with(role("/", "AWSReservedSSO_Admin_0123", &open));
    let record =
        record("UpdateAssumeRolePolicy", &json!({"roleName": "AWSReservedSSO_Admin_0123", "policyDocument": open}));
    assert_eq!(deliver(&Bench::enforcing(), &iam, &Event::decode(record).unwrap()), Status::Contained);
}

#[test]
fn what_cannot_be_told_is_left_to_a_person() {
    let org = allow("*", r#""StringEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}"#);
    for (document, says) in [
        (trust(&[&org]), "of statement 0, organization `o-exampleorgid` may be ours"),
        ("{}".to_owned(), "is not one that we can read"),
    ] {
        let (iam, bench) = (Iam::with(role("/", "app", &document)), Bench::enforcing());
        assert_eq!(deliver(&bench, &iam, &updated(&document)), Status::Uncontainable);
        assert!(only(&bench).because.contains(says), "{}", only(&bench).because);
        assert_eq!(iam.trust(), document);
    }
    // Beside what is wrong it stays as it is.
    let both = trust(&[&org, &allow("444455556666", "")]);
    let (iam, bench) = (Iam::with(role("/", "app", &both)), Bench::enforcing());
    assert_eq!(deliver(&bench, &iam, &updated(&both)), Status::Contained);
    assert_eq!(iam.trust(), trust(&[&org]));
}

#[test]
fn nobody_who_is_deleted_keeps_a_trust_open() {
    let document = trust(&[&allow("AIDACKCEVSQ6C2EXAMPLE", ""), &allow("ec2.amazonaws.com", ""), &allow("*", "")]);
    let iam = Iam::with(role("/", "app", &document));
    assert_eq!(deliver(&Bench::enforcing(), &iam, &updated(&document)), Status::Contained);
    assert_eq!(iam.trust(), trust(&[&allow("ec2.amazonaws.com", "")]), "IAM would refuse it otherwise");
}

#[test]
fn those_whom_an_undo_let_in_are_vouched_for_and_others_are_not() {
    let one = trust(&[&allow("444455556666", "")]);
    let (iam, bench) = (Iam::with(role("/", "app", &one)), Bench::enforcing());
    assert_eq!(deliver(&bench, &iam, &updated(&one)), Status::Contained);
    bench.undo(&RestoreRoleTrust(iam.clone()), only(&bench)).unwrap();
    assert_eq!(deliver(&bench, &iam, &again(&updated(&one), "later")), Status::Exempt);

    let both = trust(&[&allow("444455556666", ""), &allow("*", "")]);
    iam.set(&both);
    assert_eq!(deliver(&bench, &iam, &again(&updated(&both), "worse")), Status::Contained);
    assert_eq!(iam.trust(), one);
    assert_eq!(deliver(&bench, &iam, &again(&updated(&both), "worse again")), Status::Exempt);
}

#[test]
fn an_undo_stops_where_somebody_wrote_since() {
    let opened = event("opened-to-everybody");
    let (iam, bench) = (Iam::after(&opened), Bench::enforcing());
    assert_eq!(deliver(&bench, &iam, &opened), Status::Contained);
    iam.set(&trust(&[&allow("ec2.amazonaws.com", "")]));
    bench.undo(&RestoreRoleTrust(iam.clone()), only(&bench)).unwrap_err();
    assert_eq!(iam.trust(), trust(&[&allow("ec2.amazonaws.com", "")]));
}

#[test]
fn a_run_that_died_between_trust_and_sessions_is_completed() {
    let opened = event("opened-to-everybody");
    let (iam, bench) = (Iam::after(&opened), Bench::enforcing());
    iam.journal().refuse_write(Some(1));
    assert!(bench.deliver(&RestoreRoleTrust(iam.clone()), &opened, "a").failure.is_some());
    assert_eq!((only(&bench).state, iam.policy()), (State::Failed, None));
    iam.journal().refuse_write(None);
    // Another event about the same role comes before the redelivery.
    assert_eq!(deliver(&bench, &iam, &again(&opened, "other")), Status::Contained);
    assert!(Denial::cut_off_of_all(&iam.policy().unwrap()) >= Denial::cut_off_of_all(&a_cut_off_now()));
}

#[test]
fn a_cut_off_is_never_moved_back() {
    let opened = event("opened-to-everybody");
    let (iam, bench) = (Iam::after(&opened), Bench::enforcing());
    let later = a_cut_off(TimeDelta::seconds(-61));
    iam.put_policy(&later);
    assert_eq!(deliver(&bench, &iam, &opened), Status::Contained);
    assert_eq!((iam.trust().as_str(), iam.policy()), (NOBODY, Some(later)));
}
