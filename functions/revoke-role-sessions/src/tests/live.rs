//! What is done about it.

use chrono::{DateTime, TimeDelta, Utc};
use cloudtrail::{Body, Event, EventId};
use remedy::{Incident, Status};
use serde_json::{Value, json};
use session_denial::{Denial, RoleSession, name};
use testkit::{Bench, World, check_laws, now};

use super::fake::{Iam, role};
use super::{event, events};
use crate::RevokeRoleSessions;

const OF_INSTANCE: &str = "AROACKCEVSQ6C2EXAMPLE:i-0123456789abcdef0";

fn deliver(bench: &Bench, iam: &Iam, event: &Event) -> Status {
    let responded = bench.deliver(&RevokeRoleSessions(iam.clone()), event, "a");
    assert!(responded.failure.is_none(), "{:?}", responded.failure);
    assert_eq!(responded.outcomes.len(), 1);
    responded.outcomes[0].status
}

/// The incident of the event with this id.
fn incident(bench: &Bench, id: &str) -> Incident {
    bench.ledger.incidents().into_iter().find(|incident| incident.event_id.as_str() == id).unwrap()
}

fn only(bench: &Bench) -> Incident {
    let mut incidents = bench.ledger.incidents();
    assert_eq!(incidents.len(), 1);
    incidents.remove(0)
}

fn exfiltration() -> Event {
    event("instance-credentials-outside-aws")
}

/// The same finding of another session and key, seen just now.
fn of(session: &str, key: &str, id: &str) -> Event {
    let mut event = exfiltration();
    let Body::GuardDuty(found) = &mut event.body else { panic!("a finding") };
    let details = found.key.as_mut().unwrap();
    details.principal_id = Some(format!("AROACKCEVSQ6C2EXAMPLE:{session}"));
    details.access_key_id = Some(cloudtrail::AccessKeyId::new(key));
    Event { id: EventId::new(id), ..event }
}

fn denial(session: Option<&str>, before: DateTime<Utc>) -> Denial {
    Denial { before, session: session.map(|session| RoleSession::parse(session).unwrap()) }
}

fn policy(denials: &[Denial]) -> String {
    let statements: Vec<Value> = denials.iter().map(Denial::statement).collect();
    json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}

fn cut_off() -> DateTime<Utc> {
    now() + TimeDelta::seconds(60)
}

#[test]
fn keeps_the_laws() {
    let not_containable = ["session-of-identity-center", "federated-user"];
    let mut containable = events("match", "");
    containable.retain(|(name, _)| !not_containable.contains(&name.as_str()));
    let containable: Vec<Event> = containable.into_iter().map(|(_, event)| event).collect();
    check_laws(
        |event| {
            let iam = Iam::of(event);
            // One of the two ways the account may have looked before.
            if event.id.as_str().bytes().map(u32::from).sum::<u32>().is_multiple_of(2) {
                let ended = denial(None, now() - TimeDelta::days(300));
                let somebodys = json!({"Effect": "Deny", "Action": "s3:*", "Resource": "*"});
                let there = json!({"Version": "2012-10-17", "Statement": [somebodys, ended.statement()]});
                iam.put(name::STOLEN_SESSIONS, &serde_json::to_string_pretty(&there).unwrap());
            }
            (iam.clone(), RevokeRoleSessions(iam))
        },
        &containable,
    );
}

#[test]
fn only_the_session_that_is_named_is_denied_and_only_what_it_has_now() {
    let (iam, bench) = (Iam::of(&exfiltration()), Bench::enforcing());
    assert_eq!(deliver(&bench, &iam, &exfiltration()), Status::Contained);
    let policy: Value = serde_json::from_str(&iam.policy().unwrap()).unwrap();
    assert_eq!(
        policy,
        json!({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {
            "DateLessThan": {"aws:TokenIssueTime": "2026-11-22T07:01:00Z"},
            "StringEquals": {"aws:userid": OF_INSTANCE}
        }}]})
    );
    let incident = only(&bench);
    assert_eq!(
        incident.receipt[0].did,
        "deny web-server's session i-0123456789abcdef0 what was issued to it before 2026-11-22T07:01:00Z"
    );
    assert_eq!(incident.resource.arn.as_str(), "arn:aws:iam::123456789012:role/service-role/web-server");
    assert_eq!(incident.resource.tags.as_ref().unwrap()["team"], "payments");
}

