//! A deployment in the emulator: a stack as template.yaml makes it, in the forms that the emulator's CloudFormation knows,
//! and by API what it does not know.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use cloudtrail::{APPROVAL_TYPE, HEARTBEAT_TYPE, MISSED_TYPE, OWN_SOURCE};
use remedy::Clock;
use serde_json::{Map, Value, json};
use stage::trail::Identity;
use tokio::process::Command;

use super::setting::{ENFORCE, REGION, Setting};
use super::stand_in::{Answer, StandIn};
use crate::folders::{By, Folder, pascal_case};
use crate::generated::read;

pub(crate) const STACK: &str = "countermand";

/// What an account with room for Lambda answers; the emulator has no such call.
const ACCOUNT_SETTINGS: &str = r#"{"AccountLimit":{"ConcurrentExecutions":1000,"UnreservedConcurrentExecutions":1000,
    "TotalCodeSize":80530636800,"CodeSizeUnzipped":262144000,"CodeSizeZipped":52428800},
    "AccountUsage":{"TotalCodeSize":0,"FunctionCount":2}}"#;

pub(crate) struct Stack {
    pub(crate) setting: Setting,
    pub(crate) stand_in: StandIn,
    pub(crate) folders: Vec<Folder>,
    policies: PathBuf,
    binaries: PathBuf,
    resources: Vec<(String, String)>,
}

impl Drop for Stack {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.policies).unwrap();
    }
}

impl Stack {
    /// Everything as it should be.
    pub(crate) async fn deployed() -> Self {
        Self::answering(Vec::new()).await
    }

