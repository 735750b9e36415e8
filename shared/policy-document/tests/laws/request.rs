//! A simple evaluation of single requests, written from AWS's pages and not from the crate, to hold verdicts against.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::LazyLock;

use policy_document::Access;
use proptest::prelude::*;
use serde_json::Value;

use crate::first;
use crate::made::{document, policy};

/// A request: who makes it, and the keys of its context.
#[derive(Debug, Clone)]
struct Request {
    /// An ARN, a service, or nobody known.
    principal: Option<String>,
    account: Option<&'static str>,
    action: &'static str,
    resource: &'static str,
    keys: BTreeMap<&'static str, Vec<String>>,
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::String(text) => vec![text.clone()],
        other => vec![other.to_string()],
    }
}

fn like(pattern: &[u8], text: &[u8]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some((b'*', rest)) => (0..=text.len()).any(|skip| like(rest, &text[skip..])),
        Some((first, rest)) => text.split_first().is_some_and(|(head, tail)| head == first && like(rest, tail)),
    }
}

fn in_net(net: &str, address: &str) -> bool {
    let (base, bits) = net.split_once('/').unwrap();
    let (base, bits): (Ipv4Addr, u32) = (base.parse().unwrap(), bits.parse().unwrap());
    let address: Ipv4Addr = address.parse().unwrap();
    let shift = |ip: Ipv4Addr| u64::from(u32::from(ip)) >> (32 - bits);
    shift(base) == shift(address)
}

impl Request {
    fn holds(&self, operator: &str, key: &str, values: &[String]) -> bool {
        let present = self.keys.get(key);
        if operator == "Null" {
            return present.is_none() == (values == ["true"]);
        }
        let (all, any) = (operator.starts_with("ForAllValues:"), operator.starts_with("ForAnyValue:"));
        let name = operator.split(':').next_back().unwrap();
        let (name, if_exists) = name.strip_suffix("IfExists").map_or((name, false), |name| (name, true));
        let negated = name.contains("Not");
        let Some(present) = present else { return all || if_exists || (negated && !any) };
        let passes = |actual: &String| {
            let matches = values.iter().any(|value| match name.replace("Not", "").as_str() {
                "StringEquals" | "Bool" => value == actual,
                "StringLike" => like(value.as_bytes(), actual.as_bytes()),
                "IpAddress" => in_net(value, actual),
                other => panic!("{other}"),
            });
            matches != negated
        };
        if any { present.iter().any(passes) } else { present.iter().all(passes) }
    }

    fn is_meant(&self, statement: &Statement) -> bool {
        let is_named = statement.principals.iter().any(|name| {
            name == "*" || Some(name) == self.principal.as_ref() || self.account.is_some_and(|account| account == name)
        });
        let selects = |patterns: &Element, text: &str| {
            patterns.texts.iter().any(|pattern| like(pattern.as_bytes(), text.as_bytes())) != patterns.is_negated
        };
        is_named != statement.spares_principals
            && selects(&statement.actions, &self.action.to_lowercase())
            && selects(&statement.resources, self.resource)
            && statement.conditions.iter().all(|(operator, key, values)| self.holds(operator, key, values))
    }

    fn is_allowed(&self, policy: &[Statement]) -> bool {
        let meant = |effect: &str| policy.iter().any(|it| it.effect == effect && self.is_meant(it));
        meant("Allow") && !meant("Deny")
    }
}

struct Element {
    texts: Vec<String>,
    is_negated: bool,
}

struct Statement {
    effect: String,
    principals: Vec<String>,
    spares_principals: bool,
    actions: Element,
    resources: Element,
    conditions: Vec<(String, String, Vec<String>)>,
}

fn statement(value: &Value) -> Statement {
    let element = |name: &str| match value.get(name) {
        Some(patterns) => Element { texts: texts(patterns), is_negated: false },
        None => Element { texts: texts(&value[format!("Not{name}")]), is_negated: true },
    };
    let named = element("Principal");
    let principal = value.get("Principal").unwrap_or_else(|| &value["NotPrincipal"]);
    let by_kind = principal.as_object().map(|kinds| kinds.values().flat_map(texts).collect());
    let mut actions = element("Action");
    actions.texts.iter_mut().for_each(|text| *text = text.to_lowercase());
    let mut conditions = Vec::new();
    for (operator, keys) in value["Condition"].as_object().unwrap() {
        for (key, values) in keys.as_object().unwrap() {
            conditions.push((operator.clone(), key.clone(), texts(values)));
        }
    }
    Statement {
        effect: value["Effect"].as_str().unwrap().to_owned(),
        principals: by_kind.unwrap_or(named.texts),
        spares_principals: named.is_negated,
        actions,
        resources: element("Resource"),
        conditions,
    }
}

