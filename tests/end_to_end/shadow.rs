//! Policies that are only asked what they would have said, beside those in force.

use serde_json::{Value, json};
use stage::Function;

use super::setting::{ENFORCE, Setting, outcome, status};

/// Permits nothing that mallory's SSH rules are.
const SPARES_SSH: &str = r#"
    @id("all") permit (principal, action, resource);
    @id("ssh-is-fine") @reason("for now") forbid (principal, action == Action::"revoke-open-ingress", resource)
    when { context.fromPort == 22 };"#;

const OBSERVE: &str = r#"@id("nothing") forbid (principal, action, resource) when { false };"#;

async fn shadowed(setting: &Setting, shadow: &str) -> Function {
    let folder = setting.set_shadow_policies(shadow);
    setting.function_with("revoke-open-ingress", &[("COUNTERMAND_SHADOW_POLICIES", &folder)]).await
}

/// The last line of metrics that a function wrote.
fn metrics(function: &Function) -> Value {
    let lines = function.stdout();
    let line = lines.iter().rev().find(|line| line.contains("CloudWatchMetrics")).unwrap();
    serde_json::from_str(line).unwrap()
}

#[tokio::test]
async fn what_is_in_force_acts_where_the_shadow_would_not() {
    let setting = Setting::with(ENFORCE).await;
    let function = shadowed(&setting, SPARES_SSH).await;
    let group = setting.group().await;
    let ssh = outcome(function.invoke(&setting.open(&group, 22, &["0.0.0.0/0"]).await).await);
    assert_eq!(ssh["status"], "contained");
    assert_eq!(setting.rules(&group).await.len(), 1, "only 443 is open, as before");
    let shadow = json!({"verdict": "exempt", "because": "forbidden by `ssh-is-fine` (for now)", "inForce": "enforce",
        "policies": [{"id": "ssh-is-fine", "reason": "for now"}]});
    assert_eq!(ssh["shadow"], shadow);
    let incident = setting.incident().await;
    assert_eq!(serde_json::to_value(&incident.shadow).unwrap(), shadow);
    assert_eq!((incident.verdict.as_str(), incident.receipt.len()), ("enforce", 1));
    let told = metrics(&function);
    assert_eq!((&told["Contained"], &told["ShadowDiffers"]), (&json!(1), &json!(1)), "{told:#}");

    let again = setting.open(&group, 3389, &["0.0.0.0/0"]).await;
    assert_eq!(status(function.invoke(&again).await), "contained");
    assert_eq!(metrics(&function).get("ShadowDiffers"), None, "both would close 3389");
    assert_eq!(status(function.invoke(&again).await), "duplicate");
    assert_eq!(metrics(&function).get("ShadowDiffers"), None);

    let (done, listed) = setting.countermand(&["incidents", "list", "--shadow-differs", "--format", "json"]).await;
    let listed: Vec<Value> = listed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(done && listed.len() == 1 && listed[0]["incident"] == ssh["incident"], "{listed:#?}");
    let (_, told) = setting.countermand(&["incidents", "show", incident.id.as_str()]).await;
    assert!(told.contains("shadow") && told.contains("exempt: forbidden by `ssh-is-fine`"), "{told}");

    // What the new policies would not have done can be taken back in one go.
    let (done, told) = setting.countermand(&["incidents", "undo", "--shadow-differs", "--yes"]).await;
    assert!(done, "{told}");
    let rules = setting.rules(&group).await;
    assert!(rules.len() == 2 && rules.iter().any(|rule| rule.starts_with("22 ")), "{rules:?}");
}

