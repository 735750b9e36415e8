//! What is a finding.

use cloudtrail::{AccessKeyId, Body, Event, EventError};
use remedy::{Certainty, Finding, Responder};
use serde_json::{Value, json};
use session_denial::RoleSession;

use super::fake::Iam;
use super::{event, events};
use crate::{Holder, RevokeRoleSessions, StolenCredentials};

fn detect(event: &Event) -> Result<Vec<Finding<StolenCredentials>>, EventError> {
    RevokeRoleSessions::<Iam>::detect(event)
}

fn one(event: &Event) -> Finding<StolenCredentials> {
    let mut found = detect(event).unwrap();
    assert_eq!(found.len(), 1);
    found.remove(0)
}

const KIND: &str = "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS";

fn finding(kind: &str, key: &Value) -> Event {
    Event::decode(json!({"version": "0", "id": "g-1", "detail-type": "GuardDuty Finding", "source": "aws.guardduty",
        "account": "123456789012", "time": "2026-11-20T10:15:00Z", "region": "cn-north-1", "resources": [],
        "detail": {"type": kind, "severity": 8.2, "service": {"count": 3}, "resource": {"accessKeyDetails": key}}}))
    .unwrap()
}

fn details(user_type: &str, principal: &str) -> Value {
    json!({"userType": user_type, "userName": "web", "principalId": principal, "accessKeyId": "ASIAIOSFODNN7EXAMPLE"})
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
fn the_role_and_the_session_are_those_of_the_finding() {
    let session = |text: &str| Some(RoleSession::parse(text).unwrap());
    let of = "AROACKCEVSQ6C2EXAMPLE:i-0123456789abcdef0";
    for (key, named) in [
        (details("AssumedRole", of), session(of)),
        (details("Role", "AROACKCEVSQ6C2EXAMPLE"), None),
        (details("AssumedRole", ""), None),
        (json!({"userType": "AssumedRole", "userName": "web"}), None),
        // What is no name of a session does not get into a policy.
        (details("AssumedRole", "AROACKCEVSQ6C2EXAMPLE:i-*"), None),
        (details("AssumedRole", "AROACKCEVSQ6C2EXAMPLE:${aws:username}"), None),
        // Whatever GuardDuty calls them: they are a role's.
        (json!({"userName": "web", "principalId": of}), session(of)),
        (details("SomethingNew", of), session(of)),
    ] {
        let found = one(&finding(KIND, &key));
        assert_eq!(found.subject.holder, Holder::Role { name: "web".to_owned(), session: named }, "{key}");
        assert_eq!(found.resource.arn.as_str(), "arn:aws-cn:iam::123456789012:role/web");
        assert_eq!((found.severity.get(), found.certainty), (82, Certainty::Event));
        assert_eq!((found.subject.kind.as_str(), found.subject.count), (KIND, 3));
        let id = key.get("accessKeyId").and_then(Value::as_str).map(AccessKeyId::new);
        assert_eq!(found.subject.key, id, "{key}");
    }
    let nameless = finding(KIND, &json!({"userType": "AssumedRole", "principalId": of}));
    assert_eq!(
        detect(&nameless).unwrap_err().to_string(),
        format!("`{KIND}` succeeded but does not say on what: `detail.resource.accessKeyDetails.userName` is missing")
    );
}

#[test]
fn a_federated_user_has_no_role() {
    let found = one(&event("federated-user"));
    assert_eq!(found.subject.holder, Holder::FederatedUser { name: Some("bob".to_owned()) });
    assert_eq!(
        (found.resource.kind.as_str(), found.resource.arn.account().unwrap().as_str()),
        ("Account", "123456789012")
    );
}

#[test]
fn whose_the_credentials_are_decides_who_responds() {
    for none in [
        finding(KIND, &details("IAMUser", "AROACKCEVSQ6C2EXAMPLE:x1")),
        finding(KIND, &details("Root", "123456789012")),
        finding(KIND, &details("AWSService", "config.amazonaws.com")),
        finding(KIND, &details("AWSAccount", "444455556666")),
        finding(KIND, &json!(null)),
        finding("Policy:S3/BucketAnonymousAccessGranted", &details("AssumedRole", "AROACKCEVSQ6C2EXAMPLE:x1")),
        finding("UnauthorizedAccess:EC2/TorIPCaller", &details("AssumedRole", "AROACKCEVSQ6C2EXAMPLE:x1")),
    ] {
        assert_eq!(detect(&none).unwrap(), []);
    }
}

#[test]
fn samples_and_archived_findings_are_none() {
    for (archived, sample, expected) in [(false, false, 1), (true, false, 0), (false, true, 0)] {
        let mut event = event("instance-credentials-outside-aws");
        let Body::GuardDuty(found) = &mut event.body else { panic!("a finding") };
        (found.archived, found.sample) = (archived, sample);
        assert_eq!(detect(&event).unwrap().len(), expected);
    }
}
