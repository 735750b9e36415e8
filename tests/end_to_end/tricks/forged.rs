//! Events that somebody made up, handed to the function or put on the event bus.

use aws_sdk_iam::types::StatusType;
use remedy::State;
use serde_json::{Value, json};
use stage::pattern;
use stage::trail::Identity;

use super::{ENFORCE, Setting, anew, failure, retold};
use crate::end_to_end::setting::{REGION, outcome, status};
use crate::folders::Folder;
use crate::generated::read;

/// A user with a key that is his own, and the key.
async fn user_with_key(setting: &Setting, name: &str) -> String {
    let iam = aws_sdk_iam::Client::new(&setting.operator);
    iam.create_user().user_name(name).send().await.unwrap();
    let key = iam.create_access_key().user_name(name).send().await.unwrap().access_key.unwrap();
    setting.account.events();
    key.access_key_id
}

/// The event of Mallory making this key.
async fn claimed_by_mallory(setting: &Setting, user: &str, key: &str) -> Value {
    let decoy = format!("decoy-of-{user}");
    let event = setting.key_for(&decoy).await;
    let made = event.pointer("/detail/responseElements/accessKey/accessKeyId").unwrap().as_str().unwrap().to_owned();
    retold(&retold(&event, &made, key), &decoy, user)
}

#[tokio::test]
async fn a_forged_event_about_a_safe_group_changes_nothing() {
    let setting = Setting::with(ENFORCE).await;
    let (victim, decoy) = (setting.group().await, setting.group().await);
    let honest = setting.open(&decoy, 22, &["0.0.0.0/0"]).await;
    let of_victim = aws_sdk_ec2::types::Filter::builder().name("group-id").values(&victim).build();
    let ec2 = aws_sdk_ec2::Client::new(&setting.operator);
    let rules = ec2.describe_security_group_rules().filters(of_victim).send().await.unwrap();
    let https = rules.security_group_rules().iter().find(|rule| rule.from_port() == Some(443)).unwrap();
    let https = https.security_group_rule_id().unwrap();
    let before = setting.rules(&victim).await;

    let forged = retold(&honest, &decoy, &victim);
    let made = honest.pointer("/detail/responseElements/securityGroupRuleSet/items/0/securityGroupRuleId").unwrap();
    let in_its_rule = retold(&forged, made.as_str().unwrap(), https);
    let (mut unanswered, mut omitted) = (forged.clone(), forged.clone());
    unanswered["detail"]["responseElements"] = Value::Null;
    omitted["detail"]["responseElements"] = json!({"omitted": true, "originalSize": 200_000, "reason": "too large"});
    let function = setting.function("revoke-open-ingress").await;
    for (index, event) in [forged, in_its_rule, unanswered, omitted].iter().enumerate() {
        setting.account.proxy().clear();
        let outcome = outcome(function.invoke(&anew(event, &format!("forged-{index}"))).await);
        assert_eq!((&outcome["status"], setting.writes()), (&json!("already_safe"), vec![]), "{index}: {outcome:#}");
        let incident = setting.incident_called(&outcome["incident"]).await;
        assert_eq!((incident.state, incident.receipt, incident.plan), (State::AlreadySafe, vec![], vec![]), "{index}");
    }
    assert_eq!(setting.rules(&victim).await, before);
}

#[tokio::test]
async fn a_forged_event_about_a_key_that_is_disabled_or_gone_changes_nothing() {
    let setting = Setting::with(ENFORCE).await;
    let key = user_with_key(&setting, "victor").await;
    let iam = aws_sdk_iam::Client::new(&setting.operator);
    let off = iam.update_access_key().user_name("victor").access_key_id(&key).status(StatusType::Inactive);
    off.send().await.unwrap();
    let function = setting.function("disable-access-key").await;
    let nobodys = claimed_by_mallory(&setting, "nobody", "AKIAIOSFODNN7EXAMPLE").await;
    let disabled = claimed_by_mallory(&setting, "victor", &key).await;
    let unknown = anew(&retold(&disabled, &key, "AKIAIOSFODNN7EXAMPLE"), "unknown");
    for event in [disabled, unknown, nobodys] {
        setting.account.proxy().clear();
        let outcome = outcome(function.invoke(&event).await);
        assert_eq!((&outcome["status"], setting.writes()), (&json!("already_safe"), vec![]), "{outcome:#}");
        let incident = setting.incident_called(&outcome["incident"]).await;
        assert_eq!((incident.state, incident.receipt), (State::AlreadySafe, vec![]));
    }
    assert_eq!(setting.user("victor").await, ("Inactive".to_owned(), false));
}

