//! Why a call to AWS did not succeed, without the words of any SDK.

use std::error::Error;
use std::fmt;

/// What kind of failure it was: decides whether trying again can help, and what to tell a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallErrorKind {
    /// AWS asked us to slow down.
    Throttled,
    /// Our role may not do this.
    Denied,
    /// The resource does not exist (any more).
    Gone,
    /// No answer in time, or the connection broke: it may or may not have been done.
    Unanswered,
    /// AWS refused for another reason.
    Refused,
}

impl fmt::Display for CallErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Throttled => "was throttled",
            Self::Denied => "was denied: the role lacks the permission",
            Self::Gone => "found no such resource",
            Self::Unanswered => "got no answer",
            Self::Refused => "was refused",
        })
    }
}

/// A call to AWS that did not succeed.
#[derive(Debug, thiserror::Error)]
#[error("`{action}` {kind}")]
pub struct CallError {
    /// The IAM action, for example `ec2:RevokeSecurityGroupIngress`.
    pub action: &'static str,
    /// What kind of failure it was.
    pub kind: CallErrorKind,
    /// What the SDK said.
    #[source]
    pub source: Box<dyn Error + Send + Sync>,
}

impl CallError {
    /// A call that is not made, or whose answer is not understood, for this reason.
    #[must_use]
    pub fn refused(action: &'static str, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { action, kind: CallErrorKind::Refused, source: source.into() }
    }

    /// Whether the same call may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self.kind, CallErrorKind::Throttled | CallErrorKind::Unanswered)
    }
}
