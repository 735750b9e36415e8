//! What findings add up to.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use policy::Limit;
use serde::{Deserialize, Serialize};

use crate::budget::{BudgetUse, Replay};
use crate::candidate::Candidate;
use crate::count::{Ranking, Verdicts};
use crate::finding::{Expected, Verdict};
use crate::findings::Findings;
use crate::part::{Problems, Reading};
use crate::row::{Row, Seen, What};

/// What all findings of a run add up to. Other programs rely on this form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// How many there are, and with which verdicts.
    pub verdicts: Verdicts,
    /// Those that would be acted on: `enforce` and `approve`, where nothing depends on live state.
    pub acted_on: u64,
    /// Those that might be: the same verdicts, depending on live state.
    pub perhaps_acted_on: u64,
    /// Those of both that no change of ours could help.
    pub for_a_person: u64,
    /// Those that would have waited for a person because a budget was spent.
    pub waited: u64,
    /// Findings that were delivered again, in another file or by another trail, and are not counted.
    pub duplicates: u64,
    /// Findings whose time is not known: they are in no budget.
    pub untimed: u64,
    /// The time of the first finding.
    pub first: Option<DateTime<Utc>>,
    /// The time of the last.
    pub last: Option<DateTime<Utc>>,
    /// By responder, all of them.
    pub by_responder: Ranking,
    /// By policy: a finding counts for each policy that made its verdict.
    pub by_policy: Ranking,
    /// By account.
    pub by_account: Ranking,
    /// By actor.
    pub by_actor: Ranking,
    /// What would have been taken from each budget.
    pub budgets: Vec<BudgetUse>,
    /// Actors that a policy may want to exempt.
    pub candidates: Vec<Candidate>,
    /// How many more of them there are.
    pub more_candidates: u64,
    /// What a change of policy alters, where two sets are compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comparison: Option<Comparison>,
    /// What was read.
    pub reading: Reading,
    /// What could not be.
    pub problems: Problems,
}

/// What a change of policy alters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// Findings with the same verdict under both.
    pub unchanged: u64,
    /// The others, by what became of them.
    pub transitions: Vec<Transition>,
    /// Those for which the new policies let Countermand do more than the old: ask, or act without asking.
    pub newly_acted_on: u64,
}

/// Findings whose verdict changes in one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transition {
    /// The verdict under the old policies.
    pub from: Verdict,
    /// The verdict under the new.
    pub to: Verdict,
    /// How many.
    pub findings: u64,
    /// How many of them depend on live state.
    pub live: u64,
}

impl Summary {
    /// The findings must be in the order of time.
    pub(crate) fn of(
        findings: &Findings,
        duplicates: u64,
        limits: &BTreeSet<Limit>,
        reading: Reading,
        problems: Problems,
        top: usize,
    ) -> Self {
        let number = |test: &dyn Fn(&Seen<'_>) -> bool| count(findings.seen().filter(test).count());
        let acts = |what: &What| what.said.verdict.acts();
        let Replay { budgets, waited } = Replay::of(findings, limits);
        let (candidates, more_candidates) = Candidate::among(findings, top);
        let mut verdicts = Verdicts::default();
        for seen in findings.seen() {
            verdicts.add(seen.what);
        }
        let mut timed = findings.seen().map(|seen| seen.row).filter(|row| row.is_timed());
        let first = timed.next();
        Self {
            verdicts,
            acted_on: number(&|seen| acts(seen.what) && !seen.what.live),
            perhaps_acted_on: number(&|seen| acts(seen.what) && seen.what.live),
            for_a_person: number(&|seen| acts(seen.what) && seen.what.plan == Expected::Person),
            waited,
            duplicates,
            untimed: number(&|seen| !seen.row.is_timed()),
            first: first.and_then(Row::time),
            last: timed.next_back().or(first).and_then(Row::time),
            by_responder: Ranking::by(findings, |seen| seen.what.responder, usize::MAX),
            by_policy: Ranking::by_each(findings, |seen| seen.what.said.policies, |said| findings.policies(said), top),
            by_account: Ranking::by(findings, |seen| seen.what.account, top),
            by_actor: Ranking::by(findings, |seen| seen.who.actor, top),
            budgets,
            candidates,
            more_candidates,
            comparison: Comparison::of(findings),
            reading,
            problems,
        }
    }
}

impl Comparison {
    /// `None` where nothing was compared, or nothing found.
    fn of(findings: &Findings) -> Option<Self> {
        let mut comparison = None;
        let mut changed: BTreeMap<(Verdict, Verdict), (u64, u64)> = BTreeMap::new();
        for Seen { what, .. } in findings.seen() {
            let Some(before) = &what.before else { continue };
            let comparison = comparison.get_or_insert_with(Self::default);
            let (from, to) = (before.verdict, what.said.verdict);
            if from == to {
                comparison.unchanged += 1;
                continue;
            }
            comparison.newly_acted_on += u64::from(to > from && to.acts());
            let (findings, live) = changed.entry((from, to)).or_default();
            *findings += 1;
            *live += u64::from(what.live);
        }
        let mut comparison = comparison?;
        comparison.transitions =
            changed.into_iter().map(|((from, to), (findings, live))| Transition { from, to, findings, live }).collect();
        Some(comparison)
    }
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
