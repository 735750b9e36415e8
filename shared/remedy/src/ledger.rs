//! What must be remembered, and what must happen at most once.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use policy::Resource;
use serde_json::Value;

use crate::change::ChangeKey;
use crate::incident::{Incident, IncidentId};

/// For how long an undo keeps its responder from closing again what it opened: as long as the event of the re-opening
/// can still arrive, which is the longest retention of a dead-letter queue. Source: Amazon SQS Developer Guide,
/// "Amazon SQS message quotas".
pub const WANTED_FOR: chrono::TimeDelta = chrono::TimeDelta::days(14);

/// The ledger could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("the ledger did not {act}")]
pub struct LedgerError {
    /// What was attempted: "recall an incident".
    pub act: &'static str,
    /// Why it failed.
    #[source]
    pub source: Box<dyn Error + Send + Sync>,
}

/// Names what the ledger remembers about one resource for one responder.
///
/// The last component of the ARN stands for the whole, because events name IAM users without their path.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MemoryKey(String);

impl MemoryKey {
    /// The key of `resource` for `responder`.
    #[must_use]
    pub fn of(responder: &str, resource: &Resource) -> Self {
        let arn = &resource.arn;
        let mut scope = arn.as_str().split(':').skip(3).take(2);
        let (region, account) = (scope.next().unwrap_or_default(), scope.next().unwrap_or_default());
        Self(format!("{responder}#{account}#{region}#{}#{}", resource.kind.as_str(), arn.name()))
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MemoryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What the ledger knows of a resource.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Memory {
    /// Changes of ours that nobody has taken back.
    pub held: BTreeSet<ChangeKey>,
    /// The last incident in which we changed it.
    pub last: Option<IncidentId>,
    /// Changes that an undo took back, and until when making them again is not wanted.
    pub wanted: BTreeMap<ChangeKey, DateTime<Utc>>,
    /// How it was when an operator said that this is how it should be; the responder knows the form.
    pub baseline: Option<Value>,
}

impl Memory {
    /// Whether somebody said that what `key` would change is wanted as it is.
    #[must_use]
    pub fn is_wanted(&self, key: &ChangeKey, now: DateTime<Utc>) -> bool {
        self.wanted.get(key).is_some_and(|until| *until > now)
    }
}

/// What the ledger holds before a run begins.
#[derive(Debug, Clone, Default)]
pub struct Recall {
    /// The incident, if the event was delivered before.
    pub incident: Option<Incident>,
    /// What is known of the resource.
    pub memory: Memory,
}

/// One unit of one budget, to be taken together with the claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// The budget: the policy's id and, for budgets per principal or account, that.
    pub budget: String,
    /// How many units any window may hold.
    pub count: u32,
    /// The length of the window.
    pub window: Duration,
}

/// What came of the attempt to claim an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// It is ours.
    Granted,
    /// Somebody else was first.
    Taken,
    /// This budget has no unit left; nothing was claimed.
    Spent(Charge),
}

/// The durable memory of all functions.
///
/// INVARIANT (one effect): of all concurrent attempts to claim one incident exactly one is granted, and a budget is
/// charged if and only if its claim is granted.
#[expect(async_fn_in_trait, reason = "used inside this workspace only, on a single-threaded runtime")]
pub trait Ledger {
    /// Reads, consistently, the incident and what is known of the resource.
    async fn recall(&self, id: &IncidentId, resource: &MemoryKey) -> Result<Recall, LedgerError>;

    /// Stores `incident` if there is none of its id; or, where `seen` is the unsettled record that was recalled, if it
    /// has not changed since. Takes the charges in the same transaction.
    async fn claim(
        &self,
        incident: &Incident,
        seen: Option<&Incident>,
        charges: &[Charge],
        now: DateTime<Utc>,
    ) -> Result<Claim, LedgerError>;

    /// Stores how a run ended, if the record is still its claim, and that its receipt's changes are held since then.
    /// `incident` has
    /// the revision and the lease of the claim; it is stored as the revision after it, so that whoever read the claim
    /// cannot write over the end.
    async fn settle(&self, incident: &Incident, resource: &MemoryKey) -> Result<(), LedgerError>;

    /// Stores that the changes are not wanted any more, before an undo takes them back.
    async fn want(&self, resource: &MemoryKey, keys: &[ChangeKey], until: DateTime<Utc>) -> Result<(), LedgerError>;

    /// The incident of this id.
    async fn find(&self, id: &IncidentId) -> Result<Option<Incident>, LedgerError>;

    /// Stores what an operator did to the incident, an answer or an undo, if the record is still the one before
    /// `incident.revision`. What an undo took back is not held any more.
    async fn amend(&self, incident: &Incident) -> Result<(), LedgerError>;
}
