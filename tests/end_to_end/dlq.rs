//! `countermand dlq`: events of the dead-letter queues, and handing them over again.

use aws_sdk_sqs::types::{MessageAttributeValue, QueueAttributeName};
use serde_json::{Value, json};
use stage::{Fault, When};

use super::setting::status;
use super::stack::Stack;

const FAILED: &str = "FailedEvents";
const UNDELIVERED: &str = "UndeliveredEvents";

async fn send(stack: &Stack, queue: &str, body: &Value, attributes: &[(&str, &str)]) -> String {
    let sqs = aws_sdk_sqs::Client::new(&stack.setting.operator);
    let mut message = sqs.send_message().queue_url(stack.id(queue)).message_body(body.to_string());
    for (name, text) in attributes {
        let value = MessageAttributeValue::builder().data_type("String").string_value(*text).build().unwrap();
        message = message.message_attributes(*name, value);
    }
    message.send().await.unwrap().message_id.unwrap()
}

/// As Lambda wraps an event that a function failed on (AWS Lambda Developer Guide, "Capturing records of Lambda
/// asynchronous invocations").
fn record(function: &str, event: &Value) -> Value {
    json!({
        "version": "1.0", "timestamp": "2026-11-22T07:00:09.123Z",
        "requestContext": {
            "requestId": "e4b46cbf-b738-xmpl-8880-a18cdf61200e",
            "functionArn": format!("arn:aws:lambda:us-east-1:123456789012:function:{function}:$LATEST"),
            "condition": "RetriesExhausted", "approximateInvokeCount": 3
        },
        "requestPayload": event,
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "responsePayload": {"errorMessage": "`ec2:X` was denied\u{1b}[2J", "errorType": "Final.Denied"}
    })
}

/// How many messages a queue shows, and how many somebody has borrowed.
async fn counts(stack: &Stack, queue: &str) -> [String; 2] {
    let names =
        [QueueAttributeName::ApproximateNumberOfMessages, QueueAttributeName::ApproximateNumberOfMessagesNotVisible];
    let sqs = aws_sdk_sqs::Client::new(&stack.setting.operator);
    let answer = sqs.get_queue_attributes().queue_url(stack.id(queue)).set_attribute_names(Some(names.to_vec()));
    let attributes = answer.send().await.unwrap().attributes.unwrap();
    names.map(|name| attributes[&name].clone())
}

fn lines(said: &str) -> Vec<Value> {
    said.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{said}"))).collect()
}

/// What was handed to Lambda since the last time: which function, how, and the event's text.
fn invocations(stack: &Stack) -> Vec<(String, String)> {
    let requests = stack.stand_in.requests();
    let requests = requests.iter().filter(|request| request.contains("/invocations HTTP"));
    requests
        .map(|request| {
            let (head, body) = request.split_once("\r\n\r\n").unwrap();
            assert!(head.to_lowercase().contains("x-amz-invocation-type: event"), "{head}");
            let path = head.split(' ').nth(1).unwrap();
            (path.split('/').nth(3).unwrap().to_owned(), body.to_owned())
        })
        .collect()
}

#[tokio::test]
async fn a_message_of_each_form_is_listed_and_left_where_it_is() {
    let stack = Stack::deployed().await;
    let group = stack.setting.group().await;
    let event = stack.setting.open(&group, 22, &["0.0.0.0/0"]).await;
    send(&stack, FAILED, &record(stack.id("RevokeOpenIngress"), &event), &[]).await;
    let bare = [("RequestID", "r-1"), ("ErrorCode", "200"), ("ErrorMessage", "it broke")];
    send(&stack, FAILED, &event, &bare).await;
    let target = format!("arn:aws:lambda:us-east-1:123456789012:function:{}", stack.id("DisableAccessKey"));
    let rule = "arn:aws:events:us-east-1:123456789012:rule/some-rule";
    let undelivered = [("RULE_ARN", rule), ("TARGET_ARN", &target), ("ERROR_CODE", "NO_PERMISSIONS")];
    let odd = json!({"id": "e-9", "detail-type": "Odd \u{202e}name", "source": "x", "resources": [], "detail": 7});
    send(&stack, UNDELIVERED, &odd, &undelivered).await;

    for _ in 0..2 {
        let (done, said) = stack.countermand(&["dlq", "list", "--format", "json"]).await;
        assert!(done, "{said}");
        let mut found = lines(&said);
        found.sort_by_key(|line| line["why"].to_string());
        let [bare, undelivered, failed] = found.as_slice() else { panic!("{said}") };
        assert_eq!(failed["function"], "revoke-open-ingress", "{failed:#}");
        assert_eq!(failed["event_name"], "AuthorizeSecurityGroupIngress");
        assert_eq!(failed["actor"], "arn:aws:iam::123456789012:user/mallory");
        assert!(failed["resource"].as_str().unwrap().ends_with(&format!("security-group/{group}")), "{failed:#}");
        assert_eq!(failed["why"], "RetriesExhausted after 3 attempts: Final.Denied: `ec2:X` was denied\u{1b}[2J");
        assert_eq!((&bare["function"], &bare["why"]), (&Value::Null, &json!("200: it broke")));
        assert_eq!((&undelivered["function"], &undelivered["rule"]), (&json!("disable-access-key"), &json!(rule)));
        assert_eq!((&undelivered["queue"], &undelivered["status"]), (&json!(UNDELIVERED), &json!("waiting")));
    }
    let (_, said) = stack.countermand(&["dlq", "list"]).await;
    assert!(said.contains("RetriesExhausted after 3 attempts") && !said.contains(['\u{1b}', '\u{202e}']), "{said:?}");
    let (_, said) = stack.countermand(&["dlq", "list", "--function", "disable-access-key", "--format", "json"]).await;
    assert_eq!(lines(&said).len(), 1, "{said}");
    let (done, said) = stack.countermand(&["dlq", "list", "--limit", "1"]).await;
    assert!(done && said.contains("more than 1 messages"), "{said}");
    assert_eq!(counts(&stack, FAILED).await, ["2", "0"], "nothing is taken out, and all is given back");
    assert_eq!(counts(&stack, UNDELIVERED).await, ["1", "0"]);
    assert_eq!(invocations(&stack), []);
}

