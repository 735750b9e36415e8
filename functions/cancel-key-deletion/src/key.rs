//! A KMS key, and the part of AWS KMS that this responder needs.

use std::collections::BTreeMap;
use std::fmt;

use cloudtrail::Arn;
use policy::{Resource, ResourceKind};
use remedy::{Applied, CallError};
use serde::{Deserialize, Serialize};

/// The Cedar entity type of a key.
pub(crate) const KIND: ResourceKind = ResourceKind::new("Key");

/// Whether a key can be used. Source: AWS KMS Developer Guide, "Key states of AWS KMS keys".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum KeyState {
    /// It can.
    Enabled,
    /// It cannot; nothing else is wrong.
    Disabled,
    /// It cannot, and its deletion is scheduled.
    PendingDeletion,
    /// It cannot, and its deletion is scheduled for when the last of its replicas is deleted: it is the primary of a
    /// multi-region key.
    PendingReplicaDeletion,
    /// Another state, by AWS's name.
    Other(String),
}

impl KeyState {
    /// The state of this name in AWS KMS.
    #[must_use]
    pub fn named(name: &str) -> Self {
        match name {
            "Enabled" => Self::Enabled,
            "Disabled" => Self::Disabled,
            "PendingDeletion" => Self::PendingDeletion,
            "PendingReplicaDeletion" => Self::PendingReplicaDeletion,
            other => Self::Other(other.to_owned()),
        }
    }

    /// Whether deletion is scheduled.
    #[must_use]
    pub fn is_pending_deletion(&self) -> bool {
        matches!(self, Self::PendingDeletion | Self::PendingReplicaDeletion)
    }
}

impl fmt::Display for KeyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Enabled => "Enabled",
            Self::Disabled => "Disabled",
            Self::PendingDeletion => "PendingDeletion",
            Self::PendingReplicaDeletion => "PendingReplicaDeletion",
            Self::Other(name) => name,
        })
    }
}

/// Automatic rotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rotation {
    /// Whether it is on.
    pub on: bool,
    /// After how many days, where KMS says so.
    pub days: Option<i32>,
}

/// A customer managed key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Key {
    /// Its ARN.
    pub arn: Arn,
    /// Whether it can be used.
    pub state: KeyState,
    /// Whether it is a primary or a replica of a multi-region key; `None` where only an event was looked at.
    pub multi_region: Option<bool>,
    /// The tags; `None` where nobody looked for them.
    pub tags: Option<BTreeMap<String, String>>,
}

impl Key {
    /// The key as policies see it.
    #[must_use]
    pub fn resource(&self) -> Resource {
        Resource { kind: KIND, arn: self.arn.clone(), tags: self.tags.clone() }
    }
}

/// How a key should be: what a baseline remembers of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Baseline {
    /// Whether it can be used.
    pub enabled: bool,
    /// Automatic rotation; `None` for a key that has none.
    pub rotation: Option<Rotation>,
    /// The key policy.
    pub policy: String,
}

/// What the account shows of a finding.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Observed {
    /// The key; `None` if there is none (any more), or if we may not see it.
    pub key: Option<Key>,
    /// Automatic rotation, where the finding is about it.
    pub rotation: Option<Rotation>,
    /// The key policy, where the finding is about it.
    pub policy: Option<String>,
    /// Whether KMS refuses us after a policy that locks its own account out.
    pub locked: bool,
}

/// The KMS keys of one account and region. A key that does not exist is `None` or [`Applied::AlreadySo`], and not an
/// error.
#[expect(async_fn_in_trait, reason = "used inside this workspace only, on a single-threaded runtime")]
pub trait Keys {
    /// The key, tags included.
    async fn describe(&self, key: &Arn) -> Result<Option<Key>, CallError>;
    /// Its rotation; `None` for a key that cannot rotate by itself.
    async fn rotation(&self, key: &Arn) -> Result<Option<Rotation>, CallError>;
    /// Its policy.
    async fn policy(&self, key: &Arn) -> Result<Option<String>, CallError>;
    /// All customer managed keys.
    async fn list(&self) -> Result<Vec<Key>, CallError>;
    /// Takes back a scheduled deletion; the key then is disabled.
    async fn cancel_deletion(&self, key: &Arn) -> Result<Applied, CallError>;
    /// Schedules the deletion for so many days from now.
    async fn schedule_deletion(&self, key: &Arn, days: i32) -> Result<Applied, CallError>;
    /// Enables or disables the key.
    async fn set_enabled(&self, key: &Arn, enabled: bool) -> Result<Applied, CallError>;
    /// Turns rotation on or off.
    async fn set_rotation(&self, key: &Arn, rotation: Rotation) -> Result<Applied, CallError>;
    /// Replaces the policy. KMS refuses one that would keep the caller from doing so again.
    async fn put_policy(&self, key: &Arn, policy: &str) -> Result<Applied, CallError>;
}
