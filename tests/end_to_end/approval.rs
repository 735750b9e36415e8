//! Findings that wait for a person, end to end.

use remedy::State;
use serde_json::{Value, json};
use stage::{Function, FunctionError};

use super::setting::{ENFORCE, Setting, outcome, status};

const ASK: &str = r#"@id("ask") @mode("approve") permit (principal, action, resource);"#;

/// A finding that waits: the function, the group and the incident's id.
async fn pending(setting: &Setting) -> (Function, String, String, Value) {
    let group = setting.group().await;
    let function = setting.function("revoke-open-ingress").await;
    let event = setting.open(&group, 22, &["0.0.0.0/0"]).await;
    let outcome = outcome(function.invoke(&event).await);
    assert_eq!(outcome["status"], "pending", "{outcome:#}");
    setting.account.events();
    (function, group, outcome["incident"].as_str().unwrap().to_owned(), event)
}

#[tokio::test]
async fn an_approved_finding_is_contained_and_can_be_undone() {
    let setting = Setting::with(ASK).await;
    let (function, group, id, event) = pending(&setting).await;
    let (done, said) = setting.countermand(&["incidents", "approve", &id, "--reason", "nobody knows it"]).await;
    assert!(done, "{said}");
    let approval = setting.event();
    assert_eq!(approval["detail-type"], "Incident Approved");
    assert_eq!(setting.rules(&group).await.len(), 2, "approving alone changes nothing");

    assert_eq!(status(function.invoke(&event).await), "duplicate", "the finding's own event does not jump the queue");
    let contained = outcome(function.invoke(&approval).await);
    assert_eq!(contained["status"], "contained", "{contained:#}");
    assert_eq!(contained["incident"], id);
    assert_eq!(setting.rules(&group).await.len(), 1);
    let incident = setting.incident().await;
    let answer = incident.answer.unwrap();
    assert_eq!(
        (answer.by.as_str(), answer.reason.as_deref()),
        ("arn:aws:iam::123456789012:user/olivia", Some("nobody knows it"))
    );
    assert!(incident.because.starts_with("approved by arn:aws:iam::123456789012:user/olivia"), "{}", incident.because);

    assert_eq!(status(function.invoke(&approval).await), "duplicate");
    let (done, said) = setting.countermand(&["incidents", "undo", &id, "--yes"]).await;
    assert!(done, "{said}");
    assert_eq!(setting.rules(&group).await.len(), 2);
}

#[tokio::test]
async fn a_rejected_finding_stays_as_it_is() {
    let setting = Setting::with(ASK).await;
    let (function, group, id, event) = pending(&setting).await;
    let (done, said) = setting.countermand(&["incidents", "reject", &id]).await;
    assert!(done, "{said}");
    assert_eq!(setting.account.events(), Vec::<Value>::new(), "nobody is asked to go on");
    assert_eq!(status(function.invoke(&event).await), "duplicate");
    assert_eq!((setting.rules(&group).await.len(), setting.incident().await.state), (2, State::Rejected));
    let (done, said) = setting.countermand(&["incidents", "approve", &id]).await;
    assert!(!done && said.contains("is rejected"), "{said}");
}

#[tokio::test]
async fn an_approval_that_nobody_gave_changes_nothing() {
    let setting = Setting::with(ASK).await;
    let (function, group, id, _) = pending(&setting).await;
    let forged = json!({"version": "0", "id": "f", "detail-type": "Incident Approved", "source": "countermand",
        "account": "123456789012", "time": "2026-11-22T07:00:00Z", "region": "us-east-1", "resources": [],
        "detail": {"incident": id, "responder": "revoke-open-ingress"}});
    let failure = function.invoke(&forged).await.unwrap_err();
    let FunctionError::Failed { error_type, .. } = failure else { panic!("{failure:?}") };
    assert_eq!(error_type, "Final.NotApproved");
    assert_eq!((setting.rules(&group).await.len(), setting.incident().await.state), (2, State::Pending));
}

#[tokio::test]
async fn what_was_closed_meanwhile_is_already_safe() {
    let setting = Setting::with(ASK).await;
    let (function, group, id, _) = pending(&setting).await;
    let ec2 = aws_sdk_ec2::Client::new(&setting.operator);
    let ssh = super::setting::permission(22, &["0.0.0.0/0"]);
    ec2.revoke_security_group_ingress().group_id(&group).ip_permissions(ssh).send().await.unwrap();
    setting.account.events();
    let (done, said) = setting.countermand(&["incidents", "approve", &id]).await;
    assert!(done, "{said}");
    assert_eq!(status(function.invoke(&setting.event()).await), "already_safe");
    let incident = setting.incident().await;
    assert_eq!((incident.state, incident.receipt.len()), (State::AlreadySafe, 0), "what a person did is not ours");
}

#[tokio::test]
async fn a_spent_budget_can_be_approved_beyond() {
    let setting = Setting::with(r#"@id("one") @limit("1/1h") permit (principal, action, resource);"#).await;
    let group = setting.group().await;
    let function = setting.function("revoke-open-ingress").await;
    let first = setting.open(&group, 22, &["0.0.0.0/0"]).await;
    assert_eq!(status(function.invoke(&first).await), "contained");
    let second = setting.open(&group, 3389, &["0.0.0.0/0"]).await;
    let waiting = outcome(function.invoke(&second).await);
    assert_eq!(waiting["status"], "pending", "{waiting:#}");
    setting.account.events();
    let (done, said) = setting.countermand(&["incidents", "approve", waiting["incident"].as_str().unwrap()]).await;
    assert!(done, "{said}");
    assert_eq!(status(function.invoke(&setting.event()).await), "contained");
    assert_eq!(setting.rules(&group).await.len(), 1);
}

#[tokio::test]
async fn a_spent_budget_is_told_once_and_loses_nothing() {
    let setting = Setting::with(r#"@id("one") @limit("1/1h") permit (principal, action, resource);"#).await;
    let topic = setting.topic().await;
    let group = setting.group().await;
    let function = setting.function_with("revoke-open-ingress", &[("COUNTERMAND_TOPIC", &topic)]).await;
    for (port, expected) in [(22, "contained"), (3389, "pending"), (3306, "pending"), (5432, "pending")] {
        let event = setting.open(&group, port, &["0.0.0.0/0"]).await;
        assert_eq!(status(function.invoke(&event).await), expected, "{port}");
    }
    let told = setting.published();
    assert_eq!(told.len(), 2, "one that was contained, and one for all that wait: {told:#?}");
    assert!(told[1].contains("more of its kind in the next 1 h is not told"), "{}", told[1]);
    let (_, said) = setting.countermand(&["incidents", "list", "--state", "pending", "--format", "json"]).await;
    assert_eq!(said.lines().count(), 3, "{said}");
}

#[tokio::test]
async fn a_policy_that_forbids_it_by_now_outweighs_the_approval() {
    let setting = Setting::with(ASK).await;
    let (_, group, id, _) = pending(&setting).await;
    let (done, said) = setting.countermand(&["incidents", "approve", &id]).await;
    assert!(done, "{said}");
    let approval = setting.event();
    setting.set_policies(&format!(r#"{ENFORCE} @id("lab") forbid (principal, action, resource);"#));
    let function = setting.function("revoke-open-ingress").await;
    assert_eq!(status(function.invoke(&approval).await), "exempt");
    assert_eq!(setting.rules(&group).await.len(), 2);
}
