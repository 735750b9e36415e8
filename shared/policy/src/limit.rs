//! How often a policy may lead to action.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::PolicyId;

const MOST: u32 = 1000;
const SHORTEST_LEASE: Duration = Duration::from_mins(1);
const LONGEST: Duration = Duration::from_hours(7 * 24);
/// The units of a window, the longest first, in seconds.
const UNITS: [(char, u64); 4] = [('d', 24 * 60 * 60), ('h', 60 * 60), ('m', 60), ('s', 1)];

/// Whose actions a limit counts together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Per {
    /// All of them, over all functions.
    Everything,
    /// Those that answer one principal's changes.
    Principal,
    /// Those in one account.
    Account,
}

/// The `@limit` of a policy: at most `count` actions in any window of this length.
///
/// Written `20/1h`, `5/30m per principal` or `5/1d per account`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Limit {
    /// The policy that has it.
    pub policy: PolicyId,
    /// 1 to 1000.
    pub count: u32,
    /// One second to seven days.
    #[serde(rename = "window_seconds", with = "seconds")]
    pub window: Duration,
    /// What is counted together.
    pub per: Per,
}

/// At most `count` in any window of this length: the first part of a [`Limit`], written `20/1h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// 1 to 1000.
    pub count: u32,
    /// One second to seven days.
    pub window: Duration,
}

impl Rate {
    /// Reads `20/1h`.
    pub fn parse(text: &str) -> Result<Self, InvalidLimit> {
        let (count, window) = text.split_once('/').ok_or(InvalidLimit::Form)?;
        let count: u32 = digits(count)?.try_into().map_err(|_| InvalidLimit::Count)?;
        if !(1..=MOST).contains(&count) {
            return Err(InvalidLimit::Count);
        }
        let window = length(window)?;
        if !(Duration::from_secs(1)..=LONGEST).contains(&window) {
            return Err(InvalidLimit::Window);
        }
        Ok(Self { count, window })
    }
}

/// Text that is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidLimit {
    /// Not `count/window`.
    #[error("it has not the form of a limit")]
    Form,
    /// Nothing, or too many.
    #[error("a limit counts from 1 to {MOST}")]
    Count,
    /// No time, or too long.
    #[error("a limit's window is at least a second and at most seven days")]
    Window,
    /// Counted per something else.
    #[error("a limit counts `per principal` or `per account`, and everything together if it says neither")]
    Per,
}

/// Text that is no lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a lease is at least a minute and at most seven days, like `30m`, `4h` or `2d`")]
pub(crate) struct InvalidLease;

/// How long a policy's containment lasts, its `@lease`: `4h`.
pub(crate) fn lease(text: &str) -> Result<Duration, InvalidLease> {
    let lease = length(text).map_err(|_| InvalidLease)?;
    if (SHORTEST_LEASE..=LONGEST).contains(&lease) { Ok(lease) } else { Err(InvalidLease) }
}

/// `30m`, `4h`, `2d`.
fn length(text: &str) -> Result<Duration, InvalidLimit> {
    let (number, seconds) = UNITS
        .iter()
        .find_map(|(unit, seconds)| Some((text.strip_suffix(*unit)?, seconds)))
        .ok_or(InvalidLimit::Form)?;
    digits(number)?.checked_mul(*seconds).map(Duration::from_secs).ok_or(InvalidLimit::Window)
}

impl Limit {
    pub(crate) const EXAMPLES: &str = "write it like `20/1h`, `5/30m per principal` or `5/1d per account`";

    pub(crate) fn parse(policy: &PolicyId, text: &str) -> Result<Self, InvalidLimit> {
        let (rate, per) = match text.split_once(char::is_whitespace) {
            None => (text, Per::Everything),
            Some((rate, per)) => (
                rate,
                match per.split_whitespace().collect::<Vec<_>>().as_slice() {
                    ["per", "principal"] => Per::Principal,
                    ["per", "account"] => Per::Account,
                    _ => return Err(InvalidLimit::Per),
                },
            ),
        };
        let Rate { count, window } = Rate::parse(rate)?;
        Ok(Self { policy: policy.clone(), count, window, per })
    }
}

