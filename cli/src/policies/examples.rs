//! `countermand policy test`: examples beside the policies, each an event and what must come of it.
//!
//! The examples of the policies in a folder lie in its folder `tests`, which [`Policies::load`] does not look into.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use cloudtrail::{Event, EventError};
use policy::{Decision, Policies, Resource};
use remedy::in_full;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::events::{self, ReadError};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Output, Tone};
use crate::responders::Entry;

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Test {
    /// Folders with Cedar policies; the examples of each are the `*.json` files in its folder `tests`
    #[arg(value_name = "DIR", default_value = "policies")]
    folders: Vec<PathBuf>,
}

/// One file of `tests/`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Example {
    /// What this example is there to hold: a sentence.
    why: String,
    /// An EventBridge event or a CloudTrail record.
    event: Option<Value>,
    /// Or a file that holds one, by its path from this file's folder.
    event_file: Option<PathBuf>,
    responder: String,
    expect: Expect,
    /// A policy that must be among those that made the verdict.
    policy: Option<String>,
    /// When it is decided, if not at the time of the event.
    now: Option<DateTime<Utc>>,
    /// The tags that the resource has. Without them policies that ask for tags find what the responder presumes.
    tags: Option<BTreeMap<String, String>>,
}

/// What must come of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Expect {
    Enforce,
    Approve,
    Observe,
    Exempt,
    /// The responder finds nothing in it.
    None,
}

