//! Events of odd times, sizes and shapes.

use aws_sdk_ec2::types::{ResourceType, Tag, TagSpecification};
use remedy::State;
use serde_json::{Value, json};

use super::{ENFORCE, Setting, anew, failure};
use crate::end_to_end::setting::{PATIENCE, outcome, permission, status};

#[tokio::test]
async fn an_old_event_replayed_after_an_undo_does_not_redo_it() {
    let setting = Setting::with(ENFORCE).await;
    let group = setting.group().await;
    let event = setting.open(&group, 22, &["0.0.0.0/0"]).await;
    let opened = setting.rules(&group).await;
    let function = setting.function("revoke-open-ingress").await;
    let contained = outcome(function.invoke(&event).await);
    let (done, said) =
        setting.countermand(&["incidents", "undo", contained["incident"].as_str().unwrap(), "--yes"]).await;
    assert!(done, "{said}");
    let undone = setting.incident().await;
    let replayed = anew(&event, "replayed");
    // The rule that was put back has a new id. This one means it by what it lets in.
    let mut without_id = anew(&event, "without-id");
    without_id["detail"]["responseElements"] = Value::Null;
    for (event, expected) in [(event, "duplicate"), (replayed, "already_safe"), (without_id, "exempt")] {
        setting.account.proxy().clear();
        let outcome = outcome(function.invoke(&event).await);
        assert_eq!((&outcome["status"], setting.writes()), (&json!(expected), vec![]), "{outcome:#}");
        assert_eq!(setting.rules(&group).await, opened);
    }
    let incidents = setting.incidents().await;
    assert!(incidents.contains(&undone), "the undone incident is as it was: {incidents:#?}");
    assert_eq!((incidents.len(), incidents.iter().map(|incident| incident.receipt.len()).sum::<usize>()), (3, 1));
    let exempt = incidents.iter().find(|incident| incident.state == State::Exempt).unwrap();
    assert!(exempt.because.contains("an undo said this is wanted"), "{}", exempt.because);
}

#[tokio::test]
async fn a_time_of_the_senders_choice_decides_nothing() {
    let setting = Setting::with(ENFORCE).await;
    let (ingress, keys) = (setting.function("revoke-open-ingress").await, setting.function("disable-access-key").await);
    let times = [
        json!("9999-12-31T23:59:59Z"),
        json!("0001-01-01T00:00:00Z"),
        json!("1970-01-01T00:00:00Z"),
        json!("+262142-12-31T23:59:59Z"),
        json!("2026-02-30T25:61:00Z"),
        json!(1e300),
        Value::Null,
    ];
    for (index, time) in times.iter().enumerate() {
        let group = setting.group().await;
        let user = format!("user{index}");
        let mut opened = setting.open(&group, 22, &["0.0.0.0/0"]).await;
        let mut made = setting.key_for(&user).await;
        for (function, event, writes) in [(&ingress, &mut opened, 1), (&keys, &mut made, 2)] {
            event["detail"]["eventTime"] = time.clone();
            event["time"] = time.clone();
            setting.account.proxy().clear();
            let outcome = outcome(function.invoke(event).await);
            assert_eq!(
                (&outcome["status"], setting.writes().len()),
                (&json!("contained"), writes),
                "{time}: {outcome:#}"
            );
            let id = outcome["incident"].as_str().unwrap();
            let (done, said) = setting.countermand(&["incidents", "show", id]).await;
            assert!(done && said.contains("contained"), "{time}: {said}");
            let (done, said) = setting.countermand(&["incidents", "undo", id, "--yes"]).await;
            assert!(done, "{time}: {said}");
        }
        assert_eq!(setting.rules(&group).await.len(), 2, "{time}");
        assert_eq!(setting.user(&user).await, ("Active".to_owned(), false), "{time}");
    }
    assert!(setting.incidents().await.iter().all(|incident| incident.state == State::Undone));
    for format in ["html", "csv", "json"] {
        let (done, said) = setting.countermand(&["report", "--format", format]).await;
        assert!(done, "{format}: {said}");
    }
}

#[tokio::test]
async fn an_event_as_large_as_may_be_is_dealt_with() {
    let setting = Setting::with(ENFORCE).await;
    let function = setting.function("revoke-open-ingress").await;
    // EventBridge takes 256 KB, Lambda 1 MB of an asynchronous invocation.
    for (field, bytes) in [("userAgent", 250_000), ("additionalEventData", 1_000_000)] {
        let group = setting.group().await;
        let mut event = setting.open(&group, 22, &["0.0.0.0/0"]).await;
        event["detail"][field] = json!("x".repeat(bytes));
        let outcome = outcome(function.invoke(&event).await);
        assert_eq!((&outcome["status"], setting.writes().len()), (&json!("contained"), 1), "{field}");
        assert_eq!(setting.incident_called(&outcome["incident"]).await.receipt.len(), 1, "{field}");
        assert_eq!(setting.rules(&group).await.len(), 1, "{field}");
    }
}

