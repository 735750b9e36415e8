//! How far limits hold.

use backtest::{BudgetUse, Finding, Part, Summary};
use chrono::TimeDelta;
use policy::Policies;
use proptest::prelude::*;

use crate::doors::{found, policies, start};

const ACCOUNT: &str = "111122223333";

fn summary(policies: &Policies, findings: &[Finding<'_>]) -> Summary {
    let mut part = Part::new(policies);
    for finding in findings {
        part.add(finding);
    }
    part.report(10).summary
}

fn limited(limit: &str) -> Policies {
    policies(&format!("@id(\"close\") @limit(\"{limit}\") permit (principal, action, resource);"))
}

fn only(summary: &Summary) -> &BudgetUse {
    let [budget] = summary.budgets.as_slice() else { panic!("{summary:?}") };
    budget
}

#[test]
fn a_unit_is_free_again_a_whole_window_after_it_was_taken() {
    let policies = limited("2/1m");
    let at = |seconds: &[i64]| {
        let findings: Vec<_> =
            (0..).zip(seconds).map(|(number, at)| found(number, *at, "r", ACCOUNT, &policies)).collect();
        let summary = summary(&policies, &findings);
        let budget = only(&summary).clone();
        assert_eq!(summary.waited, budget.waited);
        (budget.charged, budget.waited, budget.spent, budget.peak, budget.demand)
    };
    assert_eq!(at(&[]), (0, 0, 0, 0, 0));
    assert_eq!(at(&[0]), (1, 0, 0, 1, 1));
    assert_eq!(at(&[0, 0, 0]), (2, 1, 1, 2, 3));
    assert_eq!(at(&[0, 30, 59]), (2, 1, 1, 2, 3));
    assert_eq!(at(&[0, 30, 60]), (3, 0, 2, 2, 2), "the first unit is free again");
    // No fixed minute holds more than two, but a sliding one would hold four.
    assert_eq!(at(&[58, 59, 61, 62]), (2, 2, 1, 2, 4));
}

#[test]
fn the_peak_says_when_and_whose() {
    let policies = limited("5/1h per principal");
    let findings = [
        found(1, 0, "a", ACCOUNT, &policies),
        found(2, 10, "b", ACCOUNT, &policies),
        found(3, 20, "b", ACCOUNT, &policies),
    ];
    let summary = summary(&policies, &findings);
    let budget = only(&summary);
    assert_eq!((budget.limit.as_str(), budget.budgets, budget.peak), ("5/1h per principal", 2, 2));
    assert_eq!(budget.peak_of.as_deref(), Some("arn:aws:iam::111122223333:role/b"));
    assert_eq!(budget.peak_at, Some(start() + TimeDelta::seconds(20)));
}

#[test]
fn a_claim_takes_from_all_its_budgets_or_from_none() {
    let policies = policies(
        "@id(\"few\") @limit(\"1/1h per account\") permit (principal, action, resource);
         @id(\"many\") @limit(\"2/1h\") permit (principal, action, resource);",
    );
    let findings = [
        found(1, 0, "r", ACCOUNT, &policies),
        found(2, 1, "r", ACCOUNT, &policies),
        found(3, 2, "r", "444455556666", &policies),
        found(4, 3, "r", "777788889999", &policies),
    ];
    let summary = summary(&policies, &findings);
    let [few, many] = summary.budgets.as_slice() else { panic!("{summary:?}") };
    assert_eq!((few.charged, few.waited, few.budgets), (2, 1, 3));
    assert_eq!((many.charged, many.waited, many.wanted), (2, 1, 4), "the second finding has taken no unit of it");
    assert_eq!(summary.waited, 2);
}

#[test]
fn only_changes_that_are_made_at_once_are_charged() {
    let limited = limited("1/1h");
    let asking = policies("@id(\"close\") @limit(\"1/1h\") @mode(\"approve\") permit (principal, action, resource);");
    let mut findings: Vec<_> = (0..4).map(|number| found(number, 0, "r", ACCOUNT, &limited)).collect();
    findings[0] = found(0, 0, "r", ACCOUNT, &asking);
    findings[1].plan = backtest::Expected::Person;
    findings[2].plan = backtest::Expected::Nothing;
    findings[3].live = true;
    let summary = summary(&limited, &findings);
    assert_eq!((only(&summary).wanted, only(&summary).charged, only(&summary).live), (1, 1, 1));

    findings[3].event_time = None;
    let summary = self::summary(&limited, &findings);
    assert_eq!((only(&summary).wanted, summary.untimed), (0, 1));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// By the words of the rule, and by counting anew each time.
    #[test]
    fn no_window_holds_more_than_the_limit_and_nobody_waits_without_need(
        mut seconds in prop::collection::vec(0_i64..300, 0..40),
        count in 1_usize..5,
        window in 1_i64..90,
    ) {
        let policies = limited(&format!("{count}/{window}s"));
        seconds.sort_unstable();
        let findings: Vec<_> =
            (0..).zip(&seconds).map(|(number, at)| found(number, *at, "r", ACCOUNT, &policies)).collect();
        let summary = summary(&policies, &findings);

        let mut taken: Vec<i64> = Vec::new();
        for at in &seconds {
            if taken.iter().filter(|time| *time + window > *at).count() < count {
                taken.push(*at);
            }
        }
        let within = |times: &[i64]| {
            times.iter().map(|end| times.iter().filter(|time| **time <= *end && *time + window > *end).count()).max()
        };
        let budget = only(&summary);
        prop_assert_eq!(budget.charged, taken.len() as u64);
        prop_assert_eq!(budget.waited, (seconds.len() - taken.len()) as u64);
        prop_assert_eq!(budget.peak, within(&taken).unwrap_or(0) as u64);
        prop_assert_eq!(budget.demand, within(&seconds).unwrap_or(0) as u64);
        prop_assert!(budget.peak <= count as u64);
        if budget.demand > 0 {
            let generous = limited(&format!("{}/{window}s", budget.demand));
            prop_assert_eq!(self::summary(&generous, &findings).waited, 0);
        }
    }
}
