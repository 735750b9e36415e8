//! The durable record of one finding.

use std::fmt;
use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use cloudtrail::{AccountId, Actor, Body, Call, Event, EventId, Region};
use policy::{Cause, Resource, Severity};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::change::ChangeKey;
use crate::contest::Contest;
use crate::responder::{Certainty, Finding};
use crate::shadow::Shadow;

/// Derived from the event's id, the responder and the resource, so that a second delivery meets the first one's record.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IncidentId(String);

impl IncidentId {
    /// The id of the incident that `event` is for `responder` and `resource`.
    #[must_use]
    pub fn derive(event: &EventId, responder: &str, resource: &Resource) -> Self {
        let mut hash = Sha256::new();
        for part in [event.as_str(), responder, resource.arn.as_str()] {
            // Lengths keep `("ab", "c")` and `("a", "bc")` apart.
            hash.update(part.len().to_be_bytes());
            hash.update(part.as_bytes());
        }
        let mut id = format!("{:x}", hash.finalize());
        id.truncate(20);
        Self(id)
    }

    /// An id as a person typed it.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IncidentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where an incident stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// A run is at work on it, or died at work on it: see the lease.
    Claimed,
    /// Changed, and seen to be safe.
    Contained,
    /// Nothing had to be done.
    AlreadySafe,
    /// Policy does not permit acting.
    Observed,
    /// Policy forbids acting, or an undo has declared the change wanted.
    Exempt,
    /// Real, and beyond what we can change.
    Uncontainable,
    /// Waits for a person.
    Pending,
    /// It is being fought over, and we have stopped; see [`Contest`]. Waits for a person.
    Contested,
    /// A person said yes; a run is on its way to it.
    Approved,
    /// A person said no. Final.
    Rejected,
    /// A run stopped half way; the receipt says how far it came. A redelivery goes on from there.
    Failed,
    /// A person took it back. Final.
    Undone,
}

impl State {
    /// Whether a redelivery of the event must leave the incident alone.
    #[must_use]
    pub fn is_settled(self) -> bool {
        !matches!(self, Self::Claimed | Self::Failed)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Claimed => "claimed",
            Self::Contained => "contained",
            Self::AlreadySafe => "already_safe",
            Self::Observed => "observed",
            Self::Exempt => "exempt",
            Self::Uncontainable => "uncontainable",
            Self::Pending => "pending",
            Self::Contested => "contested",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Failed => "failed",
            Self::Undone => "undone",
        })
    }
}

/// Who is at work on an incident, and until when nobody else may be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The Lambda request id: the same in each retry of one asynchronous invocation, so a retry knows its own lease.
    pub owner: String,
    /// When the run that took it must have ended.
    pub until: DateTime<Utc>,
}

/// One change that we made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// What it is about.
    pub key: ChangeKey,
    /// The change in words.
    pub did: String,
    /// The change itself.
    pub change: Value,
    /// When it was made.
    pub at: DateTime<Utc>,
    /// Whether a run that died is presumed to have made it: it was planned, and found made.
    pub presumed: bool,
    /// When it was taken back.
    pub undone: Option<DateTime<Utc>>,
}

/// For how long a finding waits for a person. After that the account is too likely to have moved on.
pub const PENDING_FOR: TimeDelta = TimeDelta::hours(24);

/// What a person said about an incident that waited for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Yes or no.
    pub approved: bool,
    /// The ARN of the operator's verified identity.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
    /// The operator's reason.
    pub reason: Option<String>,
}

/// Who took an incident back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undone {
    /// The ARN of the operator's verified identity, or of the function that ends leases.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
    /// Whether the account had changed meanwhile and the undo was forced.
    pub forced: bool,
    /// Whether it was taken back because its lease had ended.
    #[serde(default)]
    pub lease_ended: bool,
}

