//! What is a finding.

use cloudtrail::{AccessKeyId, Body, Event, EventError};
use proptest::prelude::*;
use remedy::{Certainty, Change, Finding, Responder};
use serde_json::{Value, json};

use super::fake::{Iam, LEAKED, at};
use super::{event, events};
use crate::{DisableAccessKey, KeyChange, KeyStatus, Keys, Owner, Reason, UntrustedKey};

const ACCOUNT: &str = "123456789012";

fn detect(event: &Event) -> Result<Vec<Finding<UntrustedKey>>, EventError> {
    DisableAccessKey::<Iam>::detect(event)
}

fn one(event: &Event) -> Finding<UntrustedKey> {
    let mut found = detect(event).unwrap();
    assert_eq!(found.len(), 1);
    found.remove(0)
}

fn user(name: &str) -> Owner {
    Owner::User(name.to_owned())
}

fn key() -> AccessKeyId {
    AccessKeyId::new(LEAKED)
}

fn holder() -> Owner {
    Owner::HolderOf(key())
}

fn bob() -> Value {
    json!({"type": "IAMUser", "arn": "arn:aws:iam::123456789012:user/staff/bob", "accountId": ACCOUNT, "userName": "bob"})
}

fn role() -> Value {
    json!({"type": "AssumedRole", "arn": "arn:aws:sts::123456789012:assumed-role/bob/bob", "accountId": ACCOUNT,
        "sessionContext": {"sessionIssuer": {"arn": "arn:aws:iam::123456789012:role/bob", "userName": "bob"}}})
}

fn root() -> Value {
    json!({"type": "Root", "arn": "arn:aws:iam::123456789012:root", "accountId": ACCOUNT, "userName": "root"})
}

fn call(name: &str, who: Value, request: Value, response: Value) -> Event {
    let mut record = json!({"eventID": "e-1", "eventTime": "2026-11-20T10:15:04Z", "eventSource": "iam.amazonaws.com",
        "eventName": name, "awsRegion": "us-east-1", "recipientAccountId": ACCOUNT});
    record["userIdentity"] = who;
    record["requestParameters"] = request;
    record["responseElements"] = response;
    Event::decode(record).unwrap()
}

fn answer(user: &str) -> Value {
    json!({"accessKey": {"userName": user, "accessKeyId": LEAKED, "status": "Active"}})
}

