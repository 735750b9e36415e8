//! `countermand backtest`: what would have happened, on a company's own CloudTrail history. Needs no AWS.
//!
//! The files are read by `log_files`, judged and added up by `backtest`; here is what is asked for and how it is told.
//! Part of every finding was written by whoever caused it. Each format has its own way of making that harmless.

mod csv;
mod html;
mod human;
mod ocsf;
mod progress;
mod told;
mod writing;

use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;

use ::backtest::{Collector, Detector, Judge, Part};
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use clap::builder::PossibleValuesParser;
use cloudtrail::{AccountId, Arn, Region};
use log_files::{Inputs, PatternError, Selection, Wanted};
use policy::Policies;

use self::told::Told;
use self::writing::Writer;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::incidents::Since;
use crate::output::{self, Output};
use crate::responders::{ENTRIES, Entry};

/// So many actors, accounts and policies are named one by one; the rest is counted.
const TOP: usize = 15;

/// What would Countermand have done about these logs?
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// CloudTrail log files and folders of them: `.json.gz` and `.json` as AWS delivers them, JSON lines, EventBridge
    /// events, or what `aws cloudtrail lookup-events` printed
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// The folder with the Cedar policies
    #[arg(long, value_name = "DIR", env = "COUNTERMAND_POLICIES", default_value = "policies")]
    policies: PathBuf,
    /// Compare with the policies in this folder: print only the findings whose verdict is another
    #[arg(long, value_name = "OLD_POLICIES")]
    compare: Option<PathBuf>,
    /// Only what happened at this time or later: a date such as 2026-11-01, which begins at midnight UTC, a time such as
    /// 2026-11-22T07:00:00Z, or an age such as 24h or 90d
    #[arg(long, value_name = "WHEN", value_parser = when)]
    since: Option<Since>,
    /// Only what happened before this time
    #[arg(long, value_name = "WHEN", value_parser = when)]
    until: Option<Since>,
    /// Only what happened in these accounts
    #[arg(long = "account", value_name = "ID", value_delimiter = ',', value_parser = AccountId::parse)]
    accounts: Vec<AccountId>,
    /// Only what happened in these regions
    #[arg(long = "region", value_name = "REGION", value_delimiter = ',')]
    regions: Vec<String>,
    /// Only what these responders find
    #[arg(long = "responder", value_name = "NAME", value_delimiter = ',')]
    #[arg(value_parser = PossibleValuesParser::new(ENTRIES.iter().map(|entry| entry.spec.name)))]
    responders: Vec<String>,
    /// The roles of your functions, whose own calls are never findings
    #[arg(long = "own-role", value_name = "ARN", env = "COUNTERMAND_OWN_ROLES", value_delimiter = ',')]
    #[arg(value_parser = |arn: &str| Arn::parse(arn.trim()))]
    own_roles: Vec<Arn>,
    /// What to make [default: human]
    #[arg(id = "form", long = "format", value_name = "FORMAT", value_enum)]
    form: Option<Form>,
    /// Where to write it [default: standard output]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Stands in for the global `--format`, so that clap does not hand it down here, where its name has another meaning
    #[arg(id = "format", long = "no-format", hide = true, value_enum)]
    _shadowed: Option<output::Format>,
}

/// What a backtest can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    /// Tables as wide as the terminal: the worst findings, and what all add up to
    Human,
    /// One object a line and finding, and a last one, `{"summary": …}`: for programs
    Json,
    /// One row a finding: for spreadsheets
    Csv,
    /// One page that needs nothing else: for people, and for print
    Html,
    /// One OCSF Detection Finding a line: for security lakes and SIEMs
    Ocsf,
}

impl Form {
    /// What writes it; nothing where it is made for the terminal alone.
    fn writer(self) -> Option<Writer> {
        match self {
            Self::Human => None,
            Self::Json => Some(writing::json),
            Self::Csv => Some(csv::table),
            Self::Html => Some(writing::html),
            Self::Ocsf => Some(writing::ocsf),
        }
    }
}

