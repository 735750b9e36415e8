//! What this responder does.

use std::collections::BTreeSet;
use std::fmt;

use remedy::{Change, ChangeKey};
use serde::{Deserialize, Serialize};
use session_denial::{Denial, in_iam_format, name};

const TRUST: &str = "trust ";
const SESSIONS: &str = "sessions ";

/// Who could assume the role and should not, in words that stay the same: `anybody`, `444455556666`.
pub type Intruders = BTreeSet<String>;

/// A write to a role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TrustChange {
    /// Writes the trust policy.
    #[serde(rename_all = "camelCase")]
    Trust {
        /// The role.
        role: String,
        /// Who was let in; never empty.
        because_of: Intruders,
        /// Whether they no longer are, rather than again.
        closes: bool,
        /// The policy that was there.
        before: String,
        /// The policy that will be there.
        after: String,
    },
    /// Writes our inline policy, which denies everything to sessions minted before a time.
    #[serde(rename_all = "camelCase")]
    CutOff {
        /// The role.
        role: String,
        /// Who may have them; never empty.
        because_of: Intruders,
        /// The policy that was there.
        before: Option<String>,
        /// The policy that will be there.
        after: Option<String>,
    },
}

impl TrustChange {
    /// The [`Change::key`] of closing the trust to these.
    ///
    /// It names them and not just the role: an undo declares the change "wanted" for days, and that must not keep us from
    /// closing the trust of the same role to somebody else.
    #[must_use]
    pub fn key_of_trust(because_of: &Intruders) -> ChangeKey {
        key(TRUST, because_of)
    }

    /// The [`Change::key`] of ending the sessions that these may have.
    #[must_use]
    pub fn key_of_cut_off(because_of: &Intruders) -> ChangeKey {
        key(SESSIONS, because_of)
    }

    /// Whom a change of this key closed the trust to; `None` if it did not.
    #[must_use]
    pub fn closed_to(change: &ChangeKey) -> Option<Intruders> {
        // What another version of us wrote is not this change.
        serde_json::from_str(change.as_str().strip_prefix(TRUST)?).ok()
    }
}

/// As JSON, in which no name can look like two.
fn key(what: &str, because_of: &Intruders) -> ChangeKey {
    let names: serde_json::Value = because_of.iter().map(String::as_str).collect();
    ChangeKey::new(format!("{what}{names}"))
}

impl Change for TrustChange {
    fn inverse(&self) -> Self {
        match self.clone() {
            Self::Trust { role, because_of, closes, before, after } => {
                Self::Trust { role, because_of, closes: !closes, before: after, after: before }
            }
            Self::CutOff { role, because_of, before, after } => {
                Self::CutOff { role, because_of, before: after, after: before }
            }
        }
    }

    fn key(&self) -> ChangeKey {
        match self {
            Self::Trust { because_of, .. } => Self::key_of_trust(because_of),
            Self::CutOff { because_of, .. } => Self::key_of_cut_off(because_of),
        }
    }
}

impl fmt::Display for TrustChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |names: &Intruders| names.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        match self {
            Self::Trust { role, because_of, closes: true, .. } => {
                write!(f, "close the trust of {role} to {}", list(because_of))
            }
            Self::Trust { role, because_of, closes: false, .. } => {
                write!(f, "put back the trust of {role}, which lets in {}", list(because_of))
            }
            Self::CutOff { role, before, after, .. } => {
                let time = |policy: &Option<String>| policy.as_deref().and_then(Denial::cut_off_of_all);
                match (after, time(after), time(before)) {
                    (Some(_), Some(time), _) => {
                        write!(f, "deny {role}'s sessions minted before {}", in_iam_format(time))
                    }
                    (Some(_), None, _) => write!(f, "put back {role}'s inline policy {}", name::OPENED_TRUST),
                    (None, _, Some(time)) => {
                        write!(f, "no longer deny {role}'s sessions minted before {}", in_iam_format(time))
                    }
                    (None, _, None) => write!(f, "delete {role}'s inline policy {}", name::OPENED_TRUST),
                }
            }
        }
    }
}
