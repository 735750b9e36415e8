//! `countermand doctor` against a deployment that is as it should be, and against one that is broken on purpose.

use std::collections::BTreeSet;

use aws_sdk_eventbridge::types::Target;
use aws_sdk_lambda::types::Environment;
use chrono::TimeDelta;
use lambda::{DynamoLedger, Round, SystemClock};
use remedy::Clock;
use serde_json::{Value, json};
use stage::{Fault, When};

use super::stack::{STACK, Stack};
use crate::folders::Folder;

/// The stack with one account's answer that it may not ask IAM to simulate, which the emulator does not know at all.
async fn deployed() -> Stack {
    let stack = Stack::deployed().await;
    let simulation = When::operation("iam", "SimulatePrincipalPolicy");
    stack.setting.account.proxy().inject(Fault::Denied, simulation, u32::MAX);
    stack
}

async fn checks(stack: &Stack, more: &[&str]) -> (bool, Vec<Value>) {
    let (done, said) = stack.countermand(&[&["doctor", "--format", "json"], more].concat()).await;
    let lines = said.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{said}")));
    (done, lines.collect())
}

/// What is not as it should be: the names.
fn wrong(checks: &[Value]) -> Vec<&str> {
    let wrong = checks.iter().filter(|check| check["result"] != "ok");
    wrong.map(|check| check["name"].as_str().unwrap()).collect()
}

/// Doctor finds this one thing wrong, and says how to mend it.
async fn finds(stack: &Stack, name: &str, result: &str, fix: &str) {
    let (done, checks) = checks(stack, &[]).await;
    assert_eq!(wrong(&checks), [name], "{checks:#?}");
    assert_eq!(done, result == "warning", "only what failed ends in a failure");
    let found = checks.iter().find(|check| check["name"] == name).unwrap();
    assert_eq!(found["result"], result, "{found:#}");
    assert!(found["fix"].as_str().unwrap().contains(fix), "{found:#}");
}

#[tokio::test]
async fn a_deployment_as_it_should_be_is_all_ok() {
    let stack = deployed().await;
    let (done, checks) = checks(&stack, &[]).await;
    assert!(done && wrong(&checks).is_empty(), "{checks:#?}");
    let names: Vec<&str> = checks.iter().map(|check| check["name"].as_str().unwrap()).collect();
    for expected in [
        "clock",
        "trail",
        "global events",
        "enforcement",
        "stack",
        "ledger",
        "topic Incidents",
        "queue FailedEvents",
        "function revoke-open-ingress",
        "rule DisableAccessKeyFindingsRule",
        "invocation of disable-access-key",
        "settings of revoke-open-ingress",
        "role of disable-access-key",
        "concurrency",
        "heartbeat",
    ] {
        assert!(names.contains(&expected), "{expected} was not looked at: {names:#?}");
    }
    let calls = stack.setting.account.proxy().calls();
    let refused: BTreeSet<&str> =
        calls.iter().filter(|call| !call.succeeded()).map(|call| call.operation.as_str()).collect();
    assert_eq!(refused, BTreeSet::from(["SimulatePrincipalPolicy"]));
    let (_, said) = stack.countermand(&["doctor"]).await;
    assert!(said.contains(&format!("{} ok, 0 warnings, 0 failed", checks.len())), "{said}");
}

