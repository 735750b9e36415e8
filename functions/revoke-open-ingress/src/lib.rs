//! Revokes the security-group rules that open a sensitive port to too much of the internet.
//!
//! What counts is the live group: how much of the internet its rules let in, taken together, at an administrative,
//! database or orchestration port. Only rules that the call itself made or changed are revoked, by rule id, and only
//! while they offend: where a person has already narrowed a rule, their change stands. How much is too much is in
//! [`rule::SENSITIVE_PORTS`] and in the module `coverage`.

use std::fmt;

use cloudtrail::{Arn, Event, EventError};
use policy::{Facts, Resource, ResourceKind, Severity, Warrant};
use remedy::{Applied, CallError, Certainty, Change, ChangeKey, Finding, Plan, Remedy, Responder, Situation, Spec};
use serde::{Deserialize, Serialize};

use crate::called::OpenRules;
use crate::group::{Group, GroupRef, Offence, SecurityGroups};
use crate::rule::{GroupId, Rule, RuleId, Source};

#[cfg(feature = "aws")]
pub mod aws;
pub mod called;
mod coverage;
pub mod group;
pub mod rule;

/// The responder, over the part of Amazon EC2 that it needs.
#[derive(Debug)]
pub struct RevokeOpenIngress<G>(pub G);

/// A rule taken away, or put back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum IngressChange {
    /// The rule is taken away.
    Revoke(Rule),
    /// A rule that lets in the same, with the same description and tags, is made.
    Authorize(Rule),
}

impl IngressChange {
    fn rule(&self) -> &Rule {
        match self {
            Self::Revoke(rule) | Self::Authorize(rule) => rule,
        }
    }
}

impl fmt::Display for IngressChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Rule { id, group, tuple, .. } = self.rule();
        match self {
            Self::Revoke(_) => write!(f, "revoke {tuple} in {} ({})", group.0, id.0),
            Self::Authorize(_) => write!(f, "authorize {tuple} in {} again", group.0),
        }
    }
}

impl Change for IngressChange {
    fn inverse(&self) -> Self {
        match self {
            Self::Revoke(rule) => Self::Authorize(rule.clone()),
            Self::Authorize(rule) => Self::Revoke(rule.clone()),
        }
    }

    fn key(&self) -> ChangeKey {
        ChangeKey::new(self.rule().tuple.to_string())
    }
}

/// The group as the event names it: its id, or its name where that is all the record tells.
fn named(event: &Event, opened: &OpenRules) -> Resource {
    let name = opened.group.as_ref().map(|group| group.0.as_str()).or(opened.group_name.as_deref());
    resource(event.region.partition(), event.region.as_str(), &event.account, name.unwrap_or_default())
}

fn resource(partition: cloudtrail::Partition, region: &str, account: &cloudtrail::AccountId, name: &str) -> Resource {
    let arn = Arn::of(partition, "ec2", region, account, &format!("security-group/{name}"));
    Resource { kind: ResourceKind::new("SecurityGroup"), arn, tags: None }
}

/// The group that the event alone lets us expect: it holds the rules of the call and no others.
fn presumed(opened: &OpenRules) -> Group {
    let id = opened.group.clone().unwrap_or_else(|| GroupId(opened.group_name.clone().unwrap_or_default()));
    let rules = opened.rules.iter().flatten().map(|called| Rule {
        id: called.id.clone().unwrap_or_else(|| RuleId("rule id not in the event".to_owned())),
        group: id.clone(),
        tuple: called.tuple.clone(),
        description: None,
        tags: std::collections::BTreeMap::default(),
    });
    Group {
        rules: rules.collect(),
        name: opened.group_name.clone().unwrap_or_default(),
        id,
        owner: None,
        vpc: None,
        tags: std::collections::BTreeMap::default(),
        prefix_lists: std::collections::BTreeMap::default(),
    }
}

/// What the event alone says: that it is wide, that only the group can tell, or that it is nothing.
fn certainty(opened: &OpenRules) -> Option<Certainty> {
    let Some(rules) = &opened.rules else { return Some(Certainty::Live) };
    let mut presumed = presumed(opened);
    // Rules without an id in the record are told apart by their place.
    for (index, rule) in presumed.rules.iter_mut().enumerate() {
        rule.id = RuleId(index.to_string());
    }
    if !presumed.offending(None).rules.is_empty() {
        return Some(Certainty::Event);
    }
    let may_be_part = |called: &called::Called| {
        called.tuple.sensitive_ports().next().is_some()
            && match &called.tuple.source {
                Source::Cidr(net) => coverage::Coverage::of([net]).is_public(),
                Source::PrefixList(_) | Source::Untold(_) => true,
                Source::Group(_) => false,
            }
    };
    rules.iter().any(may_be_part).then_some(Certainty::Live)
}