/// Whoever opens a group chooses how many rules, and up to 50 tags for each.
#[tokio::test]
async fn a_group_whose_tags_outgrow_a_record_is_contained() {
    let setting = Setting::with(ENFORCE).await;
    let function = setting.function("revoke-open-ingress").await;
    let group = setting.group().await;
    let long = |length: usize| "木".repeat(length);
    let tags: Vec<_> =
        (0..50).map(|n| Tag::builder().key(format!("{n}{}", long(120))).value(long(256)).build()).collect();
    let tags = TagSpecification::builder().resource_type(ResourceType::SecurityGroupRule).set_tags(Some(tags)).build();
    let sources: Vec<String> = (0..8).map(|n| format!("{}.0.0.0/3", n * 32)).collect();
    let sources: Vec<&str> = sources.iter().map(String::as_str).collect();
    let ec2 = aws_sdk_ec2::Client::new(&setting.attacker);
    let open = ec2.authorize_security_group_ingress().group_id(&group).ip_permissions(permission(22, &sources));
    open.tag_specifications(tags).send().await.unwrap();
    let mut event = setting.event();
    // CloudTrail leaves out what is over 100 KB.
    event["detail"]["responseElements"] = json!({"omitted": true, "originalSize": 460_000, "reason": "too large"});
    assert!(event.to_string().len() < 256_000, "EventBridge would not take it");
    let opened = setting.rules(&group).await;
    assert_eq!(status(function.invoke(&event).await), "contained");
    assert_eq!(setting.writes(), ["RevokeSecurityGroupIngress"; 8]);
    assert_eq!(setting.rules(&group).await.len(), 1);
    let incident = setting.incident().await;
    assert_eq!((incident.state, incident.receipt.len()), (State::Contained, 8));
    let (done, said) = setting.countermand(&["incidents", "undo", incident.id.as_str(), "--yes"]).await;
    assert!(done, "{said}");
    let sources =
        |rules: &[String]| rules.iter().map(|rule| rule.split(" \"").next().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(sources(&setting.rules(&group).await), sources(&opened), "open again, if not with every tag");
}

#[tokio::test]
async fn nesting_without_end_is_refused_and_the_function_lives() {
    let setting = Setting::with(ENFORCE).await;
    let function = setting.function("revoke-open-ingress").await;
    let group = setting.group().await;
    let event = setting.open(&group, 22, &["0.0.0.0/0"]).await;
    let deep = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
    let objects = format!("{}1{}", r#"{"a":"#.repeat(10_000), "}".repeat(10_000));
    for nested in [&deep, &objects] {
        let inside =
            event.to_string().replacen(r#""detail":{"#, &format!(r#""detail":{{"additionalEventData":{nested},"#), 1);
        for payload in [nested.clone(), inside] {
            setting.account.proxy().clear();
            let (kind, message) = failure(function.invoke_raw(payload, PATIENCE).await);
            assert!(kind == "Final.Event" && message.contains("recursion limit"), "{kind}: {message}");
            assert_eq!(setting.account.proxy().clear(), [], "nobody was asked anything");
        }
    }
    assert_eq!(setting.incidents().await, []);
    assert_eq!(status(function.invoke(&event).await), "contained", "the next event is dealt with");
    assert_eq!(setting.rules(&group).await.len(), 1);
}

#[tokio::test]
async fn a_key_that_stands_twice_has_one_meaning_throughout() {
    let setting = Setting::with(ENFORCE).await;
    let function = setting.function("revoke-open-ingress").await;
    let (group, other) = (setting.group().await, setting.group().await);
    setting.open(&other, 22, &["0.0.0.0/0"]).await;
    let open = setting.rules(&other).await;
    let event = setting.open(&group, 22, &["0.0.0.0/0"]).await.to_string();
    let twice = |name: &str, first: &str, last: &str| {
        let told = format!(r#""{name}":"{last}""#);
        assert!(event.contains(&told), "{told} is not in {event}");
        event.replace(&told, &format!(r#""{name}":"{first}",{told}"#))
    };
    let foreign = |text: String| {
        text.replace(r#""account":"123456789012""#, r#""account":"123456789012","account":"999988887777""#)
    };
    let (kind, message) = failure(function.invoke_raw(foreign(event.clone()), PATIENCE).await);
    assert_eq!((kind.as_str(), setting.writes()), ("Final.Foreign", vec![]), "{message}");
    assert_eq!(setting.rules(&group).await.len(), 2);

    let outcome = outcome(function.invoke_raw(twice("groupId", &other, &group), PATIENCE).await);
    assert_eq!((&outcome["status"], setting.writes().len()), (&json!("contained"), 1), "{outcome:#}");
    let incident = setting.incident().await;
    assert_eq!((incident.resource.arn.name(), incident.named.arn.name()), (group.as_str(), group.as_str()));
    assert_eq!((setting.rules(&group).await.len(), setting.rules(&other).await), (1, open));
}
