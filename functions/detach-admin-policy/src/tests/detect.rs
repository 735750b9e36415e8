//! What is a finding.

use cloudtrail::{AccountId, Body, Event, EventError};
use proptest::prelude::*;
use remedy::{Certainty, Finding, Responder};
use serde_json::{Value, json};

use super::fake::{EVERYTHING, FILES, Iam, LAMBDA, WITH_MFA, aws, own};
use super::{event, events};
use crate::{DetachAdminPolicy, Grant, Granted, Identity, IdentityKind, Level};

const ACCOUNT: &str = "123456789012";

fn detect(event: &Event) -> Result<Vec<Finding<Granted>>, EventError> {
    DetachAdminPolicy::<Iam>::detect(event)
}

fn one(event: &Event) -> Finding<Granted> {
    let mut found = detect(event).unwrap();
    assert_eq!(found.len(), 1, "{event:?}");
    found.remove(0)
}

fn call(name: &str, request: Value, response: Value) -> Event {
    let mut record = json!({"eventID": "e-1", "eventTime": "2026-11-20T10:15:04Z", "eventSource": "iam.amazonaws.com",
        "eventName": name, "awsRegion": "us-east-1", "recipientAccountId": ACCOUNT,
        "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::123456789012:user/staff/bob", "accountId": ACCOUNT}});
    record["requestParameters"] = request;
    record["responseElements"] = response;
    Event::decode(record).unwrap()
}

fn put(document: &str) -> Event {
    let request = json!({"roleName": "worker", "policyName": "p", "policyDocument": document});
    call("PutRolePolicy", request, json!(null))
}

fn allow(action: &str, resource: &str) -> String {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": resource}]})
        .to_string()
}

/// How sure the event makes us, and of what; `None` if it is no finding.
fn sure(event: &Event) -> Option<(Certainty, Level)> {
    detect(event).unwrap().pop().map(|found| (found.certainty, found.subject.judged.level))
}

#[test]
fn the_events_to_match_are_findings() {
    for (name, event) in events("match", "") {
        assert!(!detect(&event).unwrap().is_empty(), "{name}");
    }
}

#[test]
fn the_events_left_to_detect_are_none() {
    for (name, event) in events("ignore", "detect-") {
        assert_eq!(detect(&event).unwrap(), [], "{name}");
    }
}

#[test]
fn only_two_policies_are_known_by_their_arns() {
    let attach = |arn: &str| call("AttachRolePolicy", json!({"roleName": "worker", "policyArn": arn}), json!(null));
    for (arn, expected) in [
        ("arn:aws:iam::aws:policy/AdministratorAccess", (Certainty::Event, Level::Admin)),
        ("arn:aws-cn:iam::aws:policy/AdministratorAccess", (Certainty::Event, Level::Admin)),
        ("arn:aws:iam::aws:policy/IAMFullAccess", (Certainty::Event, Level::Admin)),
        ("arn:aws:iam::aws:policy/PowerUserAccess", (Certainty::Live, Level::Unread)),
        ("arn:aws:iam::aws:policy/ReadOnlyAccess", (Certainty::Live, Level::Unread)),
        ("arn:aws:iam::aws:policy/job-function/AdministratorAccess", (Certainty::Live, Level::Unread)),
        ("arn:aws:iam::aws:policy/AdministratorAccess-Amplify", (Certainty::Live, Level::Unread)),
        ("arn:aws:iam::123456789012:policy/AdministratorAccess", (Certainty::Live, Level::Unread)),
    ] {
        let found = one(&attach(arn));
        assert_eq!((found.certainty, found.subject.judged.level), expected, "{arn}");
        assert_eq!(found.severity.label(), if expected.1 == Level::Admin { "CRITICAL" } else { "HIGH" }, "{arn}");
    }
}

