//! Which folders of an archive are worth a look, before anything in them is known.

use chrono::{Days, NaiveDate};
use cloudtrail::AccountId;

use crate::selection::Selection;

/// What lies where CloudTrail delivers: `AWSLogs/[o-id/]<account>/CloudTrail/<region>/<yyyy>/<mm>/<dd>/`.
const LOGS: &str = "AWSLogs";

/// Above `AWSLogs` stands the prefix that a trail was given, which is seldom deeper than this.
const PREFIX: usize = 3;

/// How a folder is gone through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listing {
    /// Nothing in it is asked for.
    Skip,
    /// Only some of its folders are asked for: look which there are.
    Folders,
    /// Everything in it, as far as names go.
    Everything,
    /// The files of its days from the first of these folders to the last, which both end in `/`.
    Days {
        /// The folder of the first day, for example `AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/01/`.
        first: String,
        /// The folder of the last.
        last: String,
    },
}

impl Selection {
    /// How to go through a folder, whose path from the archive's root ends in `/` (or is empty for the root), so that
    /// nothing is listed that [`Self::admits_path`] would refuse for its account, region or day.
    #[must_use]
    pub fn listing(&self, folder: &str) -> Listing {
        let whole = self.accounts.is_empty() && self.regions.is_empty() && self.since.is_none() && self.until.is_none();
        if whole {
            return Listing::Everything;
        }
        let parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
        let Some(at) = parts.iter().rposition(|part| *part == LOGS) else {
            return if parts.len() <= PREFIX { Listing::Folders } else { Listing::Everything };
        };
        let below = parts.get(at + 1..).unwrap_or_default();
        let below = match below {
            [organization, rest @ ..] if organization.starts_with("o-") => rest,
            below => below,
        };
        if let [account, ..] = below
            && let Ok(account) = AccountId::parse(account)
            && !(self.accounts.is_empty() || self.accounts.contains(&account))
        {
            return Listing::Skip;
        }
        match below {
            [] | [_] | [_, "CloudTrail"] => Listing::Folders,
            [_, kind, ..] if kind.starts_with("CloudTrail-") => Listing::Skip,
            [_, "CloudTrail", region, ..] if !self.regions.is_empty() && !self.has_region(region) => Listing::Skip,
            [_, "CloudTrail", _, deeper @ ..] => {
                let of_region = parts.get(..parts.len() - deeper.len()).unwrap_or_default();
                self.days(&format!("{}/", of_region.join("/")))
            }
            _ => Listing::Everything,
        }
    }

    fn has_region(&self, region: &str) -> bool {
        self.regions.iter().any(|one| one.as_str() == region)
    }

    /// A file is delivered up to a day after its events and its folder is that of its delivery, so the days are those that
    /// [`Self::admits_path`] lets through, seen from `since` and `until`.
    fn days(&self, region: &str) -> Listing {
        let folder = |day: NaiveDate| format!("{region}{}/", day.format("%Y/%m/%d"));
        let is_asked_for = |day: &NaiveDate| self.admits_path(&format!("{}x", folder(*day)));
        let around = |day: NaiveDate| {
            let first = day.checked_sub_days(Days::new(2)).unwrap_or(day);
            // Not `iter_days`, whose other end is the past.
            (0..5).filter_map(move |days| first.checked_add_days(Days::new(days)))
        };
        let first = self.since.and_then(|since| around(since.date_naive()).find(is_asked_for));
        let last = self.until.and_then(|until| around(until.date_naive()).rfind(is_asked_for));
        match (first, last) {
            (None, None) => Listing::Everything,
            (first, last) => Listing::Days {
                first: first.map_or_else(|| region.to_owned(), folder),
                // After every year.
                last: last.map_or_else(|| format!("{region}:"), folder),
            },
        }
    }
}
