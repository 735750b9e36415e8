//! What was made of template.yaml, as the account shows it, held against the folders it was written from.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::{GlobalSecondaryIndexDescription, KeySchemaElement, TableStatus};
use aws_sdk_eventbridge::types::RuleState;
use aws_sdk_lambda::types::Runtime;
use aws_sdk_sqs::types::QueueAttributeName;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::{Deployment, REGION, STACK};
use crate::folders::{By, Folder, Scope, pascal_case};

/// The conditions that hold where the parameters are left as they are.
const HOLDING: [&str; 2] = ["GlobalEventsArriveHere", "HasOwnAlarmTopic"];

/// Each of them is there, and as it was written.
pub(super) async fn are_as_written(deployment: &Deployment) {
    let given = deployment.stack.all_given().as_object().unwrap().iter();
    let wanted = given.filter(|(_, it)| it["Condition"].as_str().is_none_or(|condition| HOLDING.contains(&condition)));
    let wanted: BTreeSet<&str> = wanted.map(|(name, _)| name.as_str()).collect();
    assert_eq!(deployment.stack.names().collect::<BTreeSet<_>>(), wanted);
    for folder in Folder::all() {
        function(deployment, &folder).await;
        role(deployment, &folder).await;
        rules(deployment, &folder).await;
        alarm(deployment, &folder).await;
    }
    shared_rights(deployment).await;
    table(deployment).await;
    queues(deployment).await;
    topics(deployment).await;
    monitoring(deployment).await;
}

async fn function(deployment: &Deployment, folder: &Folder) {
    let lambda = aws_sdk_lambda::Client::new(&deployment.root);
    let name = deployment.stack.id(&folder.type_name());
    let found = lambda.get_function_configuration().function_name(name).send().await.unwrap();
    let role =
        format!("arn:aws:iam::{}:role/{}", stage::ACCOUNT, deployment.stack.id(&format!("{}Role", folder.type_name())));
    let group = format!("/aws/lambda/{STACK}-{}", folder.name);
    assert_eq!(found.role(), Some(role.as_str()));
    assert_eq!(found.runtime().map(Runtime::as_str), Some("provided.al2023"));
    assert_eq!((found.timeout(), found.memory_size()), (Some(60), Some(256)), "{name}");
    assert_eq!(found.logging_config().unwrap().log_group(), Some(group.as_str()));
    let layers: Vec<_> = found.layers().iter().filter_map(|layer| layer.arn()).collect();
    assert_eq!(layers, [deployment.stack.id_of_version("Policies")]);

    let variables = found.environment().unwrap().variables().unwrap();
    let expected = [
        ("COUNTERMAND_POLICIES", "/opt/policies"),
        ("COUNTERMAND_SHADOW_POLICIES", "/opt/policies/next"),
        ("COUNTERMAND_TABLE", deployment.stack.id("Ledger")),
        ("COUNTERMAND_TOPIC", deployment.stack.id("Incidents")),
        ("COUNTERMAND_CONTESTED", "3/1h"),
        ("COUNTERMAND_LEASES", "off"),
    ];
    for (variable, value) in expected {
        assert_eq!(variables.get(variable).map(String::as_str), Some(value), "{variable} of {name}");
    }
    let own: BTreeSet<&str> = variables["COUNTERMAND_OWN_ROLES"].split(',').collect();
    assert!(own.contains(role.as_str()) && own.len() == Folder::all().len(), "{own:#?}");

    let retries = lambda.get_function_event_invoke_config().function_name(name).qualifier("$LATEST");
    let retries = retries.send().await.unwrap();
    assert_eq!((retries.maximum_retry_attempts(), retries.maximum_event_age_in_seconds()), (Some(2), Some(3600)));
    let failed = retries.destination_config().unwrap().on_failure().unwrap().destination();
    assert_eq!(failed, Some(arn_of_queue(deployment, "FailedEvents").as_str()));

    let logs = aws_sdk_cloudwatchlogs::Client::new(&deployment.root);
    let groups = logs.describe_log_groups().log_group_name_prefix(&group).send().await.unwrap();
    assert_eq!(groups.log_groups()[0].retention_in_days(), Some(90), "{group}");
}

