//! Bad input, and a function that cannot start.

use serde_json::{Value, json};
use stage::FunctionError;

use super::setting::{ENFORCE, PATIENCE, Setting};

#[tokio::test]
async fn bad_input_is_an_error_that_says_why_and_changes_nothing() {
    let setting = Setting::with(ENFORCE).await;
    let function = setting.function("revoke-open-ingress").await;
    let no_group = json!({"detail-type": "AWS API Call via CloudTrail", "source": "aws.ec2", "account": "123456789012",
        "region": "us-east-1", "detail": {"eventSource": "ec2.amazonaws.com", "eventID": "e",
        "eventName": "AuthorizeSecurityGroupIngress", "awsRegion": "us-east-1", "requestParameters": {}}});
    let short_account = json!({"detail-type": "AWS API Call via CloudTrail", "source": "aws.ec2", "account": "1234",
        "region": "us-east-1", "detail": {"eventSource": "ec2.amazonaws.com", "eventName": "X", "awsRegion": "us-east-1"}});
    let wrong_type = json!({"detail-type": 7, "source": "aws.ec2", "detail": {}});
    for (payload, expected) in [
        (b"{ not JSON".to_vec(), "JSON"),
        (b"[]".to_vec(), "neither an EventBridge envelope nor a CloudTrail record"),
        (b"\"text\"".to_vec(), "neither an EventBridge envelope nor a CloudTrail record"),
        (wrong_type.to_string().into_bytes(), "envelope"),
        (short_account.to_string().into_bytes(), "account"),
        (no_group.to_string().into_bytes(), "requestParameters.groupId"),
    ] {
        let failure = function.invoke_raw(payload, PATIENCE).await.unwrap_err();
        let FunctionError::Failed { error_type, error_message } = failure else { panic!("{failure:?}") };
        assert!(error_type.starts_with("Final."), "{error_type}: {error_message}");
        assert!(error_message.contains(expected), "{error_message}");
    }
    assert_eq!(setting.account.proxy().calls().iter().filter(|call| call.service == "ec2").count(), 0);
    assert_eq!(setting.incidents().await, []);
}

#[tokio::test]
async fn what_concerns_nobody_is_answered_with_no_outcome() {
    let setting = Setting::with(ENFORCE).await;
    let function = setting.function("revoke-open-ingress").await;
    let other = json!({"version": "0", "id": "i", "detail-type": "EC2 Instance State-change Notification",
        "source": "aws.ec2", "account": "123456789012", "time": "2026-11-22T07:00:00Z", "region": "us-east-1",
        "resources": [], "detail": {"state": "running"}});
    assert_eq!(function.invoke(&other).await.unwrap().body, json!({"outcomes": []}));
    let mut large: Value = other;
    large["detail"]["padding"] = Value::String("x".repeat(1_000_000));
    assert_eq!(function.invoke(&large).await.unwrap().body, json!({"outcomes": []}));
}

#[tokio::test]
async fn a_function_whose_policies_do_not_load_does_not_start() {
    let setting = Setting::with("permit (principal, action").await;
    let failure = setting.try_function("revoke-open-ingress").await.unwrap_err();
    let said = format!("{failure:?}");
    assert!(said.contains("test.cedar:1"), "{said}");
}
