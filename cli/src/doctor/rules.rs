//! Whether events get from EventBridge to the functions: the rules, their patterns and targets, and who may invoke.

mod permission;

use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::types::RuleState;
use lambda::call_error;
use remedy::{CallError, CallErrorKind};
use serde_json::Value;

use super::Scene;
use super::check::Check;
use super::template::{self, Rule};
use crate::deployment::RULE;

const GLOBAL: &str = "global events";

/// Whether somebody listens where IAM's events arrive.
pub(super) async fn look_for_global(scene: &Scene) -> Vec<Check> {
    let waiting: Vec<Rule> = template::rules().into_iter().filter(|rule| rule.global).collect();
    if waiting.is_empty() {
        return Vec::new();
    }
    let partition = scene.region.partition().to_string();
    let Some(region) = template::global_region(&partition) else {
        return vec![Check::warning(
            GLOBAL,
            format!("it is not known where the events of global services arrive in {partition}"),
            "find out with AWS's documentation, and deploy there",
        )];
    };
    if region == scene.region.as_str() {
        return vec![Check::ok(GLOBAL, format!("they arrive here, in {region}"))];
    }
    vec![match enabled_patterns(scene, region).await {
        Err(error) => Check::unknown(GLOBAL, &error),
        Ok(patterns) => {
            let unheard: Vec<&str> = waiting
                .iter()
                .filter(|rule| !patterns.iter().any(|pattern| covers(pattern, &rule.pattern)))
                .map(|rule| rule.function.as_str())
                .collect();
            if unheard.is_empty() {
                Check::ok(GLOBAL, format!("they arrive in {region}, where rules wait for them"))
            } else {
                let seen =
                    format!("IAM's events arrive in {region} only, and no rule there is for {}", unheard.join(", "));
                Check::failed(
                    GLOBAL,
                    seen,
                    format!(
                        "deploy there too: `sam deploy --region {region}`, or stacksets/member.yaml, which forwards"
                    ),
                )
            }
        }
    }]
}

/// Whether a pattern has in each list what another has: a rule that forwards is one for many responders.
fn covers(pattern: &Value, other: &Value) -> bool {
    match (pattern, other) {
        (Value::Object(pattern), Value::Object(other)) => {
            pattern.len() == other.len()
                && other.iter().all(|(key, value)| pattern.get(key).is_some_and(|it| covers(it, value)))
        }
        (Value::Array(pattern), Value::Array(other)) => other.iter().all(|value| pattern.contains(value)),
        _ => pattern == other,
    }
}

async fn enabled_patterns(scene: &Scene, region: &str) -> Result<Vec<Value>, CallError> {
    let client = Client::new(&lambda::in_region(&scene.config, region));
    let (mut patterns, mut next) = (Vec::new(), None);
    loop {
        let page = client.list_rules().set_next_token(next).send().await;
        let page = page.map_err(|error| call_error("events:ListRules", error))?;
        let enabled = page.rules().iter().filter(|rule| is_enabled(rule.state()));
        patterns.extend(enabled.filter_map(|rule| serde_json::from_str(rule.event_pattern()?).ok()));
        next = page.next_token;
        if next.is_none() {
            return Ok(patterns);
        }
    }
}

/// A rule may ask for the events of read calls as well, which no pattern of ours matches.
fn is_enabled(state: Option<&RuleState>) -> bool {
    matches!(state, Some(RuleState::Enabled | RuleState::EnabledWithAllCloudtrailManagementEvents))
}

