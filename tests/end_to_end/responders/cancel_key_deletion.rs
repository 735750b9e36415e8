//! `cancel-key-deletion` does what every responder must, and keeps to captured policies and periods.

use aws_sdk_kms::Client;
use lambda::DynamoLedger;
use policy::{Resource, ResourceKind};
use remedy::MemoryKey;
use serde_json::{Value, json};
use stage::{Fault, Params, When};

use super::{Exposure, Scenario, proves};
use crate::end_to_end::setting::{ENFORCE, Setting, TABLE, outcome};

struct EndangeredKey;

/// The ways in which a key is endangered here.
const SCHEDULED: usize = 0;
const DISABLED: usize = 1;
const UNROTATED: usize = 2;

/// A policy that lets in the account, and whom else these statements name.
fn policy(more: &[Value]) -> String {
    let root = format!("arn:aws:iam::{}:root", stage::ACCOUNT);
    let own = json!({"Effect": "Allow", "Principal": {"AWS": root}, "Action": "kms:*", "Resource": "*"});
    let statements: Vec<&Value> = [&own].into_iter().chain(more).collect();
    json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}

fn decrypting(principal: &Value) -> Value {
    json!({"Effect": "Allow", "Principal": principal, "Action": "kms:Decrypt", "Resource": "*"})
}

/// The id of a new key, as it should be.
async fn key(setting: &Setting) -> String {
    let kms = Client::new(&setting.operator);
    let made = kms.create_key().policy(policy(&[])).send().await.unwrap().key_metadata.unwrap();
    kms.enable_key_rotation().key_id(&made.key_id).send().await.unwrap();
    setting.account.events();
    made.key_id
}

async fn put(setting: &Setting, id: &str, policy: &str) -> Value {
    setting.account.events();
    let kms = Client::new(&setting.attacker);
    kms.put_key_policy().key_id(id).policy_name("default").policy(policy).send().await.unwrap();
    setting.event()
}

async fn policy_of(setting: &Setting, id: &str) -> String {
    let found = Client::new(&setting.operator).get_key_policy().key_id(id).policy_name("default").send().await;
    found.unwrap().policy.unwrap()
}

impl Scenario for EndangeredKey {
    const NAME: &'static str = "cancel-key-deletion";
    const WAYS: usize = 4;

    async fn expose(setting: &Setting, way: usize, _: u32) -> Exposure {
        let name = key(setting).await;
        let kms = Client::new(&setting.attacker);
        match way {
            SCHEDULED => {
                drop(kms.schedule_key_deletion().key_id(&name).pending_window_in_days(7).send().await.unwrap());
            }
            DISABLED => drop(kms.disable_key().key_id(&name).send().await.unwrap()),
            UNROTATED => drop(kms.disable_key_rotation().key_id(&name).send().await.unwrap()),
            _ => {
                let event = put(setting, &name, &policy(&[decrypting(&json!("*"))])).await;
                return Exposure { name, event };
            }
        }
        Exposure { name, event: setting.event() }
    }

    async fn look(setting: &Setting, exposure: &Exposure) -> Value {
        let (kms, id) = (Client::new(&setting.operator), &exposure.name);
        let found = kms.describe_key().key_id(id).send().await.unwrap().key_metadata.unwrap();
        let rotation = kms.get_key_rotation_status().key_id(id).send().await.unwrap();
        let policy = policy_of(setting, id).await;
        json!([found.key_state.unwrap().as_str(), rotation.key_rotation_enabled, policy])
    }

    async fn mend(setting: &Setting, exposure: &Exposure) {
        let kms = Client::new(&setting.operator);
        kms.cancel_key_deletion().key_id(&exposure.name).send().await.unwrap();
        kms.enable_key().key_id(&exposure.name).send().await.unwrap();
        setting.account.events();
    }

    /// A key is to be deleted or not, enabled or not, rotating or not.
    async fn meddle(setting: &Setting, exposure: &Exposure) -> bool {
        if exposure.event["detail"]["eventName"] != "PutKeyPolicy" {
            return false;
        }
        put(setting, &exposure.name, &policy(&[decrypting(&json!({"Service": "sns.amazonaws.com"}))])).await;
        true
    }
}