/// The function's own role: what its folder says, its log, and nothing else.
async fn role(deployment: &Deployment, folder: &Folder) {
    let iam = aws_sdk_iam::Client::new(&deployment.root);
    let name = deployment.stack.id(&format!("{}Role", folder.type_name()));
    let role = iam.get_role().role_name(name).send().await.unwrap().role.unwrap();
    let trust = document(role.assume_role_policy_document().unwrap());
    let lambda =
        json!([{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}]);
    assert_eq!(trust["Statement"], lambda, "{name}");

    let inline = iam.list_role_policies().role_name(name).send().await.unwrap();
    assert_eq!(inline.policy_names(), [folder.name.as_str()]);
    let attached = iam.list_attached_role_policies().role_name(name).send().await.unwrap();
    let attached: Vec<_> = attached.attached_policies().iter().filter_map(|policy| policy.policy_arn()).collect();
    assert_eq!(attached, [deployment.stack.id("ResponderAccess")]);

    let policy = iam.get_role_policy().role_name(name).policy_name(&folder.name).send().await.unwrap();
    let mut expected: Vec<Value> = folder
        .permissions(By::Function)
        .into_iter()
        .map(|permission| {
            let resource = permission.resource.replace("${Partition}", "aws").replace("${Region}", REGION);
            let resource = resource.replace("${Account}", stage::ACCOUNT);
            json!({"Effect": "Allow", "Action": permission.action, "Resource": resource})
        })
        .collect();
    let log = format!("arn:aws:logs:{REGION}:{}:log-group:/aws/lambda/{STACK}-{}:*", stage::ACCOUNT, folder.name);
    let logging = ["logs:CreateLogStream", "logs:PutLogEvents"];
    expected.push(json!({"Effect": "Allow", "Action": logging, "Resource": log}));
    assert_eq!(document(policy.policy_document())["Statement"], Value::Array(expected), "{name}");
}

/// What all functions share.
async fn shared_rights(deployment: &Deployment) {
    let iam = aws_sdk_iam::Client::new(&deployment.root);
    let policy = deployment.stack.id("ResponderAccess");
    let version = iam.get_policy().policy_arn(policy).send().await.unwrap().policy.unwrap().default_version_id.unwrap();
    let version = iam.get_policy_version().policy_arn(policy).version_id(version).send().await.unwrap();
    let document = document(version.policy_version().unwrap().document().unwrap());
    let table = format!("arn:aws:dynamodb:{REGION}:{}:table/{}", stage::ACCOUNT, deployment.stack.id("Ledger"));
    let resources: Vec<&Value> =
        document["Statement"].as_array().unwrap().iter().map(|statement| &statement["Resource"]).collect();
    let expected = [table, deployment.stack.id("Incidents").to_owned(), arn_of_queue(deployment, "FailedEvents")];
    for resource in expected {
        assert!(resources.contains(&&Value::from(resource.as_str())), "{resource} in {document:#}");
    }
}

