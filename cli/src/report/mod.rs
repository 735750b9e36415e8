//! `countermand report`: the incidents of a period, as a page for people, a table for spreadsheets, or for programs.
//!
//! Part of every incident was written by whoever caused it. Each format has its own way of making that harmless, in one
//! place each: see [`html`] and [`csv`]. JSON says all as it is, in escapes where a terminal would obey.

mod controls;
mod count;
mod csv;
mod html;
mod row;
mod spread;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use hostile_text::visible_json;
use lambda::Listing;

use self::row::{Row, RowError};
pub(crate) use self::{
    controls::{Control, in_order},
    count::many,
    html::framed,
    spread::told,
};
use crate::args::Connection;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::incidents::{Session, Since};
use crate::output::{self, Output};

/// How far back a report looks that is not told from when.
const PERIOD: TimeDelta = TimeDelta::days(30);

/// What did Countermand see, decide and do, and was it taken back?
#[derive(Debug, Clone, clap::Args)]
#[command(mut_arg("table", |table| table.required(false).required_unless_present("incidents")))]
#[command(mut_arg("profile", |profile| profile.conflicts_with("incidents")))]
#[command(mut_arg("region", |region| region.conflicts_with("incidents")))]
pub(crate) struct Args {
    /// Opened at this time or later: a date such as 2026-11-01, which begins at midnight UTC, a time such as
    /// 2026-11-22T07:00:00Z, or an age such as 24h or 7d [default: 30 days before --to; of a file, everything]
    #[arg(long, value_name = "WHEN", value_parser = when)]
    from: Option<Since>,
    /// Opened before this time [default: now]
    #[arg(long, value_name = "WHEN", value_parser = when)]
    to: Option<Since>,
    /// What to make [default: html]
    #[arg(id = "form", long = "format", value_name = "FORMAT", value_enum)]
    form: Option<Form>,
    /// Where to write it [default: standard output]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Read a file instead of the ledger: one JSON object a line, as `report --format json` prints them. Those of
    /// `incidents show --format json` will do, and those of `incidents list`, which tell no evidence. `-` is standard
    /// input
    #[arg(long, value_name = "FILE")]
    incidents: Option<PathBuf>,
    /// Stands in for the global `--format`, so that clap does not hand it down here, where its name has another meaning
    #[arg(id = "format", long = "no-format", hide = true, value_enum)]
    _shadowed: Option<output::Format>,
    #[command(flatten)]
    connection: Option<Connection>,
}

/// What a report can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    /// One page that needs nothing else: for people, and for print
    Html,
    /// One row an incident: for spreadsheets
    Csv,
    /// One object a line and incident: for programs, and for --incidents
    Json,
}

/// Text that says no time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a time is a date like 2026-11-01, a time like 2026-11-22T07:00:00Z, or an age like 24h or 7d")]
struct NoTime;

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
enum ReportError {
    #[error("the period ends before it begins: from {from} to {to}")]
    Period { from: DateTime<Utc>, to: DateTime<Utc> },
    #[error("cannot read `{}`", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("`{}` does not hold incidents", path.display())]
    Incidents { path: PathBuf, source: RowError },
    #[error("cannot write the report to `{}`", path.display())]
    Write { path: PathBuf, source: io::Error },
}

/// From a time until before another.
type Period = (DateTime<Utc>, DateTime<Utc>);

/// What is reported.
#[derive(Debug)]
struct Report {
    /// Oldest first.
    rows: Vec<Row>,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    /// When the report was made.
    made: DateTime<Utc>,
    /// Where the incidents were read from: a phrase.
    source: String,
}

pub(crate) fn run(args: &Args, now: DateTime<Utc>, out: &mut Output) -> Result<Exit, Failure> {
    match make(args, now, out)? {
        Ok(()) => Ok(Exit::Done),
        Err(error) => {
            out.error(&error, error.help())?;
            Ok(if matches!(error, ReportError::Period { .. }) { Exit::Usage } else { Exit::Failed })
        }
    }
}

impl ReportError {
    fn help(&self) -> Option<&'static str> {
        match self {
            Self::Incidents { .. } => Some("save it with `countermand report --format json --output FILE`"),
            Self::Period { .. } | Self::Read { .. } | Self::Write { .. } => None,
        }
    }
}

