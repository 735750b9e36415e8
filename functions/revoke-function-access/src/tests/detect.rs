//! What is a finding.

use cloudtrail::{Event, EventError};
use proptest::prelude::*;
use remedy::{Certainty, Finding, Responder};
use serde_json::{Value, json};

use super::fake::Lambda;
use super::{event, events};
use crate::RevokeFunctionAccess;
use crate::called::{By, Opened};
use crate::target::Target;

fn detect(event: &Event) -> Result<Vec<Finding<Opened>>, EventError> {
    RevokeFunctionAccess::<Lambda>::detect(event)
}

fn call(name: &str, request: Value, response: Value) -> Event {
    let mut record = json!({"eventID": "e-1", "eventTime": "2026-11-22T06:59:41Z",
        "eventSource": "lambda.amazonaws.com", "awsRegion": "eu-west-1", "recipientAccountId": "123456789012"});
    record["eventName"] = name.into();
    record["requestParameters"] = request;
    record["responseElements"] = response;
    Event::decode(record).unwrap()
}

fn omitted() -> Value {
    json!({"omitted": true, "originalSize": 1_000_000, "reason": "too large"})
}

#[test]
fn the_events_to_match_are_findings_as_sure_and_as_bad_as_they_are() {
    let found: Vec<_> = events("match", "")
        .into_iter()
        .map(|(name, event)| {
            let found = detect(&event).unwrap();
            assert_eq!(found.len(), 1, "{name}");
            (name, found[0].certainty, found[0].severity.label())
        })
        .collect();
    let found: Vec<_> =
        found.iter().map(|(name, certainty, severity)| (name.as_str(), *certainty, *severity)).collect();
    assert_eq!(
        found,
        [
            ("alias-for-another-account", Certainty::Event, "HIGH"),
            ("function-for-a-foreign-role", Certainty::Event, "HIGH"),
            ("function-for-everybody", Certainty::Event, "CRITICAL"),
            ("layer-for-an-organization", Certainty::Live, "MEDIUM"),
            ("layer-for-another-account", Certainty::Event, "MEDIUM"),
            ("layer-for-everybody", Certainty::Event, "HIGH"),
            ("parameters-left-out", Certainty::Live, "MEDIUM"),
            ("service-for-another-account", Certainty::Event, "HIGH"),
            ("service-without-source", Certainty::Live, "LOW"),
            ("url-invocation-for-everybody", Certainty::Event, "CRITICAL"),
            ("url-of-an-alias-changed-to-none", Certainty::Event, "HIGH"),
            ("url-statement-for-everybody", Certainty::Event, "CRITICAL"),
            ("url-without-authentication", Certainty::Event, "HIGH"),
        ]
    );
}

#[test]
fn what_is_to_be_ignored_is_no_finding() {
    for (name, event) in events("ignore", "") {
        assert_eq!(detect(&event).unwrap(), [], "{name}");
    }
}

#[test]
fn a_function_is_known_by_any_form_of_its_name() {
    let arn = "arn:aws:lambda:eu-west-1:123456789012:function:orders";
    let table = [
        ("orders", None, None),
        ("orders:live", None, Some("live")),
        ("orders", Some("live"), Some("live")),
        ("123456789012:function:orders", None, None),
        ("123456789012:function:orders:7", None, Some("7")),
        (arn, None, None),
        ("arn:aws:lambda:eu-west-1:123456789012:function:orders:live", None, Some("live")),
        ("function", None, None),
    ];
    for (named, qualifier, expected) in table {
        for event in ["AddPermission20150331", "AddPermission20150331v2", "AddPermission"] {
            let request = json!({"functionName": named, "qualifier": qualifier, "statementId": "x",
                "action": "lambda:InvokeFunction", "principal": "*"});
            let found = detect(&call(event, request, json!(null))).unwrap().remove(0);
            let name = if named == "function" { "function" } else { "orders" };
            let qualifier = expected.map(str::to_owned);
            assert_eq!(found.subject.target, Target::Function { name: name.to_owned(), qualifier }, "{named}");
            assert_eq!(found.resource.arn.as_str(), arn.replace("orders", name));
        }
    }
    let abroad = json!({"functionName": arn.replace("123456789012", "999999999999"), "principal": "*"});
    let found = detect(&call("AddPermission20150331v2", abroad, json!(null))).unwrap().remove(0);
    assert_eq!(found.resource.arn.account().unwrap().as_str(), "999999999999");
}