/// The durable record of one finding: what was seen, decided, planned and done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Incident {
    /// See [`IncidentId::derive`].
    pub id: IncidentId,
    /// Where it stands.
    pub state: State,
    /// The responder.
    pub responder: String,
    /// The event.
    pub event_id: EventId,
    /// The operation or finding type.
    pub event_name: String,
    /// When the event happened.
    pub event_time: Option<DateTime<Utc>>,
    /// The account it happened in.
    pub account: AccountId,
    /// The region it happened in.
    pub region: Region,
    /// Who did it.
    pub actor: Actor,
    /// Where the call came from, if the event tells.
    pub source_ip: Option<IpAddr>,
    /// How the client described itself. Never to be trusted.
    pub user_agent: Option<String>,
    /// What it is about.
    pub resource: Resource,
    /// How bad it is.
    pub severity: Severity,
    /// How sure the event made us.
    pub certainty: Certainty,
    /// What is wrong, in the responder's words.
    pub subject: Value,
    /// What the event named as the resource; the look at the account may have given it a fuller name.
    pub named: Resource,
    /// What policies could ask about.
    pub facts: Value,
    /// How the account looked before.
    pub before: Value,
    /// `enforce`, `approve`, `observe` or `exempt`.
    pub verdict: String,
    /// The policies that made the verdict.
    pub policies: Vec<Cause>,
    /// Why, in one sentence.
    pub because: String,
    /// The changes that would make it safe.
    pub plan: Vec<Value>,
    /// The changes that we made.
    pub receipt: Vec<Entry>,
    /// When the first run began.
    pub opened: DateTime<Utc>,
    /// When the last change was made, if the incident is contained.
    pub contained: Option<DateTime<Utc>>,
    /// Why the last run failed.
    pub error: Option<String>,
    /// Counts the writes of this record: no write goes through that was made from an older one.
    pub revision: u64,
    /// Who is at work on it.
    pub lease: Option<Lease>,
    /// What a person said when it waited for one.
    pub answer: Option<Answer>,
    /// Who took it back.
    pub undone: Option<Undone>,
    /// How the account looked when the changes were seen to have shown.
    pub after: Option<Value>,
    /// The incident before this one in which we changed the same resource.
    pub previous: Option<IncidentId>,
    /// The fight over the resource, if the incident is contested.
    pub contest: Option<Contest>,
    /// When what was done is taken back by itself, unless a person confirms it before: the end of the policy's `@lease`.
    pub release_at: Option<DateTime<Utc>>,
    /// Who confirmed that what was done under a lease shall stay.
    pub confirmed: Option<Answer>,
    /// What the shadow policies say, where a deployment has some.
    pub shadow: Option<Shadow>,
}

impl Incident {
    /// Until when a person can approve it, if it waits for one.
    #[must_use]
    pub fn expires(&self) -> Option<DateTime<Utc>> {
        matches!(self.state, State::Pending | State::Contested).then(|| self.opened + PENDING_FOR)
    }

    /// Whether a person has approved it.
    #[must_use]
    pub fn is_approved(&self) -> bool {
        self.answer.as_ref().is_some_and(|answer| answer.approved)
    }

    /// What is wrong, as the responder found it.
    pub(crate) fn finding<S: DeserializeOwned>(&self) -> Result<Finding<S>, serde_json::Error> {
        Ok(Finding {
            resource: self.named.clone(),
            severity: self.severity,
            certainty: self.certainty,
            subject: S::deserialize(&self.subject)?,
        })
    }

    /// The event, as far as it is remembered: enough to ask the policies again, without the call's parameters.
    #[must_use]
    pub fn event(&self) -> Event {
        let call = Call::remembered(self.event_name.clone(), self.source_ip, self.user_agent.clone());
        Event {
            id: self.event_id.clone(),
            account: self.account.clone(),
            region: self.region.clone(),
            time: self.event_time,
            actor: self.actor.clone(),
            body: Body::Call(call),
        }
    }
}
