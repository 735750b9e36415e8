//! Each function with the permissions that template.yaml gives it and no others, in an account that enforces IAM.
//!
//! The judge is ministack: it checks each request's signature, and asks the role for the action and the resource of each
//! call, those inside a DynamoDB transaction included. Every permission is shown to be needed: without it, and with it for
//! another account's resources, exactly that action is refused. What cannot be shown here is said in [`NOT_SHOWN`].

mod role;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use aws_config::SdkConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials;
use serde_json::{Value, json};
use stage::trail::{Identity, health_exposed_key};
use stage::{Account, Emulator, Fault, Function, FunctionError, When};

use self::role::{Allowed, document, role};
use super::setting::{ENFORCE, PATIENCE, REGION, Setting, TABLE, permission, status};
use crate::folders::Folder;
use crate::generated::read;

/// Permissions of which no event here shows that they are needed, and why.
const NOT_SHOWN: [(&str, &str); 4] = [
    ("ec2:GetManagedPrefixListEntries", "ministack does not say which prefix list a rule names; shown on moto below"),
    ("sqs:SendMessage", "Lambda itself uses it, for an event that failed"),
    ("logs:CreateLogStream", "Lambda itself uses it"),
    ("logs:PutLogEvents", "Lambda itself uses it"),
];

/// Calls that ministack asks permission on `*` for, where AWS asks for it on a resource (Service Authorization
/// Reference): the key's owner.
const ASKED_ON_ALL: [&str; 1] = ["iam:GetAccessKeyLastUsed"];

/// Refused, it only keeps people from being told: the incident is in the ledger, and the function logs it.
const NOT_FATAL: &str = "sns:Publish";

/// The first two findings spend the budget, the second being one whose resource has to be looked up.
const AS_IT_SHOULD: [&str; 3] = ["contained", "contained", "pending"];

struct Enforcing {
    account: Account,
    root: SdkConfig,
    topic: String,
    binaries: PathBuf,
    policies: PathBuf,
    runs: Cell<u32>,
}

/// What came of a function's events.
#[derive(Debug)]
struct Run {
    /// The status of each outcome, or the failure.
    ends: Vec<String>,
    /// Every action that was refused.
    refused: BTreeSet<String>,
}

impl Drop for Enforcing {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.policies).unwrap();
    }
}