/// Nothing but digits, unlike [`str::parse`], which takes a sign.
fn digits(text: &str) -> Result<u64, InvalidLimit> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(InvalidLimit::Form);
    }
    Ok(text.parse().unwrap_or(u64::MAX)) // too many digits is too big, and refused as that
}

impl fmt::Display for Limit {
    /// As a policy would write it, in the longest unit that fits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.count, in_longest_unit(self.window))?;
        match self.per {
            Per::Everything => Ok(()),
            Per::Principal => f.write_str(" per principal"),
            Per::Account => f.write_str(" per account"),
        }
    }
}

/// `4h` and not `240m`.
pub(crate) fn in_longest_unit(time: Duration) -> String {
    let seconds = time.as_secs();
    let (unit, length) = UNITS.into_iter().find(|(_, length)| seconds.is_multiple_of(*length)).unwrap_or(('s', 1));
    format!("{}{unit}", seconds / length)
}

/// A window in whole seconds.
mod seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(window: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(window.as_secs())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_secs)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<Limit, InvalidLimit> {
        Limit::parse(&PolicyId::new("p"), text)
    }

    #[test]
    fn a_limit_is_count_window_and_scope() {
        for (text, count, seconds, per) in [
            ("20/1h", 20, 3600, Per::Everything),
            ("5/30m per principal", 5, 1800, Per::Principal),
            ("5/1d  per  account", 5, 86400, Per::Account),
            ("1/1s", 1, 1, Per::Everything),
            ("1000/7d", 1000, 604_800, Per::Everything),
        ] {
            let limit = parse(text).unwrap();
            assert_eq!((limit.count, limit.window.as_secs(), limit.per), (count, seconds, per), "{text}");
        }
    }

    #[test]
    fn what_is_no_limit_is_refused_with_its_reason() {
        for (text, expected) in [
            ("", InvalidLimit::Form),
            ("20", InvalidLimit::Form),
            ("20/1", InvalidLimit::Form),
            ("20/h", InvalidLimit::Form),
            ("20/1w", InvalidLimit::Form),
            ("+20/1h", InvalidLimit::Form),
            ("20/-1h", InvalidLimit::Form),
            ("٢/1h", InvalidLimit::Form),
            ("0/1h", InvalidLimit::Count),
            ("1001/1h", InvalidLimit::Count),
            ("99999999999999999999999/1h", InvalidLimit::Count),
            ("20/0s", InvalidLimit::Window),
            ("20/8d", InvalidLimit::Window),
            ("20/99999999999999999999d", InvalidLimit::Window),
            ("20/1h per role", InvalidLimit::Per),
            ("20/1h ", InvalidLimit::Per),
            ("20/1h principal", InvalidLimit::Per),
        ] {
            assert_eq!(parse(text), Err(expected), "{text}");
        }
    }

    #[test]
    fn a_lease_is_a_time_of_a_minute_to_a_week() {
        assert_eq!(lease("4h"), Ok(Duration::from_hours(4)));
        assert_eq!((lease("1m"), lease("7d")), (Ok(SHORTEST_LEASE), Ok(LONGEST)));
        for wrong in ["", "4", "h", "59s", "8d", "-1h", "4 h", "1w", "99999999999999999999d"] {
            assert_eq!(lease(wrong), Err(InvalidLease), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn a_limit_is_what_it_prints(text in "[0-9]{1,4}/[0-9]{1,3}[smhd]( per (principal|account))?") {
            if let Ok(limit) = parse(&text) {
                prop_assert_eq!(parse(&limit.to_string()), Ok(limit.clone()));
                let json = serde_json::to_string(&limit).unwrap();
                prop_assert_eq!(serde_json::from_str::<Limit>(&json).unwrap(), limit);
            }
        }

        #[test]
        fn any_text_is_a_limit_or_not(text in any::<String>()) {
            let _limit = parse(&text);
        }
    }
}
