//! What could not be read.

use std::io;
use std::sync::Arc;

use cloudtrail::EventError;

use crate::place::Place;

/// Why a file, or something in it, could not be read. None of them stops the run; what stands before it is read.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// The file is not there, or may not be opened.
    #[error("cannot open `{file}`")]
    Open {
        /// The file.
        file: Arc<str>,
        /// Why.
        source: io::Error,
    },
    /// A folder is not there or may not be listed, or links lead round in a circle.
    #[error("cannot look into `{file}`")]
    Walk {
        /// The folder.
        file: Arc<str>,
        /// Why.
        source: io::Error,
    },
    /// Reading stopped with an error.
    #[error("cannot read `{file}` to its end")]
    Read {
        /// The file.
        file: Arc<str>,
        /// Why.
        source: io::Error,
    },
    /// Nothing but space.
    #[error("`{file}` holds no event")]
    Empty {
        /// The file.
        file: Arc<str>,
    },
    /// Neither gzip nor JSON, and its name says gzip.
    #[error("`{file}` is not gzip, although its name says so")]
    NotGzip {
        /// The file.
        file: Arc<str>,
    },
    /// The gzip data end too early: a download that was cut off.
    #[error("`{file}` is cut off: its gzip data end too early")]
    Truncated {
        /// The file.
        file: Arc<str>,
    },
    /// The gzip data cannot be inflated.
    #[error("the gzip data of `{file}` are damaged")]
    Damaged {
        /// The file.
        file: Arc<str>,
    },
    /// The gzip data can be inflated, but the length or the checksum is not that of what was packed. What it held was
    /// handed over before that could be known.
    #[error("the checksum of `{file}` is wrong: what was read from it may not be what CloudTrail wrote")]
    Checksum {
        /// The file.
        file: Arc<str>,
    },
    /// Behind the gzip data stands something that is not gzip.
    #[error("`{file}` goes on with something that is not gzip")]
    Trailing {
        /// The file.
        file: Arc<str>,
    },
    /// The file inflates to far more than logs do.
    #[error("`{file}` inflates to more than {times} times its size, which logs do not; the rest of it is not read")]
    Bomb {
        /// The file.
        file: Arc<str>,
        /// The ratio that was allowed.
        times: u64,
    },
    /// A record with bytes that are not UTF-8.
    #[error("{place}: this is not UTF-8")]
    NotUtf8 {
        /// Where it begins.
        place: Place,
    },
    /// A value that is not JSON. The source's text has its place at the end, counted from where we began to parse: `what`
    /// is without it.
    #[error("{place}: this is not JSON: {what}")]
    Json {
        /// Where it begins.
        place: Place,
        /// What the parser said.
        what: String,
    },
    /// The text ends within a value.
    #[error("{place}: this ends too early")]
    Cut {
        /// Where the value begins.
        place: Place,
    },
    /// Something stands where a record should begin or end.
    #[error("{place}: `{}` should not be here", .found.escape_ascii())]
    Unexpected {
        /// Where it stands.
        place: Place,
        /// Its first byte.
        found: u8,
    },
    /// Larger than anything CloudTrail writes.
    #[error("{place}: this is larger than any record")]
    TooLarge {
        /// Where it begins.
        place: Place,
    },
    /// A field by which we know what the file is has not its usual shape.
    #[error("{place}: `{field}` is not what it is in CloudTrail's files")]
    Field {
        /// Where the object begins.
        place: Place,
        /// The field.
        field: &'static str,
    },
    /// An event that some responder might answer cannot be decoded.
    #[error("{place}: this is no event we know how to read")]
    Event {
        /// Where it begins.
        place: Place,
        /// Why.
        source: EventError,
    },
    /// A file has too many problems to name each.
    #[error("`{file}` has {count} more problems like these")]
    Further {
        /// The file.
        file: Arc<str>,
        /// How many.
        count: u64,
    },
}

impl Problem {
    /// The file it is about.
    #[must_use]
    pub fn file(&self) -> &str {
        match self {
            Self::Open { file, .. }
            | Self::Walk { file, .. }
            | Self::Read { file, .. }
            | Self::Empty { file }
            | Self::NotGzip { file }
            | Self::Truncated { file }
            | Self::Damaged { file }
            | Self::Checksum { file }
            | Self::Trailing { file }
            | Self::Bomb { file, .. }
            | Self::Further { file, .. } => file,
            Self::NotUtf8 { place }
            | Self::Json { place, .. }
            | Self::Cut { place }
            | Self::Unexpected { place, .. }
            | Self::TooLarge { place }
            | Self::Field { place, .. }
            | Self::Event { place, .. } => &place.file,
        }
    }
}
