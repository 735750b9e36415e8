//! One finding, as a line of the output tells it.

use std::borrow::Cow;
use std::fmt;

use chrono::{DateTime, Utc};
use cloudtrail::Principal;
use policy::Severity;
use remedy::{Certainty, IncidentId, Remedy};
use serde::{Deserialize, Serialize};

use crate::held::Held;

/// A finding and what the policies say to it. Other programs rely on this form; the fields up to `policies` come first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding<'a> {
    /// CloudTrail's `eventID`, or the id of the envelope.
    pub event_id: Cow<'a, str>,
    /// To the millisecond; `None` where the record's time cannot be read.
    pub event_time: Option<DateTime<Utc>>,
    /// The operation, or the type of a finding of another service.
    pub event_name: Cow<'a, str>,
    /// The account it happened in.
    pub account: Cow<'a, str>,
    /// The region it happened in.
    pub region: Cow<'a, str>,
    /// Who did it, as policies name it: a role session is its role.
    pub actor: Cow<'a, str>,
    /// The responder.
    pub responder: Cow<'a, str>,
    /// The ARN of what the responder would change, as far as the event tells it.
    pub resource: Cow<'a, str>,
    /// How sure the event makes us.
    pub certainty: Certainty,
    /// What the policies say, as far as it does not hang on live state.
    pub verdict: Verdict,
    /// The policies that made the verdict.
    pub policies: Vec<Cow<'a, str>>,
    /// How bad it is.
    pub severity: Severity,
    /// Why the verdict is what it is, in a sentence.
    pub because: Cow<'a, str>,
    /// Whether the live account may lead to another answer.
    pub live: bool,
    /// What the event lets us expect of the plan.
    pub plan: Expected,
    /// The kind of actor: the entity type that policies know it by.
    pub actor_kind: ActorKind,
    /// The name of the role session.
    pub session: Option<Cow<'a, str>>,
    /// The incident that the functions would have opened.
    pub incident: FindingId,
    /// What other policies say, where two sets are compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Opinion<'a>>,
    /// What it has to do with the ledger, until that is settled.
    #[serde(default, skip_serializing_if = "Held::is_nothing")]
    pub held: Held,
}

/// What one set of policies says to a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opinion<'a> {
    /// The verdict.
    pub verdict: Verdict,
    /// The policies that made it.
    pub policies: Vec<Cow<'a, str>>,
    /// Why, in a sentence.
    pub because: Cow<'a, str>,
}

impl Finding<'_> {
    /// Whether the policies let Countermand act or ask, if the live account does not say otherwise.
    #[must_use]
    pub fn would_be_acted_on(&self) -> bool {
        self.verdict.acts()
    }

    /// Whether the two sets of policies that are compared differ about it.
    #[must_use]
    pub fn has_changed(&self) -> bool {
        self.before.as_ref().is_some_and(|before| before.verdict != self.verdict)
    }
}

/// The verdict without the right to act on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// A policy forbids it.
    Exempt,
    /// Only report: no policy permits it.
    Observe,
    /// Ask a person first.
    Approve,
    /// Act now.
    Enforce,
}

impl Verdict {
    /// All of them, the one that does most first.
    pub const ALL: [Self; 4] = [Self::Enforce, Self::Approve, Self::Observe, Self::Exempt];

    /// The word used everywhere.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Approve => "approve",
            Self::Observe => "observe",
            Self::Exempt => "exempt",
        }
    }

    /// Whether Countermand would act or ask.
    #[must_use]
    pub const fn acts(self) -> bool {
        matches!(self, Self::Enforce | Self::Approve)
    }
}

impl From<&policy::Verdict> for Verdict {
    fn from(verdict: &policy::Verdict) -> Self {
        match verdict {
            policy::Verdict::Enforce(_) => Self::Enforce,
            policy::Verdict::Approve => Self::Approve,
            policy::Verdict::Observe => Self::Observe,
            policy::Verdict::Exempt => Self::Exempt,
        }
    }
}

/// What the event alone lets us expect of the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Expected {
    /// Changes that would make it safe.
    Changes,
    /// Nothing, as far as the event tells.
    Nothing,
    /// Nothing that Countermand can do would help: a person must.
    Person,
}

impl Expected {
    /// The word that lines have for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Changes => "changes",
            Self::Nothing => "nothing",
            Self::Person => "person",
        }
    }
}

impl<C> From<&Remedy<C>> for Expected {
    fn from(remedy: &Remedy<C>) -> Self {
        match remedy {
            Remedy::Changes(_) => Self::Changes,
            Remedy::AlreadySafe => Self::Nothing,
            Remedy::Uncontainable { .. } => Self::Person,
        }
    }
}

/// The Cedar entity type of an actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ActorKind {
    /// `User`
    User,
    /// `Role`
    Role,
    /// `Root`
    Root,
    /// `Federated`
    Federated,
    /// `Service`
    Service,
    /// `Account`
    Account,
    /// `Unknown`
    Unknown,
}

impl ActorKind {
    /// The name of the entity type.
    #[must_use]
    pub const fn entity_type(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Role => "Role",
            Self::Root => "Root",
            Self::Federated => "Federated",
            Self::Service => "Service",
            Self::Account => "Account",
            Self::Unknown => "Unknown",
        }
    }
}

impl From<&Principal> for ActorKind {
    fn from(principal: &Principal) -> Self {
        match principal {
            Principal::User(_) => Self::User,
            Principal::Role(_) => Self::Role,
            Principal::Root(_) => Self::Root,
            Principal::Federated(_) => Self::Federated,
            Principal::Service(_) => Self::Service,
            Principal::Account(_) => Self::Account,
            Principal::Unknown => Self::Unknown,
        }
    }
}

/// What makes a finding the same as another: the incident id that event, responder and resource give it, which is 20
/// hexadecimal digits, in half the room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FindingId([u8; 10]);

/// Text that is not the id of an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an incident's id is 20 hexadecimal digits")]
pub struct NotAFinding;

impl TryFrom<&IncidentId> for FindingId {
    type Error = NotAFinding;

    fn try_from(id: &IncidentId) -> Result<Self, NotAFinding> {
        let text = id.as_str();
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() != 20 || !text.bytes().all(is_digit) {
            return Err(NotAFinding);
        }
        let number = u128::from_str_radix(text, 16).map_err(|_| NotAFinding)?;
        let [_, _, _, _, _, _, id @ ..] = number.to_be_bytes();
        Ok(Self(id))
    }
}

impl TryFrom<String> for FindingId {
    type Error = NotAFinding;

    fn try_from(text: String) -> Result<Self, NotAFinding> {
        Self::try_from(&IncidentId::new(text))
    }
}

impl From<FindingId> for String {
    fn from(id: FindingId) -> Self {
        id.to_string()
    }
}

impl fmt::Display for FindingId {
    /// The 20 digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