#[tokio::test]
async fn each_breakage_is_found_alone_and_has_its_fix() {
    let stack = deployed().await;
    let config = &stack.setting.operator;
    let (lambda, events) = (stack.lambda(), aws_sdk_eventbridge::Client::new(config));
    let (rule, function) = (stack.id("RevokeOpenIngressRule"), stack.id("RevokeOpenIngress"));

    let trail = aws_sdk_cloudtrail::Client::new(config);
    trail.stop_logging().name("management").send().await.unwrap();
    finds(&stack, "trail", "failed", "aws cloudtrail start-logging").await;
    trail.start_logging().name("management").send().await.unwrap();

    events.disable_rule().name(rule).send().await.unwrap();
    finds(&stack, "rule RevokeOpenIngressRule", "failed", &format!("aws events enable-rule --name {rule}")).await;
    events.enable_rule().name(rule).send().await.unwrap();

    let pattern = events.describe_rule().name(rule).send().await.unwrap().event_pattern.unwrap();
    let less = pattern.replace("AuthorizeSecurityGroupIngress", "RunInstances");
    assert_ne!(less, pattern);
    events.put_rule().name(rule).event_pattern(less).send().await.unwrap();
    finds(&stack, "rule RevokeOpenIngressRule", "failed", "drift").await;
    events.put_rule().name(rule).event_pattern(pattern).send().await.unwrap();

    let target: Target = events.list_targets_by_rule().rule(rule).send().await.unwrap().targets.unwrap().remove(0);
    events.remove_targets().rule(rule).ids(target.id()).send().await.unwrap();
    finds(&stack, "rule RevokeOpenIngressRule", "failed", "aws events put-targets").await;
    events.put_targets().rule(rule).targets(target).send().await.unwrap();

    let policy = lambda.get_policy().function_name(function).send().await.unwrap().policy.unwrap();
    let policy: Value = serde_json::from_str(&policy).unwrap();
    let arn = events.describe_rule().name(rule).send().await.unwrap().arn.unwrap();
    let statement =
        policy["Statement"].as_array().unwrap().iter().find(|it| it.to_string().contains(&format!("{arn}\"")));
    let sid = statement.unwrap()["Sid"].as_str().unwrap();
    lambda.remove_permission().function_name(function).statement_id(sid).send().await.unwrap();
    finds(&stack, "invocation of revoke-open-ingress", "failed", &format!("--source-arn {arn}")).await;
    let permission = lambda.add_permission().function_name(function).statement_id(sid).action("lambda:InvokeFunction");
    permission.principal("events.amazonaws.com").source_arn(arn).send().await.unwrap();

    let folder = Folder { name: "revoke-open-ingress".to_owned() };
    stack.put_policy(&folder, Some("ec2:RevokeSecurityGroupIngress")).await;
    finds(&stack, "role of revoke-open-ingress", "failed", "puts the role's policies back").await;
    stack.put_policy(&folder, Some("sns:Publish")).await;
    finds(&stack, "role of revoke-open-ingress", "failed", "puts the role's policies back").await;
    stack.put_policy(&folder, None).await;

    let sns = aws_sdk_sns::Client::new(config);
    let listens = sns.list_subscriptions_by_topic().topic_arn(stack.id("Incidents")).send().await.unwrap();
    let listener = listens.subscriptions()[0].subscription_arn().unwrap();
    sns.unsubscribe().subscription_arn(listener).send().await.unwrap();
    finds(&stack, "topic Incidents", "failed", "aws sns subscribe").await;
    stack.subscribe("Incidents").await;

    let ledger = DynamoLedger::new(config, stack.id("Ledger"));
    let silent = Round::new(["restart-trail".to_owned()], SystemClock.now() - TimeDelta::minutes(40));
    ledger.begin(&silent).await.unwrap();
    finds(&stack, "heartbeat", "failed", "docs/runbook.md").await;
    ledger.begin(&Round { begun: SystemClock.now(), ..silent }).await.unwrap();

    let sqs = aws_sdk_sqs::Client::new(config);
    sqs.send_message().queue_url(stack.id("UndeliveredEvents")).message_body("{}").send().await.unwrap();
    finds(&stack, "queue UndeliveredEvents", "failed", "countermand dlq list").await;
    sqs.purge_queue().queue_url(stack.id("UndeliveredEvents")).send().await.unwrap();

    lambda.delete_function_event_invoke_config().function_name(function).send().await.unwrap();
    let fix = "aws lambda put-function-event-invoke-config";
    finds(&stack, "failures of revoke-open-ingress", "failed", fix).await;
    stack.keep_failures(&folder).await;

    stack.set_backups(false).await;
    finds(&stack, "ledger backups", "warning", "aws dynamodb update-continuous-backups").await;
    stack.set_backups(true).await;

    let right = lambda.get_function_configuration().function_name(function).send().await.unwrap();
    let right = right.environment.unwrap().variables.unwrap();
    let mut other = right.clone();
    other.insert("COUNTERMAND_TABLE".to_owned(), "another".to_owned());
    for variables in [other, right] {
        let environment = Environment::builder().set_variables(Some(variables.clone())).build();
        lambda.update_function_configuration().function_name(function).environment(environment).send().await.unwrap();
        if variables["COUNTERMAND_TABLE"] == "another" {
            finds(&stack, "settings of revoke-open-ingress", "failed", "`sam deploy`").await;
        }
    }

    let (done, checks) = checks(&stack, &[]).await;
    assert!(done && wrong(&checks).is_empty(), "mended: {checks:#?}");

    lambda.delete_function().function_name(function).send().await.unwrap();
    finds(&stack, "function revoke-open-ingress", "failed", "it was deleted outside the stack").await;
    let delete = aws_sdk_dynamodb::Client::new(config).delete_table().table_name(stack.id("Ledger"));
    delete.send().await.unwrap();
    let (_, checks) = self::checks(&stack, &[]).await;
    let missing = ["ledger", "ledger backups", "ledger expiry", "function revoke-open-ingress", "heartbeat"];
    assert_eq!(wrong(&checks), missing, "{checks:#?}");
}

