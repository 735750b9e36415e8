//! `disable-access-key`, end to end.

use remedy::State;
use serde_json::{Value, json};
use stage::trail::{Identity, KeyFinding, guardduty_key_finding, health_exposed_key};

use super::setting::{ENFORCE, REGION, Setting, outcome, status};

impl Setting {
    /// The attacker makes a key for a new user; the event of it.
    pub(crate) async fn key_for(&self, user: &str) -> Value {
        let iam = aws_sdk_iam::Client::new(&self.operator);
        iam.create_user().user_name(user).path("/people/").send().await.unwrap();
        self.account.events();
        let iam = aws_sdk_iam::Client::new(&self.attacker);
        iam.create_access_key().user_name(user).send().await.unwrap();
        self.event()
    }

    /// The status of the user's only key, and whether he has an inline policy.
    pub(crate) async fn user(&self, user: &str) -> (String, bool) {
        let iam = aws_sdk_iam::Client::new(&self.operator);
        let keys = iam.list_access_keys().user_name(user).send().await.unwrap().access_key_metadata;
        assert_eq!(keys.len(), 1, "{keys:?}");
        let policies = iam.list_user_policies().user_name(user).send().await.unwrap().policy_names;
        self.account.events();
        (keys[0].status().unwrap().as_str().to_owned(), !policies.is_empty())
    }
}

fn key_of(event: &Value) -> String {
    event.pointer("/detail/responseElements/accessKey/accessKeyId").unwrap().as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_key_made_for_somebody_else_is_disabled_and_undo_enables_it_again() {
    let setting = Setting::with(ENFORCE).await;
    let function = setting.function("disable-access-key").await;
    let event = setting.key_for("alice").await;
    let outcome = outcome(function.invoke(&event).await);
    assert_eq!((&outcome["status"], &outcome["policies"]), (&json!("contained"), &json!(["all"])));
    assert_eq!(outcome["resource"], "arn:aws:iam::123456789012:user/people/alice", "the path is looked up");
    assert_eq!(setting.user("alice").await, ("Inactive".to_owned(), true));

    let id = outcome["incident"].as_str().unwrap();
    let (done, said) = setting.countermand(&["incidents", "undo", id, "--yes"]).await;
    assert!(done, "{said}");
    let own = setting.account.events();
    assert_eq!(setting.user("alice").await, ("Active".to_owned(), false));
    for event in own {
        let body = function.invoke(&event).await.unwrap().body;
        let statuses: Vec<_> = body["outcomes"].as_array().unwrap().iter().map(|it| it["status"].clone()).collect();
        assert!(statuses.iter().all(|status| status == "exempt" || status == "already_safe"), "{body:#}");
    }
    assert_eq!(setting.user("alice").await, ("Active".to_owned(), false));
}

#[tokio::test]
async fn undo_refuses_after_drift_and_force_overrides() {
    let setting = Setting::with(ENFORCE).await;
    let function = setting.function("disable-access-key").await;
    let event = setting.key_for("alice").await;
    let outcome = outcome(function.invoke(&event).await);
    let id = outcome["incident"].as_str().unwrap();
    // Somebody has edited the inline policy since.
    let iam = aws_sdk_iam::Client::new(&setting.operator);
    let policy = iam.list_user_policies().user_name("alice").send().await.unwrap().policy_names.remove(0);
    let edited = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*"}]}"#;
    iam.put_user_policy().user_name("alice").policy_name(&policy).policy_document(edited).send().await.unwrap();
    let (done, said) = setting.countermand(&["incidents", "undo", id, "--yes"]).await;
    assert!(!done && said.contains("s3:*") && said.contains("--force"), "{said}");
    assert_eq!(setting.user("alice").await, ("Inactive".to_owned(), true), "nothing was changed");
    let (done, said) = setting.countermand(&["incidents", "undo", id, "--yes", "--force"]).await;
    assert!(done, "{said}");
    assert_eq!(setting.user("alice").await, ("Active".to_owned(), false));
    assert!(setting.incident().await.undone.unwrap().forced);
}

#[tokio::test]
async fn a_key_that_somebody_enables_again_is_disabled_again() {
    let setting = Setting::with(ENFORCE).await;
    let function = setting.function("disable-access-key").await;
    let event = setting.key_for("alice").await;
    assert_eq!(status(function.invoke(&event).await), "contained");
    setting.account.events();
    let iam = aws_sdk_iam::Client::new(&setting.attacker);
    let active = aws_sdk_iam::types::StatusType::Active;
    iam.update_access_key().user_name("alice").access_key_id(key_of(&event)).status(active).send().await.unwrap();
    assert_eq!(status(function.invoke(&setting.event()).await), "contained");
    assert_eq!(setting.user("alice").await.0, "Inactive");
}

#[tokio::test]
async fn a_key_that_we_never_disabled_may_be_enabled() {
    let setting = Setting::with(ENFORCE).await;
    let function = setting.function("disable-access-key").await;
    let key = key_of(&setting.key_for("bob").await);
    let iam = aws_sdk_iam::Client::new(&setting.attacker);
    let active = aws_sdk_iam::types::StatusType::Active;
    iam.update_access_key().user_name("bob").access_key_id(key).status(active).send().await.unwrap();
    assert_eq!(status(function.invoke(&setting.event()).await), "already_safe");
    assert_eq!(setting.user("bob").await.0, "Active");
}

#[tokio::test]
async fn a_key_made_for_oneself_is_no_finding() {
    let setting = Setting::with(ENFORCE).await;
    let function = setting.function("disable-access-key").await;
    let mut event = setting.key_for("carol").await;
    event["detail"]["userIdentity"]["arn"] = json!("arn:aws:iam::123456789012:user/people/carol");
    event["detail"]["userIdentity"]["userName"] = json!("carol");
    assert_eq!(function.invoke(&event).await.unwrap().body, json!({"outcomes": []}));
    assert_eq!(setting.incidents().await, []);
}

#[tokio::test]
async fn findings_of_other_services_name_a_key() {
    let setting = Setting::with(ENFORCE).await;
    let function = setting.function("disable-access-key").await;
    let at = chrono::DateTime::from_timestamp(1_795_330_800, 0).unwrap();

    let key = key_of(&setting.key_for("dave").await);
    let exposed = health_exposed_key("123456789012", &key, at);
    let outcome = outcome(function.invoke(&exposed).await);
    assert_eq!(outcome["status"], "contained", "{outcome:#}");
    assert_eq!(outcome["resource"], "arn:aws:iam::123456789012:user/people/dave", "its owner is looked up");
    assert_eq!(setting.user("dave").await, ("Inactive".to_owned(), true));

    let key = key_of(&setting.key_for("erin").await);
    let finding = guardduty_key_finding(&KeyFinding::of_user("erin", &key, at));
    assert_eq!(status(function.invoke(&finding).await), "contained");
    assert_eq!(setting.user("erin").await, ("Inactive".to_owned(), true));
}

#[tokio::test]
async fn aws_own_quarantine_means_every_active_key() {
    let setting = Setting::with(ENFORCE).await;
    let function = setting.function("disable-access-key").await;
    setting.key_for("frank").await;
    let iam = aws_sdk_iam::Client::new(&setting.attacker);
    iam.put_user_policy()
        .user_name("frank")
        .policy_name("AWSExposedCredentialPolicy_DO_NOT_REMOVE")
        .policy_document(r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"iam:*","Resource":"*"}]}"#)
        .send()
        .await
        .unwrap();
    let event = setting.event();
    assert_eq!(status(function.invoke(&event).await), "contained");
    assert_eq!(setting.user("frank").await.0, "Inactive");
}