proves!(EndangeredKey);

#[tokio::test]
async fn what_was_captured_of_a_policy_is_put_back() {
    let setting = Setting::with(ENFORCE).await;
    let function = setting.function(EndangeredKey::NAME).await;
    let id = key(&setting).await;
    let partner = decrypting(&json!({"AWS": "arn:aws:iam::210987654321:root"}));
    let wanted = policy(std::slice::from_ref(&partner));
    put(&setting, &id, &wanted).await;
    let (done, said) = setting.countermand(&["baseline", "capture", "--responder", EndangeredKey::NAME]).await;
    assert!(done && said.contains(&id), "{said}");

    let more = decrypting(&json!({"Service": "sns.amazonaws.com"}));
    let event = put(&setting, &id, &policy(&[partner.clone(), more.clone()])).await;
    let seen = outcome(function.invoke(&event).await);
    assert_eq!(seen["status"], "already_safe", "the partner was there when it was captured: {seen:#}");

    let event = put(&setting, &id, &policy(&[partner, decrypting(&json!("*")), more])).await;
    let seen = outcome(function.invoke(&event).await);
    assert_eq!(seen["status"], "contained", "{seen:#}");
    assert_eq!(policy_of(&setting, &id).await, wanted);
}

#[tokio::test]
async fn rotation_comes_back_with_the_captured_period() {
    let setting = Setting::with(ENFORCE).await;
    let function = setting.function(EndangeredKey::NAME).await;
    let exposure = EndangeredKey::expose(&setting, UNROTATED, 1).await;
    // The emulator knows no periods: what `capture` would have stored.
    let arn = format!("arn:aws:kms:us-east-1:{}:key/{}", stage::ACCOUNT, exposure.name);
    let arn = cloudtrail::Arn::parse(&arn).unwrap();
    let resource = Resource { kind: ResourceKind::new("Key"), arn, tags: None };
    let captured = json!({"enabled": true, "rotation": {"on": true, "days": 180}, "policy": policy(&[])});
    let ledger = DynamoLedger::new(&setting.operator, TABLE);
    let memory = MemoryKey::of(EndangeredKey::NAME, &resource);
    ledger.store_baseline(&memory, &captured, chrono::DateTime::UNIX_EPOCH).await.unwrap();
    setting.account.proxy().clear();
    let seen = outcome(function.invoke(&exposure.event).await);
    assert_eq!(seen["status"], "contained", "{seen:#}");
    let calls = setting.account.proxy().clear();
    let call = calls.iter().find(|call| call.operation == "EnableKeyRotation").unwrap();
    assert_eq!(call.params, Params::Json(json!({"KeyId": exposure.name, "RotationPeriodInDays": 180})));
}

#[tokio::test]
async fn a_key_that_keeps_us_out_needs_aws_support() {
    let setting = Setting::with(ENFORCE).await;
    let function = setting.function(EndangeredKey::NAME).await;
    let id = key(&setting).await;
    let ransom = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "kms:*", "Resource": "*",
        "Principal": {"AWS": "arn:aws:iam::210987654321:root"}}]});
    let event = put(&setting, &id, &ransom.to_string()).await;
    setting.account.proxy().inject(Fault::Denied, When::operation("kms", "GetKeyPolicy"), 100);
    let seen = outcome(function.invoke(&event).await);
    setting.account.proxy().heal();
    assert_eq!(seen["status"], "uncontainable", "{seen:#}");
    assert!(seen["because"].as_str().unwrap().contains("AWS Support"), "{seen:#}");
    assert_eq!(policy_of(&setting, &id).await, ransom.to_string());
}

#[tokio::test]
async fn a_key_that_is_gone_is_safe() {
    let setting = Setting::with(ENFORCE).await;
    let function = setting.function(EndangeredKey::NAME).await;
    let exposure = EndangeredKey::expose(&setting, SCHEDULED, 1).await;
    let gone = exposure.event.to_string().replace(&exposure.name, "00000000-0000-0000-0000-000000000000");
    let seen = outcome(function.invoke(&serde_json::from_str(&gone).unwrap()).await);
    assert_eq!(seen["status"], "already_safe", "{seen:#}");
}
