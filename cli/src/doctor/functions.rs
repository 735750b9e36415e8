//! Whether the functions run: each by itself, and the room that the account leaves them.

use aws_sdk_lambda::Client;
use aws_sdk_lambda::operation::get_function::GetFunctionOutput;
use aws_sdk_lambda::types::{AccountLimit, Concurrency, FunctionConfiguration, LastUpdateStatus, State};
use futures_util::{StreamExt, stream};
use lambda::call_error;
use remedy::{CallError, CallErrorKind};

use super::check::Check;
use super::roles::Simulator;
use super::{Scene, permissions, roles, rules, settings};
use crate::responders::{ENTRIES, Entry};

/// So many functions are looked at at once: AWS answers some of these calls a few times a second only.
const AT_ONCE: usize = 4;

/// Below this a burst of anything else in the account leaves nothing for a function that has nothing reserved. AWS gives a
/// new account 10 (AWS Lambda Developer Guide, "Lambda quotas").
const ROOM: i32 = 100;

pub(super) async fn look(scene: &Scene) -> Vec<Check> {
    let simulator = Simulator::default();
    let looks = stream::iter(ENTRIES).map(|entry| look_at(scene, entry, &simulator)).buffered(AT_ONCE);
    let (mut checks, mut unreserved) = (Vec::new(), false);
    for (found, reserved) in looks.collect::<Vec<_>>().await {
        checks.extend(found);
        unreserved |= reserved.is_none();
    }
    checks.push(match room(scene).await {
        Ok((limit, free)) => judge_room(limit, free, unreserved),
        Err(error) => Check::unknown("concurrency", &error),
    });
    checks
}

/// The checks of one function, and what concurrency it has for itself.
async fn look_at(scene: &Scene, entry: &Entry, simulator: &Simulator) -> (Vec<Check>, Option<i32>) {
    let function = entry.spec.name;
    let name = format!("function {function}");
    let Some(physical) = scene.deployment.function(function) else {
        let fix = "`sam build && sam deploy`: this build of countermand knows it, the deployment does not";
        return (vec![Check::failed(name, "the stack has none", fix)], None);
    };
    let answer = match get_function(scene, physical).await {
        Ok(answer) => answer,
        Err(error) => return (vec![Check::unknown(name, &error)], None),
    };
    let reserved = answer.concurrency().and_then(Concurrency::reserved_concurrent_executions);
    let Some(configuration) = answer.configuration() else {
        return (vec![Check::failed(name, "AWS says nothing of it", "`sam build && sam deploy`")], reserved);
    };
    let mut checks = vec![judge(name, physical, configuration, reserved)];
    checks.extend(rules::look(scene, function, configuration.function_arn().unwrap_or_default()).await);
    let name = format!("failures of {function}");
    checks.push(match failure_destination(scene, physical).await {
        Ok(destination) => judge_failures(name, physical, destination, permissions::failed_events(scene)),
        Err(error) => Check::unknown(name, &error),
    });
    checks.push(settings::look(scene, function, configuration));
    checks.push(roles::look(scene, entry, configuration.role().unwrap_or_default(), simulator).await);
    (checks, reserved)
}

/// Where events go that the function failed on; `None` where they are lost.
async fn failure_destination(scene: &Scene, function: &str) -> Result<Option<String>, CallError> {
    let answer = Client::new(&scene.config).get_function_event_invoke_config().function_name(function).send().await;
    match answer.map_err(|error| call_error("lambda:GetFunctionEventInvokeConfig", error)) {
        Ok(answer) => Ok(answer.destination_config.and_then(|it| it.on_failure).and_then(|it| it.destination)),
        Err(error) if error.kind == CallErrorKind::Gone => Ok(None),
        Err(error) => Err(error),
    }
}

