//! What is planned, as a function of what is known.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use cloudtrail::AccessKeyId;
use policy::{Request, Schema, Source};
use remedy::{Change, Memory, Plan, Remedy, Responder, Situation};
use session_denial::Denial;
use testkit::{block_on, now};

use super::event;
use super::fake::{Iam, LEAKED, OTHER, a_cut_off_now, an_old_cut_off, at};
use crate::{DisableAccessKey, KeyChange, KeyStatus, Observed};

#[test]
fn the_facts_about_root_and_about_activated_keys_are_in_the_schema() {
    let schema = DisableAccessKey::<Iam>::SPEC.schema;
    let schema = Schema::merge([Source::new("schema.cedarschema", schema)]).unwrap();
    for name in ["finding-on-root", "key-of-root", "key-reactivated"] {
        let event = event(name);
        let finding = DisableAccessKey::<Iam>::detect(&event).unwrap().remove(0);
        let observed = block_on(DisableAccessKey(Iam::new()).observe(&finding)).unwrap();
        let situation = Situation { now: now(), event_time: event.time, ..Situation::default() };
        let plan = DisableAccessKey::<Iam>::plan(&finding, &observed, &situation);
        let request = Request {
            responder: "disable-access-key",
            now: now(),
            event: &event,
            resource: &plan.resource,
            severity: finding.severity,
            facts: &plan.facts,
        };
        schema.conforms(&request).unwrap();
    }
}

fn plan(name: &str, observed: &Observed, memory: Memory, time: Option<&str>) -> Remedy<KeyChange> {
    whole_plan(name, observed, memory, time).remedy
}

fn whole_plan(name: &str, observed: &Observed, memory: Memory, time: Option<&str>) -> Plan<KeyChange> {
    let event = event(name);
    let finding = DisableAccessKey::<Iam>::detect(&event).unwrap().remove(0);
    let situation = Situation { now: now(), event_time: time.map(at), memory, ..Situation::default() };
    DisableAccessKey::<Iam>::plan(&finding, observed, &situation)
}

/// The account after a run that disabled the key and died, with this policy on the user.
fn disabled_with(policy: Option<String>) -> Observed {
    let iam = Iam::new();
    iam.set_active(LEAKED, false);
    if let Some(policy) = policy {
        iam.put_policy(&policy);
    }
    let finding = DisableAccessKey::<Iam>::detect(&event("key-for-another-user")).unwrap().remove(0);
    block_on(DisableAccessKey(iam).observe(&finding)).unwrap()
}

#[test]
fn a_run_that_takes_over_comes_as_far_as_the_sessions() {
    let key = AccessKeyId::new(LEAKED);
    let status = KeyChange::key_of_status(&key);
    let sessions = KeyChange::key_of_cut_off(&[AccessKeyId::new(OTHER), key].into());
    let disabled = || Memory { held: [status.clone()].into(), ..Memory::default() };
    let cut = || Memory { held: [status.clone(), sessions.clone()].into(), ..Memory::default() };
    let time = Some("2026-11-20T10:15:04Z");
    let (old, new) = (Some(an_old_cut_off()), Some(Denial::of_all(now() - TimeDelta::hours(1)).document()));
    let table = [
        ("finding-on-a-long-term-key", Memory::default(), None, false),
        ("finding-on-a-long-term-key", disabled(), None, true),
        ("finding-on-a-long-term-key", disabled(), old.clone(), true),
        ("finding-on-a-long-term-key", cut(), None, true),
        ("finding-on-a-long-term-key", cut(), old.clone(), false),
        ("key-reactivated", disabled(), new.clone(), true),
        ("key-reactivated", cut(), old.clone(), true),
        ("key-reactivated", cut(), new.clone(), false),
        ("key-reactivated", disabled(), Some(a_cut_off_now()), false),
        ("key-reactivated", Memory::default(), None, false),
    ];
    for (name, memory, policy, expected) in table {
        let case = format!("{name} {memory:?} {policy:?}");
        match plan(name, &disabled_with(policy), memory, time) {
            Remedy::AlreadySafe => assert!(!expected, "{case}"),
            Remedy::Changes(changes) => {
                assert!(expected && matches!(changes[..], [KeyChange::CutOff { .. }]), "{case}");
            }
            Remedy::Uncontainable { .. } => panic!("{case}"),
        }
    }
}

