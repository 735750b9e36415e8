//! Many findings at once, over many processes of a function, each delivered one to three times, in any order.
//!
//! `COUNTERMAND_LOAD=full cargo test -p tests load -- --nocapture` runs a thousand over fifty processes, which takes
//! minutes: the emulator answers one call at a time.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use aws_sdk_ec2::Client;
use futures_util::future::join_all;
use remedy::{Incident, State};
use serde_json::Value;
use stage::{Function, FunctionError};

use super::setting::{ENFORCE, PATIENCE, Setting, TABLE, status};

/// Any will do, as long as a failure can be repeated.
const SEED: u64 = 20_261_122;

/// How often Lambda runs an asynchronous invocation: once, and two retries.
const ATTEMPTS: usize = 3;

const PORT: i32 = 22;

#[derive(Debug, Clone, Copy)]
struct Size {
    findings: usize,
    processes: usize,
}

impl Size {
    fn wanted() -> Self {
        if std::env::var_os("COUNTERMAND_LOAD").is_some_and(|wanted| wanted == "full") {
            Self { findings: 1_000, processes: 50 }
        } else {
            Self { findings: 120, processes: 12 }
        }
    }
}

/// What came of it all.
#[derive(Debug)]
struct Storm {
    size: Size,
    deliveries: usize,
    /// Attempts that failed and were made again.
    retried: usize,
    took: Duration,
    /// By group, the one incident of its finding.
    incidents: BTreeMap<String, Incident>,
}

impl Storm {
    #[expect(clippy::print_stdout, reason = "the figures, for whoever asks for them with --nocapture")]
    async fn of(policies: &str) -> Self {
        let size = Size::wanted();
        let setting = Setting::with(policies).await;
        let findings = findings(&setting, size.findings).await;
        let mut functions = Vec::new();
        for _ in 0..size.processes {
            functions.push(setting.function("revoke-open-ingress").await);
        }
        let mut random = fastrand::Rng::with_seed(SEED);
        let mut deliveries = Vec::new();
        for finding in 0..findings.len() {
            deliveries.extend((0..random.usize(1..=3)).map(|delivery| (finding, delivery)));
        }
        random.shuffle(&mut deliveries);

        let began = Instant::now();
        let count = deliveries.len();
        let waiting = RefCell::new(deliveries);
        let answers = join_all(functions.iter().map(|function| work(function, &findings, &waiting))).await;
        let took = began.elapsed();
        let answers = answers.concat();
        let retried = answers.iter().map(|answer| answer.failures.len()).sum();
        let incidents = incidents(&setting).await;
        let storm = Self { size, deliveries: count, retried, took, incidents };
        println!("{storm}");
        check_account(&setting, &findings, &storm.incidents).await;
        check_answers(&answers, &findings, &storm.incidents);
        storm
    }

    fn count(&self, state: State) -> usize {
        self.incidents.values().filter(|incident| incident.state == state).count()
    }
}

impl fmt::Display for Storm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { size: Size { findings, processes }, deliveries, retried, took, .. } = self;
        let (contained, pending) = (self.count(State::Contained), self.count(State::Pending));
        write!(
            f,
            "{findings} findings, {deliveries} deliveries over {processes} processes in {:.1} s: {contained} contained, \
             {pending} pending, {retried} attempts made again",
            took.as_secs_f64()
        )
    }
}

/// A group somebody has opened, and the event of it.
struct Finding {
    group: String,
    event: Value,
}

#[derive(Debug, Clone)]
struct Answered {
    group: String,
    status: String,
    /// Of the attempts before.
    failures: Vec<String>,
}

async fn findings(setting: &Setting, count: usize) -> Vec<Finding> {
    let ec2 = Client::new(&setting.operator);
    let vpc = ec2.create_vpc().cidr_block("10.1.0.0/16").send().await.unwrap().vpc.unwrap().vpc_id.unwrap();
    let mut findings = Vec::new();
    for number in 0..count {
        let group = ec2.create_security_group().group_name(format!("web-{number}")).description("web").vpc_id(&vpc);
        let group = group.send().await.unwrap().group_id.unwrap();
        let event = setting.open(&group, PORT, &["0.0.0.0/0"]).await;
        findings.push(Finding { group, event });
    }
    findings
}