    /// The same, with more that is answered in the emulator's place.
    pub(crate) async fn answering(mut answers: Vec<Answer>) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let binaries = stage::binaries(root).await.unwrap();
        let setting = Setting::with(ENFORCE).await;
        answers.push(("/account-settings", ACCOUNT_SETTINGS.to_owned()));
        let stand_in = StandIn::before(setting.account.proxy().address(), answers).await;
        let port = setting.account.emulator().address().port();
        let policies = std::env::temp_dir().join(format!("countermand-stack-{}-{port}", std::process::id()));
        std::fs::create_dir_all(&policies).unwrap();
        std::fs::write(policies.join("test.cedar"), ENFORCE).unwrap();
        let mut stack = Self { setting, stand_in, folders: Folder::all(), policies, binaries, resources: Vec::new() };
        stack.create().await;
        stack.complete().await;
        stack.setting.account.events();
        stack
    }

    async fn create(&mut self) {
        let template = json!({ "Resources": resources(&self.folders) });
        let cloudformation = aws_sdk_cloudformation::Client::new(&self.setting.operator);
        let create = cloudformation.create_stack().stack_name(STACK).template_body(template.to_string());
        create.send().await.unwrap();
        let listed = cloudformation.list_stack_resources().stack_name(STACK).send().await.unwrap();
        let named = listed.stack_resource_summaries().iter();
        let named = named.map(|it| (it.logical_resource_id().unwrap(), it.physical_resource_id().unwrap()));
        self.resources = named.map(|(logical, physical)| (logical.to_owned(), physical.to_owned())).collect();
    }

    /// What the emulator's CloudFormation leaves out.
    async fn complete(&self) {
        let dynamodb = aws_sdk_dynamodb::Client::new(&self.setting.operator);
        let expiry =
            aws_sdk_dynamodb::types::TimeToLiveSpecification::builder().enabled(true).attribute_name("expires");
        let update = dynamodb.update_time_to_live().table_name(self.id("Ledger"));
        update.time_to_live_specification(expiry.build().unwrap()).send().await.unwrap();
        self.set_backups(true).await;
        for topic in ["Incidents", "Alarms"] {
            self.subscribe(topic).await;
        }
        let lambda = self.lambda();
        let content = aws_sdk_lambda::types::LayerVersionContentInput::builder();
        let content = content.zip_file(aws_sdk_lambda::primitives::Blob::new("policies")).build();
        let layer = lambda.publish_layer_version().layer_name("policies").content(content).send().await.unwrap();
        let layer = layer.layer_version_arn.unwrap();
        for folder in &self.folders {
            self.put_policy(folder, None).await;
            let function = lambda.update_function_configuration().function_name(self.id(&folder.type_name()));
            function.layers(&layer).send().await.unwrap();
            self.keep_failures(folder).await;
        }
        let names = self.folders.iter().map(|folder| folder.name.clone());
        let ledger = lambda::DynamoLedger::new(&self.setting.operator, self.id("Ledger"));
        ledger.begin(&lambda::Round::new(names, lambda::SystemClock.now())).await.unwrap();
        let s3 = aws_sdk_s3::Client::new(&self.setting.operator);
        s3.create_bucket().bucket("trail").send().await.unwrap();
        let cloudtrail = aws_sdk_cloudtrail::Client::new(&self.setting.operator);
        let trail = cloudtrail.create_trail().name("management").s3_bucket_name("trail").is_multi_region_trail(true);
        trail.include_global_service_events(true).send().await.unwrap();
        cloudtrail.start_logging().name("management").send().await.unwrap();
    }

    /// What the function fails on goes to the queue.
    pub(crate) async fn keep_failures(&self, folder: &Folder) {
        let queue = format!("arn:aws:sqs:{REGION}:{}:{}", stage::ACCOUNT, self.name_of_queue("FailedEvents"));
        let queue = aws_sdk_lambda::types::OnFailure::builder().destination(queue).build();
        let destination = aws_sdk_lambda::types::DestinationConfig::builder().on_failure(queue).build();
        let put = self.lambda().put_function_event_invoke_config().function_name(self.id(&folder.type_name()));
        put.destination_config(destination).send().await.unwrap();
    }

    /// A queue's URL ends with its name.
    fn name_of_queue(&self, logical: &str) -> &str {
        self.id(logical).rsplit('/').next().unwrap()
    }

    pub(crate) async fn set_backups(&self, on: bool) {
        let recovery = aws_sdk_dynamodb::types::PointInTimeRecoverySpecification::builder();
        let recovery = recovery.point_in_time_recovery_enabled(on).build().unwrap();
        let update = aws_sdk_dynamodb::Client::new(&self.setting.operator).update_continuous_backups();
        let update = update.table_name(self.id("Ledger")).point_in_time_recovery_specification(recovery);
        update.send().await.unwrap();
    }

    /// A list of the organization's accounts beside the policies.
    pub(crate) fn set_organization(&self, list: &Value) {
        std::fs::write(self.policies.join("organization.json"), list.to_string()).unwrap();
    }

    /// Somebody listens; the subscription's ARN.
    pub(crate) async fn subscribe(&self, topic: &str) -> String {
        let sns = aws_sdk_sns::Client::new(&self.setting.operator);
        let subscribe = sns.subscribe().topic_arn(self.id(topic)).protocol("email").endpoint("ops@example.com");
        subscribe.send().await.unwrap().subscription_arn.unwrap()
    }

    /// Gives a function's role what the template gives it, but for one action.
    pub(crate) async fn put_policy(&self, folder: &Folder, without: Option<&str>) {
        let account = stage::ACCOUNT;
        let own = folder.permissions(By::Function).into_iter().map(|permission| {
            let resource = permission.resource.replace("${Partition}", "aws").replace("${Region}", REGION);
            (permission.action, resource.replace("${Account}", account))
        });
        let table = format!("arn:aws:dynamodb:{REGION}:{account}:table/{}", self.id("Ledger"));
        let queue = format!("arn:aws:sqs:{REGION}:{account}:{}", self.name_of_queue("FailedEvents"));
        let of_all = [
            ("dynamodb:BatchGetItem", table.as_str()),
            ("dynamodb:GetItem", &table),
            ("dynamodb:PutItem", &table),
            ("dynamodb:UpdateItem", &table),
            ("sns:Publish", self.id("Incidents")),
            ("sqs:SendMessage", &queue),
        ];
        let of_all = of_all.map(|(action, resource)| (action.to_owned(), resource.to_owned()));
        let allowed = own.chain(of_all).filter(|(action, _)| without != Some(action));
        let statements: Vec<Value> = allowed
            .map(|(action, resource)| json!({"Effect": "Allow", "Action": action, "Resource": resource}))
            .collect();
        let document = json!({"Version": "2012-10-17", "Statement": statements});
        let role = self.id(&format!("{}Role", folder.type_name()));
        let iam = aws_sdk_iam::Client::new(&self.setting.operator);
        let put = iam.put_role_policy().role_name(role).policy_name("all").policy_document(document.to_string());
        put.send().await.unwrap();
    }

    /// The name in AWS of a resource of the template.
    pub(crate) fn id(&self, logical: &str) -> &str {
        &self.resources.iter().find(|(name, _)| name == logical).unwrap().1
    }

    pub(crate) fn lambda(&self) -> aws_sdk_lambda::Client {
        aws_sdk_lambda::Client::new(&self.setting.operator)
    }

    /// Runs the CLI as the operator.
    pub(crate) async fn countermand(&self, arguments: &[&str]) -> (bool, String) {
        let output = self.command("countermand").args(arguments).stdin(Stdio::null()).output().await.unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(text).unwrap())
    }

    /// A program that acts as the operator, and whose questions to Lambda and IAM go by the stand-in. One that has no
    /// folder in its name is a binary of the workspace.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.binaries.join(program));
        command
            .envs(self.setting.account.environment_of(Identity::user("olivia"), REGION))
            .env("AWS_ENDPOINT_URL_LAMBDA", self.stand_in.endpoint())
            .env("AWS_ENDPOINT_URL_IAM", self.stand_in.endpoint())
            .env("COUNTERMAND_POLICIES", &self.policies)
            .env("COUNTERMAND", self.binaries.join("countermand"));
        command
    }
}

