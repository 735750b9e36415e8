//! `countermand incidents`: what was done, and taking it back.

mod answer;
mod confirm;
mod difference;
mod filter;
#[cfg(test)]
pub(crate) mod fixture;
mod list;
mod metrics;
mod shadow;
mod show;
mod timeline;
mod undo;

use std::io::{self, IsTerminal};

use aws_config::SdkConfig;
use chrono::{DateTime, TimeDelta, Utc};
use cloudtrail::AccountId;
use lambda::{DynamoLedger, Listing, Lookup, call_error};
use remedy::{Incident, LedgerError, State};

pub(crate) use self::filter::Filter;
pub(crate) use self::shadow::Args as ShadowArgs;
use crate::args::{Connection, Incidents};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Output, Tone};

pub(crate) fn run(command: &Incidents, now: DateTime<Utc>, out: &mut Output) -> Result<Exit, Failure> {
    if let Incidents::Undo(args) = command
        && !args.yes
        && !args.dry_run
        && !io::stdin().is_terminal()
    {
        return Err(Failure::NobodyToAsk);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::Runtime)?;
    runtime.block_on(async {
        match command {
            Incidents::List(args) => list::run(args, now, out).await,
            Incidents::Show { id, metrics, connection } => show::run(id, *metrics, connection, now, out).await,
            Incidents::Approve(args) => answer::run(args, true, now, out).await,
            Incidents::Confirm(args) => confirm::run(args, now, out).await,
            Incidents::Reject(args) => answer::run(args, false, now, out).await,
            Incidents::Undo(args) => undo::run(args, now, out).await,
        }
    })
}

/// What live findings say of the shadow policies.
pub(crate) fn compare(args: &ShadowArgs, now: DateTime<Utc>, out: &mut Output) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::Runtime)?;
    runtime.block_on(shadow::run(args, now, out))
}

/// A time as a person says it: where `--since` begins, or `--until` ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Since {
    Ago(TimeDelta),
    At(DateTime<Utc>),
}

/// Text that is neither an age nor a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an age is like 30m, 24h or 7d, a time like 2026-11-22T07:00:00Z")]
pub(crate) struct NoTime;

impl Since {
    pub(crate) fn parse(text: &str) -> Result<Self, NoTime> {
        if let Ok(time) = DateTime::parse_from_rfc3339(text) {
            return Ok(Self::At(time.with_timezone(&Utc)));
        }
        let unit: fn(i64) -> Option<TimeDelta> = match text.chars().next_back() {
            Some('m') => TimeDelta::try_minutes,
            Some('h') => TimeDelta::try_hours,
            Some('d') => TimeDelta::try_days,
            _ => return Err(NoTime),
        };
        let number = text.get(..text.len() - 1).and_then(|number| number.parse::<u32>().ok()).ok_or(NoTime)?;
        unit(number.into()).map(Self::Ago).ok_or(NoTime)
    }

    /// As early as time goes where an age leads beyond it.
    pub(crate) fn before(self, now: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::Ago(age) => now.checked_sub_signed(age).unwrap_or(DateTime::UNIX_EPOCH),
            Self::At(time) => time,
        }
    }
}

fn tone(state: State) -> Tone {
    match state {
        State::Contained | State::AlreadySafe => Tone::Good,
        State::Pending | State::Contested | State::Approved | State::Claimed => Tone::Warning,
        State::Failed | State::Uncontainable => Tone::Bad,
        State::Observed | State::Exempt | State::Rejected | State::Undone => Tone::Plain,
    }
}

/// Whether an undo took back some of our changes and not yet all.
fn is_partly_undone(incident: &Incident) -> bool {
    incident.undone.is_none() && incident.receipt.iter().any(|entry| entry.undone.is_some())
}

/// Who answers or undoes, as AWS STS says it.
pub(crate) struct Operator {
    pub(crate) arn: String,
    pub(crate) account: AccountId,
}

/// The ledger, and the configuration of the operator's own clients.
pub(crate) struct Session {
    pub(crate) config: SdkConfig,
    pub(crate) ledger: DynamoLedger,
    table: String,
}

