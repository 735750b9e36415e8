//! Why a finding was not dealt with.

use std::error::Error;

use cloudtrail::{AccountId, Arn, EventError, EventId, Region};

use crate::call_error::{CallError, CallErrorKind};
use crate::incident::IncidentId;
use crate::ledger::LedgerError;

/// Why a finding was not dealt with. The event is delivered again, or kept in the dead-letter queue.
#[derive(Debug, thiserror::Error)]
pub enum RespondError {
    /// The event makes no sense.
    #[error("the event cannot be judged")]
    Event(#[from] EventError),
    /// What an event that names no resource is about could not be read; nothing was changed.
    #[error("could not look for what the event is about; nothing was changed")]
    Suspect {
        /// The call that failed.
        source: CallError,
    },
    /// The live state could not be read; nothing was changed.
    #[error("could not look at `{resource}`; nothing was changed")]
    Observe {
        /// The resource.
        resource: Arn,
        /// The call that failed.
        source: CallError,
    },
    /// The event is of one account, and what bears its resource's name here is of another.
    #[error(
        "`{resource}` is of account {account}, but this function sees account {found}; nothing was changed: let each \
         account's events go to its own functions"
    )]
    Elsewhere {
        /// The resource as the event names it.
        resource: Arn,
        /// The event's account.
        account: AccountId,
        /// The account that the function acts in.
        found: AccountId,
    },
    /// The event's resource is in another region than the function, which so cannot see it.
    #[error(
        "`{resource}` is in region {region}, but this function sees {here}; nothing was changed: let each region's \
         events go to its own functions"
    )]
    OtherRegion {
        /// The resource as the event names it.
        resource: Arn,
        /// Its region.
        region: Region,
        /// The region that the function acts in.
        here: Region,
    },
    /// Somebody asks us to go on with an incident that nobody has approved, or that is not ours.
    #[error("incident {0} is not approved, or not this responder's; nothing was changed")]
    NotApproved(IncidentId),
    /// Somebody says that an event was missed, and the ledger does not have it.
    #[error("event {0} is said to be missed, and the ledger keeps no such event; nothing was changed")]
    NotKept(EventId),
    /// The record was written by a version of the responder that this one does not understand.
    #[error("the record of incident {incident} is not understood by this version; nothing was changed")]
    Unreadable {
        /// The incident.
        incident: IncidentId,
        /// Where it differs.
        source: serde_json::Error,
    },
    /// The ledger was not there; nothing was changed.
    #[error("nothing was changed")]
    Ledger(#[from] LedgerError),
    /// A change failed. What was done before it is in the receipt.
    #[error("incident {incident}: stopped after {done} of {planned} changes; the receipt is kept")]
    Apply {
        /// The incident.
        incident: IncidentId,
        /// How many changes are in the receipt.
        done: usize,
        /// How many were planned.
        planned: usize,
        /// The call that failed.
        source: CallError,
    },
    /// The invocation's time ran out. What was done is in the receipt.
    #[error("incident {incident}: out of time after {done} of {planned} changes; the receipt is kept")]
    OutOfTime {
        /// The incident.
        incident: IncidentId,
        /// How many changes are in the receipt.
        done: usize,
        /// How many were planned.
        planned: usize,
    },
    /// The changes could not be read back. They are in the receipt.
    #[error("incident {incident}: changed, but could not look whether it shows; the receipt is kept")]
    Verify {
        /// The incident.
        incident: IncidentId,
        /// The call that failed.
        source: CallError,
    },
    /// The changes were made and do not show. They are in the receipt.
    #[error("incident {incident}: changed, but it does not show: {what}")]
    NotSoYet {
        /// The incident.
        incident: IncidentId,
        /// The first change that does not show.
        what: String,
    },
    /// The changes were made and the receipt could not be stored; the plan, stored before, stands in for it.
    #[error("incident {incident}: changed, but the receipt was not stored; the next delivery completes it")]
    Receipt {
        /// The incident.
        incident: IncidentId,
        /// Why.
        source: LedgerError,
    },
}

impl RespondError {
    /// Whether trying again can help without anybody changing anything.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Event(_)
            | Self::Elsewhere { .. }
            | Self::OtherRegion { .. }
            | Self::NotApproved(_)
            | Self::NotKept(_)
            | Self::Unreadable { .. } => false,
            Self::Suspect { source }
            | Self::Observe { source, .. }
            | Self::Apply { source, .. }
            | Self::Verify { source, .. } => source.is_retryable(),
            Self::Ledger(_) | Self::OutOfTime { .. } | Self::NotSoYet { .. } | Self::Receipt { .. } => true,
        }
    }

    /// A short name of the failure, for metrics and alarms.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Event(_) => "Event",
            Self::Elsewhere { .. } => "Elsewhere",
            Self::OtherRegion { .. } => "OtherRegion",
            Self::NotApproved(_) => "NotApproved",
            Self::NotKept(_) => "NotKept",
            Self::Unreadable { .. } => "Unreadable",
            Self::Suspect { source }
            | Self::Observe { source, .. }
            | Self::Apply { source, .. }
            | Self::Verify { source, .. } => match source.kind {
                CallErrorKind::Throttled => "Throttled",
                CallErrorKind::Denied => "Denied",
                CallErrorKind::Gone => "Gone",
                CallErrorKind::Unanswered => "Unanswered",
                CallErrorKind::Refused => "Refused",
            },
            Self::Ledger(_) | Self::Receipt { .. } => "Ledger",
            Self::OutOfTime { .. } => "OutOfTime",
            Self::NotSoYet { .. } => "NotSoYet",
        }
    }
}

/// An error with all its causes, in one line of prose.
#[must_use]
pub fn in_full(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
