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
    /// The event is of another account, and this deployment is for its own only.
    #[error(
        "the event is of account {0}, which is not this function's; nothing was changed: set the stack's \
         `OrganizationId` to act in other accounts, or let each account's events go to its own functions"
    )]
    Foreign(AccountId),
    /// The event is of an account that nobody says is ours.
    #[error(
        "account {0} is not in `organization.json`; nothing was changed: if it is yours, add it to that file beside \
         the policies and deploy; if not, find out who lets it put events on this bus"
    )]
    Stranger(AccountId),
    /// What only our own account may say was said by another.
    #[error("account {0} asks for what only this function's own account may ask for; nothing was changed")]
    Sender(AccountId),
    /// The event's region is none that this function's partition has.
    #[error("`{region}` is no region of the partition of {here}, where this function runs; nothing was changed")]
    NoRegion {
        /// The region as the event names it.
        region: Region,
        /// The function's region.
        here: Region,
    },
    /// Another account does not let us in.
    #[error(
        "`{role}` cannot be assumed; nothing was changed: deploy stacksets/member.yaml in that account, with this \
         stack's account, name and external id"
    )]
    Assume {
        /// The role.
        role: Arn,
        /// The call that failed.
        source: CallError,
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
            | Self::Foreign(_)
            | Self::Stranger(_)
            | Self::Sender(_)
            | Self::NoRegion { .. }
            | Self::NotApproved(_)
            | Self::NotKept(_)
            | Self::Unreadable { .. } => false,
            Self::Suspect { source }
            | Self::Observe { source, .. }
            | Self::Apply { source, .. }
            | Self::Verify { source, .. }
            | Self::Assume { source, .. } => source.is_retryable(),
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
            Self::Foreign(_) => "Foreign",
            Self::Stranger(_) => "Stranger",
            Self::Sender(_) => "Sender",
            Self::NoRegion { .. } => "NoRegion",
            Self::Assume { .. } => "Assume",
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
