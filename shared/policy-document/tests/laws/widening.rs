//! No restriction widens a verdict.

use policy_document::{Access, AdminLevel, admin};
use proptest::prelude::*;
use proptest::sample::select;

use crate::made::{beginning, block, condition, document, policy, statement};
use crate::{exposed, first, parse, trust};

/// Whether a verdict went from what lets in nobody else to what may, or to public.
fn is_wider(before: &Access, after: &Access) -> bool {
    let is_ours = |access: &Access| matches!(access, Access::Nobody | Access::Within);
    (is_ours(before) && !is_ours(after)) || (!before.is_public() && after.is_public())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn a_deny_statement_never_widens(policy in policy(), more in statement("Deny")) {
        let mut statements = vec![policy.0];
        statements.extend(policy.1);
        let before = first(&document(&statements));
        statements.push(more);
        let after = first(&document(&statements));
        prop_assert!(!is_wider(&before, &after), "{before} {after}\n{}", document(&statements));
    }

    #[test]
    fn a_condition_never_widens(
        beginning in beginning("Allow"),
        conditions in prop::collection::vec(condition(), 1..4),
        denies in prop::collection::vec(statement("Deny"), 0..3),
    ) {
        let with = |conditions: &[String]| {
            document(&[vec![format!("{beginning}{}}}", block(conditions))], denies.clone()].concat())
        };
        let (before, after) = (first(&with(&conditions[1..])), first(&with(&[&conditions[1..], &conditions[..1]].concat())));
        prop_assert!(!is_wider(&before, &after), "{before} {after}\n{}", with(&conditions));
    }

    #[test]
    fn without_what_is_exposed_nothing_is(allows in prop::collection::vec(statement("Allow"), 1..4), denies in prop::collection::vec(statement("Deny"), 0..2)) {
        let document = parse(&document(&[allows, denies].concat()));
        let found = exposed(&document);
        if let Some(left) = document.without(&found).unwrap() {
            prop_assert!(exposed(&left).is_empty(), "{}", left.text());
            prop_assert_eq!(left.statements().len(), document.statements().len() - found.len());
        }
    }
}

/// A statement of an identity policy.
fn permission(effect: &'static str) -> impl Strategy<Value = String> {
    let action = select(
        &[
            r#""Action":"*""#,
            r#""Action":"iam:*""#,
            r#""Action":["iam:PassRole","ec2:RunInstances"]"#,
            r#""Action":"iam:*Policy*""#,
            r#""Action":"s3:*""#,
            r#""NotAction":"iam:*""#,
            r#""NotAction":"s3:GetObject""#,
        ][..],
    );
    let resource = select(
        &[
            r#""Resource":"*""#,
            r#""Resource":"arn:aws:iam::111122223333:role/app/*""#,
            r#""Resource":"arn:aws:iam::*:user/${aws:username}""#,
            r#""NotResource":"arn:aws:iam::111122223333:user/*""#,
        ][..],
    );
    let condition = select(&["", r#","Condition":{"Bool":{"aws:SecureTransport":"true"}}"#, LIMIT][..]);
    (action, resource, condition).prop_map(move |(action, resource, condition)| {
        format!(r#"{{"Effect":"{effect}",{action},{resource}{condition}}}"#)
    })
}

const LIMIT: &str = r#","Condition":{"StringEquals":{"aws:RequestTag/team":"red"}}"#;

/// 0 for no, 1 for unknown, 2 for one who can become an administrator, 3 for one who is.
fn rank(statements: &[String]) -> u8 {
    match admin(&[&parse(&document(statements))], None, &trust()).level {
        AdminLevel::No => 0,
        AdminLevel::Unknown(_) => 1,
        AdminLevel::Escalation(_) => 2,
        AdminLevel::Admin(_) => 3,
    }
}

proptest! {
    #[test]
    fn neither_denying_nor_limiting_makes_an_administrator(
        statements in prop::collection::vec(prop_oneof![3 => permission("Allow"), 1 => permission("Deny")], 1..5),
        more in permission("Deny"),
    ) {
        let before = rank(&statements);
        prop_assert!(rank(&[statements.clone(), vec![more.clone()]].concat()) <= before, "{more} {statements:?}");
        let limited: Vec<String> = statements
            .iter()
            .map(|text| match text.strip_suffix('}') {
                Some(open) if text.contains("Allow") && !text.contains("Condition") => format!("{open}{LIMIT}}}"),
                _ => text.clone(),
            })
            .collect();
        prop_assert!(rank(&limited) <= before, "{limited:?}");
    }

    #[test]
    fn allowing_more_never_makes_less_of_an_administrator(
        statements in prop::collection::vec(prop_oneof![3 => permission("Allow"), 1 => permission("Deny")], 1..5),
        more in permission("Allow"),
    ) {
        prop_assert!(rank(&[statements.clone(), vec![more.clone()]].concat()) >= rank(&statements), "{more} {statements:?}");
    }
}