#[test]
fn the_answer_counts_more_than_what_was_asked_for() {
    let statement = json!({"Sid": "x", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
        "Action": "lambda:InvokeFunction", "Resource": "arn:aws:lambda:eu-west-1:123456789012:function:orders"});
    let request = json!({"functionName": "orders", "principal": "*", "action": "lambda:InvokeFunction",
        "statementId": "x"});
    let answer = json!({"statement": statement.to_string()});
    assert_eq!(detect(&call("AddPermission20150331v2", request.clone(), answer)).unwrap(), []);
    for answer in [json!({"statement": "no JSON"}), omitted(), json!(null), json!({})] {
        let found = detect(&call("AddPermission20150331v2", request.clone(), answer)).unwrap();
        assert_eq!(found[0].certainty, Certainty::Event);
    }
}

#[test]
fn a_url_is_open_if_the_call_set_it_so() {
    let told = json!({"functionName": "orders", "authType": "NONE"});
    let answered = json!({"functionArn": "arn:aws:lambda:eu-west-1:123456789012:function:orders", "authType": "NONE"});
    let closed = json!({"functionName": "orders", "authType": "AWS_IAM"});
    let table = [
        (told.clone(), json!(null), Some(Certainty::Event)),
        (omitted(), answered.clone(), Some(Certainty::Event)),
        (json!({"functionName": "orders"}), answered.clone(), None),
        (closed.clone(), json!(null), None),
        (omitted(), json!({"functionArn": "orders", "authType": "AWS_IAM"}), None),
        (omitted(), json!({"functionArn": "orders"}), Some(Certainty::Live)),
    ];
    for name in ["CreateFunctionUrlConfig", "CreateFunctionUrlConfig20211031", "UpdateFunctionUrlConfig20211031"] {
        for (request, response, certainty) in &table {
            let found = detect(&call(name, request.clone(), response.clone())).unwrap();
            assert_eq!(found.first().map(|found| found.certainty), *certainty, "{request} {response}");
            assert!(found.iter().all(|found| found.subject.by == By::Url));
        }
    }
}

#[test]
fn a_call_that_does_not_say_on_what_is_an_error() {
    let refusal = |name: &str, request: Value| detect(&call(name, request, json!(null))).unwrap_err().to_string();
    for (name, request, field) in [
        ("AddPermission20150331v2", json!(null), "requestParameters.functionName"),
        ("AddPermission20150331v2", json!({"principal": "*"}), "requestParameters.functionName"),
        ("AddPermission20150331v2", omitted(), "requestParameters.functionName"),
        ("AddLayerVersionPermission20181031", json!({"versionNumber": 3}), "requestParameters.layerName"),
        ("AddLayerVersionPermission20181031", json!({"layerName": "x"}), "requestParameters.layerName"),
        ("CreateFunctionUrlConfig", json!({"authType": "NONE"}), "requestParameters.functionName"),
    ] {
        let expected = format!("`{name}` succeeded but does not say on what: `{field}` is missing");
        assert_eq!(refusal(name, request), expected);
    }
}

#[test]
fn a_subject_can_be_read_back() {
    for (name, event) in events("match", "") {
        let subject = detect(&event).unwrap().remove(0).subject;
        let stored = serde_json::to_value(&subject).unwrap();
        assert_eq!(serde_json::from_value::<Opened>(stored).unwrap(), subject, "{name}");
    }
}

#[test]
fn recorded_events_are_read() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/events/cloudtrail");
    let Ok(files) = std::fs::read_dir(folder) else { return };
    let mut found = Vec::new();
    for file in files {
        for line in std::fs::read_to_string(file.unwrap().path()).unwrap().lines() {
            if let Ok(event) = Event::from_slice(line.as_bytes()) {
                found.extend(detect(&event).unwrap());
            }
        }
    }
    let names: Vec<_> = found.iter().map(|found| found.subject.target.name()).collect();
    assert!(names.contains(&"stratus-red-team-backdoor-f-func"), "{names:?}");
}

proptest! {
    #[test]
    fn any_parameters_are_judged_or_refused(
        name in prop::sample::select(vec!["AddPermission20150331v2", "AddLayerVersionPermission20181031", "CreateFunctionUrlConfig"]),
        function in "[a-z:0-9]{0,12}", principal in "[*a-z.:0-9/]{0,14}", statement in "[\\[\\]{}\":a-zA-Z, *]{0,60}",
    ) {
        let request = json!({"functionName": function, "layerName": function, "versionNumber": 1, "statementId": "x",
            "action": "lambda:InvokeFunction", "principal": principal, "authType": "NONE"});
        if let Ok(found) = detect(&call(name, request, json!({ "statement": statement }))) {
            prop_assert!(found.len() <= 1);
        }
    }
}

#[test]
fn an_event_of_the_fixture_names_its_alias() {
    let found = detect(&event("alias-for-another-account")).unwrap().remove(0);
    assert_eq!(found.subject.target.to_string(), "function orders:live");
}
