//! What an event in a dead-letter queue says of itself, as far as it can be read: it may be there because it cannot.

use ::backtest::event_name;
use chrono::{DateTime, Utc};
use cloudtrail::Event;
use policy::Policies;
use serde_json::Value;

use crate::responders::ENTRIES;

/// What can be read of an event. All text is somebody else's.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) id: Option<String>,
    pub(super) time: Option<DateTime<Utc>>,
    pub(super) name: Option<String>,
    pub(super) actor: Option<String>,
    pub(super) resource: Option<String>,
}

impl Said {
    pub(super) fn by(text: &str, now: DateTime<Utc>) -> Self {
        let Ok(value) = serde_json::from_str::<Value>(text) else { return Self::default() };
        let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let (kind, listed, id) = (text("/detail-type"), text("/resources/0"), text("/id"));
        let Ok(event) = Event::decode(value) else {
            return Self { id, name: kind, resource: listed, ..Self::default() };
        };
        let name = Some(event_name(&event).to_owned()).filter(|name| !name.is_empty());
        Self {
            resource: resource(&event, now).or(listed),
            id: Some(event.id.to_string()),
            time: event.time,
            name: name.or(kind),
            actor: Some(event.actor.principal.to_string()),
        }
    }
}

/// The resource that a responder finds the event to be about.
fn resource(event: &Event, now: DateTime<Utc>) -> Option<String> {
    let nothing_permitted = Policies::parse([]).ok()?;
    ENTRIES.iter().find_map(|entry| {
        let explained = (entry.explain)(event, &nothing_permitted, now).ok()?;
        explained.first().map(|explanation| explanation.plan.resource.arn.to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_says_who_did_what_to_what() {
        let event = r#"{"version":"0","id":"e-1","detail-type":"AWS API Call via CloudTrail","source":"aws.ec2",
            "account":"123456789012","time":"2026-11-22T07:00:00Z","region":"us-east-1","resources":[],"detail":{
            "eventVersion":"1.11","userIdentity":{"type":"IAMUser","principalId":"AIDA","arn":
            "arn:aws:iam::123456789012:user/mallory","accountId":"123456789012","userName":"mallory"},
            "eventTime":"2026-11-22T07:00:00Z","eventSource":"ec2.amazonaws.com","eventName":"DescribeVpcs",
            "awsRegion":"us-east-1","eventID":"c-1","recipientAccountId":"123456789012"}}"#;
        let said = Said::by(event, DateTime::UNIX_EPOCH);
        assert_eq!(said.name.as_deref(), Some("DescribeVpcs"));
        assert_eq!(said.actor.as_deref(), Some("arn:aws:iam::123456789012:user/mallory"));
        assert_eq!(said.resource, None);
    }

    #[test]
    fn what_cannot_be_read_is_not_made_up() {
        assert_eq!(Said::by("no JSON", DateTime::UNIX_EPOCH), Said::default());
        let odd = Said::by(r#"{"id":"e","detail-type":"Odd","resources":["arn:x"],"detail":7}"#, DateTime::UNIX_EPOCH);
        assert_eq!((odd.name.as_deref(), odd.resource.as_deref()), (Some("Odd"), Some("arn:x")));
    }
}
