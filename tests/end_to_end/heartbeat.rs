//! The canary: through the rules of the template to every function, and back through the ledger.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::TimeDelta;
use serde_json::{Value, json};
use stage::Function;
use stage::trail::Identity;

use super::setting::{ENFORCE, REGION, Setting, TABLE, status};
use crate::folders::Folder;
use crate::generated::read;

/// The role that the canary has here, as the functions are told of it.
const CANARY_ROLE: (&str, &str) = ("COUNTERMAND_CANARY_ROLE", "arn:aws:iam::123456789012:role/countermand");

/// A function behind the rules that the template gives it.
struct Deployed {
    name: String,
    patterns: Vec<Value>,
    function: Function,
}

impl Deployed {
    async fn of(setting: &Setting, name: &str) -> Self {
        let function = setting.function_with(name, &[CANARY_ROLE]).await;
        Self { name: name.to_owned(), patterns: patterns(name), function }
    }

    /// Hands it the event if one of its rules does; whether one did. It finds nothing in it.
    async fn is_given(&self, event: &Value) -> bool {
        let matched = self.patterns.iter().filter(|pattern| stage::pattern::matches(pattern, event).unwrap()).count();
        if matched > 0 {
            assert_eq!(self.function.invoke(event).await.unwrap().body, json!({ "outcomes": [] }));
        }
        assert!(matched < 2, "{} is given it twice: {event}", self.name);
        matched == 1
    }
}

/// The patterns of a function's rules in template.yaml.
fn patterns(name: &str) -> Vec<Value> {
    let template = read("template.yaml");
    let block = template.split_once(&format!("  # >>> {name} – ")).unwrap().1.split_once("\n  # <<<").unwrap().0;
    let block = block.replace("{ \"Ref\": \"AWS::AccountId\" }", &format!("\"{}\"", stage::ACCOUNT));
    let texts = block.split("      EventPattern:\n").skip(1);
    texts.map(|text| serde_json::from_str(text.split_once("\n      Targets:").unwrap().0).unwrap()).collect()
}

fn names() -> Vec<String> {
    Folder::all().into_iter().map(|folder| folder.name).collect()
}

async fn canary(setting: &Setting) -> Function {
    setting.function_with("countermand", &[("_HANDLER", "heartbeat")]).await
}

async fn run(canary: &Function) -> Value {
    canary.invoke(&json!({})).await.unwrap().body
}

/// Lets the round that runs be forty minutes older.
async fn age(setting: &Setting) {
    let round = lambda::DynamoLedger::new(&setting.operator, TABLE).round().await.unwrap().unwrap();
    let begun = (round.begun - TimeDelta::minutes(40)).timestamp_millis().to_string();
    let update = aws_sdk_dynamodb::Client::new(&setting.operator).update_item().table_name(TABLE);
    let update = update.key("pk", AttributeValue::S("heartbeat".to_owned())).update_expression("SET begun = :b");
    update.expression_attribute_values(":b", AttributeValue::N(begun)).send().await.unwrap();
}

/// What the canary wrote of a metric.
fn metric(canary: &Function, name: &str) -> Vec<Value> {
    let lines = canary.stdout();
    let lines = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter(|line| line["responder"] == "heartbeat").map(|line| line[name].clone()).collect()
}

fn heartbeat(nonce: &Value) -> Value {
    json!({"version": "0", "id": "f", "detail-type": "Heartbeat", "source": "countermand", "account": "123456789012",
        "time": "2026-11-22T07:00:00Z", "region": REGION, "resources": [],
        "detail": {"responder": "revoke-open-ingress", "nonce": nonce}})
}

#[tokio::test]
async fn every_function_and_cloudtrail_answer_the_canary() {
    let setting = Setting::with(ENFORCE).await;
    let mut deployed = Vec::new();
    for name in names() {
        deployed.push(Deployed::of(&setting, &name).await);
    }
    let canary = canary(&setting).await;
    assert_eq!(run(&canary).await, json!({"judged": false, "alive": [], "silent": [], "delivery_ms": null}));

    let events = setting.account.events();
    let (calls, questions): (Vec<_>, Vec<_>) = events.iter().partition(|event| event["source"] == "aws.ec2");
    assert_eq!((calls.len(), questions.len()), (1, deployed.len()), "{events:#?}");
    assert_eq!(calls[0]["detail"]["errorCode"], "Client.DryRunOperation");
    let mut given = BTreeSet::new();
    for event in &events {
        let mut by = Vec::new();
        for function in &deployed {
            if function.is_given(event).await {
                by.push(function.name.clone());
            }
        }
        assert_eq!(by.len(), 1, "{by:?}: {event:#}");
        given.extend(by);
    }
    assert_eq!(Vec::from_iter(given), names());

    age(&setting).await;
    let heard = run(&canary).await;
    assert_eq!((&heard["judged"], &heard["alive"]), (&json!(true), &json!(names())), "{heard}");
    assert_eq!(heard["silent"], json!([]));
    let late = heard["delivery_ms"].as_i64().unwrap();
    assert!((0..120_000).contains(&late), "{late}");
    assert_eq!(metric(&canary, "HeartbeatMissed"), [json!(0)]);
    assert_eq!(metric(&canary, "DeliveryTime"), [json!([late])]);

    assert!(setting.incidents().await.is_empty());
    for Deployed { name, function, .. } in &deployed {
        let counted = function.stdout().into_iter().find(|line| line.contains("CloudWatchMetrics"));
        assert_eq!(counted, None, "{name} counts a heartbeat as an event");
    }
}