/// Takes deliveries as long as there are any, as Lambda does: one at a time, each three times at most.
async fn work(function: &Function, findings: &[Finding], waiting: &RefCell<Vec<(usize, usize)>>) -> Vec<Answered> {
    let mut answers = Vec::new();
    loop {
        let next = waiting.borrow_mut().pop();
        let Some((finding, delivery)) = next else { return answers };
        let Finding { group, event } = &findings[finding];
        let request_id = format!("{group}-{delivery}");
        let mut failures = Vec::new();
        let status = loop {
            match function.invoke_as(&request_id, event, PATIENCE).await {
                Err(FunctionError::Failed { error_message, .. }) if failures.len() + 1 < ATTEMPTS => {
                    failures.push(error_message);
                }
                answer => break status(answer),
            }
        };
        answers.push(Answered { group: group.clone(), status, failures });
    }
}

/// Every incident in the ledger, by its group.
async fn incidents(setting: &Setting) -> BTreeMap<String, Incident> {
    let ledger = aws_sdk_dynamodb::Client::new(&setting.operator);
    let rows = ledger.scan().table_name(TABLE).consistent_read(true).into_paginator().items().send();
    let mut incidents = BTreeMap::new();
    for row in rows.collect::<Result<Vec<_>, _>>().await.unwrap() {
        let Some(text) = row.get("incident") else { continue };
        let incident: Incident = serde_json::from_str(text.as_s().unwrap()).unwrap();
        let twice = incidents.insert(incident.resource.arn.name().to_owned(), incident);
        assert!(twice.is_none(), "a second incident of {twice:#?}");
    }
    incidents
}

/// One delivery of each finding had its effect, and all others were told that it is dealt with.
fn check_answers(answers: &[Answered], findings: &[Finding], incidents: &BTreeMap<String, Incident>) {
    assert_eq!(incidents.len(), findings.len());
    for Finding { group, .. } in findings {
        let of_group: Vec<_> = answers.iter().filter(|answer| answer.group == *group).collect();
        let effects: Vec<_> = of_group.iter().filter(|answer| answer.status != "duplicate").collect();
        let state = incidents[group].state.to_string();
        assert!(effects.len() == 1 && effects[0].status == state, "{state}: {of_group:#?}");
    }
}

/// What AWS was asked to do is what the incidents say, and so is what became of the groups.
async fn check_account(setting: &Setting, findings: &[Finding], incidents: &BTreeMap<String, Incident>) {
    let calls = setting.account.proxy().clear();
    let mut revoked = BTreeMap::new();
    // A call whose answer took too long is made again, and then finds nothing to revoke any more.
    for call in calls.iter().filter(|call| call.operation == "RevokeSecurityGroupIngress" && call.succeeded()) {
        *revoked.entry(call.param("GroupId").unwrap()).or_insert(0) += 1;
    }
    let rules = Client::new(&setting.operator).describe_security_group_rules().into_paginator().items().send();
    let rules = rules.collect::<Result<Vec<_>, _>>().await.unwrap();
    for Finding { group, .. } in findings {
        let incident = &incidents[group];
        let open = rules.iter().filter(|rule| rule.group_id() == Some(group) && rule.from_port() == Some(PORT)).count();
        let seen = (incident.state, incident.receipt.len(), revoked.get(group.as_str()).copied(), open);
        let contained = (State::Contained, 1, Some(1), 0);
        let pending = (State::Pending, 0, None, 1);
        assert!(seen == contained || seen == pending, "{seen:?}: {incident:#?}");
    }
}

#[tokio::test]
async fn under_load_every_finding_has_one_effect_and_one_incident() {
    let storm = Storm::of(ENFORCE).await;
    assert_eq!(storm.count(State::Contained), storm.size.findings);
}

#[tokio::test]
async fn under_load_a_budget_holds_to_the_unit() {
    let limit = Size::wanted().findings / 3;
    let storm = Storm::of(&format!(r#"@id("few") @limit("{limit}/1h") permit (principal, action, resource);"#)).await;
    assert_eq!((storm.count(State::Contained), storm.count(State::Pending)), (limit, storm.size.findings - limit));
}
