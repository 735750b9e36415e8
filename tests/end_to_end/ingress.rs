//! `revoke-open-ingress`, end to end.

use remedy::State;
use serde_json::json;

use super::setting::{ENFORCE, Setting, outcome, permission, status};

const HTTPS: &str = r#"443 0.0.0.0/0 "as it was" "#;

#[tokio::test]
async fn an_open_port_is_closed_and_undo_opens_it_again() {
    let setting = Setting::with(ENFORCE).await;
    let group = setting.group().await;
    let function = setting.function("revoke-open-ingress").await;
    let event = setting.open(&group, 22, &["0.0.0.0/1", "128.0.0.0/1", "::/0"]).await;
    let opened = setting.rules(&group).await;

    let outcome = outcome(function.invoke(&event).await);
    assert_eq!(
        (&outcome["status"], &outcome["verdict"], &outcome["policies"], &outcome["actor"]),
        (&json!("contained"), &json!("enforce"), &json!(["all"]), &json!("arn:aws:iam::123456789012:user/mallory"))
    );
    assert_eq!(outcome["changes"].as_array().unwrap().len(), 3);
    assert_eq!(outcome["resource"], format!("arn:aws:ec2:us-east-1:123456789012:security-group/{group}"));
    assert_eq!(setting.rules(&group).await, [HTTPS]);

    let id = outcome["incident"].as_str().unwrap();
    let (done, said) = setting.countermand(&["incidents", "undo", id, "--yes"]).await;
    assert!(done, "{said}");
    let reopening = setting.account.events();
    assert_eq!(reopening.len(), 3, "{reopening:#?}");
    assert_eq!(setting.rules(&group).await, opened, "the same tuples, descriptions and tags");
    let incident = setting.incident().await;
    assert_eq!(incident.state, State::Undone);
    assert_eq!(incident.undone.unwrap().by, "arn:aws:iam::123456789012:user/olivia");

    for event in &reopening {
        assert_eq!(status(function.invoke(event).await), "exempt");
    }
    assert_eq!(status(function.invoke(&event).await), "duplicate");
    assert_eq!(setting.rules(&group).await, opened);
    let (done, said) = setting.countermand(&["incidents", "undo", id, "--yes"]).await;
    assert!(done && said.contains("was undone by"), "there is nothing left to do: {said}");
}

#[tokio::test]
async fn only_what_offends_goes() {
    let setting = Setting::with(ENFORCE).await;
    let group = setting.group().await;
    let function = setting.function("revoke-open-ingress").await;
    setting.open(&group, 22, &["85.10.0.0/16"]).await;
    let event = setting.open(&group, 22, &["0.0.0.0/0"]).await;
    assert_eq!(status(function.invoke(&event).await), "contained");
    assert_eq!(setting.rules(&group).await.len(), 2);
}

