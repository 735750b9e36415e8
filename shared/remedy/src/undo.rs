//! The receipt walked backwards.

use chrono::{DateTime, Utc};
use policy::Warrant;
use serde_json::Value;

use crate::call_error::CallError;
use crate::change::{Applied, Change};
use crate::incident::{Incident, IncidentId, State, Undone};
use crate::ledger::{Ledger, LedgerError, MemoryKey, WANTED_FOR};
use crate::path::{complete_receipt, to_value};
use crate::responder::Responder;

/// One change that is no longer as we left it.
#[derive(Debug, Clone, PartialEq)]
pub struct Drift {
    /// What we did.
    pub did: String,
    /// How the account looked before us.
    pub before: Value,
    /// How we left it, where that was recorded.
    pub after: Option<Value>,
    /// How it looks now.
    pub now: Value,
}

/// Why an incident was not undone.
#[derive(Debug, thiserror::Error)]
pub enum UndoError {
    /// There is nothing of ours in it.
    #[error("incident {incident} is {state}: we changed nothing that could be undone")]
    NothingDone {
        /// The incident.
        incident: IncidentId,
        /// Where it stands.
        state: State,
    },
    /// A function is at work on it.
    #[error("incident {incident} is being worked on until {until}; try again then")]
    AtWork {
        /// The incident.
        incident: IncidentId,
        /// When the function must have ended.
        until: DateTime<Utc>,
    },
    /// It was undone before.
    #[error("incident {incident} was undone by {by} at {at}")]
    Before {
        /// The incident.
        incident: IncidentId,
        /// Who undid it.
        by: String,
        /// When.
        at: DateTime<Utc>,
    },
    /// The record was written by a version of the responder that this one does not understand.
    #[error("the record of incident {incident} is not understood by this version; use the one that made it")]
    Unreadable {
        /// The incident.
        incident: IncidentId,
        /// Where it differs.
        source: serde_json::Error,
    },
    /// The live state could not be read; nothing was changed.
    #[error("could not look at the account; nothing was changed")]
    Observe(#[source] CallError),
    /// The account is not as we left it.
    #[error(
        "incident {incident}: the account is no longer as we left it; look at the difference, and use --force to undo all the same"
    )]
    Drifted {
        /// The incident.
        incident: IncidentId,
        /// Each change that is not as we left it.
        drifts: Vec<Drift>,
    },
    /// The ledger was not there.
    #[error("the ledger could not be used")]
    Ledger(#[from] LedgerError),
    /// A change failed; those before it are recorded as undone, and another undo goes on from there.
    #[error("incident {incident}: stopped after {done} changes; run the same command again to go on")]
    Apply {
        /// The incident.
        incident: IncidentId,
        /// How many were taken back.
        done: usize,
        /// The call that failed.
        source: CallError,
    },
}

/// What an undo did, or would do.
#[derive(Debug, Clone, PartialEq)]
pub struct UndoReport {
    /// The incident as it stands now.
    pub incident: Incident,
    /// What was (in a dry run: would be) done, in words and in order.
    pub did: Vec<String>,
    /// What somebody had taken back before us.
    pub already: Vec<String>,
}

/// An operator's wish to take something back.
#[derive(Debug)]
pub struct Undo<'a, L> {
    /// The durable memory.
    pub ledger: &'a L,
    /// The ARN of the operator's verified identity.
    pub by: &'a str,
    /// The time.
    pub now: DateTime<Utc>,
    /// Whether to go on where the account is no longer as we left it.
    pub force: bool,
    /// Whether to stop before the first write.
    pub dry_run: bool,
    /// Whether it is no person's wish but the end of a lease.
    pub lease_ended: bool,
}

