//! What must hold when the function's process is killed, at each call to AWS that it makes: before AWS has the request,
//! and after AWS has done what it asks.
//!
//! A redelivery is what Lambda makes of it: the same event under the same request id, to a new process.

use std::time::{Duration, Instant};

use remedy::{Incident, State};
use serde_json::Value;
use stage::{Call, Fault, Function, FunctionError, When};

use super::setting::{ENFORCE, PATIENCE, Setting, status};

/// Time for a debug build to claim an incident, and not long to wait for: a claim is good until the invocation's end.
const SHORT: Duration = Duration::from_secs(8);

/// A call of a run.
#[derive(Debug, Clone)]
struct Step {
    service: String,
    operation: String,
    /// Which of the calls of this operation it is, from 1.
    nth: u32,
}

impl Step {
    fn of(service: &str, operation: &str, nth: u32) -> Self {
        Self { service: service.to_owned(), operation: operation.to_owned(), nth }
    }
}

/// Something dangerous that somebody has just done, in a resource of its own.
struct Exposure {
    responder: &'static str,
    /// The group or the user.
    name: String,
    event: Value,
    /// How the account looks with it.
    exposed: Vec<String>,
}

struct Scene {
    setting: Setting,
    topic: String,
    made: u32,
}

impl Scene {
    async fn new() -> Self {
        let setting = Setting::with(ENFORCE).await;
        let topic = setting.topic().await;
        Self { setting, topic, made: 0 }
    }

    async fn function(&self, responder: &str) -> Function {
        self.setting.function_with(responder, &[("COUNTERMAND_TOPIC", &self.topic)]).await
    }

    /// An exposure that takes the responder two changes to undo.
    async fn expose(&mut self, responder: &'static str) -> Exposure {
        self.made += 1;
        let (name, event) = if responder == "revoke-open-ingress" {
            let group = self.setting.group().await;
            let event = self.setting.open(&group, 22, &["0.0.0.0/1", "128.0.0.0/1"]).await;
            (group, event)
        } else {
            let user = format!("user{}", self.made);
            let event = self.setting.key_for(&user).await;
            (user, event)
        };
        let mut exposure = Exposure { responder, name, event, exposed: Vec::new() };
        exposure.exposed = self.look(&exposure).await;
        self.setting.account.proxy().clear();
        exposure
    }

    async fn look(&self, Exposure { responder, name, .. }: &Exposure) -> Vec<String> {
        if *responder == "revoke-open-ingress" {
            return self.setting.rules(name).await;
        }
        let (status, has_policy) = self.setting.user(name).await;
        vec![status, has_policy.to_string()]
    }

    async fn incident(&self, exposure: &Exposure) -> Incident {
        let mut incidents = self.setting.incidents().await;
        incidents.retain(|incident| incident.resource.arn.name() == exposure.name);
        assert_eq!(incidents.len(), 1, "{incidents:#?}");
        incidents.remove(0)
    }

    /// The calls of a run that nothing disturbs.
    async fn steps(&mut self, responder: &'static str) -> Vec<Step> {
        let exposure = self.expose(responder).await;
        let function = self.function(responder).await;
        assert_eq!(status(function.invoke(&exposure.event).await), "contained");
        let mut steps: Vec<Step> = Vec::new();
        for Call { service, operation, .. } in self.setting.account.proxy().clear() {
            let before = steps.iter().filter(|step| step.operation == operation).count();
            steps.push(Step { service, operation, nth: u32::try_from(before).unwrap() + 1 });
        }
        steps
    }

    /// Hands over the event, and kills the process while the call is held back.
    async fn kill(&self, function: &Function, exposure: &Exposure, request: Request<'_>, (held, step): (Fault, &Step)) {
        let proxy = self.setting.account.proxy();
        let when = When::operation(&step.service, &step.operation);
        proxy.inject(Fault::Delay(Duration::ZERO), when.clone(), step.nth - 1);
        proxy.inject(held, when, 1);
        let invoked = function.invoke_as(request.id, &exposure.event, request.deadline);
        tokio::pin!(invoked);
        tokio::select! {
            answer = &mut invoked => panic!("{step:?} was not reached: {answer:?}"),
            () = proxy.holds() => function.kill().await,
        }
        // Lambda sees an error, and keeps the event.
        let answer = invoked.await;
        assert!(matches!(answer, Err(FunctionError::Exited { .. })), "{step:?}: {answer:?}");
        proxy.heal();
    }

