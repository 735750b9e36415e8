//! What this responder does.

use std::collections::BTreeSet;
use std::fmt;

use cloudtrail::AccessKeyId;
use remedy::{Change, ChangeKey};
use serde::{Deserialize, Serialize};
use session_denial::{Denial, in_iam_format, name};

const SESSIONS_OF: &str = "sessions of ";

/// Whether requests can be signed with a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyStatus {
    /// They can.
    Active,
    /// They cannot; the key can be activated again.
    Inactive,
}

/// A write to a user's credentials.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum KeyChange {
    /// Activates or deactivates an access key.
    Status {
        /// The owner.
        user: String,
        /// The key.
        key: AccessKeyId,
        /// What it was.
        from: KeyStatus,
        /// What it becomes.
        to: KeyStatus,
    },
    /// Writes our inline policy, which denies everything to temporary credentials issued before a time.
    CutOff {
        /// The user.
        user: String,
        /// For the sake of which keys; never empty.
        because_of: BTreeSet<AccessKeyId>,
        /// The policy that was there.
        before: Option<String>,
        /// The policy that will be there.
        after: Option<String>,
    },
}

impl KeyChange {
    /// The [`Change::key`] of what is done to this access key.
    #[must_use]
    pub fn key_of_status(key: &AccessKeyId) -> ChangeKey {
        ChangeKey::new(key.as_str())
    }

    /// The [`Change::key`] of a cut-off for the sake of these keys.
    ///
    /// It names the keys and not just the user: an undo declares the change "wanted" for days, and that must not keep
    /// us from cutting off the sessions of another key of the same user.
    #[must_use]
    pub fn key_of_cut_off(because_of: &BTreeSet<AccessKeyId>) -> ChangeKey {
        let keys: Vec<&str> = because_of.iter().map(AccessKeyId::as_str).collect();
        ChangeKey::new(format!("{SESSIONS_OF}{}", keys.join(", ")))
    }

    /// Whether a change of this key was a cut-off for the sake of `key`.
    #[must_use]
    pub fn cuts_off(change: &ChangeKey, key: &AccessKeyId) -> bool {
        change.as_str().strip_prefix(SESSIONS_OF).is_some_and(|keys| keys.split(", ").any(|id| id == key.as_str()))
    }
}

impl Change for KeyChange {
    fn inverse(&self) -> Self {
        match self.clone() {
            Self::Status { user, key, from, to } => Self::Status { user, key, from: to, to: from },
            Self::CutOff { user, because_of, before, after } => {
                Self::CutOff { user, because_of, before: after, after: before }
            }
        }
    }

    fn key(&self) -> ChangeKey {
        match self {
            Self::Status { key, .. } => Self::key_of_status(key),
            Self::CutOff { because_of, .. } => Self::key_of_cut_off(because_of),
        }
    }
}

impl fmt::Display for KeyChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status { user, key, to: KeyStatus::Inactive, .. } => write!(f, "disable access key {key} of {user}"),
            Self::Status { user, key, to: KeyStatus::Active, .. } => write!(f, "enable access key {key} of {user}"),
            Self::CutOff { user, before, after, .. } => {
                let time = |policy: &Option<String>| policy.as_deref().and_then(Denial::cut_off_of_all);
                match (after, time(after), time(before)) {
                    (Some(_), Some(time), _) => {
                        let time = in_iam_format(time);
                        write!(f, "deny {user}'s temporary credentials issued before {time}")
                    }
                    (Some(_), None, _) => write!(f, "put back {user}'s inline policy {}", name::UNTRUSTED_KEY),
                    (None, _, Some(time)) => {
                        let time = in_iam_format(time);
                        write!(f, "no longer deny {user}'s temporary credentials issued before {time}")
                    }
                    (None, _, None) => write!(f, "delete {user}'s inline policy {}", name::UNTRUSTED_KEY),
                }
            }
        }
    }
}
