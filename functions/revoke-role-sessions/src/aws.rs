//! The port over Amazon's SDK.

use aws_sdk_iam::Client;
use aws_types::SdkConfig;
use cloudtrail::Arn;
use lambda::{applied, call_error, if_there, once};
use remedy::{Applied, CallError};

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
        Self(Iam { reads: Client::new(config), writes: Client::new(&once(config)) })
    }
}

impl Roles for Iam {
    async fn role(&self, name: &str) -> Result<Option<LiveRole>, CallError> {
        const ACTION: &str = "iam:GetRole";
        let answer = self.reads.get_role().role_name(name).send().await;
        let answer = if_there(answer.map_err(|error| call_error(ACTION, error)))?;
        let Some(role) = answer.and_then(|answer| answer.role) else { return Ok(None) };
        let arn = Arn::parse(&role.arn).map_err(|error| CallError::refused(ACTION, error))?;
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
