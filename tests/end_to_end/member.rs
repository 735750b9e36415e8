//! `stacksets/member.yaml`, created as a stack: what is made where, and what its role lets whom do.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_sdk_cloudformation::types::{Capability, Parameter, StackStatus};
use aws_sdk_iam::types::Tag;
use serde_json::{Value, json};
use stage::trail::Identity;
use stage::{Account, Emulator, Function, FunctionError};

use super::setting::{ENFORCE, REGION, TABLE, permission, status};
use crate::generated::read;

const ACCOUNT: &str = stage::ACCOUNT;
const HUB_REGION: &str = "eu-west-1";
const RESPONDER: &str = "revoke-open-ingress";
const EXTERNAL_ID: &str = "3c1f";

async fn create(config: &SdkConfig, name: &str, text: &str, given: &[(&str, &str)]) -> Vec<String> {
    let cloudformation = aws_sdk_cloudformation::Client::new(config);
    let mut create = cloudformation.create_stack().stack_name(name).template_body(text);
    for (key, value) in given {
        create = create.parameters(Parameter::builder().parameter_key(*key).parameter_value(*value).build());
    }
    create.capabilities(Capability::CapabilityNamedIam).send().await.unwrap();
    loop {
        let stacks = cloudformation.describe_stacks().stack_name(name).send().await.unwrap();
        match stacks.stacks()[0].stack_status().unwrap() {
            StackStatus::CreateInProgress => tokio::time::sleep(Duration::from_millis(50)).await,
            status => break assert_eq!(status, &StackStatus::CreateComplete),
        }
    }
    let resources = cloudformation.list_stack_resources().stack_name(name).send().await.unwrap();
    let names = resources.stack_resource_summaries().iter().filter_map(|it| it.logical_resource_id());
    let mut names: Vec<String> = names.filter(|name| !name.is_empty()).map(str::to_owned).collect();
    names.sort();
    names
}

fn parameters<'a>(hub: &'a str, region: &'a str) -> [(&'a str, &'a str); 5] {
    [
        ("HubAccountId", hub),
        ("HubRegion", region),
        ("OrganizationId", "o-exampleorgid"),
        ("ExternalId", EXTERNAL_ID),
        ("HomeRegion", REGION),
    ]
}

/// What an emulator does not know is told it, by the text that stands for it.
fn told(text: &str, known: &[(&str, &str)]) -> String {
    known.iter().fold(text.to_owned(), |text, (unknown, known)| {
        assert!(text.contains(unknown), "{unknown}");
        text.replace(unknown, known)
    })
}

#[tokio::test]
async fn each_region_is_given_what_belongs_there() {
    let account = Account::open().await.unwrap();
    // moto knows no queue policies, and leaves them out.
    let text = read("stacksets/member.yaml");
    let roles = ["Access1", "Access2", "Forwarder", "Member"];
    let rules = ["Forward1", "Forward2"];
    for (hub, hub_region, region, expected) in [
        ("111122223333", "eu-west-1", REGION, [&roles[..], &rules, &["ForwardGlobal1", "Unforwarded"]].concat()),
        ("111122223333", "eu-west-1", "eu-west-1", [&rules[..], &["Unforwarded"]].concat()),
        // The hub's own account: nothing to forward where it is, and all else as elsewhere.
        (ACCOUNT, "eu-west-1", "eu-west-1", vec![]),
        (ACCOUNT, REGION, REGION, roles.to_vec()),
        (ACCOUNT, REGION, "eu-central-1", [&rules[..], &["Unforwarded"]].concat()),
    ] {
        let config = account.acting_as(Identity::root(), region).await;
        let name = format!("of-{hub}-{hub_region}-in-{region}");
        let role = [("MemberRole", name.as_str())];
        let mut made = create(&config, &name, &text, &[&parameters(hub, hub_region)[..], &role].concat()).await;
        let mut expected: Vec<_> = expected.iter().map(|name| (*name).to_owned()).collect();
        made.sort();
        expected.sort();
        assert_eq!(made, expected, "{name}");
    }
}

#[test]
fn both_templates_know_the_same_regions_of_global_events() {
    let mapping = |path: &str| {
        let text = read(path);
        let lines = text.lines().skip_while(|line| *line != "  GlobalEvents:").skip(1);
        lines.take_while(|line| line.starts_with("    ")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(mapping("stacksets/member.yaml"), mapping("template.yaml"));
    assert_eq!(mapping("template.yaml").len(), 6);
}

/// An account that enforces IAM, with the member's roles in it, and the hub in another region of it.
struct Enforcing {
    account: Account,
    root: SdkConfig,
    policies: PathBuf,
}

impl Drop for Enforcing {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.policies).unwrap();
    }
}

