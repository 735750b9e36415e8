//! What is a finding, and how sure the event makes us.

use std::path::Path;

use cloudtrail::{Event, EventError};
use policy::Severity;
use remedy::{Certainty, Responder};
use serde_json::{Value, json};

use super::fake::CloudTrail;
use super::{event, events};
use crate::RestartTrail;

type R = RestartTrail<CloudTrail>;

#[test]
fn each_way_to_weaken_a_trail_is_a_finding() {
    use Certainty::{Event, Live};
    let table = [
        ("advanced-data-only", "events-selected", Event, Severity::HIGH),
        ("advanced-only-reads", "events-selected", Event, Severity::MEDIUM),
        ("all-without-management-events", "events-selected", Event, Severity::HIGH),
        ("another-bucket", "updated", Live, Severity::MEDIUM),
        ("deleted", "deleted", Event, Severity::CRITICAL),
        ("insights-emptied", "insights-selected", Live, Severity::MEDIUM),
        ("key-removed", "updated", Live, Severity::MEDIUM),
        ("no-management-events", "events-selected", Event, Severity::HIGH),
        ("one-insight", "insights-selected", Live, Severity::MEDIUM),
        ("one-region-only", "updated", Event, Severity::MEDIUM),
        ("only-writes", "events-selected", Event, Severity::MEDIUM),
        ("selectors-left-out", "events-selected", Live, Severity::MEDIUM),
        ("stopped", "stopped", Event, Severity::HIGH),
        ("stopped-by-arn", "stopped", Event, Severity::HIGH),
        ("stopped-elsewhere", "stopped", Event, Severity::HIGH),
        ("unvalidated-and-local", "updated", Event, Severity::MEDIUM),
        ("without-kms", "events-selected", Event, Severity::MEDIUM),
    ];
    let mut seen = Vec::new();
    for (name, event) in events("match").into_iter().filter(|(name, _)| name != "alarm") {
        let found = R::detect(&event).unwrap();
        assert_eq!(found.len(), 1, "{name}");
        let arn = found[0].resource.arn.as_str();
        let whose = if name == "stopped-elsewhere" { "whole-organization" } else { "audit" };
        assert_eq!(arn, format!("arn:aws:cloudtrail:eu-central-1:123456789012:trail/{whose}"), "{name}");
        seen.push((name, found[0].subject.act.name(), found[0].certainty, found[0].severity));
    }
    let seen: Vec<_> =
        seen.iter().map(|(name, act, certainty, severity)| (name.as_str(), *act, *certainty, *severity)).collect();
    assert_eq!(seen, table);
}

#[test]
fn what_is_to_be_ignored_is_no_finding() {
    for (name, event) in events("ignore") {
        assert_eq!(R::detect(&event).unwrap(), [], "{name}");
    }
}

fn record(name: &str, request: &Value) -> Event {
    let record = json!({"eventID": "e", "eventSource": "cloudtrail.amazonaws.com", "eventName": name,
        "awsRegion": "eu-central-1", "recipientAccountId": "123456789012", "requestParameters": request});
    testkit::event(&record.to_string())
}

#[test]
fn a_call_that_does_not_say_which_trail_is_refused_loudly() {
    for name in ["StopLogging", "DeleteTrail", "UpdateTrail", "PutEventSelectors"] {
        for request in [json!(null), json!({}), json!({"omitted": true}), json!({"name": "", "trailName": ""})] {
            let refusal = R::detect(&record(name, &request)).unwrap_err();
            assert!(matches!(refusal, EventError::NoResource { .. }), "{name} {request}: {refusal}");
        }
    }
    let odd = R::detect(&record("StopLogging", &json!({"name": "arn:aws"}))).unwrap_err();
    assert!(matches!(odd, EventError::Id { .. }), "{odd}");
}

#[test]
fn leaving_the_organization_can_only_be_told_live() {
    let found = R::detect(&record("UpdateTrail", &json!({"name": "audit", "isOrganizationTrail": false}))).unwrap();
    assert_eq!(found[0].certainty, Certainty::Live);
}

#[test]
fn the_same_call_by_name_and_by_arn_is_about_the_same_trail() {
    let resource = |name| R::detect(&event(name)).unwrap().remove(0).resource;
    assert_eq!(resource("stopped"), resource("stopped-by-arn"));
}

/// Records that AWS wrote, where the folder with them is at hand.
#[test]
fn recorded_calls_are_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/events/cloudtrail");
    let Ok(files) = std::fs::read_dir(folder) else { return };
    let (mut found, mut read) = (0, 0);
    for file in files {
        for line in std::fs::read_to_string(file.unwrap().path()).unwrap().lines() {
            let Ok(event) = Event::from_slice(line.as_bytes()) else { continue };
            if event.call().is_some_and(|call| call.source == "cloudtrail.amazonaws.com") {
                read += 1;
                found += R::detect(&event).unwrap().len();
            }
        }
    }
    assert!(read >= 20 && found >= 8, "{found} of {read}");
}
