//! `countermand reconcile`: hands the functions what CloudTrail recorded and they were not given.
//!
//! CloudTrail delivers events to EventBridge on best effort (CloudTrail User Guide, "CloudTrail events in EventBridge"),
//! and its event history holds what it recorded in the last 90 days. What the ledger has no incident for is kept there,
//! and a function is told to read it and to deal with it as with any other event: it looks at the account first, and a
//! second delivery meets the first one's incident.

mod operations;

use std::collections::BTreeSet;
use std::path::PathBuf;

use ::backtest::event_name;
use chrono::{DateTime, SecondsFormat, Utc};
use cloudtrail::{Arn, Event, EventError, MISSED_TYPE, Principal};
use remedy::{CallError, IncidentId, LedgerError};
use serde::Serialize;
use serde_json::{Value, json};

use crate::args::Connection;
use crate::event_bus::{self, SendError};
use crate::event_history::History;
use crate::events::{self, ReadError};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::incidents::{Session, Since};
use crate::output::{Output, Tone};
use crate::responders::ENTRIES;

/// Hand the functions what they were not given.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// Files of CloudTrail records to look at instead of CloudTrail's own event history; `-` is standard input
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Look at what happened since: an age such as 30m, 24h or 7d, or a time such as 2026-11-22T07:00:00Z
    #[arg(long, default_value = "24h", value_name = "WHEN", value_parser = Since::parse)]
    since: Since,
    /// Only say what was missed
    #[arg(long)]
    dry_run: bool,
    /// The roles of your functions, whose own calls are never findings
    #[arg(long = "own-role", value_name = "ARN", env = "COUNTERMAND_OWN_ROLES", value_delimiter = ',')]
    #[arg(value_parser = |arn: &str| Arn::parse(arn.trim()))]
    own_roles: Vec<Arn>,
    #[command(flatten)]
    connection: Connection,
}

/// Why the search for missed events ended early, or an event was passed over.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReconcileError {
    #[error("CloudTrail's event history cannot be read")]
    History(#[source] CallError),
    #[error("a record of CloudTrail's event history is not JSON")]
    Record(#[source] serde_json::Error),
    #[error(transparent)]
    File(#[from] ReadError),
    #[error("a record of CloudTrail's event history cannot be read as an event")]
    Event(#[source] EventError),
    #[error("event {event}: {responder} cannot read it")]
    Unreadable { event: String, responder: &'static str, source: EventError },
    #[error("event {event} was not kept in the ledger; its function was not told")]
    Keep { event: String, source: LedgerError },
    #[error("event {event} is kept in the ledger, but {responder} was not told")]
    Send { event: String, responder: &'static str, source: SendError },
}

impl ReconcileError {
    fn help(&self) -> Option<&'static str> {
        match self {
            Self::History(_) => Some("your role needs cloudtrail:LookupEvents; or give log files instead"),
            Self::Keep { .. } => Some("your role needs dynamodb:PutItem on the table; then run the same command again"),
            Self::Send { .. } => {
                Some("your role needs events:PutEvents on the default event bus; then run the same command again")
            }
            Self::Record(_) | Self::File(_) | Self::Event(_) | Self::Unreadable { .. } => None,
        }
    }
}

/// What became of an event for one responder. Other programs rely on this form.
#[derive(Serialize)]
struct Line<'a> {
    event_id: &'a str,
    event_time: Option<DateTime<Utc>>,
    event_name: &'a str,
    actor: String,
    responder: &'static str,
    incidents: &'a [IncidentId],
    status: Status,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    /// Its function has been told to deal with it.
    HandedOver,
    /// No function knows of it.
    Missed,
}

#[derive(Debug, Default)]
struct Tally {
    looked_at: usize,
    /// Of other accounts and regions, or from before.
    elsewhere: usize,
    known: usize,
    missed: usize,
    handed_over: usize,
}

pub(crate) fn run(args: &Args, now: DateTime<Utc>, out: &mut Output) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::Runtime)?;
    runtime.block_on(reconcile(args, now, out))
}

async fn reconcile(args: &Args, now: DateTime<Utc>, out: &mut Output) -> Result<Exit, Failure> {
    let session = Session::open(&args.connection).await?;
    let operator = session.operator().await?;
    let here = Here {
        session: &session,
        account: operator.account.as_str(),
        region: session.config.region().map_or("", |region| region.as_ref()),
        since: args.since.before(now),
        args,
        now,
    };
    let (mut tally, mut exit) = (Tally::default(), Exit::Done);
    let mut failed = |error: ReconcileError, out: &mut Output| {
        exit = exit.and(Exit::Failed);
        out.error(&error, error.help())
    };
    if args.files.is_empty() {
        let mut history = History::of(&session.config, operations::wanted(), here.since, now);
        loop {
            match history.next_page().await {
                Ok(None) => break,
                Ok(Some(records)) => {
                    for record in records {
                        let record = serde_json::from_str(&record).map_err(ReconcileError::Record);
                        if let Err(error) = here.look_at(record, &mut tally, out).await? {
                            failed(error, out)?;
                        }
                    }
                }
                Err(error) => {
                    failed(ReconcileError::History(error), out)?;
                    break;
                }
            }
        }
    } else {
        for found in args.files.iter().flat_map(|file| events::records(file)) {
            let looked = match found {
                Ok((_, record)) => here.look_at(Ok(record), &mut tally, out).await?,
                Err(error) => Err(error.into()),
            };
            if let Err(error) = looked {
                failed(error, out)?;
            }
        }
    }
    summary(&tally, args, out)?;
    if args.dry_run && tally.missed > 0 {
        exit = exit.and(Exit::Found);
    }
    Ok(exit)
}

/// What is compared with what: the part of the world that this deployment's functions answer for.
struct Here<'a> {
    session: &'a Session,
    account: &'a str,
    region: &'a str,
    since: DateTime<Utc>,
    args: &'a Args,
    now: DateTime<Utc>,
}