/// The resources that doctor and dlq look at.
fn resources(folders: &[Folder]) -> Value {
    let queue = json!({"Type": "AWS::SQS::Queue"});
    let attributes = ["pk", "day", "at", "leased", "release"];
    let attributes = attributes.map(|name| json!({"AttributeName": name, "AttributeType": "S"}));
    let mut all = json!({
        "Ledger": {"Type": "AWS::DynamoDB::Table", "Properties": {
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": attributes,
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "GlobalSecondaryIndexes": [index("by-day", ["day", "at"]), index("by-release", ["leased", "release"])],
        }},
        "Incidents": {"Type": "AWS::SNS::Topic"},
        "Alarms": {"Type": "AWS::SNS::Topic"},
        "FailedEvents": queue,
        "UndeliveredEvents": queue,
    });
    let all_of = all.as_object_mut().unwrap();
    all_of.insert("HeartbeatRole".to_owned(), role());
    all_of.insert(
        "Heartbeat".to_owned(),
        json!({"Type": "AWS::Lambda::Function", "Properties": {"Runtime": "provided.al2023", "Handler": "heartbeat",
            "Code": {"ZipFile": "bootstrap"}, "Role": arn_of("HeartbeatRole")}}),
    );
    let roles: Vec<Value> = folders.iter().map(|folder| arn_of(&format!("{}Role", folder.type_name()))).collect();
    for folder in folders {
        let id = folder.type_name();
        all_of.insert(format!("{id}Role"), role());
        all_of.insert(
            id.clone(),
            json!({"Type": "AWS::Lambda::Function", "Properties": {
            "Runtime": "provided.al2023", "Handler": "bootstrap", "Code": {"ZipFile": "bootstrap"},
            "Role": arn_of(&format!("{id}Role")),
            "Environment": {"Variables": {
                "COUNTERMAND_POLICIES": "/opt/policies",
                "COUNTERMAND_TABLE": {"Ref": "Ledger"},
                "COUNTERMAND_TOPIC": {"Ref": "Incidents"},
                "COUNTERMAND_OWN_ROLES": {"Fn::Join": [",", roles]},
                "COUNTERMAND_CONTESTED": "3/1h",
                "COUNTERMAND_LEASES": "off",
            }}}}),
        );
        for rule in folder.rules() {
            let rule_id = format!("{id}{}Rule", rule.name().map(pascal_case).unwrap_or_default());
            add_rule(all_of, &rule_id, &id, &folder.json(&rule.file));
        }
        let asked = json!({"source": [OWN_SOURCE], "account": [stage::ACCOUNT],
            "detail-type": [APPROVAL_TYPE, MISSED_TYPE, HEARTBEAT_TYPE],
            "detail": {"responder": [folder.name]}});
        add_rule(all_of, &format!("{id}AskedRule"), &id, &asked);
    }
    all
}

fn role() -> Value {
    json!({"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}}})
}

fn add_rule(all: &mut Map<String, Value>, rule: &str, function: &str, pattern: &Value) {
    all.insert(
        rule.to_owned(),
        json!({"Type": "AWS::Events::Rule", "Properties": {
        "EventPattern": pattern,
        "Targets": [{"Id": "function", "Arn": arn_of(function),
            "DeadLetterConfig": {"Arn": arn_of("UndeliveredEvents")}}]}}),
    );
    all.insert(
        format!("{rule}Permission"),
        json!({"Type": "AWS::Lambda::Permission", "Properties": {
        "Action": "lambda:InvokeFunction", "FunctionName": {"Ref": function},
        "Principal": "events.amazonaws.com", "SourceArn": arn_of(rule)}}),
    );
}

fn index(name: &str, [hash, range]: [&str; 2]) -> Value {
    json!({"IndexName": name, "Projection": {"ProjectionType": "ALL"}, "KeySchema": [
        {"AttributeName": hash, "KeyType": "HASH"}, {"AttributeName": range, "KeyType": "RANGE"}]})
}

fn arn_of(logical: &str) -> Value {
    json!({"Fn::GetAtt": [logical, "Arn"]})
}

#[test]
fn the_stack_is_called_as_the_template_calls_it() {
    let template = read("template.yaml");
    for (logical, resource) in resources(&Folder::all()).as_object().unwrap() {
        let kind = resource["Type"].as_str().unwrap().replace("AWS::Lambda::Function", "AWS::Serverless::Function");
        assert!(template.contains(&format!("\n  {logical}:\n    Type: {kind}\n")), "{logical}: {kind}");
    }
}
