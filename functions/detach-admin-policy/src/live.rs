//! What the account shows, and the part of IAM that shows it.

use std::collections::{BTreeMap, BTreeSet};

use cloudtrail::Arn;
use policy::{Resource, ResourceKind};
use remedy::{Applied, CallError};
use serde::{Deserialize, Serialize};

use crate::grant::{Identity, IdentityKind};
use crate::judge::Judged;

/// A user, role, group or managed policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entity {
    /// The name.
    pub name: String,
    /// The ARN, which has the path in it.
    pub arn: Arn,
    /// The tags; `None` where only an event was looked at. Groups have none.
    pub tags: Option<BTreeMap<String, String>>,
}

impl Entity {
    /// The entity as policies see it.
    #[must_use]
    pub fn resource(&self, kind: ResourceKind) -> Resource {
        Resource { kind, arn: self.arn.clone(), tags: self.tags.clone() }
    }
}

/// A managed policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManagedPolicy {
    /// What it is.
    pub entity: Entity,
    /// The version that counts, such as `v2`.
    pub default_version: String,
    /// How many users, roles and groups it is attached to.
    pub attachments: i64,
}

/// A version of a managed policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Version {
    /// Its id, such as `v2`.
    pub id: String,
    /// What it makes of whoever has it.
    pub judged: Judged,
}

/// What became of what an event gave.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Held {
    /// It is not there (any more).
    #[default]
    Nothing,
    /// This managed policy is attached, or the user is in this group. No two names differ by case alone, so an event
    /// may spell them otherwise. Source: IAM User Guide, "IAM and AWS STS quotas", name requirements.
    There(Arn),
    /// The inline policy has this text.
    Document(String),
    /// The managed policy has this default version.
    #[serde(rename_all = "camelCase")]
    Default {
        /// The version's id.
        version: String,
        /// All other versions.
        others: Vec<Version>,
        /// How many users, roles and groups have the policy; `None` where only an event was looked at.
        attachments: Option<i64>,
    },
}

/// What the account shows of a finding.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Observed {
    /// The user, role, group or policy; `None` if there is none of that name.
    pub entity: Option<Entity>,
    /// What it has of what the event gave.
    pub held: Held,
    /// What that makes of whoever has it.
    pub judged: Judged,
}

/// Inline policies by their names.
pub type InlinePolicies = BTreeMap<String, String>;

/// IAM's policies and who has them. What does not exist is `None`, nothing, or, where something is taken away,
/// [`Applied::AlreadySo`], and not an error.
#[expect(async_fn_in_trait, reason = "used inside this workspace only, on a single-threaded runtime")]
pub trait Policies {
    /// The user, role or group, tags included.
    async fn entity(&self, identity: &Identity) -> Result<Option<Entity>, CallError>;
    /// All managed policies attached to it.
    async fn attached(&self, to: &Identity) -> Result<BTreeSet<Arn>, CallError>;
    /// The names of all inline policies of a group.
    async fn inline_of_group(&self, group: &str) -> Result<Vec<String>, CallError>;
    /// An inline policy, as IAM writes it.
    async fn inline(&self, of: &Identity, policy: &str) -> Result<Option<String>, CallError>;
    /// A managed policy.
    async fn managed(&self, policy: &Arn) -> Result<Option<ManagedPolicy>, CallError>;
    /// The ids of all its versions.
    async fn versions(&self, policy: &Arn) -> Result<Vec<String>, CallError>;
    /// The document of a version, as IAM writes it.
    async fn document(&self, policy: &Arn, version: &str) -> Result<Option<String>, CallError>;
    /// All groups of a user.
    async fn groups(&self, user: &str) -> Result<Vec<Arn>, CallError>;
    /// Every user, role and group of the account with its inline policies, as IAM writes them.
    async fn all_inline(&self) -> Result<Vec<(IdentityKind, Arn, InlinePolicies)>, CallError>;

    /// Attaches a managed policy.
    async fn attach(&self, to: &Identity, policy: &Arn) -> Result<Applied, CallError>;
    /// Detaches it.
    async fn detach(&self, from: &Identity, policy: &Arn) -> Result<Applied, CallError>;
    /// Writes an inline policy, over one of that name.
    async fn put_inline(&self, of: &Identity, policy: &str, document: &str) -> Result<Applied, CallError>;
    /// Deletes an inline policy.
    async fn delete_inline(&self, of: &Identity, policy: &str) -> Result<Applied, CallError>;
    /// Makes a version the one that counts.
    async fn set_default(&self, policy: &Arn, version: &str) -> Result<Applied, CallError>;
    /// Adds a user to a group.
    async fn join(&self, user: &str, group: &str) -> Result<Applied, CallError>;
    /// Removes a user from a group.
    async fn leave(&self, user: &str, group: &str) -> Result<Applied, CallError>;
}
