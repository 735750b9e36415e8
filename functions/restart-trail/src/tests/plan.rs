//! What is planned, as a function of what is known.

use std::collections::BTreeSet;

use remedy::{Change, Memory, Plan, Remedy, Responder, Situation};
use testkit::World;

use super::event;
use super::fake::{CloudTrail, KEY, insight, strong};
use crate::selectors::{EventSelector, EventSelectors};
use crate::trail::{Switch, Trail};
use crate::{RestartTrail, TrailChange};

type R = RestartTrail<CloudTrail>;

fn plan(name: &str, live: Option<&Trail>, baseline: Option<&Trail>) -> Plan<TrailChange> {
    let finding = R::detect(&event(name)).unwrap().remove(0);
    let baseline = baseline.map(|trail| serde_json::to_value(trail).unwrap());
    let situation = Situation { memory: Memory { baseline, ..Memory::default() }, ..Situation::default() };
    R::plan(&finding, &live.cloned(), &situation)
}

/// What would be done, in words.
fn does(name: &str, live: Option<&Trail>, baseline: Option<&Trail>) -> Vec<String> {
    match plan(name, live, baseline).remedy {
        Remedy::AlreadySafe => Vec::new(),
        Remedy::Changes(changes) => changes.iter().map(ToString::to_string).collect(),
        Remedy::Uncontainable { next_step } => vec![next_step],
    }
}

fn live(name: &str) -> Option<Trail> {
    CloudTrail::after(&event(name)).state()
}

#[test]
fn without_a_baseline_everything_should_be_on_and_no_bucket_is_better_than_another() {
    let table: [(&str, &[&str]); 11] = [
        ("stopped", &["start logging of trail audit"]),
        ("one-region-only", &["turn on events of all regions of trail audit"]),
        (
            "unvalidated-and-local",
            &[
                "turn on global service events of trail audit",
                "turn on events of all regions of trail audit",
                "turn on log file validation of trail audit",
            ],
        ),
        ("no-management-events", &["let trail audit log all management events"]),
        ("only-writes", &["let trail audit log all management events"]),
        ("without-kms", &["let trail audit log all management events"]),
        ("advanced-data-only", &["let trail audit log all management events"]),
        ("another-bucket", &[]),
        ("key-removed", &[]),
        ("insights-emptied", &[]),
        ("one-insight", &[]),
    ];
    for (name, expected) in table {
        assert_eq!(does(name, live(name).as_ref(), None), expected, "{name}");
    }
}

#[test]
fn with_a_baseline_what_was_captured_is_put_back() {
    let delivery = format!("deliver log files of trail audit to audit-logs-123456789012/trail with key {KEY}");
    let insights = "let trail audit log ApiCallRateInsight and ApiErrorRateInsight".to_owned();
    for (name, expected) in [
        ("another-bucket", &delivery),
        ("key-removed", &delivery),
        ("insights-emptied", &insights),
        ("one-insight", &insights),
    ] {
        assert_eq!(does(name, live(name).as_ref(), Some(&strong())), [expected.as_str()], "{name}");
    }
    let Remedy::Changes(changes) = plan("only-writes", live("only-writes").as_ref(), Some(&strong())).remedy else {
        panic!()
    };
    let [TrailChange::SelectEvents { to, .. }] = &changes[..] else { panic!("{changes:?}") };
    assert_eq!(*to, strong().event_selectors);
}

#[test]
fn a_baseline_may_be_weaker_than_the_one_that_ships() {
    let mut weak = strong();
    weak.on = BTreeSet::new();
    weak.event_selectors = live("only-writes").unwrap().event_selectors;
    for name in ["stopped", "one-region-only", "unvalidated-and-local", "only-writes"] {
        assert_eq!(does(name, live(name).as_ref(), Some(&weak)), [""; 0], "{name}");
    }
    let narrower = "let trail audit log management events that write";
    assert_eq!(does("no-management-events", live("no-management-events").as_ref(), Some(&weak)), [narrower]);
}

#[test]
fn a_baseline_that_is_not_understood_is_none() {
    let finding = R::detect(&event("another-bucket")).unwrap().remove(0);
    let memory = Memory { baseline: Some(serde_json::json!({"arn": 7})), ..Memory::default() };
    let situation = Situation { memory, ..Situation::default() };
    assert_eq!(R::plan(&finding, &live("another-bucket"), &situation).remedy, Remedy::AlreadySafe);
}

#[test]
fn only_what_the_call_touched_is_mended() {
    let mut bare = strong();
    bare.on = BTreeSet::new();
    bare.event_selectors = EventSelectors::Basic(Vec::new());
    assert_eq!(does("stopped", Some(&bare), None), ["start logging of trail audit"]);
    assert_eq!(
        does("one-region-only", Some(&bare), None),
        ["turn on global service events of trail audit", "turn on events of all regions of trail audit"],
        "the second is refused without the first"
    );
    assert_eq!(does("only-writes", Some(&bare), None), ["let trail audit log all management events"]);
    bare.insight_selectors = BTreeSet::new();
    assert_eq!(does("key-removed", Some(&bare), Some(&strong())), [""; 0]);
}

