//! Buckets as far as they can be opened, and the part of Amazon S3 that can close them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use cloudtrail::{AccountId, Region};
use remedy::{Applied, CallError};
use serde::{Deserialize, Serialize};

/// A bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bucket {
    /// Whose it is: S3 is asked to refuse calls for a bucket of somebody else.
    pub account: AccountId,
    /// Its name.
    pub name: String,
}

/// What has a public access block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Place {
    /// A bucket.
    Bucket(Bucket),
    /// An account: for all its buckets.
    Account(AccountId),
}

impl Place {
    /// Whose it is.
    #[must_use]
    pub fn account(&self) -> &AccountId {
        match self {
            Self::Bucket(bucket) => &bucket.account,
            Self::Account(account) => account,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bucket(bucket) => write!(f, "bucket {}", bucket.name),
            Self::Account(account) => write!(f, "account {account}"),
        }
    }
}

/// A public access block. None at all is the same as one with everything off.
///
/// Source: Amazon S3 User Guide, "Blocking public access to your Amazon S3 storage", "Block public access settings".
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "they are four settings of AWS's, each on or off")]
pub struct Block {
    /// Public ACLs are refused.
    pub block_public_acls: bool,
    /// Public grants of ACLs have no effect.
    pub ignore_public_acls: bool,
    /// Public policies are refused.
    pub block_public_policy: bool,
    /// A public policy lets in nobody but the bucket's account and AWS services.
    pub restrict_public_buckets: bool,
}

impl Block {
    /// Everything on: how it should be where nobody has captured anything else.
    pub const ALL: Self = Self {
        block_public_acls: true,
        ignore_public_acls: true,
        block_public_policy: true,
        restrict_public_buckets: true,
    };

    /// What is on, by AWS's names.
    #[must_use]
    pub fn on(self) -> BTreeSet<&'static str> {
        [
            ("BlockPublicAcls", self.block_public_acls),
            ("BlockPublicPolicy", self.block_public_policy),
            ("IgnorePublicAcls", self.ignore_public_acls),
            ("RestrictPublicBuckets", self.restrict_public_buckets),
        ]
        .into_iter()
        .filter_map(|(name, is_on)| is_on.then_some(name))
        .collect()
    }

    /// With these on, by AWS's names.
    #[must_use]
    pub fn of(on: &BTreeSet<String>) -> Self {
        Self {
            block_public_acls: on.contains("BlockPublicAcls"),
            ignore_public_acls: on.contains("IgnorePublicAcls"),
            block_public_policy: on.contains("BlockPublicPolicy"),
            restrict_public_buckets: on.contains("RestrictPublicBuckets"),
        }
    }

    /// What is on in either.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        self.with(other, |one, other| one || other)
    }

    /// What is on here and not in `other`.
    #[must_use]
    pub fn and_not(self, other: Self) -> Self {
        self.with(other, |one, other| one && !other)
    }

    fn with(self, other: Self, both: fn(bool, bool) -> bool) -> Self {
        Self {
            block_public_acls: both(self.block_public_acls, other.block_public_acls),
            ignore_public_acls: both(self.ignore_public_acls, other.ignore_public_acls),
            block_public_policy: both(self.block_public_policy, other.block_public_policy),
            restrict_public_buckets: both(self.restrict_public_buckets, other.restrict_public_buckets),
        }
    }
}

/// An access control list, whole. Source: Amazon S3 User Guide, "Access control list (ACL) overview".
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Acl {
    /// The canonical id of the owner; `None` where only an event was looked at.
    pub owner: Option<String>,
    /// The grants in their order.
    pub grants: Vec<Grant>,
}

/// One grant of an ACL.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Grant {
    /// `READ`, `WRITE`, `READ_ACP`, `WRITE_ACP` or `FULL_CONTROL`.
    pub permission: String,
    /// `Group`, `CanonicalUser` or `AmazonCustomerByEmail`.
    pub kind: String,
    /// A user's canonical id.
    pub id: Option<String>,
    /// A group's URI.
    pub uri: Option<String>,
    /// A customer's e-mail address.
    pub email: Option<String>,
}

