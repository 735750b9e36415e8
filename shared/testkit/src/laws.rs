//! The laws.
#![expect(clippy::expect_used, reason = "test support: a broken law fails the test")]

use std::cell::Cell;
use std::collections::BTreeSet;

use arbitrary::Unstructured;
use cloudtrail::Event;
use policy::{Facts, Request, Resource, Schema, Severity, Source, Trusted};
use proptest::collection;
use proptest::prelude::any;
use proptest::test_runner::{Config, TestError, TestRunner};
use remedy::{Incident, Memory, MemoryKey, Responder, Situation, State, Status};

use crate::judgement::Judgement;
use crate::run::{Bench, block_on, now};
use crate::variations::Variations;
use crate::world::World;

/// So many events that nobody sent are judged.
const VARIATIONS: u32 = 512;

/// Checks every law of a responder on events that each give it something to do in the world that `setting` makes.
///
/// - What policy does not permit is observed, and nothing is written.
/// - What is permitted is contained, and the receipt is the plan.
/// - A second delivery changes nothing, and neither does another event about what is safe already.
/// - Undo restores the world, and its own writes and ours lead to no further change.
/// - Stopped at any write, the receipt is kept: a redelivery completes it, and undo restores the world.
/// - Dead between change and receipt, a redelivery completes the receipt.
/// - The facts, from the event and from the account, are those of the schema.
/// - The calls made are those of `permissions.json`: no more, and over all events no fewer. Capturing a baseline is the
///   operator's, and writes nothing.
/// - Whatever is sent in the shape of the events in its folder, the laws of [`Judgement`] hold.
pub fn check_laws<R: Responder, W: World>(setting: impl Fn(&Event) -> (W, R), events: &[Event]) {
    let mut used = Calls::default();
    for event in events {
        only_observes_without_a_permit(&setting, event);
        contains_once_and_undoes(&setting, event, &mut used);
        survives_a_refusal_of_each_write(&setting, event);
        survives_death_before_the_receipt(&setting, event);
        facts_conform(&setting, event);
    }
    used.compare::<R>();
    judges_whatever_is_sent::<R>();
}

/// A bench whose ledger has the world's baselines.
fn bench<R: Responder>(bench: Bench, world: &impl World) -> Bench {
    for (resource, state) in world.baselines() {
        bench.ledger.store_baseline(&MemoryKey::of(R::SPEC.name, &resource), state);
    }
    bench
}

fn only_observes_without_a_permit<R: Responder, W: World>(setting: &impl Fn(&Event) -> (W, R), event: &Event) {
    let (world, responder) = setting(event);
    let bench = bench::<R>(Bench::new(""), &world);
    let start = world.state();
    let responded = bench.deliver(&responder, event, "a");
    assert!(responded.failure.is_none(), "{:?}", responded.failure);
    assert!(!responded.outcomes.is_empty(), "the event must be a finding");
    for outcome in &responded.outcomes {
        assert_eq!(outcome.status, Status::Observed, "{outcome:?}");
    }
    assert_eq!(world.journal().writes(), 0, "what is only observed must not be written to");
    assert_eq!(world.state(), start);
    for incident in bench.ledger.incidents() {
        assert!(!incident.plan.is_empty(), "what is observed still says what would be done");
    }
}

fn contained<R: Responder>(bench: &Bench, responder: &R, event: &Event, owner: &str) -> Vec<Incident> {
    let responded = bench.deliver(responder, event, owner);
    assert!(responded.failure.is_none(), "{:?}", responded.failure);
    assert!(!responded.outcomes.is_empty(), "the event must be a finding");
    for outcome in &responded.outcomes {
        assert_eq!(outcome.status, Status::Contained, "{outcome:?}");
    }
    bench.ledger.incidents()
}

