//! The time around an event, cut into equal slots.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Serialize, Serializer};

/// Slots before the event's own, and after it.
const BEFORE: i32 = 36;
const AFTER: i32 = 11;

/// CloudWatch keeps what it was given for periods under an hour as long as this (Amazon CloudWatch User Guide, "Metrics
/// concepts", "Metrics retention").
const FINE_FOR: TimeDelta = TimeDelta::days(63);

/// Of five minutes each: three hours before the event, and one with it and after it. Of an event that is too long ago for
/// that, of an hour each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Window {
    pub(super) from: DateTime<Utc>,
    /// Not later than the slot that is now.
    pub(super) to: DateTime<Utc>,
    #[serde(rename = "period_seconds", serialize_with = "seconds")]
    pub(super) slot: TimeDelta,
}

impl Window {
    pub(super) fn around(event: DateTime<Utc>, now: DateTime<Utc>) -> Self {
        let fine = TimeDelta::minutes(5);
        let slot = if now - event < FINE_FOR - fine * BEFORE { fine } else { TimeDelta::hours(1) };
        let own = floor(event, slot);
        let to = (own + slot * (AFTER + 1)).min(floor(now, slot) + slot);
        Self { from: own - slot * BEFORE, to: to.max(own + slot), slot }
    }

    pub(super) fn slots(&self) -> usize {
        usize::try_from((self.to - self.from).num_seconds() / self.slot.num_seconds()).unwrap_or_default()
    }

    /// The slot in which something happened, if it is one of these.
    pub(super) fn slot_of(&self, time: DateTime<Utc>) -> Option<usize> {
        let inside = (self.from..self.to).contains(&time);
        inside.then(|| usize::try_from((time - self.from).num_seconds() / self.slot.num_seconds()).ok()).flatten()
    }
}

fn seconds<S: Serializer>(time: &TimeDelta, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_i64(time.num_seconds())
}

/// Slots begin where CloudWatch's do: at whole multiples of their length since 1970.
fn floor(time: DateTime<Utc>, slot: TimeDelta) -> DateTime<Utc> {
    let seconds = time.timestamp().rem_euclid(slot.num_seconds());
    DateTime::from_timestamp(time.timestamp() - seconds, 0).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incidents::fixture::time;

    fn told(event: &str, now: &str) -> [String; 2] {
        let Window { from, to, .. } = Window::around(time(event), time(now));
        [from, to].map(|time| time.format("%d %H:%M").to_string())
    }

    #[test]
    fn a_window_is_three_hours_before_an_event_and_one_with_it() {
        let window = Window::around(time("2026-11-22T07:03:20Z"), time("2026-11-23T00:00:00Z"));
        assert_eq!((window.slots(), window.slot), (48, TimeDelta::minutes(5)));
        assert_eq!(told("2026-11-22T07:03:20Z", "2026-11-23T00:00:00Z"), ["22 04:00", "22 08:00"]);
        assert_eq!(window.slot_of(time("2026-11-22T07:03:20Z")), Some(36));
    }

    #[test]
    fn a_window_ends_with_the_slot_that_is_now() {
        assert_eq!(told("2026-11-22T07:03:20Z", "2026-11-22T07:04:00Z"), ["22 04:00", "22 07:05"]);
        assert_eq!(told("2026-11-22T07:03:20Z", "2026-11-22T07:21:00Z"), ["22 04:00", "22 07:25"]);
        // A clock that is behind the event's.
        assert_eq!(told("2026-11-22T07:03:20Z", "2026-11-22T06:00:00Z"), ["22 04:00", "22 07:05"]);
    }

    #[test]
    fn of_what_cloudwatch_has_thinned_out_slots_are_hours() {
        let window = Window::around(time("2026-09-19T07:03:20Z"), time("2026-11-22T00:00:00Z"));
        assert_eq!((window.slots(), window.slot), (48, TimeDelta::hours(1)));
        let window = Window::around(time("2026-09-20T07:03:20Z"), time("2026-11-22T00:00:00Z"));
        assert_eq!(window.slot, TimeDelta::minutes(5));
    }

    #[test]
    fn what_is_outside_has_no_slot() {
        let window = Window::around(time("2026-11-22T07:03:20Z"), time("2026-11-23T00:00:00Z"));
        assert_eq!(window.slot_of(time("2026-11-22T03:59:59Z")), None);
        assert_eq!(window.slot_of(time("2026-11-22T04:00:00Z")), Some(0));
        assert_eq!(window.slot_of(time("2026-11-22T07:59:59Z")), Some(47));
        assert_eq!(window.slot_of(time("2026-11-22T08:00:00Z")), None);
    }
}