#[test]
fn where_no_session_is_named_all_older_ones_are_denied() {
    for name in ["session-not-named", "role-without-a-principal-id"] {
        let (iam, bench) = (Iam::of(&event(name)), Bench::enforcing());
        assert_eq!(deliver(&bench, &iam, &event(name)), Status::Contained, "{name}");
        assert_eq!(iam.policy(), Some(policy(&[denial(None, cut_off())])), "{name}");
        assert_eq!(only(&bench).receipt[0].did, "deny deployer's sessions minted before 2026-11-22T07:01:00Z");
    }
}

#[test]
fn what_is_denied_already_is_safe() {
    let seen = exfiltration().time.unwrap();
    let other = "AROACKCEVSQ6C2EXAMPLE:i-0fedcba9876543210";
    let console = |time: DateTime<Utc>| {
        json!({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": ["*"], "Resource": ["*"],
            "Condition": {"DateLessThan": {"aws:TokenIssueTime": time.to_rfc3339()}}}]})
        .to_string()
    };
    let second = TimeDelta::seconds(1);
    for (at, there, status) in [
        (name::STOLEN_SESSIONS, policy(&[denial(Some(OF_INSTANCE), seen + second)]), Status::AlreadySafe),
        (name::STOLEN_SESSIONS, policy(&[denial(Some(OF_INSTANCE), seen)]), Status::Contained),
        (name::STOLEN_SESSIONS, policy(&[denial(Some(other), seen + second)]), Status::Contained),
        (name::STOLEN_SESSIONS, policy(&[denial(None, seen + second)]), Status::AlreadySafe),
        (name::STOLEN_SESSIONS, policy(&[denial(None, seen + second)]).replace("Deny", "Allow"), Status::Contained),
        (name::OPENED_TRUST, Denial::of_all(seen + second).document(), Status::AlreadySafe),
        (name::OPENED_TRUST, Denial::of_all(seen).document(), Status::Contained),
        (name::BY_CONSOLE, console(seen + second), Status::AlreadySafe),
        (name::BY_CONSOLE, console(seen), Status::Contained),
        ("SomebodyElses", console(seen + second), Status::Contained),
    ] {
        let iam = Iam::of(&exfiltration());
        iam.put(at, &there);
        assert_eq!(deliver(&Bench::enforcing(), &iam, &exfiltration()), status, "{at}: {there}");
    }
}

#[test]
fn without_a_time_only_what_we_would_write_now_is_late_enough() {
    for (before, status) in [(cut_off(), Status::AlreadySafe), (cut_off() - TimeDelta::seconds(1), Status::Contained)] {
        let iam = Iam::of(&exfiltration());
        iam.put(name::STOLEN_SESSIONS, &policy(&[denial(Some(OF_INSTANCE), before)]));
        let (bench, timeless) = (Bench::enforcing(), Event { time: None, ..exfiltration() });
        assert_eq!(deliver(&bench, &iam, &timeless), status, "{before}");
        assert_eq!(only(&bench).plan.is_empty(), status == Status::AlreadySafe, "{before}");
    }
}

