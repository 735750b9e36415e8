//! What is wrong with policies, schemas and the organization file, and where.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

/// How much a problem matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// It must be put right.
    Error,
    /// It works, but is hardly what was meant.
    Warning,
}

/// Something wrong at one place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Problem {
    /// The name of the [`Source`](crate::Source).
    pub file: String,
    /// From 1; 1 also where only the file is known.
    pub line: usize,
    /// In characters, from 1.
    pub col: usize,
    /// Error or warning.
    pub level: Level,
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// How it can be put right, if that is known.
    pub help: Option<String>,
}

impl fmt::Display for Problem {
    /// `file:line:col: message (help)`, which editors and terminals make a link of.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, col, level: _, message, help } = self;
        write!(f, "{file}:{line}:{col}: {message}")?;
        help.as_ref().map_or(Ok(()), |help| write!(f, " ({help})"))
    }
}

/// Why policies, a schema or an organization file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// A file or folder could not be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// There is no policy file, which is rather a deployment gone wrong than a wish.
    #[error("no `*.cedar` file in `{}` (to observe only, keep a file that permits nothing)", path.display())]
    NoPolicies {
        /// The folder.
        path: PathBuf,
    },
    /// What was read is wrong: all of it, in the order of the files, one problem a line.
    #[error("{}", lines(problems))]
    Invalid {
        /// At least one.
        problems: Vec<Problem>,
    },
}

fn lines(problems: &[Problem]) -> String {
    let lines: Vec<String> = problems.iter().map(Problem::to_string).collect();
    lines.join("\n")
}