fn make(args: &Args, now: DateTime<Utc>, out: &mut Output) -> Result<Result<(), ReportError>, Failure> {
    let (from, to) = (args.from.map(|from| at(from, now)), args.to.map(|to| at(to, now)));
    let until = to.unwrap_or(now);
    if let Some(from) = from.filter(|from| *from >= until) {
        return Ok(Err(ReportError::Period { from, to: until }));
    }
    let (rows, period, source) = match (&args.incidents, &args.connection) {
        (Some(path), _) => match read(path) {
            Ok(rows) => {
                let (first, last) = extent(&rows, now);
                (rows, (from.unwrap_or(first), to.unwrap_or(last)), format!("the file {}", path.display()))
            }
            Err(error) => return Ok(Err(error)),
        },
        (None, Some(connection)) => {
            let from = from.unwrap_or_else(|| before(until, PERIOD));
            (ask(connection, from, until)?, (from, until), format!("the table {}", connection.table))
        }
        // Clap has asked for one of the two.
        (None, None) => (Vec::new(), (now, now), String::new()),
    };
    let report = Report::of(rows, period, now, source);
    let form = args.form.unwrap_or(if out.is_json() { Form::Json } else { Form::Html });
    let text = report.write(form)?;
    let Some(path) = &args.output else {
        // Nothing in the text is left that a terminal would obey: each format has seen to it.
        out.script(text.as_bytes())?;
        return Ok(Ok(()));
    };
    if let Err(source) = fs::write(path, text) {
        return Ok(Err(ReportError::Write { path: path.clone(), source }));
    }
    let incidents = if report.rows.len() == 1 { "incident" } else { "incidents" };
    out.note([format!("{} {incidents} in {}", report.rows.len(), path.display()).into()])?;
    Ok(Ok(()))
}

impl Report {
    /// Of the rows those that were opened in the period.
    fn of(mut rows: Vec<Row>, (from, to): Period, made: DateTime<Utc>, source: String) -> Self {
        rows.retain(|row| (from..to).contains(&row.opened));
        rows.sort_by(|one, other| (one.opened, &one.incident).cmp(&(other.opened, &other.incident)));
        Self { rows, from, to, made, source }
    }

    fn write(&self, form: Form) -> io::Result<String> {
        match form {
            Form::Html => Ok(html::page(self)),
            Form::Csv => csv::table(&self.rows),
            Form::Json => {
                let lines: Result<Vec<String>, _> = self.rows.iter().map(serde_json::to_string).collect();
                Ok(lines?.iter().flat_map(|line| [visible_json(line), Cow::Borrowed("\n")]).collect())
            }
        }
    }
}

fn read(path: &Path) -> Result<Vec<Row>, ReportError> {
    let text = if path == Path::new("-") { io::read_to_string(io::stdin()) } else { fs::read_to_string(path) };
    let text = text.map_err(|source| ReportError::Read { path: path.to_owned(), source })?;
    row::parse(&text).map_err(|source| ReportError::Incidents { path: path.to_owned(), source })
}

/// The period that holds all rows, to the second.
fn extent(rows: &[Row], now: DateTime<Utc>) -> Period {
    let opened = || rows.iter().map(|row| row.opened);
    let last = opened().max().unwrap_or(now);
    (opened().min().unwrap_or(now), last.checked_add_signed(TimeDelta::seconds(1)).unwrap_or(last))
}

/// What the ledger holds of the period.
fn ask(connection: &Connection, from: DateTime<Utc>, to: DateTime<Utc>) -> Result<Vec<Row>, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::Runtime)?;
    runtime.block_on(async {
        let incidents = Session::open(connection).await?.list(&Listing::between(from, to)).await?;
        Ok(incidents.into_iter().map(Row::from).collect())
    })
}

fn when(text: &str) -> Result<Since, NoTime> {
    match text.parse::<NaiveDate>() {
        Ok(date) => Ok(Since::At(date.and_time(NaiveTime::MIN).and_utc())),
        Err(_) => Since::parse(text).map_err(|_| NoTime),
    }
}

fn at(when: Since, now: DateTime<Utc>) -> DateTime<Utc> {
    match when {
        Since::At(time) => time,
        Since::Ago(age) => before(now, age),
    }
}

/// As early as time goes where an age leads beyond it.
fn before(time: DateTime<Utc>, age: TimeDelta) -> DateTime<Utc> {
    time.checked_sub_signed(age).unwrap_or(DateTime::UNIX_EPOCH)
}
