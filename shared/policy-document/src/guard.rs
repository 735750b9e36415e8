//! Conditions that ask for more than being the one who is named.

use std::collections::BTreeSet;
use std::fmt;

use crate::pattern::{Pattern, has_wildcard};
use crate::version::Version;

/// A condition of a trust policy that asks for something the right caller has and others may not.
///
/// To an AWS principal it is a fact and no restriction of who may call; to an identity provider's users it is what
/// tells one from another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Guard {
    /// What is asked for.
    pub kind: GuardKind,
    /// The values that will do, as written; empty for [`GuardKind::Mfa`].
    pub values: BTreeSet<String>,
    /// Whether `*` and `?` in the values are wildcards.
    pub has_wildcards: bool,
}

/// What a [`Guard`] asks for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum GuardKind {
    /// `sts:ExternalId`. Source: IAM User Guide, "Access to AWS accounts owned by third parties".
    ExternalId,
    /// Multi-factor authentication.
    Mfa,
    /// A claim of an identity provider's token, such as `sub` or `aud`, or of a SAML assertion.
    Claim {
        /// The provider's URL without scheme, in lower case; `saml` for SAML providers.
        provider: String,
        /// The claim, in lower case.
        claim: String,
    },
}

impl Guard {
    pub(crate) fn mfa() -> Self {
        Self { kind: GuardKind::Mfa, values: BTreeSet::new(), has_wildcards: false }
    }

    /// Whether everything that satisfies `self` satisfies `other` too, so that nothing is lost from `other` to `self`.
    pub(crate) fn is_as_strict_as(&self, other: &Self) -> bool {
        let is_allowed = |value: &String| {
            // A literal `*` is compared as a wildcard, which can only make `self` look looser than it is.
            let value = Pattern::new(value, Version::WithoutVariables);
            other
                .values
                .iter()
                .map(|allowed| Pattern::new(allowed, Version::WithoutVariables))
                .any(|allowed| if other.has_wildcards { allowed.includes(&value) } else { allowed == value })
        };
        self.kind == other.kind && self.values.iter().all(is_allowed)
    }

    /// How much of the claim the loosest value fixes.
    pub(crate) fn fixes(&self) -> Fixed {
        self.values.iter().map(|value| self.value_fixes(value)).min().unwrap_or(Fixed::Tenant)
    }

    fn value_fixes(&self, value: &str) -> Fixed {
        if value.is_empty() {
            return Fixed::Nothing;
        }
        if !self.has_wildcards || !has_wildcard(value) {
            return Fixed::Tenant;
        }
        let parts: Vec<&str> = value.split(['*', '?']).next().unwrap_or_default().split([':', '/']).collect();
        match parts.as_slice() {
            [_] | [_, ""] => Fixed::Nothing,
            [_, tenant, _, ..] if !tenant.is_empty() => Fixed::Tenant,
            _ => Fixed::Part,
        }
    }
}

/// How much of a claim is fixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fixed {
    /// At most what kind of subject it is: `*`, `repo:*`.
    Nothing,
    /// Some of the part that names the tenant: `repo:octo*`.
    Part,
    /// The tenant: `repo:octo-org/*`, `organization:acme:*`, or a value without wildcards.
    Tenant,
}

impl fmt::Display for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            GuardKind::ExternalId => f.write_str("sts:ExternalId"),
            GuardKind::Mfa => f.write_str("multi-factor authentication"),
            GuardKind::Claim { provider, claim } => write!(f, "{provider}:{claim}"),
        }
    }
}
