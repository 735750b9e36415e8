//! Which events are findings.

use std::collections::BTreeMap;
use std::path::Path;

use cloudtrail::{Event, EventError};
use policy::Severity;
use remedy::{Certainty, Responder};
use serde_json::{Value, json};

use super::events;
use super::fake::Iam;
use crate::{DenyConsoleLogin, Doubtful, Reason, Who};

#[test]
fn what_matches_is_a_finding() {
    let alice = || Who::User("alice".to_owned());
    let (sure, live) = (Certainty::Event, Certainty::Live);
    let expected = [
        ("login-of-root", Who::Root, Reason::SignedIn { mfa: Some(false) }, Severity::CRITICAL, sure),
        ("login-of-root-with-mfa", Who::Root, Reason::SignedIn { mfa: Some(true) }, Severity::HIGH, sure),
        ("login-that-does-not-say", alice(), Reason::SignedIn { mfa: None }, Severity::MEDIUM, live),
        ("login-without-mfa", alice(), Reason::SignedIn { mfa: Some(false) }, Severity::MEDIUM, sure),
        ("mfa-deactivated-by-another", alice(), Reason::MfaDeactivated, Severity::HIGH, sure),
        ("password-made-by-a-role", alice(), Reason::PasswordCreated, Severity::HIGH, sure),
        ("password-made-for-another", alice(), Reason::PasswordCreated, Severity::HIGH, sure),
        ("password-made-for-root", Who::Root, Reason::PasswordCreated, Severity::HIGH, sure),
        ("password-set-for-another", alice(), Reason::PasswordSet, Severity::HIGH, sure),
        ("password-set-without-parameters", alice(), Reason::PasswordCreated, Severity::HIGH, sure),
    ];
    let found = events("match").into_iter().map(|(name, event)| {
        let mut findings = DenyConsoleLogin::<Iam>::detect(&event).unwrap();
        assert_eq!(findings.len(), 1, "{name}");
        let finding = findings.remove(0);
        let arn = if finding.subject.who == Who::Root { "root" } else { "user/alice" };
        assert_eq!(finding.resource.arn.as_str(), format!("arn:aws:iam::123456789012:{arn}"), "{name}");
        let Doubtful { who, reason, .. } = finding.subject;
        (name, who, reason, finding.severity, finding.certainty)
    });
    let expected = expected.map(|(name, who, reason, severity, sure)| (name.to_owned(), who, reason, severity, sure));
    assert_eq!(found.collect::<Vec<_>>(), expected);
}

#[test]
fn what_is_to_be_ignored_is_no_finding() {
    for (name, event) in events("ignore") {
        assert_eq!(DenyConsoleLogin::<Iam>::detect(&event).unwrap(), [], "{name}");
    }
}

fn detect(record: Value) -> Result<usize, EventError> {
    Ok(DenyConsoleLogin::<Iam>::detect(&Event::decode(record).unwrap())?.len())
}

fn call(name: &str, identity: &Value, request: &Value) -> Value {
    json!({"eventSource": "iam.amazonaws.com", "eventName": name, "awsRegion": "us-east-1",
        "recipientAccountId": "123456789012", "userIdentity": identity, "requestParameters": request})
}

#[test]
fn whoever_cannot_be_told_is_refused_loudly() {
    let role = json!({"type": "AssumedRole", "arn": "arn:aws:sts::123456789012:assumed-role/deployer/ci"});
    let alice = json!({"type": "IAMUser", "arn": "arn:aws:iam::123456789012:user/alice", "userName": "alice"});
    let omitted = json!({"omitted": true});
    for name in ["CreateLoginProfile", "UpdateLoginProfile", "DeactivateMFADevice"] {
        for (identity, request) in [(&role, &Value::Null), (&role, &json!({})), (&alice, &omitted)] {
            let error = detect(call(name, identity, request)).unwrap_err();
            assert!(matches!(error, EventError::NoResource { .. }), "{name} {request}: {error}");
        }
        // A user who names nobody means himself.
        assert_eq!(detect(call(name, &alice, &Value::Null)).unwrap(), 0);
    }
}

#[test]
fn a_user_of_that_name_in_another_account_is_somebody_else() {
    let other = json!({"type": "IAMUser", "arn": "arn:aws:iam::210987654321:user/alice", "userName": "alice"});
    assert_eq!(detect(call("UpdateLoginProfile", &other, &json!({"userName": "alice"}))).unwrap(), 1);
}

#[test]
fn a_sign_in_is_no_failure_only_because_the_record_lacks_its_parts() {
    let login = |response: Value, data: Value| {
        let record = json!({"eventSource": "signin.amazonaws.com", "eventName": "ConsoleLogin",
            "awsRegion": "us-east-2", "recipientAccountId": "123456789012", "responseElements": response,
            "additionalEventData": data,
            "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::123456789012:user/alice", "userName": "alice"}});
        let findings = DenyConsoleLogin::<Iam>::detect(&Event::decode(record).unwrap()).unwrap();
        findings.first().map(|finding| finding.certainty)
    };
    let (success, none, no) = (json!({"ConsoleLogin": "Success"}), Value::Null, json!({"MFAUsed": "No"}));
    assert_eq!(login(success.clone(), no.clone()), Some(Certainty::Event));
    assert_eq!(login(success.clone(), none.clone()), Some(Certainty::Live));
    assert_eq!(login(success.clone(), json!({"omitted": true})), Some(Certainty::Live));
    assert_eq!(login(none, no.clone()), Some(Certainty::Live));
    assert_eq!(login(success, json!({"MFAUsed": "YES"})), None);
    assert_eq!(login(json!({"ConsoleLogin": "Failure"}), no), None);
}

#[test]
fn records_that_aws_wrote_are_read() {
    let Ok(files) = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/events/cloudtrail").read_dir() else {
        return;
    };
    let mut found = BTreeMap::<String, usize>::new();
    for file in files {
        for line in std::fs::read_to_string(file.unwrap().path()).unwrap().lines() {
            let Ok(event) = Event::from_slice(line.as_bytes()) else { continue };
            for finding in DenyConsoleLogin::<Iam>::detect(&event).unwrap() {
                let Doubtful { who, reason, .. } = finding.subject;
                let who = if who == Who::Root { "root" } else { "user" };
                *found.entry(format!("{} of {who}, {:?}", reason.name(), finding.severity)).or_default() += 1;
            }
        }
    }
    let found: Vec<(&str, usize)> = found.iter().map(|(what, count)| (what.as_str(), *count)).collect();
    let expected = [
        ("password-created of user, Severity(70)", 2),
        ("password-set of user, Severity(70)", 1),
        ("signed-in of root, Severity(70)", 1),
        ("signed-in of root, Severity(90)", 11),
        ("signed-in of user, Severity(40)", 8),
    ];
    assert_eq!(found, expected);
}
