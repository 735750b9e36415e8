//! AMIs, and who may launch them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use cloudtrail::{AccountId, Arn, Event, InvalidId};
use policy::{Resource, ResourceKind, Trusted};
use remedy::{Applied, CallError};
use serde::{Deserialize, Serialize};

/// An AMI's id, `ami-…`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ImageId(pub String);

impl ImageId {
    /// The AMI as policies see it, without its tags.
    ///
    /// Source of the ARN, which has no account: Service Authorization Reference, "Actions, resources, and condition keys for
    /// Amazon EC2".
    pub(crate) fn resource(&self, event: &Event) -> Resource {
        let (partition, region) = (event.region.partition(), event.region.as_str());
        let arn = Arn::without_account(partition, "ec2", region, &format!("image/{}", self.0));
        Resource { kind: ResourceKind::new("Image"), arn, tags: None }
    }
}

impl fmt::Display for ImageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who may launch an AMI. As text: `all`, an account id, or an ARN.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Grantee {
    /// Every AWS account.
    Everybody,
    /// One account.
    Account(AccountId),
    /// Every account of an organization or of an organizational unit.
    Organization(Arn),
}

impl Grantee {
    /// Takes its text.
    pub fn parse(text: &str) -> Result<Self, InvalidId> {
        if text == "all" {
            Ok(Self::Everybody)
        } else if let Ok(account) = AccountId::parse(text) {
            Ok(Self::Account(account))
        } else {
            Arn::parse(text).map(Self::Organization)
        }
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Everybody => "all",
            Self::Account(account) => account.as_str(),
            Self::Organization(arn) => arn.as_str(),
        }
    }

    /// Whether it is trusted: everybody never is.
    pub(crate) fn is_trusted(&self, trusted: &Trusted) -> bool {
        match self {
            Self::Everybody => false,
            Self::Account(account) => trusted.accounts.contains(account),
            Self::Organization(arn) => {
                trusted.organization.as_deref().is_some_and(|ours| organization_of(arn) == Some(ours))
            }
        }
    }
}

/// `o-exampleorgid` of `…:organization/o-exampleorgid` and of `…:ou/o-exampleorgid/ou-exampleouid`.
///
/// Source: Service Authorization Reference, "Actions, resources, and condition keys for AWS Organizations".
fn organization_of(arn: &Arn) -> Option<&str> {
    let mut parts = arn.resource().split('/');
    parts.next().filter(|kind| matches!(*kind, "organization" | "ou")).and(parts.next())
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

/// What the account shows of an AMI.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Shared {
    /// Who may launch it.
    pub with: BTreeSet<Grantee>,
    /// Its name; `None` where only an event was looked at.
    pub name: Option<String>,
    /// Whether all its snapshots are encrypted; `None` where only an event was looked at, or where it has none.
    pub encrypted: Option<bool>,
    /// Its tags; `None` where only an event was looked at.
    pub tags: Option<BTreeMap<String, String>>,
}

/// The part of Amazon EC2 that this responder needs.
#[expect(async_fn_in_trait, reason = "used inside this workspace only, on a single-threaded runtime")]
pub trait Images {
    /// Who may launch the AMI; `None` if there is none of this id (any longer).
    async fn describe(&self, image: &ImageId) -> Result<Option<Shared>, CallError>;

    /// Lets none of these launch it. One that is gone can be launched by nobody.
    async fn unshare(&self, image: &ImageId, with: &BTreeSet<Grantee>) -> Result<Applied, CallError>;

    /// Lets all of these launch it.
    async fn share(&self, image: &ImageId, with: &BTreeSet<Grantee>) -> Result<Applied, CallError>;
}