#[tokio::test]
async fn what_only_the_shadow_permits_is_recorded_and_left_alone() {
    let setting = Setting::with(OBSERVE).await;
    let function = shadowed(&setting, ENFORCE).await;
    let group = setting.group().await;
    for port in [22, 3389] {
        let seen = outcome(function.invoke(&setting.open(&group, port, &["0.0.0.0/0"]).await).await);
        assert_eq!((&seen["status"], &seen["shadow"]["verdict"]), (&json!("observed"), &json!("enforce")), "{seen:#}");
    }
    assert_eq!(setting.rules(&group).await.len(), 3);
    let calls = setting.account.proxy().calls();
    assert!(calls.iter().all(|call| !call.operation.starts_with("Revoke")));

    let (done, told) = setting.countermand(&["policy", "shadow", "--format", "json"]).await;
    let mut row: Value = serde_json::from_str(&told).unwrap();
    let newest = row.as_object_mut().unwrap().remove("newest").unwrap();
    assert!(done && setting.incidents().await.iter().any(|incident| incident.id.as_str() == newest), "{told}");
    assert_eq!(
        row,
        json!({"responder": "revoke-open-ingress", "differs": true, "findings": 2,
            "in_force": {"verdict": "observe", "policies": []}, "shadow": {"verdict": "enforce", "policies": ["all"]}})
    );
    let unshadowed = setting.function("revoke-open-ingress").await;
    let unseen = outcome(unshadowed.invoke(&setting.open(&group, 23, &["0.0.0.0/0"]).await).await);
    assert_eq!(unseen.get("shadow"), None);
    let (_, told) = setting.countermand(&["policy", "shadow"]).await;
    assert!(told.contains("2 findings were judged by both") && told.contains("the shadow differs in 2"), "{told}");
    assert!(told.contains("1 more had no shadow policies"), "{told}");
}

#[tokio::test]
async fn a_spent_budget_is_no_difference() {
    let limited = r#"@id("one") @limit("1/1h") permit (principal, action, resource);"#;
    let setting = Setting::with(limited).await;
    let function = shadowed(&setting, limited).await;
    for expected in ["contained", "pending"] {
        let group = setting.group().await;
        let seen = outcome(function.invoke(&setting.open(&group, 22, &["0.0.0.0/0"]).await).await);
        assert_eq!(seen["status"], expected);
        assert_eq!((&seen["shadow"]["verdict"], &seen["shadow"]["inForce"]), (&json!("enforce"), &json!("enforce")));
        assert_eq!(metrics(&function).get("ShadowDiffers"), None);
    }
}

#[tokio::test]
async fn an_approved_incident_is_judged_by_the_shadow_as_well() {
    let ask = r#"@id("ask") @mode("approve") permit (principal, action, resource);"#;
    let setting = Setting::with(ask).await;
    let function = shadowed(&setting, SPARES_SSH).await;
    let group = setting.group().await;
    assert_eq!(status(function.invoke(&setting.open(&group, 22, &["0.0.0.0/0"]).await).await), "pending");
    let incident = setting.incident().await;
    let (done, told) = setting.countermand(&["incidents", "approve", incident.id.as_str()]).await;
    assert!(done, "{told}");
    assert_eq!(status(function.invoke(&setting.event()).await), "contained", "a shadow's forbid forbids nothing");
    let shadow = setting.incident().await.shadow.unwrap();
    assert_eq!((shadow.verdict.as_str(), shadow.in_force.as_str()), ("exempt", "approve"));
}

#[tokio::test]
async fn a_broken_shadow_keeps_nothing_from_being_contained() {
    let setting = Setting::with(ENFORCE).await;
    let missing = ("COUNTERMAND_SHADOW_POLICIES", "/nowhere/at/all");
    let functions = [
        shadowed(&setting, "permit (principal, action").await,
        setting.function_with("revoke-open-ingress", &[missing]).await,
    ];
    for function in functions {
        let group = setting.group().await;
        let seen = outcome(function.invoke(&setting.open(&group, 22, &["0.0.0.0/0"]).await).await);
        assert_eq!((&seen["status"], seen.get("shadow")), (&json!("contained"), None));
        assert_eq!(setting.rules(&group).await.len(), 1);
        assert_eq!(metrics(&function)["ShadowBroken"], 1);
        let log = function.stdout().join("\n");
        assert!(log.contains("the shadow policies cannot be used"), "{log}");
    }
}

#[tokio::test]
async fn what_must_never_be_touched_is_so_for_both() {
    let setting = Setting::with(ENFORCE).await;
    setting.set_never_touch(&json!({"arn:aws:iam::123456789012:user/mallory": "a drill"}));
    let function = shadowed(&setting, ENFORCE).await;
    let group = setting.group().await;
    let seen = outcome(function.invoke(&setting.open(&group, 22, &["0.0.0.0/0"]).await).await);
    assert_eq!((&seen["status"], &seen["shadow"]["verdict"]), (&json!("exempt"), &json!("exempt")), "{seen:#}");
}
