//! What is known of a user: from an event, and from the account.

use std::collections::BTreeMap;

use cloudtrail::Arn;
use policy::{Resource, ResourceKind};
use remedy::{Applied, CallError};
use serde::{Deserialize, Serialize};

/// Why a user should not be let into the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Reason {
    /// Somebody else made a password for a user who had none.
    PasswordCreated,
    /// Somebody else changed the password.
    PasswordSet,
    /// Somebody else took an MFA device away.
    MfaDeactivated,
    /// The user signed in: with MFA, without, or the record does not say.
    SignedIn {
        /// Whether MFA was used.
        mfa: Option<bool>,
    },
}

impl Reason {
    /// The fact `reason` of `schema.cedarschema`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PasswordCreated => "password-created",
            Self::PasswordSet => "password-set",
            Self::MfaDeactivated => "mfa-deactivated",
            Self::SignedIn { .. } => "signed-in",
        }
    }
}

/// Who it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Who {
    /// The IAM user of this name.
    User(String),
    /// The account's root user.
    Root,
}

/// A user who should not be let into the console as things are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Doubtful {
    /// Who it is about.
    pub who: Who,
    /// Why.
    pub reason: Reason,
    /// Whether the new password must be changed at the next sign-in, where there is one and the record says.
    pub reset_required: Option<bool>,
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

/// What a user signs in with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SignIn {
    /// Whether there is a password.
    pub password: bool,
    /// How many MFA devices. With any, the console asks for one of them.
    pub mfa_devices: usize,
}

/// What the account shows of a finding.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Observed {
    /// The user; `None` if there is no such user (any more), and for root.
    pub user: Option<LiveUser>,
    /// What the user signs in with; `None` where only an event was looked at.
    pub sign_in: Option<SignIn>,
    /// The text of the inline policy of our name, if the user has one.
    pub policy: Option<String>,
}

/// IAM's users. A user or policy that does not exist is `None`, nothing, or [`Applied::AlreadySo`], and not an error.
#[expect(async_fn_in_trait, reason = "used inside this workspace only, on a single-threaded runtime")]
pub trait Users {
    /// The user, tags included.
    async fn user(&self, name: &str) -> Result<Option<LiveUser>, CallError>;
    /// Whether the user has a password.
    async fn has_password(&self, user: &str) -> Result<bool, CallError>;
    /// How many MFA devices the user has.
    async fn mfa_devices(&self, user: &str) -> Result<usize, CallError>;
    /// An inline policy of the user, as IAM writes it.
    async fn inline_policy(&self, user: &str, policy: &str) -> Result<Option<String>, CallError>;
    /// Writes an inline policy, over one of that name.
    async fn put_inline_policy(&self, user: &str, policy: &str, document: &str) -> Result<Applied, CallError>;
    /// Deletes an inline policy.
    async fn delete_inline_policy(&self, user: &str, policy: &str) -> Result<Applied, CallError>;
}
