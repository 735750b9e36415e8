//! `restore-role-trust` does what every responder must.

use serde_json::{Value, json};

use super::{Exposure, Scenario, proves};
use crate::end_to_end::setting::{ENFORCE, Setting, outcome};

const SERVICE: &str =
    r#"{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}"#;
const FOREIGN: &str =
    r#"{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::444455556666:root"}, "Action": "sts:AssumeRole"}"#;
const WITH_MFA: &str = r#"{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
    "Action": "sts:AssumeRole", "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}"#;
const WITHOUT_MFA: &str =
    r#"{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "sts:AssumeRole"}"#;

fn trust(statements: &[&str]) -> String {
    format!(r#"{{"Version": "2012-10-17", "Statement": [{}]}}"#, statements.join(" , "))
}

/// The operator's role, with this trust.
async fn role(setting: &Setting, name: &str, trust: &str) {
    let iam = aws_sdk_iam::Client::new(&setting.operator);
    iam.create_role().role_name(name).path("/team/").assume_role_policy_document(trust).send().await.unwrap();
    setting.account.events();
}

/// The attacker writes another trust; the event of it.
async fn open(setting: &Setting, name: &str, trust: &str) -> Value {
    setting.account.events();
    let iam = aws_sdk_iam::Client::new(&setting.attacker);
    iam.update_assume_role_policy().role_name(name).policy_document(trust).send().await.unwrap();
    setting.event()
}

/// The trust policy as IAM gives it, and the names of the inline policies.
async fn look(setting: &Setting, name: &str) -> (String, Vec<String>) {
    let iam = aws_sdk_iam::Client::new(&setting.operator);
    let role = iam.get_role().role_name(name).send().await.unwrap().role.unwrap();
    let policies = iam.list_role_policies().role_name(name).send().await.unwrap().policy_names;
    setting.account.events();
    (role.assume_role_policy_document.unwrap(), policies)
}

struct OpenedTrust;

impl OpenedTrust {
    async fn write(setting: &Setting, exposure: &Exposure, statement: &str) {
        let iam = aws_sdk_iam::Client::new(&setting.operator);
        let document = trust(&[statement]);
        iam.update_assume_role_policy().role_name(&exposure.name).policy_document(document).send().await.unwrap();
        setting.account.events();
    }
}

impl Scenario for OpenedTrust {
    const NAME: &'static str = "restore-role-trust";
    const WAYS: usize = 2;

    async fn expose(setting: &Setting, way: usize, nth: u32) -> Exposure {
        let name = format!("role{nth}");
        if way == 0 {
            role(setting, &name, &trust(&[SERVICE])).await;
            let event = open(setting, &name, &trust(&[SERVICE, FOREIGN])).await;
            return Exposure { name, event };
        }
        setting.account.events();
        let iam = aws_sdk_iam::Client::new(&setting.attacker);
        let document = trust(&[FOREIGN]);
        iam.create_role().role_name(&name).assume_role_policy_document(document).send().await.unwrap();
        Exposure { name, event: setting.event() }
    }

    async fn look(setting: &Setting, exposure: &Exposure) -> Value {
        json!(look(setting, &exposure.name).await)
    }

    async fn mend(setting: &Setting, exposure: &Exposure) {
        Self::write(setting, exposure, SERVICE).await;
    }

    async fn meddle(setting: &Setting, exposure: &Exposure) -> bool {
        Self::write(setting, exposure, WITH_MFA).await;
        true
    }
}

proves!(OpenedTrust);

#[tokio::test]
async fn what_was_captured_is_put_back_where_mfa_is_no_longer_asked_for() {
    let setting = Setting::with(ENFORCE).await;
    role(&setting, "admin", &trust(&[SERVICE, WITH_MFA])).await;
    let (captured, _) = look(&setting, "admin").await;
    let (done, said) = setting.countermand(&["baseline", "capture", "--responder", "restore-role-trust"]).await;
    assert!(done, "{said}");
    let function = setting.function("restore-role-trust").await;

    let event = open(&setting, "admin", &trust(&[SERVICE, WITHOUT_MFA])).await;
    assert_ne!(look(&setting, "admin").await.0, captured);
    let outcome = outcome(function.invoke(&event).await);
    assert_eq!(outcome["status"], "contained", "{outcome:#}");
    assert_eq!(outcome["resource"], "arn:aws:iam::123456789012:role/team/admin", "the path is looked up");
    let cut_off = "countermand-deny-sessions-of-opened-trust".to_owned();
    assert_eq!(look(&setting, "admin").await, (captured, vec![cut_off]));
}

#[tokio::test]
async fn without_a_baseline_nobody_can_tell_what_was_asked_for() {
    let setting = Setting::with(ENFORCE).await;
    role(&setting, "admin", &trust(&[WITH_MFA])).await;
    let function = setting.function("restore-role-trust").await;
    let event = open(&setting, "admin", &trust(&[WITHOUT_MFA])).await;
    assert_eq!(outcome(function.invoke(&event).await)["status"], "already_safe");
}