fn omitted() -> Value {
    json!({"omitted": true, "originalSize": 1_000_000, "reason": "too large"})
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
fn a_key_for_somebody_else_is_a_finding_whoever_made_it() {
    use Certainty::{Event, Live};
    let created_at = || Keys::CreatedAt(at("2026-11-20T10:15:04Z"));
    let alice = || json!({"userName": "alice"});
    let table = [
        (bob(), alice(), answer("alice"), user("alice"), Keys::One(key()), Event),
        (bob(), alice(), json!(null), user("alice"), created_at(), Live),
        (bob(), alice(), omitted(), user("alice"), created_at(), Live),
        (role(), alice(), answer("alice"), user("alice"), Keys::One(key()), Event),
        // A role is no user, whatever its name.
        (role(), json!({"userName": "bob"}), answer("bob"), user("bob"), Keys::One(key()), Event),
        (root(), alice(), answer("alice"), user("alice"), Keys::One(key()), Event),
        // A namesake in another account is not the owner.
        (
            json!({"type": "IAMUser", "arn": "arn:aws:iam::999999999999:user/alice", "accountId": "999999999999"}),
            alice(),
            answer("alice"),
            user("alice"),
            Keys::One(key()),
            Event,
        ),
        (json!(null), alice(), answer("alice"), user("alice"), Keys::One(key()), Event),
        (bob(), omitted(), answer("alice"), user("alice"), Keys::One(key()), Event),
        (role(), json!(null), answer("alice"), user("alice"), Keys::One(key()), Event),
        (role(), json!(null), json!({"accessKey": {"accessKeyId": LEAKED}}), holder(), Keys::One(key()), Live),
        (bob(), omitted(), json!({"accessKey": {"accessKeyId": LEAKED}}), holder(), Keys::One(key()), Live),
    ];
    for (who, request, response, owner, keys, certainty) in table {
        let found = one(&call("CreateAccessKey", who.clone(), request.clone(), response.clone()));
        let reason = Reason::Created;
        assert_eq!(
            (found.subject, found.certainty),
            (UntrustedKey { owner, keys, reason, owner_is_caller: Some(false) }, certainty),
            "{who} {request} {response}"
        );
    }
}

#[test]
fn a_key_for_oneself_is_none() {
    for (request, response) in [
        (json!({"userName": "bob"}), answer("bob")),
        (json!({"userName": "bob"}), json!(null)),
        (json!({"userName": "BOB"}), answer("bob")),
        (json!(null), answer("bob")),
        (json!(null), json!(null)),
        (json!({}), json!(null)),
        (omitted(), answer("bob")),
    ] {
        let event = call("CreateAccessKey", bob(), request.clone(), response.clone());
        assert_eq!(detect(&event).unwrap(), [], "{request} {response}");
    }
}

#[test]
fn a_key_of_roots_own_is_a_finding_on_root() {
    for (request, response, keys) in [
        (json!(null), answer("Root"), Keys::One(key())),
        (json!({}), json!({"accessKey": {"accessKeyId": LEAKED}}), Keys::One(key())),
        (json!(null), json!(null), Keys::AllActive),
    ] {
        let found = one(&call("CreateAccessKey", root(), request, response));
        assert_eq!((&found.subject.owner, &found.subject.keys), (&Owner::Root, &keys));
        assert_eq!(found.resource.kind.as_str(), "Root");
        assert_eq!(found.resource.arn.as_str(), "arn:aws:iam::123456789012:root");
    }
}

#[test]
fn a_creation_that_does_not_say_of_what_is_an_error() {
    let refusal = |event: &Event| detect(event).unwrap_err().to_string();
    assert_eq!(
        refusal(&call("CreateAccessKey", role(), json!(null), json!(null))),
        "`CreateAccessKey` succeeded but does not say on what: `requestParameters.userName` is missing"
    );
    assert_eq!(
        refusal(&call("CreateAccessKey", bob(), omitted(), omitted())),
        "`CreateAccessKey` succeeded but does not say on what: `requestParameters.userName` is missing"
    );
    let mut timeless = call("CreateAccessKey", bob(), json!({"userName": "alice"}), json!(null));
    timeless.time = None;
    assert_eq!(
        refusal(&timeless),
        "`CreateAccessKey` succeeded but does not say on what: `responseElements.accessKey.accessKeyId` is missing"
    );
    assert_eq!(
        refusal(&call("UpdateAccessKey", bob(), json!({"status": "Active"}), json!(null))),
        "`UpdateAccessKey` succeeded but does not say on what: `requestParameters.accessKeyId` is missing"
    );
    assert_eq!(
        refusal(&call("PutUserPolicy", bob(), json!({"policyName": "AWSCompromisedKeyQuarantine"}), json!(null))),
        "`PutUserPolicy` succeeded but does not say on what: `requestParameters.userName` is missing"
    );
    assert_eq!(
        refusal(&call("AttachUserPolicy", bob(), omitted(), json!(null))),
        "`AttachUserPolicy` succeeded but does not say on what: `requestParameters` is missing"
    );
    assert_eq!(
        refusal(&call("CreateAccessKey", bob(), json!("alice"), json!(null))),
        "`requestParameters` of `CreateAccessKey` does not have the shape we rely on"
    );
}

#[test]
fn an_activated_key_may_be_one_that_we_disabled() {
    let request = |user: Value, status: &str| json!({"userName": user, "accessKeyId": LEAKED, "status": status});
    let table = [
        (bob(), json!("alice"), Some(user("alice")), Some(false)),
        (bob(), json!("bob"), Some(user("bob")), Some(true)),
        (bob(), json!(null), Some(user("bob")), Some(true)),
        (role(), json!(null), Some(holder()), Some(false)),
        (root(), json!("alice"), Some(user("alice")), Some(false)),
        (root(), json!(null), None, None),
    ];
    for (who, name, owner, owner_is_caller) in table {
        let active = call("UpdateAccessKey", who.clone(), request(name.clone(), "Active"), json!(null));
        let found = detect(&active).unwrap().pop();
        assert_eq!(found.as_ref().map(|found| &found.subject.owner), owner.as_ref());
        if let Some(found) = found {
            // Where the owner is told, it goes by the change that the key's first finding leads to.
            let change = KeyChange::Status {
                user: "alice".to_owned(),
                key: key(),
                from: KeyStatus::Active,
                to: KeyStatus::Inactive,
            };
            let expected = (found.subject.owner != holder()).then(|| change.key());
            assert_eq!(DisableAccessKey::<Iam>::hangs_on(&found), expected);
            assert_eq!((found.subject.keys, found.certainty), (Keys::One(key()), Certainty::Live));
            assert_eq!((found.subject.reason, found.subject.owner_is_caller), (Reason::Reactivated, owner_is_caller));
        }
        let inactive = call("UpdateAccessKey", who, request(name, "Inactive"), json!(null));
        assert_eq!(detect(&inactive).unwrap(), []);
    }
}

#[test]
fn a_quarantine_by_any_of_its_names_means_all_active_keys() {
    let attach = |arn: &str| call("AttachUserPolicy", bob(), json!({"userName": "bob", "policyArn": arn}), json!(null));
    let put = |name: &str| call("PutUserPolicy", bob(), json!({"userName": "bob", "policyName": name}), json!(null));
    for event in [
        attach("arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantine"),
        attach("arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV2"),
        attach("arn:aws-us-gov:iam::aws:policy/AWSCompromisedKeyQuarantineV3"),
        attach("arn:aws:iam::123456789012:policy/path/AWSExposedCredentialPolicy_DO_NOT_REMOVE"),
        put("AWSExposedCredentialPolicy_DO_NOT_REMOVE"),
        put("AWSCompromisedKeyQuarantineV3"),
    ] {
        let found = one(&event);
        assert_eq!((found.subject.owner, found.subject.keys), (user("bob"), Keys::AllActive));
        assert_eq!((found.subject.reason, found.certainty), (Reason::Quarantined, Certainty::Live));
    }
    for event in [
        attach("arn:aws:iam::aws:policy/AdministratorAccess"),
        attach("arn:aws:iam::123456789012:policy/AWSCompromisedKeyQuarantine/harmless"),
        put("NotAWSCompromisedKeyQuarantine"),
        call("PutUserPolicy", bob(), json!(null), json!(null)),
        call("PutUserPolicy", bob(), json!({"userName": "bob"}), json!(null)),
        call(
            "DetachUserPolicy",
            bob(),
            json!({"userName": "bob", "policyArn": "AWSCompromisedKeyQuarantine"}),
            json!(null),
        ),
    ] {
        assert_eq!(detect(&event).unwrap(), []);
    }
}

#[test]
fn each_key_of_a_notice_is_a_finding_of_its_own() {
    let notice = |code: &str, ids: &[&str]| {
        let entities: Vec<Value> = ids.iter().map(|id| json!({"entityValue": id})).collect();
        Event::decode(json!({"version": "0", "id": "h-1", "detail-type": "AWS Health Event", "source": "aws.health",
            "account": ACCOUNT, "time": "2026-11-20T10:15:00Z", "region": "us-gov-west-1", "resources": [],
            "detail": {"eventTypeCode": code, "affectedEntities": entities}}))
        .unwrap()
    };
    let exposed = "AWS_RISK_CREDENTIALS_EXPOSED";
    let found = detect(&notice(exposed, &["AKIA2", " AKIA1 ", "AKIA2", ""])).unwrap();
    let arns: Vec<&str> = found.iter().map(|found| found.resource.arn.as_str()).collect();
    assert_eq!(
        arns,
        ["arn:aws-us-gov:iam::123456789012:access-key/AKIA1", "arn:aws-us-gov:iam::123456789012:access-key/AKIA2"]
    );
    assert!(found.iter().all(|found| found.subject.reason == Reason::Exposed && found.severity.get() == 90));
    assert!(matches!(detect(&notice(exposed, &[])), Err(EventError::NoResource { .. })));
    assert_eq!(detect(&notice("AWS_EC2_MAINTENANCE_SCHEDULED", &["AKIA1"])).unwrap(), []);
}

#[test]
fn guardduty_tells_keys_from_sessions_and_users_from_others() {
    let kind = "UnauthorizedAccess:IAMUser/TorIPCaller";
    let finding = |kind: &str, key: Value| {
        Event::decode(
            json!({"version": "0", "id": "g-1", "detail-type": "GuardDuty Finding", "source": "aws.guardduty",
            "account": ACCOUNT, "time": "2026-11-20T10:15:00Z", "region": "cn-north-1", "resources": [],
            "detail": {"type": kind, "severity": 8.2, "service": {"count": 3}, "resource": {"accessKeyDetails": key}}}),
        )
        .unwrap()
    };
    let details = |user_type: &str, key: Value| json!({"userType": user_type, "userName": "bob", "accessKeyId": key});
    let session = AccessKeyId::new("ASIAIOSFODNN7EXAMPLE");
    let table = [
        (details("IAMUser", json!(LEAKED)), user("bob"), Keys::One(key())),
        (json!({"userType": "IAMUser", "accessKeyId": LEAKED}), holder(), Keys::One(key())),
        (details("IAMUser", json!(session)), user("bob"), Keys::Session(session.clone())),
        (details("Root", json!(LEAKED)), Owner::Root, Keys::One(key())),
        (details("Root", json!("")), Owner::Root, Keys::AllActive),
    ];
    for (key, owner, keys) in table {
        let found = one(&finding(kind, key));
        assert_eq!((&found.subject.owner, &found.subject.keys), (&owner, &keys));
        assert_eq!(found.subject.reason, Reason::GuardDuty { kind: kind.to_owned(), count: 3 });
        assert_eq!((found.severity.get(), found.certainty), (82, Certainty::Event));
    }
    for none in [
        finding(kind, details("AssumedRole", json!(session))),
        finding(kind, details("FederatedUser", json!(session))),
        finding(kind, details("IAMUser", json!(""))),
        finding(kind, details("IAMUser", json!("AIDACKCEVSQ6C2EXAMPLE"))),
        finding(kind, json!(null)),
        finding("UnauthorizedAccess:EC2/TorIPCaller", details("IAMUser", json!(LEAKED))),
    ] {
        assert_eq!(detect(&none).unwrap(), []);
    }
    let mut sample = finding(kind, details("IAMUser", json!(LEAKED)));
    let Body::GuardDuty(found) = &mut sample.body else { panic!("a finding") };
    found.sample = true;
    assert_eq!(detect(&sample).unwrap(), []);
    let nameless = finding(kind, json!({"userType": "IAMUser", "accessKeyId": session}));
    assert!(matches!(detect(&nameless), Err(EventError::NoResource { .. })));
}

#[test]
fn another_service_may_have_an_operation_of_the_same_name() {
    let mut event = call("CreateAccessKey", bob(), json!({"userName": "alice"}), answer("alice"));
    let Body::Call(call) = &mut event.body else { panic!("a call") };
    call.source = "lightsail.amazonaws.com".to_owned();
    assert_eq!(detect(&event).unwrap(), []);
}

#[test]
fn a_subject_can_be_read_back() {
    for name in ["finding-on-a-long-term-key", "key-found-in-public", "key-without-answer", "finding-on-root"] {
        let subject = one(&event(name)).subject;
        let stored = serde_json::to_value(&subject).unwrap();
        assert_eq!(serde_json::from_value::<UntrustedKey>(stored).unwrap(), subject, "{name}");
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    const NAMES: [&str; 7] = ["userName", "accessKeyId", "accessKey", "status", "policyArn", "policyName", "omitted"];
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        Just(json!("Active")),
        Just(json!("arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3")),
        "[a-zA-Z:/* ]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        let name = prop::sample::select(NAMES.to_vec()).prop_map(str::to_owned);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::vec((name, inner), 0..6).prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_request_and_response_are_judged_or_refused(
        name in prop::sample::select(vec!["CreateAccessKey", "UpdateAccessKey", "AttachUserPolicy", "PutUserPolicy"]),
        who in prop::sample::select(vec![bob(), role(), root(), json!(null)]),
        request in any_value(),
        response in any_value(),
    ) {
        if let Ok(found) = detect(&call(name, who, request, response)) {
            prop_assert!(found.len() <= 1);
        }
    }
}
