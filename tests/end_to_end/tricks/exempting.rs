//! Attempts to be left alone.

use aws_sdk_ec2::types::Tag;
use remedy::State;
use serde_json::json;
use stage::trail::Identity;

use super::{ENFORCE, Setting};
use crate::end_to_end::setting::{REGION, outcome};
use crate::generated::read;

/// The two policies on tags in the guide: the one it warns of, and the one it advises.
fn guide() -> [String; 2] {
    let text = read("policies/exempt.cedar");
    let (_, on_tags) = text.split_once("// Tags work as well").unwrap();
    let policies: String = on_tags.lines().filter_map(|line| line.strip_prefix("//   ")).collect::<Vec<_>>().join("\n");
    let policies = policies.replace("111122223333", "123456789012");
    let (warned, advised) = policies.split_once(';').unwrap();
    [format!("{warned};"), advised.to_owned()]
}

#[tokio::test]
async fn a_tag_of_the_attackers_exempts_only_where_a_policy_rests_on_it_alone() {
    let [warned, advised] = guide();
    let network = || Identity::role_session("network", "alice");
    for (policy, who, expected) in [
        (&warned, Identity::user("mallory"), State::Exempt),
        (&advised, Identity::user("mallory"), State::Contained),
        (&advised, Identity::role_session("dev", "network"), State::Contained),
        (&advised, network(), State::Exempt),
    ] {
        let setting = Setting::with(&format!("{ENFORCE}\n@id(\"by-tag\")\n{policy}")).await;
        let group = setting.group().await;
        let who = setting.account.acting_as(who, REGION).await;
        let exempt = Tag::builder().key("countermand").value("exempt").build();
        aws_sdk_ec2::Client::new(&who).create_tags().resources(&group).tags(exempt).send().await.unwrap();
        let event = setting.open_as(&who, &group, 22, &["0.0.0.0/0"]).await;
        let outcome = outcome(setting.function("revoke-open-ingress").await.invoke(&event).await);
        let writes = setting.writes();
        let incident = setting.incident_called(&outcome["incident"]).await;
        let policies: Vec<_> = incident.policies.iter().map(|cause| cause.id.as_str()).collect();
        let tags = incident.resource.tags.unwrap();
        assert_eq!(tags.get("countermand").map(String::as_str), Some("exempt"), "the tag is kept as evidence");
        if expected == State::Exempt {
            assert_eq!((incident.state, policies, writes), (expected, vec!["by-tag"], vec![]), "{policy}");
            assert_eq!((incident.plan.len(), setting.rules(&group).await.len()), (1, 2), "{policy}");
        } else {
            assert_eq!((incident.state, policies, writes.len()), (expected, vec!["all"], 1), "{policy}");
            assert_eq!(setting.rules(&group).await.len(), 1, "{policy}");
        }
    }
}

#[tokio::test]
async fn nobody_passes_for_an_exempt_role_but_its_sessions() {
    let role = "arn:aws:iam::123456789012:role/ops/break-glass";
    let exempting = format!(r#"{ENFORCE} @id("break-glass") forbid (principal == Role::"{role}", action, resource);"#);
    let setting = Setting::with(&exempting).await;
    let function = setting.function("revoke-open-ingress").await;
    let group = setting.group().await;
    let mut ends = Vec::new();
    for (port, who) in [
        (22, Identity::user("break-glass")),
        (23, Identity::user("ops/break-glass")),
        (3389, Identity::role_session("dev", "break-glass")),
        (5432, Identity::role_session("dev", role)),
        (3306, Identity::role_session("other/ops/break-glass", "y")),
        (1433, Identity::role_session("ops/break-glass2", "x")),
        (6379, Identity::role_session("ops/break-glass", "x")),
    ] {
        let who = setting.account.acting_as(who, REGION).await;
        let mut event = setting.open_as(&who, &group, port, &["0.0.0.0/0"]).await;
        event["detail"]["userAgent"] = json!(role);
        let outcome = outcome(function.invoke(&event).await);
        ends.push((port, outcome["status"].clone(), setting.writes().len()));
        assert_eq!(
            setting.incident_called(&outcome["incident"]).await.user_agent.as_deref(),
            Some(role),
            "as evidence"
        );
    }
    let contained = [22, 23, 3389, 5432, 3306, 1433].map(|port| (port, json!("contained"), 1));
    assert_eq!(ends[..6], contained);
    assert_eq!(ends[6], (6379, json!("exempt"), 0));
}
