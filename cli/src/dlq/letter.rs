//! A message of a dead-letter queue: which event it is, for whom, and why it is there.
//!
//! Four forms, of which a queue may hold any. Sources: Amazon EventBridge User Guide, "Using dead-letter queues to process
//! undelivered events", for the event itself with what `RULE_ARN`, `TARGET_ARN` and `ERROR_CODE` say; AWS Lambda Developer
//! Guide, "Capturing records of Lambda asynchronous invocations", for the invocation record that wraps the event, which
//! `template.yaml` asks for; there, "Adding a dead-letter queue", for the bare event, which names no function; and there,
//! "Retain discarded records for a DynamoDB event source in Lambda", for the place in the ledger's stream of what was not told.

use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use chrono::{DateTime, Utc};
use serde::Deserialize;

/// A message, read. All of it but the time is what somebody wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Letter {
    /// The queue's name for it.
    pub(crate) id: String,
    /// When the queue got it.
    pub(crate) sent: Option<DateTime<Utc>>,
    /// The ARN of the function, where the message says it.
    pub(crate) function: Option<String>,
    /// The ARN of the rule that could not deliver it.
    pub(crate) rule: Option<String>,
    /// Why it is here.
    pub(crate) why: String,
    /// The event's text as it was, since a function must get what it got before.
    pub(crate) event: String,
}

/// An invocation record, but for the event in it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct InvocationRecord {
    request_context: RequestContext,
    response_payload: ResponsePayload,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RequestContext {
    function_arn: Option<String>,
    condition: Option<String>,
    approximate_invoke_count: Option<u64>,
}

/// What the function answered; `null` where it never ran.
#[derive(Debug, Default, Deserialize)]
#[serde(from = "Option<serde_json::Value>")]
struct ResponsePayload {
    error: Option<String>,
}

impl From<Option<serde_json::Value>> for ResponsePayload {
    fn from(payload: Option<serde_json::Value>) -> Self {
        let text = |key| payload.as_ref()?.get(key)?.as_str().map(str::to_owned);
        let parts: Vec<String> = [text("errorType"), text("errorMessage")].into_iter().flatten().collect();
        Self { error: (!parts.is_empty()).then(|| parts.join(": ")) }
    }
}

impl Letter {
    pub(crate) fn read(message: &Message) -> Self {
        let attribute = |name: &str| {
            message.message_attributes()?.get(name).and_then(|value| value.string_value()).map(str::to_owned)
        };
        let body = message.body().unwrap_or_default();
        let letter = Self {
            id: message.message_id().unwrap_or_default().to_owned(),
            sent: sent(message),
            function: None,
            rule: None,
            why: String::new(),
            event: body.to_owned(),
        };
        if let Some(rule) = attribute("RULE_ARN") {
            let why = joined([attribute("ERROR_CODE"), attribute("ERROR_MESSAGE")]);
            return Self { function: attribute("TARGET_ARN"), rule: Some(rule), why, ..letter };
        }
        if let Some((record, event)) = invocation_record(body) {
            let record = match record {
                Ok(record) => record,
                Err(error) => {
                    return Self { why: format!("its invocation record cannot be read: {error}"), event, ..letter };
                }
            };
            let RequestContext { function_arn, condition, approximate_invoke_count } = record.request_context;
            let attempts = approximate_invoke_count.map(|count| format!("after {count} attempts"));
            let condition = [condition, attempts].into_iter().flatten().collect::<Vec<_>>().join(" ");
            let why = joined([Some(condition).filter(|text| !text.is_empty()), record.response_payload.error]);
            return Self { function: function_arn, why, event, ..letter };
        }
        if let Some(why) = untold(body) {
            return Self { why, ..letter };
        }
        Self { why: joined([attribute("ErrorCode"), attribute("ErrorMessage")]), ..letter }
    }
}

fn joined(parts: [Option<String>; 2]) -> String {
    parts.into_iter().flatten().collect::<Vec<_>>().join(": ")
}

/// Why records of the ledger's stream were given up. They are not in the message, so no function is named to hand it to.
fn untold(body: &str) -> Option<String> {
    let record: serde_json::Value = serde_json::from_str(body).ok()?;
    let place = record.get("DDBStreamBatchInfo")?;
    let text =
        |of: &serde_json::Value, key: &str| of.get(key).and_then(|it| it.as_str()).unwrap_or("unknown").to_owned();
    let (from, to) = (text(place, "approximateArrivalOfFirstRecord"), text(place, "approximateArrivalOfLastRecord"));
    let condition = record.get("requestContext").map(|context| text(context, "condition")).unwrap_or_default();
    Some(format!("{condition}: incidents written from {from} to {to} were not told to others; see docs/outward.md"))
}

fn sent(message: &Message) -> Option<DateTime<Utc>> {
    let milliseconds = message.attributes()?.get(&MessageSystemAttributeName::SentTimestamp)?;
    DateTime::from_timestamp_millis(milliseconds.parse().ok()?)
}

