//! One event, one resource, and the policies of a text.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use cloudtrail::{Arn, Event};
use policy::{Decision, Facts, Policies, Request, Resource, ResourceKind, Severity, Source};
use serde_json::{Value, json};

#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) responder: &'static str,
    pub(crate) now: DateTime<Utc>,
    pub(crate) event: Event,
    pub(crate) resource: Resource,
    pub(crate) severity: Severity,
    pub(crate) facts: Facts,
}

impl Case {
    pub(crate) fn request(&self) -> Request<'_> {
        Request {
            responder: self.responder,
            now: self.now,
            event: &self.event,
            resource: &self.resource,
            severity: self.severity,
            facts: &self.facts,
        }
    }

    /// What the policies of one text say.
    pub(crate) fn decide(&self, policies: &str) -> Decision {
        parse(policies).decide(&self.request())
    }
}

pub(crate) fn parse(text: &str) -> Policies {
    Policies::parse(vec![Source::new("test.cedar", text)]).unwrap()
}

pub(crate) fn arn(text: &str) -> Arn {
    Arn::parse(text).unwrap()
}

pub(crate) fn event(identity: &Value) -> Event {
    Event::decode(json!({
        "eventID": "e-1", "eventTime": "2026-11-22T07:00:00Z", "eventSource": "ec2.amazonaws.com",
        "eventName": "AuthorizeSecurityGroupIngress", "awsRegion": "eu-central-1",
        "recipientAccountId": "111122223333", "sourceIPAddress": "203.0.113.7", "userAgent": "aws-cli/2.0",
        "userIdentity": identity, "requestParameters": null, "responseElements": null
    }))
    .unwrap()
}

/// A session of role `deploy` opens a security group.
pub(crate) fn open_group() -> Case {
    Case {
        responder: "revoke-open-ingress",
        now: "2026-11-22T07:00:05Z".parse().unwrap(),
        event: event(&json!({
            "type": "AssumedRole", "accountId": "111122223333", "accessKeyId": "ASIAEXAMPLE",
            "arn": "arn:aws:sts::111122223333:assumed-role/deploy/alice",
            "sessionContext": {
                "sessionIssuer": {"arn": "arn:aws:iam::111122223333:role/ci/deploy"},
                "attributes": {"mfaAuthenticated": "false"}
            }
        })),
        resource: Resource {
            kind: ResourceKind::new("SecurityGroup"),
            arn: arn("arn:aws:ec2:eu-central-1:111122223333:security-group/sg-1"),
            tags: Some(BTreeMap::from([("team".to_owned(), "lab".to_owned())])),
        },
        severity: Severity::HIGH,
        facts: Facts::new().with("protocol", "tcp").with("ipv4Percent", policy::Fact::Percent(100.0)),
    }
}
