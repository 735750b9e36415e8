//! What `EventBridge` puts around a record.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use crate::clock;
use crate::proxy::{Call, Params};

/// The `EventBridge` event that carries a CloudTrail record.
#[must_use]
pub fn envelope(record: &Value) -> Value {
    let text = |field: &str| record.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let source = text("eventSource");
    let detail_type = if text("eventType") == "AwsConsoleSignIn" {
        "AWS Console Sign In via CloudTrail"
    } else {
        "AWS API Call via CloudTrail"
    };
    json!({
        "version": "0",
        "id": clock::derived_id(&["envelope", &text("eventID")]),
        "detail-type": detail_type,
        "source": format!("aws.{}", source.split('.').next().unwrap_or_default()),
        "account": text("recipientAccountId"),
        "time": text("eventTime"),
        "region": text("awsRegion"),
        "resources": [],
        "detail": record,
    })
}

/// The events that a `PutEvents` call put on the bus, as `EventBridge` delivers them; none for any other call.
///
/// Source: Amazon EventBridge API Reference, `PutEvents`.
#[must_use]
pub fn sent(call: &Call, account: &str) -> Vec<Value> {
    let Params::Json(request) = &call.params else { return Vec::new() };
    if call.service != "events" || call.operation != "PutEvents" || !call.succeeded() {
        return Vec::new();
    }
    let entries = request.get("Entries").and_then(Value::as_array).into_iter().flatten();
    let envelope = |(index, entry): (usize, &Value)| {
        let text = |field: &str| entry.get(field).and_then(Value::as_str).unwrap_or_default();
        let detail: Value = serde_json::from_str(text("Detail")).ok()?;
        Some(json!({
            "version": "0",
            "id": clock::derived_id(&["sent", &call.request_id, &index.to_string()]),
            "detail-type": text("DetailType"),
            "source": text("Source"),
            "account": account,
            "time": second(call.at),
            "region": call.region,
            "resources": [],
            "detail": detail,
        }))
    };
    entries.enumerate().filter_map(envelope).collect()
}

/// `2026-01-24T03:45:49Z`
pub(super) fn second(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