/// The record, and the text of the event in it.
fn invocation_record(body: &str) -> Option<(Result<InvocationRecord, serde_json::Error>, String)> {
    let members = json_spans::members(body).ok()?;
    let part = |name: &str| {
        let (_, span) = members.iter().find(|(key, _)| key == name)?;
        body.get(span.clone())
    };
    part("requestContext")?;
    let event = part("requestPayload")?;
    Some((serde_json::from_str(body), event.to_owned()))
}

#[cfg(test)]
mod tests {
    use aws_sdk_sqs::types::MessageAttributeValue;

    use super::*;

    fn message(body: &str, attributes: &[(&str, &str)]) -> Message {
        let value =
            |text: &str| MessageAttributeValue::builder().data_type("String").string_value(text).build().unwrap();
        let attributes = attributes.iter().map(|(name, text)| ((*name).to_owned(), value(text))).collect();
        Message::builder()
            .message_id("m-1")
            .attributes(MessageSystemAttributeName::SentTimestamp, "1795330800123")
            .body(body)
            .set_message_attributes(Some(attributes))
            .build()
    }

    #[test]
    fn the_place_of_what_was_not_told_says_when_that_was() {
        let body = r#"{"requestContext":{"requestId":"r","functionArn":"arn:aws:lambda:us-east-1:123456789012:function:f","condition":"RetryAttemptsExhausted","approximateInvokeCount":6},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":null},"version":"1.0","timestamp":"2026-11-22T07:05:00.000Z","DDBStreamBatchInfo":{"shardId":"shardId-1","startSequenceNumber":"100","endSequenceNumber":"101","approximateArrivalOfFirstRecord":"2026-11-22T07:00:00Z","approximateArrivalOfLastRecord":"2026-11-22T07:00:09Z","batchSize":2,"streamArn":"arn:aws:dynamodb:us-east-1:123456789012:table/ledger/stream/1"}}"#;
        let letter = Letter::read(&message(body, &[]));
        assert_eq!(
            letter.why,
            "RetryAttemptsExhausted: incidents written from 2026-11-22T07:00:00Z to 2026-11-22T07:00:09Z were not told \
             to others; see docs/outward.md"
        );
        assert_eq!((letter.function, letter.rule), (None, None), "there is nothing to hand over");
    }

    #[test]
    fn an_invocation_record_wraps_the_event_as_it_was() {
        let event = r#"{"id" : "e-1","n":10000000000000000000000, "a":1,"a":2}"#;
        let body = format!(
            r#"{{"version":"1.0","timestamp":"2026-11-22T07:00:00.000Z","requestContext":{{"requestId":"r","functionArn":"arn:aws:lambda:us-east-1:123456789012:function:f:$LATEST","condition":"RetriesExhausted","approximateInvokeCount":3}},"requestPayload": {event} ,"responseContext":{{"statusCode":200,"functionError":"Unhandled"}},"responsePayload":{{"errorType":"Final.Denied","errorMessage":"no"}}}}"#
        );
        let letter = Letter::read(&message(&body, &[]));
        assert_eq!(letter.event, event);
        assert_eq!(letter.function.as_deref(), Some("arn:aws:lambda:us-east-1:123456789012:function:f:$LATEST"));
        assert_eq!(letter.why, "RetriesExhausted after 3 attempts: Final.Denied: no");
        assert_eq!(letter.sent.unwrap().to_rfc3339(), "2026-11-22T07:00:00.123+00:00");
    }

    #[test]
    fn a_record_of_a_function_that_never_ran_has_no_answer() {
        let body = r#"{"requestContext":{"functionArn":"f","condition":"EventAgeExceeded","approximateInvokeCount":0},"requestPayload":{},"responseContext":null,"responsePayload":null}"#;
        assert_eq!(Letter::read(&message(body, &[])).why, "EventAgeExceeded after 0 attempts");
    }

    #[test]
    fn eventbridges_message_says_rule_and_target() {
        let said =
            [("RULE_ARN", "rule"), ("TARGET_ARN", "target"), ("ERROR_CODE", "NO_PERMISSIONS"), ("ERROR_MESSAGE", "no")];
        let letter = Letter::read(&message(r#"{"detail":{}}"#, &said));
        assert_eq!((letter.rule.as_deref(), letter.function.as_deref()), (Some("rule"), Some("target")));
        assert_eq!((letter.why.as_str(), letter.event.as_str()), ("NO_PERMISSIONS: no", r#"{"detail":{}}"#));
    }

    #[test]
    fn a_bare_event_names_no_function() {
        let said = [("RequestID", "r"), ("ErrorCode", "200"), ("ErrorMessage", "it broke")];
        let letter = Letter::read(&message(r#"{"detail":{}}"#, &said));
        assert_eq!((letter.function, letter.rule, letter.why.as_str()), (None, None, "200: it broke"));
        assert_eq!(Letter::read(&message("no JSON", &[])).event, "no JSON");
    }
}