/// The rules are those of the folder, and they and nobody else may invoke the function.
async fn rules(deployment: &Deployment, folder: &Folder) {
    let (stack, id) = (&deployment.stack, folder.type_name());
    let lambda = aws_sdk_lambda::Client::new(&deployment.root);
    let mut patterns: BTreeMap<String, Value> = BTreeMap::new();
    for rule in folder.rules() {
        assert!(rule.scope == Scope::Regional || REGION == "us-east-1", "global events arrive in us-east-1");
        let rule_id = format!("{id}{}Rule", rule.name().map(pascal_case).unwrap_or_default());
        patterns.insert(stack.id(&rule_id).to_owned(), folder.json(&rule.file));
    }
    let asked = json!({"source": [cloudtrail::OWN_SOURCE], "account": [stage::ACCOUNT],
        "detail-type": [cloudtrail::APPROVAL_TYPE, cloudtrail::MISSED_TYPE, cloudtrail::HEARTBEAT_TYPE],
        "detail": {"responder": [folder.name]}});
    patterns.insert(stack.id(&format!("{id}AskedRule")).to_owned(), asked);

    let function = lambda.get_function_configuration().function_name(stack.id(&id)).send().await.unwrap();
    let events = aws_sdk_eventbridge::Client::new(&deployment.root);
    let mut arns = BTreeSet::new();
    for (name, pattern) in &patterns {
        let rule = events.describe_rule().name(name).send().await.unwrap();
        let deployed: Value = serde_json::from_str(rule.event_pattern().unwrap()).unwrap();
        assert_eq!(&deployed, pattern, "{name}");
        assert_eq!(rule.state(), Some(&RuleState::Enabled), "{name}");
        arns.insert(rule.arn.unwrap());
        let targets = events.list_targets_by_rule().rule(name).send().await.unwrap().targets.unwrap();
        assert_eq!(targets.len(), 1, "{targets:#?}");
        assert_eq!(Some(targets[0].arn()), function.function_arn());
        let dead = targets[0].dead_letter_config().unwrap().arn();
        assert_eq!(dead, Some(arn_of_queue(deployment, "UndeliveredEvents").as_str()));
        let retry = targets[0].retry_policy().unwrap();
        assert_eq!((retry.maximum_retry_attempts(), retry.maximum_event_age_in_seconds()), (Some(185), Some(3600)));
    }
    let policy = lambda.get_policy().function_name(stack.id(&id)).send().await.unwrap().policy.unwrap();
    let statements = document(&policy)["Statement"].as_array().unwrap().clone();
    let sources = statements.iter().map(|statement| {
        assert_eq!(statement["Principal"], json!({"Service": "events.amazonaws.com"}), "{statement:#}");
        assert_eq!(statement["Action"], "lambda:InvokeFunction", "{statement:#}");
        let source = statement["Condition"]["ArnLike"].as_object().unwrap().values().next().unwrap();
        source.as_str().unwrap().to_owned()
    });
    assert_eq!(sources.collect::<BTreeSet<_>>(), arns);

    // Each of the rules may leave what it could not deliver.
    let queue = attribute(deployment, "UndeliveredEvents", QueueAttributeName::Policy).await;
    let rules = format!("arn:aws:events:{REGION}:{}:rule/", stage::ACCOUNT);
    let statements = document(&queue)["Statement"].as_array().unwrap().clone();
    let allowed: Vec<&Value> = statements.iter().filter(|statement| statement["Effect"] == "Allow").collect();
    assert_eq!(allowed.len(), 1, "{queue}");
    assert_eq!(allowed[0]["Condition"], json!({"ArnLike": {"aws:SourceArn": format!("{rules}*")}}), "{queue}");
    assert!(arns.iter().all(|arn| arn.starts_with(&rules)), "{arns:?}");
}

/// The alarm of the function's errors.
async fn alarm(deployment: &Deployment, folder: &Folder) {
    let cloudwatch = aws_sdk_cloudwatch::Client::new(&deployment.root);
    let name = deployment.stack.id(&format!("{}Errors", folder.type_name()));
    let alarms = cloudwatch.describe_alarms().alarm_names(name).send().await.unwrap();
    let alarm = &alarms.metric_alarms()[0];
    assert_eq!((alarm.namespace(), alarm.metric_name()), (Some("AWS/Lambda"), Some("Errors")));
    let dimensions: Vec<_> = alarm.dimensions().iter().map(|it| (it.name().unwrap(), it.value().unwrap())).collect();
    assert_eq!(dimensions, [("FunctionName", deployment.stack.id(&folder.type_name()))]);
    assert_eq!(alarm.alarm_actions(), [deployment.stack.id("Alarms")]);
}

