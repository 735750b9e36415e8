//! The envelope, and what is in it.

use aws_lambda_events::event::eventbridge::EventBridgeEvent;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::actor::Actor;
use crate::alarm::Alarm;
use crate::call::Call;
use crate::fields::{at, text_at};
use crate::finding::{GuardDutyFinding, HealthEvent};
use crate::ids::{AccountId, EventId, InvalidId, Region};

/// Why an event could not be decoded. A refused event goes to the dead-letter queue; it is never passed over.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// Not JSON at all.
    #[error("the event is not JSON")]
    Json(#[source] serde_json::Error),
    /// Neither an EventBridge envelope nor a CloudTrail record.
    #[error("the event is neither an EventBridge envelope nor a CloudTrail record")]
    Unrecognized,
    /// An EventBridge envelope with a required field missing or of another type.
    #[error("the EventBridge envelope does not have its usual shape")]
    Envelope(#[source] serde_json::Error),
    /// A field nothing can be decided without.
    #[error("`{field}` is missing")]
    Missing {
        /// The field.
        field: &'static str,
    },
    /// An id that has not the form of its kind.
    #[error("`{field}` has not the form it needs")]
    Id {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        source: InvalidId,
    },
    /// A part of the record has not the shape that this call's records have.
    #[error("`{field}` of `{call}` does not have the shape we rely on")]
    Shape {
        /// The event's name.
        call: String,
        /// The part.
        field: &'static str,
        /// Where, and what was found instead.
        source: serde_json::Error,
    },
    /// A successful call does not say on what resource.
    #[error("`{call}` succeeded but does not say on what: `{field}` is missing")]
    NoResource {
        /// The event's name.
        call: String,
        /// The field that names the resource.
        field: &'static str,
    },
}

/// The `source` of our own events.
pub const OWN_SOURCE: &str = "countermand";

/// The `detail-type` of the event that a person has approved an incident.
pub const APPROVAL_TYPE: &str = "Incident Approved";

/// The `detail-type` of the event that an event was missed, and is kept in the ledger.
pub const MISSED_TYPE: &str = "Event Missed";

/// The `detail-type` of the event with which the canary asks a function whether it is alive.
pub const HEARTBEAT_TYPE: &str = "Heartbeat";

#[derive(Deserialize)]
struct Approval {
    incident: String,
}

#[derive(Deserialize)]
struct Missed {
    event: EventId,
}

#[derive(Deserialize)]
struct Heartbeat {
    nonce: String,
}

/// Something that happened in an AWS account.
#[derive(Debug, Clone)]
pub struct Event {
    /// The same for every delivery of one event.
    pub id: EventId,
    /// The account it happened in.
    pub account: AccountId,
    /// The region it happened in; `us-east-1` for global services.
    pub region: Region,
    /// When it happened; `None` where the record's time cannot be read.
    pub time: Option<DateTime<Utc>>,
    /// Who did it.
    pub actor: Actor,
    /// What happened.
    pub body: Body,
}

/// The kinds of event.
#[derive(Debug, Clone)]
pub enum Body {
    /// An API call, sign-in or service event recorded by CloudTrail.
    Call(Call),
    /// A finding of Amazon `GuardDuty`.
    GuardDuty(GuardDutyFinding),
    /// A notice of AWS Health.
    Health(HealthEvent),
    /// An alarm of Amazon CloudWatch changed its state. It names no actor, and seldom a resource: a reason to look.
    Alarm(Alarm),
    /// A person has approved an incident: our own event, which says only which. The ledger says who and whether.
    Approved {
        /// The incident's id.
        incident: String,
    },
    /// An operator found an event that no function was given: our own event, which says only which. The ledger has it.
    Missed {
        /// The missed event's id.
        event: EventId,
    },
    /// The canary asks for a sign of life: our own event, which says only in which round. The ledger says whether there is one.
    Heartbeat {
        /// The round's nonce.
        nonce: String,
    },
    /// Anything else: no responder is concerned.
    Other,
}

impl Event {
    /// Decodes an EventBridge event or a bare CloudTrail record from JSON text.
    pub fn from_slice(json: &[u8]) -> Result<Self, EventError> {
        Self::decode(serde_json::from_slice(json).map_err(EventError::Json)?)
    }

    /// Decodes an EventBridge event or a bare CloudTrail record.
    pub fn decode(value: Value) -> Result<Self, EventError> {
        if value.get("detail").is_some() {
            Self::from_envelope(value)
        } else if value.get("eventName").is_some() || value.get("eventSource").is_some() {
            Self::from_record(value, None)
        } else {
            Err(EventError::Unrecognized)
        }
    }

    /// The call, if the event is one and it took effect.
    #[must_use]
    pub fn call(&self) -> Option<&Call> {
        match &self.body {
            Body::Call(call) if call.happened == crate::Happened::Yes => Some(call),
            _ => None,
        }
    }

    fn from_envelope(mut value: Value) -> Result<Self, EventError> {
        // `EventBridgeEvent` refuses the whole event for a time it cannot read, and nothing depends on that time.
        if let Some(time) = value.get_mut("time")
            && time.as_str().and_then(read_time).is_none()
        {
            *time = Value::Null;
        }
        let envelope: EventBridgeEvent<Value> = serde_json::from_value(value).map_err(EventError::Envelope)?;
        let detail_type = envelope.detail_type.to_ascii_lowercase();
        // "AWS Console Sign In via CloudTrail" in the documentation, "AWS Console Signin via CloudTrail" in some
        // events: what all of CloudTrail's types share is their end.
        if detail_type.ends_with("via cloudtrail") {
            return Self::from_record(envelope.detail, envelope.account.as_deref());
        }
        let body = match (envelope.source.as_str(), detail_type.as_str()) {
            ("aws.guardduty", "guardduty finding") => Body::GuardDuty(shape(&envelope.detail, "GuardDuty Finding")?),
            (OWN_SOURCE, "event missed") => {
                let Missed { event } = shape(&envelope.detail, MISSED_TYPE)?;
                Body::Missed { event }
            }
            (OWN_SOURCE, "heartbeat") => {
                let Heartbeat { nonce } = shape(&envelope.detail, HEARTBEAT_TYPE)?;
                Body::Heartbeat { nonce }
            }
            (OWN_SOURCE, "incident approved") => {
                let Approval { incident } = shape(&envelope.detail, APPROVAL_TYPE)?;
                Body::Approved { incident }
            }
            ("aws.health", "aws health event") => Body::Health(shape(&envelope.detail, "AWS Health Event")?),
            ("aws.cloudwatch", "cloudwatch alarm state change") => {
                Body::Alarm(shape(&envelope.detail, "CloudWatch Alarm State Change")?)
            }
            _ => Body::Other,
        };
        // GuardDuty's administrator gets the findings of its members, each of which says whose it is. Source: Amazon
        // GuardDuty User Guide, "Processing GuardDuty findings with Amazon EventBridge", multi-account environments.
        let told = match body {
            Body::GuardDuty(_) => envelope.detail.get("accountId").and_then(Value::as_str),
            _ => None,
        };
        let account = told.or(envelope.account.as_deref()).ok_or(EventError::Missing { field: "account" })?;
        Ok(Self {
            id: envelope.id.filter(|id| !id.is_empty()).map_or_else(|| hash(&envelope.detail), EventId::new),
            account: account_id("account", account)?,
            region: Region::new(envelope.region.ok_or(EventError::Missing { field: "region" })?),
            time: envelope.time,
            actor: Actor::unknown(),
            body,
        })
    }

    fn from_record(mut record: Value, account: Option<&str>) -> Result<Self, EventError> {
        let id = text_at(&record, &["eventID"]).map_or_else(|| hash(&record), EventId::new);
        let call = Call::take_from(&mut record)?;
        let text = |name: &str| text_at(&record, &[name]);
        let recipient = text("recipientAccountId").map(|id| ("recipientAccountId", id));
        let caller = at(&record, &["userIdentity", "accountId"]).and_then(Value::as_str);
        let (field, account) = account
            .map(|id| ("account", id))
            .or(recipient)
            .or_else(|| caller.map(|id| ("userIdentity.accountId", id)))
            .ok_or(EventError::Missing { field: "recipientAccountId" })?;
        Ok(Self {
            id,
            account: account_id(field, account)?,
            region: Region::new(text("awsRegion").ok_or(EventError::Missing { field: "awsRegion" })?),
            time: text("eventTime").and_then(read_time),
            actor: Actor::from_identity(record.get("userIdentity").unwrap_or(&Value::Null)),
            body: Body::Call(call),
        })
    }
}

fn shape<T: for<'de> Deserialize<'de>>(detail: &Value, call: &str) -> Result<T, EventError> {
    T::deserialize(detail).map_err(|source| EventError::Shape { call: call.to_owned(), field: "detail", source })
}

fn account_id(field: &'static str, id: &str) -> Result<AccountId, EventError> {
    AccountId::parse(id).map_err(|source| EventError::Id { field, source })
}

fn read_time(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).ok().map(|time| time.with_timezone(&Utc))
}