impl<L: Ledger> Undo<'_, L> {
    /// Takes back every change in the incident's receipt, last first. What was taken back before is left alone, so an
    /// undo that failed half way can be run again.
    pub async fn run<R: Responder>(&self, responder: &R, mut incident: Incident) -> Result<UndoReport, UndoError> {
        self.refuse(&incident)?;
        let id = incident.id.clone();
        let unreadable = |source| UndoError::Unreadable { incident: id.clone(), source };
        let finding = incident.finding::<R::Subject>().map_err(unreadable)?;
        let observed = responder.observe(&finding).await.map_err(UndoError::Observe)?;
        if !incident.state.is_settled() {
            complete_receipt::<R>(&mut incident, &observed, self.now);
        }
        if incident.receipt.is_empty() {
            return Err(UndoError::NothingDone { incident: id, state: incident.state });
        }

        let (mut to_do, mut already, mut drifts) = (Vec::new(), Vec::new(), Vec::new());
        for (index, entry) in incident.receipt.iter().enumerate().rev().filter(|(_, entry)| entry.undone.is_none()) {
            let change: R::Change = serde_json::from_value(entry.change.clone()).map_err(unreadable)?;
            let inverse = change.inverse();
            if R::holds(&inverse, &observed) {
                already.push((index, entry.did.clone()));
                continue;
            }
            if !R::holds(&change, &observed) {
                let (before, after) = (incident.before.clone(), incident.after.clone());
                drifts.push(Drift { did: entry.did.clone(), before, after, now: to_value(&observed) });
            }
            to_do.push((index, inverse));
        }
        let forced = !drifts.is_empty();
        if forced && !self.force {
            return Err(UndoError::Drifted { incident: id, drifts });
        }
        let report = |incident: Incident, did: Vec<String>, already: Vec<(usize, String)>| UndoReport {
            incident,
            did,
            already: already.into_iter().map(|(_, did)| did).collect(),
        };
        if self.dry_run {
            let did = to_do.iter().map(|(_, inverse)| inverse.to_string()).collect();
            return Ok(report(incident, did, already));
        }

        let keys: Vec<_> = to_do.iter().map(|(_, inverse)| inverse.key()).collect();
        let resource = MemoryKey::of(R::SPEC.name, &incident.resource);
        self.ledger.want(&resource, &keys, self.now + WANTED_FOR).await?;
        #[expect(clippy::disallowed_methods, reason = "this is the operator's undo")]
        let warrant = Warrant::for_undo();
        let mut did = Vec::new();
        let mut failure = None;
        for (index, inverse) in to_do {
            match responder.apply(&inverse, &warrant).await {
                Ok(Applied::Changed) => did.push((index, inverse.to_string())),
                Ok(Applied::AlreadySo) => already.push((index, inverse.inverse().to_string())),
                Err(source) => {
                    failure = Some(UndoError::Apply { incident: id.clone(), done: did.len(), source });
                    break;
                }
            }
        }
        for index in did.iter().map(|(index, _)| *index).chain(already.iter().map(|(index, _)| *index)) {
            if let Some(entry) = incident.receipt.get_mut(index) {
                entry.undone = Some(self.now);
            }
        }
        if failure.is_none() {
            incident.state = State::Undone;
            incident.release_at = None;
            let Self { now: at, lease_ended, .. } = *self;
            incident.undone = Some(Undone { by: self.by.to_owned(), at, forced, lease_ended });
        }
        incident.revision += 1;
        self.ledger.amend(&incident).await?;
        match failure {
            Some(failure) => Err(failure),
            None => Ok(report(incident, did.into_iter().map(|(_, did)| did).collect(), already)),
        }
    }

    fn refuse(&self, incident: &Incident) -> Result<(), UndoError> {
        let id = incident.id.clone();
        if let Some(Undone { by, at, .. }) = &incident.undone {
            return Err(UndoError::Before { incident: id, by: by.clone(), at: *at });
        }
        if let (State::Claimed, Some(lease)) = (incident.state, &incident.lease)
            && lease.until > self.now
        {
            return Err(UndoError::AtWork { incident: id, until: lease.until });
        }
        Ok(())
    }
}