impl Enforcing {
    async fn new() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let binaries = stage::binaries(root).await.unwrap();
        let account = Account::open_enforcing().await.unwrap();
        let root = account.signing_with(Emulator::root(), Identity::user("mallory"), REGION).await;
        lambda::create_table(&aws_sdk_dynamodb::Client::new(&root), TABLE).await.unwrap();
        let topic = aws_sdk_sns::Client::new(&root).create_topic().name("incidents").send().await.unwrap();
        let port = account.emulator().address().port();
        let policies = std::env::temp_dir().join(format!("countermand-privileges-{}-{port}", std::process::id()));
        Self { account, root, topic: topic.topic_arn.unwrap(), binaries, policies, runs: Cell::new(0) }
    }

    /// Everything that the template allows this function.
    fn allowed(&self, responder: &str) -> Vec<Allowed> {
        let mut allowed = role(&Folder { name: responder.to_owned() }, &self.topic);
        for allowed in allowed.iter_mut().filter(|allowed| ASKED_ON_ALL.contains(&allowed.action.as_str())) {
            "*".clone_into(&mut allowed.resource);
        }
        allowed
    }

    /// The credentials of a session of a new role.
    async fn assume(&self, name: &str, allowed: &[Allowed]) -> Credentials {
        let iam = aws_sdk_iam::Client::new(&self.root);
        let trust = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"AWS": format!("arn:aws:iam::{}:root", stage::ACCOUNT)},
        }]});
        iam.create_role().role_name(name).assume_role_policy_document(trust.to_string()).send().await.unwrap();
        let policy = iam.put_role_policy().role_name(name).policy_name("all");
        policy.policy_document(document(allowed)).send().await.unwrap();
        let arn = format!("arn:aws:iam::{}:role/{name}", stage::ACCOUNT);
        let session = AssumeRoleProvider::builder(arn).session_name(name).configure(&self.root).build().await;
        session.provide_credentials().await.unwrap()
    }

    /// Runs a function that is allowed this on findings of its own.
    async fn run(&self, responder: &str, allowed: &[Allowed]) -> Run {
        self.runs.set(self.runs.get() + 1);
        let name = format!("{responder}-{}", self.runs.get());
        let policies = self.policies.join(&name);
        std::fs::create_dir_all(&policies).unwrap();
        let budget = format!(r#"@id("{name}") @limit("2/1h") permit (principal, action, resource);"#);
        std::fs::write(policies.join("test.cedar"), budget).unwrap();
        let session = self.assume(&name, allowed).await;
        let environment: [(&str, OsString); 8] = [
            ("AWS_ENDPOINT_URL", self.account.proxy().endpoint().into()),
            ("AWS_REGION", REGION.into()),
            ("AWS_ACCESS_KEY_ID", session.access_key_id().into()),
            ("AWS_SECRET_ACCESS_KEY", session.secret_access_key().into()),
            ("AWS_SESSION_TOKEN", session.session_token().unwrap().into()),
            ("COUNTERMAND_POLICIES", policies.into()),
            ("COUNTERMAND_TABLE", TABLE.into()),
            ("COUNTERMAND_TOPIC", OsString::from(&self.topic)),
        ];
        let function = Function::start(&self.binaries.join(responder), environment).await.unwrap();
        let events = self.events(responder, &name).await;
        self.account.proxy().clear();
        let mut ends = Vec::new();
        for event in events {
            ends.push(match function.invoke(&event).await {
                Err(FunctionError::Failed { error_type, error_message }) => format!("{error_type}: {error_message}"),
                answer => status(answer),
            });
        }
        let calls = self.account.proxy().clear();
        assert!(calls.iter().all(|call| call.access_key_id == session.access_key_id()), "nobody else calls meanwhile");
        let refused = calls.iter().filter_map(|call| {
            let (_, action) = call.response_body.split_once("is not authorized to perform: ")?;
            Some(action.split(' ').next()?.to_owned())
        });
        Run { ends, refused: refused.collect() }
    }

    /// Three findings for a function: one named in full, one whose resource has to be looked up, and one more.
    async fn events(&self, responder: &str, name: &str) -> [Value; 3] {
        let names = ["a", "b", "c"].map(|letter| format!("{name}-{letter}"));
        match responder {
            "disable-access-key" => {
                let [first, second, third] = names;
                let at = chrono::DateTime::from_timestamp(1_795_330_800, 0).unwrap();
                let (key, _) = self.key_for(&second).await;
                let exposed = health_exposed_key(stage::ACCOUNT, &key, at);
                [self.key_for(&first).await.1, exposed, self.key_for(&third).await.1]
            }
            "revoke-open-ingress" => {
                let [first, second, third] = names;
                let mut by_name = self.open(&second).await;
                by_name["detail"]["responseElements"] = json!({"_return": true});
                let asked = by_name["detail"]["requestParameters"].as_object_mut().unwrap();
                asked.remove("groupId").unwrap();
                asked.insert("groupName".to_owned(), second.into());
                [self.open(&first).await, by_name, self.open(&third).await]
            }
            other => panic!("{other} needs findings here that take all its permissions"),
        }
    }

    /// Somebody makes a key for a new user: its id, and the event.
    async fn key_for(&self, user: &str) -> (String, Value) {
        let iam = aws_sdk_iam::Client::new(&self.root);
        iam.create_user().user_name(user).send().await.unwrap();
        self.account.events();
        let key = iam.create_access_key().user_name(user).send().await.unwrap().access_key.unwrap();
        (key.access_key_id, self.event())
    }

    /// Somebody opens SSH in a new group of the default VPC; the event.
    async fn open(&self, name: &str) -> Value {
        let ec2 = aws_sdk_ec2::Client::new(&self.root);
        let group = ec2.create_security_group().group_name(name).description("test").send().await.unwrap();
        self.account.events();
        let open = ec2.authorize_security_group_ingress().group_id(group.group_id.unwrap());
        open.ip_permissions(permission(22, &["0.0.0.0/0"])).send().await.unwrap();
        self.event()
    }

    fn event(&self) -> Value {
        let mut events = self.account.events();
        assert_eq!(events.len(), 1, "one call makes one event: {events:#?}");
        events.remove(0)
    }
}

