//! How much a condition takes from an Allow statement of an identity policy.

use crate::condition::{Condition, Test};
use crate::doubt::Doubt;
use crate::network;
use crate::pattern::{Wildcards, glob};

/// What conditions take from what a statement allows.
pub(crate) enum Limit {
    /// Nothing that whoever has the policy could not bring about.
    None,
    /// Something, perhaps.
    Doubt(Doubt),
    /// What is asked about.
    Excluded,
}

/// What all conditions of a statement take. `passes_to` is the service that a role is to be passed to.
pub(crate) fn limit(conditions: &[Condition], passes_to: Option<&str>) -> Limit {
    let mut doubt = None;
    for condition in conditions {
        match limit_of(condition, passes_to) {
            Limit::None => {}
            Limit::Doubt(reason) => doubt = doubt.or(Some(reason)),
            Limit::Excluded => return Limit::Excluded,
        }
    }
    doubt.map_or(Limit::None, Limit::Doubt)
}

/// Policies that make an administrator: where these may be attached, it does not matter that others may not.
const ADMINISTRATORS: [&str; 2] = ["AdministratorAccess", "IAMFullAccess"];

fn limit_of(condition: &Condition, passes_to: Option<&str>) -> Limit {
    let doubt = Limit::Doubt(Doubt::Limited { key: condition.key.clone() });
    let is_text = matches!(condition.test, Some(Test::Equal { .. } | Test::Like | Test::Arn)) && !condition.is_negated;
    match condition.key.to_ascii_lowercase().as_str() {
        "aws:securetransport" if condition.test == Some(Test::Bool) && condition.truth() == Some(true) => Limit::None,
        // Whoever has the policy sends what he likes.
        "aws:useragent" | "aws:referer" if is_text => Limit::None,
        "aws:sourceip"
            if condition.test == Some(Test::Address)
                && !condition.is_negated
                && network::is_fixed(&condition.values) == Ok(false) =>
        {
            Limit::None
        }
        "iam:passedtoservice" if is_text => match passes_to {
            Some(service) if takes(condition, service) => Limit::None,
            Some(_) if !condition.holds_without_key() => Limit::Excluded,
            _ => doubt,
        },
        "iam:policyarn" if is_text => {
            let is_attachable = |partition: &str| {
                ADMINISTRATORS.iter().any(|name| takes(condition, &format!("arn:{partition}:iam::aws:policy/{name}")))
            };
            if ["aws", "aws-cn", "aws-us-gov"].into_iter().any(is_attachable) { Limit::None } else { doubt }
        }
        _ => doubt,
    }
}

/// Whether one of the values surely takes `text`.
fn takes(condition: &Condition, text: &str) -> bool {
    condition.values.iter().filter(|value| !condition.version.has_variable(value)).any(|value| match condition.test {
        Some(Test::Equal { ignore_case: true }) => value.eq_ignore_ascii_case(text),
        Some(Test::Equal { ignore_case: false }) => value == text,
        _ => glob(value, text, Wildcards::AreText),
    })
}