#[tokio::test]
async fn who_does_not_answer_is_named() {
    let setting = Setting::with(ENFORCE).await;
    let canary = canary(&setting).await;
    run(&canary).await;
    let events = setting.account.events();
    let question = |name: &str| events.iter().find(|event| event["detail"]["responder"] == name).unwrap().clone();

    let alive = Deployed::of(&setting, "revoke-open-ingress").await;
    assert!(alive.is_given(&question("revoke-open-ingress")).await);
    let elsewhere = setting.function_with("restart-trail", &[("COUNTERMAND_TABLE", "no-such-table")]).await;
    let refused = elsewhere.invoke(&question("restart-trail")).await.unwrap_err();
    assert!(refused.to_string().contains("did not write a heartbeat"), "{refused}");
    setting.set_policies("permit (principal, action, resource)");
    let unstarted = setting.try_function("unshare-image").await.unwrap_err();
    assert!(unstarted.to_string().contains("Init.Policies"), "{unstarted}");

    age(&setting).await;
    let heard = run(&canary).await;
    assert_eq!(heard["alive"], json!(["revoke-open-ingress"]));
    let mut silent: Vec<String> = names().into_iter().filter(|name| name != "revoke-open-ingress").collect();
    silent.push("CloudTrail".to_owned());
    assert_eq!(heard["silent"], json!(silent));
    assert_eq!(metric(&canary, "HeartbeatMissed"), [json!(silent.len())]);
    assert_eq!(metric(&canary, "DeliveryTime"), [Value::Null]);
    let said = canary.stdout().join("\n");
    assert!(said.contains(&format!("\"silent\":\"{}\"", silent.join(", "))), "{said}");
}

/// Anybody may put events on the bus.
#[tokio::test]
async fn a_forged_question_proves_nothing() {
    let setting = Setting::with(ENFORCE).await;
    let function = setting.function_with("revoke-open-ingress", &[CANARY_ROLE]).await;
    let answer = async |event: &Value| function.invoke(event).await.map(|answer| answer.body);
    let nothing = json!({ "outcomes": [] });
    assert_eq!(answer(&heartbeat(&json!("before any round"))).await.unwrap(), nothing);
    let canary = canary(&setting).await;
    run(&canary).await;
    for nonce in [json!(""), json!("made up"), json!("x".repeat(100_000))] {
        assert_eq!(answer(&heartbeat(&nonce)).await.unwrap(), nothing, "{nonce}");
    }
    let shapeless = function.invoke(&heartbeat(&json!(7))).await.unwrap_err();
    assert!(format!("{shapeless:?}").contains("Final.Event"), "{shapeless:?}");

    age(&setting).await;
    let heard = run(&canary).await;
    assert_eq!(heard["alive"], json!([]));
    // The nonce of the round before is one that the canary did send.
    let old = setting.account.events().iter().find_map(|event| event["detail"].get("nonce").cloned()).unwrap();
    age(&setting).await;
    run(&canary).await;
    assert_eq!(answer(&heartbeat(&old)).await.unwrap(), nothing);
    age(&setting).await;
    assert_eq!(run(&canary).await["alive"], json!([]));
    assert!(setting.incidents().await.is_empty());
}

#[tokio::test]
async fn a_run_too_early_to_judge_asks_the_silent_again() {
    let setting = Setting::with(ENFORCE).await;
    let canary = canary(&setting).await;
    run(&canary).await;
    let events = setting.account.events();
    let nonces = |events: &[Value]| -> BTreeSet<String> {
        events.iter().filter_map(|event| event["detail"]["nonce"].as_str()).map(str::to_owned).collect()
    };
    let deployed = Deployed::of(&setting, "unshare-snapshot").await;
    let mut given = 0;
    for event in &events {
        given += usize::from(deployed.is_given(event).await);
    }
    assert_eq!(given, 2, "its question, and the record of the canary's call");

    assert_eq!(run(&canary).await["judged"], json!(false));
    let again = setting.account.events();
    assert_eq!(again.len(), names().len() - 1, "{again:#?}");
    assert!(again.iter().all(|event| event["detail"]["responder"] != "unshare-snapshot"));
    assert_eq!(nonces(&again), nonces(&events));
    assert!(metric(&canary, "HeartbeatMissed").is_empty());
}

/// Its credentials would else be a licence for whoever steals them.
#[tokio::test]
async fn what_the_canarys_role_really_does_is_a_finding() {
    let setting = Setting::with(ENFORCE).await;
    let group = setting.group().await;
    let thief = setting.account.acting_as(Identity::role_session("countermand", "countermand"), REGION).await;
    let event = setting.open_as(&thief, &group, 22, &["0.0.0.0/0"]).await;
    let function = setting.function_with("revoke-open-ingress", &[CANARY_ROLE]).await;
    assert_eq!(status(function.invoke(&event).await), "contained");
}