/// The groups that anybody is in, or anybody with an AWS account. Source: Amazon S3 User Guide, "Access control list (ACL)
/// overview", "Amazon S3 predefined groups".
const PUBLIC: [&str; 2] = ["/groups/global/AllUsers", "/groups/global/AuthenticatedUsers"];

impl Grant {
    /// A grant to the group of this URI.
    #[must_use]
    pub fn to_group(permission: &str, uri: &str) -> Self {
        let (permission, uri) = (permission.to_owned(), Some(uri.to_owned()));
        Self { permission, kind: "Group".to_owned(), id: None, uri, email: None }
    }

    /// Whether it is one to everybody, or to everybody with an AWS account.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.uri.as_ref().is_some_and(|uri| PUBLIC.iter().any(|group| uri.ends_with(group)))
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |uri: &str| uri.rsplit('/').next().unwrap_or_default().to_owned();
        let group = self.uri.as_deref().map(name);
        let whom = group.or_else(|| self.id.clone()).or_else(|| self.email.clone()).unwrap_or_default();
        write!(f, "{} for {whom}", self.permission)
    }
}

impl Acl {
    /// Without these grants.
    #[must_use]
    pub fn without(&self, removed: &BTreeSet<&Grant>) -> Self {
        let grants = self.grants.iter().filter(|grant| !removed.contains(grant)).cloned().collect();
        Self { owner: self.owner.clone(), grants }
    }

    /// The grants that let in anybody.
    pub fn public(&self) -> impl Iterator<Item = &Grant> {
        self.grants.iter().filter(|grant| grant.is_public())
    }

    /// Whether both grant the same, in any order.
    #[must_use]
    pub fn grants_as(&self, other: &Self) -> bool {
        let all = |acl: &Self| acl.grants.iter().cloned().collect::<BTreeSet<Grant>>();
        all(self) == all(other)
    }
}

/// What the account shows of a finding.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Observed {
    /// Whether there is no such bucket.
    pub is_gone: bool,
    /// The text of the bucket's policy.
    pub policy: Option<String>,
    /// The bucket's ACL.
    pub acl: Option<Acl>,
    /// The public access block of the bucket or, where the finding is about it, of the account.
    pub block: Option<Block>,
    /// That of the account, where the finding is about a bucket.
    pub account_block: Option<Block>,
    /// Whether the bucket has a website configuration.
    pub is_website: bool,
    /// The bucket's tags, none for an account; `None` where only an event was looked at.
    pub tags: Option<BTreeMap<String, String>>,
}

/// The part of Amazon S3 that this responder needs. What is not there is `None`, and no error.
#[expect(async_fn_in_trait, reason = "used inside this workspace only, on a single-threaded runtime")]
pub trait Buckets {
    /// The text of the policy.
    async fn policy(&self, bucket: &Bucket) -> Result<Option<String>, CallError>;

    /// The ACL.
    async fn acl(&self, bucket: &Bucket) -> Result<Option<Acl>, CallError>;

    /// The public access block.
    async fn block(&self, place: &Place) -> Result<Option<Block>, CallError>;

    /// Whether there is a website configuration.
    async fn is_website(&self, bucket: &Bucket) -> Result<bool, CallError>;

    /// The tags; `None` if there is no such bucket.
    async fn tags(&self, bucket: &Bucket) -> Result<Option<BTreeMap<String, String>>, CallError>;

    /// Writes the policy, or deletes it.
    async fn put_policy(&self, bucket: &Bucket, policy: Option<&str>) -> Result<Applied, CallError>;

    /// Writes the ACL.
    async fn put_acl(&self, bucket: &Bucket, acl: &Acl) -> Result<Applied, CallError>;

    /// Writes the public access block, or deletes it.
    async fn put_block(&self, place: &Place, block: Option<Block>) -> Result<Applied, CallError>;

    /// The account and region that are looked at, and the names of the buckets in them.
    async fn all(&self) -> Result<(AccountId, Region, Vec<String>), CallError>;
}
