//! What would be done about an event, from the event alone.

use chrono::{DateTime, Utc};
use cloudtrail::{Event, EventError};
use policy::{Decision, Policies, Request, Resource, Severity};

use crate::change::{Change, ChangeKey};
use crate::incident::IncidentId;
use crate::ledger::Memory;
use crate::responder::{Certainty, Finding, Plan, Remedy, Responder, Situation};

/// A finding, the verdict on it and the plan that its event lets us expect.
#[derive(Debug)]
pub struct Explanation<C> {
    /// The incident the functions would open.
    pub incident: IncidentId,
    /// The responder.
    pub responder: &'static str,
    /// How sure the event makes us: with [`Certainty::Live`] the plan is only what may happen.
    pub certainty: Certainty,
    /// How bad it is.
    pub severity: Severity,
    /// What the event named as the resource: the ledger goes by that.
    pub named: Resource,
    /// Resource, facts and changes to expect.
    pub plan: Plan<C>,
    /// The verdict, as far as it does not hang on live tags and facts.
    pub decision: Decision,
    /// [`Responder::hangs_on`]
    pub hangs_on: Option<ChangeKey>,
}

/// A change to expect, in words, and the one that would take it back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Predicted {
    /// What would be done.
    pub does: String,
    /// What would undo it.
    pub undo: String,
}

/// Explains every finding of one responder in the event. Makes no call. What an event makes sure of and the plan has
/// nothing to say against is no finding: it opens a resource to accounts that are trusted.
pub fn explain<R: Responder>(
    event: &Event,
    policies: &Policies,
    now: DateTime<Utc>,
) -> Result<Vec<Explanation<Predicted>>, EventError> {
    let in_words = |change: &R::Change| Predicted { does: change.to_string(), undo: change.inverse().to_string() };
    explain_all::<R, _>(event, policies, now, in_words)
}

/// As [`explain`], but of a change says only what it is about: for many events, to word the plans would be much of the work.
pub fn explain_briefly<R: Responder>(
    event: &Event,
    policies: &Policies,
    now: DateTime<Utc>,
) -> Result<Vec<Explanation<ChangeKey>>, EventError> {
    explain_all::<R, _>(event, policies, now, Change::key)
}

/// The incidents that the functions would open for one responder's findings in the event.
pub fn incidents_of<R: Responder>(event: &Event) -> Result<Vec<IncidentId>, EventError> {
    let id = |finding: Finding<_>| IncidentId::derive(&event.id, R::SPEC.name, &finding.resource);
    Ok(R::detect(event)?.into_iter().map(id).collect())
}

fn explain_all<R: Responder, C>(
    event: &Event,
    policies: &Policies,
    now: DateTime<Utc>,
    tell: impl Fn(&R::Change) -> C,
) -> Result<Vec<Explanation<C>>, EventError> {
    let findings = R::detect(event)?;
    Ok(findings.into_iter().filter_map(|finding| explain_one::<R, C>(event, policies, now, finding, &tell)).collect())
}

fn explain_one<R: Responder, C>(
    event: &Event,
    policies: &Policies,
    now: DateTime<Utc>,
    finding: Finding<R::Subject>,
    tell: impl Fn(&R::Change) -> C,
) -> Option<Explanation<C>> {
    let memory = Memory::default();
    let situation = Situation { now, event_time: event.time, memory, trusted: policies.trusted().clone() };
    let Plan { resource, facts, remedy } = R::plan(&finding, &R::presume(&finding), &situation);
    if finding.certainty == Certainty::Event && remedy == Remedy::AlreadySafe {
        return None;
    }
    let responder = R::SPEC.name;
    let Finding { severity, certainty, .. } = finding;
    let decision = policies.decide(&Request { responder, now, event, resource: &resource, severity, facts: &facts });
    let remedy = match remedy {
        Remedy::AlreadySafe => Remedy::AlreadySafe,
        Remedy::Uncontainable { next_step } => Remedy::Uncontainable { next_step },
        Remedy::Changes(changes) => Remedy::Changes(changes.iter().map(tell).collect()),
    };
    Some(Explanation {
        incident: IncidentId::derive(&event.id, responder, &finding.resource),
        responder,
        certainty,
        severity,
        hangs_on: R::hangs_on(&finding),
        named: finding.resource,
        plan: Plan { resource, facts, remedy },
        decision,
    })
}
