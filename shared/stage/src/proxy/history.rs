//! CloudTrail's event history, which the emulator does not have.
//!
//! Source: AWS CloudTrail API Reference, `LookupEvents`. Of its answer only what a client of ours reads is there.

use hyper::body::Bytes;
use hyper::{Response, StatusCode};
use serde_json::{Value, json};

use super::call::{Call, Params};
use super::composed;

/// AWS gives up to 50 on a page; fewer make more pages to try a client with.
const PAGE: usize = 2;

const JSON: &str = "application/x-amz-json-1.1";

pub(super) fn answer(call: &Call, history: &[Value]) -> Response<Bytes> {
    let Params::Json(asked) = &call.params else {
        return composed(StatusCode::BAD_REQUEST, JSON, json!({ "__type": "SerializationException" }).to_string());
    };
    let attribute = |name: &str| asked.pointer("/LookupAttributes/0")?.get(name)?.as_str();
    let wanted = attribute("AttributeKey").zip(attribute("AttributeValue"));
    let first = asked.get("NextToken").and_then(Value::as_str).and_then(|token| token.parse().ok()).unwrap_or(0);
    // The newest first, as CloudTrail has it.
    let matching = history.iter().rev().filter(|record| wanted.is_none_or(|(key, value)| has(record, key, value)));
    let mut page: Vec<Value> = matching
        .skip(first)
        .take(PAGE + 1)
        .map(|record| json!({ "EventId": record.get("eventID"), "CloudTrailEvent": record.to_string() }))
        .collect();
    let more = page.len() > PAGE;
    page.truncate(PAGE);
    let mut body = json!({ "Events": page });
    if more && let Some(fields) = body.as_object_mut() {
        fields.insert("NextToken".to_owned(), (first + PAGE).to_string().into());
    }
    composed(StatusCode::OK, JSON, body.to_string())
}

fn has(record: &Value, key: &str, value: &str) -> bool {
    let is = |path: &str| record.pointer(path).and_then(Value::as_str) == Some(value);
    match key {
        "EventName" => is("/eventName"),
        "AccessKeyId" => is("/userIdentity/accessKeyId"),
        // Of a role's session its name, which ends the ARN.
        "Username" => {
            let arn = record.pointer("/userIdentity/arn").and_then(Value::as_str);
            is("/userIdentity/userName") || arn.is_some_and(|arn| arn.ends_with(&format!("/{value}")))
        }
        // AWS keeps a list of them, made from the parameters.
        "ResourceName" => record.get("requestParameters").is_some_and(|parameters| names(parameters, value)),
        _ => false,
    }
}

fn names(parameters: &Value, name: &str) -> bool {
    match parameters {
        Value::String(text) => text == name,
        Value::Array(parts) => parts.iter().any(|part| names(part, name)),
        Value::Object(fields) => fields.values().any(|field| names(field, name)),
        _ => false,
    }
}