#[tokio::test]
async fn a_redriven_event_is_dealt_with_and_leaves_its_queue() {
    let stack = Stack::deployed().await;
    let group = stack.setting.group().await;
    let event = stack.setting.open(&group, 22, &["0.0.0.0/0"]).await;
    let name = stack.id("RevokeOpenIngress");
    for _ in 0..2 {
        send(&stack, FAILED, &record(name, &event), &[]).await;
    }
    let (done, said) = stack.countermand(&["dlq", "redrive"]).await;
    assert!(!done && said.contains("nobody here who could be asked"), "{said}");
    let (done, said) = stack.countermand(&["dlq", "redrive", "--dry-run"]).await;
    assert!(done && said.contains("would hand over  AuthorizeSecurityGroupIngress by arn:aws:iam:"), "{said}");
    assert_eq!((invocations(&stack), counts(&stack, FAILED).await), (vec![], ["2", "0"].map(str::to_owned)));

    let (done, said) = stack.countermand(&["dlq", "redrive", "--yes"]).await;
    assert!(done && said.contains("2 of 2 handed over"), "{said}");
    assert_eq!(counts(&stack, FAILED).await, ["0", "0"]);
    let handed_over = invocations(&stack);
    assert_eq!(handed_over, [(); 2].map(|()| (name.to_owned(), event.to_string())));

    // The function itself, given what Lambda was given.
    let function = stack.setting.function("revoke-open-ingress").await;
    for ((_, event), expected) in handed_over.iter().zip(["contained", "duplicate"]) {
        assert_eq!(status(function.invoke(&serde_json::from_str(event).unwrap()).await), expected);
    }
    assert_eq!(stack.setting.rules(&group).await.len(), 1);
}

#[tokio::test]
async fn an_event_that_lambda_does_not_take_stays_in_its_queue() {
    let stack = Stack::deployed().await;
    let event = json!({"id": "e-1", "detail-type": "Odd", "source": "x", "resources": [], "detail": {}});
    let function = stack.id("RevokeOpenIngress");
    for _ in 0..2 {
        send(&stack, FAILED, &record(function, &event), &[]).await;
    }
    let invoke = When::operation("lambda", &format!("POST /2015-03-31/functions/{function}/invocations"));
    stack.setting.account.proxy().inject(Fault::Denied, invoke, 1);
    let (done, said) = stack.countermand(&["dlq", "redrive", "--yes"]).await;
    assert!(!done && said.contains("1 of 2 handed over"), "{said}");
    assert!(said.contains("stays in its queue") && said.contains("lambda:InvokeFunction"), "{said}");
    assert_eq!(counts(&stack, FAILED).await, ["1", "0"]);
    let (done, said) = stack.countermand(&["dlq", "redrive", "--yes"]).await;
    assert!(done && said.contains("1 of 1 handed over"), "{said}");
    assert_eq!(counts(&stack, FAILED).await, ["0", "0"]);
}

#[tokio::test]
async fn a_forged_message_reaches_no_function_but_the_stacks_own() {
    let stack = Stack::deployed().await;
    let event = json!({"id": "e-1", "detail-type": "Odd", "source": "x", "resources": [], "detail": {}});
    send(&stack, FAILED, &record("payroll", &event), &[]).await;
    let (done, said) = stack.countermand(&["dlq", "redrive", "--yes"]).await;
    assert!(!done && said.contains("is no function of this stack"), "{said}");
    let (done, said) = stack.countermand(&["dlq", "redrive", "--yes", "--to", "revoke-open-ingress"]).await;
    assert!(!done && said.contains("is no function of this stack"), "{said}");
    assert_eq!((invocations(&stack), counts(&stack, FAILED).await), (vec![], ["1", "0"].map(str::to_owned)));
}

#[tokio::test]
async fn a_bare_event_is_handed_to_the_function_that_is_named() {
    let stack = Stack::deployed().await;
    let event = json!({"id": "e-1", "detail-type": "Odd", "source": "x", "resources": [], "detail": {}});
    let bare = [("RequestID", "r-1"), ("ErrorCode", "200"), ("ErrorMessage", "it broke")];
    send(&stack, FAILED, &event, &bare).await;
    let (done, said) = stack.countermand(&["dlq", "redrive", "--yes"]).await;
    assert!(!done && said.contains("does not say its function") && said.contains("--to"), "{said}");
    let (done, said) = stack.countermand(&["dlq", "redrive", "--yes", "--to", "no-such"]).await;
    assert!(!done && said.contains("`no-such`, which is no function of this stack"), "{said}");
    let (done, said) = stack.countermand(&["dlq", "redrive", "--yes", "--to", "disable-access-key"]).await;
    assert!(done, "{said}");
    assert_eq!(invocations(&stack), [(stack.id("DisableAccessKey").to_owned(), event.to_string())]);
}
