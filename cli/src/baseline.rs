//! `countermand baseline`: how trails, trusts and policies should be, for responders that put them back.

use std::error::Error;

use chrono::{DateTime, Utc};
use clap::builder::PossibleValuesParser;
use cloudtrail::AccountId;
use remedy::{CallError, MemoryKey};
use serde::Serialize;

use crate::args::Connection;
use crate::elsewhere::{self, NotAssumed};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::incidents::Session;
use crate::output::{Output, Tone};
use crate::responders::{ENTRIES, Entry};

#[derive(Debug, Clone, clap::Subcommand)]
pub(crate) enum Command {
    /// Store how the account's resources are now: this is what responders put back
    ///
    /// Look first that they are as they should be. Capture again after each wanted change, and in every region; a
    /// scheduled job may do it, with credentials that only read and write the ledger.
    Capture(Capture),
}

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Capture {
    /// Only for these responders
    #[arg(long = "responder", value_name = "NAME", value_parser = PossibleValuesParser::new(ENTRIES.iter().map(|entry| entry.spec.name)))]
    responders: Vec<String>,
    /// Only show what differs from what is stored
    #[arg(long)]
    dry_run: bool,
    /// Of this account, which the ledger's deployment acts in, instead of your own
    #[arg(long, value_name = "ID", value_parser = AccountId::parse, requires = "role")]
    account: Option<AccountId>,
    /// The name of the role of that account to look with, which your own credentials may take
    #[arg(long, value_name = "NAME", requires = "account")]
    role: Option<String>,
    /// Of this region, which the ledger's deployment acts in, instead of the ledger's own
    #[arg(long, value_name = "REGION")]
    in_region: Option<String>,
    #[command(flatten)]
    connection: Connection,
}

/// What CloudTrail shows of a capture in another account.
const SESSION: &str = "countermand-baseline";

/// What capturing a resource comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Change {
    New,
    Changed,
    Same,
}

#[derive(Debug, Serialize)]
struct Row {
    responder: &'static str,
    resource: String,
    change: Change,
}

/// A responder could not say how things are.
#[derive(Debug, thiserror::Error)]
#[error("{responder} cannot look at the account")]
struct NotCaptured {
    responder: &'static str,
    source: CallError,
}

pub(crate) fn run(command: &Command, now: DateTime<Utc>, out: &mut Output) -> Result<Exit, Failure> {
    let Command::Capture(args) = command;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::Runtime)?;
    runtime.block_on(capture(args, now, out))
}

async fn capture(args: &Capture, now: DateTime<Utc>, out: &mut Output) -> Result<Exit, Failure> {
    let session = Session::open(&args.connection).await?;
    let mut config = session.config.clone();
    if let (Some(account), Some(role)) = (&args.account, &args.role) {
        config = match elsewhere::acting_in(account, role, SESSION, &config).await {
            Ok(config) => config,
            Err(error) => {
                out.error(&error, Some(NotAssumed::HELP))?;
                return Ok(Exit::Failed);
            }
        };
    }
    if let Some(region) = &args.in_region {
        config = lambda::in_region(&config, region);
    }
    let (mut rows, mut failed) = (Vec::new(), false);
    let asked = |entry: &&Entry| args.responders.is_empty() || args.responders.iter().any(|it| it == entry.spec.name);
    for entry in ENTRIES.iter().filter(asked) {
        let responder = entry.spec.name;
        let states = match (entry.capture)(&config).await {
            Ok(states) => states,
            Err(source) => {
                failed = true;
                let error = NotCaptured { responder, source };
                let help = "your role needs the permissions that its README lists, those of the operator included";
                out.error(&error as &dyn Error, Some(help))?;
                continue;
            }
        };
        for (resource, state) in states {
            let key = MemoryKey::of(responder, &resource);
            let stored = session.ledger.baseline(&key).await.map_err(|source| session.ledger_failed(source))?;
            let change = match stored {
                None => Change::New,
                Some(stored) if stored == state => Change::Same,
                Some(_) => Change::Changed,
            };
            if change != Change::Same && !args.dry_run {
                let written = session.ledger.store_baseline(&key, &state, now).await;
                written.map_err(|source| session.ledger_failed(source))?;
            }
            rows.push(Row { responder, resource: resource.arn.to_string(), change });
        }
    }
    tell(&rows, args.dry_run, out)?;
    Ok(if failed { Exit::Failed } else { Exit::Done })
}

fn tell(rows: &[Row], dry_run: bool, out: &mut Output) -> Result<(), Failure> {
    if out.is_json() {
        return Ok(rows.iter().try_for_each(|row| out.object(row))?);
    }
    let count = |change| rows.iter().filter(|row| row.change == change).count();
    let table = rows.iter().filter(|row| row.change != Change::Same).map(|row| {
        let change = if row.change == Change::New { Tone::Good.of("new") } else { Tone::Warning.of("changed") };
        [Tone::Strong.of(row.responder), row.resource.as_str().into(), change]
    });
    let table: Vec<_> = table.collect();
    if !table.is_empty() {
        out.table(["RESPONDER", "RESOURCE", "SINCE LAST TIME"], table)?;
        out.gap()?;
    }
    let (new, changed, same) = (count(Change::New), count(Change::Changed), count(Change::Same));
    let done = if dry_run { "nothing stored" } else { "stored" };
    out.line([format!("{new} new, {changed} changed, {same} as they were: {done}").into()])?;
    Ok(())
}
