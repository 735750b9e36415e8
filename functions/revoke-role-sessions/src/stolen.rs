//! What is known of stolen credentials: from a finding, and from the account.

use std::collections::BTreeMap;

use cloudtrail::{AccessKeyId, Arn};
use policy::{Resource, ResourceKind};
use remedy::{Applied, CallError};
use serde::{Deserialize, Serialize};
use session_denial::RoleSession;

/// Temporary credentials that `GuardDuty` saw misused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StolenCredentials {
    /// Whose they are.
    pub holder: Holder,
    /// The temporary key, `ASIA…`.
    pub key: Option<AccessKeyId>,
    /// The type of the finding, for example `UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS`.
    pub kind: String,
    /// How often it was seen so far.
    pub count: u64,
}

/// Whose credentials they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Holder {
    /// A role's.
    Role {
        /// The role's name.
        name: String,
        /// The session, if the finding names it.
        session: Option<RoleSession>,
    },
    /// They come from `GetFederationToken`, and the finding does not tell the user who called it.
    FederatedUser {
        /// What he called himself.
        name: Option<String>,
    },
}

/// An IAM role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LiveRole {
    /// The name.
    pub name: String,
    /// The unique id, `AROA…`; `None` where only a finding was looked at.
    pub id: Option<String>,
    /// The ARN, which has the path in it.
    pub arn: Arn,
    /// The path, for example `/service-role/`; `None` where only a finding was looked at.
    pub path: Option<String>,
    /// The tags; `None` where only a finding was looked at.
    pub tags: Option<BTreeMap<String, String>>,
}

impl LiveRole {
    /// The role as policies see it.
    #[must_use]
    pub fn resource(&self) -> Resource {
        Resource { kind: ResourceKind::ROLE, arn: self.arn.clone(), tags: self.tags.clone() }
    }
}

/// What the account shows of a finding.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Observed {
    /// The role; `None` if there is none of the name (any more), and for a federated user.
    pub role: Option<LiveRole>,
    /// The text of our inline policy, if the role has one of that name.
    pub policy: Option<String>,
    /// The texts of inline policies of others who deny older sessions, by name.
    pub others: BTreeMap<String, String>,
}

/// IAM's roles and their inline policies. A role or policy that does not exist is `None` or [`Applied::AlreadySo`], and
/// not an error.
#[expect(async_fn_in_trait, reason = "used inside this workspace only, on a single-threaded runtime")]
pub trait Roles {
    /// The role, tags included.
    async fn role(&self, name: &str) -> Result<Option<LiveRole>, CallError>;
    /// An inline policy of the role, as IAM writes it.
    async fn inline_policy(&self, role: &str, policy: &str) -> Result<Option<String>, CallError>;
    /// Writes an inline policy, over one of that name.
    async fn put_inline_policy(&self, role: &str, policy: &str, document: &str) -> Result<Applied, CallError>;
    /// Deletes an inline policy.
    async fn delete_inline_policy(&self, role: &str, policy: &str) -> Result<Applied, CallError>;
}