#[test]
fn a_finding_that_is_told_again_costs_the_instance_no_new_credentials() {
    let (iam, bench) = (Iam::of(&exfiltration()), Bench::enforcing());
    assert_eq!(deliver(&bench, &iam, &exfiltration()), Status::Contained);
    let first = iam.policy();
    bench.wait(TimeDelta::hours(6));
    let update = Event { id: EventId::new("u-1"), time: Some(now() + TimeDelta::hours(6)), ..exfiltration() };
    assert_eq!(deliver(&bench, &iam, &update), Status::AlreadySafe);
    assert_eq!(iam.policy(), first);

    // The next credentials of the same instance, stolen as well.
    let stolen = of("i-0123456789abcdef0", "ASIANEXTONEEEEEEXAMPLE", "n-1");
    let stolen = Event { time: Some(now() + TimeDelta::hours(6)), ..stolen };
    assert_eq!(deliver(&bench, &iam, &stolen), Status::Contained);
    let later = denial(Some(OF_INSTANCE), cut_off() + TimeDelta::hours(6));
    assert_eq!(iam.policy(), Some(policy(&[denial(Some(OF_INSTANCE), cut_off()), later])));
}

#[test]
fn denials_whose_sessions_have_ended_make_room() {
    let (longest, second) = (TimeDelta::hours(12), TimeDelta::seconds(1));
    let other = Some("AROACKCEVSQ6C2EXAMPLE:i-0fedcba9876543210");
    let going_on = denial(other, now() - longest + second);
    let there = policy(&[denial(other, now() - longest), denial(None, now() - longest), going_on.clone()]);
    let (iam, bench) = (Iam::of(&exfiltration()), Bench::enforcing());
    iam.put(name::STOLEN_SESSIONS, &there);
    let seen = Event { time: Some(now()), ..exfiltration() };
    assert_eq!(deliver(&bench, &iam, &seen), Status::Contained);
    assert_eq!(iam.policy(), Some(policy(&[going_on, denial(Some(OF_INSTANCE), cut_off())])));
    bench.undo(&RevokeRoleSessions(iam.clone()), only(&bench)).unwrap();
    assert_eq!(iam.policy(), Some(there));
}

#[test]
fn incidents_of_one_role_are_undone_one_without_the_other() {
    for first_undone in ["one", "two"] {
        let (iam, bench) = (Iam::of(&exfiltration()), Bench::enforcing());
        for (session, key, id) in [("i-one", "ASIA1", "one"), ("i-two", "ASIA2", "two")] {
            assert_eq!(deliver(&bench, &iam, &of(session, key, id)), Status::Contained);
        }
        let left = if first_undone == "one" { "i-two" } else { "i-one" };
        bench.undo(&RevokeRoleSessions(iam.clone()), incident(&bench, first_undone)).unwrap();
        let session = format!("AROACKCEVSQ6C2EXAMPLE:{left}");
        assert_eq!(iam.policy(), Some(policy(&[denial(Some(&session), cut_off())])), "{first_undone}");
        let other = if first_undone == "one" { "two" } else { "one" };
        bench.undo(&RevokeRoleSessions(iam.clone()), incident(&bench, other)).unwrap();
        assert_eq!(iam.policy(), None);
    }
}

#[test]
fn what_somebody_adds_to_our_policy_is_left() {
    let (iam, bench) = (Iam::of(&exfiltration()), Bench::enforcing());
    assert_eq!(deliver(&bench, &iam, &exfiltration()), Status::Contained);
    let somebodys = json!({"Effect": "Deny", "Action": "s3:*", "Resource": "*"});
    let ours = denial(Some(OF_INSTANCE), cut_off()).statement();
    iam.put(name::STOLEN_SESSIONS, &json!({"Version": "2012-10-17", "Statement": [ours, somebodys]}).to_string());
    bench.undo(&RevokeRoleSessions(iam.clone()), only(&bench)).unwrap();
    let left = json!({"Version": "2012-10-17", "Statement": [somebodys]});
    assert_eq!(iam.policy(), Some(left.to_string()));
}

