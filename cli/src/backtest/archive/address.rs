//! What is to be read.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

const SCHEME: &str = "s3://";

/// Something with logs in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// A file or a folder.
    Path(PathBuf),
    /// Objects in Amazon S3.
    Archive(Address),
}

impl Source {
    /// What begins with `s3://` is an address, and everything else a path.
    pub(crate) fn of(path: PathBuf) -> Result<Self, InvalidAddress> {
        match path.to_str() {
            Some(text) if text.starts_with(SCHEME) => text.parse().map(Self::Archive),
            _ => Ok(Self::Path(path)),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => path.display().fmt(f),
            Self::Archive(address) => address.fmt(f),
        }
    }
}

/// All objects of a bucket whose keys begin with a prefix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Address {
    pub(crate) bucket: String,
    /// As a key begins; often empty or with `/` at its end, but it may end anywhere.
    pub(crate) prefix: String,
}

/// Text that names no objects in Amazon S3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an address in Amazon S3 is s3://BUCKET or s3://BUCKET/PREFIX")]
pub(crate) struct InvalidAddress;

impl FromStr for Address {
    type Err = InvalidAddress;

    /// Source of the bucket's form: Amazon S3 User Guide, "General purpose bucket naming rules".
    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        let rest = text.strip_prefix(SCHEME).ok_or(InvalidAddress)?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let is_allowed = |char: char| char.is_ascii_lowercase() || char.is_ascii_digit() || ".-_".contains(char);
        if !(3..=63).contains(&bucket.len()) || !bucket.chars().all(is_allowed) {
            return Err(InvalidAddress);
        }
        Ok(Self { bucket: bucket.to_owned(), prefix: prefix.to_owned() })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}/{}", self.bucket, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_bucket_and_perhaps_a_prefix() {
        for (text, bucket, prefix) in [
            ("s3://logs", "logs", ""),
            ("s3://logs/", "logs", ""),
            ("s3://my-logs.example/AWSLogs/o-1/", "my-logs.example", "AWSLogs/o-1/"),
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!((address.bucket.as_str(), address.prefix.as_str()), (bucket, prefix));
        }
        for wrong in ["s3://", "s3:///AWSLogs", "s3://Logs", "s3://arn:aws:s3:::logs", "logs"] {
            assert_eq!(wrong.parse::<Address>(), Err(InvalidAddress), "{wrong}");
        }
    }

    #[test]
    fn what_is_no_address_is_a_path() {
        assert_eq!(Source::of("s3:/logs".into()).unwrap(), Source::Path("s3:/logs".into()));
        assert_eq!(Source::of("s3://x".into()), Err(InvalidAddress));
    }
}
