//! How often somebody called AWS, or something was named in a call, from CloudTrail's event history.

use aws_sdk_cloudtrail::types::LookupAttributeKey;
use chrono::{DateTime, Utc};
use cloudtrail::{Actor, Principal};
use remedy::CallError;
use serde::Deserialize;

use super::sparkline::Unit;
use super::window::Window;
use super::{Panel, Place, Series, calls_of};
use crate::event_history::{History, Wanted};

/// Of up to 50 events each. Two a second are allowed, so that this takes some six seconds at most.
const MOST_PAGES: usize = 10;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    event_time: DateTime<Utc>,
    error_code: Option<String>,
}

/// By what CloudTrail knows this actor: his key, which tells his sessions apart, or else his name. Services have neither.
pub(super) fn by(Actor { principal, session, access_key_id, .. }: &Actor) -> Option<Wanted> {
    if let Some(key) = access_key_id {
        return Some((LookupAttributeKey::AccessKeyId, key.to_string()));
    }
    let name = match principal {
        Principal::User(arn) => arn.name().to_owned(),
        Principal::Root(_) => "root".to_owned(),
        Principal::Role(_) | Principal::Federated(_) => session.clone()?,
        Principal::Service(_) | Principal::Account(_) | Principal::Unknown => return None,
    };
    Some((LookupAttributeKey::Username, name))
}

/// The calls that CloudTrail's event history holds, and those of them that failed.
pub(super) async fn count(Place { config, window, now }: &Place<'_>, wanted: Wanted) -> Result<Panel, CallError> {
    let of = calls_of(&wanted);
    let mut history = History::of(config, vec![wanted], window.from, window.to.min(*now));
    let mut records = Vec::new();
    for _ in 0..MOST_PAGES {
        let Some(page) = history.next_page().await? else { break };
        for text in page {
            let record: Record =
                serde_json::from_str(&text).map_err(|error| CallError::refused("cloudtrail:LookupEvents", error))?;
            records.push(record);
        }
    }
    Ok(panel(of, &records, history.is_at_end(), *window))
}

/// What is counted begins with the oldest record that was read, unless all were.
fn panel(of: String, records: &[Record], is_whole: bool, window: Window) -> Panel {
    let oldest = records.iter().map(|record| record.event_time).min();
    let known = if is_whole { Some(0) } else { oldest.and_then(|time| window.slot_of(time)) };
    let mut calls: Vec<Option<f64>> =
        (0..window.slots()).map(|slot| known.is_some_and(|known| slot >= known).then_some(0.0)).collect();
    let mut failed = calls.clone();
    for Record { event_time, error_code } in records {
        let Some(slot) = window.slot_of(*event_time) else { continue };
        for (values, counts) in [(&mut calls, true), (&mut failed, error_code.is_some())] {
            if let Some(Some(value)) = values.get_mut(slot).filter(|_| counts) {
                *value += 1.0;
            }
        }
    }
    let note = (!is_whole).then(|| format!("only the newest {} calls were looked at", records.len()));
    let series = [("calls", "CallCount", calls), ("failed", "FailedCallCount", failed)];
    let series = series.map(|(label, metric, values)| Series { label, metric, unit: Unit::Count, values });
    Panel { of, series: series.into(), note }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incidents::fixture::{self, time};

    fn record(at: &str, error_code: Option<&str>) -> Record {
        Record { event_time: time(&format!("2026-11-22T{at}Z")), error_code: error_code.map(str::to_owned) }
    }

    fn window() -> Window {
        Window::around(time("2026-11-22T07:03:20Z"), time("2026-11-23T00:00:00Z"))
    }

    #[test]
    fn calls_are_counted_in_the_slots_in_which_they_were_made() {
        let records = [
            record("07:03:20", None),
            record("07:04:59", Some("AccessDenied")),
            record("04:00:00", None),
            record("03:59:59", None),
        ];
        let Panel { series, note, .. } = panel("alice".to_owned(), &records, true, window());
        assert_eq!((series[0].values[36], series[1].values[36]), (Some(2.0), Some(1.0)));
        assert_eq!((series[0].values[0], series[0].values[1], note), (Some(1.0), Some(0.0), None));
    }

    #[test]
    fn what_was_not_looked_at_is_not_nothing() {
        let Panel { series, note, .. } = panel("alice".to_owned(), &[record("07:03:20", None)], false, window());
        assert_eq!((series[0].values[35], series[0].values[36], series[0].values[37]), (None, Some(1.0), Some(0.0)));
        assert_eq!(note.unwrap(), "only the newest 1 calls were looked at");
    }

    #[test]
    fn an_actor_is_looked_for_by_his_key_or_his_name() {
        let mut actor = fixture::incident().actor;
        assert_eq!(by(&actor), Some((LookupAttributeKey::Username, "alice".to_owned())), "a session goes by its name");
        actor.access_key_id = Some(cloudtrail::AccessKeyId::new("ASIAEXAMPLE"));
        assert_eq!(by(&actor), Some((LookupAttributeKey::AccessKeyId, "ASIAEXAMPLE".to_owned())));
        actor.access_key_id = None;
        actor.principal = Principal::Service("autoscaling.amazonaws.com".to_owned());
        assert_eq!(by(&actor), None);
    }
}
