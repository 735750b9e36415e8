//! An incident to test with.

use chrono::{DateTime, Utc};
use remedy::{Entry, Incident};
use serde_json::{from_value, json};

pub(crate) fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// A change that was made `at` a time of 22 November 2026.
pub(crate) fn entry(at: &str) -> Entry {
    let at = format!("2026-11-22T{at}Z");
    let rule = json!({ "id": "sgr-1", "group": "sg-1", "protocol": "tcp", "ports": [22, 22],
        "source": { "cidr": "0.0.0.0/0" }, "description": null, "tags": {} });
    let did = "revoke tcp/22 from 0.0.0.0/0 in sg-1 (sgr-1)";
    from_value(json!({ "key": "tcp/22", "did": did, "change": { "revoke": rule }, "at": at, "presumed": false,
        "undone": null }))
    .unwrap()
}

/// A claimed incident, opened three seconds after its event of seven o'clock.
pub(crate) fn incident() -> Incident {
    let arn = "arn:aws:ec2:eu-west-1:123456789012:security-group/sg-1";
    let resource = json!({ "kind": "SecurityGroup", "arn": arn, "tags": {} });
    from_value(json!({
        "id": "0123456789abcdef0123", "state": "claimed", "responder": "revoke-open-ingress", "eventId": "event-1",
        "eventName": "AuthorizeSecurityGroupIngress", "eventTime": "2026-11-22T07:00:00Z", "account": "123456789012",
        "region": "eu-west-1",
        "actor": { "principal": { "role": "arn:aws:iam::123456789012:role/deploy" }, "account": "123456789012",
            "session": "alice", "accessKeyId": null, "invokedBy": null, "mfa": null },
        "resource": resource, "severity": 70, "certainty": "event", "subject": { "group": "sg-1" }, "named": resource,
        "facts": { "port": 22 }, "before": { "rules": 2 }, "verdict": "enforce",
        "policies": [{ "id": "ports", "reason": null }], "because": "permitted by `ports`", "plan": [], "receipt": [],
        "opened": "2026-11-22T07:00:03Z", "contained": null, "error": null, "revision": 0,
        "lease": { "owner": "run-1", "until": "2026-11-22T07:01:00Z" }, "undone": null
    }))
    .unwrap()
}