#[tokio::test]
async fn two_calls_that_are_harmless_alone_are_found_together() {
    let setting = Setting::with(ENFORCE).await;
    let group = setting.group().await;
    let function = setting.function("revoke-open-ingress").await;
    let first = setting.open(&group, 3389, &["11.0.0.0/8"]).await;
    assert_eq!(status(function.invoke(&first).await), "already_safe");
    let second = setting.open(&group, 3389, &["12.0.0.0/8"]).await;
    assert_eq!(status(function.invoke(&second).await), "contained");
    assert_eq!(setting.rules(&group).await, [r#"3389 11.0.0.0/8 "as it was" OPS-1"#, HTTPS]);
}

#[tokio::test]
async fn a_rule_that_is_changed_to_anywhere_is_found() {
    let setting = Setting::with(ENFORCE).await;
    let group = setting.group().await;
    let function = setting.function("revoke-open-ingress").await;
    let event = setting.open(&group, 22, &["85.10.0.0/16"]).await;
    let id = event.pointer("/detail/responseElements/securityGroupRuleSet/items/0/securityGroupRuleId").unwrap();
    let anywhere = aws_sdk_ec2::types::SecurityGroupRuleRequest::builder()
        .ip_protocol("tcp")
        .from_port(22)
        .to_port(22)
        .cidr_ipv4("0.0.0.0/0")
        .build();
    let update = aws_sdk_ec2::types::SecurityGroupRuleUpdate::builder()
        .security_group_rule_id(id.as_str().unwrap())
        .security_group_rule(anywhere)
        .build();
    let ec2 = aws_sdk_ec2::Client::new(&setting.attacker);
    ec2.modify_security_group_rules().group_id(&group).security_group_rules(update).send().await.unwrap();
    let event = setting.event();
    assert_eq!(event["detail"]["eventName"], "ModifySecurityGroupRules");
    assert_eq!(status(function.invoke(&event).await), "contained");
    assert_eq!(setting.rules(&group).await, [HTTPS]);
}

#[tokio::test]
async fn a_prefix_list_is_resolved() {
    let setting = Setting::with(ENFORCE).await;
    let group = setting.group().await;
    let function = setting.function("revoke-open-ingress").await;
    let ec2 = aws_sdk_ec2::Client::new(&setting.attacker);
    let entry = aws_sdk_ec2::types::AddPrefixListEntry::builder().cidr("0.0.0.0/1").build();
    let list = ec2.create_managed_prefix_list().prefix_list_name("partners").max_entries(5).address_family("IPv4");
    let list = list.entries(entry).send().await.unwrap().prefix_list.unwrap().prefix_list_id.unwrap();
    setting.account.events();
    let source = aws_sdk_ec2::types::PrefixListId::builder().prefix_list_id(list).build();
    let ssh = permission(22, &[]);
    let ssh = aws_sdk_ec2::types::IpPermission::builder()
        .ip_protocol("tcp")
        .set_from_port(ssh.from_port())
        .set_to_port(ssh.to_port())
        .prefix_list_ids(source)
        .build();
    ec2.authorize_security_group_ingress().group_id(&group).ip_permissions(ssh).send().await.unwrap();
    let event = setting.event();
    let outcome = outcome(function.invoke(&event).await);
    assert_eq!(outcome["status"], "contained", "{outcome:#}");
    assert_eq!(setting.rules(&group).await, [HTTPS]);
}

#[tokio::test]
async fn what_somebody_has_closed_is_already_safe() {
    let setting = Setting::with(ENFORCE).await;
    let group = setting.group().await;
    let function = setting.function("revoke-open-ingress").await;
    let event = setting.open(&group, 22, &["0.0.0.0/0"]).await;
    let ec2 = aws_sdk_ec2::Client::new(&setting.operator);
    ec2.revoke_security_group_ingress()
        .group_id(&group)
        .ip_permissions(permission(22, &["0.0.0.0/0"]))
        .send()
        .await
        .unwrap();
    assert_eq!(status(function.invoke(&event).await), "already_safe");
    assert_eq!(setting.incident().await.receipt, []);
}

#[tokio::test]
async fn a_deleted_group_is_already_safe() {
    let setting = Setting::with(ENFORCE).await;
    let group = setting.group().await;
    let function = setting.function("revoke-open-ingress").await;
    let event = setting.open(&group, 22, &["0.0.0.0/0"]).await;
    let ec2 = aws_sdk_ec2::Client::new(&setting.operator);
    ec2.delete_security_group().group_id(&group).send().await.unwrap();
    assert_eq!(status(function.invoke(&event).await), "already_safe");
}

#[tokio::test]
async fn without_a_permit_it_only_observes_and_a_forbid_exempts() {
    for (policies, expected, reason) in [
        ("", "observed", "no policy"),
        (
            r#"@id("all") permit (principal, action, resource);
               @id("lab") @reason("CHG-1234") forbid (principal, action, resource in Account::"123456789012");"#,
            "exempt",
            "CHG-1234",
        ),
        (r#"@id("ask") @mode("approve") permit (principal, action, resource);"#, "pending", "ask"),
    ] {
        let setting = Setting::with(policies).await;
        let group = setting.group().await;
        let function = setting.function("revoke-open-ingress").await;
        let event = setting.open(&group, 22, &["0.0.0.0/0"]).await;
        let outcome = outcome(function.invoke(&event).await);
        assert_eq!(outcome["status"], expected, "{outcome:#}");
        assert!(outcome["because"].as_str().unwrap().contains(reason), "{outcome:#}");
        assert_eq!(setting.rules(&group).await.len(), 2, "nothing was changed");
        let incident = setting.incident().await;
        assert_eq!((incident.plan.len(), incident.receipt.len()), (1, 0), "what would be done is recorded");
    }
}

#[tokio::test]
async fn no_policy_overrides_the_never_touch_list() {
    let setting = Setting::with(ENFORCE).await;
    let group = setting.group().await;
    let event = setting.open(&group, 22, &["0.0.0.0/0"]).await;
    for listed in [
        "arn:aws:iam::123456789012:user/mallory".to_owned(),
        format!("arn:aws:ec2:us-east-1:123456789012:security-group/{group}"),
    ] {
        setting.set_never_touch(&json!({ listed.as_str(): "it keeps the lights on" }));
        let function = setting.function("revoke-open-ingress").await;
        let mut event = event.clone();
        event["detail"]["eventID"] = json!(listed);
        let outcome = outcome(function.invoke(&event).await);
        assert_eq!(
            (&outcome["status"], &outcome["policies"]),
            (&json!("exempt"), &json!(["never-touch"])),
            "{outcome:#}"
        );
        assert!(outcome["because"].as_str().unwrap().contains("lights"), "{outcome:#}");
    }
    assert_eq!(setting.rules(&group).await.len(), 2);
}

#[tokio::test]
async fn twenty_deliveries_at_once_have_one_effect() {
    let setting = Setting::with(ENFORCE).await;
    let group = setting.group().await;
    let event = setting.open(&group, 22, &["0.0.0.0/0"]).await;
    let mut functions = Vec::new();
    for _ in 0..20 {
        functions.push(setting.function("revoke-open-ingress").await);
    }
    let mut statuses = std::collections::BTreeMap::new();
    let deliveries = functions.iter().map(|function| function.invoke(&event));
    for answer in futures_util::future::join_all(deliveries).await {
        *statuses.entry(status(answer)).or_insert(0) += 1;
    }
    assert_eq!(statuses, [("contained".to_owned(), 1), ("duplicate".to_owned(), 19)].into());
    let revokes =
        setting.account.proxy().calls().iter().filter(|call| call.operation == "RevokeSecurityGroupIngress").count();
    assert_eq!(revokes, 1);
    assert_eq!(setting.incident().await.receipt.len(), 1);
}

#[tokio::test]
async fn a_spent_budget_asks_a_person() {
    let setting = Setting::with(r#"@id("few") @limit("2/1h") permit (principal, action, resource);"#).await;
    let group = setting.group().await;
    let function = setting.function("revoke-open-ingress").await;
    let mut statuses = Vec::new();
    for port in [22, 3389, 5432, 3306] {
        let event = setting.open(&group, port, &["0.0.0.0/0"]).await;
        let answer = outcome(function.invoke(&event).await);
        statuses.push((answer["status"].as_str().unwrap().to_owned(), answer.get("spent").cloned()));
        assert_eq!(status(function.invoke(&event).await), "duplicate");
    }
    let (contained, pending) = (("contained".to_owned(), None), ("pending".to_owned(), Some("few".into())));
    assert_eq!(statuses, [contained.clone(), contained, pending.clone(), pending]);
    assert_eq!(setting.rules(&group).await.len(), 3, "the last two ports stay open until a person decides");
    let counted = function.stdout().iter().filter(|line| line.contains("\"BudgetSpent\":1")).count();
    assert_eq!(counted, 2, "once for each finding, and not for its second delivery");
}

#[tokio::test]
async fn undo_leaves_alone_what_somebody_has_opened_again() {
    let setting = Setting::with(ENFORCE).await;
    let group = setting.group().await;
    let function = setting.function("revoke-open-ingress").await;
    let event = setting.open(&group, 22, &["0.0.0.0/0", "::/0"]).await;
    let outcome = outcome(function.invoke(&event).await);
    let id = outcome["incident"].as_str().unwrap();
    // Somebody opens one of the two again by hand: that one needs no undo any more.
    let ec2 = aws_sdk_ec2::Client::new(&setting.operator);
    ec2.authorize_security_group_ingress()
        .group_id(&group)
        .ip_permissions(permission(22, &["::/0"]))
        .send()
        .await
        .unwrap();
    let (done, said) = setting.countermand(&["incidents", "undo", id, "--dry-run"]).await;
    assert!(done && said.contains("authorize tcp/22 from 0.0.0.0/0"), "{said}");
    assert_eq!(setting.rules(&group).await.len(), 2, "a dry run changes nothing");
    let (done, said) = setting.countermand(&["incidents", "undo", id, "--yes"]).await;
    assert!(done, "{said}");
    assert_eq!(setting.rules(&group).await.len(), 3);
}
