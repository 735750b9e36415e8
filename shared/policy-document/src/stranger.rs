//! Whether somebody from anywhere can meet several conditions at once.
//!
//! Each condition by itself may be one that any caller can meet, and all together none: nobody sends one user agent and
//! not that one, and nobody comes over the internet and by an endpoint. So for "public" a caller is looked for.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::condition::{Condition, Test};
use crate::key::{Key, Whose, is_always_present, is_of_credentials, is_of_endpoint};
use crate::network;
use crate::pattern::{Wildcards, glob, has_wildcard};

/// What is asked of a caller.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Requirement<'a> {
    pub(crate) condition: &'a Condition,
    /// Whether the condition must hold, as those of an Allow statement, or must not.
    pub(crate) holds: bool,
}

/// How somebody comes.
#[derive(Clone, Copy)]
struct Way {
    by_endpoint: bool,
    is_signed: bool,
}

const WAYS: [Way; 4] = [
    Way { by_endpoint: false, is_signed: true },
    Way { by_endpoint: false, is_signed: false },
    Way { by_endpoint: true, is_signed: true },
    Way { by_endpoint: true, is_signed: false },
];

/// Values that nobody has written into a document.
const FRESH: [&str; 3] = ["q7-zz", "999988887777", "true"];
/// Public addresses far from each other, for conditions that leave most of them out.
const ADDRESSES: [&str; 5] = ["23.77.99.1", "64.9.99.9", "151.7.77.1", "202.7.99.7", "2a00:77:99::7"];

/// Whether a stranger can meet all requirements, and of each of the lists one.
pub(crate) fn can_meet<'a>(all: &[Requirement<'a>], one_of_each: &[Vec<Requirement<'a>>]) -> bool {
    WAYS.iter().any(|way| {
        // Lists are few and short; one that a caller meets by another key than the rest is the usual case.
        let mut chosen = all.to_vec();
        one_of_each.iter().all(|list| {
            list.iter().any(|requirement| {
                chosen.push(*requirement);
                let is_possible = is_possible(&chosen, requirement.condition, *way);
                if !is_possible {
                    chosen.pop();
                }
                is_possible
            })
        }) && all.iter().all(|requirement| is_possible(&chosen, requirement.condition, *way))
    })
}

/// Whether some value of one condition's key meets all requirements on that key.
fn is_possible(requirements: &[Requirement], about: &Condition, way: Way) -> bool {
    let same: Vec<&Requirement> =
        requirements.iter().filter(|other| other.condition.key.eq_ignore_ascii_case(&about.key)).collect();
    let mut candidates = candidates(&Key::of(&about.key), &same, way);
    let (is_of_endpoint, is_of_credentials) = (is_of_endpoint(&about.key), is_of_credentials(&about.key));
    let must_be = is_always_present(&about.key) || (is_of_endpoint && way.by_endpoint);
    let cannot_be = (is_of_endpoint && !way.by_endpoint) || (is_of_credentials && !way.is_signed);
    candidates.retain(|value| if value.is_some() { !cannot_be } else { !must_be });
    candidates.iter().any(|value| same.iter().all(|requirement| requirement.is_met_by(value.as_deref())))
}

/// Values that a stranger may have for a key; `None` for a request without it.
fn candidates(key: &Key, requirements: &[&Requirement], way: Way) -> Vec<Option<String>> {
    let written = requirements.iter().flat_map(|requirement| &requirement.condition.values);
    let patterns = || {
        let filled = |value: &String| FRESH.map(|fresh| value.replace('*', fresh).replace('?', "7"));
        written.clone().filter(|value| has_wildcard(value)).flat_map(filled).chain(FRESH.map(str::to_owned)).map(Some)
    };
    // Where two conditions on addresses meet in a fixed network, whoever comes from it is no stranger.
    let is_wide = |values: &[String]| network::is_fixed(values) == Ok(false);
    let is_wide_alone = matches!(requirements, [one] if is_wide(&one.condition.values));
    let is_anybodys = |net: &IpNet| {
        let is_wide = is_wide_alone || is_wide(&[net.to_string()]);
        *key != Key::SourceIp || (is_wide && !network::is_private(net))
    };
    let nets = written.clone().filter_map(|value| value.parse::<IpNet>().ok()).filter(is_anybodys);
    let addresses = nets.map(|net| net.network().to_string()).chain(ADDRESSES.map(str::to_owned)).map(Some);
    let is_missing = [None];
    match key {
        Key::SourceIp if way.by_endpoint => is_missing.to_vec(),
        Key::SourceIp => addresses.collect(),
        Key::Account(Whose::Caller) | Key::Arn(Whose::Caller) | Key::UserId if way.is_signed => patterns().collect(),
        Key::Account(Whose::Caller) | Key::Arn(Whose::Caller) | Key::UserId => is_missing.to_vec(),
        Key::Organization(Whose::Caller) | Key::OrganizationPath(Whose::Caller) if !way.is_signed => {
            is_missing.to_vec()
        }
        Key::IsService => vec![Some("false".to_owned())],
        Key::Choice | Key::Circumstance | Key::ExternalId | Key::Mfa | Key::MfaAge => {
            let plain = written.clone().cloned().chain(["true", "false"].map(str::to_owned)).map(Some);
            plain.chain(patterns()).chain(addresses).chain(is_missing).collect()
        }
        _ => patterns().chain(is_missing).collect(),
    }
}

impl Requirement<'_> {
    fn is_met_by(&self, value: Option<&str>) -> bool {
        let Condition { values, version, .. } = self.condition;
        let is_any = |is_equal: &dyn Fn(&String) -> bool| values.iter().any(is_equal) != self.condition.is_negated;
        let holds = match (self.condition.test, value) {
            (Some(Test::Null), value) => self.condition.truth() == Some(value.is_none()),
            (_, None) => self.condition.holds_without_key(),
            (Some(Test::Equal { ignore_case: true }), Some(value)) => is_any(&|is| is.eq_ignore_ascii_case(value)),
            (Some(Test::Equal { .. }), Some(value)) => is_any(&|is| is == value),
            (Some(Test::Bool), Some(value)) => is_any(&|is| is.eq_ignore_ascii_case(value)),
            (Some(Test::Like | Test::Arn), Some(value)) => is_any(&|is| glob(is, value, Wildcards::AreText)),
            (Some(Test::Address), Some(value)) => is_any(&|net| is_in(net, value)),
            // Times and numbers are not compared: some caller is taken to come at the right one.
            _ => return true,
        };
        values.iter().any(|value| version.has_variable(value)) || holds == self.holds
    }
}

fn is_in(net: &str, address: &str) -> bool {
    let Ok(address) = address.parse::<IpAddr>() else { return false };
    match (net.parse::<IpNet>(), net.parse::<IpAddr>()) {
        (Ok(net), _) => net.contains(&address),
        (_, Ok(single)) => single == address,
        _ => false,
    }
}
