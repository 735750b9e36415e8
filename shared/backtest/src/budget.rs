//! How far the limits of policies would have held.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use chrono::{DateTime, Utc};
use policy::{Limit, Per};
use serde::{Deserialize, Serialize};

use crate::finding::{Expected, Verdict};
use crate::findings::Findings;
use crate::row::{Seen, Text};

/// What would have been taken from the budgets of one policy.
///
/// Counted are findings with the verdict `enforce` whose event lets us expect changes: only those are charged. What
/// depends on live state is counted as if the account had confirmed it, so this is the most that would have been taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BudgetUse {
    /// The policy.
    pub policy: String,
    /// Its `@limit`, as it would write it.
    pub limit: String,
    /// Findings that needed a unit.
    pub wanted: u64,
    /// How many of them depend on live state.
    pub live: u64,
    /// Findings that got one.
    pub charged: u64,
    /// Findings that would have waited for a person, as this budget was spent.
    pub waited: u64,
    /// How often the last unit was taken.
    pub spent: u64,
    /// How many budgets there were: one, or one for each principal or account.
    pub budgets: u64,
    /// The most units that were taken at once, in one budget.
    pub peak: u64,
    /// When that was.
    pub peak_at: Option<DateTime<Utc>>,
    /// Of which principal or account, if each has its own.
    pub peak_of: Option<String>,
    /// The most findings in any window of one budget: a limit of so many would never have made one wait.
    pub demand: u64,
}

/// The use of all limits, and how many findings would have waited for a person.
#[derive(Debug, Default)]
pub(crate) struct Replay {
    pub(crate) budgets: Vec<BudgetUse>,
    pub(crate) waited: u64,
}

/// One budget: the times at which its units were taken and wanted, of the window that has gone by.
#[derive(Debug, Default)]
struct Window {
    taken: VecDeque<i64>,
    wanted: VecDeque<i64>,
}

/// The limits of one policy and its budgets.
#[derive(Debug)]
struct Account<'a> {
    limit: &'a Limit,
    usage: BudgetUse,
    windows: HashMap<Option<Text>, Window>,
}

impl Replay {
    /// Takes the findings in the order of time through the rule of the ledger's slots: a unit is free again a whole
    /// window after it was taken, a claim takes one of each of its policies' budgets or none at all.
    pub(crate) fn of(findings: &Findings, limits: &BTreeSet<Limit>) -> Self {
        let mut accounts: BTreeMap<&str, Account<'_>> =
            limits.iter().map(|limit| (limit.policy.as_str(), Account::of(limit))).collect();
        let mut waited = 0;
        let is_charged = |seen: &Seen<'_>| {
            seen.row.is_timed() && seen.what.said.verdict == Verdict::Enforce && seen.what.plan == Expected::Changes
        };
        for seen in findings.seen().filter(is_charged) {
            let policies = || findings.policies(seen.what.said.policies);
            let mut is_room = true;
            for policy in policies() {
                if let Some(account) = accounts.get_mut(policy) {
                    is_room &= account.want(&seen);
                }
            }
            if !is_room {
                waited += 1;
            }
            for policy in policies() {
                if let Some(account) = accounts.get_mut(policy) {
                    account.take(&seen, is_room, findings);
                }
            }
        }
        let budgets = accounts.into_values().map(Account::close).collect();
        Self { budgets, waited }
    }
}

impl<'a> Account<'a> {
    fn of(limit: &'a Limit) -> Self {
        let usage = BudgetUse {
            policy: limit.policy.to_string(),
            limit: limit.to_string(),
            wanted: 0,
            live: 0,
            charged: 0,
            waited: 0,
            spent: 0,
            budgets: 0,
            peak: 0,
            peak_at: None,
            peak_of: None,
            demand: 0,
        };
        Self { limit, usage, windows: HashMap::new() }
    }

    /// Notes that a unit is wanted; whether one is free.
    fn want(&mut self, seen: &Seen<'_>) -> bool {
        let Self { limit, usage, windows } = self;
        let window = windows.entry(scope(limit, seen)).or_default();
        let length = i64::try_from(limit.window.as_millis()).unwrap_or(i64::MAX);
        let free = seen.row.time.saturating_sub(length);
        for times in [&mut window.taken, &mut window.wanted] {
            while times.pop_front_if(|time| *time <= free).is_some() {}
        }
        window.wanted.push_back(seen.row.time);
        usage.wanted += 1;
        usage.live += u64::from(seen.what.live);
        usage.demand = usage.demand.max(count(&window.wanted));
        !window.is_full(limit)
    }

    /// Takes a unit if there `is_room` in all budgets concerned; else notes whether it is for this one that there is not.
    fn take(&mut self, seen: &Seen<'_>, is_room: bool, findings: &Findings) {
        let Self { limit, usage, windows } = self;
        let scope = scope(limit, seen);
        let window = windows.entry(scope).or_default();
        if !is_room {
            usage.waited += u64::from(window.is_full(limit));
            return;
        }
        window.taken.push_back(seen.row.time);
        usage.charged += 1;
        usage.spent += u64::from(window.is_full(limit));
        if count(&window.taken) > usage.peak {
            usage.peak = count(&window.taken);
            usage.peak_at = DateTime::from_timestamp_millis(seen.row.time);
            usage.peak_of = scope.map(|scope| findings.text(scope).to_owned());
        }
    }

    fn close(mut self) -> BudgetUse {
        self.usage.budgets = u64::try_from(self.windows.len()).unwrap_or(u64::MAX);
        self.usage
    }
}

impl Window {
    fn is_full(&self, limit: &Limit) -> bool {
        count(&self.taken) >= u64::from(limit.count)
    }
}

/// Whose budget a finding is charged to, if each has its own.
fn scope(limit: &Limit, seen: &Seen<'_>) -> Option<Text> {
    match limit.per {
        Per::Everything => None,
        Per::Principal => Some(seen.who.actor),
        Per::Account => Some(seen.what.account),
    }
}

fn count(times: &VecDeque<i64>) -> u64 {
    u64::try_from(times.len()).unwrap_or(u64::MAX)
}