async fn table(deployment: &Deployment) {
    let dynamodb = aws_sdk_dynamodb::Client::new(&deployment.root);
    let table =
        dynamodb.describe_table().table_name(deployment.stack.id("Ledger")).send().await.unwrap().table.unwrap();
    assert_eq!(table.table_status(), Some(&TableStatus::Active));
    assert_eq!(table.deletion_protection_enabled(), Some(true));
    assert_eq!(keys(table.key_schema()), ["pk HASH"]);
    let indexes = table.global_secondary_indexes().iter();
    let indexes: BTreeMap<&str, Vec<String>> = indexes.map(index).collect();
    let expected = [("by-day", ["day HASH", "at RANGE"]), ("by-release", ["leased HASH", "release RANGE"])];
    let expected = expected.map(|(name, keys)| (name, keys.map(str::to_owned).to_vec()));
    assert_eq!(indexes, BTreeMap::from(expected));

    let given = &deployment.stack.all_given()["Ledger"]["Properties"];
    assert_eq!(given["TimeToLiveSpecification"], json!({"AttributeName": "expires", "Enabled": true}));
    assert_eq!(given["PointInTimeRecoverySpecification"], json!({"PointInTimeRecoveryEnabled": true}));
    assert_eq!(given["SSESpecification"], json!({"SSEEnabled": true}));
}

fn index(index: &GlobalSecondaryIndexDescription) -> (&str, Vec<String>) {
    (index.index_name().unwrap(), keys(index.key_schema()))
}

fn keys(schema: &[KeySchemaElement]) -> Vec<String> {
    schema.iter().map(|key| format!("{} {}", key.attribute_name(), key.key_type())).collect()
}

async fn queues(deployment: &Deployment) {
    for queue in ["UndeliveredEvents", "FailedEvents"] {
        let kept = attribute(deployment, queue, QueueAttributeName::MessageRetentionPeriod).await;
        assert_eq!(kept, "1209600", "{queue}");
        let encrypted = attribute(deployment, queue, QueueAttributeName::SqsManagedSseEnabled).await;
        assert_eq!(encrypted, "true", "{queue}");
        let policy = attribute(deployment, queue, QueueAttributeName::Policy).await;
        assert!(policy.contains("aws:SecureTransport"), "{queue}: {policy}");
    }
}

async fn topics(deployment: &Deployment) {
    let sns = aws_sdk_sns::Client::new(&deployment.root);
    for (topic, may) in [("Incidents", "aws:SecureTransport"), ("Alarms", "cloudwatch.amazonaws.com")] {
        let topic = deployment.stack.id(topic);
        let attributes = sns.get_topic_attributes().topic_arn(topic).send().await.unwrap().attributes.unwrap();
        assert!(attributes["Policy"].contains(may), "{attributes:#?}");
    }
}

/// All of template-monitoring.yaml that the emulator knows is there, and what it does not know is what was expected.
async fn monitoring(deployment: &Deployment) {
    let events = aws_sdk_eventbridge::Client::new(&deployment.root);
    for rule in crate::tamper::rules() {
        let name = deployment.monitoring.id(&format!("Tamper{}", rule.name));
        let rule = events.describe_rule().name(name).send().await.unwrap();
        assert!(rule.event_pattern().unwrap().contains(STACK), "{rule:#?}");
    }
    let unknown = |name: &str| name.ends_with("Query") || EXPRESSIONS.contains(&name) || name == "NotWorking";
    let unexpected: Vec<&String> = deployment.left_out.iter().filter(|name| !unknown(name)).collect();
    assert!(unexpected.is_empty(), "{unexpected:?}");
}

/// The alarms over an expression.
const EXPRESSIONS: [&str; 6] = ["BudgetSpent", "Contested", "Waiting", "Uncontainable", "Failing", "Untold"];

async fn attribute(deployment: &Deployment, queue: &str, name: QueueAttributeName) -> String {
    let sqs = aws_sdk_sqs::Client::new(&deployment.root);
    let asked = sqs.get_queue_attributes().queue_url(deployment.stack.id(queue)).attribute_names(name.clone());
    asked.send().await.unwrap().attributes.unwrap().remove(&name).unwrap_or_else(|| panic!("{queue} has no {name}"))
}

/// A queue's URL ends with its name.
fn arn_of_queue(deployment: &Deployment, logical: &str) -> String {
    let name = deployment.stack.id(logical).rsplit('/').next().unwrap();
    format!("arn:aws:sqs:{REGION}:{}:{name}", stage::ACCOUNT)
}

/// IAM gives documents URL-encoded.
fn document(text: &str) -> Value {
    let text = percent_decode_str(text).decode_utf8().unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in {text}"))
}