fn facts(group: &Group, offence: &Offence) -> Facts {
    let ranges = || offence.rules.iter().filter_map(|rule| rule.tuple.port_range());
    let protocols = offence.rules.iter().map(|rule| rule.tuple.protocol.as_str().to_owned());
    let tag = |key: &str| group.tags.get(key).cloned();
    let is_terraform = group.tags.iter().any(|(key, value)| {
        key.to_ascii_lowercase().contains("terraform") || value.to_ascii_lowercase().contains("terraform")
    });
    Facts::new()
        .with("groupId", group.id.0.clone())
        .with("groupName", group.name.clone())
        .with("defaultGroup", group.name == "default")
        .with("protocols", protocols.collect::<std::collections::BTreeSet<String>>())
        .with("fromPort", i64::from(ranges().map(|(from, _)| from).min().unwrap_or_default()))
        .with("toPort", i64::from(ranges().map(|(_, to)| to).max().unwrap_or_default()))
        .with(
            "sensitivePorts",
            offence.ports.iter().map(|port| i64::from(*port)).collect::<std::collections::BTreeSet<i64>>(),
        )
        .with("allPorts", offence.rules.iter().any(|rule| rule.tuple.is_all_ports()))
        .with("ipv4Percent", policy::Fact::Percent(offence.coverage.ipv4_percent()))
        .with("ipv6Percent", policy::Fact::Percent(offence.coverage.ipv6_percent()))
        .with("terraform", is_terraform)
        .with_known("vpcId", group.vpc.clone())
        .with_known("stack", tag("aws:cloudformation:stack-name"))
}

/// How many bytes of tags are remembered of all rules together, as JSON. Whoever opens a group chooses the tags of the
/// rules, 50 a rule; plan and receipt both hold them, in a record of 400 KB, and what fits no record is not contained.
const REMEMBERED_TAGS: usize = 50_000;

/// The rules, without the tags that are too many to put back.
fn remembered(rules: Vec<Rule>) -> impl Iterator<Item = Rule> {
    let mut left = REMEMBERED_TAGS;
    rules.into_iter().map(move |mut rule| {
        let size = serde_json::to_vec(&rule.tags).map_or(usize::MAX, |json| json.len());
        match left.checked_sub(size) {
            Some(rest) => left = rest,
            None => rule.tags.clear(),
        }
        rule
    })
}

impl<G: SecurityGroups> Responder for RevokeOpenIngress<G> {
    const SPEC: Spec = remedy::spec!();
    type Subject = OpenRules;
    type Observed = Option<Group>;
    type Change = IngressChange;

    fn detect(event: &Event) -> Result<Vec<Finding<OpenRules>>, EventError> {
        let Some(call) = event.call() else { return Ok(Vec::new()) };
        let Some(opened) = called::read(call)? else { return Ok(Vec::new()) };
        let Some(certainty) = certainty(&opened) else { return Ok(Vec::new()) };
        let all_ports = opened.rules.iter().flatten().any(|called| called.tuple.is_all_ports());
        let severity = if all_ports { Severity::CRITICAL } else { Severity::HIGH };
        Ok(vec![Finding { resource: named(event, &opened), severity, certainty, subject: opened }])
    }

    fn presume(finding: &Finding<OpenRules>) -> Option<Group> {
        Some(presumed(&finding.subject))
    }

    async fn observe(&self, finding: &Finding<OpenRules>) -> Result<Option<Group>, CallError> {
        match (&finding.subject.group, &finding.subject.group_name) {
            (Some(id), _) => self.0.describe(GroupRef::Id(id)).await,
            (None, Some(name)) => self.0.describe(GroupRef::Name(name)).await,
            (None, None) => Ok(None),
        }
    }

    fn plan(finding: &Finding<OpenRules>, observed: &Option<Group>, _: &Situation) -> Plan<IngressChange> {
        let Some(group) = observed else {
            let empty = presumed(&finding.subject);
            let facts = facts(&empty, &Offence::default());
            return Plan { resource: finding.resource.clone(), facts, remedy: Remedy::AlreadySafe };
        };
        let offence = group.offending(finding.subject.rules.as_deref());
        let resource = Resource {
            arn: finding.resource.arn.sibling(group.owner.as_ref(), &format!("security-group/{}", group.id.0)),
            tags: Some(group.tags.clone()),
            kind: finding.resource.kind.clone(),
        };
        let facts = facts(group, &offence);
        let remedy = if offence.rules.is_empty() {
            Remedy::AlreadySafe
        } else {
            Remedy::Changes(remembered(offence.rules).map(IngressChange::Revoke).collect())
        };
        Plan { resource, facts, remedy }
    }

    fn holds(change: &IngressChange, observed: &Option<Group>) -> bool {
        let is_there = observed.as_ref().is_some_and(|group| group.has(&change.rule().tuple));
        match change {
            IngressChange::Revoke(_) => !is_there,
            IngressChange::Authorize(_) => is_there,
        }
    }

    async fn apply(&self, change: &IngressChange, _: &Warrant) -> Result<Applied, CallError> {
        match change {
            IngressChange::Revoke(rule) => self.0.revoke(rule).await,
            IngressChange::Authorize(rule) => self.0.authorize(rule).await,
        }
    }
}

#[cfg(test)]
mod tests;
