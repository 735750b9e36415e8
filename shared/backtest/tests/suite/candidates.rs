//! Actors that a policy may want to exempt.

use backtest::{ActorKind, Candidate, Finding, Part};
use chrono::TimeDelta;
use cloudtrail::{Arn, Event, Principal};
use policy::{Policies, Source};
use proptest::prelude::*;
use serde_json::json;

use crate::doors::{found, judge, only, opening, policies, start};

const PERMIT: &str = "@id(\"close\") permit (principal, action, resource);";
const DAY: i64 = 24 * 60 * 60;

fn candidates(findings: &[Finding<'_>]) -> Vec<Candidate> {
    let mut part = Part::default();
    for finding in findings {
        part.add(finding);
    }
    part.report(3).summary.candidates
}

/// `many` findings, the last of them `days - 1` days after the first.
fn habit(role: &str, many: u32, days: u32) -> Vec<Finding<'static>> {
    let policies = policies(PERMIT);
    let day = |number: u32| i64::from(number.min(days - 1)) * DAY;
    (0..many).map(|number| found(number, day(number), role, "111122223333", &policies)).collect()
}

#[test]
fn many_findings_on_many_days_are_a_habit() {
    assert!(candidates(&habit("deploy", 9, 9)).is_empty());
    assert!(candidates(&habit("deploy", 30, 4)).is_empty());
    let [candidate] = candidates(&habit("ci/deploy", 10, 5)).try_into().unwrap();
    assert_eq!((candidate.findings, candidate.days), (10, 5));
    assert_eq!(
        candidate.snippet,
        "@id(\"exempt-111122223333-role/ci/deploy\")
@reason(\"10 findings on 5 days from 2026-11-22 to 2026-11-26: write here why they are expected\")
forbid (
  principal == Role::\"arn:aws:iam::111122223333:role/ci/deploy\",
  action in [Action::\"close-doors\"],
  resource
);
"
    );
}

#[test]
fn root_strangers_and_those_who_are_exempt_are_no_candidates() {
    let with = |change: &dyn Fn(&mut Finding<'static>)| {
        let mut findings = habit("deploy", 10, 5);
        findings.iter_mut().for_each(change);
        candidates(&findings).len()
    };
    assert_eq!(with(&|finding| finding.actor_kind = ActorKind::User), 1);
    assert_eq!(with(&|finding| finding.actor_kind = ActorKind::Root), 0);
    assert_eq!(with(&|finding| finding.actor_kind = ActorKind::Unknown), 0);
    assert_eq!(with(&|finding| finding.verdict = backtest::Verdict::Exempt), 0);
    assert_eq!(with(&|finding| finding.event_time = None), 0);
}

#[test]
fn the_busiest_come_first_and_the_rest_is_counted() {
    let mut part = Part::default();
    for (index, role) in ["a", "b", "c", "d", "e"].into_iter().enumerate() {
        let many = 10 + u32::try_from(index).unwrap();
        for (number, mut finding) in habit(role, many, 6).into_iter().enumerate() {
            finding.incident = format!("{number:010}{index:010}").try_into().unwrap();
            part.add(&finding);
        }
    }
    let summary = part.report(3).summary;
    let named: Vec<u64> = summary.candidates.iter().map(|candidate| candidate.findings).collect();
    assert_eq!((named, summary.more_candidates), (vec![14, 13, 12], 2));
}

fn principal() -> impl Strategy<Value = Principal> {
    let text = "[a-z\"\\\\\n\t@=,.{}*'/: -]{1,20}|\\PC{1,12}|[\\p{Cc}\\p{Cf}a]{1,6}";
    prop_oneof![
        text.prop_map(|name| Principal::User(Arn::parse(&format!("arn:aws:iam::111122223333:user/{name}")).unwrap())),
        text.prop_map(|name| Principal::Role(Arn::parse(&format!("arn:aws:iam::111122223333:role/{name}")).unwrap())),
        text.prop_map(Principal::Federated),
        text.prop_map(Principal::Service),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whoever it is: the snippet parses as one policy, and exempts that one and nobody else.
    #[test]
    fn a_snippet_exempts_whom_it_is_for(principal in principal()) {
        let (all, somebody) = (policies(PERMIT), Event::decode(opening(&json!({"door": "front"}))).unwrap());
        let mut event = somebody.clone();
        event.actor.principal = principal;
        let mut part = Part::default();
        for number in 0..10_u32 {
            event.time = Some(start() + TimeDelta::days(number.into()));
            event.id = cloudtrail::EventId::new(number.to_string());
            part.add(&only(&judge(&all, None), &event));
        }
        let [candidate] = part.report(1).summary.candidates.try_into().unwrap();

        let sources = [Source::new("p.cedar", PERMIT), Source::new("snippet.cedar", candidate.snippet.as_str())];
        let policies = Policies::parse(sources).unwrap();
        prop_assert_eq!(policies.rules().len(), 2);
        let verdict = |event| only(&judge(&policies, None), event).verdict;
        prop_assert_eq!(verdict(&event), backtest::Verdict::Exempt);
        prop_assert_eq!(verdict(&somebody), backtest::Verdict::Enforce);
    }
}
