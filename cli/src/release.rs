//! Leases: taking back what was done for a time only, and letting it stay.
//!
//! A schedule asks for [`serve`] every few minutes. That fails on the safe side: where it does not run, what was closed
//! stays closed, and its own alarm says that it does not run. The alternatives fail worse: a schedule for each incident
//! needs the right to make schedules, and a role to pass to them, in every responder's role, and one that could not be
//! made would never be missed; and DynamoDB deletes what its time to live has ended for only within days, and the record
//! with it.

use std::process::ExitCode;

use aws_config::SdkConfig;
use chrono::{DateTime, Utc};
use cloudtrail::AccountId;
use lambda::{DynamoLedger, Job, SnsNotifier, SystemClock, call_error, serve_job};
use remedy::{
    CallError, CallErrorKind, Clock, Incident, IncidentId, LedgerError, Notifier, NotifyError, State, Undo, UndoError,
    in_full,
};
use serde::Serialize;

use crate::responders::Entry;

/// The `Handler` of the function that ends leases.
pub(crate) const HANDLER: &str = "release-leases";

/// What became of the leases that had ended.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Released {
    /// Taken back.
    pub(crate) released: Vec<IncidentId>,
    /// Not as we left it, so left as it is, and a person is told.
    pub(crate) left: Vec<IncidentId>,
}

/// Why a lease was not ended. It is tried again the next time.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReleaseError {
    #[error("cannot tell whose credentials these are")]
    Identity(#[source] CallError),
    #[error("the leases that have ended are not known")]
    Ledger(#[from] LedgerError),
    #[error("of the leases that have ended {failed} could not be dealt with; the first is incident {first}")]
    Unfinished { failed: usize, first: IncidentId, source: OneError },
}

/// Why one lease was not ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OneError {
    #[error("this build does not know the responder `{0}`")]
    Responder(String),
    #[error(
        "it is of account {0}, where this function has no rights: undo it with `countermand incidents undo --role`"
    )]
    Account(AccountId),
    #[error("it was not undone")]
    Undo(#[from] UndoError),
    #[error("the ledger could not be used")]
    Ledger(#[from] LedgerError),
    #[error("people were not told")]
    Notify(#[from] NotifyError),
}

/// The function: ends every lease whose time has come.
pub(crate) fn serve() -> ExitCode {
    serve_job(&async |job: &Job| {
        let ledger = DynamoLedger::new(&job.config, &job.settings.table);
        let notifier = SnsNotifier::new(&job.config, job.settings.topic.as_ref());
        let released = end_leases(&job.config, &ledger, &notifier, SystemClock.now()).await?;
        for id in &released.released {
            tracing::info!(incident = %id, "a lease ended and its changes were taken back");
        }
        for id in &released.left {
            tracing::warn!(incident = %id, "a lease ended and the account is no longer as we left it");
        }
        Ok::<_, ReleaseError>(released)
    })
}

async fn end_leases(
    config: &SdkConfig,
    ledger: &DynamoLedger,
    notifier: &SnsNotifier,
    now: DateTime<Utc>,
) -> Result<Released, ReleaseError> {
    let mut done = Released::default();
    let due = ledger.due(now).await?;
    if due.is_empty() {
        return Ok(done);
    }
    let identity = aws_sdk_sts::Client::new(config).get_caller_identity().send().await;
    let identity = identity.map_err(|error| ReleaseError::Identity(call_error("sts:GetCallerIdentity", error)))?;
    let by = Identity {
        arn: identity.arn().unwrap_or("the function that ends leases"),
        account: identity.account().unwrap_or_default(),
    };
    let mut failures = Vec::new();
    for id in due {
        match end_lease(&id, config, ledger, notifier, &by, now).await {
            Ok(Some(State::Undone)) => done.released.push(id),
            Ok(Some(_)) => done.left.push(id),
            Ok(None) => {}
            Err(error) => {
                tracing::error!(incident = %id, error = in_full(&error), "a lease could not be ended");
                failures.push((id, error));
            }
        }
    }
    let failed = failures.len();
    match failures.into_iter().next() {
        None => Ok(done),
        Some((first, source)) => Err(ReleaseError::Unfinished { failed, first, source }),
    }
}

/// Who ends leases.
struct Identity<'a> {
    arn: &'a str,
    account: &'a str,
}

/// Whether trying again cannot help, nor anybody who mends our role.
fn is_final(error: &UndoError) -> bool {
    match error {
        UndoError::Drifted { .. } => true,
        UndoError::Apply { source, .. } => !source.is_retryable() && source.kind != CallErrorKind::Denied,
        _ => false,
    }
}

/// How the incident stands now; `None` where its lease has not ended after all.
async fn end_lease(
    id: &IncidentId,
    config: &SdkConfig,
    ledger: &DynamoLedger,
    notifier: &SnsNotifier,
    by: &Identity<'_>,
    now: DateTime<Utc>,
) -> Result<Option<State>, OneError> {
    let ended = |incident: &Incident| {
        incident.state == State::Contained && incident.release_at.is_some_and(|release| release <= now)
    };
    let Some(incident) = ledger.get(id).await?.filter(ended) else { return Ok(None) };
    if incident.account.as_str() != by.account {
        // A name of another account may be somebody's in this one.
        return Err(OneError::Account(incident.account));
    }
    let entry = Entry::named(&incident.responder).ok_or_else(|| OneError::Responder(incident.responder.clone()))?;
    let config = lambda::in_region(config, incident.region.as_str());
    let undo = Undo { ledger, by: by.arn, now, force: false, dry_run: false, lease_ended: true };
    let ended = match (entry.undo)(&undo, &config, incident.clone()).await {
        Ok(report) => report.incident,
        Err(error) if is_final(&error) => {
            // An undo that stopped half way has stored how far it came.
            let Some(stands) = ledger.get(id).await? else { return Ok(None) };
            let revision = stands.revision + 1;
            let left = Incident { release_at: None, error: Some(in_full(&error)), revision, ..stands };
            remedy::Ledger::amend(ledger, &left).await?;
            left
        }
        Err(error) => return Err(error.into()),
    };
    notifier.notify(&ended).await?;
    Ok(Some(ended.state))
}