fn contains_once_and_undoes<R: Responder, W: World>(
    setting: &impl Fn(&Event) -> (W, R),
    event: &Event,
    used: &mut Calls,
) {
    let (world, responder) = setting(event);
    let bench = bench::<R>(Bench::enforcing(), &world);
    let start = world.state();

    let incidents = contained(&bench, &responder, event, "a");
    for incident in &incidents {
        let receipt: Vec<_> = incident.receipt.iter().map(|entry| entry.change.clone()).collect();
        assert_eq!(receipt, incident.plan, "what was done is what was planned");
        assert_eq!(incident.state, State::Contained);
    }
    let after = world.state();
    assert_ne!(after, start, "containing changes something");

    for outcome in bench.deliver(&responder, event, "b").outcomes {
        assert_eq!(outcome.status, Status::Duplicate, "a second delivery of one event");
    }
    let mut other = event.clone();
    other.id = cloudtrail::EventId::new("another event about the same thing");
    for outcome in bench.deliver(&responder, &other, "c").outcomes {
        assert_eq!(outcome.status, Status::AlreadySafe, "another event about what is safe already");
    }
    assert_eq!(world.state(), after, "what is safe is left alone");
    changes_nothing_about_its_own_writes(&bench, &responder, &world);
    used.by_function.extend(world.journal().calls());

    let before_undo = world.journal().calls().len();
    let writes = world.journal().writes();
    for (resource, _) in block_on(responder.capture()).expect("the fake answers") {
        assert!(!resource.arn.name().is_empty(), "a baseline is of something: {resource:?}");
    }
    assert_eq!(world.journal().writes(), writes, "to capture is to look");
    for incident in incidents {
        let undone = bench.undo(&responder, incident).expect("undo succeeds");
        assert!(!undone.did.is_empty(), "undo says what it did");
        bench.undo(&responder, undone.incident).expect_err("an undo happens once");
    }
    used.by_operator.extend(world.journal().calls().split_off(before_undo));
    assert_eq!(world.state(), start, "undo restores what was changed");
    changes_nothing_about_its_own_writes(&bench, &responder, &world);
    for outcome in bench.deliver(&responder, event, "d").outcomes {
        assert_eq!(outcome.status, Status::Duplicate, "what a person took back is not done again");
    }
    assert_eq!(world.state(), start);
}

fn changes_nothing_about_its_own_writes<R: Responder, W: World>(bench: &Bench, responder: &R, world: &W) {
    let writes = world.journal().writes();
    for event in world.journal().events() {
        let responded = bench.deliver(responder, &event, "own");
        assert!(responded.failure.is_none(), "{:?}", responded.failure);
    }
    assert_eq!(world.journal().writes(), writes, "events of our own writes lead to no further write");
}

fn survives_a_refusal_of_each_write<R: Responder, W: World>(setting: &impl Fn(&Event) -> (W, R), event: &Event) {
    for n in 0.. {
        let (world, responder) = setting(event);
        let bench = bench::<R>(Bench::enforcing(), &world);
        let start = world.state();
        world.journal().refuse_write(Some(n));
        let responded = bench.deliver(&responder, event, "a");
        let Some(failure) = responded.failure else {
            assert!(n > 0, "no write was made at all");
            return;
        };
        assert!(failure.is_retryable(), "write {n}: {failure:?}");
        world.journal().refuse_write(None);

        let stopped = bench.ledger.incidents();
        for incident in &stopped {
            assert_eq!(incident.receipt.len(), if incident.state == State::Failed { n } else { incident.plan.len() });
        }
        let responded = bench.deliver(&responder, event, "b");
        assert!(responded.failure.is_none(), "redelivery after write {n}: {:?}", responded.failure);
        for incident in bench.ledger.incidents() {
            assert_eq!(incident.state, State::Contained, "redelivery after write {n}");
            bench.undo(&responder, incident).expect("undo succeeds");
        }
        assert_eq!(world.state(), start, "stopped at write {n}, redelivered and undone");
    }
}

fn survives_death_before_the_receipt<R: Responder, W: World>(setting: &impl Fn(&Event) -> (W, R), event: &Event) {
    for (owner, wait) in [("a", 0), ("b", 31)] {
        let (world, responder) = setting(event);
        let bench = bench::<R>(Bench::enforcing(), &world);
        let start = world.state();
        bench.ledger.lose_settle(true);
        bench.deliver(&responder, event, "a").failure.expect("a lost receipt is a failure");
        bench.ledger.lose_settle(false);
        let writes = world.journal().writes();

        for outcome in bench.deliver(&responder, event, "somebody else").outcomes {
            assert_eq!(outcome.status, Status::Duplicate, "the lease still runs");
        }
        bench.wait(chrono::TimeDelta::seconds(wait));
        for incident in contained(&bench, &responder, event, owner) {
            assert!(!incident.receipt.is_empty() && incident.receipt.iter().all(|entry| entry.presumed));
        }
        assert_eq!(world.journal().writes(), writes, "nothing is done twice");
        for incident in bench.ledger.incidents() {
            bench.undo(&responder, incident).expect("undo succeeds");
        }
        assert_eq!(world.state(), start, "the receipt completed after a death is enough to undo");
    }
}

