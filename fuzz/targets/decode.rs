//! Any bytes are an event, or are refused; an event written anew is the same event.
#![no_main]

use cloudtrail::{Actor, Body, Event, EventError};
use libfuzzer_sys::fuzz_target;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

fuzz_target!(|bytes: &[u8]| {
    let event = match Event::from_slice(bytes) {
        Ok(event) => event,
        Err(EventError::Json(error)) => {
            // `IgnoredAny` looks at no number, at no escape and at no byte of a text.
            let message = error.to_string();
            let is_json = str::from_utf8(bytes).is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok());
            assert!(
                !is_json || message.contains("out of range") || message.contains("escape"),
                "JSON is refused: {error}"
            );
            return;
        }
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let value: Value = serde_json::from_slice(bytes).expect("an event is JSON");
    assert!(!event.id.as_str().is_empty(), "two events without an id would be one incident");
    assert_eq!(event.account.as_str().len(), 12);

    let actor = serde_json::to_string(&event.actor).expect("an actor is JSON");
    assert_eq!(serde_json::from_str::<Actor>(&actor).expect("an actor can be read back"), event.actor);

    let again = Event::from_slice(value.to_string().as_bytes()).expect("an event written anew is an event");
    assert_eq!((&again.id, &again.account, again.time), (&event.id, &event.account, event.time));

    let Body::Call(call) = &event.body else { return };
    let record = value.get("detail").unwrap_or(&value);
    let failed = ["errorCode", "errorMessage"].iter().any(|field| record.get(field).is_some_and(|it| !it.is_null()));
    assert!(!failed || event.call().is_none(), "{} did not happen", call.name);

    let envelope = json!({
        "version": "0", "id": "an envelope", "detail-type": "AWS API Call via CloudTrail", "source": "aws.x",
        "account": event.account, "time": "2026-11-22T07:00:00Z", "region": "us-east-1", "resources": [], "detail": record,
    });
    let delivered = Event::decode(envelope).expect("a record in an envelope is an event");
    assert_eq!((&delivered.id, &delivered.region, delivered.time), (&event.id, &event.region, event.time));
    assert_eq!(delivered.actor, event.actor);
});