/// Proves that a function needs what the template allows it, and no more.
async fn prove(responder: &str) {
    let enforcing = Enforcing::new().await;
    let allowed = enforcing.allowed(responder);
    let run = enforcing.run(responder, &allowed).await;
    assert_eq!((run.ends.as_slice(), run.refused), (AS_IT_SHOULD.map(str::to_owned).as_slice(), BTreeSet::new()));

    for (position, Allowed { action, resource }) in allowed.iter().enumerate() {
        let mut fewer = allowed.clone();
        fewer.remove(position);
        let run = enforcing.run(responder, &fewer).await;
        if let Some((_, why)) = NOT_SHOWN.iter().find(|(not_shown, _)| not_shown == action) {
            assert_eq!(run.refused, BTreeSet::new(), "{action} can be shown after all; the list says: {why}");
            continue;
        }
        let only_this = BTreeSet::from([action.clone()]);
        assert_eq!(run.refused, only_this, "without {action}: {:#?}", run.ends);
        let failed = run.ends != AS_IT_SHOULD;
        assert_eq!(failed, action != NOT_FATAL, "without {action}: {:#?}", run.ends);
        if resource == "*" {
            continue;
        }
        let mut elsewhere = allowed.clone();
        elsewhere[position].resource = resource.replace(stage::ACCOUNT, "210987654321");
        let run = enforcing.run(responder, &elsewhere).await;
        assert_eq!(run.refused, only_this, "with {action} in another account: {:#?}", run.ends);
    }
}

#[tokio::test]
async fn disable_access_key_needs_all_it_may() {
    prove("disable-access-key").await;
}

#[tokio::test]
async fn revoke_open_ingress_needs_all_it_may() {
    prove("revoke-open-ingress").await;
}

#[test]
fn every_responder_is_proven() {
    for Folder { name } in Folder::all() {
        let tests = read(&format!("tests/end_to_end/responders/{}.rs", name.replace('-', "_")));
        assert!(tests.contains("proves!(") || tests.contains("needs_all_it_may::<"), "{name} is not proven");
    }
}

#[test]
fn what_cannot_be_shown_is_still_allowed() {
    let allowed: Vec<_> = Folder::all().iter().flat_map(|folder| role(folder, "topic")).collect();
    for (action, _) in NOT_SHOWN {
        assert!(allowed.iter().any(|allowed| allowed.action == action), "{action} is allowed to nobody: take it out");
    }
}

#[tokio::test]
async fn prefix_lists_need_their_permission() {
    let setting = Setting::with(ENFORCE).await;
    let group = setting.group().await;
    let function = setting.function("revoke-open-ingress").await;
    let ec2 = aws_sdk_ec2::Client::new(&setting.attacker);
    let anywhere = aws_sdk_ec2::types::AddPrefixListEntry::builder().cidr("0.0.0.0/0").build();
    let list = ec2.create_managed_prefix_list().prefix_list_name("partners").max_entries(1).address_family("IPv4");
    let list = list.entries(anywhere).send().await.unwrap().prefix_list.unwrap().prefix_list_id.unwrap();
    setting.account.events();
    let source = aws_sdk_ec2::types::PrefixListId::builder().prefix_list_id(list).build();
    let ssh = aws_sdk_ec2::types::IpPermission::builder().ip_protocol("tcp").from_port(22).to_port(22);
    let ssh = ssh.prefix_list_ids(source).build();
    ec2.authorize_security_group_ingress().group_id(&group).ip_permissions(ssh).send().await.unwrap();
    let event = setting.event();
    let reading = When::operation("ec2", "GetManagedPrefixListEntries");
    setting.account.proxy().inject(Fault::Denied, reading, 1);
    let failure = function.invoke_within(&event, PATIENCE).await.unwrap_err();
    let FunctionError::Failed { error_type, error_message } = failure else { panic!("{failure:?}") };
    assert_eq!(error_type, "Final.Denied");
    assert!(error_message.contains("ec2:GetManagedPrefixListEntries"), "{error_message}");
    assert_eq!(status(function.invoke(&event).await), "contained");
}
