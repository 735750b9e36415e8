//! Real exposures, made on purpose so that the tool acts.

use remedy::State;
use serde_json::json;
use stage::trail::Identity;

use super::{ENFORCE, Setting};
use crate::end_to_end::setting::{REGION, outcome, status};

#[tokio::test]
async fn an_exposure_made_on_purpose_costs_only_itself() {
    let setting = Setting::with(ENFORCE).await;
    let production = setting.group().await;
    // What must go on working: an office, a neighbour, and a public port that is no secret.
    setting.open_as(&setting.operator, &production, 22, &["198.18.4.0/24"]).await;
    setting.open_as(&setting.operator, &production, 5432, &["10.0.0.0/8", "85.10.0.0/16"]).await;
    setting.open_as(&setting.operator, &production, 25, &["11.0.0.0/8"]).await;
    let needed = setting.rules(&production).await;
    assert_eq!(needed.len(), 5);

    let function = setting.function("revoke-open-ingress").await;
    for (port, sources) in
        [(22, &["0.0.0.0/0"][..]), (5432, &["0.0.0.0/1", "128.0.0.0/1"]), (25, &["12.0.0.0/8"]), (25, &["::/0"])]
    {
        let event = setting.open(&production, port, sources).await;
        let outcome = outcome(function.invoke(&event).await);
        let expected = (&json!("contained"), sources.len());
        assert_eq!((&outcome["status"], setting.writes().len()), expected, "{outcome:#}");
        assert_eq!(setting.incident_called(&outcome["incident"]).await.receipt.len(), sources.len());
    }
    assert_eq!(setting.rules(&production).await, needed, "the rest of the group stays as it was");
}

#[tokio::test]
async fn a_key_made_on_purpose_costs_its_user_no_other_key() {
    let setting = Setting::with(ENFORCE).await;
    let iam = aws_sdk_iam::Client::new(&setting.operator);
    iam.create_user().user_name("alice").send().await.unwrap();
    let own = iam.create_access_key().user_name("alice").send().await.unwrap().access_key.unwrap().access_key_id;
    setting.account.events();
    let mallory = aws_sdk_iam::Client::new(&setting.attacker);
    let made = mallory.create_access_key().user_name("alice").send().await.unwrap().access_key.unwrap().access_key_id;
    let event = setting.event();
    let function = setting.function("disable-access-key").await;
    let outcome = outcome(function.invoke(&event).await);
    assert_eq!((&outcome["status"], setting.writes().len()), (&json!("contained"), 2), "{outcome:#}");

    let keys = iam.list_access_keys().user_name("alice").send().await.unwrap().access_key_metadata;
    let status = |id: &str| {
        let key = keys.iter().find(|key| key.access_key_id() == Some(id)).unwrap();
        key.status().unwrap().as_str().to_owned()
    };
    assert_eq!((status(&own).as_str(), status(&made).as_str()), ("Active", "Inactive"));
    // What it does cost: temporary credentials that she got before. A long-term key carries no time of issue.
    let policies = iam.list_user_policies().user_name("alice").send().await.unwrap().policy_names;
    assert_eq!(policies, ["countermand-deny-older-sessions"]);
    let receipt = setting.incident().await.receipt;
    let policy = receipt.iter().find_map(|entry| entry.change.pointer("/cutOff/after")).unwrap().as_str().unwrap();
    assert!(policy.contains(r#""Condition":{"DateLessThan":{"aws:TokenIssueTime":"#), "{policy}");
    assert!(receipt.iter().all(|entry| !entry.change.to_string().contains(&own)), "{receipt:#?}");
}

#[tokio::test]
async fn one_actors_spent_budget_is_nobody_elses() {
    let setting =
        Setting::with(r#"@id("few") @limit("2/1h per principal") permit (principal, action, resource);"#).await;
    let topic = setting.topic().await;
    let function = setting.function_with("revoke-open-ingress", &[("COUNTERMAND_TOPIC", &topic)]).await;
    let group = setting.group().await;
    // A new name of the session is no new principal.
    let sessions = ["a", "b", "c", "d"].map(|session| Identity::role_session("dev/intern", session));
    let trudy = Identity::user("trudy");
    let (mut ends, mut pages) = (Vec::new(), Vec::new());
    for (port, who) in [22, 3389, 5432, 3306, 1433].into_iter().zip(sessions.into_iter().chain([trudy])) {
        let who = setting.account.acting_as(who, REGION).await;
        let event = setting.open_as(&who, &group, port, &["0.0.0.0/0"]).await;
        let outcome = outcome(function.invoke(&event).await);
        let calls = setting.account.proxy().calls();
        let told = calls.iter().any(|call| call.operation == "Publish");
        let incident = setting.incident_called(&outcome["incident"]).await;
        assert_eq!(incident.plan.len(), 1, "{incident:#?}");
        ends.push((incident.state, setting.writes().len()));
        pages.push(told);
    }
    assert!(pages[..3].iter().all(|told| *told), "people are told of what was done, and that the budget is spent");
    let (contained, pending) = ((State::Contained, 1), (State::Pending, 0));
    assert_eq!(ends, [contained, contained, pending, pending, contained]);
    let mut open = setting.rules(&group).await;
    open.retain(|rule| !rule.starts_with("443"));
    let open: Vec<_> = open.iter().filter_map(|rule| rule.split(' ').next()).collect();
    assert_eq!(open, ["3306", "5432"], "what is beyond the budget waits for a person");

    // A spent budget does not stand in a person's way.
    let waiting = setting.incidents().await.into_iter().find(|incident| incident.state == State::Pending).unwrap();
    setting.account.events();
    let (done, said) = setting.countermand(&["incidents", "approve", waiting.id.as_str()]).await;
    assert!(done, "{said}");
    assert_eq!(status(function.invoke(&setting.event()).await), "contained");
}
