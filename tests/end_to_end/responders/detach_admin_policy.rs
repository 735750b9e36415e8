//! `detach-admin-policy` does what every responder must, for each thing that can be given to somebody.

use aws_sdk_iam::Client;
use serde_json::{Value, json};

use super::{Exposure, Scenario, proves};
use crate::end_to_end::setting::{ENFORCE, Setting, outcome, status};

const NAME: &str = "detach-admin-policy";
const EVERYTHING: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
const FILES: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;
const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

/// Laid out as nobody but a person would, with characters that an encoding could lose.
const BY_HAND: &str = "{\n\t\"Version\": \"2012-10-17\",\r\n  \"Id\": \"50% + é & ü\",\n \"Statement\" : [ {\"Effect\":\"Allow\", \"Action\":[ \"iam:*\" ] ,\"Resource\": \"*\"} ]\n}\n";

fn administrator() -> &'static str {
    "arn:aws:iam::aws:policy/AdministratorAccess"
}

/// The name of a new resource is its kind and a number.
fn kind(name: &str) -> &str {
    name.trim_end_matches(|character: char| character.is_ascii_digit())
}

impl Setting {
    fn iam(&self) -> Client {
        Client::new(&self.operator)
    }

    async fn new_user(&self, name: &str) {
        self.iam().create_user().user_name(name).path("/people/").send().await.unwrap();
    }

    async fn new_role(&self, name: &str, path: &str) {
        self.iam().create_role().role_name(name).path(path).assume_role_policy_document(TRUST).send().await.unwrap();
    }

    async fn new_group(&self, name: &str) {
        self.iam().create_group().group_name(name).send().await.unwrap();
    }

    async fn new_policy(&self, name: &str, document: &str) -> String {
        let made = self.iam().create_policy().policy_name(name).path("/team/").policy_document(document).send().await;
        made.unwrap().policy.unwrap().arn.unwrap()
    }

    async fn put_inline(client: &Client, name: &str, document: &str) {
        match kind(name) {
            "user" => {
                let put = client.put_user_policy().user_name(name).policy_name("inline");
                put.policy_document(document).send().await.unwrap();
            }
            "role" => {
                let put = client.put_role_policy().role_name(name).policy_name("inline");
                put.policy_document(document).send().await.unwrap();
            }
            _ => {
                let put = client.put_group_policy().group_name(name).policy_name("inline");
                put.policy_document(document).send().await.unwrap();
            }
        }
    }

    /// Attached and inline policies, and groups.
    async fn has(&self, name: &str) -> Value {
        let (iam, inline) = (self.iam(), "inline");
        let (attached, document, groups) = match kind(name) {
            "user" => {
                let attached = iam.list_attached_user_policies().user_name(name).send().await.unwrap();
                let document = iam.get_user_policy().user_name(name).policy_name(inline).send().await;
                let groups = iam.list_groups_for_user().user_name(name).send().await.unwrap().groups;
                (attached.attached_policies, document.map(|it| it.policy_document).ok(), groups)
            }
            "role" => {
                let attached = iam.list_attached_role_policies().role_name(name).send().await.unwrap();
                let document = iam.get_role_policy().role_name(name).policy_name(inline).send().await;
                (attached.attached_policies, document.map(|it| it.policy_document).ok(), Vec::new())
            }
            _ => {
                let attached = iam.list_attached_group_policies().group_name(name).send().await.unwrap();
                let document = iam.get_group_policy().group_name(name).policy_name(inline).send().await;
                (attached.attached_policies, document.map(|it| it.policy_document).ok(), Vec::new())
            }
        };
        self.account.events();
        let attached: Vec<_> = attached.unwrap_or_default().into_iter().filter_map(|it| it.policy_arn).collect();
        json!([attached, document, groups.into_iter().map(|group| group.group_name).collect::<Vec<_>>()])
    }
}

struct Administrator;

impl Scenario for Administrator {
    const NAME: &'static str = NAME;
    const WAYS: usize = 11;

    async fn expose(setting: &Setting, way: usize, nth: u32) -> Exposure {
        let mallory = Client::new(&setting.attacker);
        let name = match way {
            0 | 3 | 6 | 10 => format!("user{nth}"),
            1 | 4 | 7 => format!("role{nth}"),
            2 | 5 | 8 => format!("group{nth}"),
            _ => format!("policy{nth}"),
        };
        let mut policy = String::new();
        match kind(&name) {
            "user" => setting.new_user(&name).await,
            "role" => setting.new_role(&name, "/app/").await,
            "group" => setting.new_group(&name).await,
            _ => policy = setting.new_policy(&name, FILES).await,
        }
        let other = format!("other{nth}");
        match way {
            1 => policy = setting.new_policy(&other, EVERYTHING).await,
            6..=8 => {
                Setting::put_inline(&setting.iam(), &name, FILES).await;
                let (done, said) = setting.countermand(&["baseline", "capture", "--responder", NAME]).await;
                assert!(done, "{said}");
            }
            10 => {
                setting.new_group(&other).await;
                let attach = setting.iam().attach_group_policy().group_name(&other).policy_arn(administrator());
                attach.send().await.unwrap();
                Setting::put_inline(&setting.iam(), &other, FILES).await;
            }
            _ => {}
        }
        setting.account.events();
        match way {
            0 => {
                let attach = mallory.attach_user_policy().user_name(&name).policy_arn(administrator());
                attach.send().await.unwrap();
            }
            1 => {
                mallory.attach_role_policy().role_name(&name).policy_arn(policy).send().await.unwrap();
            }
            2 => {
                let arn = "arn:aws:iam::aws:policy/IAMFullAccess";
                mallory.attach_group_policy().group_name(&name).policy_arn(arn).send().await.unwrap();
            }
            3..=8 => Setting::put_inline(&mallory, &name, BY_HAND).await,
            9 => {
                let made = mallory.create_policy_version().policy_arn(policy).policy_document(EVERYTHING);
                made.set_as_default(true).send().await.unwrap();
            }
            _ => {
                mallory.add_user_to_group().user_name(&name).group_name(&other).send().await.unwrap();
            }
        }
        Exposure { name, event: setting.event() }
    }