pub(crate) fn schema<R: Responder>() -> Schema {
    let fragment = Source { name: "schema.cedarschema".into(), text: R::SPEC.schema.into() };
    Schema::merge(vec![fragment]).expect("the schema merges")
}

fn facts_conform<R: Responder, W: World>(setting: &impl Fn(&Event) -> (W, R), event: &Event) {
    let schema = schema::<R>();
    let (_, responder) = setting(event);
    let (memory, trusted) = (Memory::default(), Trusted::default());
    let situation = Situation { now: now(), event_time: event.time, memory, trusted };
    for finding in R::detect(event).expect("the event is understood") {
        let live = block_on(responder.observe(&finding)).expect("the fake answers");
        for observed in [R::presume(&finding), live] {
            let plan = R::plan(&finding, &observed, &situation);
            conforms::<R>(&schema, event, &plan.resource, finding.severity, &plan.facts);
        }
    }
}

pub(crate) fn conforms<R: Responder>(
    schema: &Schema,
    event: &Event,
    resource: &Resource,
    severity: Severity,
    facts: &Facts,
) {
    let request = Request { responder: R::SPEC.name, now: now(), event, resource, severity, facts };
    schema.conforms(&request).expect("the facts are those of schema.cedarschema");
}

#[expect(clippy::panic, reason = "test support: a broken law fails the test")]
fn judges_whatever_is_sent<R: Responder>() {
    let (judgement, variations) = (Judgement::<R>::default(), Variations::of([R::SPEC.name]));
    let event = |choices: &[u8]| variations.event(&mut Unstructured::new(choices)).expect("there are events");
    let found = Cell::new(0);
    let config = Config { failure_persistence: None, ..Config::with_cases(VARIATIONS) };
    let tried = TestRunner::new(config).run(&collection::vec(any::<u8>(), 0..256), |choices| {
        found.set(found.get() + judgement.check(event(&choices).to_string().as_bytes()));
        Ok(())
    });
    if let Err(TestError::Fail(reason, choices)) = tried {
        panic!("{reason}\nThe event was {}", event(&choices));
    }
    assert!(found.get() > 0, "no variation of the events is a finding");
}

#[derive(Default)]
struct Calls {
    by_function: BTreeSet<&'static str>,
    by_operator: BTreeSet<&'static str>,
}

impl Calls {
    fn compare<R: Responder>(&self) {
        let asked: Vec<serde_json::Value> =
            serde_json::from_str(R::SPEC.permissions).expect("permissions.json is a list");
        let actions = |operator: bool| -> BTreeSet<&str> {
            let by = |it: &&serde_json::Value| it.get("by").is_some_and(|by| by != "function") == operator;
            asked.iter().filter(by).filter_map(|it| it.get("action")?.as_str()).collect()
        };
        let function = actions(false);
        let operator: BTreeSet<&str> = actions(true);
        let surplus: Vec<_> = self.by_function.difference(&function).collect();
        assert!(surplus.is_empty(), "the function calls what permissions.json does not ask for: {surplus:?}");
        let unused: Vec<_> = function.difference(&self.by_function).collect();
        assert!(unused.is_empty(), "permissions.json asks for what the function never calls: {unused:?}");
        let undo: BTreeSet<&str> = self
            .by_operator
            .iter()
            .copied()
            .filter(|call| !function.contains(call) || operator.contains(call))
            .collect();
        let surplus: Vec<_> = undo.difference(&operator).collect();
        assert!(surplus.is_empty(), "undo calls what permissions.json does not ask of the operator: {surplus:?}");
        let unused: Vec<_> = operator.difference(&self.by_operator).collect();
        assert!(
            unused.is_empty(),
            "permissions.json asks of the operator what neither undo nor capture calls: {unused:?}"
        );
    }
}
