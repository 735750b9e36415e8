//! The port over Amazon's SDK.

use aws_sdk_iam::Client;
use aws_sdk_iam::primitives::DateTime as SdkDateTime;
use aws_sdk_iam::types::{AccessKeyMetadata, StatusType, User};
use chrono::{DateTime, Utc};
use cloudtrail::{AccessKeyId, Arn};
use lambda::{applied, call_error, if_there};
use remedy::{Applied, CallError};

use crate::DisableAccessKey;
use crate::key::{AccessKeys, LiveKey, LiveUser};

/// AWS IAM.
#[derive(Debug, Clone)]
pub struct Iam(Client);

/// The responder as it is deployed.
pub type Live = DisableAccessKey<Iam>;

impl lambda::Connect for Live {
    fn connect(config: &aws_types::SdkConfig) -> Self {
        Self(Iam(Client::new(config)))
    }
}

impl AccessKeys for Iam {
    async fn owner(&self, key: &AccessKeyId) -> Result<Option<String>, CallError> {
        const ACTION: &str = "iam:GetAccessKeyLastUsed";
        let answer = self.0.get_access_key_last_used().access_key_id(key.as_str()).send().await;
        let answer = if_there(answer.map_err(|error| call_error(ACTION, error)))?;
        Ok(answer.and_then(|answer| answer.user_name).filter(|name| !name.is_empty()))
    }

    async fn user(&self, name: &str) -> Result<Option<LiveUser>, CallError> {
        const ACTION: &str = "iam:GetUser";
        let answer = self.0.get_user().user_name(name).send().await;
        let answer = if_there(answer.map_err(|error| call_error(ACTION, error)))?;
        answer.and_then(|answer| answer.user).map(|user| live_user(ACTION, user)).transpose()
    }

    async fn keys(&self, user: &str) -> Result<Vec<LiveKey>, CallError> {
        const ACTION: &str = "iam:ListAccessKeys";
        let pages = self.0.list_access_keys().user_name(user).into_paginator().items().send();
        let keys = pages.collect::<Result<Vec<_>, _>>().await;
        let keys = if_there(keys.map_err(|error| call_error(ACTION, error)))?;
        Ok(keys.unwrap_or_default().into_iter().filter_map(live_key).collect())
    }

    async fn inline_policy(&self, user: &str, policy: &str) -> Result<Option<String>, CallError> {
        const ACTION: &str = "iam:GetUserPolicy";
        let answer = self.0.get_user_policy().user_name(user).policy_name(policy).send().await;
        let answer = if_there(answer.map_err(|error| call_error(ACTION, error)))?;
        Ok(answer.map(|answer| answer.policy_document))
    }

    async fn set_active(&self, user: &str, key: &AccessKeyId, active: bool) -> Result<Applied, CallError> {
        const ACTION: &str = "iam:UpdateAccessKey";
        let status = if active { StatusType::Active } else { StatusType::Inactive };
        let answer = self.0.update_access_key().user_name(user).access_key_id(key.as_str()).status(status).send().await;
        applied(answer.map_err(|error| call_error(ACTION, error)))
    }

    async fn put_inline_policy(&self, user: &str, policy: &str, document: &str) -> Result<Applied, CallError> {
        const ACTION: &str = "iam:PutUserPolicy";
        let answer =
            self.0.put_user_policy().user_name(user).policy_name(policy).policy_document(document).send().await;
        applied(answer.map_err(|error| call_error(ACTION, error)))
    }

    async fn delete_inline_policy(&self, user: &str, policy: &str) -> Result<Applied, CallError> {
        const ACTION: &str = "iam:DeleteUserPolicy";
        let answer = self.0.delete_user_policy().user_name(user).policy_name(policy).send().await;
        applied(answer.map_err(|error| call_error(ACTION, error)))
    }
}

fn live_user(action: &'static str, user: User) -> Result<LiveUser, CallError> {
    let arn = Arn::parse(&user.arn).map_err(|error| CallError::refused(action, error))?;
    let tags = user.tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)).collect();
    Ok(LiveUser { name: user.user_name, arn, path: Some(user.path), tags: Some(tags) })
}

fn live_key(key: AccessKeyMetadata) -> Option<LiveKey> {
    Some(LiveKey {
        id: AccessKeyId::new(key.access_key_id?),
        active: key.status == Some(StatusType::Active),
        created: key.create_date.as_ref().and_then(time),
    })
}

fn time(time: &SdkDateTime) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(time.secs(), time.subsec_nanos())
}