/// Stands in for a missing id: the same record always gets the same one.
fn hash(record: &Value) -> EventId {
    let digest = Sha256::digest(record.to_string().as_bytes());
    let mut id = format!("sha256-{digest:x}");
    id.truncate("sha256-".len() + 32);
    EventId::new(id)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::{Field, Happened};

    fn record() -> Value {
        json!({
            "eventID": "e-1", "eventTime": "2026-11-22T07:00:00Z", "eventSource": "iam.amazonaws.com",
            "eventName": "CreateAccessKey", "awsRegion": "us-east-1", "recipientAccountId": "123456789012",
            "userIdentity": {"type": "Root", "accountId": "123456789012"},
            "requestParameters": {"userName": "bob"}, "responseElements": null
        })
    }

    fn envelope(detail_type: &str, detail: &Value) -> Value {
        json!({"version": "0", "id": "env-1", "detail-type": detail_type, "source": "aws.iam",
            "account": "123456789012", "time": "2026-11-22T07:00:01Z", "region": "us-east-1", "resources": [], "detail": detail})
    }

    #[test]
    fn an_envelope_and_its_bare_record_are_the_same_event() {
        let bare = Event::decode(record()).unwrap();
        for spelling in
            ["AWS API Call via CloudTrail", "AWS Console Signin via CloudTrail", "AWS Console Sign In via CloudTrail"]
        {
            let event = Event::decode(envelope(spelling, &record())).unwrap();
            assert_eq!((&event.id, &event.account, event.time), (&bare.id, &bare.account, bare.time));
            assert!(event.call().unwrap().is("iam.amazonaws.com", "CreateAccessKey"));
        }
    }

    #[test]
    fn what_did_not_happen_is_no_call() {
        let happened = |field: &str, value: Value| {
            let mut record = record();
            record[field] = value;
            let event = Event::decode(record).unwrap();
            let Body::Call(call) = &event.body else { panic!("a record is a call") };
            assert_eq!(event.call().is_some(), call.happened == Happened::Yes);
            call.happened.clone()
        };
        assert_eq!(happened("errorCode", json!("AccessDenied")), Happened::Refused);
        assert_eq!(happened("errorCode", json!(403)), Happened::Refused);
        assert_eq!(happened("errorCode", json!(null)), Happened::Yes);
        assert_eq!(happened("errorCode", json!("Client.DryRunOperation")), Happened::DryRun);
        assert_eq!(happened("errorMessage", json!("Failed authentication")), Happened::Refused);
        assert_eq!(happened("responseElements", json!({"ConsoleLogin": "Failure"})), Happened::Refused);
        assert_eq!(happened("responseElements", json!(null)), Happened::Yes);
    }

    #[test]
    fn omitted_is_not_absent() {
        let mut record = record();
        record["requestParameters"] = json!({"omitted": true, "originalSize": 1000, "reason": "too large"});
        let event = Event::decode(record).unwrap();
        let call = event.call().unwrap();
        assert_eq!(call.request::<Value>().unwrap(), Field::Omitted);
        assert_eq!(call.response::<Value>().unwrap(), Field::Absent);
    }

    #[test]
    fn a_finding_is_of_the_account_that_it_names_whoever_is_told_of_it() {
        let finding = |detail: Value| {
            let mut told = envelope("GuardDuty Finding", &detail);
            told["source"] = json!("aws.guardduty");
            Event::decode(told).unwrap().account.to_string()
        };
        let kind = "UnauthorizedAccess:IAMUser/TorIPCaller";
        assert_eq!(finding(json!({"type": kind, "accountId": "210987654321"})), "210987654321");
        assert_eq!(finding(json!({"type": kind})), "123456789012");
    }

    #[test]
    fn odd_times_and_missing_ids_are_tolerated() {
        let mut odd = record();
        odd["eventTime"] = json!("2025-03-05 21:19:44.000000000");
        odd["eventID"] = json!(null);
        let mut whole = envelope("AWS API Call via CloudTrail", &odd);
        whole["time"] = json!("yesterday");
        let (bare, whole) = (Event::decode(odd).unwrap(), Event::decode(whole).unwrap());
        assert_eq!((bare.time, &bare.id), (None, &whole.id));
        assert!(bare.id.as_str().starts_with("sha256-"));
    }

    #[test]
    fn a_refusal_says_where() {
        let refusal = |value: Value| Event::decode(value).unwrap_err().to_string();
        assert_eq!(refusal(json!([1])), "the event is neither an EventBridge envelope nor a CloudTrail record");
        let without = |field: &str| {
            let mut record = record();
            record.as_object_mut().unwrap().remove(field);
            refusal(record)
        };
        assert_eq!(without("eventSource"), "`eventSource` is missing");
        assert_eq!(without("awsRegion"), "`awsRegion` is missing");
        let mut short = record();
        short["recipientAccountId"] = json!("12");
        assert_eq!(refusal(short), "`recipientAccountId` has not the form it needs");
        let mut nameless = envelope("x", &json!({}));
        nameless.as_object_mut().unwrap().remove("detail-type");
        assert_eq!(refusal(nameless), "the EventBridge envelope does not have its usual shape");
        assert!(matches!(Event::from_slice(b"{"), Err(EventError::Json(_))));
    }

    /// With its feature `raw_value`, which any crate of the workspace can turn on for all, `serde_json` reads the text
    /// beside this key as JSON. Whoever may name a key could so make the event say something else, or nothing.
    #[test]
    fn no_name_of_a_key_is_obeyed() {
        for text in ["no JSON", "{\"userName\":\"mallory\"}"] {
            let mut named = record();
            named["requestParameters"] = json!({ "$serde_json::private::RawValue": text });
            let event = Event::from_slice(named.to_string().as_bytes()).unwrap();
            let request: Field<Value> = event.call().unwrap().request().unwrap();
            assert_eq!(request.known().unwrap(), named["requestParameters"]);
        }
    }

    const FIELDS: [&str; 10] = [
        "eventID",
        "eventTime",
        "eventSource",
        "eventName",
        "awsRegion",
        "recipientAccountId",
        "userIdentity",
        "requestParameters",
        "responseElements",
        "errorCode",
    ];

    fn json_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "[a-z:/*0-9]{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            let key = prop_oneof![
                Just("detail".to_owned()),
                Just("eventName".to_owned()),
                Just("items".to_owned()),
                Just("userIdentity".to_owned()),
                Just("type".to_owned()),
                "[a-zA-Z]{1,8}"
            ];
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((key, inner), 0..4).prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_json_is_decoded_or_refused(value in json_value()) {
            let _decoded = Event::decode(value);
        }

        #[test]
        fn written_anew_it_is_the_same_event(value in json_value(), fields in prop::sample::subsequence(FIELDS.to_vec(), 0..3)) {
            let mut record = record();
            for field in fields {
                record[field] = value.clone();
            }
            for value in [value, record.clone(), envelope("AWS API Call via CloudTrail", &record)] {
                let Ok(event) = Event::decode(value.clone()) else { continue };
                let again = Event::from_slice(value.to_string().as_bytes()).unwrap();
                prop_assert_eq!((again.id, again.account, again.time), (event.id, event.account, event.time));
                prop_assert_eq!(again.actor, event.actor);
            }
        }

        #[test]
        fn any_bytes_are_decoded_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _decoded = Event::from_slice(&bytes);
        }

        #[test]
        fn a_record_with_one_field_replaced_never_panics(
            field in prop::sample::select(FIELDS.to_vec()),
            value in json_value(),
        ) {
            let mut record = record();
            record[field] = value;
            let _decoded = Event::decode(record);
        }
    }
}
