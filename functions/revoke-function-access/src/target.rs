//! What is opened, and the part of AWS Lambda that can close it.

use std::collections::BTreeMap;
use std::fmt;

use cloudtrail::Arn;
use remedy::{Applied, CallError};
use serde::{Deserialize, Serialize};

use crate::permission::Permission;

/// What has a resource policy of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Target {
    /// A function or, with a qualifier, one of its versions or aliases: each has a policy of its own. Source: AWS Lambda
    /// Developer Guide, "Viewing resource-based IAM policies in Lambda".
    Function {
        /// Its name.
        name: String,
        /// The version or alias.
        qualifier: Option<String>,
    },
    /// A version of a layer.
    Layer {
        /// The layer's name.
        name: String,
        /// The version's number.
        version: i64,
    },
}

impl Target {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Function { name, .. } | Self::Layer { name, .. } => name,
        }
    }

    /// The last part of the ARN of what has tags and incidents: an alias counts as its function.
    pub(crate) fn resource(&self) -> String {
        match self {
            Self::Function { name, .. } => format!("function:{name}"),
            Self::Layer { name, version } => format!("layer:{name}:{version}"),
        }
    }

    /// The last part of the ARN that stands in its policy.
    pub(crate) fn policy_resource(&self) -> String {
        match self {
            Self::Function { name, qualifier: Some(qualifier) } => format!("function:{name}:{qualifier}"),
            Self::Function { qualifier: None, .. } | Self::Layer { .. } => self.resource(),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Function { name, qualifier: None } => write!(f, "function {name}"),
            Self::Function { name, qualifier: Some(qualifier) } => write!(f, "function {name}:{qualifier}"),
            Self::Layer { name, version } => write!(f, "layer {name}:{version}"),
        }
    }
}

/// Whom the URL of a function lets in before its policy is asked.
///
/// Source: AWS Lambda Developer Guide, "Control access to Lambda function URLs".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AuthType {
    /// Anybody: no signature is asked for.
    #[serde(rename = "NONE")]
    None,
    /// Who signs as a principal of AWS.
    #[serde(rename = "AWS_IAM")]
    AwsIam,
}

impl AuthType {
    /// As AWS writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::AwsIam => "AWS_IAM",
        }
    }
}

/// A resource policy as Lambda gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LivePolicy {
    /// The text of the document.
    pub document: String,
    /// Changes with each change of the policy.
    pub revision: Option<String>,
}

/// What the account shows of a finding.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Observed {
    /// The text of the target's policy; `None` if it has none, or is gone.
    pub policy: Option<String>,
    /// Whom the function's URL asks; `None` if it has none.
    pub auth_type: Option<AuthType>,
    /// The function's tags, none for a layer; `None` where only an event was looked at, or the function is gone.
    pub tags: Option<BTreeMap<String, String>>,
}

/// The part of AWS Lambda that this responder needs. What is not there is `None` or [`Applied::AlreadySo`], and no error.
#[expect(async_fn_in_trait, reason = "used inside this workspace only, on a single-threaded runtime")]
pub trait Functions {
    /// The policy.
    async fn policy(&self, target: &Target) -> Result<Option<LivePolicy>, CallError>;

    /// Whom the URL of a function, or of its alias, asks.
    async fn auth_type(&self, name: &str, qualifier: Option<&str>) -> Result<Option<AuthType>, CallError>;

    /// The tags of a function, by its ARN.
    async fn tags(&self, function: &Arn) -> Result<Option<BTreeMap<String, String>>, CallError>;

    /// Takes a statement out of the policy if this is still its revision; throttled if it is not.
    async fn remove(&self, target: &Target, sid: &str, revision: Option<&str>) -> Result<Applied, CallError>;

    /// Adds a statement to the policy if this is still its revision; throttled if it is not.
    async fn add(&self, target: &Target, permission: &Permission, revision: Option<&str>)
    -> Result<Applied, CallError>;

    /// Sets whom the URL asks, and nothing else of it.
    async fn set_auth_type(&self, name: &str, qualifier: Option<&str>, to: AuthType) -> Result<Applied, CallError>;
}
