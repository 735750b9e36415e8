//! Why an incident was not undone.

use cloudtrail::AccountId;
use remedy::{CallError, CallErrorKind, Drift, UndoError};

use super::outcome::Status;
use crate::elsewhere::NotAssumed;
use crate::incidents::NoIncident;

/// Why one incident was not undone.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error(transparent)]
    NoIncident(#[from] NoIncident),
    #[error("incident {incident} is of responder `{responder}`, which this build does not know")]
    Responder { incident: String, responder: String },
    #[error("incident {incident} is of account {theirs}, and your credentials are of account {yours}")]
    Account { incident: String, theirs: AccountId, yours: AccountId },
    #[error(transparent)]
    NotAssumed(#[from] NotAssumed),
    #[error(transparent)]
    Undo(#[from] UndoError),
}

impl Refusal {
    pub(super) fn status(&self) -> Status {
        match self {
            Self::Undo(UndoError::Before { .. }) => Status::AlreadyUndone,
            Self::Undo(UndoError::Drifted { .. }) => Status::Drifted,
            Self::Undo(UndoError::Apply { .. } | UndoError::Ledger(_)) => Status::Failed,
            _ => Status::Refused,
        }
    }

    /// The changes that are no longer as we left them, if that is why.
    pub(super) fn drifts(&self) -> &[Drift] {
        match self {
            Self::Undo(UndoError::Drifted { drifts, .. }) => drifts,
            _ => &[],
        }
    }

    /// What to do about it.
    pub(super) fn help(&self, id: &str) -> Option<String> {
        let denied = |source: &CallError| {
            let action = source.action;
            (source.kind == CallErrorKind::Denied)
                .then(|| format!("your role needs `{action}`: see `countermand responders`"))
        };
        match self {
            Self::NoIncident(none) => Some(none.help().to_owned()),
            Self::Responder { .. } => Some("use the version of countermand that is deployed".to_owned()),
            Self::Account { theirs, .. } => {
                Some(format!("say --role with the name of a role of account {theirs} that you may take"))
            }
            Self::NotAssumed(_) => Some(NotAssumed::HELP.to_owned()),
            Self::Undo(error) => match error {
                UndoError::Drifted { .. } => Some(format!(
                    "put back by hand what is still missing, or `countermand incidents undo {id} --force`"
                )),
                UndoError::Observe(source) | UndoError::Apply { source, .. } => denied(source),
                UndoError::NothingDone { .. } => Some(format!("`countermand incidents show {id}` says why")),
                UndoError::Ledger(_) => Some("run the same command again; what was undone already stays so".to_owned()),
                UndoError::AtWork { .. } | UndoError::Before { .. } | UndoError::Unreadable { .. } => None,
            },
        }
    }
}
