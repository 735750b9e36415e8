//! One process from its start to its end, with what it took.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use hyper::body::Bytes;
use serde_json::Value;
use tokio::process::{Child, Command};

use crate::account::{Account, TABLE};
use crate::error::{BenchError, file};
use crate::limit::{Held, Limiter, PERIOD};
use crate::runtime_api::{Mark, RuntimeApi};
use crate::subject::Subject;

/// What one process took.
#[derive(Debug)]
pub(crate) struct Took {
    /// From its start to its first poll.
    pub(crate) first_poll: Duration,
    /// From its start to the answer to its first event.
    pub(crate) first_event: Duration,
    /// From handing over each later event to the answer.
    pub(crate) further_events: Vec<Duration>,
    /// The most memory it ever had, in KiB.
    pub(crate) peak: u64,
    /// How many calls to AWS an event took.
    pub(crate) calls: usize,
}

/// What every process of a table is given.
#[derive(Debug)]
pub(crate) struct Conditions<'a> {
    pub(crate) account: &'a Account,
    /// `AWS_ENDPOINT_URL`.
    pub(crate) endpoint: &'a str,
    pub(crate) limiter: Option<&'a Limiter>,
    /// Where policies lie, and logs go.
    pub(crate) scratch: &'a Path,
    /// How many events each process gets after its first.
    pub(crate) further_events: usize,
}

/// Nothing measured here takes as long.
const PATIENCE: Duration = Duration::from_mins(1);

/// Starts the program, gives it its events one after the other, and ends it. Every event must be contained.
pub(crate) async fn measure(subject: &Subject, given: &Conditions<'_>) -> Result<Took, BenchError> {
    given.account.expose();
    let mut process = Process::start(subject, given).await?;
    let first_poll = process.polled().await? - process.began;
    let (first_event, calls) = process.contained(given.account).await?;
    let first_event = first_event - process.began;
    let mut further_events = Vec::new();
    for number in 1..=given.further_events {
        process.polled().await?;
        if given.limiter.is_some() {
            // Events are seconds apart, and by then the quota is whole again.
            tokio::time::sleep(PERIOD).await;
        }
        given.account.expose();
        let event = subject.fresh_event(number);
        let handed_over = Instant::now();
        process.api.hand_over(event);
        further_events.push(process.contained(given.account).await?.0 - handed_over);
    }
    let peak = process.peak_memory()?;
    process.end().await;
    Ok(Took { first_poll, first_event, further_events, peak, calls })
}

struct Process<'a> {
    subject: &'a Subject,
    began: Instant,
    pid: u32,
    // Before `child`: it is to be let go before the process is.
    held: Option<Held<'a>>,
    child: Child,
    api: RuntimeApi,
    log: PathBuf,
}

impl<'a> Process<'a> {
    async fn start(subject: &'a Subject, given: &Conditions<'a>) -> Result<Self, BenchError> {
        let api = RuntimeApi::start().await.map_err(BenchError::Listen)?;
        api.hand_over(subject.fresh_event(0));
        let log = given.scratch.join("log");
        let output = File::create(&log).map_err(file(&log))?;
        let errors = output.try_clone().map_err(file(&log))?;
        let mut command = Command::new(&subject.program);
        command
            .args(&subject.arguments)
            .env_clear()
            .envs([
                ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
                ("AWS_ENDPOINT_URL", given.endpoint),
                ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
                ("AWS_LAMBDA_FUNCTION_NAME", "benchmark"),
                ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
                ("AWS_LAMBDA_RUNTIME_API", &api.address().to_string()),
                ("AWS_DEFAULT_REGION", subject.region()),
                ("AWS_REGION", subject.region()),
                ("AWS_SECRET_ACCESS_KEY", "not-a-secret"),
                ("AWS_SESSION_TOKEN", "not-a-token"),
                ("COUNTERMAND_TABLE", TABLE),
                ("PATH", "/usr/local/bin:/usr/bin:/bin"),
            ])
            .env("COUNTERMAND_POLICIES", given.scratch.join("policies"))
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .kill_on_drop(true);
        if given.endpoint.starts_with("https") {
            command.env("AWS_CA_BUNDLE", &subject.bundle);
        }
        let began = Instant::now();
        let child = command
            .spawn()
            .map_err(|source| BenchError::Spawn { program: subject.program.display().to_string(), source })?;
        // It cannot have ended yet as far as we know: nobody has waited for it.
        let pid = child.id().unwrap_or_default();
        let held = given.limiter.map(|limiter| limiter.hold(pid)).transpose().map_err(BenchError::Limit)?;
        Ok(Self { subject, began, pid, held, child, api, log })
    }

    async fn polled(&mut self) -> Result<Instant, BenchError> {
        match self.next("ask for an event").await? {
            Mark::Polled(at) => Ok(at),
            Mark::Answered(_, answer) => Err(self.not_contained(&answer)),
        }
    }

    /// When the event was answered, if it was contained and the account shows it, and the calls that took.
    async fn contained(&mut self, account: &Account) -> Result<(Instant, usize), BenchError> {
        match self.next("answer").await? {
            Mark::Answered(at, answer) if is_contained(&answer) => {
                let calls = account.closed(self.subject.exposure);
                calls.map(|calls| (at, calls)).ok_or(BenchError::StillOpen { name: self.subject.name })
            }
            Mark::Answered(_, answer) => Err(self.not_contained(&answer)),
            Mark::Polled(_) => Err(self.not_contained(b"nothing")),
        }
    }

    async fn next(&mut self, act: &'static str) -> Result<Mark, BenchError> {
        let name = self.subject.name;
        tokio::select! {
            biased;
            Some(mark) = self.api.next() => Ok(mark),
            status = self.child.wait() => {
                let status = status.map_or_else(|error| error.to_string(), |status| status.to_string());
                Err(BenchError::Ended { name, status, said: self.said() })
            }
            () = tokio::time::sleep(PATIENCE) => {
                Err(BenchError::TimedOut { name, act, seconds: PATIENCE.as_secs(), said: self.said() })
            }
        }
    }

    fn not_contained(&self, answer: &[u8]) -> BenchError {
        let answer = String::from_utf8_lossy(answer).into_owned();
        BenchError::NotContained { name: self.subject.name, answer, said: self.said() }
    }

    fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    fn peak_memory(&self) -> Result<u64, BenchError> {
        let pid = self.pid;
        let path = format!("/proc/{pid}/status");
        let status = fs::read_to_string(&path).map_err(file(&path))?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse().ok());
        peak.ok_or(BenchError::Memory { pid })
    }

    async fn end(mut self) {
        drop(self.held.take());
        // An error is a process gone already, which is what was wanted.
        self.child.kill().await.ok();
    }
}

fn is_contained(answer: &Bytes) -> bool {
    let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
    answer.pointer("/outcomes/0/status").is_some_and(|status| status == "contained")
}
