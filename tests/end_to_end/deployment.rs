//! The templates as they are deployed, in one go: transformed by SAM's translator, made into stacks by an emulator that
//! enforces IAM, and met by a real event.
//!
//! The emulator is ministack. What it is given, and what not:
//! - template.yaml whole. Only its packages differ, and a condition that it cannot evaluate is said in simpler words
//!   (`package`).
//! - template-monitoring.yaml without what ministack does not know: composite alarms, saved queries, and alarms over an
//!   expression (`stacks`).
//! - It leaves out of a table its time to live, its encryption and its backups: those are looked for in what the
//!   transformation gave CloudFormation (`resources`).
//! - It makes no metrics of the functions' logs, so their lines are read as CloudWatch reads them (`metrics`).
//! - It has no Security Hub: the ledger's item is handed to the real function beside moto, which has one (`outward`).
//! - EC2's event is made by `stage::trail` from the call, and put on the bus as EC2's own: there it meets the deployed rules.

mod metrics;
mod package;
mod resources;
mod stacks;

use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant};

use aws_config::SdkConfig;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_sqs::types::QueueAttributeName;
use remedy::{Incident, State};
use serde_json::{Value, json};
use stage::trail::Identity;
use stage::{Account, Emulator};

use self::package::Packages;
use self::stacks::Stack;
use super::outward;
use super::setting::{PATIENCE, REGION, permission};

/// The templates, by the stacks that are made of them.
const TEMPLATES: [&str; 2] = ["template.yaml", "template-monitoring.yaml"];
const STACK: &str = "countermand";
const MONITORING: &str = "countermand-monitoring";

/// Where a trail would deliver to.
const TRAIL_LOGS: &str = "trail";

const RESPONDER: &str = "revoke-open-ingress";

struct Deployment {
    account: Account,
    root: SdkConfig,
    stack: Stack,
    monitoring: Stack,
    /// The alarms and queries that the emulator does not know.
    left_out: Vec<String>,
    /// The queue of somebody who listens to incidents.
    people: String,
    _packages: Packages,
}

impl Deployment {
    async fn new() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let binaries = stage::binaries(root).await.unwrap();
        let account = Account::open_enforcing().await.unwrap();
        let root = account.signing_with(Emulator::root(), Identity::user("mallory"), REGION).await;
        let port = account.emulator().address().port();
        let folder = std::env::temp_dir().join(format!("countermand-deployment-{}-{port}", std::process::id()));
        let packages = Packages::new(folder, binaries);
        let logs = aws_sdk_cloudwatchlogs::Client::new(&root);
        logs.create_log_group().log_group_name(TRAIL_LOGS).send().await.unwrap();
        let stack = Stack::of_template(&root, &packages).await;
        let (monitoring, left_out) = Stack::of_monitoring(&root).await;
        let people = listen(&root, stack.id("Incidents")).await;
        account.events();
        Self { account, root, stack, monitoring, left_out, people, _packages: packages }
    }

    /// Mallory opens SSH to everybody in a new group, and EC2's event of it is on the bus; the group.
    async fn opened(&self, name: &str) -> String {
        let ec2 = self.ec2();
        let group = ec2.create_security_group().group_name(name).description(name).send().await.unwrap();
        let group = group.group_id.unwrap();
        self.account.events();
        let open = ec2.authorize_security_group_ingress().group_id(&group);
        open.ip_permissions(permission(22, &["0.0.0.0/0"])).send().await.unwrap();
        let mut events = self.account.events();
        assert_eq!(events.len(), 1, "one call makes one event: {events:#?}");
        self.account.emulator().put_on_bus(&events.remove(0)).await.unwrap();
        group
    }

    async fn is_open(&self, group: &str) -> bool {
        let groups = self.ec2().describe_security_groups().group_ids(group).send().await.unwrap();
        !groups.security_groups()[0].ip_permissions().is_empty()
    }

    /// What the ledger says of the group, once it is settled.
    async fn settled(&self, group: &str) -> Incident {
        let dynamodb = aws_sdk_dynamodb::Client::new(&self.root);
        let began = Instant::now();
        loop {
            let rows = dynamodb.scan().table_name(self.stack.id("Ledger")).send().await.unwrap();
            let texts = rows.items().iter().filter_map(|item| item.get("incident"));
            let incidents: Vec<Incident> =
                texts.map(|text| serde_json::from_str(text.as_s().unwrap()).unwrap()).collect();
            let of_group = |incident: &&Incident| incident.resource.arn.name() == group;
            if let Some(incident) = incidents.iter().find(of_group).filter(|it| it.state != State::Claimed) {
                return incident.clone();
            }
            assert!(began.elapsed() < PATIENCE, "{group}: {incidents:#?}\n{:#?}", self.log(RESPONDER).await);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// The ledger's item of an incident.
    async fn item(&self, incident: &Incident) -> HashMap<String, AttributeValue> {
        let dynamodb = aws_sdk_dynamodb::Client::new(&self.root);
        let get = dynamodb.get_item().table_name(self.stack.id("Ledger"));
        let key = AttributeValue::S(format!("incident#{}", incident.id));
        get.key("pk", key).send().await.unwrap().item.unwrap()
    }

    /// The lines of a function's log that say this.
    async fn logged(&self, responder: &str, what: &str) -> Vec<Value> {
        let began = Instant::now();
        loop {
            let lines = self.log(responder).await;
            let found: Vec<Value> = lines
                .iter()
                .filter(|line| line.contains(what))
                .filter_map(|line| serde_json::from_str(line).ok())
                .collect();
            if !found.is_empty() {
                return found;
            }
            assert!(began.elapsed() < PATIENCE, "no {what} in {lines:#?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn log(&self, responder: &str) -> Vec<String> {
        let logs = aws_sdk_cloudwatchlogs::Client::new(&self.root);
        let events = logs.filter_log_events().log_group_name(format!("/aws/lambda/{STACK}-{responder}"));
        let events = events.send().await.unwrap();
        events.events().iter().filter_map(|event| event.message().map(str::to_owned)).collect()
    }

    /// The next message that people were sent: its subject and its text.
    async fn told(&self) -> (String, String) {
        let sqs = aws_sdk_sqs::Client::new(&self.root);
        let began = Instant::now();
        loop {
            let received = sqs.receive_message().queue_url(&self.people).wait_time_seconds(1).send().await.unwrap();
            if let Some(message) = received.messages().first() {
                let told: Value = serde_json::from_str(message.body().unwrap()).unwrap();
                let text = |name: &str| told[name].as_str().unwrap_or_default().to_owned();
                return (text("Subject"), text("Message"));
            }
            assert!(began.elapsed() < PATIENCE, "nobody was told: {:#?}", self.log(RESPONDER).await);
        }
    }

    fn ec2(&self) -> aws_sdk_ec2::Client {
        aws_sdk_ec2::Client::new(&self.root)
    }
}

/// Somebody listens to a topic with a queue; the queue.
async fn listen(config: &SdkConfig, topic: &str) -> String {
    let sqs = aws_sdk_sqs::Client::new(config);
    let queue = sqs.create_queue().queue_name("people").send().await.unwrap().queue_url.unwrap();
    let attributes = sqs.get_queue_attributes().queue_url(&queue).attribute_names(QueueAttributeName::QueueArn);
    let arn = attributes.send().await.unwrap().attributes.unwrap().remove(&QueueAttributeName::QueueArn).unwrap();
    let policy = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage",
        "Resource": arn, "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
    }]});
    let set = sqs.set_queue_attributes().queue_url(&queue);
    set.attributes(QueueAttributeName::Policy, policy.to_string()).send().await.unwrap();
    let subscribe = aws_sdk_sns::Client::new(config).subscribe().topic_arn(topic).protocol("sqs").endpoint(arn);
    subscribe.send().await.unwrap();
    queue
}

