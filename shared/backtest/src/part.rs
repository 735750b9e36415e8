//! What one run, or one shard of a run, has found.

use std::collections::BTreeSet;
use std::error::Error;

use policy::{Limit, Policies};
use remedy::in_full;
use serde::{Deserialize, Serialize};

use crate::finding::Finding;
use crate::findings::Findings;
use crate::summary::Summary;

/// Findings and what was read to find them. Parts of one run with the same policies merge to the same whole in any order.
///
/// As JSON it goes from shard to shard.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Part {
    /// What was read.
    pub reading: Reading,
    /// What could not be.
    pub problems: Problems,
    /// The limits of all policies, spent or not.
    limits: BTreeSet<Limit>,
    /// How many findings were given, duplicates included.
    given: u64,
    findings: Findings,
}

impl Part {
    /// A part that has found nothing yet, under these policies.
    #[must_use]
    pub fn new(policies: &Policies) -> Self {
        let limits = policies.rules().iter().filter_map(|rule| rule.limit.clone()).collect();
        Self { limits, ..Self::default() }
    }

    /// Adds a finding.
    pub fn add(&mut self, finding: &Finding<'_>) {
        self.given += 1;
        self.findings.add(finding);
    }

    /// Adds all that another part holds.
    pub fn absorb(&mut self, other: Self) {
        self.reading.add(other.reading);
        self.problems.absorb(other.problems);
        self.limits.extend(other.limits);
        self.given += other.given;
        self.findings.absorb(&other.findings);
    }

    /// What it all adds up to. Of long lists the first `top` are named, and the rest counted.
    #[must_use]
    pub fn report(mut self, top: usize) -> Report {
        let distinct = u64::try_from(self.findings.settle()).unwrap_or(u64::MAX);
        let Self { reading, problems, limits, given, findings } = self;
        let duplicates = given.saturating_sub(distinct);
        let summary = Summary::of(&findings, duplicates, &limits, reading, problems, top);
        Report { summary, findings }
    }
}

/// All findings of a run.
#[derive(Debug)]
pub struct Report {
    /// What they add up to.
    pub summary: Summary,
    findings: Findings,
}

impl Report {
    /// Each finding once, in the order of time and then of the event's id.
    pub fn findings(&self) -> impl Iterator<Item = Finding<'_>> {
        self.findings.iter()
    }
}

/// How much was read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// Files that were read.
    pub files: u64,
    /// Files that were passed over, as they are no logs or nothing in them was asked for.
    pub skipped_files: u64,
    /// Bytes of the files as they lie there.
    pub compressed_bytes: u64,
    /// Bytes of JSON in them.
    pub raw_bytes: u64,
    /// Records in them.
    pub records: u64,
    /// Records that some responder wanted to see.
    pub wanted: u64,
}

impl Reading {
    /// Adds what another part has read.
    pub fn add(&mut self, other: Self) {
        self.files += other.files;
        self.skipped_files += other.skipped_files;
        self.compressed_bytes += other.compressed_bytes;
        self.raw_bytes += other.raw_bytes;
        self.records += other.records;
        self.wanted += other.wanted;
    }
}

impl From<log_files::Totals> for Reading {
    fn from(totals: log_files::Totals) -> Self {
        Self {
            files: totals.files,
            skipped_files: totals.skipped_files,
            compressed_bytes: totals.compressed,
            raw_bytes: totals.raw,
            records: totals.records,
            wanted: totals.wanted,
        }
    }
}

/// What could not be read: all of it counted, the first by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problems {
    /// How many.
    pub count: u64,
    /// The first [`Self::NAMED`] of them in the order of the alphabet, which begin with the file's name or quote it.
    pub named: BTreeSet<String>,
}

impl Problems {
    /// So many are named.
    pub const NAMED: usize = 100;

    /// Counts a problem.
    pub fn add(&mut self, problem: &dyn Error) {
        self.count += 1;
        self.name(in_full(problem));
    }

    fn absorb(&mut self, other: Self) {
        self.count += other.count;
        for problem in other.named {
            self.name(problem);
        }
    }

    /// The least of all are the least of the least of each part: so parts merge in any order.
    fn name(&mut self, problem: String) {
        self.named.insert(problem);
        if self.named.len() > Self::NAMED {
            self.named.pop_last();
        }
    }
}
