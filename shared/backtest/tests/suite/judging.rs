//! What is said of one event.

use backtest::{Judge, Verdict};
use chrono::TimeDelta;
use cloudtrail::{Arn, Event};
use serde_json::{Value, json};

use crate::doors::{judge, only, opening, policies, start};

const PERMIT: &str = "@id(\"close\") permit (principal, action, resource);";

#[test]
fn a_line_begins_with_the_fields_that_others_rely_on() {
    let (policies, event) = (policies(PERMIT), Event::decode(opening(&json!({"door": "front"}))).unwrap());
    let line = serde_json::to_string(&only(&judge(&policies, None), &event)).unwrap();
    let expected = r#"{"event_id":"b4e3d14e-7519-479e-aa35-2f776d75a905","event_time":"2026-11-22T07:00:00Z","event_name":"OpenDoor","account":"111122223333","region":"eu-west-1","actor":"arn:aws:iam::111122223333:role/ci/deploy","responder":"close-doors","resource":"arn:aws:doors:eu-west-1:111122223333:door/front","certainty":"event","verdict":"enforce","policies":["close"],"#;
    assert!(line.starts_with(expected), "{line}");
    let rest: Value = serde_json::from_str(&line).unwrap();
    let rest = ["severity", "because", "live", "plan", "actor_kind", "session"].map(|field| rest[field].clone());
    let expected = json!([70, "permitted by `close`", false, "changes", "role", "alice"]);
    assert_eq!(Value::from(rest.to_vec()), expected);
}

#[test]
fn the_time_of_the_decision_is_the_event_s() {
    let until = |time: &str| {
        format!(
            "{PERMIT}@id(\"lab\") forbid (principal, action, resource) when {{ context.now < datetime(\"{time}\") }};"
        )
    };
    let verdict = |policy: &str, record: Value| {
        let (policies, event) = (policies(policy), Event::decode(record).unwrap());
        only(&judge(&policies, None), &event).verdict
    };
    let timed = opening(&json!({"door": "front"}));
    assert_eq!(verdict(&until("2026-11-22T07:00:01Z"), timed.clone()), Verdict::Exempt);
    assert_eq!(verdict(&until("2026-11-22T07:00:00Z"), timed.clone()), Verdict::Enforce);

    let (mut untimed, policies) = (timed, policies(&until("2026-11-23")));
    untimed["eventTime"] = "yesterday".into();
    let event = Event::decode(untimed).unwrap();
    let at = |now| only(&Judge { now, ..judge(&policies, None) }, &event).verdict;
    assert_eq!(at(start()), Verdict::Exempt);
    assert_eq!(at(start() + TimeDelta::days(2)), Verdict::Enforce);
}

#[test]
fn our_own_calls_and_those_that_failed_are_no_findings() {
    let policies = policies(PERMIT);
    let own = [Arn::parse("arn:aws:iam::111122223333:role/ci/deploy").unwrap()];
    let mut record = opening(&json!({"door": "front"}));
    let found = |record: &Value, own_roles| {
        Judge { own_roles, ..judge(&policies, None) }.judge(&Event::decode(record.clone()).unwrap()).count()
    };
    assert_eq!((found(&record, &[]), found(&record, &own)), (1, 0));
    record["errorCode"] = "AccessDenied".into();
    assert_eq!(found(&record, &[]), 0);
}

#[test]
fn an_event_that_a_responder_cannot_read_is_told() {
    let policies = policies(PERMIT);
    let event = Event::decode(opening(&json!({"door": 7}))).unwrap();
    let told: Vec<String> = judge(&policies, None).judge(&event).map(|it| it.unwrap_err().to_string()).collect();
    assert_eq!(told, ["close-doors cannot read this event"]);
}

#[test]
fn two_sets_of_policies_are_compared_finding_by_finding() {
    let (old, new) =
        (policies("@id(\"ask\") @mode(\"approve\") permit (principal, action, resource);"), policies(PERMIT));
    let event = Event::decode(opening(&json!({"door": "front"}))).unwrap();
    let finding = only(&judge(&new, Some(&old)), &event);
    let before = finding.before.clone().unwrap();
    assert_eq!((before.verdict, before.policies.as_slice()), (Verdict::Approve, &["ask".into()][..]));
    assert_eq!((finding.verdict, finding.has_changed()), (Verdict::Enforce, true));
    assert!(!only(&judge(&new, Some(&new)), &event).has_changed());
}