impl Session {
    pub(crate) async fn open(Connection { table, profile, region }: &Connection) -> Result<Self, Failure> {
        let config = configuration(profile.as_deref(), region.as_deref()).await?;
        let ledger = DynamoLedger::new(&config, table.clone());
        Ok(Self { config, ledger, table: table.clone() })
    }

    /// The incidents of a listing.
    pub(crate) async fn list(&self, listing: &Listing) -> Result<Vec<Incident>, Failure> {
        self.ledger.list(listing).await.map_err(|source| self.ledger_failed(source))
    }

    /// Who runs this command.
    pub(crate) async fn operator(&self) -> Result<Operator, Failure> {
        operator(&self.config).await
    }

    pub(crate) fn ledger_failed(&self, source: LedgerError) -> Failure {
        Failure::Ledger { table: self.table.clone(), source }
    }

    /// The incident that a person means, or why there is none.
    async fn find(&self, id: &str) -> Result<Result<Incident, NoIncident>, Failure> {
        let id = id.trim();
        Ok(match self.ledger.find(id).await.map_err(|source| self.ledger_failed(source))? {
            Lookup::Found(incident) => Ok(*incident),
            Lookup::Absent => Err(NoIncident::Absent { id: id.to_owned() }),
            Lookup::Ambiguous(ids) => {
                let ids: Vec<&str> = ids.iter().map(remedy::IncidentId::as_str).collect();
                Err(NoIncident::Ambiguous { id: id.to_owned(), ids: ids.join(", ") })
            }
        })
    }
}

/// The configuration of the operator's own clients.
pub(crate) async fn configuration(profile: Option<&str>, region: Option<&str>) -> Result<SdkConfig, Failure> {
    let mut config = lambda::operator_config(profile).await?;
    if let Some(region) = region {
        config = lambda::in_region(&config, region);
    }
    if config.region().is_none_or(|region| region.as_ref().is_empty()) {
        return Err(Failure::NoRegion);
    }
    Ok(config)
}

/// Who has these credentials.
pub(crate) async fn operator(config: &SdkConfig) -> Result<Operator, Failure> {
    let answer = aws_sdk_sts::Client::new(config).get_caller_identity().send().await;
    let answer = answer.map_err(|error| Failure::Identity(call_error("sts:GetCallerIdentity", error)))?;
    let account = answer.account().and_then(|account| AccountId::parse(account).ok());
    match (answer.arn(), account) {
        (Some(arn), Some(account)) => Ok(Operator { arn: arn.to_owned(), account }),
        _ => Err(Failure::Nobody),
    }
}

/// An id that leads to no incident.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum NoIncident {
    #[error("no incident has the id `{id}`, or one that begins so")]
    Absent { id: String },
    #[error("several incidents have ids that begin with `{id}`: {ids}")]
    Ambiguous { id: String, ids: String },
}

impl NoIncident {
    fn help(&self) -> &'static str {
        match self {
            Self::Absent { .. } => "`countermand incidents list` shows them; check --table and --region",
            Self::Ambiguous { .. } => "type more of the id",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn since_is_an_age_or_a_time() {
        let now = DateTime::parse_from_rfc3339("2026-11-22T08:00:00Z").unwrap().to_utc();
        let since = |text: &str| Since::parse(text).map(|since| since.before(now).to_rfc3339());
        assert_eq!(since("90m").unwrap(), "2026-11-22T06:30:00+00:00");
        assert_eq!(since("24h").unwrap(), "2026-11-21T08:00:00+00:00");
        assert_eq!(since("7d").unwrap(), "2026-11-15T08:00:00+00:00");
        assert_eq!(since("2026-11-20T01:00:00+01:00").unwrap(), "2026-11-20T00:00:00+00:00");
        assert_eq!(since("4294967295d").unwrap(), "1970-01-01T00:00:00+00:00");
        for wrong in ["", "d", "-1d", "7", "7w", "1ä", "yesterday"] {
            assert_eq!(since(wrong), Err(NoTime), "{wrong}");
        }
    }
}
