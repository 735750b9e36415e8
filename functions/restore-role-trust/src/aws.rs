//! The port over Amazon's SDK.

use aws_sdk_iam::Client;
use aws_sdk_iam::types::Role;
use aws_types::SdkConfig;
use cloudtrail::Arn;
use lambda::{applied, call_error, if_there, once};
use remedy::{Applied, CallError};

use crate::RestoreRoleTrust;
use crate::role::{LiveRole, Roles};

/// AWS IAM.
#[derive(Debug, Clone)]
pub struct Iam {
    reads: Client,
    /// Without the SDK's own retries: see [`Responder::apply`](remedy::Responder::apply).
    writes: Client,
}

/// The responder as it is deployed.
pub type Live = RestoreRoleTrust<Iam>;

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
        let has_boundary = role.permissions_boundary.is_some();
        let tags = role.tags.clone().unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)).collect();
        let role = live_role(ACTION, role)?;
        Ok(Some(LiveRole { has_boundary: Some(has_boundary), tags: Some(tags), ..role }))
    }

    async fn all(&self) -> Result<Vec<LiveRole>, CallError> {
        const ACTION: &str = "iam:ListRoles";
        let roles = self.reads.list_roles().into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
        let roles = roles.map_err(|error| call_error(ACTION, error))?;
        roles.into_iter().map(|role| live_role(ACTION, role)).collect()
    }

    async fn inline_policy(&self, role: &str, policy: &str) -> Result<Option<String>, CallError> {
        const ACTION: &str = "iam:GetRolePolicy";
        let answer = self.reads.get_role_policy().role_name(role).policy_name(policy).send().await;
        let answer = if_there(answer.map_err(|error| call_error(ACTION, error)))?;
        Ok(answer.map(|answer| answer.policy_document))
    }

    async fn set_trust(&self, role: &str, document: &str) -> Result<Applied, CallError> {
        const ACTION: &str = "iam:UpdateAssumeRolePolicy";
        let answer = self.writes.update_assume_role_policy().role_name(role).policy_document(document).send().await;
        applied(answer.map_err(|error| call_error(ACTION, error)))
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

/// Without what `ListRoles` does not tell.
fn live_role(action: &'static str, role: Role) -> Result<LiveRole, CallError> {
    let arn = Arn::parse(&role.arn).map_err(|error| CallError::refused(action, error))?;
    let trust = role.assume_role_policy_document;
    let trust = trust.ok_or_else(|| CallError::refused(action, "the role has no trust policy"))?;
    Ok(LiveRole {
        name: role.role_name,
        id: Some(role.role_id),
        arn,
        path: Some(role.path),
        trust,
        has_boundary: None,
        tags: None,
    })
}
