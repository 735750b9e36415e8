//! What must hold when AWS or the network fails in the middle, or the function itself does. That it is killed is in
//! `kills.rs`.

use std::time::Duration;

use remedy::State;
use serde_json::Value;
use stage::{Fault, Function, FunctionError, When};

use super::setting::{ENFORCE, PATIENCE, Setting, status};

/// How often Lambda runs an asynchronous invocation: once, and two retries.
const ATTEMPTS: usize = 3;

/// Delivers as Lambda does: with the same request id until it succeeds, three times at most. Ids go into URLs.
async fn deliver(function: &Function, event: &Value, request_id: &str) -> Result<String, FunctionError> {
    for _ in 1..ATTEMPTS {
        if let Ok(answer) = function.invoke_as(request_id, event, PATIENCE).await {
            return Ok(status(Ok(answer)));
        }
    }
    function.invoke_as(request_id, event, PATIENCE).await.map(|answer| status(Ok(answer)))
}

#[tokio::test]
async fn one_failure_at_any_call_of_ingress_loses_nothing() {
    let setting = Setting::with(ENFORCE).await;
    let function = setting.function("revoke-open-ingress").await;
    for fault in [Fault::Throttle, Fault::ServerError, Fault::DropBefore, Fault::DropAfter, Fault::Denied] {
        for nth in 0.. {
            let group = setting.group().await;
            let event = setting.open(&group, 22, &["0.0.0.0/0"]).await;
            let opened = setting.rules(&group).await;
            let case = format!("{fault:?} at call {nth}");

            setting.account.proxy().inject(fault, When::Nth(nth), 1);
            let answer = deliver(&function, &event, &group).await;
            setting.account.proxy().heal();
            let calls = setting.account.proxy().clear();
            let was_hit = calls.iter().any(|call| call.fault.is_some());
            let calls: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
            assert_eq!(answer.unwrap(), "contained", "{case}: {calls:?}");
            assert_eq!(setting.rules(&group).await.len(), 1, "{case}");

            let incidents = setting.incidents().await;
            let incident = incidents.iter().find(|incident| incident.resource.arn.name() == group).unwrap();
            assert_eq!((incident.state, incident.receipt.len()), (State::Contained, 1), "{case}: {calls:?}");
            let (done, said) = setting.countermand(&["incidents", "undo", incident.id.as_str(), "--yes"]).await;
            assert!(done, "{case}: {said}");
            assert_eq!(setting.rules(&group).await, opened, "{case}");
            if !was_hit {
                assert!(nth > 5, "the function makes more calls than {nth}");
                break;
            }
        }
    }
}

#[tokio::test]
async fn one_failure_at_any_call_of_keys_loses_nothing() {
    let setting = Setting::with(ENFORCE).await;
    let function = setting.function("disable-access-key").await;
    let mut users = 0;
    for fault in [Fault::Throttle, Fault::ServerError, Fault::DropBefore, Fault::DropAfter, Fault::Denied] {
        for nth in 0.. {
            users += 1;
            let user = format!("user{users}");
            let event = setting.key_for(&user).await;
            let case = format!("{fault:?} at call {nth}");
            setting.account.proxy().inject(fault, When::Nth(nth), 1);
            let answer = deliver(&function, &event, &user).await;
            setting.account.proxy().heal();
            let calls = setting.account.proxy().clear();
            let was_hit = calls.iter().any(|call| call.fault.is_some());
            let calls: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
            assert_eq!(answer.unwrap(), "contained", "{case}: {calls:?}");
            assert_eq!(setting.user(&user).await, ("Inactive".to_owned(), true), "{case}");

            let incidents = setting.incidents().await;
            let incident = incidents.iter().find(|incident| incident.resource.arn.name() == user).unwrap();
            assert_eq!((incident.state, incident.receipt.len()), (State::Contained, 2), "{case}: {calls:?}");
            let (done, said) = setting.countermand(&["incidents", "undo", incident.id.as_str(), "--yes"]).await;
            assert!(done, "{case}: {said}");
            assert_eq!(setting.user(&user).await, ("Active".to_owned(), false), "{case}");
            if !was_hit {
                assert!(nth > 6, "the function makes more calls than {nth}");
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_lost_answer_of_the_ledger_does_not_keep_people_from_being_told() {
    let setting = Setting::with(r#"@id("ask") @mode("approve") permit (principal, action, resource);"#).await;
    let topic = setting.topic().await;
    let group = setting.group().await;
    let event = setting.open(&group, 22, &["0.0.0.0/0"]).await;
    let function = setting.function_with("revoke-open-ingress", &[("COUNTERMAND_TOPIC", &topic)]).await;
    setting.account.proxy().inject(Fault::DropAfter, When::operation("dynamodb", "TransactWriteItems"), 1);
    assert_eq!(status(function.invoke(&event).await), "pending");
    let told = setting.account.proxy().calls().iter().filter(|call| call.operation == "Publish").count();
    assert_eq!(told, 1);
}

#[tokio::test]
async fn a_failed_run_says_why_and_the_next_delivery_goes_on() {
    let setting = Setting::with(ENFORCE).await;
    let group = setting.group().await;
    let event = setting.open(&group, 22, &["0.0.0.0/0"]).await;
    let function = setting.function("revoke-open-ingress").await;
    setting.account.proxy().inject(Fault::Denied, When::operation("ec2", "RevokeSecurityGroupIngress"), 1);
    let deadline = Duration::from_secs(6);
    let failure = function.invoke_as("r-1", &event, deadline).await.unwrap_err();
    let FunctionError::Failed { error_type, error_message } = failure else { panic!("{failure:?}") };
    assert_eq!(error_type, "Final.Denied");
    assert!(error_message.contains("ec2:RevokeSecurityGroupIngress"), "{error_message}");
    assert_eq!(setting.incident().await.state, State::Failed);
    let other = setting.function("revoke-open-ingress").await;
    assert_eq!(status(other.invoke(&event).await), "contained");
}

#[tokio::test]
async fn a_run_out_of_time_keeps_its_receipt() {
    let setting = Setting::with(ENFORCE).await;
    let group = setting.group().await;
    let event = setting.open(&group, 22, &["0.0.0.0/1", "128.0.0.0/1", "::/0"]).await;
    let function = setting.function("revoke-open-ingress").await;
    let slow = When::operation("ec2", "RevokeSecurityGroupIngress");
    setting.account.proxy().inject(Fault::Delay(Duration::from_millis(1_500)), slow, 10);
    let failure = function.invoke_as("r-1", &event, Duration::from_secs(5)).await.unwrap_err();
    let FunctionError::Failed { error_type, .. } = failure else { panic!("{failure:?}") };
    assert_eq!(error_type, "Retryable.OutOfTime");
    setting.account.proxy().heal();
    let stopped = setting.incident().await;
    assert!(stopped.state == State::Failed && !stopped.receipt.is_empty(), "{stopped:#?}");
    assert_eq!(status(function.invoke_as("r-1", &event, PATIENCE).await), "contained");
    let incident = setting.incident().await;
    assert_eq!((incident.receipt.len(), setting.rules(&group).await.len()), (3, 1));
}
