//! Snapshots, and with whom they are shared.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use cloudtrail::{AccountId, Arn, Event, InvalidId};
use policy::{Resource, ResourceKind};
use remedy::{Applied, CallError};
use serde::{Deserialize, Serialize};

/// What a snapshot is of, and so whose API speaks of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// An EBS volume.
    Ebs,
    /// A database instance of Amazon RDS.
    Db,
    /// A cluster of Amazon Aurora, `DocumentDB` or Neptune: all three have the API of Amazon RDS.
    DbCluster,
}

impl Kind {
    /// The fact `kind` of `schema.cedarschema`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ebs => "ebs",
            Self::Db => "db",
            Self::DbCluster => "db-cluster",
        }
    }
}

/// A snapshot as its own API names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// What it is of.
    pub kind: Kind,
    /// `snap-…` of a volume, otherwise the name somebody gave it.
    pub id: String,
}

impl Snapshot {
    /// The snapshot as policies see it, without its tags.
    ///
    /// Source of the ARNs: Service Authorization Reference, "Actions, resources, and condition keys for Amazon EC2" (that
    /// of a snapshot has no account) and "… for Amazon RDS".
    pub(crate) fn resource(&self, event: &Event) -> Resource {
        let (partition, region) = (event.region.partition(), event.region.as_str());
        let database = |kind: &str| Arn::of(partition, "rds", region, &event.account, &format!("{kind}:{}", self.id));
        let arn = match self.kind {
            Kind::Ebs => Arn::without_account(partition, "ec2", region, &format!("snapshot/{}", self.id)),
            Kind::Db => database("snapshot"),
            Kind::DbCluster => database("cluster-snapshot"),
        };
        Resource { kind: ResourceKind::new("Snapshot"), arn, tags: None }
    }
}

impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.id)
    }
}

/// With whom a snapshot is shared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Grantee {
    /// Every AWS account.
    Everybody,
    /// One account.
    Account(AccountId),
}

impl Grantee {
    /// Takes `all` or an account id.
    pub fn parse(text: &str) -> Result<Self, InvalidId> {
        if text == "all" { Ok(Self::Everybody) } else { AccountId::parse(text).map(Self::Account) }
    }

    /// `all` or the account id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Everybody => "all",
            Self::Account(account) => account.as_str(),
        }
    }
}

impl From<Grantee> for String {
    fn from(grantee: Grantee) -> Self {
        grantee.as_str().to_owned()
    }
}

impl TryFrom<String> for Grantee {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        Self::parse(&text)
    }
}

/// What the account shows of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Shared {
    /// With whom it is shared.
    pub with: BTreeSet<Grantee>,
    /// Whether it is encrypted; `None` where only an event was looked at.
    pub encrypted: Option<bool>,
    /// The ARN of the KMS key it is encrypted with.
    pub kms_key: Option<String>,
    /// The engine of the database, for example `aurora-mysql` or `docdb`.
    pub engine: Option<String>,
    /// Its tags; `None` where only an event was looked at.
    pub tags: Option<BTreeMap<String, String>>,
}

/// The part of Amazon EC2 and Amazon RDS that this responder needs.
#[expect(async_fn_in_trait, reason = "used inside this workspace only, on a single-threaded runtime")]
pub trait Snapshots {
    /// With whom the snapshot is shared; `None` if there is none of this id (any longer).
    async fn describe(&self, snapshot: &Snapshot) -> Result<Option<Shared>, CallError>;

    /// Shares it with nobody of these. A snapshot that is gone is shared with nobody.
    async fn unshare(&self, snapshot: &Snapshot, with: &BTreeSet<Grantee>) -> Result<Applied, CallError>;

    /// Shares it with all of these.
    async fn share(&self, snapshot: &Snapshot, with: &BTreeSet<Grantee>) -> Result<Applied, CallError>;
}
