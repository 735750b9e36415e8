//! All responders of a workspace, running, behind the rules they are deployed with.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::function::{Answer, Function, FunctionError};
use crate::pattern::{self, PatternError};

/// Every responder of the workspace, each as one process behind its rules.
#[derive(Debug)]
pub struct Deployment {
    deployed: Vec<Deployed>,
}

/// One responder.
#[derive(Debug)]
pub struct Deployed {
    /// Its name.
    pub name: String,
    /// Its process.
    pub function: Function,
    patterns: Vec<Value>,
}

/// What became of an event at one function whose rule matched it.
#[derive(Debug)]
pub struct Delivery {
    /// The function.
    pub function: String,
    /// What it answered.
    pub answer: Result<Answer, FunctionError>,
}

/// Why the responders could not be deployed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeployError {
    /// A responder's folder could not be read.
    #[error("could not read `{}`", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// A pattern is no JSON.
    #[error("`{}` is not JSON", path.display())]
    Pattern {
        /// The file.
        path: PathBuf,
        /// Where it is wrong.
        #[source]
        source: serde_json::Error,
    },
    /// A function did not start.
    #[error("`{name}` did not start")]
    Start {
        /// The responder.
        name: String,
        /// Why.
        #[source]
        source: FunctionError,
    },
}

impl Deployment {
    /// Starts the function of every folder under `root/functions`, with `environment`, from the folder of `binaries`.
    pub async fn start(root: &Path, binaries: &Path, environment: &[(&str, OsString)]) -> Result<Self, DeployError> {
        let mut deployed = Vec::new();
        for folder in entries(&root.join("functions"))? {
            let name = file_name(&folder);
            let function = Function::start(&binaries.join(&name), environment.iter().map(|(key, value)| (*key, value)))
                .await
                .map_err(|source| DeployError::Start { name: name.clone(), source })?;
            deployed.push(Deployed { name, function, patterns: patterns(&folder)? });
        }
        Ok(Self { deployed })
    }

    /// The responders.
    #[must_use]
    pub fn deployed(&self) -> &[Deployed] {
        &self.deployed
    }

    /// One responder.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Deployed> {
        self.deployed.iter().find(|deployed| deployed.name == name)
    }

    /// Delivers an event to every function that has a rule for it, as EventBridge would.
    pub async fn deliver(&self, event: &Value) -> Result<Vec<Delivery>, PatternError> {
        let mut deliveries = Vec::new();
        for deployed in &self.deployed {
            if deployed.matches(event)? {
                let answer = deployed.function.invoke(event).await;
                deliveries.push(Delivery { function: deployed.name.clone(), answer });
            }
        }
        Ok(deliveries)
    }
}

impl Deployed {
    /// Whether one of its rules matches the event.
    pub fn matches(&self, event: &Value) -> Result<bool, PatternError> {
        for pattern in &self.patterns {
            if pattern::matches(pattern, event)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn patterns(folder: &Path) -> Result<Vec<Value>, DeployError> {
    let mut patterns = Vec::new();
    for path in entries(folder)? {
        let name = file_name(&path);
        if name.starts_with("pattern.") && path.extension().is_some_and(|extension| extension == "json") {
            let text = fs::read(&path).map_err(|source| DeployError::Read { path: path.clone(), source })?;
            patterns.push(serde_json::from_slice(&text).map_err(|source| DeployError::Pattern { path, source })?);
        }
    }
    Ok(patterns)
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// What is in a folder, sorted.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, DeployError> {
    let read = |source| DeployError::Read { path: folder.to_owned(), source };
    let entries: Result<Vec<_>, _> =
        fs::read_dir(folder).map_err(read)?.map(|entry| entry.map(|it| it.path())).collect();
    let mut entries = entries.map_err(read)?;
    entries.sort();
    Ok(entries)
}
