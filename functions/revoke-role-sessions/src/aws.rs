//! The port over Amazon's SDK.

use std::error::Error;

use aws_sdk_iam::Client;
use aws_sdk_iam::config::{self, retry::RetryConfig};
use aws_types::SdkConfig;
use cloudtrail::Arn;
use lambda::call_error;
use remedy::{Applied, CallError, CallErrorKind};

use crate::RevokeRoleSessions;
use crate::stolen::{LiveRole, Roles};

/// AWS IAM.
#[derive(Debug, Clone)]
pub struct Iam {
    reads: Client,
    /// Without the SDK's own retries: see [`Responder::apply`](remedy::Responder::apply).
    writes: Client,
}

/// The responder as it is deployed.
pub type Live = RevokeRoleSessions<Iam>;

impl lambda::Connect for Live {
    fn connect(config: &SdkConfig) -> Self {
        let once = config::Builder::from(config).retry_config(RetryConfig::disabled()).build();
        Self(Iam { reads: Client::new(config), writes: Client::from_conf(once) })
    }
}

impl Roles for Iam {
    async fn role(&self, name: &str) -> Result<Option<LiveRole>, CallError> {
        const ACTION: &str = "iam:GetRole";
        let answer = self.reads.get_role().role_name(name).send().await;
        let answer = if_there(answer.map_err(|error| call_error(ACTION, error)))?;
        let Some(role) = answer.and_then(|answer| answer.role) else { return Ok(None) };
        let arn = Arn::parse(&role.arn).map_err(|error| {
            let source: Box<dyn Error + Send + Sync> = error.into();
            CallError { action: ACTION, kind: CallErrorKind::Refused, source }
        })?;
        let tags = role.tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)).collect();
        let (name, id, path) = (role.role_name, Some(role.role_id), Some(role.path));
        Ok(Some(LiveRole { name, id, arn, path, tags: Some(tags) }))
    }

    async fn inline_policy(&self, role: &str, policy: &str) -> Result<Option<String>, CallError> {
        const ACTION: &str = "iam:GetRolePolicy";
        let answer = self.reads.get_role_policy().role_name(role).policy_name(policy).send().await;
        let answer = if_there(answer.map_err(|error| call_error(ACTION, error)))?;
        Ok(answer.map(|answer| answer.policy_document))
    }

    async fn put_inline_policy(&self, role: &str, policy: &str, document: &str) -> Result<Applied, CallError> {
        const ACTION: &str = "iam:PutRolePolicy";
        let answer =
            self.writes.put_role_policy().role_name(role).policy_name(policy).policy_document(document).send().await;
        applied(answer.map_err(|error| call_error(ACTION, error)))
    }

    async fn delete_inline_policy(&self, role: &str, policy: &str) -> Result<Applied, CallError> {
        const ACTION: &str = "iam:DeleteRolePolicy";
        let answer = self.writes.delete_role_policy().role_name(role).policy_name(policy).send().await;
        applied(answer.map_err(|error| call_error(ACTION, error)))
    }
}

/// What there is not is no error.
fn if_there<T>(answer: Result<T, CallError>) -> Result<Option<T>, CallError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.kind == CallErrorKind::Gone => Ok(None),
        Err(error) => Err(error),
    }
}

/// A write to what is gone changed nothing.
fn applied<T>(answer: Result<T, CallError>) -> Result<Applied, CallError> {
    Ok(if if_there(answer)?.is_some() { Applied::Changed } else { Applied::AlreadySo })
}
