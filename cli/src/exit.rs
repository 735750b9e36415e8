//! How the command ends.

use std::process::{ExitCode, Termination};

/// What the exit code says; other programs rely on the numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// There was nothing to do, or it is done.
    Done = 0,
    /// It failed, if only in part.
    Failed = 1,
    /// The command was not understood.
    Usage = 2,
    /// There are findings that would be acted on.
    Found = 3,
}

impl Exit {
    /// How two parts of one command end together: what went wrong outweighs what was found.
    pub(crate) fn and(self, other: Self) -> Self {
        let weight = |exit| match exit {
            Self::Done => 0,
            Self::Found => 1,
            Self::Failed => 2,
            Self::Usage => 3,
        };
        if weight(self) >= weight(other) { self } else { other }
    }
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        ExitCode::from(self as u8)
    }
}
