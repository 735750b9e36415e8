//! What became of an event's findings.

use cloudtrail::Arn;
use serde::Serialize;

use crate::incident::{Entry, Incident, IncidentId};
use crate::respond_error::RespondError;
use crate::shadow::Shadow;

/// What became of a finding in this run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Changed, and seen to be safe.
    Contained,
    /// Nothing had to be done.
    AlreadySafe,
    /// Policy does not permit acting.
    Observed,
    /// Waits for a person.
    Pending,
    /// It is being fought over, and we have stopped: waits for a person.
    Contested,
    /// Policy forbids acting, or an undo has declared the change wanted.
    Exempt,
    /// Another delivery of the event has been, or is being, dealt with.
    Duplicate,
    /// Real, and beyond what we can change.
    Uncontainable,
    /// Stopped half way.
    Failed,
}

/// What became of a finding, for the one who invoked us.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// The incident's id.
    pub incident: IncidentId,
    /// The responder.
    pub responder: String,
    /// The ARN of the resource.
    pub resource: Arn,
    /// Who did it: the ARN of the user or role, or the name of the service.
    pub actor: String,
    /// What policy says.
    pub verdict: String,
    /// The ids of the policies that made the verdict.
    pub policies: Vec<String>,
    /// What became of it.
    pub status: Status,
    /// Why, in one sentence.
    pub because: String,
    /// What we changed.
    pub changes: Vec<Entry>,
    /// The budget of a policy that had no room for it, if that is why it waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spent: Option<String>,
    /// What the shadow policies say, where there are some; told once, and not of a duplicate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shadow: Option<Shadow>,
}

impl Outcome {
    pub(crate) fn of(incident: &Incident, status: Status) -> Self {
        Self {
            incident: incident.id.clone(),
            responder: incident.responder.clone(),
            resource: incident.resource.arn.clone(),
            actor: incident.actor.principal.to_string(),
            verdict: incident.verdict.clone(),
            policies: incident.policies.iter().map(|cause| cause.id.to_string()).collect(),
            status,
            because: incident.because.clone(),
            changes: incident.receipt.clone(),
            spent: None,
            shadow: incident.shadow.clone().filter(|_| status != Status::Duplicate),
        }
    }
}

/// What became of an event.
#[derive(Debug)]
pub struct Responded {
    /// One for each finding that was dealt with.
    pub outcomes: Vec<Outcome>,
    /// The first finding that was not, if any: the event must come again.
    pub failure: Option<RespondError>,
}
