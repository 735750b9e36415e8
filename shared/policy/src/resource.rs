//! What a finding is about.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use cloudtrail::Arn;
use serde::{Deserialize, Serialize};

/// The Cedar entity type of a resource, for example `SecurityGroup`.
///
/// `User`, `Role`, `Root` and `Account` are the same entities as the actors of that name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ResourceKind(Cow<'static, str>);

impl ResourceKind {
    /// An IAM user.
    pub const USER: Self = Self::new("User");
    /// An IAM role.
    pub const ROLE: Self = Self::new("Role");
    /// The root user of an account.
    pub const ROOT: Self = Self::new("Root");
    /// A whole account, for what is set once an account.
    pub const ACCOUNT: Self = Self::new("Account");

    /// The entity type of this name; the responder's schema must declare it.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self(Cow::Borrowed(name))
    }

    /// The name of the entity type.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ResourceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The resource a finding is about, as policies see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    /// What it is.
    pub kind: ResourceKind,
    /// Which one it is. (An [`ResourceKind::ACCOUNT`] goes by the account id in the ARN.)
    pub arn: Arn,
    /// Its tags, read live. `None` says that they are **not known**: then no policy that asks for tags can lead to
    /// `enforce`. Where a kind of resource cannot be tagged at all, say `Some` of nothing.
    pub tags: Option<BTreeMap<String, String>>,
}
