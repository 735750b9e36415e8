//! What the ledger would have held: what one finding lets the functions change, a later one may hang on.

use std::collections::BTreeMap;

use remedy::{ChangeKey, Explanation, MemoryKey, Remedy};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::finding::{Finding, Verdict};

/// A change of one responder's to one resource: a part of a hash, which takes less room than the names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Mark([u8; 8]);

impl Mark {
    fn of(memory: &MemoryKey, change: &ChangeKey) -> Self {
        let mut hash = Sha256::new_with_prefix(memory.as_str());
        hash.update([0]);
        hash.update(change.as_str());
        let hash: [u8; 32] = hash.finalize().into();
        Self(hash.first_chunk().copied().unwrap_or_default())
    }
}

/// What a finding has to do with the ledger.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Held {
    /// The changes that it would leave there if it is acted on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    makes: Vec<Mark>,
    /// The change without which it is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    needs: Option<Needs>,
}

/// That a finding is none unless this change was made before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Needs {
    pub(crate) mark: Mark,
    /// Whether its verdict hangs on live tags, too.
    pub(crate) tags: bool,
}

impl Held {
    /// `acts` is whether some of the policies let it be acted on.
    pub(crate) fn of(explanation: &Explanation<ChangeKey>, acts: bool, tags: bool) -> Self {
        let Explanation { responder, named, plan, hangs_on, .. } = explanation;
        let makes = match &plan.remedy {
            Remedy::Changes(changes) if acts => changes.as_slice(),
            Remedy::Changes(_) | Remedy::AlreadySafe | Remedy::Uncontainable { .. } => &[],
        };
        if makes.is_empty() && hangs_on.is_none() {
            return Self::default();
        }
        let memory = MemoryKey::of(responder, named);
        let mark = |change| Mark::of(&memory, change);
        Self {
            makes: makes.iter().map(mark).collect(),
            needs: hangs_on.as_ref().map(mark).map(|mark| Needs { mark, tags }),
        }
    }

    /// Whether it has nothing to do with it.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.makes.is_empty() && self.needs.is_none()
    }

    pub(crate) fn needs(&self) -> Option<Needs> {
        self.needs
    }
}

/// How sure it is that a change would have been made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Made {
    /// If a person approved it, or if live state did not say otherwise, or under one of two sets of policies.
    Perhaps,
    /// As far as any event can tell.
    Surely,
}

/// The ledger, as it fills.
#[derive(Debug, Default)]
pub(crate) struct Ledger(BTreeMap<Mark, Made>);

impl Ledger {
    /// Whether the change was made so far.
    pub(crate) fn holds(&self, mark: Mark) -> Option<Made> {
        self.0.get(&mark).copied()
    }

    pub(crate) fn keep(&mut self, held: &Held, made: Made) {
        for mark in &held.makes {
            let kept = self.0.entry(*mark).or_insert(made);
            *kept = made.max(*kept);
        }
    }
}

/// What comes of a finding, whose budgets are taken to have room.
pub(crate) fn made(finding: &Finding<'_>) -> Made {
    let before = finding.before.as_ref().map_or(finding.verdict, |before| before.verdict);
    let enforced = (finding.verdict, before) == (Verdict::Enforce, Verdict::Enforce);
    if enforced && !finding.live && finding.event_time.is_some() { Made::Surely } else { Made::Perhaps }
}
