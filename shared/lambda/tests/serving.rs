//! A whole function, `examples/probe.rs`, fed through the Lambda Runtime API.

#![cfg(test)]

mod emulated;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use stage::{Function, FunctionError};

const PATIENCE: Duration = Duration::from_secs(30);

/// Cargo builds examples before it runs tests, beside the folder the tests are in.
fn probe() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let probe = test.parent().and_then(Path::parent).unwrap().join("examples/probe");
    assert!(
        probe.exists(),
        "`cargo test --test serving` alone does not build it: cargo build -p lambda --example probe"
    );
    probe
}

fn policies(name: &str, text: &str) -> String {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("policies.cedar"), text).unwrap();
    folder.to_str().unwrap().to_owned()
}

const PERMIT: &str = r#"@id("probe-all") permit (principal, action == Action::"probe", resource);"#;

fn environment(policies: &str, table: &str, endpoint: &str) -> Vec<(&'static str, String)> {
    [
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_ENDPOINT_URL", endpoint),
        ("COUNTERMAND_TABLE", table),
        ("COUNTERMAND_POLICIES", policies),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .to_vec()
}

fn event(id: &str) -> Value {
    json!({
        "version": "0", "id": "envelope", "detail-type": "AWS API Call via CloudTrail", "source": "aws.iam",
        "account": "123456789012", "time": "2026-11-22T07:00:01Z", "region": "us-east-1", "resources": [],
        "detail": {
            "eventID": id, "eventTime": "2026-11-22T07:00:00Z", "eventSource": "iam.amazonaws.com",
            "eventName": "CreateUser", "awsRegion": "us-east-1", "recipientAccountId": "123456789012",
            "userIdentity": { "type": "Root", "accountId": "123456789012" },
            "requestParameters": { "userName": "mallory" }
        }
    })
}

/// The lines of a function's log that have all of these fields.
fn logged(function: &Function, fields: &[(&str, &str)]) -> Vec<Value> {
    let lines = function.stdout();
    let lines = lines.iter().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| fields.iter().all(|(pointer, value)| line.pointer(pointer) == Some(&json!(value)))).collect()
}

#[tokio::test]
async fn an_event_is_answered_logged_and_measured() {
    let table = "an_event_is_answered";
    let client = aws_sdk_dynamodb::Client::new(&emulated::config().await);
    lambda::create_table(&client, table).await.unwrap();
    let environment = environment(&policies("answered", PERMIT), table, &emulated::endpoint().await);
    let function = Function::start(&probe(), environment).await.unwrap();

    let answer = function.invoke(&event("e-1")).await.unwrap();
    let outcome = &answer.body["outcomes"][0];
    assert_eq!(outcome["status"], "contained", "{outcome}");
    assert_eq!(outcome["policies"], json!(["probe-all"]));
    assert_eq!(outcome["resource"], "arn:aws:iam::123456789012:user/mallory");
    let again = function.invoke(&event("e-1")).await.unwrap();
    assert_eq!(again.body["outcomes"][0]["status"], "duplicate");

    let about = [("/span/event_id", "e-1"), ("/span/responder", "probe"), ("/status", "contained")];
    let line = &logged(&function, &about)[0];
    assert_eq!(line["incident"], outcome["incident"]);
    assert_eq!(line["span"]["request_id"], answer.request_id.as_str());
    assert_eq!((&line["level"], &line["did"]), (&json!("INFO"), &json!("change the mind")));
    let metrics: Vec<Value> =
        logged(&function, &[("/responder", "probe")]).into_iter().filter(|line| line.get("_aws").is_some()).collect();
    assert_eq!(metrics.len(), 2);
    assert_eq!((&metrics[0]["Contained"], &metrics[1]["Duplicate"]), (&json!(1), &json!(1)));
    assert!(metrics[0]["TimeToContain"][0].as_i64().unwrap() > 0);
}

#[tokio::test]
async fn what_is_no_event_is_our_error_and_not_the_end() {
    let environment = environment(&policies("wrong", PERMIT), "none", "http://127.0.0.1:9");
    let function = Function::start(&probe(), environment).await.unwrap();
    let large = format!("{{\"detail\": \"{}", "x".repeat(1 << 20));
    let truncated = serde_json::to_vec(&event("e-1")).unwrap();
    for (body, why) in [
        (b"not JSON".as_slice(), "not JSON"),
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (large.as_bytes(), "not JSON"),
        (&truncated[..truncated.len() - 5], "not JSON"),
        (b"[1]", "neither an EventBridge envelope nor a CloudTrail record"),
        (b"{\"detail\": {}}", "the EventBridge envelope does not have its usual shape"),
    ] {
        match function.invoke_raw(body.to_vec(), PATIENCE).await.unwrap_err() {
            FunctionError::Failed { error_type, error_message } => {
                assert_eq!(error_type, "Final.Event");
                assert!(error_message.contains(why), "{error_message}");
            }
            other => panic!("{other}"),
        }
    }
    assert_eq!(logged(&function, &[("/error_type", "Final.Event"), ("/level", "ERROR")]).len(), 7);

    let mut other = event("e-2");
    other["detail"]["eventName"] = json!("DeleteUser");
    assert_eq!(function.invoke(&other).await.unwrap().body, json!({ "outcomes": [] }));
    assert_eq!(function.stderr(), [""; 0]);
}

#[tokio::test]
async fn without_its_ledger_a_function_asks_for_another_try() {
    let environment = environment(&policies("ledger", PERMIT), "none", "http://127.0.0.1:9");
    let function = Function::start(&probe(), environment).await.unwrap();
    match function.invoke(&event("e-1")).await.unwrap_err() {
        FunctionError::Failed { error_type, error_message } => {
            assert_eq!(error_type, "Retryable.Ledger");
            assert!(error_message.starts_with("nothing was changed: the ledger did not recall an incident: "));
            assert!(error_message.contains("refused"), "{error_message}");
        }
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_function_that_cannot_know_what_is_wanted_does_not_start() {
    let start = async |environment: Vec<(&'static str, String)>| match Function::start(&probe(), environment).await {
        Err(FunctionError::Init { error_type, error_message }) => (error_type, error_message),
        other => panic!("{other:?}"),
    };
    let broken = format!(
        "{PERMIT}\npermit (principal, action, resource);\n@id(\"x\") @limit(\"many\") permit (principal, action, resource);"
    );
    let (kind, message) = start(environment(&policies("broken", &broken), "none", "http://127.0.0.1:9")).await;
    assert_eq!(kind, "Init.Policies");
    assert!(message.starts_with("the policies cannot be used: ") && message.lines().count() >= 2, "{message}");
    assert!(message.contains("policies.cedar:2:") && message.contains("policies.cedar:3:"), "{message}");

    let (kind, message) = start(environment("/nowhere", "none", "http://127.0.0.1:9")).await;
    assert_eq!((kind.as_str(), message.contains("`/nowhere`")), ("Init.Policies", true));

    let no_table = environment(&policies("no-table", PERMIT), "", "http://127.0.0.1:9");
    assert_eq!(
        start(no_table).await,
        (
            "Init.Settings".to_owned(),
            "a setting is wrong: `COUNTERMAND_TABLE` is not set: set it to the name of the ledger's DynamoDB table"
                .to_owned()
        )
    );
}
