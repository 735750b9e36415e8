//! What a person says about an incident that waits for one.

use chrono::{DateTime, Utc};

use crate::incident::{Answer, Incident, IncidentId, State};
use crate::ledger::{Ledger, LedgerError};

/// Why an answer was not taken.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// It does not wait for anybody.
    #[error("incident {incident} is {state}: it does not wait for an answer")]
    NotPending {
        /// The incident.
        incident: IncidentId,
        /// Where it stands.
        state: State,
    },
    /// It has waited too long.
    #[error(
        "incident {incident} could be approved until {until}; look at the resource, and act by hand if it is still open"
    )]
    Expired {
        /// The incident.
        incident: IncidentId,
        /// Until when it could be approved.
        until: DateTime<Utc>,
    },
    /// The answer could not be stored, or somebody else answered at the same time.
    #[error("the answer was not stored")]
    Ledger(#[from] LedgerError),
}

/// Why a confirmation was not taken.
#[derive(Debug, thiserror::Error)]
pub enum ConfirmError {
    /// Nothing of it would be taken back by itself.
    #[error("incident {incident} is {state} and has no lease that could end, so there is nothing to confirm")]
    NoLease {
        /// The incident.
        incident: IncidentId,
        /// Where it stands.
        state: State,
    },
    /// The confirmation could not be stored, or somebody else changed the incident at the same time.
    #[error("the confirmation was not stored")]
    Ledger(#[from] LedgerError),
}

/// Stores that what was done under a lease shall stay, and returns the incident as it stands now.
pub async fn confirm<L: Ledger>(ledger: &L, incident: Incident, answer: Answer) -> Result<Incident, ConfirmError> {
    if incident.state != State::Contained || incident.release_at.is_none() {
        return Err(ConfirmError::NoLease { incident: incident.id, state: incident.state });
    }
    let revision = incident.revision + 1;
    let confirmed = Incident { revision, release_at: None, confirmed: Some(answer), ..incident };
    ledger.amend(&confirmed).await?;
    Ok(confirmed)
}

/// Stores what a person says about a pending incident, and returns the incident as it stands now.
pub async fn answer<L: Ledger>(ledger: &L, incident: Incident, answer: Answer) -> Result<Incident, AnswerError> {
    let id = incident.id.clone();
    match incident.expires() {
        None => Err(AnswerError::NotPending { incident: id, state: incident.state }),
        Some(until) if answer.approved && until <= answer.at => Err(AnswerError::Expired { incident: id, until }),
        Some(_) => {
            let state = if answer.approved { State::Approved } else { State::Rejected };
            let revision = incident.revision + 1;
            let answered = Incident { state, revision, answer: Some(answer), ..incident };
            ledger.amend(&answered).await?;
            Ok(answered)
        }
    }
}
