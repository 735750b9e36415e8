//! The canary: whether events still get to every function, and every function to the ledger.
//!
//! A schedule asks for [`serve`] every hour. Each run says what became of the round of the run before, and begins one: an
//! event for every responder, which its own rule hands it and which it answers in the ledger, and one call that AWS
//! refuses, whose record has to come through CloudTrail and a responder's rule. A run that comes too early to judge asks
//! those again who have not answered; so a retry does no harm.

use std::process::ExitCode;

use aws_config::SdkConfig;
use aws_sdk_ec2::types::{OperationType, SnapshotAttributeName};
use chrono::{DateTime, TimeDelta, Utc};
use cloudtrail::HEARTBEAT_TYPE;
use lambda::{DynamoLedger, Heartbeats, Job, Round, SystemClock, call_error, once, serve_job};
use remedy::{CallError, Clock, LedgerError};
use serde::Serialize;
use serde_json::json;

use crate::event_bus::{self, SendError};
use crate::responders::ENTRIES;

/// The `Handler` of the canary.
pub(crate) const HANDLER: &str = "heartbeat";

/// After this long whoever has not answered is silent. Lambda tries thrice within minutes.
pub(crate) const PATIENCE: TimeDelta = TimeDelta::minutes(30);

/// What is named beside the responders when no record came.
const CLOUDTRAIL: &str = "CloudTrail";

/// A snapshot that does not exist. One responder's rule lets the refused calls on it through, and no other refused calls.
const NO_SNAPSHOT: &str = "snap-00000000000000000";

/// An account that does not exist.
const NOBODY: &str = "000000000000";

/// What became of the round before.
#[derive(Debug, Default, Serialize)]
struct Heard {
    /// Whether it is old enough to be judged.
    judged: bool,
    /// Who answered.
    alive: Vec<String>,
    /// Who did not.
    silent: Vec<String>,
    /// How long CloudTrail's record took from the call to the function, in milliseconds.
    delivery_ms: Option<i64>,
}

/// Why nobody was asked. The metric is missing then, too.
#[derive(Debug, thiserror::Error)]
enum HeartbeatError {
    #[error("the ledger could not be used")]
    Ledger(#[from] LedgerError),
    #[error("the functions were not asked")]
    Send(#[from] SendError),
    #[error("the call whose record CloudTrail is to deliver was not made")]
    Call(#[from] CallError),
}

/// The function: judges the round before and begins another.
pub(crate) fn serve() -> ExitCode {
    serve_job(&async |job: &Job| {
        let ledger = DynamoLedger::new(&job.config, &job.settings.table);
        let now = SystemClock.now();
        let before = ledger.round().await?;
        let heard = before.as_ref().map(|round| judge(round, now)).unwrap_or_default();
        if heard.judged {
            tell(&heard, now);
        }
        let round = match before {
            Some(young) if !heard.judged => young,
            _ => {
                let round = Round::new(ENTRIES.iter().map(|entry| entry.spec.name.to_owned()), now);
                ledger.begin(&round).await?;
                round
            }
        };
        ask(&job.config, &round).await?;
        Ok::<_, HeartbeatError>(heard)
    })
}

/// From whom nothing came so far: functions by name, and CloudTrail.
pub(crate) fn silent(round: &Round) -> Vec<&str> {
    let cloudtrail = round.delivery.is_none().then_some(CLOUDTRAIL);
    round.silent().chain(cloudtrail).collect()
}

fn judge(round: &Round, now: DateTime<Utc>) -> Heard {
    Heard {
        judged: now - round.begun >= PATIENCE,
        alive: round.answers.keys().cloned().collect(),
        silent: silent(round).into_iter().map(str::to_owned).collect(),
        delivery_ms: round.delivery.map(|delivery| (delivery.arrived - delivery.called).num_milliseconds().max(0)),
    }
}

fn tell(heard: &Heard, at: DateTime<Utc>) {
    if !heard.silent.is_empty() {
        tracing::error!(silent = heard.silent.join(", "), "no sign of life came in the last round");
    }
    Heartbeats { at, missed: heard.silent.len(), delivery: heard.delivery_ms.map(TimeDelta::milliseconds) }.write();
}

/// Asks those who have not answered.
async fn ask(config: &SdkConfig, round: &Round) -> Result<(), HeartbeatError> {
    let questions: Vec<_> = round.silent().map(|name| json!({ "responder": name, "nonce": round.nonce })).collect();
    event_bus::send_all(config, HEARTBEAT_TYPE, &questions).await?;
    if round.delivery.is_none() {
        call(config).await?;
    }
    Ok(())
}

/// Makes a call that CloudTrail records. Whatever AWS answers, it is recorded: that it would have been allowed
/// (`DryRunOperation`), or that there is no such snapshot. Were it ever made, it would take from nobody a right to nothing.
///
/// Source: AWS CloudTrail User Guide, "CloudTrail record contents", `errorCode`; Amazon EC2 API Reference,
/// "`ModifySnapshotAttribute`", `DryRun`.
async fn call(config: &SdkConfig) -> Result<(), CallError> {
    let made = aws_sdk_ec2::Client::new(&once(config))
        .modify_snapshot_attribute()
        .dry_run(true)
        .snapshot_id(NO_SNAPSHOT)
        .attribute(SnapshotAttributeName::CreateVolumePermission)
        .operation_type(OperationType::Remove)
        .user_ids(NOBODY)
        .send()
        .await;
    match made.map_err(|error| call_error("ec2:ModifySnapshotAttribute", error)) {
        Err(error) if error.is_retryable() => Err(error),
        Ok(_) | Err(_) => Ok(()),
    }
}