#[tokio::test]
async fn a_key_of_root_needs_a_person() {
    let setting = Setting::with(ENFORCE).await;
    let function = setting.function("disable-access-key").await;
    let fixture = include_str!("../../functions/disable-access-key/events/match/key-of-root.json");
    let event: Value = serde_json::from_str(fixture).unwrap();
    let outcome = outcome(function.invoke(&event).await);
    assert_eq!(outcome["status"], "uncontainable", "{outcome:#}");
    assert!(outcome["because"].as_str().unwrap().contains("root"), "{outcome:#}");
    assert_eq!(setting.incident().await.state, State::Uncontainable);
}

#[tokio::test]
async fn what_our_own_role_does_is_no_finding() {
    let setting = Setting::with(ENFORCE).await;
    let iam = aws_sdk_iam::Client::new(&setting.operator);
    iam.create_user().user_name("gina").send().await.unwrap();
    setting.account.events();
    let ours = Identity::role_session("disable-access-key", "disable-access-key");
    let iam = aws_sdk_iam::Client::new(&setting.account.acting_as(ours.clone(), REGION).await);
    iam.create_access_key().user_name("gina").send().await.unwrap();
    let event = setting.event();
    let own = "arn:aws:iam::123456789012:role/disable-access-key";
    let function = setting.function_with("disable-access-key", &[("COUNTERMAND_OWN_ROLES", own)]).await;
    assert_eq!(function.invoke(&event).await.unwrap().body, json!({"outcomes": []}));
    let other = setting.function("disable-access-key").await;
    assert_eq!(status(other.invoke(&event).await), "contained", "without the list it is anybody's");
}
