//! An account with a ledger, policies and functions, for one test.

use std::cell::RefCell;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_ec2::types::{Filter, IpPermission, IpRange, Ipv6Range, ResourceType, Tag, TagSpecification};
use remedy::Incident;
use serde_json::Value;
use stage::trail::Identity;
use stage::{Account, Answer, Function, FunctionError};
use tokio::process::Command;

pub(crate) const REGION: &str = "us-east-1";
pub(crate) const TABLE: &str = "ledger";

/// Permits everything.
pub(crate) const ENFORCE: &str = r#"@id("all") permit (principal, action, resource);"#;

pub(crate) struct Setting {
    pub(crate) account: Account,
    pub(crate) attacker: SdkConfig,
    pub(crate) operator: SdkConfig,
    olivia: Identity,
    policies: PathBuf,
    binaries: PathBuf,
    /// What was published so far.
    told: RefCell<Vec<String>>,
}

impl Drop for Setting {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.policies).unwrap();
    }
}

impl Setting {
    pub(crate) async fn with(policies: &str) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let binaries = stage::binaries(root).await.unwrap();
        let account = Account::open().await.unwrap();
        let attacker = account.acting_as(Identity::user("mallory"), REGION).await;
        let iam = aws_sdk_iam::Client::new(&account.acting_as(Identity::root(), REGION).await);
        iam.create_user().user_name("olivia").send().await.unwrap();
        let key = iam.create_access_key().user_name("olivia").send().await.unwrap().access_key.unwrap();
        let olivia = Identity::user("olivia").signing_with(&key.access_key_id);
        let operator = account.acting_as(olivia.clone(), REGION).await;
        let port = account.emulator().address().port();
        let folder = std::env::temp_dir().join(format!("countermand-test-{}-{port}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("test.cedar"), policies).unwrap();
        lambda::create_table(&aws_sdk_dynamodb::Client::new(&operator), TABLE).await.unwrap();
        account.events();
        Self { account, attacker, operator, olivia, policies: folder, binaries, told: RefCell::default() }
    }

    /// Deploys other policies: functions started from now on have these.
    pub(crate) fn set_policies(&self, policies: &str) {
        std::fs::write(self.policies.join("test.cedar"), policies).unwrap();
    }

    /// Deploys policies that are only asked; their folder.
    pub(crate) fn set_shadow_policies(&self, policies: &str) -> String {
        let folder = self.policies.join("next");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("test.cedar"), policies).unwrap();
        folder.into_os_string().into_string().unwrap()
    }

    /// Deploys a list of what must never be touched.
    pub(crate) fn set_never_touch(&self, list: &Value) {
        std::fs::write(self.policies.join("never-touch.json"), list.to_string()).unwrap();
    }

    /// Deploys a list of the organization's accounts.
    pub(crate) fn set_organization(&self, list: &Value) {
        std::fs::write(self.policies.join("organization.json"), list.to_string()).unwrap();
    }

    /// A process of the function.
    pub(crate) async fn function(&self, name: &str) -> Function {
        self.function_with(name, &[]).await
    }