impl Enforcing {
    /// `caller` is the tag of the role that will ask to be let in.
    async fn with(caller: &str) -> Self {
        let account = Account::open_enforcing().await.unwrap();
        let root = account.signing_with(Emulator::root(), Identity::user("mallory"), REGION).await;
        let text = read("stacksets/member.yaml");
        let text: String = text.split_inclusive('\n').filter(|line| !line.contains("aws:PrincipalOrgID")).collect();
        let text = told(
            &text,
            &[
                // ministack knows no organizations and no policy variables, takes a session's own ARN for `aws:PrincipalArn`,
                // and knows no region in a condition.
                ("${aws:PrincipalTag/countermand-responder}", caller),
                (":iam::${HubAccountId}:role/${HubStack}-*", ":sts::${HubAccountId}:assumed-role/${HubStack}-*"),
                ("!Equals [!Ref AWS::Region, !Ref HomeRegion]", "!Equals [here, here]"),
            ],
        );
        create(&root, "member", &text, &parameters(ACCOUNT, HUB_REGION)).await;
        let hub = root.to_builder().region(aws_config::Region::new(HUB_REGION)).build();
        lambda::create_table(&aws_sdk_dynamodb::Client::new(&hub), TABLE).await.unwrap();
        let port = account.emulator().address().port();
        let policies = std::env::temp_dir().join(format!("countermand-member-{}-{port}", std::process::id()));
        std::fs::create_dir_all(&policies).unwrap();
        std::fs::write(policies.join("test.cedar"), ENFORCE).unwrap();
        Self { account, root, policies }
    }

    /// A session of a function's role in the hub.
    async fn function_role(&self, name: &str, tag: Option<&str>) -> Credentials {
        let iam = aws_sdk_iam::Client::new(&self.root);
        let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:root")}}]});
        let tags = tag.map(|tag| vec![Tag::builder().key("countermand-responder").value(tag).build().unwrap()]);
        let create = iam.create_role().role_name(name).assume_role_policy_document(trust.to_string());
        create.set_tags(tags).send().await.unwrap();
        let may = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*",
            "Action": ["sts:AssumeRole", "sts:TagSession", "dynamodb:*"]}]});
        let put = iam.put_role_policy().role_name(name).policy_name("all").policy_document(may.to_string());
        put.send().await.unwrap();
        let arn = format!("arn:aws:iam::{ACCOUNT}:role/{name}");
        let sts = aws_sdk_sts::Client::new(&self.root);
        let assumed = sts.assume_role().role_arn(arn).role_session_name("function").send().await.unwrap();
        credentials(assumed.credentials.unwrap())
    }

    /// A session of the member role, or the action that was refused.
    async fn member(&self, who: &Credentials, id: Option<&str>, tags: &[(&str, &str)]) -> Result<SdkConfig, String> {
        let config = self.account.signing_with(who.clone(), Identity::user("function"), REGION).await;
        let mut call = aws_sdk_sts::Client::new(&config).assume_role().role_session_name("function");
        for (key, value) in tags {
            call = call.tags(aws_sdk_sts::types::Tag::builder().key(*key).value(*value).build().unwrap());
        }
        let arn = format!("arn:aws:iam::{ACCOUNT}:role/countermand-member");
        match call.role_arn(arn).set_external_id(id.map(str::to_owned)).send().await {
            Ok(assumed) => {
                let session = credentials(assumed.credentials.unwrap());
                Ok(self.account.signing_with(session, Identity::user("member"), REGION).await)
            }
            Err(error) => {
                let message = error.into_service_error().meta().message().unwrap().to_owned();
                let (_, action) = message.split_once("is not authorized to perform: ").unwrap();
                Err(action.split(' ').next().unwrap().to_owned())
            }
        }
    }

    /// Somebody opens SSH; the group, the rule and the event.
    async fn open(&self) -> (String, String, Value) {
        let ec2 = aws_sdk_ec2::Client::new(&self.root);
        let group = ec2.create_security_group().group_name("web").description("web").send().await.unwrap();
        let group = group.group_id.unwrap();
        self.account.events();
        let open = ec2.authorize_security_group_ingress().group_id(&group);
        let opened = open.ip_permissions(permission(22, &["0.0.0.0/0"])).send().await.unwrap();
        let rule = opened.security_group_rules()[0].security_group_rule_id().unwrap().to_owned();
        (group, rule, self.account.events().remove(0))
    }

    async fn run(&self, who: &Credentials, event: &Value) -> Result<stage::Answer, FunctionError> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let binary = stage::binaries(root).await.unwrap().join(RESPONDER);
        let environment: [(&str, OsString); 9] = [
            ("AWS_ENDPOINT_URL", self.account.proxy().endpoint().into()),
            ("AWS_REGION", HUB_REGION.into()),
            ("AWS_ACCESS_KEY_ID", who.access_key_id().into()),
            ("AWS_SECRET_ACCESS_KEY", who.secret_access_key().into()),
            ("AWS_SESSION_TOKEN", who.session_token().unwrap().into()),
            ("COUNTERMAND_POLICIES", self.policies.clone().into()),
            ("COUNTERMAND_TABLE", TABLE.into()),
            ("COUNTERMAND_ROLE", "countermand-member".into()),
            ("COUNTERMAND_EXTERNAL_ID", EXTERNAL_ID.into()),
        ];
        Function::start(&binary, environment).await.unwrap().invoke(event).await
    }
}

