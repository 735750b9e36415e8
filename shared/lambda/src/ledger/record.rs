//! An incident as an item, and back.

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use remedy::{Incident, State};
use serde_json::json;

use super::item::{
    ACCOUNT, ACTOR, AT, DAY, EXPIRES, INCIDENT, Item, KEY, LEASED, OWNER, RELEASE, RESOURCE, RESPONDER, REVISION,
    STATE, incident_key, number, text,
};

/// For how long an incident is kept: a year to look back on, and a month in which to do it.
pub const KEPT_FOR: TimeDelta = TimeDelta::days(400);

/// An item may have 400 KB, names and all. Source: Amazon DynamoDB Developer Guide, "Quotas", item size.
const LARGEST: usize = 360_000;

/// A stored record that cannot be understood.
#[derive(Debug, thiserror::Error)]
pub(super) enum RecordError {
    #[error("the record has no `{0}` of its type")]
    Attribute(&'static str),
    #[error("the record's `{0}` is not understood by this version")]
    Incident(&'static str, #[source] serde_json::Error),
    #[error("the record's `{attribute}` is no time")]
    Time { attribute: String, source: chrono::ParseError },
}

/// The incident as the item of this revision.
pub(super) fn item(incident: &Incident, revision: u64) -> Result<Item, serde_json::Error> {
    let whole = Incident { revision, ..incident.clone() };
    let mut item = Item::from([
        (KEY.to_owned(), incident_key(&incident.id)),
        (INCIDENT.to_owned(), text(fitting(whole)?)),
        (STATE.to_owned(), text(incident.state.to_string())),
        (REVISION.to_owned(), number(revision)),
        (RESPONDER.to_owned(), text(&incident.responder)),
        (ACCOUNT.to_owned(), text(incident.account.as_str())),
        (ACTOR.to_owned(), text(incident.actor.principal.to_string())),
        (RESOURCE.to_owned(), text(incident.resource.arn.as_str())),
        (DAY.to_owned(), text(day(incident.opened))),
        (AT.to_owned(), text(format!("{}#{}", instant(incident.opened), incident.id))),
        (EXPIRES.to_owned(), number((incident.opened + KEPT_FOR).timestamp())),
    ]);
    if let Some(release) = incident.release_at.filter(|_| incident.state == State::Contained) {
        item.insert(LEASED.to_owned(), text(LEASED));
        item.insert(RELEASE.to_owned(), text(instant(release)));
    }
    if let Some(lease) = &incident.lease {
        item.insert(OWNER.to_owned(), text(&lease.owner));
    }
    Ok(item)
}

/// Evidence must not stand in the way of containment: what does not fit is left out, and that is said in its place. The
/// plan and the receipt, which an undo needs, are never left out.
fn fitting(mut incident: Incident) -> Result<String, serde_json::Error> {
    let json = serde_json::to_string(&incident)?;
    if json.len() <= LARGEST {
        return Ok(json);
    }
    for evidence in incident.after.iter_mut().chain([&mut incident.before, &mut incident.facts]) {
        *evidence = json!({ "omitted": true, "bytes": evidence.to_string().len() });
    }
    serde_json::to_string(&incident)
}

pub(super) fn incident(item: &Item) -> Result<Incident, RecordError> {
    let json = item.get(INCIDENT).and_then(|value| value.as_s().ok()).ok_or(RecordError::Attribute(INCIDENT))?;
    serde_json::from_str(json).map_err(|source| RecordError::Incident(INCIDENT, source))
}

/// The partition of the index that an incident of this time is in.
pub(super) fn day(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d").to_string()
}

/// Text that sorts as the times do.
pub(super) fn instant(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

pub(super) fn time(attribute: &str, value: &AttributeValue) -> Result<DateTime<Utc>, RecordError> {
    let text = value.as_s().map(String::as_str).unwrap_or_default();
    match DateTime::parse_from_rfc3339(text) {
        Ok(time) => Ok(time.with_timezone(&Utc)),
        Err(source) => Err(RecordError::Time { attribute: attribute.to_owned(), source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn an_item_gives_its_incident_back() {
        let first = fixture::incident("0123456789abcdef0123");
        let item = item(&first, 1).unwrap();
        assert_eq!(incident(&item).unwrap(), Incident { revision: 1, ..first });
        for (name, value) in [
            (KEY, text("incident#0123456789abcdef0123")),
            (STATE, text("claimed")),
            (REVISION, number(1)),
            (OWNER, text("run-1")),
            (DAY, text("2026-11-22")),
            (AT, text("2026-11-22T07:00:00.000Z#0123456789abcdef0123")),
            (ACTOR, text("arn:aws:iam::123456789012:role/deploy")),
            (EXPIRES, number(fixture::time("2027-12-27T07:00:00Z").timestamp())),
        ] {
            assert_eq!(item.get(name), Some(&value), "{name}");
        }
    }

    #[test]
    fn evidence_that_does_not_fit_is_left_out() {
        let mut large = fixture::incident("i");
        large.before = json!({ "rules": "x".repeat(LARGEST) });
        let read = incident(&item(&large, 0).unwrap()).unwrap();
        assert_eq!(read.before, json!({ "omitted": true, "bytes": LARGEST + 12 }));
        assert_eq!((read.plan, read.subject), (large.plan, large.subject));
    }

    #[test]
    fn a_record_of_another_make_is_an_error_that_says_so() {
        let item = Item::from([(INCIDENT.to_owned(), text("{}"))]);
        assert_eq!(
            incident(&item).unwrap_err().to_string(),
            "the record's `incident` is not understood by this version"
        );
        assert_eq!(incident(&Item::new()).unwrap_err().to_string(), "the record has no `incident` of its type");
    }
}
