//! Containment for a time only.

use chrono::TimeDelta;
use cloudtrail::AccountId;
use remedy::{Incident, Ledger, State};
use stage::{Function, FunctionError};

use super::setting::{Setting, TABLE, status};

const LEASED: &str = r#"@id("for-now") @lease("4h") permit (principal, action, resource);"#;

/// A rule that is contained under a lease; its group, and how it was when it was open.
async fn contained(setting: &Setting) -> (String, Vec<String>, Incident) {
    let group = setting.group().await;
    let event = setting.open(&group, 22, &["0.0.0.0/0"]).await;
    let opened = setting.rules(&group).await;
    let function = setting.function_with("revoke-open-ingress", &[("COUNTERMAND_LEASES", "on")]).await;
    assert_eq!(status(function.invoke(&event).await), "contained");
    let incident = setting.incident().await;
    (group, opened, incident)
}

/// Lets the lease end now instead of in hours.
async fn end_of(setting: &Setting, incident: Incident) -> Incident {
    let ended = Incident {
        release_at: incident.release_at.map(|at| at - TimeDelta::hours(4)),
        revision: incident.revision + 1,
        ..incident
    };
    lambda::DynamoLedger::new(&setting.operator, TABLE).amend(&ended).await.unwrap();
    ended
}

async fn release_leases(setting: &Setting, topic: &str) -> Function {
    let settings = [("_HANDLER", "release-leases"), ("COUNTERMAND_LEASES", "on"), ("COUNTERMAND_TOPIC", topic)];
    setting.function_with("countermand", &settings).await
}

#[tokio::test]
async fn what_nobody_confirms_is_taken_back_when_its_lease_has_ended() {
    let setting = Setting::with(LEASED).await;
    let topic = setting.topic().await;
    let (group, opened, incident) = contained(&setting).await;
    let left = incident.release_at.unwrap() - incident.opened;
    assert!((left - TimeDelta::hours(4)).abs() < TimeDelta::minutes(1), "{left}");
    assert!(incident.because.contains("for 4h unless a person confirms it"), "{}", incident.because);

    let function = release_leases(&setting, &topic).await;
    let nothing_due = function.invoke(&serde_json::json!({})).await.unwrap().body;
    assert_eq!(nothing_due, serde_json::json!({ "released": [], "left": [] }));
    assert_eq!(setting.rules(&group).await.len(), 1);

    end_of(&setting, incident.clone()).await;
    let answer = function.invoke(&serde_json::json!({})).await.unwrap().body;
    assert_eq!(answer["released"], serde_json::json!([incident.id]));
    assert_eq!(setting.rules(&group).await, opened);
    let incident = setting.incident().await;
    assert_eq!((incident.state, incident.release_at), (State::Undone, None));
    let undone = incident.undone.unwrap();
    assert!(undone.lease_ended && !undone.forced, "{undone:?}");
    let told = setting.published();
    assert!(told.iter().any(|text| text.starts_with("The lease of a change has ended without anybody's word")));
    let again = function.invoke(&serde_json::json!({})).await.unwrap().body;
    assert_eq!(again, serde_json::json!({ "released": [], "left": [] }));
}

#[tokio::test]
async fn what_a_person_confirms_stays() {
    let setting = Setting::with(LEASED).await;
    let (group, _, incident) = contained(&setting).await;
    let id = incident.id.as_str();
    let (done, said) = setting.countermand(&["incidents", "confirm", id, "--reason", "nobody needs it"]).await;
    assert!(done && said.contains("confirmed"), "{said}");
    let confirmed = setting.incident().await;
    let answer = confirmed.confirmed.clone().unwrap();
    assert_eq!((confirmed.release_at, answer.reason.as_deref()), (None, Some("nobody needs it")));
    assert_eq!(answer.by, "arn:aws:iam::123456789012:user/olivia");
    end_of(&setting, confirmed).await;
    let function = release_leases(&setting, &setting.topic().await).await;
    function.invoke(&serde_json::json!({})).await.unwrap();
    assert_eq!(setting.rules(&group).await.len(), 1);
    let (done, said) = setting.countermand(&["incidents", "confirm", id]).await;
    assert!(!done && said.contains("has no lease that could end"), "{said}");
}

#[tokio::test]
async fn what_cannot_be_taken_back_is_left_alone_and_told() {
    let setting = Setting::with(LEASED).await;
    let topic = setting.topic().await;
    let (group, _, incident) = contained(&setting).await;
    end_of(&setting, incident).await;
    setting.delete_group(&group).await;
    let function = release_leases(&setting, &topic).await;
    let answer = function.invoke(&serde_json::json!({})).await.unwrap().body;
    assert_eq!(answer["left"].as_array().unwrap().len(), 1, "{answer}");
    let incident = setting.incident().await;
    assert_eq!((incident.state, incident.release_at), (State::Contained, None));
    assert!(incident.error.as_ref().unwrap().contains("found no such resource"), "{incident:#?}");
    let told = setting.published();
    assert!(told.iter().any(|text| text.contains("it could not be taken back")), "{told:#?}");
}

/// A deployment without the function that ends leases does not promise that they end.
#[tokio::test]
async fn without_leases_deployed_nothing_is_promised() {
    let setting = Setting::with(LEASED).await;
    let group = setting.group().await;
    let event = setting.open(&group, 22, &["0.0.0.0/0"]).await;
    let function = setting.function("revoke-open-ingress").await;
    assert_eq!(status(function.invoke(&event).await), "contained");
    let incident = setting.incident().await;
    assert_eq!(incident.release_at, None);
    assert!(incident.because.contains("as this deployment has `Leases` off"), "{}", incident.because);
}

/// What the names of another account's resources mean here is not what they mean there.
#[tokio::test]
async fn a_lease_of_another_account_is_not_ended_with_the_rights_of_this_one() {
    let setting = Setting::with(LEASED).await;
    let topic = setting.topic().await;
    let (group, _, incident) = contained(&setting).await;
    let theirs = AccountId::parse("999988887777").unwrap();
    end_of(&setting, Incident { account: theirs, ..incident }).await;
    let function = release_leases(&setting, &topic).await;
    let failure = function.invoke(&serde_json::json!({})).await.unwrap_err();
    let FunctionError::Failed { error_message, .. } = failure else { panic!("{failure:?}") };
    assert!(error_message.contains("it is of account 999988887777"), "{error_message}");
    assert_eq!((setting.rules(&group).await.len(), setting.incident().await.state), (1, State::Contained));
}