const ON_THE_BUCKET: [(&str, &str); 12] = [
    ("s3:GetObject", "arn:aws:s3:::b/x"),
    ("s3:GetObject", "arn:aws:s3:::b/open/z"),
    ("s3:GetObject", "arn:aws:s3:::b/secret/y"),
    ("s3:PutObject", "arn:aws:s3:::b/x"),
    ("s3:PutObject", "arn:aws:s3:::b/open/z"),
    ("s3:PutObject", "arn:aws:s3:::b/secret/y"),
    ("s3:DeleteObject", "arn:aws:s3:::b/x"),
    ("s3:DeleteObject", "arn:aws:s3:::b/open/z"),
    ("s3:DeleteObject", "arn:aws:s3:::b/secret/y"),
    ("s3:ListBucket", "arn:aws:s3:::b"),
    ("s3:DeleteBucket", "arn:aws:s3:::b"),
    ("s3:PutBucketPolicy", "arn:aws:s3:::b"),
];

/// Somebody, in all the ways he can call: over the internet or by an endpoint, with or without what he may bring.
fn requests(principal: Option<&str>, account: Option<&'static str>, organization: Option<&str>) -> Vec<Request> {
    // MFA, a tag and an external id are of use only to those who have credentials.
    let ways = 2 * 3 * 3 * if principal.is_some() { 3 * 3 * 3 } else { 1 };
    let mut requests = Vec::new();
    for way in 0..ways {
        let mut rest = way;
        let mut choose = |values: &[&'static str]| {
            let value = values[rest % values.len()];
            rest /= values.len();
            value
        };
        let mut keys: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
        let mut put = |key, value: &str| {
            if !value.is_empty() {
                keys.insert(key, vec![value.to_owned()]);
            }
        };
        put("aws:PrincipalIsAWSService", "false");
        put("aws:SecureTransport", choose(&["true", "false"]));
        put("aws:UserAgent", choose(&["secret", "curl", "*"]));
        let address = choose(&["192.0.2.200", "64.9.9.9", ""]);
        put("aws:SourceIp", address);
        put("aws:SourceVpce", if address.is_empty() { "vpce-99" } else { "" });
        if principal.is_some() {
            put("aws:MultiFactorAuthPresent", choose(&["", "true", "false"]));
            put("aws:PrincipalTag/team", choose(&["", "red", "blue"]));
            put("sts:ExternalId", choose(&["", "x", "y"]));
        }
        put("aws:PrincipalArn", principal.unwrap_or_default());
        put("aws:PrincipalAccount", account.unwrap_or_default());
        put("aws:PrincipalOrgID", organization.unwrap_or_default());
        for (action, resource) in ON_THE_BUCKET {
            let principal = principal.map(str::to_owned);
            requests.push(Request { principal, account, action, resource, keys: keys.clone() });
        }
    }
    requests
}

/// People of whom no made document knows, from an account in no organization and from one in another.
static STRANGERS: LazyLock<Vec<Request>> = LazyLock::new(|| {
    let role = Some("arn:aws:iam::999988887777:role/x");
    [
        requests(None, None, None),
        requests(role, Some("999988887777"), None),
        requests(role, Some("999988887777"), Some("o-other9999")),
        requests(Some("arn:aws:iam::999988887777:user/eve"), Some("999988887777"), None),
    ]
    .concat()
});

/// People of the foreign account that the documents name.
static FOREIGNERS: LazyLock<Vec<Request>> = LazyLock::new(|| {
    [
        requests(Some("arn:aws:iam::444455556666:role/x"), Some("444455556666"), Some("o-theirs5678")),
        requests(Some("arn:aws:iam::444455556666:user/eve"), Some("444455556666"), None),
    ]
    .concat()
});

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, max_shrink_iters: 300, ..ProptestConfig::default() })]

    #[test]
    fn a_verdict_agrees_with_every_single_request(policy in policy()) {
        let mut statements = vec![policy.0];
        statements.extend(policy.1);
        let text = document(&statements);
        let value: Value = serde_json::from_str(&text).unwrap();
        let policy: Vec<Statement> = value["Statement"].as_array().unwrap().iter().map(statement).collect();
        let lets_in = |requests: &'static [Request]| requests.iter().find(|request| request.is_allowed(&policy));
        let verdict = first(&text);
        match verdict {
            Access::Unknown(_) => {}
            Access::Public => prop_assert!(lets_in(&STRANGERS).is_some(), "nobody comes in\n{text}"),
            Access::Nobody | Access::Within => {
                let somebody = lets_in(&STRANGERS).or_else(|| lets_in(&FOREIGNERS));
                prop_assert!(somebody.is_none(), "{verdict} {somebody:?}\n{text}");
            }
            _ => {
                let somebody = lets_in(&STRANGERS);
                prop_assert!(somebody.is_none(), "{verdict} {somebody:?}\n{text}");
            }
        }
    }
}