fn judge_failures(name: String, function: &str, destination: Option<String>, queue: Option<String>) -> Check {
    if destination.is_some() && destination == queue {
        return Check::ok(name, "go to the queue FailedEvents");
    }
    let seen = match destination {
        Some(elsewhere) => format!("go to {elsewhere}, which is not the queue FailedEvents"),
        None => "are lost: nothing keeps the events that it fails on".to_owned(),
    };
    let fix = format!(
        "aws lambda put-function-event-invoke-config --function-name {function} --maximum-retry-attempts 2 \
         --maximum-event-age-in-seconds 3600 --destination-config OnFailure={{Destination={}}}",
        queue.unwrap_or_default()
    );
    Check::failed(name, seen, fix)
}

async fn get_function(scene: &Scene, function: &str) -> Result<GetFunctionOutput, CallError> {
    let answer = Client::new(&scene.config).get_function().function_name(function).send().await;
    answer.map_err(|error| call_error("lambda:GetFunction", error))
}

fn judge(name: String, physical: &str, configuration: &FunctionConfiguration, reserved: Option<i32>) -> Check {
    if reserved == Some(0) {
        let fix = format!(
            "aws lambda delete-function-concurrency --function-name {physical}, if nobody stopped it on purpose"
        );
        return Check::failed(name, "is stopped: its reserved concurrency is 0", fix);
    }
    match (configuration.state(), configuration.last_update_status()) {
        (Some(State::Active), Some(LastUpdateStatus::Failed)) => {
            let why = configuration.last_update_status_reason().unwrap_or("no reason given");
            Check::failed(name, format!("its last update failed: {why}"), "`sam build && sam deploy`")
        }
        (Some(State::Active), _) => Check::ok(name, "Active"),
        (state, _) => {
            let why = configuration.state_reason().unwrap_or("no reason given");
            let state = state.map_or("in no state", State::as_str);
            Check::failed(name, format!("is {state}: {why}"), "`sam build && sam deploy`")
        }
    }
}

/// How many executions the account may have at once, and how many of them nobody has reserved.
async fn room(scene: &Scene) -> Result<(i32, i32), CallError> {
    let answer = Client::new(&scene.config).get_account_settings().send().await;
    let answer = answer.map_err(|error| call_error("lambda:GetAccountSettings", error))?;
    let limit = answer.account_limit();
    Ok((
        limit.map_or(0, AccountLimit::concurrent_executions),
        limit.and_then(AccountLimit::unreserved_concurrent_executions).unwrap_or(0),
    ))
}

fn judge_room(limit: i32, free: i32, unreserved: bool) -> Check {
    let name = "concurrency";
    let seen = format!("{limit} executions at once in this account and region, {free} of them not reserved");
    if unreserved && free < ROOM {
        let fix = "ask for more: aws service-quotas request-service-quota-increase --service-code lambda --quota-code \
                   L-B99A9384 --desired-value 1000; then deploy with ReservedConcurrency";
        return Check::warning(name, format!("{seen}: anything else can starve the functions"), fix);
    }
    Check::ok(name, seen)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::check::CheckResult;

    #[test]
    fn a_function_must_be_active_and_not_stopped() {
        let with = |state: State, update: LastUpdateStatus, reserved| {
            let configuration = FunctionConfiguration::builder().state(state).last_update_status(update).build();
            judge("f".to_owned(), "f", &configuration, reserved).result
        };
        assert_eq!(with(State::Active, LastUpdateStatus::Successful, None), CheckResult::Ok);
        assert_eq!(with(State::Active, LastUpdateStatus::InProgress, Some(2)), CheckResult::Ok);
        assert_eq!(with(State::Active, LastUpdateStatus::Failed, None), CheckResult::Failed);
        assert_eq!(with(State::Failed, LastUpdateStatus::Successful, None), CheckResult::Failed);
        assert_eq!(with(State::Active, LastUpdateStatus::Successful, Some(0)), CheckResult::Failed);
    }

    #[test]
    fn a_small_account_needs_reservations() {
        assert_eq!(judge_room(10, 10, true).result, CheckResult::Warning);
        assert_eq!(judge_room(10, 10, false).result, CheckResult::Ok);
        assert_eq!(judge_room(1000, 900, true).result, CheckResult::Ok);
    }
}
