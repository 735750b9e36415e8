//! Documents made from parts that policies really have.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

const PRINCIPALS: &[&str] = &[
    r#""Principal":"*""#,
    r#""Principal":{"AWS":"*"}"#,
    r#""Principal":{"AWS":"111122223333"}"#,
    r#""Principal":{"AWS":"444455556666"}"#,
    r#""Principal":{"AWS":["arn:aws:iam::444455556666:role/x","arn:aws:iam::111122223333:role/y"]}"#,
    r#""NotPrincipal":{"AWS":["444455556666"]}"#,
    r#""NotPrincipal":{"AWS":["arn:aws:iam::111122223333:role/y"]}"#,
    r#""Principal":{"Service":"sns.amazonaws.com"}"#,
];

const ACTIONS: &[&str] = &[
    r#""Action":"*""#,
    r#""Action":"s3:*""#,
    r#""Action":"s3:GetObject""#,
    r#""Action":["s3:Put*","s3:GetObject"]"#,
    r#""NotAction":"s3:GetObject""#,
    r#""NotAction":"s3:DeleteBucket""#,
];

const RESOURCES: &[&str] = &[
    r#""Resource":"*""#,
    r#""Resource":"arn:aws:s3:::b/*""#,
    r#""Resource":["arn:aws:s3:::b/secret/*","arn:aws:s3:::b/x"]"#,
    r#""NotResource":"arn:aws:s3:::b/secret/*""#,
];

/// Each operator with the keys and values it goes with.
const TEXT: &[&str] = &["StringEquals", "StringNotEquals", "StringLike", "StringNotLike"];
const KEYS: &[(&str, &[&str])] = &[
    ("aws:PrincipalAccount", &["111122223333", "444455556666", "*"]),
    ("aws:PrincipalOrgID", &["o-ours1234", "o-theirs5678", "o-*"]),
    ("aws:PrincipalArn", &["arn:aws:iam::111122223333:role/y", "arn:aws:iam::444455556666:*", "arn:aws:iam::*:role/x"]),
    ("aws:SourceAccount", &["111122223333", "444455556666"]),
    ("aws:SourceVpce", &["vpce-1", "vpce-*"]),
    ("aws:UserAgent", &["secret", "*"]),
    ("sts:ExternalId", &["x"]),
    ("aws:PrincipalTag/team", &["red"]),
    ("example:Key", &["x"]),
];
const NETS: &[&str] = &["203.0.113.0/24", "0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1", "10.0.0.0/8"];

/// One condition: operator, key and values.
pub(crate) fn condition() -> impl Strategy<Value = String> {
    let prefix = select(&["", "", "", "ForAllValues:", "ForAnyValue:"][..]);
    let suffix = select(&["", "", "IfExists"][..]);
    let text = (prefix.clone(), select(TEXT), suffix.clone(), select(KEYS)).prop_flat_map(
        |(prefix, operator, suffix, (key, values))| {
            subsequence(values, 1..=values.len())
                .prop_map(move |values| format!(r#""{prefix}{operator}{suffix}":{{"{key}":{values:?}}}"#))
        },
    );
    let net = (prefix, select(&["IpAddress", "NotIpAddress"][..]), suffix.clone(), subsequence(NETS, 1..3)).prop_map(
        |(prefix, operator, suffix, nets)| format!(r#""{prefix}{operator}{suffix}":{{"aws:SourceIp":{nets:?}}}"#),
    );
    let truth = (
        suffix,
        select(&["aws:SecureTransport", "aws:MultiFactorAuthPresent", "aws:PrincipalIsAWSService"][..]),
        any::<bool>(),
    )
        .prop_map(|(suffix, key, value)| format!(r#""Bool{suffix}":{{"{key}":"{value}"}}"#));
    let null = (select(KEYS), any::<bool>()).prop_map(|((key, _), value)| format!(r#""Null":{{"{key}":{value}}}"#));
    prop_oneof![6 => text, 2 => net, 2 => truth, 1 => null]
}

/// Conditions, each operator once, as AWS asks.
pub(crate) fn block(conditions: &[String]) -> String {
    let mut kept: Vec<&String> = Vec::new();
    for condition in conditions {
        let operator = |condition: &str| condition.split("\":{").next().map(str::to_owned);
        if !kept.iter().any(|known| operator(known) == operator(condition)) {
            kept.push(condition);
        }
    }
    format!(r#""Condition":{{{}}}"#, kept.iter().map(|text| text.as_str()).collect::<Vec<_>>().join(","))
}

/// A statement of this effect, without its end.
pub(crate) fn beginning(effect: &'static str) -> impl Strategy<Value = String> {
    (select(PRINCIPALS), select(ACTIONS), select(RESOURCES)).prop_map(move |(principal, action, resource)| {
        format!(r#"{{"Effect":"{effect}",{principal},{action},{resource},"#)
    })
}

/// A statement of this effect.
pub(crate) fn statement(effect: &'static str) -> impl Strategy<Value = String> {
    (beginning(effect), prop::collection::vec(condition(), 0..3))
        .prop_map(|(beginning, conditions)| format!("{beginning}{}}}", block(&conditions)))
}

/// One Allow statement, and some Deny statements.
pub(crate) fn policy() -> impl Strategy<Value = (String, Vec<String>)> {
    (statement("Allow"), prop::collection::vec(statement("Deny"), 0..3))
}

pub(crate) fn document(statements: &[String]) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","))
}
