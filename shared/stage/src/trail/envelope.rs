//! What `EventBridge` puts around a record.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use crate::clock;

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

/// `2026-01-24T03:45:49Z`
pub(super) fn second(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