#[tokio::test]
async fn a_deployment_contains_an_event_and_everything_that_watches_it_agrees() {
    let deployment = Deployment::new().await;
    resources::are_as_written(&deployment).await;

    let group = deployment.opened("opened").await;
    let incident = deployment.settled(&group).await;
    assert_eq!(incident.state, State::Contained, "{incident:#?}\n{:#?}", deployment.log(RESPONDER).await);
    assert!(!deployment.is_open(&group).await);
    assert_eq!((incident.verdict.as_str(), incident.receipt.len()), ("enforce", 1), "{incident:#?}");
    assert_eq!(incident.shadow.as_ref().map(|shadow| shadow.verdict.as_str()), Some("observe"), "{incident:#?}");

    let lines = deployment.logged(RESPONDER, "a finding was dealt with").await;
    assert_eq!(lines.len(), 1, "{lines:#?}");
    let line = &lines[0];
    let said = ["incident", "status", "resource", "responder"].map(|name| {
        let found = if name == "responder" { &line["span"][name] } else { &line[name] };
        found.as_str().unwrap_or_default().to_owned()
    });
    assert_eq!(said, [incident.id.as_str(), "contained", incident.resource.arn.as_str(), RESPONDER], "{line:#}");

    metrics::are_watched(&deployment).await;

    let (subject, text) = deployment.told().await;
    assert_eq!(subject, format!("Countermand contained: {RESPONDER} on {group} in {}", stage::ACCOUNT));
    let expected = ["user/mallory", "permitted by `contain-open-ingress`", &group, "revoke tcp/22 from 0.0.0.0/0"];
    for expected in expected.into_iter().chain([format!("countermand incidents undo {}", incident.id).as_str()]) {
        assert!(text.contains(expected), "{expected} in {text}");
    }

    let item = deployment.item(&incident).await;
    let [finding] = outward::findings_of(&item).await.try_into().unwrap();
    let hub = ["id", "resource", "record"].map(|name| finding[name].as_str().unwrap_or_default().to_owned());
    let id = format!("countermand/{}/{REGION}/{}", stage::ACCOUNT, incident.id);
    assert_eq!(hub, [id.as_str(), incident.resource.arn.as_str(), "ARCHIVED"], "{finding:#}");

    the_role_decides(&deployment).await;
}

/// Without its permission the function of the same deployment does nothing: it acts with its deployed role.
async fn the_role_decides(deployment: &Deployment) {
    let iam = aws_sdk_iam::Client::new(&deployment.root);
    let role = deployment.stack.id("RevokeOpenIngressRole");
    iam.delete_role_policy().role_name(role).policy_name(RESPONDER).send().await.unwrap();
    let group = deployment.opened("opened-again").await;
    let lines = deployment.logged(RESPONDER, "is not authorized to perform").await;
    assert!(lines.iter().any(|line| line.to_string().contains("ec2:")), "{lines:#?}");
    assert!(deployment.is_open(&group).await);
}
