//! What is a finding.

use std::path::Path;

use cloudtrail::{Body, Event, EventError};
use remedy::{Certainty, Finding, Responder};
use serde_json::{Value, json};

use super::fake::{Iam, allow, created, record, trust, updated};
use super::{event, events};
use crate::{RestoreRoleTrust, WrittenTrust};

fn detect(event: &Event) -> Result<Vec<Finding<WrittenTrust>>, EventError> {
    RestoreRoleTrust::<Iam>::detect(event)
}

/// How sure the event makes us, and the severity.
fn judged(event: &Event) -> Option<(Certainty, u8)> {
    let found = detect(event).unwrap().pop()?;
    Some((found.certainty, found.severity.get()))
}

fn call(name: &str, request: &Value, response: Value) -> Event {
    let mut record = record(name, request);
    record["responseElements"] = response;
    Event::decode(record).unwrap()
}

#[test]
fn the_events_to_match_are_findings() {
    for (name, event) in events("match", "") {
        assert_eq!(detect(&event).unwrap().len(), 1, "{name}");
    }
}

#[test]
fn the_events_left_to_detect_are_none() {
    for (name, event) in events("ignore", "detect-") {
        assert_eq!(detect(&event).unwrap(), [], "{name}");
    }
}

#[test]
fn a_trust_is_judged_by_whom_it_surely_lets_in() {
    use Certainty::{Event, Live};
    const GITHUB: &str = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com";
    const EKS: &str = "arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/AB";
    let of_repository = r#""StringLike":{"token.actions.githubusercontent.com:sub":"repo:octo-org/app:*"}"#;
    // The same trust written to a role that was there, and to a new one.
    let table = [
        (allow("*", ""), Some((Event, 90)), Some((Event, 90))),
        (allow("*", r#""StringEquals":{"sts:ExternalId":"4711"}"#), Some((Event, 90)), Some((Event, 90))),
        (allow("444455556666", ""), Some((Event, 70)), Some((Event, 70))),
        (
            allow("arn:aws:iam::444455556666:role/x", r#""Bool":{"aws:MultiFactorAuthPresent":"true"}"#),
            Some((Event, 70)),
            Some((Event, 70)),
        ),
        (allow("arn:aws:iam::444455556666:saml-provider/x", ""), Some((Event, 70)), Some((Event, 70))),
        (allow(GITHUB, ""), Some((Event, 90)), Some((Event, 90))),
        (allow(EKS, ""), Some((Event, 70)), Some((Event, 70))),
        (allow("*", r#""StringEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}"#), Some((Live, 40)), Some((Live, 40))),
        (allow(GITHUB, of_repository), Some((Live, 40)), None),
        (allow("123456789012", ""), Some((Live, 40)), None),
        (allow("arn:aws:iam::123456789012:role/x", ""), Some((Live, 40)), None),
        (allow("ec2.amazonaws.com", ""), None, None),
    ];
    for (statement, of_old, of_new) in table {
        let document = trust(&[&allow("lambda.amazonaws.com", ""), &statement]);
        assert_eq!(judged(&updated(&document)), of_old, "{statement}");
        assert_eq!(judged(&created(&document)), of_new, "new: {statement}");
    }
    let denied = trust(&[&allow("*", ""), r#"{"Effect":"Deny","Principal":"*","Action":"*"}"#]);
    assert_eq!(judged(&updated(&denied)), None);
}

#[test]
fn what_the_record_does_not_tell_has_to_be_looked_up() {
    let omitted = json!({"omitted": true, "originalSize": 1_000_000, "reason": "too large"});
    let made = json!({"role": {"arn": "arn:aws:iam::123456789012:role/team/app", "roleName": "app"}});
    for event in [
        call("UpdateAssumeRolePolicy", &json!({"roleName": "app"}), json!(null)),
        call("CreateRole", &json!({"roleName": "app", "path": "/team/"}), json!(null)),
        call("CreateRole", &omitted, made),
        updated("not JSON"),
        updated("%ff"),
        updated("{}"),
    ] {
        let found = detect(&event).unwrap().pop().unwrap();
        assert_eq!((found.subject.role.as_str(), found.certainty), ("app", Certainty::Live));
    }
    for event in [
        call("UpdateAssumeRolePolicy", &omitted, json!(null)),
        call("UpdateAssumeRolePolicy", &json!(null), json!(null)),
        call("UpdateAssumeRolePolicy", &json!({"roleName": "", "policyDocument": "{}"}), json!(null)),
        call("CreateRole", &json!(null), json!(null)),
    ] {
        let refusal = detect(&event).unwrap_err().to_string();
        assert!(refusal.ends_with("does not say on what: `requestParameters.roleName` is missing"), "{refusal}");
    }
}

#[test]
fn a_new_role_is_named_with_its_path_and_an_old_one_without() {
    let named = |event: &Event| detect(event).unwrap().remove(0).resource.arn.to_string();
    assert_eq!(named(&event("made-for-a-foreign-account")), "arn:aws:iam::123456789012:role/vendors/vendor-access");
    assert_eq!(named(&event("opened-to-a-foreign-account")), "arn:aws:iam::123456789012:role/web-server");
    assert_eq!(named(&created(&trust(&[&allow("*", "")]))), "arn:aws:iam::123456789012:role/team/app");
    // An ARN that is not of this role does not count.
    for arn in ["...", "arn:aws:iam::444455556666:role/app", "arn:aws:iam::123456789012:user/app"] {
        let event = call("CreateRole", &json!({"roleName": "app"}), json!({"role": {"arn": arn}}));
        assert_eq!(named(&event), "arn:aws:iam::123456789012:role/app", "{arn}");
    }
}

#[test]
fn encoded_and_plain_documents_are_the_same() {
    let found = detect(&event("opened-to-everybody")).unwrap().remove(0);
    let document = found.subject.document.unwrap();
    assert!(document.starts_with(r#"{"Version":"2012-10-17""#), "{document}");
}

#[test]
fn another_service_may_have_an_operation_of_the_same_name() {
    let mut event = updated(&trust(&[&allow("*", "")]));
    let Body::Call(call) = &mut event.body else { panic!("a call") };
    call.source = "transfer.amazonaws.com".to_owned();
    assert_eq!(detect(&event).unwrap(), []);
}

/// Records that AWS wrote, where they are at hand; see the README beside them.
#[test]
fn recorded_calls_are_judged() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/events/cloudtrail");
    let Ok(text) = std::fs::read_to_string(folder.join("DataDog__stratus-red-team.jsonl")) else { return };
    let records = text.lines().filter(|line| line.contains("UpdateAssumeRolePolicy"));
    let mut found = 0;
    for record in records {
        let event = Event::from_slice(record.as_bytes()).unwrap();
        let Some(finding) = detect(&event).unwrap().pop() else { continue };
        assert_eq!((finding.certainty, finding.severity.get()), (Certainty::Event, 70), "{record}");
        assert_eq!(finding.subject.role, "stratus-red-team-backdoor-r-role");
        found += 1;
    }
    assert_eq!(found, 1, "the backdoor, and not its removal");
}
