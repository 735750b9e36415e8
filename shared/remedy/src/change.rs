//! A reversible write.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// What a change is about, the same for the change and its inverse and stable over time: not a rule id that AWS mints
/// anew, but for example `tcp/22-22 from 0.0.0.0/0`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ChangeKey(String);

impl ChangeKey {
    /// Names what a change is about, within its resource.
    #[must_use]
    pub fn new(key: impl Into<String>) -> Self {
        Self(key.into())
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A write that knows its opposite. Its `Display` is a sentence without a full stop: "revoke tcp/22 from 0.0.0.0/0".
pub trait Change: Clone + fmt::Debug + fmt::Display + PartialEq + Serialize + DeserializeOwned {
    /// The change that takes this one back.
    #[must_use]
    fn inverse(&self) -> Self;

    /// What it is about.
    fn key(&self) -> ChangeKey;
}

/// What a write found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// We changed it: it is ours to undo.
    Changed,
    /// It was already so: somebody else's doing, and not ours to undo.
    AlreadySo,
}