    /// The account is safe, everything in it that is ours is in the receipt and nothing else, and undo restores it.
    async fn check(&self, exposure: &Exposure, calls: &[Call], case: &str) {
        let incident = self.incident(exposure).await;
        let safe = if exposure.responder == "revoke-open-ingress" {
            vec![r#"443 0.0.0.0/0 "as it was" "#.to_owned()]
        } else {
            vec!["Inactive".to_owned(), "true".to_owned()]
        };
        assert_eq!((self.look(exposure).await, incident.state), (safe, State::Contained), "{case}: {incident:#?}");
        let mut made: Vec<&str> = calls.iter().filter(|call| call.succeeded()).filter_map(change).collect();
        let mut told: Vec<&str> = incident.receipt.iter().map(|entry| recorded(&entry.change)).collect();
        made.sort_unstable();
        told.sort_unstable();
        assert_eq!((made.len(), &made), (2, &told), "{case}: {incident:#?}");

        let (done, said) = self.setting.countermand(&["incidents", "undo", incident.id.as_str(), "--yes"]).await;
        assert!(done, "{case}: {said}");
        assert_eq!(self.look(exposure).await, exposure.exposed, "{case}");
    }
}

/// How Lambda invokes.
#[derive(Clone, Copy)]
struct Request<'a> {
    id: &'a str,
    deadline: Duration,
}

/// What a call changed, by what tells it from others: the rule, the key, the policy.
fn change(call: &Call) -> Option<&str> {
    match call.operation.as_str() {
        "RevokeSecurityGroupIngress" => call.param("SecurityGroupRuleId.1"),
        "UpdateAccessKey" => call.param("AccessKeyId"),
        "PutUserPolicy" => call.param("PolicyDocument"),
        _ => None,
    }
}

/// The same of a change in a receipt.
fn recorded(change: &Value) -> &str {
    let places = ["/revoke/id", "/status/key", "/cutOff/after"];
    places.iter().find_map(|place| change.pointer(place)).and_then(Value::as_str).unwrap()
}

fn published(calls: &[Call]) -> usize {
    calls.iter().filter(|call| call.operation == "Publish" && call.succeeded()).count()
}

#[expect(clippy::print_stdout, reason = "the figures, for whoever asks for them with --nocapture")]
async fn killed_at_each_call(responder: &'static str) {
    let began = Instant::now();
    let mut scene = Scene::new().await;
    let steps = scene.steps(responder).await;
    assert!(steps.len() > 8 && steps.last().unwrap().operation == "Publish", "{steps:#?}");
    let mut function = scene.function(responder).await;
    for step in &steps {
        for held in [Fault::HoldBefore, Fault::HoldAfter] {
            let exposure = scene.expose(responder).await;
            let case = format!("{held:?} at {step:?} of {}", exposure.name);
            let request = Request { id: &exposure.name, deadline: PATIENCE };
            scene.kill(&function, &exposure, request, (held, step)).await;

            // It serves the next case, too, as one of Lambda's does the next event.
            function = scene.function(responder).await;
            let answer = status(function.invoke_as(request.id, &exposure.event, request.deadline).await);
            let calls = scene.setting.account.proxy().clear();
            // What died when the receipt was stored had done all but tell people.
            assert!(answer == "contained" && published(&calls) == 1 || answer == "duplicate", "{case}: {answer}");
            scene.check(&exposure, &calls, &case).await;
        }
    }
    println!("{} calls of {responder}, killed twice at each: {:.1} s", steps.len(), began.elapsed().as_secs_f64());
}

#[tokio::test]
async fn killed_at_any_call_ingress_is_closed_once_and_can_be_undone() {
    killed_at_each_call("revoke-open-ingress").await;
}

#[tokio::test]
async fn killed_at_any_call_a_key_is_disabled_once_and_can_be_enabled() {
    killed_at_each_call("disable-access-key").await;
}