impl Here<'_> {
    async fn look_at(
        &self,
        record: Result<Value, ReconcileError>,
        tally: &mut Tally,
        out: &mut Output,
    ) -> Result<Result<(), ReconcileError>, Failure> {
        tally.looked_at += 1;
        let record = match record {
            Ok(record) => record,
            Err(error) => return Ok(Err(error)),
        };
        let event = match Event::decode(record.clone()) {
            Ok(event) => event,
            Err(error) => return Ok(Err(ReconcileError::Event(error))),
        };
        let early = event.time.is_some_and(|time| time < self.since);
        if early || event.account.as_str() != self.account || event.region.as_str() != self.region {
            tally.elsewhere += 1;
            return Ok(Ok(()));
        }
        if matches!(&event.actor.principal, Principal::Role(role) if self.args.own_roles.contains(role)) {
            return Ok(Ok(()));
        }
        for entry in ENTRIES {
            let responder = entry.spec.name;
            let incidents = match (entry.incidents_of)(&event) {
                Ok(incidents) => incidents,
                Err(source) => {
                    return Ok(Err(ReconcileError::Unreadable { event: event.id.to_string(), responder, source }));
                }
            };
            let unseen = self.unseen(incidents, tally).await?;
            if unseen.is_empty() {
                continue;
            }
            tally.missed += 1;
            if !self.args.dry_run {
                if let Err(error) = self.hand_over(&event, &record, responder).await {
                    return Ok(Err(error));
                }
                tally.handed_over += 1;
            }
            self.tell(&event, responder, &unseen, out)?;
        }
        Ok(Ok(()))
    }

    async fn unseen(&self, incidents: Vec<IncidentId>, tally: &mut Tally) -> Result<Vec<IncidentId>, Failure> {
        let mut unseen = BTreeSet::new();
        for id in incidents {
            let found = self.session.ledger.get(&id).await.map_err(|source| self.session.ledger_failed(source))?;
            if found.is_some() {
                tally.known += 1;
            } else {
                unseen.insert(id);
            }
        }
        Ok(unseen.into_iter().collect())
    }

    async fn hand_over(&self, event: &Event, record: &Value, responder: &'static str) -> Result<(), ReconcileError> {
        let id = || event.id.to_string();
        let kept = self.session.ledger.keep(&event.id, record, self.now).await;
        kept.map_err(|source| ReconcileError::Keep { event: id(), source })?;
        let detail = json!({ "event": event.id, "responder": responder });
        let sent = event_bus::send(&self.session.config, MISSED_TYPE, &detail).await;
        sent.map_err(|source| ReconcileError::Send { event: id(), responder, source })
    }

    fn tell(
        &self,
        event: &Event,
        responder: &'static str,
        incidents: &[IncidentId],
        out: &mut Output,
    ) -> Result<(), Failure> {
        let status = if self.args.dry_run { Status::Missed } else { Status::HandedOver };
        let actor = event.actor.principal.to_string();
        if out.is_json() {
            out.object(&Line {
                event_id: event.id.as_str(),
                event_time: event.time,
                event_name: event_name(event),
                actor,
                responder,
                incidents,
                status,
            })?;
            return Ok(());
        }
        let time = event.time.map_or_else(String::new, |time| time.to_rfc3339_opts(SecondsFormat::Secs, true) + "  ");
        let (tone, word) = match status {
            Status::Missed => (Tone::Warning, "missed"),
            Status::HandedOver => (Tone::Good, "handed over"),
        };
        out.line([
            tone.of(word),
            format!("  {time}").into(),
            Tone::Strong.of(event_name(event)),
            format!(" by {actor}, for {responder}").into(),
        ])?;
        for id in incidents {
            out.line([Tone::Faint.of(format!("  incident {id}"))])?;
        }
        Ok(())
    }
}

fn summary(tally: &Tally, args: &Args, out: &mut Output) -> Result<(), Failure> {
    if out.is_json() {
        return Ok(());
    }
    let Tally { looked_at, elsewhere, known, missed, handed_over } = tally;
    let handed = if args.dry_run { String::new() } else { format!(", {handed_over} handed over") };
    let beyond = match elsewhere {
        0 => String::new(),
        number => format!("; {number} events are of other accounts or regions, or from before"),
    };
    let text =
        format!("{looked_at} events looked at: {known} findings known to the ledger, {missed} missed{handed}{beyond}");
    out.line([Tone::Strong.of(text)])?;
    if *handed_over > 0 {
        out.note(["the functions look at the account before they act; `countermand incidents list` tells".into()])?;
    }
    Ok(())
}
