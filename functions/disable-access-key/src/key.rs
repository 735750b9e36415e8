//! What is known of an access key: from an event, and from the account.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use cloudtrail::{AccessKeyId, Arn};
use policy::{Resource, ResourceKind};
use remedy::{Applied, CallError};
use serde::{Deserialize, Serialize};

/// How far apart the time of the event and the creation date of the key that it speaks of may be. Both have whole
/// seconds and come from different clocks.
pub const SAME_MOMENT: TimeDelta = TimeDelta::seconds(5);

/// Why a key should not be trusted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Reason {
    /// Somebody made it for somebody else, or root for itself.
    Created,
    /// Somebody activated it after we disabled it.
    Reactivated,
    /// AWS put its quarantine policy on the user. Source: AWS Managed Policy Reference Guide,
    /// "`AWSCompromisedKeyQuarantineV3`".
    Quarantined,
    /// AWS found it in public. Source: AWS Health User Guide, "Amazon EventBridge event schema".
    Exposed,
    /// `GuardDuty` saw it used as its owner would not.
    #[serde(rename = "guardduty")]
    GuardDuty {
        /// For example `UnauthorizedAccess:IAMUser/TorIPCaller`.
        kind: String,
        /// How often so far.
        count: u64,
    },
}

impl Reason {
    /// The fact `reason` of `schema.cedarschema`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Reactivated => "reactivated",
            Self::Quarantined => "quarantined",
            Self::Exposed => "exposed",
            Self::GuardDuty { .. } => "guardduty",
        }
    }

    /// Whether the key could be used from the time of the event on, and not before.
    pub(crate) fn began_with_the_event(&self) -> bool {
        matches!(self, Self::Created | Self::Reactivated)
    }
}

/// Whose key it is, as far as the event tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Owner {
    /// The IAM user of this name.
    User(String),
    /// The account's root user.
    Root,
    /// The event names only the key; IAM knows the owner.
    HolderOf(AccessKeyId),
}

/// Which credentials of the owner are meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Keys {
    /// This access key, and the temporary credentials made from it.
    One(AccessKeyId),
    /// The event does not say which: every active one.
    AllActive,
    /// The one made at this time: the record of its creation lacks the answer that named it.
    CreatedAt(DateTime<Utc>),
    /// This temporary credential, and none of the access keys.
    Session(AccessKeyId),
}

/// A key, or the sessions of a user, that should not be trusted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UntrustedKey {
    /// Whose it is.
    pub owner: Owner,
    /// Which it is.
    pub keys: Keys,
    /// Why.
    pub reason: Reason,
    /// Whether the owner made the call; `None` where there was no call.
    pub owner_is_caller: Option<bool>,
}

/// An IAM user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LiveUser {
    /// The name.
    pub name: String,
    /// The ARN, which has the path in it.
    pub arn: Arn,
    /// The path, for example `/engineering/`; `None` where only an event was looked at.
    pub path: Option<String>,
    /// The tags; `None` where only an event was looked at.
    pub tags: Option<BTreeMap<String, String>>,
}

impl LiveUser {
    /// The user as policies see it.
    #[must_use]
    pub fn resource(&self) -> Resource {
        Resource { kind: ResourceKind::USER, arn: self.arn.clone(), tags: self.tags.clone() }
    }
}

/// An access key as IAM lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LiveKey {
    /// Its id.
    pub id: AccessKeyId,
    /// Whether requests can be signed with it.
    pub active: bool,
    /// When it was made.
    pub created: Option<DateTime<Utc>>,
}

/// What the account shows of a finding.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Observed {
    /// The name IAM gives for the owner of the key, where the event names the key alone.
    pub found_owner: Option<String>,
    /// The owner; `None` if there is no such user (any more), and for root.
    pub user: Option<LiveUser>,
    /// All access keys of the owner.
    pub keys: Vec<LiveKey>,
    /// The text of our inline policy, if the owner has one of that name.
    pub cut_off: Option<String>,
}

impl UntrustedKey {
    /// The access keys that are meant. `ours` tells whether we have disabled a key: "every active one" includes those
    /// that were active until then.
    pub(crate) fn among<'a>(
        &self,
        keys: &'a [LiveKey],
        ours: impl Fn(&AccessKeyId) -> bool,
    ) -> impl Iterator<Item = &'a LiveKey> {
        keys.iter().filter(move |key| match &self.keys {
            Keys::One(id) => key.id == *id,
            Keys::AllActive => key.active || ours(&key.id),
            Keys::CreatedAt(time) => key.created.is_some_and(|created| (created - time).abs() <= SAME_MOMENT),
            Keys::Session(_) => false,
        })
    }

    /// The ids of what is meant, as far as they are known.
    pub(crate) fn ids(&self, observed: &Observed, ours: impl Fn(&AccessKeyId) -> bool) -> BTreeSet<String> {
        match &self.keys {
            Keys::One(id) | Keys::Session(id) => BTreeSet::from([id.to_string()]),
            Keys::AllActive | Keys::CreatedAt(_) => {
                let is_id = |id: &String| id.bytes().all(|byte| byte.is_ascii_alphanumeric());
                self.among(&observed.keys, ours).map(|key| key.id.to_string()).filter(is_id).collect()
            }
        }
    }

    /// What the event alone lets us expect. Names that it does not tell are replaced by words, for a person to read.
    pub(crate) fn presume(&self, resource: &Resource) -> Observed {
        let name = match &self.owner {
            Owner::Root => return Observed::default(),
            Owner::User(name) => name.clone(),
            Owner::HolderOf(_) => "its owner".to_owned(),
        };
        let active = |id, created| vec![LiveKey { id, active: true, created }];
        Observed {
            found_owner: None,
            user: Some(LiveUser { name, arn: resource.arn.clone(), path: None, tags: None }),
            keys: match &self.keys {
                Keys::One(id) => active(id.clone(), None),
                Keys::AllActive => active(AccessKeyId::new("(every active one)"), None),
                Keys::CreatedAt(time) => active(AccessKeyId::new("(the new one)"), Some(*time)),
                Keys::Session(_) => Vec::new(),
            },
            cut_off: None,
        }
    }
}

/// IAM's users and their credentials. A user, key or policy that does not exist is `None`, nothing, or
/// [`Applied::AlreadySo`], and not an error.
#[expect(async_fn_in_trait, reason = "used inside this workspace only, on a single-threaded runtime")]
pub trait AccessKeys {
    /// The name of the user whose key this is.
    async fn owner(&self, key: &AccessKeyId) -> Result<Option<String>, CallError>;
    /// The user, tags included.
    async fn user(&self, name: &str) -> Result<Option<LiveUser>, CallError>;
    /// All keys of the user.
    async fn keys(&self, user: &str) -> Result<Vec<LiveKey>, CallError>;
    /// An inline policy of the user, as IAM writes it.
    async fn inline_policy(&self, user: &str, policy: &str) -> Result<Option<String>, CallError>;
    /// Activates or deactivates a key.
    async fn set_active(&self, user: &str, key: &AccessKeyId, active: bool) -> Result<Applied, CallError>;
    /// Writes an inline policy, over one of that name.
    async fn put_inline_policy(&self, user: &str, policy: &str, document: &str) -> Result<Applied, CallError>;
    /// Deletes an inline policy.
    async fn delete_inline_policy(&self, user: &str, policy: &str) -> Result<Applied, CallError>;
}
