//! What can go wrong while measuring.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;

/// Why there are no figures. Each variant names the act that failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BenchError {
    #[error("`{0}` is no argument; there are --folder DIR, --records N, --rounds N and --seed N")]
    Argument(String),
    #[error("`{name}` needs a number of at least 1")]
    Number { name: String },
    #[error("no place to keep Python packages: neither `XDG_CACHE_HOME` nor `HOME` is set")]
    NoCacheFolder,
    #[error("could not use `{}`", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("`{}` holds something else than {records} generated records", path.display())]
    OtherFolder { path: PathBuf, records: u64 },
    #[error("could not inflate `{}`", path.display())]
    Inflate { path: PathBuf },
    #[error("a thread of the generator failed")]
    Generator,
    #[error("the names to look for are no event pattern")]
    Pattern(#[from] log_files::PatternError),
    #[error("could not start {program:?}")]
    Spawn { program: OsString, source: io::Error },
    #[error("{name} failed with {status}: {said}")]
    Failed { name: &'static str, status: ExitStatus, said: String },
    #[error("{name} counted otherwise than was generated:\n{counted}\nbut it should be\n{expected}")]
    OtherCounts { name: &'static str, counted: String, expected: String },
    #[error("could not ask what processes took")]
    Usage(#[from] nix::Error),
    #[error("could not print")]
    Print(#[source] io::Error),
}

/// For `map_err`.
pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> BenchError {
    let path = path.into();
    |source| BenchError::File { path, source }
}
