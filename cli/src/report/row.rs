//! An incident as a report tells it.

use chrono::{DateTime, TimeDelta, Utc};
use cloudtrail::Actor;
use policy::{Cause, Severity};
use remedy::{Answer, Certainty, Contest, Entry, Incident, PENDING_FOR, Predicted, Shadow, State, Undone};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::responders;

/// An incident in the form that `incidents show --format json` gives it, and a little more. What `incidents list`
/// leaves out may be missing. Other programs rely on this form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Row {
    pub(super) incident: String,
    pub(super) state: State,
    pub(super) opened: DateTime<Utc>,
    pub(super) responder: String,
    pub(super) event_id: String,
    pub(super) event_name: String,
    pub(super) event_time: Option<DateTime<Utc>>,
    pub(super) account: String,
    pub(super) region: String,
    pub(super) actor: String,
    pub(super) resource: String,
    pub(super) certainty: Certainty,
    pub(super) severity: Severity,
    pub(super) verdict: String,
    pub(super) policies: Vec<String>,
    pub(super) because: String,
    pub(super) contained: Option<DateTime<Utc>>,
    pub(super) undone: Option<Undone>,
    pub(super) error: Option<String>,
    #[serde(default)]
    pub(super) answer: Option<Answer>,
    #[serde(default)]
    pub(super) release_at: Option<DateTime<Utc>>,
    #[serde(default)]
    pub(super) confirmed: Option<Answer>,
    #[serde(default)]
    pub(super) contest: Option<Contest>,
    #[serde(default)]
    pub(super) shadow: Option<Shadow>,
    #[serde(default)]
    pub(super) source_ip: Option<IpAddr>,
    #[serde(default)]
    pub(super) user_agent: Option<String>,
    #[serde(default)]
    pub(super) tags: Option<BTreeMap<String, String>>,
    #[serde(default)]
    pub(super) identity: Option<Actor>,
    #[serde(default)]
    pub(super) causes: Vec<Cause>,
    /// Missing where the line was not told the evidence.
    #[serde(default)]
    pub(super) facts: Option<Value>,
    #[serde(default)]
    pub(super) before: Value,
    #[serde(default)]
    pub(super) after: Option<Value>,
    #[serde(default)]
    pub(super) plan: Vec<Value>,
    #[serde(default)]
    pub(super) receipt: Vec<Entry>,
}

/// A line that is no incident.
#[derive(Debug, thiserror::Error)]
#[error("line {line} is no incident")]
pub(super) struct RowError {
    line: usize,
    source: serde_json::Error,
}

/// One incident a line; empty lines are none.
pub(super) fn parse(text: &str) -> Result<Vec<Row>, RowError> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(index, line)| serde_json::from_str(line).map_err(|source| RowError { line: index + 1, source }))
        .collect()
}

impl From<Incident> for Row {
    fn from(incident: Incident) -> Self {
        Self {
            incident: incident.id.to_string(),
            state: incident.state,
            opened: incident.opened,
            responder: incident.responder,
            event_id: incident.event_id.to_string(),
            event_name: incident.event_name,
            event_time: incident.event_time,
            account: incident.account.to_string(),
            region: incident.region.to_string(),
            actor: incident.actor.principal.to_string(),
            resource: incident.resource.arn.to_string(),
            certainty: incident.certainty,
            severity: incident.severity,
            verdict: incident.verdict,
            policies: incident.policies.iter().map(|cause| cause.id.to_string()).collect(),
            because: incident.because,
            contained: incident.contained,
            undone: incident.undone,
            error: incident.error,
            answer: incident.answer,
            release_at: incident.release_at,
            confirmed: incident.confirmed,
            contest: incident.contest,
            shadow: incident.shadow,
            source_ip: incident.source_ip,
            user_agent: incident.user_agent,
            tags: incident.resource.tags,
            identity: Some(incident.actor),
            causes: incident.policies,
            facts: Some(incident.facts),
            before: incident.before,
            after: incident.after,
            plan: incident.plan,
            receipt: incident.receipt,
        }
    }
}

/// What a state means for whoever reads a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    /// Found or made safe.
    Safe,
    /// Waits for a person, or is being worked on.
    Waiting,
    /// Still open as far as we know.
    Trouble,
    /// Policy or a person left it as it was.
    LeftAlone,
    /// Somebody took back what we did.
    TakenBack,
}

impl Standing {
    pub(super) const ALL: [Self; 5] = [Self::Safe, Self::Waiting, Self::Trouble, Self::LeftAlone, Self::TakenBack];

    pub(super) fn of(state: State) -> Self {
        match state {
            State::Contained | State::AlreadySafe => Self::Safe,
            State::Pending | State::Contested | State::Approved | State::Claimed => Self::Waiting,
            State::Failed | State::Uncontainable => Self::Trouble,
            State::Observed | State::Exempt | State::Rejected => Self::LeftAlone,
            State::Undone => Self::TakenBack,
        }
    }

    /// In words.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Safe => "safe",
            Self::Waiting => "waiting",
            Self::Trouble => "needs a person",
            Self::LeftAlone => "left alone",
            Self::TakenBack => "undone",
        }
    }

    /// The name of its colours in the style sheet.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Safe => "safe",
            Self::Waiting => "waiting",
            Self::Trouble => "trouble",
            Self::LeftAlone => "left",
            Self::TakenBack => "undone",
        }
    }
}

/// What became, or can become, of our changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Undo<'a> {
    /// We changed nothing.
    Nothing,
    /// They stand, and can be taken back.
    Possible,
    /// Some were taken back: `done` of `all`.
    Partly { done: usize, all: usize },
    /// All were taken back.
    Done(&'a Undone),
}

impl Row {
    pub(super) fn standing(&self) -> Standing {
        Standing::of(self.state)
    }

    /// From the event to the last change. A clock that runs backwards measures nothing.
    pub(super) fn took(&self) -> Option<TimeDelta> {
        Some(self.contained? - self.event_time?).filter(|took| *took >= TimeDelta::zero())
    }

    /// Until when it waits, or waited, for a person.
    pub(super) fn expires(&self) -> Option<DateTime<Utc>> {
        matches!(self.state, State::Pending | State::Contested)
            .then(|| self.opened.checked_add_signed(PENDING_FOR))
            .flatten()
    }

    pub(super) fn undo(&self) -> Undo<'_> {
        let (done, all) = (self.receipt.iter().filter(|entry| entry.undone.is_some()).count(), self.receipt.len());
        match (&self.undone, done) {
            (Some(undone), _) => Undo::Done(undone),
            (None, _) if all == 0 => Undo::Nothing,
            (None, 0) => Undo::Possible,
            (None, _) => Undo::Partly { done, all },
        }
    }

    /// A change in words; as it is stored where the responder of this build does not know it.
    pub(super) fn words(&self, change: &Value) -> Result<Predicted, String> {
        let entry = responders::Entry::named(&self.responder).ok_or_else(|| change.to_string())?;
        (entry.words)(change).map_err(|_| change.to_string())
    }
}
