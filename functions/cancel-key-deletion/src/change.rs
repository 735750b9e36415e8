//! What this responder does.

use std::collections::BTreeSet;
use std::fmt;

use cloudtrail::Arn;
use policy_document::same;
use remedy::{Change, ChangeKey};
use serde::{Deserialize, Serialize};

use crate::key::{KeyState, Observed};

/// A write to a key: one call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum KeyChange {
    /// Takes back its scheduled deletion, or schedules it.
    Deletion {
        /// The key.
        key: Arn,
        /// Whether it is scheduled.
        scheduled: bool,
        /// For how many days from the call.
        days: i32,
    },
    /// Enables or disables it.
    Enabled {
        /// The key.
        key: Arn,
        /// Whether it is enabled.
        on: bool,
    },
    /// Turns its rotation on or off.
    Rotation {
        /// The key.
        key: Arn,
        /// Whether it is on.
        on: bool,
        /// After how many days; KMS's default where that is not known.
        days: Option<i32>,
    },
    /// Replaces its policy.
    Policy {
        /// The key.
        key: Arn,
        /// Whom the weaker of the two policies lets in, or that it locks its account out; never empty.
        about: BTreeSet<String>,
        /// Whether the weaker one is put back.
        opens: bool,
        /// The policy that was there.
        from: String,
        /// The policy that will be there.
        to: String,
    },
}

impl KeyChange {
    /// Whether the account looks as this change leaves it. A key whose deletion is scheduled cannot be used either.
    #[must_use]
    pub fn shows_in(&self, observed: &Observed) -> bool {
        let Observed { key, rotation, policy, .. } = observed;
        let state = key.as_ref().map(|key| &key.state);
        match self {
            Self::Deletion { scheduled, .. } => state.is_none_or(KeyState::is_pending_deletion) == *scheduled,
            Self::Enabled { on, .. } => (state == Some(&KeyState::Enabled)) == *on,
            Self::Rotation { on: false, .. } => rotation.is_none_or(|rotation| !rotation.on),
            Self::Rotation { on: true, days, .. } => {
                rotation.is_some_and(|now| now.on && (days.is_none() || now.days.is_none() || now.days == *days))
            }
            Self::Policy { to, .. } => same(policy.as_deref(), Some(to)),
        }
    }
}

impl Change for KeyChange {
    fn inverse(&self) -> Self {
        match self.clone() {
            Self::Deletion { key, scheduled, days } => Self::Deletion { key, scheduled: !scheduled, days },
            Self::Enabled { key, on } => Self::Enabled { key, on: !on },
            Self::Rotation { key, on, days } => Self::Rotation { key, on: !on, days },
            Self::Policy { key, about, opens, from, to } => {
                Self::Policy { key, about, opens: !opens, from: to, to: from }
            }
        }
    }

    fn key(&self) -> ChangeKey {
        ChangeKey::new(match self {
            Self::Deletion { .. } => "deletion".to_owned(),
            Self::Enabled { .. } => "enabled".to_owned(),
            Self::Rotation { .. } => "rotation".to_owned(),
            Self::Policy { about, .. } => format!("policy: {}", listed(about)),
        })
    }
}

impl fmt::Display for KeyChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deletion { key, scheduled: false, .. } => write!(f, "cancel the deletion of key {}", key.name()),
            Self::Deletion { key, scheduled: true, days } => {
                write!(f, "schedule the deletion of key {} in {days} days", key.name())
            }
            Self::Enabled { key, on } => write!(f, "{} key {}", if *on { "enable" } else { "disable" }, key.name()),
            Self::Rotation { key, on, days } => {
                write!(f, "{} rotation of key {}", if *on { "enable" } else { "disable" }, key.name())?;
                match days.filter(|_| *on) {
                    Some(days) => write!(f, " every {days} days"),
                    None => Ok(()),
                }
            }
            Self::Policy { key, about, opens, .. } => {
                let what = if *opens { "put back the policy" } else { "close the policy" };
                write!(f, "{what} of key {}: {}", key.name(), listed(about))
            }
        }
    }
}

fn listed(about: &BTreeSet<String>) -> String {
    about.iter().cloned().collect::<Vec<_>>().join(", ")
}
