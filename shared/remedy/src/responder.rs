//! What a responder is.

use chrono::{DateTime, Utc};
use cloudtrail::{Event, EventError};
use policy::{Facts, Resource, Severity, Trusted, Warrant};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::call_error::CallError;
use crate::change::{Applied, Change, ChangeKey};
use crate::incident::IncidentId;
use crate::ledger::Memory;

/// Everything about a responder that is not code, read from the files of its folder.
#[derive(Debug, Clone, Copy)]
pub struct Spec {
    /// Folder, package, binary, function and Cedar action.
    pub name: &'static str,
    /// `pattern.json`, the EventBridge pattern of the CloudTrail records it answers.
    pub pattern: &'static str,
    /// `permissions.json`.
    pub permissions: &'static str,
    /// `controls.json`.
    pub controls: &'static str,
    /// `techniques.json`.
    pub techniques: &'static str,
    /// `schema.cedarschema`.
    pub schema: &'static str,
    /// `README.md`.
    pub readme: &'static str,
}

/// Gathers the files of the calling crate's folder.
#[macro_export]
macro_rules! spec {
    () => {
        $crate::Spec {
            name: env!("CARGO_PKG_NAME"),
            pattern: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/pattern.json")),
            permissions: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/permissions.json")),
            controls: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/controls.json")),
            techniques: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/techniques.json")),
            schema: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/schema.cedarschema")),
            readme: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")),
        }
    };
}

/// How sure the event alone makes us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Certainty {
    /// The event shows that the exposure was made.
    Event,
    /// Only the live state can tell.
    Live,
}

/// What is wrong, according to one event.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding<S> {
    /// What it is about, as far as the event names it.
    pub resource: Resource,
    /// How bad it is.
    pub severity: Severity,
    /// How sure the event makes us.
    pub certainty: Certainty,
    /// What the responder needs to look again.
    pub subject: S,
}

/// What the plan is made from besides the finding and the live state.
#[derive(Debug, Clone, Default)]
pub struct Situation {
    /// The time.
    pub now: DateTime<Utc>,
    /// When the event happened, if that is known.
    pub event_time: Option<DateTime<Utc>>,
    /// What the ledger knows of the resource.
    pub memory: Memory,
    /// Which accounts are not foreign.
    pub trusted: Trusted,
}

/// What would make it safe again.
#[derive(Debug, Clone, PartialEq)]
pub enum Remedy<C> {
    /// Nothing is (any longer) wrong.
    AlreadySafe,
    /// These changes, in this order. Never empty.
    Changes(Vec<C>),
    /// It is wrong, and no change of ours can help.
    Uncontainable {
        /// What a person should do next: a sentence.
        next_step: String,
    },
}

/// What was seen and what to do about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan<C> {
    /// The resource, now with its full name and live tags.
    pub resource: Resource,
    /// What policies may ask about.
    pub facts: Facts,
    /// What would make it safe again.
    pub remedy: Remedy<C>,
}

/// One kind of response: one folder, one Lambda function, one IAM role.
#[expect(async_fn_in_trait, reason = "used inside this workspace only, on a single-threaded runtime")]
pub trait Responder {
    /// The files of its folder.
    const SPEC: Spec;
    /// What is wrong, in its own words; kept in the ledger so that an undo can look again.
    type Subject: std::fmt::Debug + Serialize + DeserializeOwned;
    /// What it reads before it acts; kept in the ledger as evidence.
    type Observed: std::fmt::Debug + Serialize;
    /// What it does.
    type Change: Change;

    /// What is wrong according to the event. Never looks at a call that did not take effect. Every account but the
    /// event's own is foreign here; [`Responder::plan`] knows which are trusted.
    fn detect(event: &Event) -> Result<Vec<Finding<Self::Subject>>, EventError>;

    /// What may be wrong according to an event that names no resource, such as an alarm: a finding for each resource in the
    /// account and region that it may be about, [`Certainty::Live`]. What [`Responder::detect`] cannot tell, since it makes
    /// no call; so it is in no explanation and no backtest. Never writes.
    async fn suspect(&self, _: &Event) -> Result<Vec<Finding<Self::Subject>>, CallError> {
        Ok(Vec::new())
    }

    /// The state that the event alone lets us expect, for explaining and backtesting without an account.
    fn presume(finding: &Finding<Self::Subject>) -> Self::Observed;

    /// The change of ours without which this is no finding, where only the ledger knows whether we hold it. A backtest
    /// knows it, too, since its earlier findings are what would be in the ledger. It goes by the finding's resource.
    fn hangs_on(finding: &Finding<Self::Subject>) -> Option<ChangeKey> {
        let _ = finding;
        None
    }

    /// Reads the live state. A resource that is gone is a state, not an error. Never writes.
    async fn observe(&self, finding: &Finding<Self::Subject>) -> Result<Self::Observed, CallError>;

    /// What would make it safe again.
    fn plan(finding: &Finding<Self::Subject>, observed: &Self::Observed, situation: &Situation) -> Plan<Self::Change>;

    /// Whether the account looks as `change` leaves it.
    fn holds(change: &Self::Change, observed: &Self::Observed) -> bool;

    /// Every resource in the account and region whose good state it would need to know, and that state as it is now:
    /// what `countermand baseline capture` stores and [`Memory::baseline`](crate::Memory) gives back. Never writes.
    async fn capture(&self) -> Result<Vec<(Resource, Value)>, CallError> {
        Ok(Vec::new())
    }

    /// Who makes this incident's changes, where that is not who looks: with credentials that are the incident's alone.
    async fn for_incident(&self, _incident: &IncidentId) -> Result<Option<Self>, CallError>
    where
        Self: Sized,
    {
        Ok(None)
    }

    /// Makes one change, in one attempt. Idempotent. [`Path`](crate::Path) tries again where that can help: a retry
    /// inside this call would find a change made whose first answer was lost, and take it for somebody else's.
    async fn apply(&self, change: &Self::Change, warrant: &Warrant) -> Result<Applied, CallError>;
}
