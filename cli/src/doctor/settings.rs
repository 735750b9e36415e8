//! Whether what a function is told by its environment can be true.

use std::collections::HashMap;

use aws_sdk_lambda::types::FunctionConfiguration;
use policy::Rate;

use super::Scene;
use super::check::Check;
use crate::deployment::{TABLE, TOPIC};

/// Where Lambda unpacks layers.
const LAYERS: &str = "/opt";

/// What the settings are held against.
struct Expected<'a> {
    table: Option<&'a str>,
    topic: Option<&'a str>,
    role: &'a str,
    layers: usize,
}

pub(super) fn look(scene: &Scene, function: &str, configuration: &FunctionConfiguration) -> Check {
    let name = format!("settings of {function}");
    let nothing = HashMap::new();
    let variables = configuration.environment().and_then(|environment| environment.variables()).unwrap_or(&nothing);
    let expected = Expected {
        table: scene.deployment.physical(TABLE, "Ledger"),
        topic: scene.deployment.physical(TOPIC, "Incidents"),
        role: configuration.role().unwrap_or_default(),
        layers: configuration.layers().len(),
    };
    let wrong = problems(variables, &expected);
    if wrong.is_empty() {
        return Check::ok(name, "its table, topic, policies and roles are the stack's");
    }
    let fix = "`sam deploy` sets what the template says; if the stack has drifted, change a parameter to make it write";
    Check::failed(name, wrong.join("; "), fix)
}

fn problems(variables: &HashMap<String, String>, expected: &Expected<'_>) -> Vec<String> {
    let value = |name: &str| variables.get(name).map(String::as_str).filter(|value| !value.is_empty());
    let mut wrong = Vec::new();
    match value("COUNTERMAND_TABLE") {
        None => wrong.push("COUNTERMAND_TABLE is not set, and it does not start".to_owned()),
        Some(table) if expected.table.is_some_and(|ours| !is_table(table, ours)) => {
            wrong.push(format!("COUNTERMAND_TABLE is `{table}`, which is not the stack's ledger"));
        }
        Some(_) => {}
    }
    match value("COUNTERMAND_TOPIC") {
        None => wrong.push("COUNTERMAND_TOPIC is not set, and nobody is told".to_owned()),
        Some(topic) if expected.topic.is_some_and(|ours| topic != ours) => {
            wrong.push(format!("COUNTERMAND_TOPIC is `{topic}`, which is not the stack's topic"));
        }
        Some(_) => {}
    }
    if value("COUNTERMAND_POLICIES").unwrap_or(LAYERS).starts_with(LAYERS) && expected.layers == 0 {
        wrong.push("it has no layer, and so no policies: it does not start".to_owned());
    }
    if value("COUNTERMAND_CONTESTED").is_some_and(|rate| rate != "never" && Rate::parse(rate).is_err()) {
        wrong.push("COUNTERMAND_CONTESTED is no rate such as 3/1h".to_owned());
    }
    if value("COUNTERMAND_LEASES").is_some_and(|leases| !matches!(leases, "on" | "off")) {
        wrong.push("COUNTERMAND_LEASES is neither on nor off".to_owned());
    }
    let own_roles = value("COUNTERMAND_OWN_ROLES").unwrap_or_default();
    if !own_roles.split(',').any(|role| role.trim() == expected.role) {
        wrong.push(
            "COUNTERMAND_OWN_ROLES does not name its own role: what it does itself would be a finding".to_owned(),
        );
    }
    wrong
}

/// A table is called by its name or its ARN.
fn is_table(said: &str, name: &str) -> bool {
    said == name || said.strip_suffix(name).is_some_and(|head| head.ends_with(":table/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLE: &str = "arn:aws:iam::123456789012:role/a";

    fn wrong(change: (&str, &str), layers: usize) -> Vec<String> {
        let mut variables: HashMap<String, String> = [
            ("COUNTERMAND_TABLE", "ledger"),
            ("COUNTERMAND_TOPIC", "topic"),
            ("COUNTERMAND_POLICIES", "/opt/policies"),
            ("COUNTERMAND_OWN_ROLES", "arn:aws:iam::123456789012:role/b,arn:aws:iam::123456789012:role/a"),
            ("COUNTERMAND_CONTESTED", "3/1h"),
            ("COUNTERMAND_LEASES", "off"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        variables.insert(change.0.to_owned(), change.1.to_owned());
        problems(&variables, &Expected { table: Some("ledger"), topic: Some("topic"), role: ROLE, layers })
    }

    #[test]
    fn each_wrong_setting_is_named() {
        assert!(wrong(("COUNTERMAND_CONTESTED", "never"), 1).is_empty());
        assert!(wrong(("COUNTERMAND_TABLE", "arn:aws:dynamodb:us-east-1:123456789012:table/ledger"), 1).is_empty());
        for (name, value) in [
            ("COUNTERMAND_TABLE", ""),
            ("COUNTERMAND_TABLE", "ledger2"),
            ("COUNTERMAND_TABLE", "arn:aws:dynamodb:us-east-1:123456789012:table/my-ledger"),
            ("COUNTERMAND_TOPIC", "other"),
            ("COUNTERMAND_CONTESTED", "often"),
            ("COUNTERMAND_LEASES", "yes"),
            ("COUNTERMAND_OWN_ROLES", "arn:aws:iam::123456789012:role/ab"),
        ] {
            let told = wrong((name, value), 1);
            assert!(told.len() == 1 && told[0].contains(name), "{name}={value}: {told:?}");
        }
        assert_eq!(wrong(("RUST_LOG", "info"), 0).len(), 1, "no layer, no policies");
        assert!(wrong(("COUNTERMAND_POLICIES", "/var/task/policies"), 0).is_empty());
    }
}