#[tokio::test]
async fn what_iam_simulates_counts_more_than_what_the_policies_say() {
    let denied = r#"<SimulatePrincipalPolicyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">
        <SimulatePrincipalPolicyResult><IsTruncated>false</IsTruncated><EvaluationResults><member>
        <EvalActionName>ec2:RevokeSecurityGroupIngress</EvalActionName><EvalDecision>implicitDeny</EvalDecision>
        <EvalResourceName>*</EvalResourceName></member></EvaluationResults></SimulatePrincipalPolicyResult>
        <ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></SimulatePrincipalPolicyResponse>"#;
    let about_it = "ActionNames.member.1=ec2%3ARevokeSecurityGroupIngress";
    let allowed = denied.replace("implicitDeny", "allowed");
    let stack =
        Stack::answering(vec![(about_it, denied.to_owned()), ("Action=SimulatePrincipalPolicy", allowed)]).await;
    let (done, checks) = checks(&stack, &[]).await;
    assert!(!done);
    assert_eq!(wrong(&checks), ["role of revoke-open-ingress"], "{checks:#?}");
    let found = checks.iter().find(|check| check["name"] == "role of revoke-open-ingress").unwrap();
    let group = "arn:aws:ec2:us-east-1:123456789012:security-group/*";
    let seen = format!("does not allow ec2:RevokeSecurityGroupIngress on {group}, as IAM simulates it");
    assert_eq!(found["seen"], seen);
    let asked = stack.stand_in.requests();
    let asked = asked.iter().find(|request| request.contains(about_it)).unwrap();
    assert!(asked.contains("security-group%2Fcountermand-doctor"), "{asked}");
}

#[tokio::test]
async fn what_is_denied_is_named_and_ends_nothing_else() {
    let stack = deployed().await;
    let proxy = stack.setting.account.proxy();
    for operation in [("cloudtrail", "DescribeTrails"), ("dynamodb", "DescribeTable"), ("events", "DescribeRule")] {
        proxy.inject(Fault::Denied, When::operation(operation.0, operation.1), 1);
    }
    let (done, checks) = checks(&stack, &[]).await;
    assert!(!done);
    let wrong: Vec<&Value> = checks.iter().filter(|check| check["result"] != "ok").collect();
    let lacking: Vec<&str> = wrong.iter().map(|check| check["fix"].as_str().unwrap()).collect();
    for permission in ["cloudtrail:DescribeTrails", "dynamodb:DescribeTable", "events:DescribeRule"] {
        assert!(lacking.iter().any(|fix| fix.contains(&format!("allow yourself {permission},"))), "{lacking:#?}");
    }
    assert!(checks.iter().any(|check| check["name"] == "concurrency" && check["result"] == "ok"), "{checks:#?}");
}