#[tokio::test]
async fn killed_before_it_told_anybody_somebody_is_told_all_the_same() {
    let mut scene = Scene::new().await;
    let ask = r#"@id("ask") @mode("approve") permit (principal, action, resource);"#;
    let mut untold = Vec::new();
    for (policies, held, step) in [
        (ENFORCE, Fault::HoldAfter, Step::of("dynamodb", "TransactWriteItems", 2)),
        (ENFORCE, Fault::HoldBefore, Step::of("sns", "Publish", 1)),
        (ask, Fault::HoldAfter, Step::of("dynamodb", "TransactWriteItems", 1)),
    ] {
        scene.setting.set_policies(policies);
        let exposure = scene.expose("revoke-open-ingress").await;
        let request = Request { id: &exposure.name, deadline: PATIENCE };
        scene.kill(&scene.function(exposure.responder).await, &exposure, request, (held, &step)).await;
        let again = scene.function(exposure.responder).await;
        let answer = status(again.invoke_as(request.id, &exposure.event, request.deadline).await);
        let calls = scene.setting.account.proxy().clear();
        if published(&calls) == 0 {
            untold.push(format!("{held:?} at {step:?}: {answer}"));
        }
    }
    assert_eq!(untold, Vec::<String>::new(), "nobody was told");
}

#[tokio::test]
async fn a_dead_runs_claim_keeps_others_away_until_it_runs_out() {
    let mut scene = Scene::new().await;
    let mut claimed = Vec::new();
    for responder in ["revoke-open-ingress", "disable-access-key"] {
        let exposure = scene.expose(responder).await;
        let request = Request { id: "first", deadline: SHORT };
        let claim = Step::of("dynamodb", "TransactWriteItems", 1);
        scene.kill(&scene.function(responder).await, &exposure, request, (Fault::HoldAfter, &claim)).await;

        let other = scene.function(responder).await;
        assert_eq!(status(other.invoke_as("second", &exposure.event, PATIENCE).await), "duplicate");
        let calls = scene.setting.account.proxy().clear();
        assert_eq!(calls.iter().filter_map(change).count(), 0, "{responder}: two at work on one finding");
        assert_eq!(scene.look(&exposure).await, exposure.exposed);
        let Incident { state, lease, .. } = scene.incident(&exposure).await;
        assert_eq!((state, lease.unwrap().owner.as_str()), (State::Claimed, "first"));
        claimed.push((exposure, other));
    }
    tokio::time::sleep(SHORT).await;
    for (exposure, other) in claimed {
        scene.setting.account.proxy().clear();
        assert_eq!(status(other.invoke_as("third", &exposure.event, PATIENCE).await), "contained");
        scene.check(&exposure, &scene.setting.account.proxy().clear(), exposure.responder).await;
    }
}

/// Lambda runs an asynchronous invocation three times, and then keeps the event in the dead-letter queue.
#[tokio::test]
async fn an_event_whose_every_attempt_dies_is_kept_and_finished_from_the_queue() {
    let mut scene = Scene::new().await;
    for (responder, first_change) in [
        ("revoke-open-ingress", Step::of("ec2", "RevokeSecurityGroupIngress", 1)),
        ("disable-access-key", Step::of("iam", "UpdateAccessKey", 1)),
    ] {
        let exposure = scene.expose(responder).await;
        let request = Request { id: &exposure.name, deadline: SHORT };
        let write = |nth| Step::of("dynamodb", "TransactWriteItems", nth);
        for death in [
            (Fault::HoldAfter, &write(1)),
            (Fault::HoldAfter, &first_change),
            // The first of this attempt is its claim.
            (Fault::HoldBefore, &write(2)),
        ] {
            scene.kill(&scene.function(responder).await, &exposure, request, death).await;
            let Incident { state, plan, .. } = scene.incident(&exposure).await;
            assert!(
                state == State::Claimed && !plan.is_empty(),
                "after {death:?} the ledger does not know what was begun"
            );
        }
        let mut calls = scene.setting.account.proxy().clear();
        tokio::time::sleep(SHORT).await;
        scene.setting.account.proxy().clear();
        let redriven = scene.function(responder).await.invoke(&exposure.event).await;
        assert_eq!(status(redriven), "contained");
        calls.extend(scene.setting.account.proxy().clear());
        assert_eq!(published(&calls), 1);
        scene.check(&exposure, &calls, responder).await;
    }
}
