//! What is a finding, and how sure the event makes us.

use std::path::Path;

use cloudtrail::{Event, EventError};
use policy::Severity;
use remedy::{Certainty, Responder};
use serde_json::{Value, json};

use super::fake::Kms;
use super::{event, events};
use crate::CancelKeyDeletion;
use crate::called::Endangered;

type R = CancelKeyDeletion<Kms>;

#[test]
fn each_danger_to_a_key_is_a_finding() {
    use Certainty::{Event, Live};
    let table = [
        ("disabled", "disabled", Event, Severity::HIGH),
        ("policy-foreign", "policy-put", Event, Severity::HIGH),
        ("policy-left-out", "policy-put", Live, Severity::MEDIUM),
        ("policy-locks-out", "policy-put", Event, Severity::CRITICAL),
        ("policy-public", "policy-put", Event, Severity::CRITICAL),
        ("policy-public-in-an-own-statement", "policy-put", Event, Severity::CRITICAL),
        ("policy-unclear", "policy-put", Live, Severity::MEDIUM),
        ("rotation-disabled", "rotation-disabled", Event, Severity::MEDIUM),
        ("scheduled", "deletion-scheduled", Event, Severity::HIGH),
        ("scheduled-by-arn", "deletion-scheduled", Event, Severity::HIGH),
        ("scheduled-with-replicas", "deletion-scheduled", Event, Severity::HIGH),
    ];
    let mut seen = Vec::new();
    for (name, event) in events("match") {
        let found = R::detect(&event).unwrap();
        assert_eq!(found.len(), 1, "{name}");
        let id = if name == "scheduled-with-replicas" {
            "mrk-1234abcd12ab34cd56ef1234567890ab"
        } else {
            "1234abcd-12ab-34cd-56ef-1234567890ab"
        };
        let expected = format!("arn:aws:kms:eu-central-1:123456789012:key/{id}");
        assert_eq!(found[0].resource.arn.as_str(), expected, "{name}");
        seen.push((name, found[0].subject.name(), found[0].certainty, found[0].severity));
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
    let record = json!({"eventID": "e", "eventSource": "kms.amazonaws.com", "eventName": name,
        "awsRegion": "eu-central-1", "recipientAccountId": "123456789012", "requestParameters": request});
    testkit::event(&record.to_string())
}

#[test]
fn a_call_that_does_not_say_which_key_is_refused_loudly() {
    for name in ["ScheduleKeyDeletion", "DisableKey", "DisableKeyRotation", "PutKeyPolicy"] {
        for request in
            [json!(null), json!({}), json!({"omitted": true}), json!({"keyId": ""}), json!({"keyId": "alias/a"})]
        {
            let refusal = R::detect(&record(name, &request)).unwrap_err();
            assert!(matches!(refusal, EventError::NoResource { .. }), "{name} {request}: {refusal}");
        }
    }
    let odd = R::detect(&record("DisableKey", &json!({"keyId": "arn:aws"}))).unwrap_err();
    assert!(matches!(odd, EventError::Id { .. }), "{odd}");
}

#[test]
fn a_policy_that_is_no_policy_can_only_be_judged_live() {
    for policy in ["", "{}", "no JSON"] {
        let found = R::detect(&record("PutKeyPolicy", &json!({"keyId": "k", "policy": policy}))).unwrap();
        assert_eq!(found[0].certainty, Certainty::Live, "{policy}");
    }
}

#[test]
fn the_waiting_period_is_the_calls_or_thirty_days() {
    for (name, expected) in [("scheduled", 7), ("scheduled-by-arn", 30), ("scheduled-with-replicas", 30)] {
        let subject = R::detect(&event(name)).unwrap().remove(0).subject;
        assert_eq!(subject, Endangered::Scheduled { days: expected }, "{name}");
    }
}

/// Records that AWS wrote, where the folder with them is at hand.
#[test]
fn recorded_calls_are_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/events/cloudtrail");
    let Ok(files) = std::fs::read_dir(folder) else { return };
    let (mut found, mut policies) = (0, 0);
    for file in files {
        let path = file.unwrap().path();
        // Test cases of detection rules, edited by hand.
        if path.to_string_lossy().contains("panther") {
            continue;
        }
        for line in std::fs::read_to_string(path).unwrap().lines() {
            let Ok(event) = Event::from_slice(line.as_bytes()) else { continue };
            let findings = R::detect(&event).unwrap();
            found += findings.len();
            policies += usize::from(findings.iter().any(|it| it.subject.name() == "policy-put"));
        }
    }
    assert!(found >= 6 && policies >= 1, "{found}, {policies} of them policies");
}