#[test]
fn an_inline_document_is_judged_by_what_it_says() {
    use Certainty::{Event, Live};
    let not_action = r#"{"Statement":[{"Effect":"Allow","NotAction":"s3:DeleteBucket","Resource":"*"}]}"#;
    let but_iam = r#"{"Statement":[{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}]}"#;
    let not_resource = r#"{"Statement":[{"Effect":"Allow","Action":"*","NotResource":"arn:aws:s3:::logs/*"}]}"#;
    let denied = r#"{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"*","Resource":"*"}]}"#;
    let in_vain = r#"{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"true"}}}]}"#;
    let encoded = EVERYTHING.replace('{', "%7B").replace('}', "%7D").replace('"', "%22");
    for (document, expected) in [
        (EVERYTHING, Some((Event, Level::Admin))),
        (encoded.as_str(), Some((Event, Level::Admin))),
        (not_action, Some((Event, Level::Admin))),
        (not_resource, Some((Event, Level::Admin))),
        (in_vain, Some((Event, Level::Admin))),
        (LAMBDA, Some((Event, Level::Escalation))),
        (&allow("iam:CreateAccessKey", "*"), Some((Event, Level::Escalation))),
        (&allow("iam:CreateAccessKey", "arn:aws:iam::*:user/${aws:username}"), None),
        (&allow("iam:PassRole", "*"), None),
        (FILES, None),
        (but_iam, None),
        (denied, None),
        (WITH_MFA, Some((Live, Level::Unknown))),
        ("{", Some((Live, Level::Unknown))),
        ("{}", Some((Live, Level::Unknown))),
    ] {
        assert_eq!(sure(&put(document)), expected, "{document}");
    }
}

#[test]
fn white_space_hides_nothing() {
    assert_eq!(sure(&put(&format!("{}{EVERYTHING}", " ".repeat(131_072)))), Some((Certainty::Event, Level::Admin)));
}

#[test]
fn who_may_write_his_own_policies_escalates_whatever_his_path() {
    for (resource, expected) in [
        ("arn:aws:iam::123456789012:role/worker", Some((Certainty::Event, Level::Escalation))),
        ("arn:aws:iam::123456789012:role/*", Some((Certainty::Event, Level::Escalation))),
        ("arn:aws:iam::123456789012:role/app/worker", Some((Certainty::Live, Level::Unread))),
        ("arn:aws:iam::123456789012:role/app/*", Some((Certainty::Live, Level::Unread))),
        ("arn:aws:iam::123456789012:role/*/w?rker", Some((Certainty::Live, Level::Unread))),
        ("arn:aws:iam::123456789012:role/app/other", None),
        ("arn:aws:iam::123456789012:user/worker", None),
    ] {
        assert_eq!(sure(&put(&allow("iam:PutRolePolicy", resource))), expected, "{resource}");
    }
}

#[test]
fn what_cloudtrail_left_out_has_to_be_read() {
    for document in [json!(null), json!({"omitted": true}), json!(7)] {
        let request = json!({"groupName": "g", "policyName": "p", "policyDocument": document});
        assert_eq!(sure(&call("PutGroupPolicy", request, json!(null))), Some((Certainty::Live, Level::Unread)));
    }
    let version = |set: Value, document: Value, response: Value| {
        let request = json!({"policyArn": own("p"), "policyDocument": document, "setAsDefault": set});
        detect(&call("CreatePolicyVersion", request, response)).unwrap().pop()
    };
    let v2 = || json!({"policyVersion": {"versionId": "v2"}});
    let grant = |version: Option<&str>| Grant::Version { policy: own("p"), version: version.map(str::to_owned) };
    for (set, document, response, expected) in [
        (json!(true), json!(EVERYTHING), v2(), Some((Certainty::Event, grant(Some("v2"))))),
        (json!("true"), json!(EVERYTHING), v2(), Some((Certainty::Event, grant(Some("v2"))))),
        (json!(true), json!(EVERYTHING), json!(null), Some((Certainty::Event, grant(None)))),
        (json!(true), json!(null), v2(), Some((Certainty::Live, grant(Some("v2"))))),
        (json!(true), json!(FILES), v2(), None),
        (json!(false), json!(EVERYTHING), v2(), None),
        (json!(null), json!(EVERYTHING), v2(), None),
    ] {
        let found = version(set.clone(), document.clone(), response).map(|it| (it.certainty, it.subject.grant));
        assert_eq!(found, expected, "{set} {document}");
    }
}