#[test]
fn a_quarantine_is_about_the_keys_that_were_active_until_we_came() {
    let (one, two) = (AccessKeyId::new(LEAKED), AccessKeyId::new(OTHER));
    let disabled_by_us = Memory { held: [KeyChange::key_of_status(&one)].into(), ..Memory::default() };
    for (memory, keys) in [(Memory::default(), vec![&two]), (disabled_by_us, vec![&one, &two])] {
        let plan = whole_plan("quarantine-v2-attached", &disabled_with(None), memory, None);
        let ids: BTreeSet<String> = keys.iter().map(ToString::to_string).collect();
        assert_eq!(plan.facts.get("accessKeyIds"), Some(&ids.into()));
        let Remedy::Changes(changes) = plan.remedy else { panic!("{keys:?}") };
        let [KeyChange::Status { key, .. }, KeyChange::CutOff { because_of, .. }] = &changes[..] else {
            panic!("{changes:?}")
        };
        assert_eq!((key, because_of.iter().collect::<Vec<_>>()), (&two, keys));
    }
}

#[test]
fn without_a_time_no_policy_is_younger_than_the_event() {
    let there = disabled_with(Some(an_old_cut_off()));
    assert!(matches!(plan("finding-on-a-temporary-key", &there, Memory::default(), None), Remedy::Changes(_)));
}

#[test]
fn a_change_and_its_inverse_are_about_the_same_and_read_well() {
    let status = KeyChange::Status {
        user: "bob".to_owned(),
        key: AccessKeyId::new(LEAKED),
        from: KeyStatus::Active,
        to: KeyStatus::Inactive,
    };
    let cut = |before: Option<&str>, after: Option<&str>| KeyChange::CutOff {
        user: "bob".to_owned(),
        because_of: [AccessKeyId::new("ASIA1"), AccessKeyId::new("AKIA1")].into(),
        before: before.map(str::to_owned),
        after: after.map(str::to_owned),
    };
    let ours = a_cut_off_now();
    for (change, does, undo) in [
        (status, "disable access key AKIAIOSFODNN7EXAMPLE of bob", "enable access key AKIAIOSFODNN7EXAMPLE of bob"),
        (
            cut(None, Some(&ours)),
            "deny bob's temporary credentials issued before 2026-11-22T07:01:00Z",
            "no longer deny bob's temporary credentials issued before 2026-11-22T07:01:00Z",
        ),
        (
            cut(Some("{}"), Some(&ours)),
            "deny bob's temporary credentials issued before 2026-11-22T07:01:00Z",
            "put back bob's inline policy countermand-deny-older-sessions",
        ),
    ] {
        assert_eq!((change.to_string().as_str(), change.inverse().to_string().as_str()), (does, undo));
        assert_eq!((change.inverse().inverse(), change.inverse().key()), (change.clone(), change.key()));
        let stored = serde_json::to_value(&change).unwrap();
        assert_eq!(serde_json::from_value::<KeyChange>(stored).unwrap(), change);
    }
    assert_eq!(cut(None, None).key().as_str(), "sessions of AKIA1, ASIA1");
}

#[test]
fn what_an_event_lets_us_expect_reads_well() {
    for (name, expected) in [
        ("key-for-another-user", "disable access key AKIAIOSFODNN7EXAMPLE of alice"),
        ("key-without-answer", "disable access key (the new one) of alice"),
        ("key-found-in-public", "disable access key AKIAIOSFODNN7EXAMPLE of its owner"),
        ("quarantine-put-inline", "disable access key (every active one) of alice"),
        ("finding-on-a-temporary-key", "deny alice's temporary credentials issued before 2026-11-22T07:01:00Z"),
    ] {
        let finding = DisableAccessKey::<Iam>::detect(&event(name)).unwrap().remove(0);
        let expect = DisableAccessKey::<Iam>::presume(&finding);
        let Plan { facts, remedy: Remedy::Changes(changes), .. } = whole_plan(name, &expect, Memory::default(), None)
        else {
            panic!("{name}")
        };
        assert!(!serde_json::to_string(&facts).unwrap().contains('('), "words are no ids: {facts:?}");
        assert_eq!(changes[0].to_string(), expected);
        assert!(changes.iter().all(|change| DisableAccessKey::<Iam>::holds(&change.inverse(), &expect)), "{name}");
    }
}
