//! Acting in other accounts than the operator's own, in a role that his credentials may take.

use aws_config::SdkConfig;
use aws_credential_types::provider::SharedCredentialsProvider;
use cloudtrail::{AccountId, Arn};
use lambda::{assume, region_of};
use remedy::CallError;

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
    let role =
        Arn::of(region_of(config).partition(), "iam", "", account, &format!("role/{}", role.trim_start_matches('/')));
    let call = aws_sdk_sts::Client::new(config).assume_role().role_arn(role.as_str()).role_session_name(session);
    match assume(call).await {
        Ok(session) => Ok(config.to_builder().credentials_provider(SharedCredentialsProvider::new(session)).build()),
        Err(source) => Err(NotAssumed { role, source }),
    }
}
