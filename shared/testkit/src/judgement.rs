//! The laws of a responder's pure half, for any event at all.
#![expect(clippy::expect_used, reason = "test support: a broken law fails the test")]

use std::collections::{BTreeMap, BTreeSet};
use std::marker::PhantomData;

use chrono::TimeDelta;
use cloudtrail::{Body, Event};
use policy::{Policies, Resource, Schema, Source, Trusted};
use remedy::{Change, Finding, Memory, Remedy, Responder, Situation, explain};
use serde_json::{Value, json};

use crate::laws::{conforms, schema};
use crate::run::now;

/// Checks what must hold however an event came about, and whatever is in it:
///
/// - It is judged or refused, always in the same way, and never panicked over.
/// - What did not happen, a refused call, a dry run or a failed sign-in, is no finding and no error.
/// - No two findings of one event are one incident.
/// - What the ledger keeps of a finding and of a change can be read back.
/// - The facts are those of the schema.
/// - What is planned is not so already where the event is all we know; what takes it back is about the same, and is
///   itself taken back by the change.
#[derive(Debug)]
pub struct Judgement<R> {
    schema: Schema,
    policies: Policies,
    responder: PhantomData<R>,
}

impl<R: Responder> Default for Judgement<R> {
    fn default() -> Self {
        let all = Source::new("test.cedar", r#"@id("all") permit (principal, action, resource);"#);
        let policies = Policies::parse([all]).expect("a policy of ours is sound");
        Self { schema: schema::<R>(), policies, responder: PhantomData }
    }
}

impl<R: Responder> Judgement<R> {
    /// Checks the laws on JSON text, which may be no event. Returns how many findings there were.
    ///
    /// # Panics
    /// Where a law is broken.
    #[must_use]
    pub fn check(&self, text: &[u8]) -> usize {
        let Ok(event) = Event::from_slice(text) else { return 0 };
        if matches!(event.body, Body::Call(_)) {
            finds_nothing_where_nothing_happened::<R>(text);
        }
        let Ok(findings) = R::detect(&event) else { return 0 };
        let again = R::detect(&event).expect("an event is judged in one way");
        assert_eq!(format!("{findings:?}"), format!("{again:?}"), "an event is judged in one way");
        let distinct: BTreeSet<_> = findings.iter().map(|finding| &finding.resource.arn).collect();
        assert_eq!(distinct.len(), findings.len(), "two findings would be one incident: {findings:?}");
        for finding in &findings {
            self.is_dealt_with(&event, finding);
        }
        let explained = explain::<R>(&event, &self.policies, now()).expect("an event is judged in one way");
        assert_eq!(explained.len(), findings.len());
        findings.len()
    }

    fn is_dealt_with(&self, event: &Event, finding: &Finding<R::Subject>) {
        is_read_back(&finding.resource);
        let subject = serde_json::to_string(&finding.subject).expect("a subject is JSON");
        let read: R::Subject = serde_json::from_str(&subject).expect("a subject can be read back");
        assert_eq!(format!("{read:?}"), format!("{:?}", finding.subject), "from {subject}");

        let observed = R::presume(finding);
        let evidence = serde_json::to_value(&observed).expect("what is observed is JSON");
        assert_eq!(serde_json::from_str::<Value>(&evidence.to_string()).expect("it can be read back"), evidence);
        let plan = |memory| {
            let trusted = Trusted::default();
            R::plan(finding, &observed, &Situation { now: now(), event_time: event.time, memory, trusted })
        };
        let planned = plan(Memory::default());
        is_read_back(&planned.resource);
        conforms::<R>(&self.schema, event, &planned.resource, finding.severity, &planned.facts);
        if let Remedy::Changes(changes) = planned.remedy {
            assert!(!changes.is_empty(), "a plan without changes is `AlreadySafe`");
            for change in &changes {
                assert!(!R::holds(change, &observed), "{change} is planned, and is so already: {observed:?}");
                can_be_taken_back(change);
            }
            let keys = || changes.iter().map(Change::key);
            let wanted: BTreeMap<_, _> = keys().map(|key| (key, now() + TimeDelta::hours(1))).collect();
            for memory in [
                Memory { held: keys().collect(), ..Memory::default() },
                Memory { held: keys().collect(), wanted: wanted.clone(), ..Memory::default() },
                Memory { wanted, ..Memory::default() },
            ] {
                is_read_back(&plan(memory).resource);
            }
        }
    }
}

fn is_read_back(resource: &Resource) {
    let text = serde_json::to_string(resource).expect("a resource is JSON");
    let read: Resource = serde_json::from_str(&text).expect("a resource can be read back");
    assert_eq!(read, *resource);
}

fn can_be_taken_back<C: Change>(change: &C) {
    let inverse = change.inverse();
    assert_eq!(inverse.inverse(), *change, "the inverse's inverse is the change");
    assert_eq!(inverse.key(), change.key(), "a change and its inverse are about the same");
    for one in [change, &inverse] {
        assert!(!one.to_string().is_empty());
        let text = serde_json::to_string(one).expect("a change is JSON");
        let read: C = serde_json::from_str(&text).expect("a change can be read back");
        assert_eq!(read, *one, "from {text}");
    }
}

fn finds_nothing_where_nothing_happened<R: Responder>(text: &[u8]) {
    let happened: Value = serde_json::from_slice(text).expect("an event is JSON");
    for (field, value) in [
        ("errorCode", json!("AccessDenied")),
        ("errorCode", json!("Client.DryRunOperation")),
        ("errorCode", json!(403)),
        ("errorMessage", json!("Failed authentication")),
        ("responseElements", json!({"ConsoleLogin": "Failure"})),
    ] {
        let mut event = happened.clone();
        let is_envelope = event.get("detail").is_some();
        let record = if is_envelope { event.get_mut("detail") } else { Some(&mut event) };
        let record = record.and_then(Value::as_object_mut).expect("a call is an object");
        record.insert(field.to_owned(), value.clone());
        let event = Event::decode(event).expect("a call that failed is an event like others");
        let findings = R::detect(&event).expect("a call that failed is no error");
        assert!(findings.is_empty(), "`{field}` is {value}, and there is a finding: {findings:?}");
    }
}
