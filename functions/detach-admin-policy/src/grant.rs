//! What was given to somebody: from an event, and to be taken away.

use std::fmt;

use cloudtrail::Arn;
use policy::ResourceKind;
use serde::{Deserialize, Serialize};

use crate::judge::Judged;

/// The kinds of identities that have policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum IdentityKind {
    /// An IAM user.
    User,
    /// An IAM role.
    Role,
    /// An IAM group.
    Group,
}

impl IdentityKind {
    /// The first part of its ARN's resource, and its name in a sentence.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Role => "role",
            Self::Group => "group",
        }
    }

    pub(crate) fn resource(self) -> ResourceKind {
        match self {
            Self::User => ResourceKind::USER,
            Self::Role => ResourceKind::ROLE,
            Self::Group => ResourceKind::new("Group"),
        }
    }
}

/// A user, role or group. Events give no path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    /// What it is.
    pub kind: IdentityKind,
    /// Its name.
    pub name: String,
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.name(), self.name)
    }
}

/// What an event gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Grant {
    /// A managed policy was attached.
    Attached {
        /// Whom to.
        to: Identity,
        /// The policy.
        policy: Arn,
    },
    /// An inline policy was written.
    Inline {
        /// Whose it is.
        of: Identity,
        /// Its name.
        policy: String,
    },
    /// A managed policy got another default version, which is the one that counts.
    Version {
        /// The policy.
        policy: Arn,
        /// The version's id, such as `v2`; `None` where the record does not tell.
        version: Option<String>,
    },
    /// A user was added to a group.
    Member {
        /// The user.
        user: String,
        /// The group.
        group: String,
    },
}

impl Grant {
    /// The fact `reason` of `schema.cedarschema`.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Attached { .. } => "attached",
            Self::Inline { .. } => "inline",
            Self::Version { .. } => "version",
            Self::Member { .. } => "group",
        }
    }

    /// Who has it; `None` for a policy's version, which all have whom the policy is attached to.
    #[must_use]
    pub fn holder(&self) -> Option<Identity> {
        match self {
            Self::Attached { to: holder, .. } | Self::Inline { of: holder, .. } => Some(holder.clone()),
            Self::Member { user, .. } => Some(Identity { kind: IdentityKind::User, name: user.clone() }),
            Self::Version { .. } => None,
        }
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attached { to, policy } => write!(f, "policy {policy} attached to {to}"),
            Self::Inline { of, policy } => write!(f, "inline policy {policy} of {of}"),
            Self::Version { policy, version: Some(version) } => write!(f, "version {version} of policy {policy}"),
            Self::Version { policy, version: None } => write!(f, "the default version of policy {policy}"),
            Self::Member { user, group } => write!(f, "membership of user {user} in group {group}"),
        }
    }
}

/// What an event gave, and what the event alone says of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Granted {
    /// What it is.
    pub grant: Grant,
    /// What it makes of whoever has it, as far as the event tells.
    pub judged: Judged,
    /// Whether the caller gave it to himself; `None` where it was given to a group or a policy.
    pub holder_is_caller: Option<bool>,
}