#[test]
fn the_finding_is_about_whom_it_was_given_to() {
    let identity = |kind, name: &str| Identity { kind, name: name.to_owned() };
    for (name, kind, resource, grant, is_caller) in [
        (
            "administrator-attached-to-user",
            "User",
            "user/alice",
            Grant::Attached { to: identity(IdentityKind::User, "alice"), policy: aws("AdministratorAccess") },
            Some(false),
        ),
        (
            "inline-of-role",
            "Role",
            "role/worker",
            Grant::Inline { of: identity(IdentityKind::Role, "worker"), policy: "deploy".to_owned() },
            Some(true),
        ),
        (
            "inline-of-group",
            "Group",
            "group/developers",
            Grant::Inline {
                of: identity(IdentityKind::Group, "developers"),
                policy: "everything-but-billing".to_owned(),
            },
            None,
        ),
        (
            "old-version-set-as-default",
            "ManagedPolicy",
            "policy/vulnerable",
            Grant::Version { policy: own("vulnerable"), version: Some("v1".to_owned()) },
            None,
        ),
        (
            "user-added-to-group",
            "User",
            "user/alice",
            Grant::Member { user: "alice".to_owned(), group: "admins".to_owned() },
            Some(true),
        ),
    ] {
        let found = one(&event(name));
        assert_eq!((found.resource.kind.as_str(), found.resource.arn.resource()), (kind, resource), "{name}");
        assert_eq!((found.subject.grant, found.subject.holder_is_caller), (grant, is_caller), "{name}");
    }
}

#[test]
fn a_namesake_in_another_account_is_somebody_else() {
    let mut event = event("user-added-to-group");
    event.actor.account = Some(AccountId::parse("999999999999").unwrap());
    assert_eq!(one(&event).subject.holder_is_caller, Some(false));
}

#[test]
fn a_call_that_does_not_say_on_what_is_an_error() {
    for (name, request, field) in [
        ("AttachUserPolicy", json!(null), "requestParameters"),
        ("AttachUserPolicy", json!({"omitted": true}), "requestParameters"),
        ("AttachUserPolicy", json!({"policyArn": aws("ReadOnlyAccess")}), "requestParameters.userName"),
        ("AttachRolePolicy", json!({"roleName": "worker"}), "requestParameters.policyArn"),
        ("AttachRolePolicy", json!({"roleName": "worker", "policyArn": "admin"}), "requestParameters.policyArn"),
        ("PutGroupPolicy", json!({"groupName": "", "policyName": "p"}), "requestParameters.groupName"),
        ("PutRolePolicy", json!({"roleName": "worker"}), "requestParameters.policyName"),
        ("AddUserToGroup", json!({"userName": "alice"}), "requestParameters.groupName"),
        ("SetDefaultPolicyVersion", json!({"versionId": "v1"}), "requestParameters.policyArn"),
    ] {
        let said = detect(&call(name, request, json!(null))).unwrap_err().to_string();
        assert_eq!(said, format!("`{name}` succeeded but does not say on what: `{field}` is missing"));
    }
}

#[test]
fn another_service_may_have_an_operation_of_the_same_name() {
    let mut event = event("old-version-set-as-default");
    let Body::Call(call) = &mut event.body else { panic!("a call") };
    call.source = "iot.amazonaws.com".to_owned();
    assert_eq!(detect(&event).unwrap(), []);
}

/// Records that others published, where they lie beside the repository.
#[test]
fn records_of_others_are_understood() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/events/cloudtrail");
    let Ok(files) = std::fs::read_dir(folder) else { return };
    let (mut by_event, mut live) = (0, 0);
    for file in files {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        for event in text.lines().filter_map(|line| Event::from_slice(line.as_bytes()).ok()) {
            for found in detect(&event).into_iter().flatten() {
                if found.certainty == Certainty::Event { by_event += 1 } else { live += 1 }
            }
        }
    }
    assert!(by_event >= 3 && live >= 4, "{by_event} and {live}");
}

proptest! {
    #[test]
    fn any_document_is_judged_or_unknown(document in "[ -~]{0,120}") {
        detect(&put(&document)).unwrap();
    }
}
