//! The backtest as two Lambda functions, for logs that one machine would read for too long.
//!
//! AWS Step Functions lists the archive and hands out batches of objects. [`PART`] reads one batch and keeps what it found
//! as a part, under a name that only this batch has: a batch that is tried again replaces its own part. [`SUMMARY`] adds
//! all parts of a run up. Parts merge exactly and in any order, so the sum is what one machine would have found.

use std::collections::BTreeSet;
use std::io::{self, Read, Write};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ::backtest::{Detector, Judge, Part, Reading};
use chrono::{DateTime, Utc};
use cloudtrail::{AccountId, Region};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use lambda::{SystemClock, Task, Workplace, serve_task};
use log_files::{PatternError, Selection, Wanted};
use policy::{Policies, PolicyError};
use remedy::{CallError, Clock};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::archive::{AT_ONCE, Bucket, Object, Progress, Query, Reader, Scanners, Search};
use super::{TOP, when, writing};
use crate::incidents::Since;
use crate::responders::ENTRIES;

/// The `Handler` of the function that reads a batch.
pub(crate) const PART: &str = "backtest-part";

/// The `Handler` of the function that adds the parts up.
pub(crate) const SUMMARY: &str = "backtest-summary";

/// So long before Lambda ends the process we end the work ourselves, and can say so.
const MARGIN: Duration = Duration::from_secs(3);

/// What Step Functions hands over with a batch: `ItemBatcher` makes this form (AWS Step Functions Developer Guide,
/// under `ItemBatcher`).
#[derive(Debug, Deserialize)]
struct Batch {
    #[serde(rename = "Items")]
    items: Vec<Item>,
    #[serde(rename = "BatchInput")]
    about: About,
}

/// An object, as `ListObjectsV2` names it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Item {
    key: String,
    size: u64,
}

#[derive(Debug, Deserialize)]
struct About {
    /// Where the logs are.
    bucket: String,
    /// The bucket for what is found.
    results: String,
    run: String,
    #[serde(default)]
    asked: Asked,
}

/// The execution's input: which events are asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Asked {
    since: Option<String>,
    until: Option<String>,
    accounts: Vec<String>,
    regions: Vec<String>,
}

/// The parts to add up.
#[derive(Debug, Deserialize)]
struct Run {
    results: String,
    run: String,
}

/// What [`PART`] answers.
#[derive(Debug, Serialize)]
struct PartKept {
    part: String,
    #[serde(flatten)]
    reading: Reading,
    problems: u64,
}

/// What [`SUMMARY`] answers.
#[derive(Debug, Serialize)]
struct Added {
    parts: u64,
    findings: u64,
    acted_on: u64,
    perhaps_acted_on: u64,
    problems: u64,
    #[serde(flatten)]
    reading: Reading,
    /// Where the whole summary is.
    summary: String,
    /// Where the findings are, a line each.
    details: String,
}