#[test]
fn an_undo_stops_where_somebody_has_changed_our_statement() {
    let (iam, bench) = (Iam::of(&exfiltration()), Bench::enforcing());
    assert_eq!(deliver(&bench, &iam, &exfiltration()), Status::Contained);
    let weaker = iam.policy().unwrap().replace(r#""Action":"*""#, r#""Action":"s3:*""#);
    iam.put(name::STOLEN_SESSIONS, &weaker);
    bench.undo(&RevokeRoleSessions(iam.clone()), only(&bench)).unwrap_err();
    assert_eq!(iam.policy(), Some(weaker));
}

#[test]
fn an_undo_of_what_somebody_took_away_does_nothing() {
    let (iam, bench) = (Iam::of(&exfiltration()), Bench::enforcing());
    let there = policy(&[denial(Some(OF_INSTANCE), cut_off() - TimeDelta::days(3))]);
    iam.put(name::STOLEN_SESSIONS, &there);
    assert_eq!(deliver(&bench, &iam, &exfiltration()), Status::Contained);
    iam.put(name::STOLEN_SESSIONS, &policy(&[]));
    let undone = bench.undo(&RevokeRoleSessions(iam.clone()), only(&bench)).unwrap();
    assert_eq!((undone.did.len(), undone.already.len()), (0, 1));
}

#[test]
fn a_session_that_an_undo_gave_back_is_let_be_and_its_next_credentials_are_not() {
    let (iam, bench) = (Iam::of(&exfiltration()), Bench::enforcing());
    assert_eq!(deliver(&bench, &iam, &exfiltration()), Status::Contained);
    bench.undo(&RevokeRoleSessions(iam.clone()), only(&bench)).unwrap();
    let update = Event { id: EventId::new("update"), ..exfiltration() };
    assert_eq!(deliver(&bench, &iam, &update), Status::Exempt);
    let next = of("i-0123456789abcdef0", "ASIANEXTONEEEEEEXAMPLE", "next");
    assert_eq!(deliver(&bench, &iam, &next), Status::Contained);
}

#[test]
fn a_role_that_is_gone_or_made_anew_is_safe() {
    let mut anew = role("/", "web-server");
    anew.id = Some("AROAANOTHERONEEXAMPLE".to_owned());
    for role in [None, Some(anew)] {
        let iam = Iam::with(role);
        let before = iam.state();
        assert_eq!(deliver(&Bench::enforcing(), &iam, &exfiltration()), Status::AlreadySafe);
        assert_eq!(iam.state(), before);
    }
}

#[test]
fn roles_that_aws_keeps_need_a_person_and_their_look_alikes_do_not() {
    let of_identity_center = event("session-of-identity-center");
    let name = "AWSReservedSSO_AdministratorAccess_0123456789abcdef";
    for (path, says) in [
        (
            "/aws-reserved/sso.amazonaws.com/eu-west-1/",
            Some("Revoke active IAM role sessions created by permission sets"),
        ),
        ("/aws-service-role/x.amazonaws.com/", Some("Service-linked roles")),
        ("/", None),
    ] {
        let (iam, bench) = (Iam::with(Some(role(path, name))), Bench::enforcing());
        let status = deliver(&bench, &iam, &of_identity_center);
        let because = only(&bench).because;
        match says {
            Some(says) => {
                assert_eq!((status, iam.policy()), (Status::Uncontainable, None), "{path}");
                assert!(because.contains(says) && because.contains("`alice@example.com`"), "{because}");
                assert_eq!(bench.told().len(), 1);
            }
            None => assert_eq!(status, Status::Contained, "{path}"),
        }
    }
}

#[test]
fn a_federated_user_needs_a_person() {
    let (iam, bench) = (Iam::with(None), Bench::enforcing());
    assert_eq!(deliver(&bench, &iam, &event("federated-user")), Status::Uncontainable);
    assert!(iam.journal().calls().is_empty());
    let because = only(&bench).because;
    assert!(because.contains("federated user `bob`") && because.contains("GetFederationToken"), "{because}");
}
