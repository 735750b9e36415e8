//! What must hold when AWS or the network fails in the middle, or the function itself does. One failure at any call is in
//! `responders`, and that it is killed in `kills.rs`.

use std::time::Duration;

use remedy::State;
use stage::{Fault, FunctionError, When};

use super::setting::{ENFORCE, PATIENCE, Setting, status};

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
