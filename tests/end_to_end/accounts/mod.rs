//! Three accounts of an organization and two regions of each, watched by one function in one of them.

mod isolation;
mod operators;
mod sessions;

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials;
use aws_sdk_ec2::types::Filter;
use serde_json::{Value, json};
use stage::trail::Identity;
use stage::{Call, Function, FunctionError};

use super::setting::{REGION, Setting, permission};

const HUB: &str = stage::ACCOUNT;
const MEMBERS: [&str; 2] = ["111122223333", "444455556666"];
const REGIONS: [&str; 2] = [REGION, "eu-west-1"];
const ROLE: &str = "countermand-member";

/// A security group called `web` that somebody opens, in one account and region.
struct Place {
    account: &'static str,
    region: &'static str,
    mallory: SdkConfig,
    group: String,
}

impl Setting {
    /// The hub of an organization of these accounts.
    async fn hub(policies: &str) -> Self {
        let setting = Self::with(policies).await;
        setting.set_organization(&json!({ MEMBERS[0]: ["r-abcd"], MEMBERS[1]: ["r-abcd"] }));
        setting
    }

    async fn traveller(&self, name: &str, more: &[(&'static str, &str)]) -> Function {
        let own = format!("arn:aws:iam::{HUB}:role/{name}");
        let settings =
            [("COUNTERMAND_ROLE", ROLE), ("COUNTERMAND_EXTERNAL_ID", "3c1f"), ("COUNTERMAND_OWN_ROLES", own.as_str())];
        self.function_with(name, &[&settings, more].concat()).await
    }

    /// Credentials that the emulator takes for that account's.
    async fn credentials_in(&self, account: &str) -> Credentials {
        let provider = AssumeRoleProvider::builder(format!("arn:aws:iam::{account}:role/people"));
        let provider = provider.session_name("people").configure(&self.operator).build().await;
        provider.provide_credentials().await.unwrap()
    }

    async fn somebody_in(&self, account: &str, region: &str, who: Identity) -> SdkConfig {
        let credentials = self.credentials_in(account).await;
        self.account.signing_with(credentials, who.in_account(account), region).await
    }

    /// A group that nobody has opened yet.
    async fn place(&self, account: &'static str, region: &'static str) -> Place {
        let mallory = self.somebody_in(account, region, Identity::user("mallory")).await;
        let ec2 = aws_sdk_ec2::Client::new(&mallory);
        let vpc = ec2.create_vpc().cidr_block("10.1.0.0/16").send().await.unwrap().vpc.unwrap().vpc_id.unwrap();
        let group = ec2.create_security_group().group_name("web").description("web").vpc_id(vpc).send().await.unwrap();
        self.account.events();
        Place { account, region, mallory, group: group.group_id.unwrap() }
    }
}

impl Place {
    /// Somebody opens a port; the event of it.
    async fn exposed(&self, setting: &Setting) -> Value {
        self.exposed_by(setting, &self.mallory, 22).await
    }

    async fn exposed_by(&self, setting: &Setting, who: &SdkConfig, port: i32) -> Value {
        setting.account.events();
        let open = aws_sdk_ec2::Client::new(who).authorize_security_group_ingress().group_id(&self.group);
        open.ip_permissions(permission(port, &["0.0.0.0/0"])).send().await.unwrap();
        let event = setting.event();
        assert_eq!((&event["account"], &event["region"]), (&json!(self.account), &json!(self.region)));
        event
    }

    /// How many rules let anybody in.
    async fn open(&self) -> usize {
        let filter = Filter::builder().name("group-id").values(&self.group).build();
        let rules = aws_sdk_ec2::Client::new(&self.mallory).describe_security_group_rules().filters(filter);
        let rules = rules.send().await.unwrap();
        rules.security_group_rules().iter().filter(|rule| rule.is_egress() != Some(true)).count()
    }
}

async fn open(places: &[Place]) -> Vec<usize> {
    let mut open = Vec::new();
    for place in places {
        open.push(place.open().await);
    }
    open
}

fn failure(answer: Result<stage::Answer, FunctionError>) -> (String, String) {
    match answer {
        Err(FunctionError::Failed { error_type, error_message }) => (error_type, error_message),
        other => panic!("{other:?}"),
    }
}

/// What a session was asked for: the role, the session's name, the external id and the tags.
#[derive(Debug, PartialEq)]
struct Assumed {
    role: String,
    session: String,
    external_id: Option<String>,
    tags: BTreeMap<String, String>,
    key: String,
}

impl Assumed {
    fn of(call: &Call) -> Option<Self> {
        let param = |name: &str| call.param(name).map(str::to_owned);
        let tag = |number: u32| {
            let tag = format!("Tags.member.{number}");
            Some((param(&format!("{tag}.Key"))?, param(&format!("{tag}.Value"))?))
        };
        let (_, key) = call.response_body.split_once("<AccessKeyId>")?;
        (call.operation == "AssumeRole").then(|| Self {
            role: param("RoleArn").unwrap(),
            session: param("RoleSessionName").unwrap(),
            external_id: param("ExternalId"),
            tags: (1..).map_while(tag).collect(),
            key: key.split_once('<').unwrap().0.to_owned(),
        })
    }

    fn is_to_write(&self) -> bool {
        self.tags.contains_key("countermand-incident")
    }
}

fn assumed(calls: &[Call]) -> Vec<Assumed> {
    calls.iter().filter_map(Assumed::of).collect()
}
