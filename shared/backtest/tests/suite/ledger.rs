//! What hangs on the ledger is settled by what was found before.

use backtest::{Finding, Part};
use chrono::TimeDelta;
use cloudtrail::Event;
use policy::Policies;
use remedy::Certainty;
use serde_json::json;

use crate::doors::{judge, only, opening, owned, policies, start};

const ENFORCE: &str = "@id(\"close\") permit (principal, action, resource);";
const ASK: &str = "@id(\"ask\") @mode(\"approve\") permit (principal, action, resource);";
const OBSERVE: &str = "@id(\"never\") forbid (principal, action, resource);";

/// The front door is opened, or opened again, so many minutes after the start.
fn opened(again: bool, minutes: i64, policies: &Policies, before: Option<&Policies>) -> Finding<'static> {
    let mut record = opening(&json!({"door": "front", "again": again}));
    record["eventID"] = format!("00000000-0000-0000-0000-{minutes:012}").into();
    record["eventTime"] = json!(start() + TimeDelta::minutes(minutes));
    let event = Event::decode(record).unwrap();
    owned(&only(&judge(policies, before), &event))
}

/// By way of a part each, as from several shards, the last first.
fn settled(findings: Vec<Finding<'static>>, policies: &Policies) -> Vec<(i64, Certainty, bool)> {
    let mut whole = Part::new(policies);
    for finding in findings.into_iter().rev() {
        let mut part = Part::new(policies);
        part.add(&finding);
        part.add(&finding);
        whole.absorb(serde_json::from_value(serde_json::to_value(&part).unwrap()).unwrap());
    }
    let report = whole.report(1);
    assert_eq!(report.summary.verdicts.findings, report.findings().count() as u64);
    let told = report.findings().map(|finding| {
        assert!(finding.held.is_nothing(), "it is nobody's business any more");
        let minutes = finding.event_time.unwrap().signed_duration_since(start()).num_minutes();
        (minutes, finding.certainty, finding.live)
    });
    told.collect()
}

#[test]
fn what_we_would_have_changed_before_is_a_finding_for_sure() {
    let policies = policies(ENFORCE);
    let findings = [(false, 0), (true, 5)].map(|(again, minutes)| opened(again, minutes, &policies, None));
    assert_eq!(settled(findings.into(), &policies), [(0, Certainty::Event, false), (5, Certainty::Event, false)]);
}

#[test]
fn what_we_would_not_have_changed_before_is_none() {
    let enforce = policies(ENFORCE);
    let before = [(true, 1), (false, 2)].map(|(again, minutes)| opened(again, minutes, &enforce, None));
    assert_eq!(settled(before.into(), &enforce), [(2, Certainty::Event, false)]);

    let observe = policies(OBSERVE);
    let observed = [(false, 0), (true, 5)].map(|(again, minutes)| opened(again, minutes, &observe, None));
    assert_eq!(settled(observed.into(), &observe), [(0, Certainty::Event, false)]);
}

#[test]
fn what_a_person_or_another_policy_may_have_prevented_still_depends_on_live_state() {
    let (enforce, ask, observe) = (policies(ENFORCE), policies(ASK), policies(OBSERVE));
    let open = [(0, Certainty::Event, false), (5, Certainty::Live, true)];
    for (policies, before) in [(&ask, None), (&enforce, Some(&observe)), (&observe, Some(&enforce))] {
        let findings = [(false, 0), (true, 5)].map(|(again, minutes)| opened(again, minutes, policies, before));
        assert_eq!(settled(findings.into(), policies), open);
    }
}

#[test]
fn what_happened_at_no_known_time_settles_nothing() {
    let policies = policies(ENFORCE);
    let (mut first, again) = (opened(false, 0, &policies, None), opened(true, 5, &policies, None));
    first.event_time = None;
    let mut part = Part::new(&policies);
    part.add(&first);
    part.add(&again);
    let report = part.report(1);
    assert!(report.findings().any(|finding| finding.certainty == Certainty::Live && finding.live));
    assert_eq!(report.findings().count(), 2);
}

#[test]
fn a_finding_that_is_none_is_not_counted_as_given_twice() {
    let policies = policies(ENFORCE);
    let mut part = Part::new(&policies);
    part.add(&opened(true, 1, &policies, None));
    let summary = part.report(1).summary;
    assert_eq!((summary.verdicts.findings, summary.duplicates), (0, 0));
}
