//! What docs/images/render makes pictures of: real runs of the command, against the emulator.

use std::env;

use serde_json::{Value, json};
use stage::trail::Identity;
use stage::{Fault, When};

use super::metrics::{contained, put};
use super::setting::{REGION, TABLE, status};
use super::stack::Stack;

const POLICIES: &str = concat!(
    include_str!("../../cli/src/demo/policies.cedar"),
    "\n@id(\"ask-about-rdp\") @mode(\"approve\") @reason(\"the jump hosts move in November\")\n",
    "permit (principal, action == Action::\"revoke-open-ingress\", resource) when { context.sensitivePorts.contains(3389) };\n"
);

/// An attack in a deployment of which three things are broken; the incident that is shown.
async fn tell(stack: &Stack) -> String {
    let setting = &stack.setting;
    setting.set_policies(POLICIES);
    let (group, instance, id) = contained(setting).await;
    for slot in 0..37 {
        let (cpu, out) =
            if slot < 3 { (97.0, 38e7) } else { (f64::from(9 + slot * 7 % 23), 2e6 * f64::from(5 + slot * 5 % 31)) };
        put(setting, &instance, "CPUUtilization", i64::from(slot) * 5, cpu).await;
        put(setting, &instance, "NetworkOut", i64::from(slot) * 5, out).await;
    }
    remember_calls(setting.incidents().await[0].event_time.unwrap().timestamp(), stack);

    let function = setting.function("revoke-open-ingress").await;
    let omar = setting.account.acting_as(Identity::role_session("break-glass", "omar"), REGION).await;
    let event = setting.open_as(&omar, &group, 22, &["0.0.0.0/0"]).await;
    assert_eq!(status(function.invoke(&event).await), "exempt");
    let event = setting.open(&group, 3389, &["0.0.0.0/0"]).await;
    assert_eq!(status(function.invoke(&event).await), "pending");
    let function = setting.function("disable-access-key").await;
    let event = setting.key_for("alice").await;
    assert_eq!(status(function.invoke(&event).await), "contained");

    let events = aws_sdk_eventbridge::Client::new(&setting.operator);
    events.disable_rule().name(stack.id("BlockBucketExposureRule")).send().await.unwrap();
    let trail = aws_sdk_cloudtrail::Client::new(&setting.operator);
    trail.stop_logging().name("management").send().await.unwrap();
    let sqs = aws_sdk_sqs::Client::new(&setting.operator);
    sqs.send_message().queue_url(stack.id("FailedEvents")).message_body("{}").send().await.unwrap();
    let simulation = When::operation("iam", "SimulatePrincipalPolicy");
    setting.account.proxy().inject(Fault::Denied, simulation, u32::MAX);
    id
}

/// What the attacker tried before, some of it in vain.
fn remember_calls(event: i64, stack: &Stack) {
    for (minutes_ago, denied) in [(25, true), (20, true), (20, true), (15, true), (15, false), (10, false), (5, false)]
    {
        let at = chrono::DateTime::from_timestamp(event - minutes_ago * 60, 0).unwrap();
        let mut record = json!({
            "eventTime": at.to_rfc3339(), "eventName": "DescribeInstances",
            "userIdentity": { "type": "IAMUser", "userName": "mallory", "accessKeyId": "AKIASTAGE00000000000" },
        });
        if denied {
            record["errorCode"] = "Client.UnauthorizedOperation".into();
        }
        stack.setting.account.proxy().remember(record);
    }
}

#[tokio::test]
async fn what_the_pictures_show_is_so() {
    let stack = Stack::deployed().await;
    let id = tell(&stack).await;
    if let Some(render) = env::var_os("RENDER") {
        let mut command = stack.command(render.to_str().unwrap());
        let done = command.env("COUNTERMAND_TABLE", TABLE).env("INCIDENT", &id).status().await.unwrap();
        assert!(done.success(), "docs/images/render failed");
        return;
    }
    let (_, said) = stack.countermand(&["doctor", "--format", "json"]).await;
    let checks = said.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let failed: Vec<String> = checks
        .filter(|check| check["result"] == "failed")
        .map(|check| check["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(failed, ["trail", "queue FailedEvents", "rule BlockBucketExposureRule"], "{said}");
    let (done, said) = stack.setting.countermand(&["incidents", "show", &id, "--metrics"]).await;
    assert!(done && said.contains("▼ event, and contained") && said.contains("10.0 MB to 380.0 MB"), "{said}");
}
