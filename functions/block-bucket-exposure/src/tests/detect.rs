//! What is a finding.

use cloudtrail::{Event, EventError};
use proptest::prelude::*;
use remedy::{Certainty, Finding, Responder};
use serde_json::{Value, json};

use super::events;
use super::fake::S3;
use crate::BlockBucketExposure;
use crate::called::{By, Opened};

fn detect(event: &Event) -> Result<Vec<Finding<Opened>>, EventError> {
    BlockBucketExposure::<S3>::detect(event)
}

fn call(name: &str, request: Value) -> Event {
    let mut record = json!({"eventID": "e-1", "eventTime": "2026-11-22T06:59:41Z", "eventName": name,
        "eventSource": "s3.amazonaws.com", "awsRegion": "eu-west-1", "recipientAccountId": "123456789012"});
    record["requestParameters"] = request;
    Event::decode(record).unwrap()
}

/// The grants to everybody that a call of this name makes of these parameters; `None` if it is no finding.
fn grants(name: &str, mut request: Value) -> Option<Vec<String>> {
    request["bucketName"] = json!("b");
    let found = detect(&call(name, request)).unwrap().pop()?;
    let By::Acl(acl) = found.subject.by else { panic!("{:?}", found.subject) };
    Some(acl.into_iter().flat_map(|acl| acl.public().map(ToString::to_string).collect::<Vec<_>>()).collect())
}

#[test]
fn the_events_to_match_are_findings_as_sure_and_as_bad_as_they_are() {
    let mut table = Vec::new();
    for (name, event) in events("match", "") {
        let found = detect(&event).unwrap();
        assert_eq!(found.len(), 1, "{name}");
        table.push((name, found[0].certainty, found[0].severity.label(), found[0].resource.arn.to_string()));
    }
    let (bucket, account) = ("arn:aws:s3:::invoices-2026", "arn:aws:iam::123456789012:root");
    let expected = [
        ("acl-by-header", Certainty::Event, "CRITICAL", bucket),
        ("acl-for-everybody", Certainty::Event, "HIGH", bucket),
        ("block-of-a-bucket-deleted", Certainty::Event, "HIGH", bucket),
        ("block-of-a-bucket-loosened", Certainty::Event, "HIGH", bucket),
        ("block-of-the-account-deleted", Certainty::Event, "HIGH", account),
        ("block-of-the-account-loosened", Certainty::Event, "HIGH", account),
        ("canned-acl", Certainty::Event, "CRITICAL", bucket),
        ("canned-acl-old-form", Certainty::Event, "HIGH", bucket),
        ("created-with-an-acl", Certainty::Event, "HIGH", bucket),
        ("policy-for-a-service", Certainty::Live, "LOW", bucket),
        ("policy-for-an-organization", Certainty::Live, "MEDIUM", bucket),
        ("policy-for-another-account", Certainty::Event, "HIGH", bucket),
        ("policy-for-everybody", Certainty::Event, "CRITICAL", bucket),
        ("policy-left-out", Certainty::Live, "MEDIUM", bucket),
        ("policy-of-one-statement", Certainty::Event, "CRITICAL", bucket),
    ];
    assert_eq!(table, expected.map(|(name, sure, bad, arn)| (name.to_owned(), sure, bad, arn.to_owned())));
}

#[test]
fn what_is_to_be_ignored_is_no_finding() {
    for (name, event) in events("ignore", "") {
        assert_eq!(detect(&event).unwrap(), [], "{name}");
    }
}

