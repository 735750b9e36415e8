//! An incident to test with.

use chrono::{DateTime, Utc};
use remedy::Incident;
use serde_json::{Value, json};

pub(crate) fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub(crate) fn entry(key: &str, at: &str) -> Value {
    json!({ "key": key, "did": format!("revoke {key}"), "change": { "revoke": key }, "at": at, "presumed": false,
        "undone": null })
}

/// A claimed incident: revision 0, of the run `run-1`, opened at seven o'clock.
pub(crate) fn incident(id: &str) -> Incident {
    let arn = "arn:aws:ec2:eu-west-1:123456789012:security-group/sg-1";
    let resource = json!({ "kind": "SecurityGroup", "arn": arn, "tags": {} });
    serde_json::from_value(json!({
        "id": id, "state": "claimed", "responder": "revoke-open-ingress", "eventId": "event-1",
        "eventName": "AuthorizeSecurityGroupIngress", "eventTime": "2026-11-22T06:59:57Z", "account": "123456789012",
        "region": "eu-west-1",
        "actor": { "principal": { "role": "arn:aws:iam::123456789012:role/deploy" }, "account": "123456789012",
            "session": "alice", "accessKeyId": null, "invokedBy": null, "mfa": null },
        "resource": resource, "severity": 70, "certainty": "event", "subject": { "group": "sg-1" }, "named": resource,
        "facts": { "port": 22 }, "before": { "rules": 2 }, "verdict": "enforce",
        "policies": [{ "id": "contain-admin-ports", "reason": "nobody works there" }],
        "because": "permitted by `contain-admin-ports`", "plan": [{ "revoke": "tcp/22" }], "receipt": [],
        "opened": "2026-11-22T07:00:00Z", "contained": null, "error": null, "revision": 0,
        "lease": { "owner": "run-1", "until": "2026-11-22T07:01:00Z" }, "undone": null
    }))
    .unwrap()
}