/// The rules of one function, and who else may invoke it.
pub(super) async fn look(scene: &Scene, function: &str, arn: &str) -> Vec<Check> {
    let global = template::global_region(&scene.region.partition().to_string());
    // What members forward has its rules in every region.
    let is_there = |rule: &Rule| scene.deployment.physical(RULE, rule.logical).is_some();
    let here = |rule: &Rule| !rule.global || global == Some(scene.region.as_str()) || is_there(rule);
    let rules = template::rules().into_iter().filter(|rule| rule.function == function && here(rule));
    let policy = resource_policy(scene, arn).await;
    let (mut checks, mut arns) = (Vec::new(), Vec::new());
    for rule in rules {
        let name = format!("rule {}", rule.logical);
        let Some(physical) = scene.deployment.physical(RULE, rule.logical) else {
            checks.push(Check::failed(name, "the stack has none", "`sam build && sam deploy`"));
            continue;
        };
        match look_at(scene, &name, &rule, physical, arn).await {
            Ok((check, rule_arn)) => {
                checks.push(check);
                arns.push((rule.logical, rule_arn));
            }
            Err(error) => checks.push(Check::unknown(name, &error)),
        }
    }
    let name = format!("invocation of {function}");
    checks.push(match policy {
        Ok(policy) => permission::judge(name, arn, &policy, &arns),
        Err(error) => Check::unknown(name, &error),
    });
    checks
}

/// The rule's check, and its ARN.
async fn look_at(
    scene: &Scene,
    name: &str,
    rule: &Rule,
    physical: &str,
    function: &str,
) -> Result<(Check, String), CallError> {
    let client = Client::new(&scene.config);
    let described = client.describe_rule().name(physical).send().await;
    let described = described.map_err(|error| call_error("events:DescribeRule", error))?;
    let targets = client.list_targets_by_rule().rule(physical).send().await;
    let targets = targets.map_err(|error| call_error("events:ListTargetsByRule", error))?.targets.unwrap_or_default();

    let pattern: Option<Value> = described.event_pattern().and_then(|text| serde_json::from_str(text).ok());
    let target = targets.iter().find(|target| is_version_of(target.arn(), function));
    let check = if !is_enabled(described.state()) {
        let seen = described.state().map_or_else(|| "in no state".to_owned(), ToString::to_string);
        Check::failed(name, format!("is {seen}"), format!("aws events enable-rule --name {physical}"))
    } else if pattern.as_ref() != Some(&rule.pattern_in(&scene.account)) {
        let seen = "its pattern is not the one of this build";
        Check::failed(name, seen, "find out who changed it; `sam build && sam deploy` after removing the stack's drift")
    } else {
        match target {
            None => {
                let fix =
                    format!("aws events put-targets --rule {physical} --targets Id={},Arn={function}", rule.function);
                Check::failed(name, format!("{} is not its target", rule.function), fix)
            }
            Some(target) if target.dead_letter_config().and_then(|queue| queue.arn()).is_none() => {
                Check::warning(name, "loses what it cannot deliver: it has no dead-letter queue", "`sam deploy`")
            }
            Some(_) if targets.len() > 1 => {
                let seen = format!("{} others are given the events too", targets.len() - 1);
                Check::warning(
                    name,
                    seen,
                    format!("aws events list-targets-by-rule --rule {physical}: whose are they?"),
                )
            }
            Some(_) => Check::ok(name, "ENABLED, with its pattern, for its function"),
        }
    };
    Ok((check, described.arn().unwrap_or_default().to_owned()))
}

/// The function itself, or one of its versions or aliases.
fn is_version_of(target: &str, function: &str) -> bool {
    target.strip_prefix(function).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
}

/// Who may invoke the function; nobody, where it has no policy.
async fn resource_policy(scene: &Scene, function: &str) -> Result<Value, CallError> {
    let answer = aws_sdk_lambda::Client::new(&scene.config).get_policy().function_name(function).send().await;
    match answer.map_err(|error| call_error("lambda:GetPolicy", error)) {
        Ok(answer) => Ok(answer.policy().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()),
        Err(error) if error.kind == CallErrorKind::Gone => Ok(Value::Null),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pattern_for_many_responders_covers_that_of_each() {
        let one = json!({"source": ["aws.iam"], "detail": {"eventName": ["CreateAccessKey"]}});
        let many =
            json!({"source": ["aws.ec2", "aws.iam"], "detail": {"eventName": ["CreateAccessKey", "CreateUser"]}});
        assert!(covers(&one, &one) && covers(&many, &one) && !covers(&one, &many));
        let narrower = json!({"source": ["aws.iam"], "detail": {"eventName": ["CreateAccessKey"], "errorCode": [1]}});
        assert!(!covers(&narrower, &one) && !covers(&one, &narrower));
    }
}