    /// A process of the function with more in its environment.
    pub(crate) async fn function_with(&self, name: &str, more: &[(&'static str, &str)]) -> Function {
        self.start(name, more).await.unwrap()
    }

    /// A process of the function, or why there is none.
    pub(crate) async fn try_function(&self, name: &str) -> Result<Function, FunctionError> {
        self.start(name, &[]).await
    }

    async fn start(&self, name: &str, more: &[(&'static str, &str)]) -> Result<Function, FunctionError> {
        let mut environment = self.account.environment_of(Identity::role_session(name, name), REGION);
        environment.push(("COUNTERMAND_POLICIES", OsString::from(&self.policies)));
        environment.push(("COUNTERMAND_TABLE", TABLE.into()));
        environment.extend(more.iter().map(|(key, value)| (*key, OsString::from(value))));
        Function::start(&self.binaries.join(name), environment).await
    }

    /// Runs the CLI as the operator; whether it succeeded, and what it wrote to both streams.
    pub(crate) async fn countermand(&self, arguments: &[&str]) -> (bool, String) {
        let output = Command::new(self.binaries.join("countermand"))
            .args(arguments)
            .env("COUNTERMAND_TABLE", TABLE)
            .envs(self.account.environment_of(self.olivia.clone(), REGION))
            .stdin(Stdio::null())
            .output()
            .await
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(text).unwrap())
    }

    /// A topic for people to listen to.
    pub(crate) async fn topic(&self) -> String {
        let sns = aws_sdk_sns::Client::new(&self.operator);
        let topic = sns.create_topic().name("incidents").send().await.unwrap().topic_arn.unwrap();
        self.events();
        topic
    }

    /// The messages published so far.
    pub(crate) fn published(&self) -> Vec<String> {
        self.events();
        self.told.borrow().clone()
    }

    /// The events of the calls made since the last time.
    fn events(&self) -> Vec<Value> {
        let calls = self.account.proxy().calls();
        let published = calls.iter().filter(|call| call.operation == "Publish" && call.succeeded());
        self.told.borrow_mut().extend(published.filter_map(|call| call.param("Message")).map(str::to_owned));
        self.account.events()
    }

    /// The event of the one call made since the last time.
    pub(crate) fn event(&self) -> Value {
        let mut events = self.events();
        assert_eq!(events.len(), 1, "one call makes one event: {events:#?}");
        events.remove(0)
    }

    /// All incidents in the ledger.
    pub(crate) async fn incidents(&self) -> Vec<Incident> {
        let rows = aws_sdk_dynamodb::Client::new(&self.operator).scan().table_name(TABLE).send().await.unwrap();
        let texts = rows.items().iter().filter_map(|item| item.get("incident"));
        texts.map(|text| serde_json::from_str(text.as_s().unwrap()).unwrap()).collect()
    }

    pub(crate) async fn incident(&self) -> Incident {
        let mut incidents = self.incidents().await;
        assert_eq!(incidents.len(), 1, "{incidents:#?}");
        incidents.remove(0)
    }

    fn ec2(&self) -> aws_sdk_ec2::Client {
        aws_sdk_ec2::Client::new(&self.operator)
    }

    /// A group that lets everybody in at 443.
    pub(crate) async fn group(&self) -> String {
        let ec2 = self.ec2();
        let vpc = ec2.create_vpc().cidr_block("10.1.0.0/16").send().await.unwrap().vpc.unwrap().vpc_id.unwrap();
        let group = ec2.create_security_group().group_name("web").description("web").vpc_id(vpc).send().await.unwrap();
        let group = group.group_id.unwrap();
        ec2.authorize_security_group_ingress()
            .group_id(&group)
            .ip_permissions(permission(443, &["0.0.0.0/0"]))
            .send()
            .await
            .unwrap();
        self.account.events();
        group
    }

    /// The attacker opens a port, with a description and a tag on the rules; the event of it.
    pub(crate) async fn open(&self, group: &str, port: i32, sources: &[&str]) -> Value {
        self.open_as(&self.attacker, group, port, sources).await
    }

    /// The same by somebody else.
    pub(crate) async fn open_as(&self, who: &SdkConfig, group: &str, port: i32, sources: &[&str]) -> Value {
        let tag = Tag::builder().key("ticket").value("OPS-1").build();
        let tags = TagSpecification::builder().resource_type(ResourceType::SecurityGroupRule).tags(tag).build();
        self.events();
        aws_sdk_ec2::Client::new(who)
            .authorize_security_group_ingress()
            .group_id(group)
            .ip_permissions(permission(port, sources))
            .tag_specifications(tags)
            .send()
            .await
            .unwrap();
        self.event()
    }

    /// The operator closes a port by hand.
    pub(crate) async fn close(&self, group: &str, port: i32, source: &str) {
        let rule = permission(port, &[source]);
        self.ec2().revoke_security_group_ingress().group_id(group).ip_permissions(rule).send().await.unwrap();
        self.events();
    }

    pub(crate) async fn delete_group(&self, group: &str) {
        self.ec2().delete_security_group().group_id(group).send().await.unwrap();
        self.events();
    }

    /// The group's ingress rules: ports, source, description and tags, but no ids.
    pub(crate) async fn rules(&self, group: &str) -> Vec<String> {
        let filter = Filter::builder().name("group-id").values(group).build();
        let rules = self.ec2().describe_security_group_rules().filters(filter).send().await.unwrap();
        let mut rules: Vec<String> = rules
            .security_group_rules()
            .iter()
            .filter(|rule| rule.is_egress() != Some(true))
            .map(|rule| {
                let tags: Vec<_> = rule.tags().iter().map(|tag| tag.value().unwrap_or_default()).collect();
                let source = rule.cidr_ipv4().or(rule.cidr_ipv6()).unwrap_or_default();
                let (port, why) = (rule.from_port().unwrap_or(-1), rule.description().unwrap_or_default());
                format!("{port} {source} {why:?} {}", tags.join(","))
            })
            .collect();
        rules.sort();
        self.events();
        rules
    }
}

pub(crate) fn permission(port: i32, sources: &[&str]) -> IpPermission {
    let (v6, v4): (Vec<&str>, Vec<&str>) = sources.iter().partition(|source| source.contains(':'));
    let v4 = v4.into_iter().map(|cidr| IpRange::builder().cidr_ip(cidr).description("as it was").build());
    let v6 = v6.into_iter().map(|cidr| Ipv6Range::builder().cidr_ipv6(cidr).description("as it was").build());
    IpPermission::builder()
        .ip_protocol("tcp")
        .from_port(port)
        .to_port(port)
        .set_ip_ranges(Some(v4.collect()))
        .set_ipv6_ranges(Some(v6.collect()))
        .build()
}

/// The only outcome in an answer.
pub(crate) fn outcome(answer: Result<Answer, FunctionError>) -> Value {
    let body = answer.unwrap().body;
    let outcomes = body["outcomes"].as_array().unwrap();
    assert_eq!(outcomes.len(), 1, "{body:#}");
    outcomes[0].clone()
}

pub(crate) fn status(answer: Result<Answer, FunctionError>) -> String {
    outcome(answer)["status"].as_str().unwrap().to_owned()
}

/// Long enough for a debug build beside other builds.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