#[test]
fn a_new_prefix_alone_is_left() {
    let mut moved = strong();
    moved.delivery.prefix = None;
    assert_eq!(does("another-bucket", Some(&moved), Some(&strong())), [""; 0]);
}

#[test]
fn a_deleted_trail_is_created_again_as_it_was_captured() {
    assert_eq!(
        does("deleted", None, Some(&strong())),
        [
            "create trail audit",
            "let trail audit log all management events",
            "let trail audit log ApiCallRateInsight and ApiErrorRateInsight",
            "start logging of trail audit"
        ]
    );
    let plain = Trail {
        event_selectors: EventSelectors::Basic(vec![EventSelector::all_management_events()]),
        insight_selectors: BTreeSet::new(),
        ..strong()
    };
    assert_eq!(does("deleted", None, Some(&plain)), ["create trail audit", "start logging of trail audit"]);
    let next_step = &does("deleted", None, None)[0];
    assert!(
        next_step.contains("no baseline says how it was") && next_step.contains("CloudTrail User Guide"),
        "{next_step}"
    );
}

#[test]
fn a_trail_that_was_deleted_and_made_anew_is_compared_as_a_whole() {
    let mut again = strong();
    again.on = [Switch::GlobalServiceEvents, Switch::Validation].into();
    again.delivery.bucket = "elsewhere".to_owned();
    again.insight_selectors = [insight("ApiCallRateInsight")].into();
    let done = does("deleted", Some(&again), Some(&strong()));
    assert_eq!(done.len(), 4, "{done:?}");
    assert_eq!(done.last().unwrap(), "start logging of trail audit");
    assert_eq!(does("deleted", Some(&strong()), Some(&strong())), [""; 0]);
}

#[test]
fn what_is_gone_logs_nothing_and_is_its_deletions_business() {
    for name in ["stopped", "one-region-only", "only-writes", "another-bucket", "insights-emptied"] {
        assert_eq!(does(name, None, Some(&strong())), [""; 0], "{name}");
    }
}

#[test]
fn an_organizations_trail_is_started_and_not_updated() {
    let whole = |name: &str| live(name).map(|trail| Trail { organization: true, ..trail });
    assert_eq!(does("stopped", whole("stopped").as_ref(), None), ["start logging of trail audit"]);
    assert_eq!(does("only-writes", whole("only-writes").as_ref(), None), ["let trail audit log all management events"]);
    let captured = Trail { organization: true, ..strong() };
    for (name, live, baseline) in [
        ("one-region-only", whole("one-region-only"), None),
        ("another-bucket", whole("another-bucket"), Some(&captured)),
        ("deleted", None, Some(&captured)),
        ("deleted", Some(strong()), Some(&captured)),
    ] {
        let next_step = &does(name, live.as_ref(), baseline)[0];
        assert!(next_step.contains("management account"), "{name}: {next_step}");
    }
}

#[test]
fn another_accounts_trail_needs_a_person_there() {
    let next_step = &does("stopped-elsewhere", None, None)[0];
    assert!(next_step.contains("210987654321") && next_step.contains("delegated administrator"), "{next_step}");
}

#[test]
fn the_facts_say_what_is_weak() {
    let facts = plan("unvalidated-and-local", live("unvalidated-and-local").as_ref(), None).facts;
    let facts = serde_json::to_value(facts).unwrap();
    let weakened = serde_json::json!(["global-service-events", "multi-region", "validation"]);
    let expected = serde_json::json!({"act": "updated", "trailName": "audit", "weakened": weakened, "baseline": false,
        "organization": false});
    assert_eq!(facts, expected);
}

#[test]
fn changes_with_more_than_two_states_have_keys_of_both() {
    let keys = |name: &str| {
        let Remedy::Changes(changes) = plan(name, live(name).as_ref(), Some(&strong())).remedy else {
            panic!("{name}")
        };
        changes.iter().map(|change| (change.key().as_str().to_owned(), change.inverse().key())).collect::<Vec<_>>()
    };
    for (name, expected) in [
        ("stopped", "logging"),
        ("only-writes", "events: all management events | management events that write"),
        ("without-kms", "events: all management events | all management events but those of kms.amazonaws.com"),
        ("one-insight", "insights: ApiCallRateInsight and ApiErrorRateInsight | ApiErrorRateInsight"),
    ] {
        let keys = keys(name);
        assert_eq!(keys[0].0, expected);
        assert_eq!(keys[0].1.as_str(), expected);
    }
}
