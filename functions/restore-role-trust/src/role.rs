//! What is known of a role: from an event, and from the account.

use std::collections::BTreeMap;

use cloudtrail::Arn;
use policy::{Resource, ResourceKind};
use remedy::{Applied, CallError};
use serde::{Deserialize, Serialize};

/// A role whose trust was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WrittenTrust {
    /// The role's name.
    pub role: String,
    /// The trust policy that was written; `None` where the record does not tell.
    pub document: Option<String>,
    /// Whether the role was made by the call, so that there was no trust before.
    pub is_new: bool,
}

/// An IAM role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LiveRole {
    /// The name.
    pub name: String,
    /// The unique id, `AROA…`; `None` where only an event was looked at.
    pub id: Option<String>,
    /// The ARN, which has the path in it.
    pub arn: Arn,
    /// The path, for example `/vendors/`; `None` where only an event was looked at.
    pub path: Option<String>,
    /// The trust policy, decoded.
    pub trust: String,
    /// Whether it has a permissions boundary; `None` where that was not looked at.
    pub has_boundary: Option<bool>,
    /// The tags; `None` where they were not looked at.
    pub tags: Option<BTreeMap<String, String>>,
}

impl LiveRole {
    /// The role as policies see it.
    #[must_use]
    pub fn resource(&self) -> Resource {
        Resource { kind: ResourceKind::ROLE, arn: self.arn.clone(), tags: self.tags.clone() }
    }

    /// Who alone may change it, if that is not the account.
    pub(crate) fn keeper(&self) -> Option<Keeper> {
        // Only AWS can make roles under these paths. A name is anybody's to choose and counts only where no path is known.
        let (path, name) = (self.path.as_deref(), self.name.as_str());
        let is = |its_path: &str, its_name: &str| match path {
            Some(path) => path.starts_with(its_path),
            None => name.starts_with(its_name),
        };
        if is("/aws-service-role/", "AWSServiceRoleFor") {
            Some(Keeper::Service)
        } else if is("/aws-reserved/", "AWSReservedSSO_") {
            Some(Keeper::IdentityCenter)
        } else {
            None
        }
    }
}

/// Who keeps a role that the account itself cannot change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keeper {
    /// The AWS service that it is linked to. Source: IAM User Guide, "Service-linked roles".
    Service,
    /// IAM Identity Center. Source: IAM Identity Center User Guide, "Referencing permission sets in resource policies,
    /// Amazon EKS cluster config maps, and AWS KMS key policies".
    IdentityCenter,
}

/// What the account shows of a finding.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Observed {
    /// The role; `None` if there is none of the name (any more).
    pub role: Option<LiveRole>,
    /// The text of our inline policy, if the role has one of that name.
    pub cut_off: Option<String>,
}

/// Whom a role is to trust: what `countermand baseline capture` keeps of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Baseline {
    /// The role's unique id: a later role of the same name is another one.
    pub role_id: Option<String>,
    /// The trust policy.
    pub trust: String,
}

/// IAM's roles and their policies. A role or policy that does not exist is `None` or [`Applied::AlreadySo`], and not an
/// error.
#[expect(async_fn_in_trait, reason = "used inside this workspace only, on a single-threaded runtime")]
pub trait Roles {
    /// The role, tags and boundary included, its trust policy as IAM writes it.
    async fn role(&self, name: &str) -> Result<Option<LiveRole>, CallError>;
    /// All roles of the account, as [`Self::role`], tags and boundary aside.
    async fn all(&self) -> Result<Vec<LiveRole>, CallError>;
    /// An inline policy of the role, as IAM writes it.
    async fn inline_policy(&self, role: &str, policy: &str) -> Result<Option<String>, CallError>;
    /// Writes the trust policy.
    async fn set_trust(&self, role: &str, document: &str) -> Result<Applied, CallError>;
    /// Writes an inline policy, over one of that name.
    async fn put_inline_policy(&self, role: &str, policy: &str, document: &str) -> Result<Applied, CallError>;
    /// Deletes an inline policy.
    async fn delete_inline_policy(&self, role: &str, policy: &str) -> Result<Applied, CallError>;
}
