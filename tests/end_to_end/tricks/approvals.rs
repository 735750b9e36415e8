//! Events that say a person has approved an incident.

use chrono::TimeDelta;
use remedy::State;
use serde_json::{Value, json};
use stage::Function;

use super::{Setting, failure};
use crate::end_to_end::setting::{TABLE, outcome, status};

const ASK: &str = r#"@id("ask") @mode("approve") permit (principal, action, resource);"#;

/// The event that anybody with `events:PutEvents` can put on the bus.
fn approval(responder: &str, incident: &str) -> Value {
    json!({"version": "0", "id": "f", "detail-type": "Incident Approved", "source": "countermand",
        "account": "123456789012", "time": "2026-11-22T07:00:00Z", "region": "us-east-1", "resources": [],
        "detail": {"incident": incident, "responder": responder}})
}

/// A finding that waits for a person: the group, the incident's id.
async fn pending(setting: &Setting, function: &Function) -> (String, String) {
    let group = setting.group().await;
    let event = setting.open(&group, 22, &["0.0.0.0/0"]).await;
    let outcome = outcome(function.invoke(&event).await);
    assert_eq!(outcome["status"], "pending", "{outcome:#}");
    (group, outcome["incident"].as_str().unwrap().to_owned())
}

async fn said(setting: &Setting, arguments: &[&str]) {
    let (done, said) = setting.countermand(&[&["incidents"], arguments].concat()).await;
    assert!(done, "{said}");
}

/// Makes the incident as old as this, by the right to write the table.
async fn age(setting: &Setting, id: &str, age: TimeDelta) {
    let mut incident = setting.incident_called(&json!(id)).await;
    incident.opened -= age;
    let text = |text: String| aws_sdk_dynamodb::types::AttributeValue::S(text);
    aws_sdk_dynamodb::Client::new(&setting.operator)
        .update_item()
        .table_name(TABLE)
        .key("pk", text(format!("incident#{id}")))
        .update_expression("SET incident = :i")
        .expression_attribute_values(":i", text(serde_json::to_string(&incident).unwrap()))
        .send()
        .await
        .unwrap();
}

/// The event changes nothing: not the account, not the record.
async fn refused(setting: &Setting, function: &Function, group: &str, id: &str) -> String {
    let (rules, incident) = (setting.rules(group).await, setting.incident_called(&json!(id)).await);
    setting.account.proxy().clear();
    let responder = incident.responder.clone();
    let answer = match function.invoke(&approval(&responder, id)).await {
        Ok(answer) => status(Ok(answer)),
        failed => failure(failed).0,
    };
    assert_eq!(setting.writes(), Vec::<String>::new(), "{answer}: {incident:#?}");
    assert_eq!(setting.incident_called(&json!(id)).await, incident, "{answer}");
    assert_eq!(setting.rules(group).await, rules, "{answer}");
    answer
}

#[tokio::test]
async fn a_forged_approval_moves_no_incident_whatever_its_state() {
    let setting = Setting::with(ASK).await;
    let function = setting.function("revoke-open-ingress").await;

    let (group, id) = pending(&setting, &function).await;
    assert_eq!(refused(&setting, &function, &group, &id).await, "Final.NotApproved", "while it waits");

    age(&setting, &id, TimeDelta::hours(25)).await;
    assert_eq!(refused(&setting, &function, &group, &id).await, "Final.NotApproved", "after it has expired");
    let (done, told) = setting.countermand(&["incidents", "approve", &id]).await;
    assert!(!done && told.contains("could be approved until"), "{told}");
    assert_eq!(refused(&setting, &function, &group, &id).await, "Final.NotApproved", "approved too late");

    let (group, id) = pending(&setting, &function).await;
    said(&setting, &["reject", &id]).await;
    assert_eq!(refused(&setting, &function, &group, &id).await, "Final.NotApproved", "after a no");

    let (group, id) = pending(&setting, &function).await;
    said(&setting, &["approve", &id]).await;
    assert_eq!(status(function.invoke(&approval("revoke-open-ingress", &id)).await), "contained");
    assert_eq!(refused(&setting, &function, &group, &id).await, "duplicate", "after it was contained");
    said(&setting, &["undo", &id, "--yes"]).await;
    assert_eq!(setting.incident_called(&json!(id)).await.state, State::Undone);
    assert_eq!(refused(&setting, &function, &group, &id).await, "duplicate", "after it was undone");

    let unknown = failure(function.invoke(&approval("revoke-open-ingress", "0123456789abcdef0123")).await).0;
    assert_eq!((unknown.as_str(), setting.writes()), ("Final.NotApproved", vec![]));
}

#[tokio::test]
async fn an_approval_does_not_work_on_another_responder() {
    let setting = Setting::with(ASK).await;
    let ingress = setting.function("revoke-open-ingress").await;
    let (group, id) = pending(&setting, &ingress).await;
    said(&setting, &["approve", &id]).await;
    let keys = setting.function("disable-access-key").await;
    assert_eq!(refused(&setting, &keys, &group, &id).await, "Final.NotApproved");
    assert_eq!(setting.incident_called(&json!(id)).await.state, State::Approved, "its own responder can still go on");
}
