//! `countermand backtest`: what would have happened, on a company's own CloudTrail history. Needs no AWS, unless that lies there.
//!
//! The files are read by `log_files`, judged and added up by `backtest`; here is what is asked for and how it is told.
//! Part of every finding was written by whoever caused it. Each format has its own way of making that harmless.

mod archive;
mod csv;
pub(crate) mod function;
mod html;
mod human;
mod ocsf;
mod progress;
mod sources;
mod told;
mod writing;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ::backtest::{Detector, Judge, Part};
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use clap::builder::{PathBufValueParser, PossibleValuesParser, TypedValueParser};
use cloudtrail::{AccountId, Arn, Region};
use log_files::{PatternError, Selection, Wanted};
use policy::Policies;

use self::archive::{Place, ResumeError, Search, Source};
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
    /// events, or what `aws cloudtrail lookup-events` printed; or `s3://BUCKET/PREFIX`, for which your role needs
    /// s3:ListBucket, s3:GetObject and, where the logs are encrypted with a key of yours, kms:Decrypt
    #[arg(value_name = "PATH", required = true)]
    #[arg(value_parser = PathBufValueParser::new().try_map(Source::of))]
    sources: Vec<Source>,
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
    /// Keep in this file how far a run over s3:// has come, and go on from there if it was interrupted
    #[arg(long, value_name = "FILE")]
    resume: Option<PathBuf>,
    /// How often to keep it, in seconds; for tests
    #[arg(long, value_name = "SECONDS", default_value_t = 10, hide = true)]
    resume_every: u64,
    /// The profile in your AWS configuration, for s3://
    #[arg(long)]
    profile: Option<String>,
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
    Nothing(Vec<Source>),
    #[error(transparent)]
    Resume(#[from] ResumeError),
    #[error("only a run over s3:// can be resumed")]
    NothingToResume,
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
            Self::Period { .. } | Self::Form | Self::NothingToResume => Exit::Usage,
            Self::Patterns(_) | Self::Nothing(_) | Self::Write { .. } | Self::Resume(_) => Exit::Failed,
        }
    }

    fn help(&self) -> Option<&'static str> {
        match self {
            Self::Form => Some("name a --format: json, csv, html or ocsf"),
            Self::Nothing(_) => Some("CloudTrail's files end in .json.gz; digest files are none"),
            Self::Patterns(_) => Some("this build of countermand is broken: report it"),
            Self::Resume(ResumeError::Another { .. } | ResumeError::NoState { .. }) => {
                Some("delete it to begin anew, or name another --resume file")
            }
            Self::NothingToResume => Some("leave --resume away: files on a disk are read fast enough"),
            Self::Period { .. } | Self::Write { .. } | Self::Resume(_) => None,
        }
    }
}

fn backtest(args: &Args, now: DateTime<Utc>, out: &mut Output) -> Result<Result<Exit, BacktestError>, Failure> {
    let form = args.form.unwrap_or(if out.is_json() { Form::Json } else { Form::Human });
    if form.writer().is_none() && args.output.is_some() {
        return Ok(Err(BacktestError::Form));
    }
    let policies = load(&args.policies)?;
    let before = args.compare.as_deref().map(load).transpose()?;
    let (mut resume, left) = match args.resume(now)? {
        Ok(resume) => resume,
        Err(error) => return Ok(Err(error)),
    };
    let now = left.as_ref().map_or(now, |left| left.now);
    let selection = match args.selection(now) {
        Ok(selection) => selection,
        Err(error) => return Ok(Err(error)),
    };
    let entries = || ENTRIES.iter().filter(|entry| args.concerns(entry));
    let wanted = match Wanted::of(entries().map(|entry| entry.spec.pattern)) {
        Ok(wanted) => wanted,
        Err(source) => return Ok(Err(BacktestError::Patterns(source))),
    };
    let detectors: Vec<Detector> =
        entries().map(|entry| Detector { name: entry.spec.name, explain: entry.explain_briefly }).collect();
    let (own_roles, before) = (args.own_roles.as_slice(), before.as_ref());
    let judge = Judge { detectors: &detectors, policies: &policies, before, own_roles, now };

    let (place, part) = match left {
        Some(left) => (left.at, left.part),
        None => (Place::default(), Part::new(&policies)),
    };
    let is_begun = place.after.is_some();
    let part = Mutex::new(part);
    let search = Search { selection: &selection, wanted: &wanted, judge, part: &part };
    if !is_begun {
        sources::scan_files(&args.paths(), search);
    }
    let complete =
        match sources::scan_archives(&args.archives(), args.profile.as_deref(), search, &place, resume.as_mut())? {
            Ok(complete) => complete,
            Err(error) => return Ok(Err(error.into())),
        };
    let part = part.into_inner().unwrap_or_else(PoisonError::into_inner);
    if part.reading.files == 0 && part.reading.skipped_files == 0 && part.problems.count == 0 {
        return Ok(Err(BacktestError::Nothing(args.sources.clone())));
    }
    let source = quoted(&args.sources);
    let told = Told { report: part.report(TOP), compares: before.is_some(), made: now, source };
    if let Err(error) = told.tell(form, args.output.as_deref(), out)? {
        return Ok(Err(error));
    }
    if let Some(resume) = resume.filter(|_| complete)
        && let Err(error) = resume.forget()
    {
        return Ok(Err(error.into()));
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

fn quoted(sources: &[Source]) -> String {
    sources.iter().map(|source| format!("`{source}`")).collect::<Vec<_>>().join(", ")
}
