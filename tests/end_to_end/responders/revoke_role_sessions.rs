//! `revoke-role-sessions` does what every responder must.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};
use stage::trail::{KeyFinding, guardduty_key_finding};

use super::{Exposure, Scenario, proves};
use crate::end_to_end::setting::{ENFORCE, Setting};

const TRUST: &str = r#"{"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}"#;

/// When GuardDuty saw it: before any machine's clock.
fn seen() -> DateTime<Utc> {
    DateTime::from_timestamp(1_750_000_000, 0).unwrap()
}

/// GuardDuty saw this key used by a session of the role, or by one that it does not name.
fn exfiltration(role: &str, principal_id: &str, key: &str) -> Value {
    let mut event = guardduty_key_finding(&KeyFinding {
        finding_type: "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS".to_owned(),
        severity: 8.0,
        user_type: "AssumedRole".to_owned(),
        ..KeyFinding::of_user(role, key, seen())
    });
    event["detail"]["resource"]["accessKeyDetails"]["principalId"] = principal_id.into();
    event
}

struct StolenSession;

impl StolenSession {
    async fn put(setting: &Setting, exposure: &Exposure, policy: &str, document: &str) {
        let iam = aws_sdk_iam::Client::new(&setting.operator);
        let call = iam.put_role_policy().role_name(&exposure.name).policy_name(policy).policy_document(document);
        call.send().await.unwrap();
        setting.account.events();
    }
}

impl Scenario for StolenSession {
    const NAME: &'static str = "revoke-role-sessions";
    const WAYS: usize = 2;

    async fn expose(setting: &Setting, way: usize, nth: u32) -> Exposure {
        let name = format!("role{nth}");
        let iam = aws_sdk_iam::Client::new(&setting.operator);
        let role = iam.create_role().role_name(&name).path("/service-role/").assume_role_policy_document(TRUST);
        let id = role.send().await.unwrap().role.unwrap().role_id;
        setting.account.events();
        let principal = if way == 0 { format!("{id}:i-0123456789abcdef0") } else { id };
        let event = exfiltration(&name, &principal, &format!("ASIA{nth:016}"));
        Exposure { name, event }
    }

    async fn look(setting: &Setting, exposure: &Exposure) -> Value {
        let iam = aws_sdk_iam::Client::new(&setting.operator);
        let names = iam.list_role_policies().role_name(&exposure.name).send().await.unwrap().policy_names;
        let mut policies = BTreeMap::new();
        for name in names {
            let policy = iam.get_role_policy().role_name(&exposure.name).policy_name(&name).send().await.unwrap();
            policies.insert(name, policy.policy_document);
        }
        setting.account.events();
        json!(policies)
    }

    /// Somebody revokes the role's sessions in the console.
    async fn mend(setting: &Setting, exposure: &Exposure) {
        let time = (seen() + TimeDelta::seconds(1)).to_rfc3339_opts(SecondsFormat::Millis, true);
        let revoked = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": ["*"], "Resource": ["*"],
            "Condition": {"DateLessThan": {"aws:TokenIssueTime": time}}}]});
        Self::put(setting, exposure, "AWSRevokeOlderSessions", &revoked.to_string()).await;
    }

    async fn meddle(setting: &Setting, exposure: &Exposure) -> bool {
        let weaker = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*"}]}"#;
        Self::put(setting, exposure, "countermand-deny-stolen-sessions", weaker).await;
        true
    }
}

proves!(StolenSession);

#[tokio::test]
async fn a_finding_on_credentials_is_one_responders_and_no_others() {
    let setting = Setting::with(ENFORCE).await;
    let functions = [setting.function("revoke-role-sessions").await, setting.function("disable-access-key").await];
    let iam = aws_sdk_iam::Client::new(&setting.operator);
    let role = iam.create_role().role_name("app").assume_role_policy_document(TRUST).send().await.unwrap();
    let role = role.role.unwrap().role_id;
    setting.key_for("alice").await;
    for (user_type, name, principal, key, by) in [
        ("AssumedRole", "app", format!("{role}:i-0123456789abcdef0").as_str(), "ASIAIOSFODNN7EXAMPLE", 0),
        ("FederatedUser", "bob", "123456789012:bob", "ASIAIOSFODNN7EXAMPL2", 0),
        ("IAMUser", "alice", "AIDAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE", 1),
        ("IAMUser", "alice", "AIDAIOSFODNN7EXAMPLE", "ASIAIOSFODNN7EXAMPL3", 1),
        ("Root", "Root", "123456789012", "AKIAIOSFODNN7EXAMPL2", 1),
    ] {
        let mut event = exfiltration(name, principal, key);
        event["detail"]["resource"]["accessKeyDetails"]["userType"] = user_type.into();
        for (nth, function) in functions.iter().enumerate() {
            let body = function.invoke(&event).await.unwrap().body;
            let found = body["outcomes"].as_array().unwrap().len();
            assert_eq!(found, usize::from(nth == by), "{user_type} {key}: {body:#}");
        }
    }
}