/// Why a task was not done.
#[derive(Debug, thiserror::Error)]
enum TaskError {
    #[error("the input has not the form that this function takes")]
    Input(#[source] serde_json::Error),
    #[error("the batch is empty")]
    Empty,
    #[error("`{0}` is neither a date like 2026-11-01 nor a time like 2026-11-22T07:00:00Z")]
    Time(String),
    #[error("`{0}` is no account")]
    Account(String),
    #[error("the policies cannot be used")]
    Policies(#[source] PolicyError),
    #[error("the patterns of the responders cannot be read")]
    Patterns(#[source] PatternError),
    #[error("an object cannot be got now; it may be had later")]
    Get(#[source] CallError),
    #[error("the batch is not done in time: make batches smaller, or give the function more memory")]
    Late,
    #[error("cannot write `{object}`")]
    Put { object: String, source: CallError },
    #[error("the parts of run `{run}` cannot be listed")]
    List { run: String, source: CallError },
    #[error("run `{0}` has no parts: nothing was read")]
    NoParts(String),
    #[error("cannot get the part `{object}`")]
    GetPart { object: String, source: CallError },
    #[error("the part `{object}` cannot be read")]
    Part { object: String, source: serde_json::Error },
    #[error("what was found cannot be put into its form")]
    Form(#[source] io::Error),
}

impl TaskError {
    /// The `errorType`. The state machine tries `Store` again, and nothing else.
    fn kind(&self) -> &'static str {
        match self {
            Self::Input(_) | Self::Empty | Self::Time(_) | Self::Account(_) => "Input",
            Self::Policies(_) | Self::Patterns(_) => "Policies",
            Self::Put { source, .. } | Self::List { source, .. } | Self::GetPart { source, .. }
                if !source.is_retryable() =>
            {
                "Refused"
            }
            Self::Get(_) | Self::Put { .. } | Self::List { .. } | Self::GetPart { .. } => "Store",
            Self::Late => "Late",
            Self::NoParts(_) | Self::Part { .. } | Self::Form(_) => "Parts",
        }
    }
}

/// The function that reads a batch.
pub(crate) fn serve_part() -> ExitCode {
    serve_task(&read_batch, TaskError::kind)
}

/// The function that adds the parts up.
pub(crate) fn serve_summary() -> ExitCode {
    serve_task(&add_up, TaskError::kind)
}

async fn read_batch(workplace: &Workplace, task: Task) -> Result<PartKept, TaskError> {
    let Batch { items, about } = serde_json::from_value(task.input).map_err(TaskError::Input)?;
    let first = items.first().ok_or(TaskError::Empty)?;
    let key = format!("{}{:x}.json.gz", parts(&about.run), Sha256::digest(&first.key));
    let results = Bucket::here(&workplace.config, &about.results);
    let work = async {
        let part = found_in(workplace, items, &about).await?;
        let packed = pack(&part).map_err(TaskError::Form)?;
        put(&results, &key, "application/gzip", packed).await?;
        Ok(PartKept { part: results.address(&key), reading: part.reading, problems: part.problems.count })
    };
    in_time(task.deadline, Box::pin(work)).await
}

async fn found_in(workplace: &Workplace, items: Vec<Item>, about: &About) -> Result<Part, TaskError> {
    let selection = about.asked.selection()?;
    let policies = Policies::load(&workplace.policies).map_err(TaskError::Policies)?;
    let wanted = Wanted::of(ENTRIES.iter().map(|entry| entry.spec.pattern)).map_err(TaskError::Patterns)?;
    let detectors: Vec<Detector> =
        ENTRIES.iter().map(|entry| Detector { name: entry.spec.name, explain: entry.explain_briefly }).collect();
    let (own_roles, now) = (workplace.own_roles.as_slice(), SystemClock.now());
    let judge = Judge { detectors: &detectors, policies: &policies, before: None, own_roles, now };
    let part = Mutex::new(Part::new(&policies));
    let search = Search { selection: &selection, wanted: &wanted, judge, part: &part };
    let (scanners, progress) = (Scanners::here(search), Progress::default());
    // Step Functions reads only buckets in its own region.
    let bucket = Bucket::here(&workplace.config, &about.bucket);
    let reader = Reader::new(&bucket, search, &scanners, &progress);
    let objects = items.into_iter().map(|Item { key, size }| Object { key, bytes: size });
    let admitted: Vec<Object> = objects.filter(|object| reader.admits(object)).collect();
    let read = async |object: Object| reader.read(&object).await.map_err(TaskError::Get);
    stream::iter(admitted).map(read).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
    Ok(part.into_inner().unwrap_or_else(PoisonError::into_inner))
}

async fn add_up(workplace: &Workplace, task: Task) -> Result<Added, TaskError> {
    let Run { results, run } = serde_json::from_value(task.input).map_err(TaskError::Input)?;
    let bucket = Bucket::here(&workplace.config, &results);
    let work = async {
        let (number, whole) = all_parts(&bucket, &run).await?;
        let report = whole.report(TOP);
        let summary = &report.summary;
        let (mut lines, mut last) = (Vec::new(), Vec::new());
        report.findings().try_for_each(|finding| writing::object(&finding, &mut lines)).map_err(TaskError::Form)?;
        writing::object(summary, &mut last).map_err(TaskError::Form)?;
        let (details, summed) = (format!("runs/{run}/findings.jsonl"), format!("runs/{run}/summary.json"));
        put(&bucket, &details, "application/jsonl", lines).await?;
        put(&bucket, &summed, "application/json", last).await?;
        Ok(Added {
            parts: number,
            findings: summary.verdicts.findings,
            acted_on: summary.acted_on,
            perhaps_acted_on: summary.perhaps_acted_on,
            problems: summary.problems.count,
            reading: summary.reading,
            summary: bucket.address(&summed),
            details: bucket.address(&details),
        })
    };
    in_time(task.deadline, Box::pin(work)).await
}

/// How many parts there are, and what they are together.
async fn all_parts(bucket: &Bucket, run: &str) -> Result<(u64, Part), TaskError> {
    let prefix = parts(run);
    let (mut number, mut whole, mut next) = (0, Part::default(), None);
    loop {
        let query = Query { prefix: &prefix, next: next.as_deref(), ..Query::default() };
        let page = bucket.page(query).await.map_err(|source| TaskError::List { run: run.to_owned(), source })?;
        let mut got = stream::iter(page.objects).map(async |object| part(bucket, &object.key).await).buffered(AT_ONCE);
        while let Some(part) = got.try_next().await? {
            whole.absorb(part);
            number += 1;
        }
        next = page.next;
        match next {
            Some(_) => {}
            None if number == 0 => return Err(TaskError::NoParts(run.to_owned())),
            None => return Ok((number, whole)),
        }
    }
}

async fn part(bucket: &Bucket, key: &str) -> Result<Part, TaskError> {
    let object = bucket.address(key);
    let packed = match bucket.get(key).await {
        Ok(packed) => packed,
        Err(source) => return Err(TaskError::GetPart { object, source }),
    };
    let mut text = Vec::new();
    let unpacked = GzDecoder::new(packed.as_slice()).read_to_end(&mut text).map_err(serde_json::Error::io);
    unpacked.and_then(|_| serde_json::from_slice(&text)).map_err(|source| TaskError::Part { object, source })
}

fn pack(part: &Part) -> io::Result<Vec<u8>> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    serde_json::to_writer(&mut packed, part)?;
    packed.flush()?;
    packed.finish()
}

/// Where the parts of a run are.
fn parts(run: &str) -> String {
    format!("runs/{run}/parts/")
}

async fn put(bucket: &Bucket, key: &str, content_type: &str, body: Vec<u8>) -> Result<(), TaskError> {
    let written = bucket.put(key, content_type, body).await;
    written.map_err(|source| TaskError::Put { object: bucket.address(key), source })
}

/// Ends the work itself rather than being ended without a word.
async fn in_time<T>(deadline: DateTime<Utc>, work: impl Future<Output = Result<T, TaskError>>) -> Result<T, TaskError> {
    let left = (deadline - SystemClock.now()).to_std().unwrap_or_default();
    tokio::time::timeout(left.saturating_sub(MARGIN), work).await.unwrap_or(Err(TaskError::Late))
}

impl Asked {
    /// Ages are refused: each batch would count them from another time.
    fn selection(&self) -> Result<Selection, TaskError> {
        let time = |text: &Option<String>| match text {
            None => Ok(None),
            Some(text) => match when(text) {
                Ok(Since::At(time)) => Ok(Some(time)),
                _ => Err(TaskError::Time(text.clone())),
            },
        };
        let account = |id: &String| AccountId::parse(id).map_err(|_| TaskError::Account(id.clone()));
        Ok(Selection {
            since: time(&self.since)?,
            until: time(&self.until)?,
            accounts: self.accounts.iter().map(account).collect::<Result<BTreeSet<_>, _>>()?,
            regions: self.regions.iter().map(Region::new).collect(),
        })
    }
}