#[test]
fn every_spelling_of_an_acl_is_read() {
    const ALL: &str = "http://acs.amazonaws.com/groups/global/AllUsers";
    let grant = |uri: &str| json!({"Grantee": {"xsi:type": "Group", "URI": uri}, "Permission": "WRITE"});
    let list = |grants: Value| json!({"AccessControlPolicy": {"AccessControlList": {"Grant": grants}}});
    let table = [
        (json!({"x-amz-acl": "public-read"}), Some(vec!["READ for AllUsers"])),
        (json!({"x-amz-acl": ["public-read-write"]}), Some(vec!["READ for AllUsers", "WRITE for AllUsers"])),
        (json!({"accessControlList": {"x-amz-acl": "authenticated-read"}}), Some(vec!["READ for AuthenticatedUsers"])),
        (json!({"x-amz-grant-read": format!("uri={ALL}")}), Some(vec!["READ for AllUsers"])),
        (
            json!({"accessControlList": {"x-amz-grant-full-control": format!("id=\"abc\", uri=\"{ALL}\"")}}),
            Some(vec!["FULL_CONTROL for AllUsers"]),
        ),
        (list(grant(ALL)), Some(vec!["WRITE for AllUsers"])),
        (
            list(json!([grant(ALL), grant("http://acs.amazonaws.com/groups/s3/LogDelivery")])),
            Some(vec!["WRITE for AllUsers"]),
        ),
        (json!({"x-amz-acl": "private"}), None),
        (json!({"x-amz-acl": "bucket-owner-full-control"}), None),
        (json!({"x-amz-grant-read": "id=\"abc\""}), None),
        (list(grant("http://acs.amazonaws.com/groups/s3/LogDelivery")), None),
    ];
    for (request, expected) in table {
        for name in ["PutBucketAcl", "CreateBucket"] {
            let expected = expected.as_ref().map(|it| it.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>());
            assert_eq!(grants(name, request.clone()), expected, "{name} {request}");
        }
    }
    // What the record leaves out, the bucket tells.
    for request in [json!({"acl": ""}), json!({"AccessControlPolicy": {"AccessControlList": ""}})] {
        assert_eq!(grants("PutBucketAcl", request.clone()), Some(vec![]));
        assert_eq!(grants("CreateBucket", request), None, "a bucket is made private");
    }
}

#[test]
fn a_block_is_loosened_by_what_is_off_or_not_said() {
    let configuration = |flags: Value| json!({"bucketName": "b", "PublicAccessBlockConfiguration": flags});
    let all = json!({"BlockPublicAcls": true, "IgnorePublicAcls": "true", "BlockPublicPolicy": "TRUE",
        "RestrictPublicBuckets": true});
    let put = |flags: Value| detect(&call("PutBucketPublicAccessBlock", configuration(flags))).unwrap().len();
    assert_eq!(put(all.clone()), 0);
    for name in ["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"] {
        let mut less = all.clone();
        less[name] = json!(false);
        assert_eq!(put(less.clone()), 1, "{name}");
        less.as_object_mut().unwrap().remove(name);
        assert_eq!(put(less), 1, "{name}");
    }
    let untold = detect(&call("PutBucketPublicAccessBlock", json!({"bucketName": "b"}))).unwrap();
    assert_eq!(untold[0].certainty, Certainty::Live);
    for request in [json!(null), json!({"omitted": true}), json!({"accountId": "999999999999"})] {
        let account = detect(&call("DeleteAccountPublicAccessBlock", request)).unwrap();
        assert_eq!(account[0].resource.arn.as_str(), "arn:aws:iam::123456789012:root", "whatever the caller wrote");
    }
}

#[test]
fn a_call_that_does_not_say_on_what_is_an_error() {
    for name in ["PutBucketPolicy", "PutBucketAcl", "CreateBucket", "DeleteBucketPublicAccessBlock"] {
        for request in [json!(null), json!({}), json!({"bucketName": ""}), json!({"omitted": true})] {
            let error = detect(&call(name, request)).unwrap_err().to_string();
            let expected =
                format!("`{name}` succeeded but does not say on what: `requestParameters.bucketName` is missing");
            assert_eq!(error, expected);
        }
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
                found.extend(detect(&event).unwrap_or_default());
            }
        }
    }
    let names: Vec<_> = found.iter().map(|found| found.resource.arn.name()).collect();
    assert!(names.contains(&"arn:aws:s3:::patricktestbucket19") || names.contains(&"patricktestbucket19"), "{names:?}");
}

proptest! {
    #[test]
    fn any_parameters_are_judged_or_refused(
        name in prop::sample::select(vec!["PutBucketPolicy", "PutBucketAcl", "CreateBucket", "PutBucketPublicAccessBlock"]),
        field in prop::sample::select(vec!["bucketPolicy", "x-amz-acl", "x-amz-grant-read", "accessControlList", "AccessControlPolicy", "PublicAccessBlockConfiguration"]),
        text in "[\\[\\]{}\":a-zA-Z, *=/]{0,60}",
    ) {
        let mut request = json!({"bucketName": "b"});
        request[field] = serde_json::from_str(&text).unwrap_or(Value::String(text));
        let _judged = detect(&call(name, request));
    }
}