/// Why an example is none.
#[derive(Debug, thiserror::Error)]
enum ExampleError {
    #[error("it cannot be read")]
    Read(#[source] io::Error),
    #[error("it does not have the form of an example")]
    Form(#[source] serde_json::Error),
    #[error("it needs an `event` or an `event_file`, and not both")]
    OneEvent,
    #[error("its event cannot be read")]
    File(#[source] ReadError),
    #[error("its event cannot be read")]
    Event(#[source] EventError),
    #[error("its file holds {0} events, and an example is about one")]
    Events(usize),
    #[error("there is no responder `{0}`; `countermand responders` lists them")]
    Responder(String),
    #[error("its event has no time that we can read, so it needs a `now`")]
    Time,
    #[error("{responder} cannot read its event")]
    Detect { responder: &'static str, source: EventError },
}

/// What came of an example. Other programs rely on this form.
#[derive(Debug, Serialize)]
struct Tried {
    file: String,
    passed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<Expected>,
    /// One for each finding of the responder.
    got: Vec<Got>,
    /// Why it could not be tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
struct Expected {
    verdict: Expect,
    policy: Option<String>,
    /// Whether there is such a policy at all.
    #[serde(skip)]
    is_there: bool,
}

#[derive(Debug, Serialize)]
struct Got {
    resource: String,
    verdict: &'static str,
    policies: Vec<String>,
    because: String,
}

pub(super) fn test(Test { folders }: &Test, out: &mut Output) -> Result<Exit, Failure> {
    let (mut passed, mut failed) = (0_usize, 0_usize);
    for folder in folders {
        let policies = Policies::load(folder).map_err(|source| Failure::Policies { folder: folder.clone(), source })?;
        for tried in all(folder, &policies) {
            if tried.passed {
                passed += 1;
            } else {
                failed += 1;
            }
            tried.tell(out)?;
        }
    }
    if !out.is_json() {
        let text = format!("{passed} passed, {failed} failed");
        out.line([if failed > 0 { Tone::Bad.of(text) } else { Tone::Good.of(text) }])?;
    }
    Ok(if failed > 0 { Exit::Failed } else { Exit::Done })
}

/// The examples of a folder by name. Where there is none, that is a failure: else a wrong path would pass every time.
fn all(folder: &Path, policies: &Policies) -> Vec<Tried> {
    let tests = folder.join("tests");
    let paths = fs::read_dir(&tests).and_then(|entries| {
        let paths: io::Result<Vec<PathBuf>> = entries.map(|entry| Ok(entry?.path())).collect();
        let mut paths = paths?;
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
        paths.sort();
        if paths.is_empty() {
            return Err(io::Error::new(io::ErrorKind::NotFound, "there is no *.json file in it"));
        }
        Ok(paths)
    });
    match paths {
        Ok(paths) => paths.iter().map(|path| Tried::of(path, policies)).collect(),
        Err(error) => vec![Tried::failed(&tests, &ExampleError::Read(error))],
    }
}

impl Tried {
    fn of(path: &Path, policies: &Policies) -> Self {
        match Self::attempt(path, policies) {
            Ok(tried) => tried,
            Err(error) => Self::failed(path, &error),
        }
    }

    fn failed(path: &Path, error: &ExampleError) -> Self {
        let file = path.display().to_string();
        Self { file, passed: false, why: None, expected: None, got: Vec::new(), error: Some(in_full(error)) }
    }

    fn attempt(path: &Path, policies: &Policies) -> Result<Self, ExampleError> {
        let text = fs::read_to_string(path).map_err(ExampleError::Read)?;
        let example: Example = serde_json::from_str(&text).map_err(ExampleError::Form)?;
        let got = example.got(path, policies)?;
        let Example { why, expect, policy, .. } = example;
        let is_there = |id: &String| policies.rules().iter().any(|rule| rule.id.as_str() == id);
        let expected = Expected { verdict: expect, is_there: policy.as_ref().is_none_or(is_there), policy };
        let passed = if expect == Expect::None { got.is_empty() } else { !got.is_empty() && expected.is(&got) };
        let file = path.display().to_string();
        Ok(Self { file, passed, why: Some(why), expected: Some(expected), got, error: None })
    }

    fn tell(&self, out: &mut Output) -> io::Result<()> {
        if out.is_json() {
            return out.object(self);
        }
        let mark = if self.passed { Tone::Good.of("ok    ") } else { Tone::Bad.of("FAIL  ") };
        let why = self.why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        out.line([mark, Tone::Strong.of(self.file.as_str()), why.into()])?;
        if self.passed {
            return Ok(());
        }
        if let Some(error) = &self.error {
            out.field("error", [error.as_str().into()])?;
        }
        if let Some(expected) = &self.expected {
            out.field("expected", [Tone::Good.of(expected.to_string())])?;
            if !expected.is_there {
                out.field("", [Tone::Warning.of("no policy in the folder has this @id")])?;
            }
            let got = self.got.iter().map(|got| {
                Tone::Bad.of(match self.got.len() {
                    1 => got.to_string(),
                    _ => format!("{got}, on {}", got.resource),
                })
            });
            if self.got.is_empty() {
                out.field("got", [Tone::Bad.of("none: the responder finds nothing in the event")])?;
            }
            out.fields("got", got)?;
        }
        Ok(())
    }
}

impl Example {
    /// What the responder finds in the event, and what the policies say to it.
    fn got(&self, path: &Path, policies: &Policies) -> Result<Vec<Got>, ExampleError> {
        let entry = Entry::named(&self.responder).ok_or_else(|| ExampleError::Responder(self.responder.clone()))?;
        let event = self.event(path)?;
        let now = self.now.or(event.time).ok_or(ExampleError::Time)?;
        let responder = entry.spec.name;
        let explanations =
            (entry.explain)(&event, policies, now).map_err(|source| ExampleError::Detect { responder, source })?;
        let got = explanations.into_iter().map(|explanation| match &self.tags {
            None => Got::of(&explanation.plan.resource, &explanation.decision),
            Some(tags) => {
                let resource = Resource { tags: Some(tags.clone()), ..explanation.plan.resource.clone() };
                let decision = policies.decide(&::backtest::request(&event, &explanation, &resource, now));
                Got::of(&resource, &decision)
            }
        });
        Ok(got.collect())
    }

    fn event(&self, path: &Path) -> Result<Event, ExampleError> {
        match (&self.event, &self.event_file) {
            (Some(event), None) => Event::decode(event.clone()).map_err(ExampleError::Event),
            (None, Some(file)) => {
                let mut found = events::read(&path.parent().unwrap_or(Path::new("")).join(file));
                match (found.pop(), found.len()) {
                    (Some(found), 0) => found.map(|(_, event)| event).map_err(ExampleError::File),
                    (last, others) => Err(ExampleError::Events(others + usize::from(last.is_some()))),
                }
            }
            _ => Err(ExampleError::OneEvent),
        }
    }
}

impl Expected {
    /// Whether all of them are as expected.
    fn is(&self, got: &[Got]) -> bool {
        let by = |got: &Got| self.policy.as_ref().is_none_or(|policy| got.policies.contains(policy));
        got.iter().all(|got| got.verdict == self.verdict.name() && by(got))
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.verdict.name())?;
        self.policy.as_ref().map_or(Ok(()), |policy| write!(f, " by `{policy}`"))
    }
}

impl Got {
    fn of(resource: &Resource, decision: &Decision) -> Self {
        Self {
            resource: resource.arn.to_string(),
            verdict: decision.verdict.name(),
            policies: decision.policies.iter().map(|cause| cause.id.to_string()).collect(),
            because: decision.because(),
        }
    }
}

impl fmt::Display for Got {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.verdict, self.because)
    }
}

impl Expect {
    const fn name(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Approve => "approve",
            Self::Observe => "observe",
            Self::Exempt => "exempt",
            Self::None => "none",
        }
    }
}
