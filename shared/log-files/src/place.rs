//! Where an event stands.

use std::fmt;
use std::sync::Arc;

/// Where an event stands, for people to find it: `file:line, record n`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file's path as it was given or found, or what the caller calls the bytes.
    pub file: Arc<str>,
    /// The line that the event begins on, from 1. Log files as AWS writes them have one line.
    pub line: usize,
    /// Its number, from 1, where several records stand in one object or array.
    pub record: Option<usize>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)?;
        self.record.map_or(Ok(()), |record| write!(f, ", record {record}"))
    }
}
