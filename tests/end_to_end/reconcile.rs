//! Events that CloudTrail recorded and EventBridge did not deliver.

use remedy::State;
use serde_json::{Value, json};
use stage::{Fault, When};

use super::setting::{ENFORCE, Setting, status};

/// Three exposures, of which only the second was delivered. All are in CloudTrail's event history.
async fn two_missed(setting: &Setting) -> Vec<String> {
    let function = setting.function("revoke-open-ingress").await;
    let mut groups = Vec::new();
    for delivered in [false, true, false] {
        let group = setting.group().await;
        let event = setting.open(&group, 22, &["0.0.0.0/0"]).await;
        setting.account.proxy().remember(event["detail"].clone());
        if delivered {
            assert_eq!(status(function.invoke(&event).await), "contained");
        }
        groups.push(group);
    }
    groups
}

fn lines(said: &str) -> Vec<Value> {
    said.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn what_was_not_delivered_is_found_in_the_event_history_and_dealt_with() {
    let setting = Setting::with(ENFORCE).await;
    let groups = two_missed(&setting).await;
    let (_, said) = setting.countermand(&["reconcile", "--dry-run", "--format", "json"]).await;
    let missed = lines(&said);
    assert_eq!(missed.len(), 2, "{said}");
    assert!(missed.iter().all(|line| line["status"] == "missed" && line["incidents"].as_array().unwrap().len() == 1));
    assert_eq!(setting.incidents().await.len(), 1, "a dry run changes nothing");
    assert!(setting.account.events().is_empty());

    let throttled = When::operation("cloudtrail", "LookupEvents");
    setting.account.proxy().inject(Fault::Throttle, throttled, 1);
    let (done, said) = setting.countermand(&["reconcile"]).await;
    assert!(done && said.contains("2 missed, 2 handed over"), "{said}");
    let sent = setting.account.events();
    assert_eq!(sent.len(), 2, "{sent:#?}");
    let function = setting.function("revoke-open-ingress").await;
    for event in &sent {
        assert_eq!(event["detail-type"], "Event Missed");
        assert_eq!(status(function.invoke(event).await), "contained");
    }
    for group in &groups {
        assert_eq!(setting.rules(group).await.len(), 1);
    }
    let incidents = setting.incidents().await;
    assert_eq!(incidents.len(), 3);
    assert!(incidents.iter().all(|incident| incident.state == State::Contained));

    let (done, said) = setting.countermand(&["reconcile"]).await;
    assert!(done && said.contains("3 findings known to the ledger, 0 missed"), "{said}");
}

#[tokio::test]
async fn log_files_serve_as_well_as_the_event_history() {
    let setting = Setting::with(ENFORCE).await;
    let group = setting.group().await;
    let record = setting.open(&group, 22, &["0.0.0.0/0"]).await["detail"].clone();
    let mut elsewhere = record.clone();
    elsewhere["awsRegion"] = "eu-west-1".into();
    elsewhere["eventID"] = "another".into();
    let file = std::env::temp_dir().join(format!("countermand-reconcile-{}.json", std::process::id()));
    std::fs::write(&file, json!({ "Records": [record, elsewhere] }).to_string()).unwrap();
    let (done, said) = setting.countermand(&["reconcile", file.to_str().unwrap()]).await;
    std::fs::remove_file(&file).unwrap();
    assert!(done, "{said}");
    assert!(said.contains("1 missed, 1 handed over; 1 events are of other accounts or regions"), "{said}");
    let function = setting.function("revoke-open-ingress").await;
    assert_eq!(status(function.invoke(&setting.event()).await), "contained");
}

/// Anybody may put events on the bus; what was missed, the function takes from the ledger alone.
#[tokio::test]
async fn an_event_that_nobody_keeps_changes_nothing() {
    let setting = Setting::with(ENFORCE).await;
    let group = setting.group().await;
    setting.open(&group, 22, &["0.0.0.0/0"]).await;
    let function = setting.function("revoke-open-ingress").await;
    let forged = json!({"version": "0", "id": "f", "detail-type": "Event Missed", "source": "countermand",
        "account": "123456789012", "time": "2026-11-22T07:00:00Z", "region": "us-east-1", "resources": [],
        "detail": {"event": "no-such-event", "responder": "revoke-open-ingress"}});
    let failure = function.invoke(&forged).await.unwrap_err();
    assert!(failure.to_string().contains("NotKept") || format!("{failure:?}").contains("Final.NotKept"), "{failure:?}");
    assert_eq!(setting.rules(&group).await.len(), 2);
    assert!(setting.incidents().await.is_empty());
}
