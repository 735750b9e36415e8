//! What this responder does.

use std::fmt;

use cloudtrail::Arn;
use remedy::{Change, ChangeKey};
use serde::{Deserialize, Serialize};

use crate::document;
use crate::grant::Identity;

/// What makes an administrator of somebody, and what is there instead once it is taken away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Privilege {
    /// A managed policy is attached.
    Attached {
        /// Whom to.
        to: Identity,
        /// The policy.
        policy: Arn,
    },
    /// An inline policy says so.
    Inline {
        /// Whose it is.
        of: Identity,
        /// Its name.
        policy: String,
        /// Its whole text.
        document: String,
        /// The text of before; without one there is no such policy.
        instead: Option<String>,
    },
    /// A version of a managed policy is its default.
    Version {
        /// The policy.
        policy: Arn,
        /// The version.
        version: String,
        /// The harmless version.
        instead: String,
    },
    /// A user is in a group.
    Member {
        /// The user.
        user: String,
        /// The group.
        group: String,
    },
}

/// A write that takes a privilege away, or gives it back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PrivilegeChange {
    /// Nobody has it any more by this.
    TakeAway(Privilege),
    /// It is again as it was.
    GiveBack(Privilege),
}

impl PrivilegeChange {
    pub(crate) fn privilege(&self) -> &Privilege {
        match self {
            Self::TakeAway(privilege) | Self::GiveBack(privilege) => privilege,
        }
    }
}

impl Change for PrivilegeChange {
    fn inverse(&self) -> Self {
        match self.clone() {
            Self::TakeAway(privilege) => Self::GiveBack(privilege),
            Self::GiveBack(privilege) => Self::TakeAway(privilege),
        }
    }

    /// Names what was exposed, text included: an undo declares it "wanted" for days, and that must not keep us from
    /// another policy that somebody writes under the same name.
    fn key(&self) -> ChangeKey {
        ChangeKey::new(match self.privilege() {
            Privilege::Attached { policy, .. } => format!("attached {policy}"),
            Privilege::Inline { policy, document, .. } => format!("inline {policy} {}", document::digest(document)),
            Privilege::Version { version, .. } => format!("default {version}"),
            Privilege::Member { group, .. } => format!("member of {group}"),
        })
    }
}

impl fmt::Display for PrivilegeChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let takes_away = matches!(self, Self::TakeAway(_));
        match self.privilege() {
            Privilege::Attached { to, policy } if takes_away => write!(f, "detach {policy} from {to}"),
            Privilege::Attached { to, policy } => write!(f, "attach {policy} to {to} again"),
            Privilege::Inline { of, policy, instead: None, .. } if takes_away => {
                write!(f, "delete inline policy {policy} of {of}")
            }
            Privilege::Inline { of, policy, .. } if takes_away => {
                write!(f, "put back what inline policy {policy} of {of} said before")
            }
            Privilege::Inline { of, policy, .. } => write!(f, "put inline policy {policy} of {of} again"),
            Privilege::Version { policy, version, instead } => {
                let (from, to) = if takes_away { (version, instead) } else { (instead, version) };
                write!(f, "set the default version of {policy} from {from} to {to}")
            }
            Privilege::Member { user, group } if takes_away => write!(f, "remove user {user} from group {group}"),
            Privilege::Member { user, group } => write!(f, "add user {user} to group {group} again"),
        }
    }
}