/// IAM does not say who made a key, so the look at the account cannot unmask this one.
#[tokio::test]
async fn a_forged_event_about_a_working_key_is_held_by_list_and_budget_and_can_be_undone() {
    let setting = Setting::with(r#"@id("one") @limit("1/1h") permit (principal, action, resource);"#).await;
    let listed = "arn:aws:iam::123456789012:user/break-glass";
    setting.set_never_touch(&json!({ listed: "the way in when all else fails" }));
    let function = setting.function("disable-access-key").await;
    let mut ends = Vec::new();
    for user in ["break-glass", "victor", "walter"] {
        let key = user_with_key(&setting, user).await;
        let event = claimed_by_mallory(&setting, user, &key).await;
        let outcome = outcome(function.invoke(&event).await);
        ends.push((outcome["status"].clone(), setting.writes().len(), setting.user(user).await.0));
        if user == "victor" {
            let (done, said) =
                setting.countermand(&["incidents", "undo", outcome["incident"].as_str().unwrap(), "--yes"]).await;
            assert!(done, "{said}");
            assert_eq!(setting.user(user).await, ("Active".to_owned(), false));
        }
    }
    let active = || "Active".to_owned();
    let expected = [("exempt", 0, active()), ("contained", 2, "Inactive".to_owned()), ("pending", 0, active())];
    assert_eq!(ends, expected.map(|(status, writes, key)| (json!(status), writes, key)));
    let states: Vec<State> = setting.incidents().await.iter().map(|incident| incident.state).collect();
    for state in [State::Exempt, State::Undone, State::Pending] {
        assert_eq!(states.iter().filter(|it| **it == state).count(), 1, "{states:?}");
    }
}

#[tokio::test]
async fn an_event_of_another_account_touches_nobody_here() {
    let setting = Setting::with(ENFORCE).await;
    let group = setting.group().await;
    let mut ingress = setting.open(&group, 22, &["0.0.0.0/0"]).await;
    let opened = setting.rules(&group).await;
    let mut quarantine: Value = serde_json::from_str(include_str!(
        "../../../functions/disable-access-key/events/match/quarantine-v2-attached.json"
    ))
    .unwrap();
    let victim = quarantine["detail"]["requestParameters"]["userName"].as_str().unwrap().to_owned();
    setting.key_for(&victim).await;
    for (name, event) in [("revoke-open-ingress", &mut ingress), ("disable-access-key", &mut quarantine)] {
        event["account"] = json!("999988887777");
        event["detail"]["recipientAccountId"] = json!("999988887777");
        let (kind, message) = failure(setting.function(name).await.invoke(event).await);
        assert_eq!((kind.as_str(), setting.writes()), ("Final.Foreign", vec![]), "{message}");
    }
    assert_eq!(setting.incidents().await, []);
    assert_eq!(setting.rules(&group).await, opened);
    assert_eq!(setting.user(&victim).await, ("Active".to_owned(), false));
}

/// A function sees one region's groups. What another region's are like it does not know, and must not say.
#[tokio::test]
async fn an_event_of_another_region_is_not_judged_here() {
    let setting = Setting::with(ENFORCE).await;
    let group = setting.group().await;
    let here = setting.open(&group, 22, &["0.0.0.0/0"]).await;
    let opened = setting.rules(&group).await;
    let function = setting.function("revoke-open-ingress").await;
    let elsewhere = "eu-central-1";
    let forged = retold(&here, REGION, elsewhere);
    // What a bus that collects the events of all regions would hand over.
    let forwarded = retold(&anew(&forged, "forwarded"), &group, "sg-0123456789abcdef0");
    for event in [forged, forwarded] {
        setting.account.proxy().clear();
        let (kind, message) = failure(function.invoke(&event).await);
        assert_eq!((kind.as_str(), setting.writes()), ("Final.OtherRegion", vec![]), "{message}");
    }
    assert_eq!((setting.incidents().await, setting.rules(&group).await), (vec![], opened));
}

/// `PutEvents` takes no source that begins with `aws.` (Amazon EventBridge User Guide, "Adding AWS events").
#[test]
fn a_forged_event_on_the_bus_reaches_no_function() {
    for folder in Folder::all() {
        for (file, event) in folder.events("match") {
            for rule in folder.rules() {
                let deployed: Value = folder.json(&rule.file);
                for source in ["custom", "countermand", "ec2", "xaws.ec2", ""] {
                    let mut event = event.clone();
                    event["source"] = json!(source);
                    let reached = pattern::matches(&deployed, &event).unwrap();
                    assert!(!reached, "{} of {} takes {file} from {source:?}", rule.file, folder.name);
                }
            }
        }
    }
}

#[test]
fn only_its_own_rules_may_invoke_a_function() {
    let template = read("template.yaml");
    let blocks: Vec<&str> = template.split("\n\n").filter(|block| block.contains("AWS::Lambda::Permission")).collect();
    // Each responder has one more, for what operators ask of it, and the clock has one for leases and one for the canary.
    let deployed = Folder::all().iter().map(|folder| folder.rules().len() + 1).sum::<usize>() + 2;
    assert_eq!(blocks.len(), deployed, "each rule has its permission, and nobody else has one");
    for block in blocks {
        let property = |name: &str| {
            let name = format!("{name}: ");
            block.lines().find_map(|line| line.trim().strip_prefix(name.as_str())).unwrap_or_else(|| panic!("{block}"))
        };
        let function = property("FunctionName").strip_prefix("!Ref ").unwrap();
        let rule = property("SourceArn").strip_prefix("!GetAtt ").and_then(|rule| rule.strip_suffix("Rule.Arn"));
        assert_eq!(property("Principal"), "events.amazonaws.com");
        assert!(rule.is_some_and(|rule| rule.starts_with(function)), "{block}");
    }
}

#[tokio::test]
async fn only_the_very_arn_passes_for_our_own_function() {
    let setting = Setting::with(ENFORCE).await;
    let own = "arn:aws:iam::123456789012:role/countermand/ingress";
    let function = setting.function_with("revoke-open-ingress", &[("COUNTERMAND_OWN_ROLES", own)]).await;
    let group = setting.group().await;
    for (port, somebody) in [
        (22, Identity::role_session("countermand/x/ingress", "revoke-open-ingress")),
        (3389, Identity::role_session("countermand/ingress2", "ingress")),
        (5432, Identity::role_session("countermand/ingress", "ingress").in_account("999988887777")),
        (3306, Identity::user("countermand/ingress")),
        (1433, Identity::role_session("dev", "arn:aws:iam::123456789012:role/countermand/ingress")),
    ] {
        let who = setting.account.acting_as(somebody, REGION).await;
        let mut event = setting.open_as(&who, &group, port, &["0.0.0.0/0"]).await;
        // The record of a call in one's own account names that one as its recipient.
        event["account"] = json!("123456789012");
        event["detail"]["recipientAccountId"] = json!("123456789012");
        event["detail"]["userAgent"] = json!("countermand/revoke-open-ingress");
        let actor = event["detail"]["userIdentity"]["arn"].clone();
        assert_eq!(status(function.invoke(&event).await), "contained", "{actor}");
        assert_eq!(setting.writes(), ["RevokeSecurityGroupIngress"], "{actor}");
    }
    assert_eq!(setting.rules(&group).await.len(), 1);
    assert!(setting.incidents().await.iter().all(|incident| incident.state == State::Contained));
}
