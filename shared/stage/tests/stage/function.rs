//! A process that speaks the Lambda Runtime API, run as Lambda runs it.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::time::Duration;

use serde_json::json;
use stage::{Function, FunctionError};

const NONE: [(&str, &str); 0] = [];

fn binary() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/stage/runtime.py"))
}

#[tokio::test]
async fn it_is_handed_the_event_and_what_lambda_says_of_it() {
    let function =
        Function::of(binary()).name("revoke").region("eu-west-1").environment([("GIVEN", "1")]).start().await.unwrap();
    let event = json!({"detail": {"n": 1}});
    let answer = function.invoke_within(&event, Duration::from_secs(20)).await.unwrap();
    assert_eq!(answer.body["event"], event);
    assert_eq!(answer.body["arn"], "arn:aws:lambda:eu-west-1:123456789012:function:revoke");
    assert!(answer.body["trace"].as_str().unwrap().starts_with("Root=1-"), "{}", answer.body["trace"]);
    let left = answer.body["left"].as_f64().unwrap();
    assert!((15_000.0..=20_000.0).contains(&left), "{left} ms left");

    let environment = &answer.body["environment"];
    for (name, value) in [
        ("AWS_LAMBDA_FUNCTION_NAME", "revoke"),
        ("AWS_REGION", "eu-west-1"),
        ("GIVEN", "1"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
    ] {
        assert_eq!(environment[name], value);
    }
    assert_eq!(environment.get("CARGO_MANIFEST_DIR"), None, "the environment of the test leaked in");
    assert_eq!(environment.get("HOME"), None);

    assert_eq!(function.stdout(), [r#"{"got": "{\"detail\":{\"n\":1}}"}"#]);
    assert!(function.ready_after() > Duration::ZERO);
    assert_eq!(function.invoke(&json!({"n": 2})).await.unwrap().body["event"], json!({"n": 2}));
}

#[tokio::test]
async fn an_error_is_told_exactly_as_posted_and_the_process_goes_on() {
    let function = Function::start(binary(), NONE).await.unwrap();
    let failed = function.invoke_raw("not an event", Duration::from_secs(20)).await.unwrap_err();
    let FunctionError::Failed { error_type, error_message } = failed else { panic!("{failed}") };
    assert_eq!((error_type.as_str(), error_message.as_str()), ("FinalDecode", "not JSON"));
    function.invoke(&json!({})).await.unwrap();
}

#[tokio::test]
async fn a_crash_is_told_with_its_status_and_last_words() {
    let function = Function::start(binary(), NONE).await.unwrap();
    let crashed = function.invoke(&json!({"do": "crash"})).await.unwrap_err();
    let FunctionError::Exited { status, last_words } = crashed else { panic!("{crashed}") };
    assert_eq!((status.code(), last_words.as_str()), (Some(3), "about to crash"));
    let again = function.invoke(&json!({})).await.unwrap_err();
    assert!(matches!(again, FunctionError::Exited { .. }), "{again}");
}

#[tokio::test]
async fn a_kill_in_mid_invocation_is_seen_by_who_waits() {
    let function = Function::start(binary(), NONE).await.unwrap();
    let pid = function.pid().unwrap();
    let event = json!({"do": "sleep"});
    let (killed, ()) = tokio::join!(function.invoke(&event), async {
        while function.stdout().is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        function.kill().await;
    });
    let killed = killed.unwrap_err();
    let FunctionError::Exited { status, .. } = killed else { panic!("{killed}") };
    assert_eq!(status.signal(), Some(9));
    assert_eq!(function.pid(), None);
    assert!(!Path::new(&format!("/proc/{pid}")).exists(), "process {pid} is still there");
}

#[tokio::test]
async fn at_the_deadline_the_process_is_ended() {
    let function = Function::start(binary(), NONE).await.unwrap();
    let late = function.invoke_within(&json!({"do": "sleep"}), Duration::from_millis(300)).await.unwrap_err();
    assert!(matches!(late, FunctionError::TimedOut { after } if after == Duration::from_millis(300)), "{late}");
    assert_eq!(function.pid(), None);
}

/// One process does one event at a time, and waiting for one's turn is not working late.
#[tokio::test]
async fn a_deadline_runs_from_when_the_event_is_handed_over() {
    let function = Function::start(binary(), NONE).await.unwrap();
    let (nap, deadline) = (json!({"do": "nap"}), Duration::from_secs(1));
    let (first, second) = tokio::join!(function.invoke_within(&nap, deadline), function.invoke_within(&nap, deadline));
    first.unwrap();
    assert!(second.unwrap().took > deadline);
}

#[tokio::test]
async fn a_failed_start_says_why() {
    let said = Function::start(binary(), [("FAIL_INIT", "1")]).await.unwrap_err();
    let FunctionError::Init { error_type, error_message } = said else { panic!("{said}") };
    assert_eq!((error_type.as_str(), error_message.as_str()), ("NoPolicies", "nothing to load"));

    let silent = Function::start(binary(), [("CRASH_INIT", "1")]).await.unwrap_err();
    let FunctionError::Exited { status, last_words } = silent else { panic!("{silent}") };
    assert_eq!((status.code(), last_words.as_str()), (Some(1), "no such table"));

    let missing = Function::start(Path::new("/no/such/binary"), NONE).await.unwrap_err();
    assert!(matches!(missing, FunctionError::Start { .. }), "{missing}");
}

#[tokio::test]
async fn an_answer_that_is_no_json_is_an_error() {
    let function = Function::start(binary(), NONE).await.unwrap();
    let babble = function.invoke(&json!({"do": "babble"})).await.unwrap_err();
    assert!(matches!(babble, FunctionError::Answer(_)), "{babble}");
}
