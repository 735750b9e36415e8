//! Whether others are told of incidents, where the deployment says that they are.

use aws_config::SdkConfig;
use aws_sdk_lambda::Client;
use aws_sdk_lambda::types::EventSourceMappingConfiguration;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use lambda::call_error;
use remedy::CallError;

use super::Scene;
use super::check::Check;
use crate::tell;

const SECURITY_HUB: &str = "COUNTERMAND_SECURITY_HUB";

pub(super) async fn look(scene: &Scene) -> Vec<Check> {
    let Some(function) = scene.deployment.function(tell::HANDLER) else { return Vec::new() };
    let name = format!("stream of {}", tell::HANDLER);
    let mut checks = vec![match mappings(scene, function).await {
        Ok(mappings) => judge(name, &mappings),
        Err(error) => Check::unknown(name, &error),
    }];
    match scene.variable(function, SECURITY_HUB).await {
        Ok(Some(_)) => checks.push(hub(&scene.config).await),
        Ok(None) => {}
        Err(error) => checks.push(Check::unknown("Security Hub", &error)),
    }
    checks
}

async fn mappings(scene: &Scene, function: &str) -> Result<Vec<EventSourceMappingConfiguration>, CallError> {
    let listed = Client::new(&scene.config).list_event_source_mappings().function_name(function).send().await;
    let listed = listed.map_err(|error| call_error("lambda:ListEventSourceMappings", error))?;
    Ok(listed.event_source_mappings.unwrap_or_default())
}

fn judge(name: String, mappings: &[EventSourceMappingConfiguration]) -> Check {
    let Some(mapping) = mappings.first() else {
        return Check::failed(name, "nothing hands it what becomes of incidents", "`sam build && sam deploy`");
    };
    match mapping.state() {
        Some("Enabled" | "Enabling" | "Creating" | "Updating") => Check::ok(name, "is read"),
        state => {
            let fix =
                format!("aws lambda update-event-source-mapping --enabled --uuid {}", mapping.uuid().unwrap_or("UUID"));
            Check::failed(name, format!("is not read: its mapping is {}", state.unwrap_or("in no state")), fix)
        }
    }
}

async fn hub(config: &SdkConfig) -> Check {
    const NAME: &str = "Security Hub";
    match aws_sdk_securityhub::Client::new(config).describe_hub().send().await {
        Ok(_) => Check::ok(NAME, "is enabled"),
        // AWS Security Hub API Reference, `DescribeHub`: this is what an account is answered that has not enabled it.
        Err(error) if matches!(error.code(), Some("InvalidAccessException" | "ResourceNotFoundException")) => {
            Check::failed(
                NAME,
                "is not enabled, so no finding is imported",
                "aws securityhub enable-security-hub, or deploy with SecurityHub=off",
            )
        }
        Err(error) => Check::unknown(NAME, &call_error("securityhub:DescribeHub", error)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::canned::Canned;
    use crate::doctor::check::CheckResult;

    #[tokio::test]
    async fn a_hub_that_is_not_enabled_is_told_from_one_that_may_not_be_seen() {
        let refused = |code: &str| json!({ "__type": code, "message": "no" });
        let of = async |status: u16, answer: serde_json::Value| hub(&Canned::new(status, &answer).config()).await;
        let enabled = of(200, json!({ "HubArn": "arn:aws:securityhub:eu-west-1:123456789012:hub/default" })).await;
        assert_eq!(enabled.result, CheckResult::Ok, "{enabled:?}");
        let off = of(401, refused("InvalidAccessException")).await;
        assert!(off.fix.unwrap().starts_with("aws securityhub enable-security-hub"), "{}", off.seen);
        let denied = of(403, refused("AccessDeniedException")).await;
        assert!(denied.fix.unwrap().starts_with("allow yourself securityhub:DescribeHub"), "{}", denied.seen);
    }

    #[test]
    fn a_stream_that_nobody_reads_is_a_failure() {
        let mapping = |state: &str| EventSourceMappingConfiguration::builder().uuid("u-1").state(state).build();
        let of = |mappings: &[EventSourceMappingConfiguration]| judge("stream".to_owned(), mappings);
        assert_eq!((of(&[]).result, of(&[mapping("Enabled")]).result), (CheckResult::Failed, CheckResult::Ok));
        let disabled = of(&[mapping("Disabled")]);
        assert_eq!(disabled.result, CheckResult::Failed);
        assert!(disabled.fix.unwrap().ends_with("--enabled --uuid u-1"));
    }
}