#[tokio::test]
async fn who_is_nobody_is_told_so_and_of_his_clock() {
    let stack = deployed().await;
    let identity = When::operation("sts", "GetCallerIdentity");
    stack.setting.account.proxy().inject(Fault::Denied, identity, u32::MAX);
    let (done, checks) = checks(&stack, &[]).await;
    assert!(!done);
    let found: Vec<_> = checks.iter().map(|check| [&check["name"], &check["result"]]).collect();
    assert_eq!(found, [["clock", "ok"], ["identity", "failed"]], "{checks:#?}");
}

#[tokio::test]
async fn a_region_without_a_stack_is_told_and_iams_events_are_looked_for_where_they_arrive() {
    let stack = deployed().await;
    let (done, elsewhere) = checks(&stack, &["--region", "eu-west-1"]).await;
    assert!(!done);
    assert_eq!(wrong(&elsewhere), ["stack"], "{elsewhere:#?}");
    let fix = elsewhere.last().unwrap()["fix"].as_str().unwrap();
    assert!(fix.contains(&format!("sam deploy --stack-name {STACK} --region eu-west-1")), "{fix}");

    let events = aws_sdk_eventbridge::Client::new(&stack.setting.operator);
    events.disable_rule().name(stack.id("DisableAccessKeyRule")).send().await.unwrap();
    let (_, elsewhere) = checks(&stack, &["--region", "eu-west-1"]).await;
    assert_eq!(wrong(&elsewhere), ["global events", "stack"], "{elsewhere:#?}");
    assert!(elsewhere.iter().any(|check| {
        check["fix"].as_str().is_some_and(|fix| fix.starts_with("deploy there too: `sam deploy --region us-east-1`"))
    }));
}

#[tokio::test]
async fn a_hub_that_knows_no_member_or_takes_no_events_is_told_so() {
    let stack = deployed().await;
    let (lambda, function) = (stack.lambda(), stack.id("BlockBucketExposure"));
    let told = lambda.get_function_configuration().function_name(function).send().await.unwrap();
    let mut variables = told.environment.unwrap().variables.unwrap();
    variables.insert("COUNTERMAND_ROLE".to_owned(), "countermand-member".to_owned());
    let environment = Environment::builder().set_variables(Some(variables)).build();
    lambda.update_function_configuration().function_name(function).environment(environment).send().await.unwrap();
    finds(&stack, "members", "failed", "list the accounts").await;
    stack.set_organization(&json!({ "111122223333": [] }));
    finds(&stack, "members", "failed", "with OrganizationId").await;

    let bus = format!("arn:aws:events:us-east-1:{}:event-bus/default", stage::ACCOUNT);
    let policy = json!({"Version": "2012-10-17", "Statement": [{"Sid": "members", "Effect": "Allow", "Principal": "*",
        "Action": "events:PutEvents", "Resource": bus,
        "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-exampleorgid"}}}]});
    let events = aws_sdk_eventbridge::Client::new(&stack.setting.operator);
    events.put_permission().event_bus_name("default").policy(policy.to_string()).send().await.unwrap();
    let (done, checks) = checks(&stack, &[]).await;
    assert!(done && wrong(&checks).is_empty(), "{checks:#?}");
    let found = checks.iter().find(|check| check["name"] == "members").unwrap();
    assert!(found["seen"].as_str().unwrap().starts_with("1 accounts are listed"), "{found:#}");
}

#[tokio::test]
async fn policies_without_a_permit_are_said_to_observe_only() {
    let stack = deployed().await;
    let folder = std::env::temp_dir().join(format!("countermand-doctor-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("none.cedar"), r#"@id("none") forbid (principal, action, resource);"#).unwrap();
    let (done, checks) = checks(&stack, &["--policies", folder.to_str().unwrap()]).await;
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(done, "nothing is broken: {checks:#?}");
    assert_eq!(wrong(&checks), ["enforcement"]);
    let found = checks.iter().find(|check| check["name"] == "enforcement").unwrap();
    let (_, observing) = found["seen"].as_str().unwrap().split_once("observes only: ").unwrap();
    assert!(Folder::all().iter().all(|folder| observing.contains(&folder.name)), "{found:#}");
}
