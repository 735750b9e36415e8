//! Whom a statement lets in.

use std::collections::BTreeSet;
use std::fmt;

use cloudtrail::AccountId;

use crate::doubt::Doubt;

/// Whom a statement lets in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// Nobody: what it allows is denied again, or its condition can never hold.
    Nobody,
    /// Our account, its organization, or accounts we trust, and nobody else.
    Within,
    /// Users whom an identity provider vouches for. Source: IAM User Guide, "Identity providers and federation".
    Federated {
        /// The providers, as written.
        providers: BTreeSet<String>,
        /// Whether a condition on the token's subject or audience tells the right users from the provider's others.
        guarded: bool,
    },
    /// AWS services. Source: IAM User Guide, "The confused deputy problem".
    Service {
        /// Their principals, such as `sns.amazonaws.com`.
        services: BTreeSet<String>,
        /// Whether `aws:SourceArn`, `aws:SourceAccount` or their like fix on whose behalf they call.
        guarded: bool,
    },
    /// Anybody who comes by a fixed way: a network, a VPC, one principal. Not public as Amazon S3 sees it; whose these
    /// are, a document does not tell.
    Pinned(BTreeSet<Pin>),
    /// It cannot be told: for reporting, never for acting on.
    Unknown(Doubt),
    /// Fixed others: neither our account nor one we trust.
    Foreign(BTreeSet<Outsider>),
    /// Anybody, without a condition that pins the caller to fixed values.
    ///
    /// Source: Amazon S3 User Guide, "Blocking public access to your Amazon S3 storage", "The meaning of public".
    Public,
}

/// A fixed value that a caller must come by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pin {
    /// The condition key, or the element `Principal`.
    pub key: String,
    /// The value.
    pub value: String,
}

/// Somebody foreign.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outsider {
    /// A whole account.
    Account(AccountId),
    /// A user, a role or a session: its ARN.
    Principal(String),
    /// The members of an organization, `o-…`.
    Organization(String),
    /// An identity provider of a foreign account: its ARN.
    Provider(String),
}

impl Access {
    /// Whether anybody may come in.
    #[must_use]
    pub fn is_public(&self) -> bool {
        matches!(self, Self::Public)
    }

    /// Whether it surely lets in somebody it should not: the public, somebody foreign, or all users of an identity
    /// provider.
    #[must_use]
    pub fn is_exposed(&self) -> bool {
        matches!(self, Self::Public | Self::Foreign(_) | Self::Federated { guarded: false, .. })
    }

    /// Whether it cannot be told.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown(_))
    }

    /// One word for it, as policies may compare it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::Within => "within",
            Self::Federated { .. } => "federated",
            Self::Service { .. } => "service",
            Self::Pinned(_) => "pinned",
            Self::Unknown(_) => "unknown",
            Self::Foreign(_) => "foreign",
            Self::Public => "public",
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Nobody => 0,
            Self::Within => 1,
            Self::Federated { guarded: true, .. } => 2,
            Self::Service { guarded: true, .. } => 3,
            Self::Service { guarded: false, .. } => 4,
            Self::Pinned(_) => 5,
            Self::Unknown(_) => 6,
            Self::Federated { guarded: false, .. } => 7,
            Self::Foreign(_) => 8,
            Self::Public => 9,
        }
    }

    /// Whether it lets in somebody whom `before` does not.
    pub(crate) fn adds_to(&self, before: &Self) -> bool {
        match (self, before) {
            (Self::Foreign(now), Self::Foreign(then)) => !now.is_subset(then),
            (Self::Pinned(now), Self::Pinned(then)) => !now.is_subset(then),
            _ => self.rank() > before.rank(),
        }
    }

    /// What two grants together let in: the wider of both, and all of both where they are of one kind.
    pub(crate) fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Foreign(mut one), Self::Foreign(other)) => {
                one.extend(other);
                Self::Foreign(one)
            }
            (Self::Pinned(mut one), Self::Pinned(other)) => {
                one.extend(other);
                Self::Pinned(one)
            }
            (Self::Service { services: mut one, guarded: a }, Self::Service { services: other, guarded: b }) => {
                one.extend(other);
                Self::Service { services: one, guarded: a && b }
            }
            (Self::Federated { providers: mut one, guarded: a }, Self::Federated { providers: other, guarded: b }) => {
                one.extend(other);
                Self::Federated { providers: one, guarded: a && b }
            }
            (one, other) if one.rank() >= other.rank() => one,
            (_, other) => other,
        }
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, items: &mut dyn Iterator<Item = String>| {
            f.write_str(&items.collect::<Vec<_>>().join(", "))
        };
        let guard = |guarded: bool| if guarded { "guarded" } else { "unguarded" };
        match self {
            Self::Nobody | Self::Within | Self::Public => f.write_str(self.name()),
            Self::Federated { providers: names, guarded } | Self::Service { services: names, guarded } => {
                write!(f, "{} {} ", guard(*guarded), self.name())?;
                list(f, &mut names.iter().cloned())
            }
            Self::Pinned(pins) => {
                f.write_str("pinned to ")?;
                list(f, &mut pins.iter().map(|pin| format!("{} {}", pin.key, pin.value)))
            }
            Self::Unknown(doubt) => write!(f, "unknown: {doubt}"),
            Self::Foreign(outsiders) => {
                f.write_str("foreign ")?;
                list(f, &mut outsiders.iter().map(ToString::to_string))
            }
        }
    }
}

impl fmt::Display for Outsider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(account) => write!(f, "{account}"),
            Self::Principal(text) | Self::Organization(text) | Self::Provider(text) => f.write_str(text),
        }
    }
}
