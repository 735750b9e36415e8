//! However a run is split, it adds up to the same.

use std::io;
use std::sync::LazyLock;

use backtest::{Finding, Held, Part, Problems, Reading, Summary};
use policy::Policies;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::doors::{found, owned, policies};

const POLICIES: &str = "@id(\"close\") @limit(\"3/1m per principal\") permit (principal, action, resource);
    @id(\"ask\") @mode(\"approve\") permit (principal, action, resource in Account::\"444455556666\");
    @id(\"never\") forbid (principal == Role::\"arn:aws:iam::111122223333:role/c\", action, resource);";

static PARSED: LazyLock<Policies> = LazyLock::new(|| policies(POLICIES));

/// The lines, and what they add up to.
fn told(part: Part) -> (Vec<String>, Summary) {
    let report = part.report(2);
    let lines = report.findings().map(|finding| serde_json::to_string(&finding).unwrap()).collect();
    (lines, report.summary)
}

/// Findings in any number of shards, some of them in several, and a change of content for some that come twice.
fn shards() -> impl Strategy<Value = Vec<Vec<Finding<'static>>>> {
    let finding = (0..20_u32, 0..200_i64, 0..3_usize, any::<bool>(), any::<bool>(), any::<bool>());
    prop::collection::vec((finding, prop::collection::vec(0..5_usize, 1..3)), 0..60).prop_map(|given| {
        let mut shards = vec![Vec::new(); 5];
        for ((number, seconds, role, elsewhere, live, odd), where_to) in given {
            let account = if elsewhere { "444455556666" } else { "111122223333" };
            let mut finding = found(number, seconds, ["a", "b", "c"][role], account, &PARSED);
            finding.live = live;
            if odd {
                finding.event_id = format!("00000000-0000-ABCD-0000-{number:012}").into();
                finding.event_time = finding.event_time.filter(|_| number % 3 > 0);
            }
            for shard in where_to {
                shards[shard].push(finding.clone());
            }
        }
        shards
    })
}

fn part(number: u64, findings: &[Finding<'_>]) -> Part {
    let mut part = Part::new(&PARSED);
    part.reading.add(Reading { files: number, records: number * 7, ..Reading::default() });
    part.problems.add(&io::Error::other(format!("file {number} is cut off")));
    for finding in findings {
        part.add(finding);
    }
    part
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_split_merged_in_any_order_says_the_same(
        shards in shards(),
        merges in prop::collection::vec((any::<Index>(), any::<Index>()), 4),
        by_json in any::<[bool; 5]>(),
    ) {
        let mut whole = Part::default();
        let mut parts = Vec::new();
        for ((number, findings), by_json) in (0..).zip(&shards).zip(by_json) {
            whole.absorb(part(number, &[]));
            let part = part(number, findings);
            parts.push(if by_json {
                serde_json::from_str(&serde_json::to_string(&part).unwrap()).unwrap()
            } else {
                part
            });
        }
        // One run sees them one after the other, and not by shard.
        let longest = shards.iter().map(Vec::len).max().unwrap_or_default();
        for at in 0..longest {
            shards.iter().filter_map(|shard| shard.get(at)).for_each(|finding| whole.add(finding));
        }
        for (into, from) in merges {
            let from = parts.swap_remove(from.index(parts.len()));
            let into = into.index(parts.len());
            parts[into].absorb(from);
        }
        let [merged] = parts.try_into().unwrap();
        let (merged, whole) = (told(merged), told(whole));
        let (_, summary) = &whole;
        prop_assert_eq!(&serde_json::from_str::<Summary>(&serde_json::to_string(summary).unwrap()).unwrap(), summary);
        prop_assert_eq!(merged, whole);
    }

    #[test]
    fn a_finding_comes_out_as_it_went_in(shards in shards()) {
        for finding in shards.iter().flatten() {
            let mut part = Part::default();
            part.add(finding);
            let report = part.report(1);
            let lines: Vec<Finding<'_>> = report.findings().map(|line| owned(&line)).collect();
            prop_assert_eq!(lines, [Finding { held: Held::default(), ..finding.clone() }]);
        }
    }
}

#[test]
fn what_was_delivered_twice_is_one_finding() {
    let mut part = Part::new(&PARSED);
    for number in [1, 2, 1, 1] {
        part.add(&found(number, 0, "a", "111122223333", &PARSED));
    }
    let summary = part.report(2).summary;
    assert_eq!((summary.verdicts.findings, summary.duplicates), (2, 2));
}

#[test]
fn lines_are_in_the_order_of_time_and_then_of_the_event() {
    let mut part = Part::new(&PARSED);
    for (number, seconds) in [(3, 5), (1, 5), (2, 9), (4, 0)] {
        part.add(&found(number, seconds, "a", "111122223333", &PARSED));
    }
    let mut untimed = found(0, 0, "a", "111122223333", &PARSED);
    untimed.event_time = None;
    part.add(&untimed);
    let report = part.report(2);
    let order: String = report.findings().map(|finding| finding.event_id.chars().last().unwrap()).collect();
    assert_eq!(order, "41320");
}

#[test]
fn verdicts_that_depend_on_live_state_are_counted_apart() {
    let mut part = Part::new(&PARSED);
    let given = [("a", "111122223333"), ("a", "444455556666"), ("b", "111122223333"), ("c", "111122223333")];
    for (number, (role, account)) in (0..).zip(given) {
        let mut finding = found(number, 0, role, account, &PARSED);
        finding.live = role == "b";
        part.add(&finding);
    }
    let Summary { verdicts, acted_on, perhaps_acted_on, by_policy, by_actor, .. } = part.report(2).summary;
    let counted = (verdicts.enforce, verdicts.approve, verdicts.observe, verdicts.exempt, verdicts.live);
    assert_eq!((counted, acted_on, perhaps_acted_on), ((1, 1, 0, 1, 1), 2, 1));
    let names: Vec<_> = by_policy.top.iter().map(|group| (group.name.as_str(), group.verdicts.findings)).collect();
    assert_eq!((names, by_policy.others, by_policy.rest.exempt), (vec![("close", 2), ("ask", 1)], 1, 1));
    assert_eq!((by_actor.top[0].verdicts.findings, by_actor.others), (2, 1));
}

#[test]
fn a_change_of_policy_is_counted_by_what_became_of_it() {
    let old = policies("@id(\"ask\") @mode(\"approve\") permit (principal, action, resource);");
    let mut part = Part::new(&PARSED);
    for (number, role) in (0..).zip(["a", "a", "c"]) {
        let mut finding = found(number, 0, role, "111122223333", &PARSED);
        let before = found(number, 0, role, "111122223333", &old);
        finding.before =
            Some(backtest::Opinion { verdict: before.verdict, policies: before.policies, because: before.because });
        part.add(&finding);
    }
    let comparison = part.report(2).summary.comparison.unwrap();
    let transitions: Vec<_> =
        comparison.transitions.iter().map(|it| (it.from.name(), it.to.name(), it.findings)).collect();
    assert_eq!(transitions, [("approve", "exempt", 1), ("approve", "enforce", 2)]);
    assert_eq!((comparison.newly_acted_on, comparison.unchanged), (2, 0));
}

#[test]
fn problems_are_all_counted_and_the_first_are_named() {
    let mut problems = Problems::default();
    for number in (0..1000).rev() {
        problems.add(&io::Error::other(format!("{number:04}.json.gz is cut off")));
    }
    assert_eq!((problems.count, problems.named.len()), (1000, Problems::NAMED));
    assert_eq!(problems.named.last().unwrap(), "0099.json.gz is cut off");
}