    async fn look(setting: &Setting, Exposure { name, .. }: &Exposure) -> Value {
        if kind(name) != "policy" {
            return setting.has(name).await;
        }
        let arn = format!("arn:aws:iam::{}:policy/team/{name}", stage::ACCOUNT);
        let policy = setting.iam().get_policy().policy_arn(arn).send().await.unwrap().policy.unwrap();
        setting.account.events();
        json!(policy.default_version_id)
    }

    async fn mend(setting: &Setting, Exposure { name, .. }: &Exposure) {
        let detach = setting.iam().detach_user_policy().user_name(name).policy_arn(administrator());
        detach.send().await.unwrap();
        setting.account.events();
    }

    async fn meddle(setting: &Setting, exposure: &Exposure) -> bool {
        let name = &exposure.name;
        match exposure.event["detail"]["eventName"].as_str().unwrap() {
            "CreatePolicyVersion" => {
                let arn = format!("arn:aws:iam::{}:policy/team/{name}", stage::ACCOUNT);
                let made = setting.iam().create_policy_version().policy_arn(arn).policy_document(FILES);
                made.set_as_default(true).send().await.unwrap();
            }
            "PutUserPolicy" | "PutRolePolicy" | "PutGroupPolicy" => {
                let other = FILES.replace("s3", "sqs");
                Setting::put_inline(&setting.iam(), name, &other).await;
            }
            // It is attached, or in the group, or it is not.
            _ => return false,
        }
        setting.account.events();
        true
    }
}

proves!(Administrator);

#[tokio::test]
async fn an_inline_policy_comes_back_byte_for_byte() {
    let setting = Setting::with(ENFORCE).await;
    let function = setting.function(NAME).await;
    let exposure = Administrator::expose(&setting, 4, 1).await;
    let before = setting.has("role1").await;
    let outcome = outcome(function.invoke(&exposure.event).await);
    assert_eq!(outcome["changes"][0]["did"], "delete inline policy inline of role role1", "{outcome:#}");
    assert_eq!(outcome["changes"][0]["change"]["takeAway"]["inline"]["document"], BY_HAND);
    assert_eq!(outcome["resource"], "arn:aws:iam::123456789012:role/app/role1");
    assert_eq!(setting.has("role1").await, json!([[], null, []]));
    let (done, said) =
        setting.countermand(&["incidents", "undo", outcome["incident"].as_str().unwrap(), "--yes"]).await;
    assert!(done, "{said}");
    assert_eq!(setting.has("role1").await, before);
}

#[tokio::test]
async fn only_this_attachment_is_removed() {
    let setting = Setting::with(ENFORCE).await;
    let function = setting.function(NAME).await;
    let policy = setting.new_policy("shared", EVERYTHING).await;
    for name in ["user1", "user2"] {
        setting.new_user(name).await;
    }
    setting.iam().attach_user_policy().user_name("user1").policy_arn(&policy).send().await.unwrap();
    setting.account.events();
    let mallory = Client::new(&setting.attacker);
    mallory.attach_user_policy().user_name("user2").policy_arn(&policy).send().await.unwrap();
    assert_eq!(status(function.invoke(&setting.event()).await), "contained");
    assert_eq!((&setting.has("user1").await[0], &setting.has("user2").await[0]), (&json!([policy]), &json!([])));
}

#[tokio::test]
async fn what_nobody_but_aws_may_change_or_nothing_can_replace_needs_a_person() {
    let setting = Setting::with(ENFORCE).await;
    let function = setting.function(NAME).await;
    let mallory = Client::new(&setting.attacker);
    let role = "AWSReservedSSO_Admins_0123456789abcdef";
    setting.new_role(role, "/aws-reserved/sso.amazonaws.com/").await;
    let policy = setting.new_policy("policy1", EVERYTHING).await;
    setting.account.events();

    mallory.attach_role_policy().role_name(role).policy_arn(administrator()).send().await.unwrap();
    let kept = outcome(function.invoke(&setting.event()).await);
    assert_eq!(kept["status"], "uncontainable", "{kept:#}");
    assert!(kept["because"].as_str().unwrap().contains("permission set"), "{kept:#}");

    let made = mallory.create_policy_version().policy_arn(&policy).policy_document(EVERYTHING);
    made.set_as_default(true).send().await.unwrap();
    let only = outcome(function.invoke(&setting.event()).await);
    assert_eq!(only["status"], "uncontainable", "{only:#}");
    assert!(only["because"].as_str().unwrap().contains("Make a version that allows less"), "{only:#}");
}