fn credentials(given: aws_sdk_sts::types::Credentials) -> Credentials {
    Credentials::new(given.access_key_id, given.secret_access_key, Some(given.session_token), None, "test")
}

#[tokio::test]
async fn a_function_contains_in_a_member_with_the_member_roles_rights_alone() {
    let enforcing = Enforcing::with(RESPONDER).await;
    let (_, _, event) = enforcing.open().await;
    let function = enforcing.function_role("countermand-RevokeOpenIngressRole-1", Some(RESPONDER)).await;
    assert_eq!(status(enforcing.run(&function, &event).await), "contained");
}

#[tokio::test]
async fn a_function_that_another_responders_role_runs_is_not_let_in() {
    let enforcing = Enforcing::with("disable-access-key").await;
    let (_, _, event) = enforcing.open().await;
    let function = enforcing.function_role("countermand-DisableAccessKeyRole-1", Some("disable-access-key")).await;
    let Err(FunctionError::Failed { error_type, error_message }) = enforcing.run(&function, &event).await else {
        panic!("it was let in")
    };
    assert!(error_type == "Final.Assume" && error_message.contains("sts:TagSession"), "{error_type}: {error_message}");
}

#[tokio::test]
async fn the_member_role_lets_in_only_who_has_name_tag_and_external_id_and_each_session_do_only_its_own() {
    let enforcing = Enforcing::with(RESPONDER).await;
    let function = enforcing.function_role("countermand-RevokeOpenIngressRole-1", Some(RESPONDER)).await;
    let nobody = enforcing.function_role("other-RevokeOpenIngressRole-1", Some(RESPONDER)).await;
    let untagged = enforcing.function_role("countermand-Other-1", None).await;
    let (ours, id) = (("countermand-responder", RESPONDER), Some(EXTERNAL_ID));
    for (who, id, tags, refused) in [
        (&nobody, id, vec![ours], "sts:AssumeRole"),
        (&untagged, id, vec![ours], "sts:AssumeRole"),
        (&function, None, vec![ours], "sts:AssumeRole"),
        (&function, Some("guessed"), vec![ours], "sts:AssumeRole"),
        (&function, id, vec![("countermand-responder", "disable-access-key")], "sts:TagSession"),
        (&function, id, vec![ours, ("team", "red")], "sts:TagSession"),
    ] {
        let answer = enforcing.member(who, id, &tags).await;
        assert_eq!(answer.map(|_| ()), Err(refused.to_owned()), "{id:?} {tags:?}");
    }

    let (group, rule, _) = enforcing.open().await;
    let incident = ("countermand-incident", "0123456789abcdef0123");
    for (tags, looks, writes) in [(vec![], false, false), (vec![ours], true, false), (vec![ours, incident], true, true)]
    {
        let session = enforcing.member(&function, id, &tags).await.unwrap();
        let ec2 = aws_sdk_ec2::Client::new(&session);
        assert_eq!(ec2.describe_security_group_rules().send().await.is_ok(), looks, "{tags:?}");
        let keys = aws_sdk_iam::Client::new(&session).list_access_keys().user_name("alice").send().await.unwrap_err();
        assert_eq!(keys.into_service_error().meta().code(), Some("AccessDenied"), "{tags:?}: another responder's");
        let revoke = ec2.revoke_security_group_ingress().group_id(&group).security_group_rule_ids(&rule).send().await;
        let code = revoke.map_err(|error| error.into_service_error().meta().code().unwrap().to_owned()).map(|_| ());
        assert_eq!(code, if writes { Ok(()) } else { Err("UnauthorizedOperation".to_owned()) }, "{tags:?}");
    }
}
