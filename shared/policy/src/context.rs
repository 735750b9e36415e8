//! What every policy can ask for, and the responder's facts beside it.

use std::collections::BTreeMap;

use cedar_policy::RestrictedExpression;
use chrono::{DateTime, Datelike, Utc};
use cloudtrail::Body;

use crate::facts::ten_thousandths;
use crate::{Fact, Request};

type Attributes = BTreeMap<String, RestrictedExpression>;

/// The context of a request. `base.cedarschema` declares the same attributes; none of the facts can replace one.
pub(crate) fn context(request: &Request<'_>) -> Attributes {
    let mut context: Attributes =
        request.facts.iter().filter_map(|(name, fact)| Some((name.to_owned(), expression(fact)?))).collect();
    context.extend(base(request).map(|(name, value)| (name.to_owned(), value)));
    context
}

/// What Cedar's extension types take as text is made here from typed values only.
fn base(request: &Request<'_>) -> impl Iterator<Item = (&'static str, RestrictedExpression)> {
    let text = |text: &str| RestrictedExpression::new_string(text.to_owned());
    let event = request.event;
    let actor = &event.actor;
    let call = match &event.body {
        Body::Call(call) => Some(call),
        Body::GuardDuty(_)
        | Body::Health(_)
        | Body::Alarm(_)
        | Body::Approved { .. }
        | Body::Missed { .. }
        | Body::Heartbeat { .. }
        | Body::Other => None,
    };
    let now = datetime(request.now);
    // In a backtest the two are one, and Cedar takes its time over each.
    let event_time = if event.time == Some(request.now) { now.clone() } else { event.time.and_then(datetime) };
    [
        ("now", now),
        ("severity", Some(RestrictedExpression::new_long(request.severity.get().into()))),
        ("account", Some(text(event.account.as_str()))),
        ("region", Some(text(event.region.as_str()))),
        ("eventTime", event_time),
        ("eventName", call.map(|call| text(&call.name))),
        // Cedar knows no IPv4 address mapped into IPv6; it is the IPv4 address that policies mean.
        (
            "sourceIp",
            call.and_then(|call| call.source_ip)
                .map(|address| RestrictedExpression::new_ip(address.to_canonical().to_string())),
        ),
        ("userAgent", call.and_then(|call| call.user_agent.as_deref()).map(text)),
        ("session", actor.session.as_deref().map(text)),
        ("accessKeyId", actor.access_key_id.as_ref().map(|key| text(key.as_str()))),
        ("invokedBy", actor.invoked_by.as_deref().map(text)),
        ("mfa", actor.mfa.map(RestrictedExpression::new_bool)),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
}

fn expression(fact: &Fact) -> Option<RestrictedExpression> {
    Some(match fact {
        Fact::Bool(value) => RestrictedExpression::new_bool(*value),
        Fact::Long(value) => RestrictedExpression::new_long(*value),
        Fact::Text(value) => RestrictedExpression::new_string(value.clone()),
        Fact::Texts(values) => {
            RestrictedExpression::new_set(values.iter().cloned().map(RestrictedExpression::new_string))
        }
        Fact::Longs(values) => {
            RestrictedExpression::new_set(values.iter().copied().map(RestrictedExpression::new_long))
        }
        Fact::Percent(percent) => {
            RestrictedExpression::new_decimal(format!("{:.4}", ten_thousandths(*percent)? / 10_000.0))
        }
    })
}

/// A time as Cedar writes it: four digits of year and whole milliseconds. A time out of that range is left out, as one
/// that is not known; a leap second becomes the second after.
fn datetime(time: DateTime<Utc>) -> Option<RestrictedExpression> {
    let time = DateTime::from_timestamp_millis(time.timestamp_millis())?;
    (1..=9999)
        .contains(&time.year())
        .then(|| RestrictedExpression::new_datetime(time.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()))
}