/// Why there is no backtest.
#[derive(Debug, thiserror::Error)]
enum BacktestError {
    #[error("the period ends before it begins: from {since} to {until}")]
    Period { since: DateTime<Utc>, until: DateTime<Utc> },
    #[error("tables for a terminal are not written to a file")]
    Form,
    #[error("the patterns of the responders cannot be read")]
    Patterns(#[source] PatternError),
    #[error("there is no log file in {}", quoted(.0))]
    Nothing(Vec<PathBuf>),
    #[error("cannot write to `{}`", path.display())]
    Write { path: PathBuf, source: io::Error },
}

/// Text that says no time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a time is a date like 2026-11-01, a time like 2026-11-22T07:00:00Z, or an age like 24h or 90d")]
struct NoTime;

pub(crate) fn run(args: &Args, now: DateTime<Utc>, out: &mut Output) -> Result<Exit, Failure> {
    match backtest(args, now, out)? {
        Ok(exit) => Ok(exit),
        Err(error) => {
            out.error(&error, error.help())?;
            Ok(error.exit())
        }
    }
}

impl BacktestError {
    fn exit(&self) -> Exit {
        match self {
            Self::Period { .. } | Self::Form => Exit::Usage,
            Self::Patterns(_) | Self::Nothing(_) | Self::Write { .. } => Exit::Failed,
        }
    }

    fn help(&self) -> Option<&'static str> {
        match self {
            Self::Form => Some("name a --format: json, csv, html or ocsf"),
            Self::Nothing(_) => Some("CloudTrail's files end in .json.gz; digest files are none"),
            Self::Patterns(_) => Some("this build of countermand is broken: report it"),
            Self::Period { .. } | Self::Write { .. } => None,
        }
    }
}

fn backtest(args: &Args, now: DateTime<Utc>, out: &mut Output) -> Result<Result<Exit, BacktestError>, Failure> {
    let form = args.form.unwrap_or(if out.is_json() { Form::Json } else { Form::Human });
    let selection = match args.selection(now) {
        Ok(_) if form.writer().is_none() && args.output.is_some() => return Ok(Err(BacktestError::Form)),
        Ok(selection) => selection,
        Err(error) => return Ok(Err(error)),
    };
    let policies = load(&args.policies)?;
    let before = args.compare.as_deref().map(load).transpose()?;
    let entries = || ENTRIES.iter().filter(|entry| args.concerns(entry));
    let wanted = match Wanted::of(entries().map(|entry| entry.spec.pattern)) {
        Ok(wanted) => wanted,
        Err(source) => return Ok(Err(BacktestError::Patterns(source))),
    };
    let detectors: Vec<Detector> =
        entries().map(|entry| Detector { name: entry.spec.name, explain: entry.explain }).collect();
    let (own_roles, before) = (args.own_roles.as_slice(), before.as_ref());
    let judge = Judge { detectors: &detectors, policies: &policies, before, own_roles, now };

    let part = Mutex::new(Part::new(&policies));
    let inputs = Inputs::gather(&args.paths, &selection);
    let workers = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let (_, totals) = progress::shown(&inputs, |progress| {
        let collector = || Collector { judge, part: &part };
        log_files::scan(&inputs, &selection, &wanted, workers, progress, collector)
    });
    let mut part = part.into_inner().unwrap_or_else(PoisonError::into_inner);
    part.reading.add(totals.into());
    if totals.files == 0 && totals.skipped_files == 0 && part.problems.count == 0 {
        return Ok(Err(BacktestError::Nothing(args.paths.clone())));
    }
    let source = quoted(&args.paths);
    let told = Told { report: part.report(TOP), compares: before.is_some(), made: now, source };
    if let Err(error) = told.tell(form, args.output.as_deref(), out)? {
        return Ok(Err(error));
    }
    Ok(Ok(told.exit()))
}

impl Args {
    fn selection(&self, now: DateTime<Utc>) -> Result<Selection, BacktestError> {
        let at = |when: Since| match when {
            Since::At(time) => time,
            Since::Ago(age) => now.checked_sub_signed(age).unwrap_or(DateTime::UNIX_EPOCH),
        };
        let (since, until) = (self.since.map(at), self.until.map(at));
        if let (Some(since), Some(until)) = (since, until)
            && since >= until
        {
            return Err(BacktestError::Period { since, until });
        }
        let accounts = self.accounts.iter().cloned().collect();
        let regions = self.regions.iter().map(Region::new).collect();
        Ok(Selection { since, until, accounts, regions })
    }

    fn concerns(&self, entry: &Entry) -> bool {
        self.responders.is_empty() || self.responders.iter().any(|name| name == entry.spec.name)
    }
}

fn load(folder: &Path) -> Result<Policies, Failure> {
    Policies::load(folder).map_err(|source| Failure::Policies { folder: folder.to_owned(), source })
}

fn when(text: &str) -> Result<Since, NoTime> {
    match text.parse::<NaiveDate>() {
        Ok(date) => Ok(Since::At(date.and_time(NaiveTime::MIN).and_utc())),
        Err(_) => Since::parse(text).map_err(|_| NoTime),
    }
}

fn quoted(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| format!("`{}`", path.display())).collect::<Vec<_>>().join(", ")
}
