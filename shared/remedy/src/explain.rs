//! What would be done about an event, from the event alone.

use chrono::{DateTime, Utc};
use cloudtrail::{Event, EventError};
use policy::{Decision, Policies, Request, Severity};

use crate::change::{Change, ChangeKey};
use crate::incident::IncidentId;
use crate::ledger::{Memory, MemoryKey};
use crate::responder::{Certainty, Finding, Plan, Remedy, Responder, Situation};

/// A finding, the verdict on it and the plan that its event lets us expect.
#[derive(Debug)]
pub struct Explanation {
    /// The incident the functions would open.
    pub incident: IncidentId,
    /// The responder.
    pub responder: &'static str,
    /// How sure the event makes us: with [`Certainty::Live`] the plan is only what may happen.
    pub certainty: Certainty,
    /// How bad it is.
    pub severity: Severity,
    /// Resource, facts and changes to expect.
    pub plan: Plan<Predicted>,
    /// The verdict, as far as it does not hang on live tags and facts.
    pub decision: Decision,
    /// Where the ledger remembers what is done about it.
    pub memory: MemoryKey,
    /// What the ledger would then hold of it: the changes of the plan.
    pub makes: Vec<ChangeKey>,
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
) -> Result<Vec<Explanation>, EventError> {
    let explained = R::detect(event)?.into_iter().map(|finding| explain_one::<R>(event, policies, now, &finding));
    let is_finding = |it: &Explanation| it.certainty == Certainty::Live || it.plan.remedy != Remedy::AlreadySafe;
    Ok(explained.filter(is_finding).collect())
}

/// The incidents that the functions would open for one responder's findings in the event.
pub fn incidents_of<R: Responder>(event: &Event) -> Result<Vec<IncidentId>, EventError> {
    let id = |finding: Finding<_>| IncidentId::derive(&event.id, R::SPEC.name, &finding.resource);
    Ok(R::detect(event)?.into_iter().map(id).collect())
}

fn explain_one<R: Responder>(
    event: &Event,
    policies: &Policies,
    now: DateTime<Utc>,
    finding: &Finding<R::Subject>,
) -> Explanation {
    let memory = Memory::default();
    let situation = Situation { now, event_time: event.time, memory, trusted: policies.trusted().clone() };
    let Plan { resource, facts, remedy } = R::plan(finding, &R::presume(finding), &situation);
    let decision = policies.decide(&Request {
        responder: R::SPEC.name,
        now,
        event,
        resource: &resource,
        severity: finding.severity,
        facts: &facts,
    });
    let makes = match &remedy {
        Remedy::Changes(changes) => changes.iter().map(Change::key).collect(),
        Remedy::AlreadySafe | Remedy::Uncontainable { .. } => Vec::new(),
    };
    let remedy = match remedy {
        Remedy::AlreadySafe => Remedy::AlreadySafe,
        Remedy::Uncontainable { next_step } => Remedy::Uncontainable { next_step },
        Remedy::Changes(changes) => {
            let predict =
                |change: R::Change| Predicted { does: change.to_string(), undo: change.inverse().to_string() };
            Remedy::Changes(changes.into_iter().map(predict).collect())
        }
    };
    Explanation {
        incident: IncidentId::derive(&event.id, R::SPEC.name, &finding.resource),
        responder: R::SPEC.name,
        certainty: finding.certainty,
        severity: finding.severity,
        memory: MemoryKey::of(R::SPEC.name, &finding.resource),
        plan: Plan { resource, facts, remedy },
        decision,
        makes,
        hangs_on: R::hangs_on(finding),
    }
}
