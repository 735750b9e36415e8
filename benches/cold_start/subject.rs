//! What is measured.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use hyper::body::Bytes;
use serde_json::Value;

use crate::account::Exposure;
use crate::error::{BenchError, file};

/// A program, and the event that it is given.
#[derive(Debug)]
pub(crate) struct Subject {
    pub(crate) name: &'static str,
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) exposure: Exposure,
    /// Whom it trusts over TLS.
    pub(crate) bundle: PathBuf,
    event: Value,
}

pub(crate) const REVOKE_OPEN_INGRESS: &str = "revoke-open-ingress";
pub(crate) const DISABLE_ACCESS_KEY: &str = "disable-access-key";
pub(crate) const BOTO3: &str = "boto3, doing less";

/// Both Rust functions and the handler that does less than the first of them, on the same event.
pub(crate) fn subjects(
    root: &Path,
    binaries: &Path,
    python: &Path,
    bundles: &Bundles,
) -> Result<[Subject; 3], BenchError> {
    let open_port = event(root, REVOKE_OPEN_INGRESS, "ssh-from-anywhere.json")?;
    let foreign_key = event(root, DISABLE_ACCESS_KEY, "key-for-another-user.json")?;
    let function = |name, exposure, event| Subject {
        name,
        program: binaries.join(name),
        arguments: Vec::new(),
        exposure,
        bundle: bundles.functions.clone(),
        event,
    };
    Ok([
        function(REVOKE_OPEN_INGRESS, Exposure::Port, open_port.clone()),
        function(DISABLE_ACCESS_KEY, Exposure::User, foreign_key),
        Subject {
            name: BOTO3,
            program: python.to_owned(),
            arguments: vec![root.join("benches/cold_start/handler.py").into()],
            exposure: Exposure::Port,
            bundle: bundles.boto3.clone(),
            event: open_port,
        },
    ])
}

/// The certificates that each kind of process trusts.
#[derive(Debug)]
pub(crate) struct Bundles {
    pub(crate) functions: PathBuf,
    pub(crate) boto3: PathBuf,
}

fn event(root: &Path, function: &str, name: &str) -> Result<Value, BenchError> {
    let path = root.join("functions").join(function).join("events/match").join(name);
    let text = std::fs::read(&path).map_err(file(&path))?;
    serde_json::from_slice(&text).map_err(|source| BenchError::Event { path, source })
}

impl Subject {
    /// The event as a delivery that was never seen before.
    pub(crate) fn fresh_event(&self, number: usize) -> Bytes {
        let id = Value::from(format!("00000000-0000-4000-8000-{number:012x}"));
        let mut event = self.event.clone();
        for place in ["/id", "/detail/eventID"] {
            if let Some(found) = event.pointer_mut(place) {
                found.clone_from(&id);
            }
        }
        Bytes::from(event.to_string())
    }

    /// Where the events come from: the function runs there.
    pub(crate) fn region(&self) -> &str {
        self.event.get("region").and_then(Value::as_str).unwrap_or_default()
    }
}
