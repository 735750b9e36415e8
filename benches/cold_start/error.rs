//! What can go wrong while measuring.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;

/// Why there are no figures. Each variant names the act that failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BenchError {
    #[error("`{name}` is {given:?}, which is no number of at least 1")]
    Setting { name: &'static str, given: OsString },
    #[error("no place to keep boto3: neither `XDG_CACHE_HOME` nor `HOME` is set")]
    NoCacheFolder,
    #[error("could not use `{}`", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("could not start `{program}`")]
    Spawn { program: String, source: io::Error },
    #[error("{act} failed with {status}: {said}")]
    Step { act: &'static str, status: ExitStatus, said: String },
    #[error("there is no binary `{name}` {place}")]
    NoBinary { name: &'static str, place: String },
    #[error("`{}` is no JSON", path.display())]
    Event { path: PathBuf, source: serde_json::Error },
    #[error("could not listen on loopback")]
    Listen(#[source] io::Error),
    #[error("could not make certificates")]
    Certificates(#[from] rcgen::Error),
    #[error("could not set up TLS")]
    Tls(#[from] rustls::Error),
    #[error("could not limit the process")]
    Limit(#[source] io::Error),
    #[error("`{name}` ended before it answered ({status}): {said}")]
    Ended { name: &'static str, status: String, said: String },
    #[error("`{name}` did not {act} within {seconds} s: {said}")]
    TimedOut { name: &'static str, act: &'static str, seconds: u64, said: String },
    #[error("`{name}` answered something else than `contained`: {answer}\n{said}")]
    NotContained { name: &'static str, answer: String, said: String },
    #[error("`{name}` answered `contained`, but the account is as open as before")]
    StillOpen { name: &'static str },
    #[error("no memory use is told of process {pid}")]
    Memory { pid: u32 },
    #[error("could not print")]
    Print(#[source] io::Error),
}

/// For `map_err`.
pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> BenchError {
    let path = path.into();
    |source| BenchError::File { path, source }
}
