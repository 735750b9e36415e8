//! How many of what.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use crate::finding::Verdict;
use crate::findings::Findings;
use crate::row::{Seen, Text, What};

/// How many findings have which verdict. Those whose verdict depends on live state are counted apart, as it may be
/// another one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdicts {
    /// All of them.
    pub findings: u64,
    /// Act now.
    pub enforce: u64,
    /// Ask a person first.
    pub approve: u64,
    /// Only report.
    pub observe: u64,
    /// Leave alone.
    pub exempt: u64,
    /// Depends on live state, whatever the policies say to the event alone.
    pub live: u64,
}

impl Verdicts {
    pub(crate) fn add(&mut self, what: &What) {
        self.findings += 1;
        *match what.said.verdict {
            _ if what.live => &mut self.live,
            Verdict::Enforce => &mut self.enforce,
            Verdict::Approve => &mut self.approve,
            Verdict::Observe => &mut self.observe,
            Verdict::Exempt => &mut self.exempt,
        } += 1;
    }

    fn absorb(&mut self, other: Self) {
        self.findings += other.findings;
        self.enforce += other.enforce;
        self.approve += other.approve;
        self.observe += other.observe;
        self.exempt += other.exempt;
        self.live += other.live;
    }
}

/// The findings that have something in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// What they have in common.
    pub name: String,
    /// How many there are.
    #[serde(flatten)]
    pub verdicts: Verdicts,
}

/// Groups, the biggest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ranking {
    /// The biggest, and by name where they are alike.
    pub top: Vec<Group>,
    /// How many groups are not named.
    pub others: u64,
    /// The findings in those.
    pub rest: Verdicts,
}

impl Ranking {
    /// By one text of each finding.
    pub(crate) fn by(findings: &Findings, text: impl Fn(&Seen<'_>) -> Text, top: usize) -> Self {
        Self::by_each(findings, text, |text| std::iter::once(findings.text(text)), top)
    }

    /// By one text of each finding, which holds several names or none.
    pub(crate) fn by_each<'a, I: Iterator<Item = &'a str>>(
        findings: &Findings,
        text: impl Fn(&Seen<'_>) -> Text,
        names: impl Fn(Text) -> I,
        top: usize,
    ) -> Self {
        let mut by_text: HashMap<Text, Verdicts> = HashMap::new();
        for seen in findings.seen() {
            by_text.entry(text(&seen)).or_default().add(seen.what);
        }
        let mut counts: BTreeMap<&str, Verdicts> = BTreeMap::new();
        for (text, verdicts) in by_text {
            for name in names(text) {
                counts.entry(name).or_default().absorb(verdicts);
            }
        }
        Self::of(counts, top)
    }

    fn of(counts: BTreeMap<&str, Verdicts>, top: usize) -> Self {
        let mut counts: Vec<(&str, Verdicts)> = counts.into_iter().collect();
        counts.sort_by_key(|(_, verdicts)| Reverse(verdicts.findings));
        let rest = counts.split_off(top.min(counts.len()));
        let mut ranking = Self { others: u64::try_from(rest.len()).unwrap_or(u64::MAX), ..Self::default() };
        for (_, verdicts) in rest {
            ranking.rest.absorb(verdicts);
        }
        ranking.top = counts.into_iter().map(|(name, verdicts)| Group { name: name.to_owned(), verdicts }).collect();
        ranking
    }
}
