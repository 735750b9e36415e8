//! AWS IAM as this responder sees it.

use aws_sdk_iam::Client;
use aws_sdk_iam::types::User;
use aws_types::SdkConfig;
use cloudtrail::Arn;
use lambda::{Connect, applied, call_error, if_there, once};
use remedy::{Applied, CallError};

use crate::DenyConsoleLogin;
use crate::user::{LiveUser, Users};

/// The responder as it is deployed.
pub type Live = DenyConsoleLogin<Iam>;

/// The IAM users of one account.
#[derive(Debug)]
pub struct Iam {
    reads: Client,
    /// Without the SDK's own retries: see [`Responder::apply`](remedy::Responder::apply).
    writes: Client,
}

impl Connect for Live {
    fn connect(config: &SdkConfig) -> Self {
        Self(Iam { reads: Client::new(config), writes: Client::new(&once(config)) })
    }
}

impl Users for Iam {
    async fn user(&self, name: &str) -> Result<Option<LiveUser>, CallError> {
        const ACTION: &str = "iam:GetUser";
        let answer = self.reads.get_user().user_name(name).send().await;
        let answer = if_there(answer.map_err(|error| call_error(ACTION, error)))?;
        answer.and_then(|answer| answer.user).map(|user| live_user(ACTION, user)).transpose()
    }

    async fn has_password(&self, user: &str) -> Result<bool, CallError> {
        let answer = self.reads.get_login_profile().user_name(user).send().await;
        Ok(if_there(answer.map_err(|error| call_error("iam:GetLoginProfile", error)))?.is_some())
    }

    async fn mfa_devices(&self, user: &str) -> Result<usize, CallError> {
        let pages = self.reads.list_mfa_devices().user_name(user).into_paginator().items().send();
        let devices = pages.collect::<Result<Vec<_>, _>>().await;
        let devices = if_there(devices.map_err(|error| call_error("iam:ListMFADevices", error)))?;
        Ok(devices.unwrap_or_default().len())
    }

    async fn inline_policy(&self, user: &str, policy: &str) -> Result<Option<String>, CallError> {
        let answer = self.reads.get_user_policy().user_name(user).policy_name(policy).send().await;
        let answer = if_there(answer.map_err(|error| call_error("iam:GetUserPolicy", error)))?;
        Ok(answer.map(|answer| answer.policy_document))
    }

    async fn put_inline_policy(&self, user: &str, policy: &str, document: &str) -> Result<Applied, CallError> {
        let call = self.writes.put_user_policy().user_name(user).policy_name(policy).policy_document(document);
        applied(call.send().await.map_err(|error| call_error("iam:PutUserPolicy", error)))
    }

    async fn delete_inline_policy(&self, user: &str, policy: &str) -> Result<Applied, CallError> {
        let answer = self.writes.delete_user_policy().user_name(user).policy_name(policy).send().await;
        applied(answer.map_err(|error| call_error("iam:DeleteUserPolicy", error)))
    }
}

fn live_user(action: &'static str, user: User) -> Result<LiveUser, CallError> {
    let arn = Arn::parse(&user.arn).map_err(|error| CallError::refused(action, error))?;
    let tags = user.tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)).collect();
    Ok(LiveUser { name: user.user_name, arn, path: Some(user.path), tags: Some(tags) })
}
