//! Which files and events are asked for.

use std::collections::BTreeSet;

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use cloudtrail::{AccountId, Event, Region};

/// What `--since`, `--until`, `--account` and `--region` ask for; by default everything.
///
/// Files that lie as CloudTrail delivers them are left out by their path alone, before they are opened:
/// `AWSLogs/[o-id/]<account>/CloudTrail/<region>/<yyyy>/<mm>/<dd>/<account>_CloudTrail_<region>_<yyyymmddThhmmZ>_<id>.json.gz`
/// (CloudTrail User Guide, "CloudTrail log file examples" and "Finding your CloudTrail log files").
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// No event before this.
    pub since: Option<DateTime<Utc>>,
    /// No event at or after this.
    pub until: Option<DateTime<Utc>>,
    /// The accounts it happened in; all if empty.
    pub accounts: BTreeSet<AccountId>,
    /// The regions it happened in; all if empty.
    pub regions: BTreeSet<Region>,
}

/// A file holds events from any time before its delivery, but none from after it. An hour is for clocks and rounding.
const EARLY: TimeDelta = TimeDelta::hours(1);

/// CloudTrail delivers within about five minutes of a call, without guarantee. With [`Selection::until`], an event that it
/// delivered more than a day late is not found where the path alone rules its file out.
const LATE: TimeDelta = TimeDelta::days(1);

impl Selection {
    /// Whether the event is asked for. One whose time cannot be read is.
    #[must_use]
    pub fn admits(&self, event: &Event) -> bool {
        event.time.is_none_or(|time| {
            self.since.is_none_or(|since| since <= time) && self.until.is_none_or(|until| time < until)
        }) && asked_for(&self.accounts, &event.account)
            && asked_for(&self.regions, &event.region)
    }

    /// Whether the file of this path (or key, in Amazon S3) may hold what is asked for. The path need not begin at
    /// `AWSLogs`. Digest files and files of CloudTrail Insights hold no events.
    #[must_use]
    pub fn admits_path(&self, path: &str) -> bool {
        let parts: Vec<&str> = path.split(['/', std::path::MAIN_SEPARATOR]).collect();
        let other_kind = |kind: &str| kind.starts_with("CloudTrail-Digest") || kind.starts_with("CloudTrail-Insight");
        if parts.iter().any(|part| other_kind(part) || part.split('_').nth(1).is_some_and(other_kind)) {
            return false;
        }
        let origin = Origin::of_name(parts.last().copied().unwrap_or_default()).or_else(|| Origin::of_folders(&parts));
        origin.is_none_or(|origin| self.admits_origin(&origin))
    }

    fn admits_origin(&self, origin: &Origin) -> bool {
        asked_for(&self.accounts, &origin.account)
            && asked_for(&self.regions, &origin.region)
            && self.since.is_none_or(|since| since <= origin.delivered_until + EARLY)
            && self.until.is_none_or(|until| origin.delivered_since < until + LATE)
    }
}

fn asked_for<T: Ord>(set: &BTreeSet<T>, one: &T) -> bool {
    set.is_empty() || set.contains(one)
}

/// What a path says of a file.
struct Origin {
    account: AccountId,
    region: Region,
    delivered_since: DateTime<Utc>,
    delivered_until: DateTime<Utc>,
}

impl Origin {
    fn of_name(name: &str) -> Option<Self> {
        let mut parts = name.split('_');
        let account = AccountId::parse(parts.next()?).ok()?;
        parts.next().filter(|kind| *kind == "CloudTrail")?;
        let region = Region::new(parts.next()?);
        let delivered = NaiveDateTime::parse_from_str(parts.next()?, "%Y%m%dT%H%MZ").ok()?.and_utc();
        Some(Self { account, region, delivered_since: delivered, delivered_until: delivered })
    }

    fn of_folders(parts: &[&str]) -> Option<Self> {
        let [.., account, "CloudTrail", region, year, month, day, _] = parts else { return None };
        let account = AccountId::parse(account).ok()?;
        let day = NaiveDate::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)?;
        let midnight = |day: NaiveDate| Some(day.and_hms_opt(0, 0, 0)?.and_utc());
        let next = day.checked_add_days(Days::new(1))?;
        Some(Self {
            account,
            region: Region::new(*region),
            delivered_since: midnight(day)?,
            delivered_until: midnight(next)?,
        })
    }
}
