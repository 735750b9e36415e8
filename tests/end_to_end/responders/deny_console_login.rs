//! `deny-console-login` does what every responder must.

use serde_json::{Value, json};

use super::{Exposure, Scenario, proves};
use crate::end_to_end::setting::{ENFORCE, Setting, outcome, status};

const POLICY: &str = "countermand-deny-console";

struct Console;

impl Console {
    /// A user with a password and an MFA device, and a policy of our name that somebody else wrote.
    async fn user(setting: &Setting, name: &str) {
        let iam = aws_sdk_iam::Client::new(&setting.operator);
        iam.create_user().user_name(name).path("/people/").send().await.unwrap();
        iam.create_login_profile().user_name(name).password("Not-a-secret-1").send().await.unwrap();
        let device = iam.create_virtual_mfa_device().virtual_mfa_device_name(name).send().await.unwrap();
        let serial = device.virtual_mfa_device.unwrap().serial_number;
        let call = iam.enable_mfa_device().user_name(name).serial_number(serial);
        call.authentication_code1("123456").authentication_code2("654321").send().await.unwrap();
        let somebodys = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"sns:*","Resource":"*"}]}"#;
        Self::put(setting, name, somebodys).await;
        setting.account.events();
    }

    async fn put(setting: &Setting, name: &str, document: &str) {
        let iam = aws_sdk_iam::Client::new(&setting.operator);
        iam.put_user_policy().user_name(name).policy_name(POLICY).policy_document(document).send().await.unwrap();
    }

    /// What AWS writes of a sign-in: the emulator has no console.
    fn login(name: &str, nth: u32) -> Value {
        let fixture = include_str!("../../../functions/deny-console-login/events/match/login-without-mfa.json");
        let mut event: Value = serde_json::from_str(fixture).unwrap();
        event["detail"]["userIdentity"]["userName"] = name.into();
        event["detail"]["userIdentity"]["arn"] = format!("arn:aws:iam::123456789012:user/people/{name}").into();
        event["detail"]["eventID"] = format!("login-{nth}").into();
        event
    }
}

impl Scenario for Console {
    const NAME: &'static str = "deny-console-login";
    const WAYS: usize = 3;

    async fn expose(setting: &Setting, way: usize, nth: u32) -> Exposure {
        let name = format!("user{nth}");
        Self::user(setting, &name).await;
        let iam = aws_sdk_iam::Client::new(&setting.attacker);
        let event = match way {
            0 => {
                iam.update_login_profile().user_name(&name).password("Known-to-me-2").send().await.unwrap();
                setting.event()
            }
            1 => {
                let serial = format!("arn:aws:iam::123456789012:mfa/{name}");
                iam.deactivate_mfa_device().user_name(&name).serial_number(serial).send().await.unwrap();
                setting.event()
            }
            _ => Self::login(&name, nth),
        };
        Exposure { name, event }
    }

    async fn look(setting: &Setting, exposure: &Exposure) -> Value {
        let iam = aws_sdk_iam::Client::new(&setting.operator);
        let policies = iam.list_user_policies().user_name(&exposure.name).send().await.unwrap().policy_names;
        let mut documents = Vec::new();
        for policy in policies {
            let policy = iam.get_user_policy().user_name(&exposure.name).policy_name(policy).send().await.unwrap();
            documents.push(policy.policy_document);
        }
        json!(documents)
    }

    async fn mend(setting: &Setting, exposure: &Exposure) {
        let iam = aws_sdk_iam::Client::new(&setting.operator);
        iam.delete_login_profile().user_name(&exposure.name).send().await.unwrap();
        setting.account.events();
    }

    async fn meddle(setting: &Setting, exposure: &Exposure) -> bool {
        let edited = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*"}]}"#;
        Self::put(setting, &exposure.name, edited).await;
        setting.account.events();
        true
    }
}

proves!(Console);

#[tokio::test]
async fn a_password_that_somebody_makes_is_denied_and_ones_own_is_not() {
    let setting = Setting::with(ENFORCE).await;
    let function = setting.function(Console::NAME).await;
    let operator = aws_sdk_iam::Client::new(&setting.operator);
    operator.create_user().user_name("alice").path("/people/").send().await.unwrap();
    setting.account.events();
    let attacker = aws_sdk_iam::Client::new(&setting.attacker);
    attacker.create_login_profile().user_name("alice").password("Known-to-me-2").send().await.unwrap();
    let made = setting.event();
    let mut own = made.clone();
    own["detail"]["userIdentity"]["arn"] = "arn:aws:iam::123456789012:user/people/alice".into();
    own["detail"]["userIdentity"]["userName"] = "alice".into();
    assert_eq!(function.invoke(&own).await.unwrap().body, json!({"outcomes": []}));
    let contained = outcome(function.invoke(&made).await);
    assert_eq!(
        (&contained["status"], &contained["resource"]),
        (&json!("contained"), &json!("arn:aws:iam::123456789012:user/people/alice"))
    );
    let policy = operator.get_user_policy().user_name("alice").policy_name(POLICY).send().await.unwrap();
    assert!(policy.policy_document.contains("DenySessions"), "{}", policy.policy_document);
    let id = contained["incident"].as_str().unwrap();
    let (done, said) = setting.countermand(&["incidents", "undo", id, "--yes"]).await;
    assert!(done, "{said}");
    let left = operator.list_user_policies().user_name("alice").send().await.unwrap().policy_names;
    assert_eq!(left, [""; 0], "there was none before");
}

#[tokio::test]
async fn a_sign_in_of_which_mfa_is_not_told_is_judged_by_the_users_devices() {
    let setting = Setting::with(ENFORCE).await;
    let function = setting.function(Console::NAME).await;
    Console::user(&setting, "bob").await;
    let mut login = Console::login("bob", 1);
    login["detail"]["additionalEventData"] = Value::Null;
    assert_eq!(status(function.invoke(&login).await), "already_safe");
    let iam = aws_sdk_iam::Client::new(&setting.operator);
    let serial = "arn:aws:iam::123456789012:mfa/bob";
    iam.deactivate_mfa_device().user_name("bob").serial_number(serial).send().await.unwrap();
    login["detail"]["eventID"] = "the next".into();
    assert_eq!(status(function.invoke(&login).await), "contained");
}

#[tokio::test]
async fn root_needs_a_person() {
    let setting = Setting::with(ENFORCE).await;
    let function = setting.function(Console::NAME).await;
    for fixture in [
        include_str!("../../../functions/deny-console-login/events/match/login-of-root.json"),
        include_str!("../../../functions/deny-console-login/events/match/login-of-root-with-mfa.json"),
        include_str!("../../../functions/deny-console-login/events/match/password-made-for-root.json"),
    ] {
        let event: Value = serde_json::from_str(fixture).unwrap();
        let outcome = outcome(function.invoke(&event).await);
        assert_eq!(outcome["status"], "uncontainable", "{outcome:#}");
        assert!(outcome["because"].as_str().unwrap().contains("root user"), "{outcome:#}");
    }
}
