//! What this responder does.

use std::fmt;

use remedy::{Change, ChangeKey};
use serde::{Deserialize, Serialize};

use crate::permission::Permission;
use crate::target::{AuthType, Target};

/// A write to a policy, or to a function's URL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum AccessChange {
    /// Takes a statement out of a policy.
    Remove {
        /// Whose policy.
        target: Target,
        /// The statement.
        permission: Permission,
    },
    /// Adds it again.
    Add {
        /// Whose policy.
        target: Target,
        /// The statement.
        permission: Permission,
    },
    /// Sets whom the URL of a function, or of its alias, asks.
    Url {
        /// The function's name.
        function: String,
        /// The alias.
        qualifier: Option<String>,
        /// What it was.
        from: AuthType,
        /// What it becomes.
        to: AuthType,
    },
}

impl Change for AccessChange {
    fn inverse(&self) -> Self {
        match self.clone() {
            Self::Remove { target, permission } => Self::Add { target, permission },
            Self::Add { target, permission } => Self::Remove { target, permission },
            Self::Url { function, qualifier, from, to } => Self::Url { function, qualifier, from: to, to: from },
        }
    }

    /// Says what is allowed and not only under which id: that a person wants one statement back does not mean another
    /// that takes its id.
    fn key(&self) -> ChangeKey {
        ChangeKey::new(match self {
            Self::Remove { target, permission } | Self::Add { target, permission } => {
                format!("{} on {target}: {permission}", permission.sid)
            }
            Self::Url { function, qualifier: None, .. } => format!("URL of {function}"),
            Self::Url { function, qualifier: Some(qualifier), .. } => format!("URL of {function}:{qualifier}"),
        })
    }
}

impl fmt::Display for AccessChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Remove { target, permission } => {
                write!(f, "remove permission {} ({permission}) from {target}", permission.sid)
            }
            Self::Add { target, permission } => {
                write!(f, "add permission {} ({permission}) to {target} again", permission.sid)
            }
            Self::Url { to, .. } => write!(f, "set the {} to {}", self.key().as_str(), to.as_str()),
        }
    }
}
