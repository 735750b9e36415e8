//! AWS KMS as this responder sees it.

use aws_sdk_kms::Client;
use aws_sdk_kms::error::ProvideErrorMetadata;
use aws_sdk_kms::types::{KeyManagerType, KeyMetadata, Tag};
use aws_types::SdkConfig;
use cloudtrail::Arn;
use futures_util::future::join;
use lambda::{Connect, applied, call_error, if_there, once};
use remedy::{Applied, CallError};

use crate::CancelKeyDeletion;
use crate::key::{Key, KeyState, Keys, Rotation};

/// The responder as it is deployed.
pub type Live = CancelKeyDeletion<Kms>;

/// The only key policy there is. Source: AWS KMS API Reference, "`GetKeyPolicy`".
const POLICY_NAME: &str = "default";

/// The answer to a call that the key's state does not allow. Source: AWS KMS Developer Guide, "Key states of AWS KMS
/// keys".
const WRONG_STATE: &str = "KMSInvalidStateException";

/// The keys of one account and region.
#[derive(Debug)]
pub struct Kms {
    reads: Client,
    /// Without the SDK's own retries: see [`Responder::apply`](remedy::Responder::apply).
    writes: Client,
}

impl Connect for Live {
    fn connect(config: &SdkConfig) -> Self {
        Self(Kms { reads: Client::new(config), writes: Client::new(&once(config)) })
    }
}

impl Keys for Kms {
    async fn describe(&self, key: &Arn) -> Result<Option<Key>, CallError> {
        let (found, tags) = join(self.metadata(key.name()), self.tags(key.name())).await;
        match (if_there(found)?.flatten(), if_there(tags)?) {
            (Some(found), Some(tags)) => read(&found, Some(tags)).map(Some),
            _ => Ok(None),
        }
    }

    async fn rotation(&self, key: &Arn) -> Result<Option<Rotation>, CallError> {
        match self.reads.get_key_rotation_status().key_id(key.name()).send().await {
            Ok(answer) => Ok(Some(Rotation { on: answer.key_rotation_enabled, days: answer.rotation_period_in_days })),
            // Keys that do not encrypt symmetrically, and keys without material.
            Err(error) if matches!(error.code(), Some("UnsupportedOperationException" | WRONG_STATE)) => Ok(None),
            Err(error) => Ok(if_there(Err(call_error("kms:GetKeyRotationStatus", error)))?.flatten()),
        }
    }

    async fn policy(&self, key: &Arn) -> Result<Option<String>, CallError> {
        let answer = self.reads.get_key_policy().key_id(key.name()).policy_name(POLICY_NAME).send().await;
        let answer = if_there(answer.map_err(|error| call_error("kms:GetKeyPolicy", error)))?;
        Ok(answer.and_then(|answer| answer.policy))
    }

    async fn list(&self) -> Result<Vec<Key>, CallError> {
        let pages = self.reads.list_keys().into_paginator().items().send();
        let listed = pages.collect::<Result<Vec<_>, _>>().await.map_err(|error| call_error("kms:ListKeys", error))?;
        let mut keys = Vec::new();
        for id in listed.into_iter().filter_map(|key| key.key_id) {
            let Some(found) = if_there(self.metadata(&id).await)?.flatten() else { continue };
            if found.key_manager == Some(KeyManagerType::Customer) {
                keys.push(read(&found, None)?);
            }
        }
        Ok(keys)
    }

    async fn cancel_deletion(&self, key: &Arn) -> Result<Applied, CallError> {
        match self.writes.cancel_key_deletion().key_id(key.name()).send().await {
            Err(error) if error.code() == Some(WRONG_STATE) => Ok(Applied::AlreadySo),
            answer => applied(answer.map_err(|error| call_error("kms:CancelKeyDeletion", error))),
        }
    }

    async fn schedule_deletion(&self, key: &Arn, days: i32) -> Result<Applied, CallError> {
        match self.writes.schedule_key_deletion().key_id(key.name()).pending_window_in_days(days).send().await {
            Err(error) if error.code() == Some(WRONG_STATE) => Ok(Applied::AlreadySo),
            answer => applied(answer.map_err(|error| call_error("kms:ScheduleKeyDeletion", error))),
        }
    }

    async fn set_enabled(&self, key: &Arn, enabled: bool) -> Result<Applied, CallError> {
        if enabled {
            let answer = self.writes.enable_key().key_id(key.name()).send().await;
            applied(answer.map_err(|error| call_error("kms:EnableKey", error)))
        } else {
            let answer = self.writes.disable_key().key_id(key.name()).send().await;
            applied(answer.map_err(|error| call_error("kms:DisableKey", error)))
        }
    }

    async fn set_rotation(&self, key: &Arn, rotation: Rotation) -> Result<Applied, CallError> {
        if rotation.on {
            let call = self.writes.enable_key_rotation().key_id(key.name());
            let answer = call.set_rotation_period_in_days(rotation.days).send().await;
            applied(answer.map_err(|error| call_error("kms:EnableKeyRotation", error)))
        } else {
            let answer = self.writes.disable_key_rotation().key_id(key.name()).send().await;
            applied(answer.map_err(|error| call_error("kms:DisableKeyRotation", error)))
        }
    }

    async fn put_policy(&self, key: &Arn, policy: &str) -> Result<Applied, CallError> {
        let answer =
            self.writes.put_key_policy().key_id(key.name()).policy_name(POLICY_NAME).policy(policy).send().await;
        applied(answer.map_err(|error| call_error("kms:PutKeyPolicy", error)))
    }
}

impl Kms {
    async fn metadata(&self, id: &str) -> Result<Option<KeyMetadata>, CallError> {
        let answer = self.reads.describe_key().key_id(id).send().await;
        Ok(answer.map_err(|error| call_error("kms:DescribeKey", error))?.key_metadata)
    }

    async fn tags(&self, id: &str) -> Result<Vec<Tag>, CallError> {
        let pages = self.reads.list_resource_tags().key_id(id).into_paginator().items().send();
        pages.collect::<Result<Vec<_>, _>>().await.map_err(|error| call_error("kms:ListResourceTags", error))
    }
}

fn read(found: &KeyMetadata, tags: Option<Vec<Tag>>) -> Result<Key, CallError> {
    let arn = Arn::parse(found.arn.as_deref().unwrap_or_default());
    let arn = arn.map_err(|error| CallError::refused("kms:DescribeKey", error))?;
    Ok(Key {
        arn,
        state: KeyState::named(found.key_state.as_ref().map_or("", |state| state.as_str())),
        multi_region: found.multi_region,
        tags: tags.map(|tags| tags.into_iter().map(|tag| (tag.tag_key, tag.tag_value)).collect()),
    })
}
