//! `disable-access-key` does what every responder must.

use serde_json::{Value, json};
use stage::trail::health_exposed_key;

use super::{Exposure, Scenario, answers_as_policies_say, needs_all_it_may, one_failure_loses_nothing};
use crate::end_to_end::setting::Setting;

struct KeyForAnother;

impl KeyForAnother {
    async fn set(setting: &Setting, user: &str, status: &str) {
        let iam = aws_sdk_iam::Client::new(&setting.operator);
        let keys = iam.list_access_keys().user_name(user).send().await.unwrap().access_key_metadata;
        let key = keys[0].access_key_id().unwrap();
        iam.update_access_key().user_name(user).access_key_id(key).status(status.into()).send().await.unwrap();
        setting.account.events();
    }
}

impl Scenario for KeyForAnother {
    const NAME: &'static str = "disable-access-key";
    const WAYS: usize = 2;

    async fn expose(setting: &Setting, way: usize, nth: u32) -> Exposure {
        let name = format!("user{nth}");
        let made = setting.key_for(&name).await;
        if way == 0 {
            return Exposure { name, event: made };
        }
        let key = made.pointer("/detail/responseElements/accessKey/accessKeyId").unwrap().as_str().unwrap();
        let at = chrono::DateTime::from_timestamp(1_795_330_800, 0).unwrap();
        Exposure { name, event: health_exposed_key(stage::ACCOUNT, key, at) }
    }

    async fn look(setting: &Setting, exposure: &Exposure) -> Value {
        let iam = aws_sdk_iam::Client::new(&setting.operator);
        let policies = iam.list_user_policies().user_name(&exposure.name).send().await.unwrap().policy_names;
        let mut documents = Vec::new();
        for policy in policies {
            let policy = iam.get_user_policy().user_name(&exposure.name).policy_name(policy).send().await.unwrap();
            documents.push(policy.policy_document);
        }
        json!([setting.user(&exposure.name).await.0, documents])
    }

    async fn mend(setting: &Setting, exposure: &Exposure) {
        Self::set(setting, &exposure.name, "Inactive").await;
    }

    async fn meddle(setting: &Setting, exposure: &Exposure) -> bool {
        let iam = aws_sdk_iam::Client::new(&setting.operator);
        let user = &exposure.name;
        let policy = iam.list_user_policies().user_name(user).send().await.unwrap().policy_names.remove(0);
        let edited = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*"}]}"#;
        iam.put_user_policy().user_name(user).policy_name(policy).policy_document(edited).send().await.unwrap();
        setting.account.events();
        true
    }
}

#[tokio::test]
async fn it_answers_as_policies_say() {
    answers_as_policies_say::<KeyForAnother>().await;
}

#[tokio::test]
async fn it_needs_all_it_may() {
    needs_all_it_may::<KeyForAnother>().await;
}

#[tokio::test]
async fn one_failure_at_any_call_loses_nothing() {
    one_failure_loses_nothing::<KeyForAnother>().await;
}
