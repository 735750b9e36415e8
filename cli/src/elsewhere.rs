//! Acting in other accounts than the operator's own, in a role that his credentials may take.

use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use cloudtrail::{AccountId, Arn, Region};
use lambda::call_error;
use remedy::CallError;

const ACTION: &str = "sts:AssumeRole";

/// A role of another account was not taken.
#[derive(Debug, thiserror::Error)]
#[error("`{role}` cannot be assumed")]
pub(crate) struct NotAssumed {
    role: Arn,
    source: CallError,
}

impl NotAssumed {
    pub(crate) const HELP: &str =
        "your own role needs `sts:AssumeRole` on it, and its trust policy must let your account in";
}

/// A configuration that acts in that account, in a session that CloudTrail shows under this name.
pub(crate) async fn acting_in(
    account: &AccountId,
    role: &str,
    session: &str,
    config: &SdkConfig,
) -> Result<SdkConfig, NotAssumed> {
    let partition = Region::new(config.region().map(ToString::to_string).unwrap_or_default()).partition();
    let role = Arn::of(partition, "iam", "", account, &format!("role/{}", role.trim_start_matches('/')));
    match assume(&role, session, config).await {
        Ok(session) => Ok(config.to_builder().credentials_provider(SharedCredentialsProvider::new(session)).build()),
        Err(source) => Err(NotAssumed { role, source }),
    }
}

async fn assume(role: &Arn, session: &str, config: &SdkConfig) -> Result<Credentials, CallError> {
    let call = aws_sdk_sts::Client::new(config).assume_role().role_arn(role.as_str()).role_session_name(session);
    let given = call.send().await.map_err(|error| call_error(ACTION, error))?.credentials;
    let given = given.ok_or_else(|| CallError::refused(ACTION, "the answer has no credentials"))?;
    let (key, secret, token) = (given.access_key_id, given.secret_access_key, given.session_token);
    Ok(Credentials::new(key, secret, Some(token), given.expiration.try_into().ok(), "assumed role"))
}
