//! A security group with its live rules, and which of them offend.

use std::collections::{BTreeMap, BTreeSet};

use cloudtrail::AccountId;
use ipnet::IpNet;
use remedy::{Applied, CallError};
use serde::Serialize;

use crate::called::Called;
use crate::coverage::Coverage;
use crate::rule::{GroupId, PrefixListId, Rule, Source, Tuple};

/// What a look at a group finds.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Group {
    /// Its id.
    pub id: GroupId,
    /// The account it belongs to, as EC2 tells it.
    pub owner: Option<AccountId>,
    /// Its name; the one a VPC comes with is called `default`.
    pub name: String,
    /// Its VPC.
    pub vpc: Option<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Its ingress rules.
    pub rules: Vec<Rule>,
    /// What is in the prefix lists that its rules refer to.
    pub prefix_lists: BTreeMap<PrefixListId, Vec<IpNet>>,
}

/// The rules of one call that offend, and how much they let in.
#[derive(Debug, Clone, Default)]
pub(crate) struct Offence {
    pub(crate) rules: Vec<Rule>,
    pub(crate) ports: BTreeSet<u16>,
    pub(crate) coverage: Coverage,
}

impl Group {
    /// Which live rules that `called` means are part of a wide opening of a sensitive port.
    ///
    /// A rule that is not wide by itself counts together with the other rules of which that is true: the parts of a
    /// split. Beside a rule that is wide by itself an ordinary small one is no part of the exposure and stays.
    pub(crate) fn offending(&self, called: Option<&[Called]>) -> Offence {
        let wide: Vec<bool> = self.rules.iter().map(|rule| self.coverage_of([&rule.tuple]).is_wide()).collect();
        // What the parts of a split let in together hangs on the port and the protocol alone, and a group with a thousand
        // rules, each of them for all ports, would take seconds if it were counted anew for each.
        let mut together = BTreeMap::new();
        let mut offence = Offence::default();
        for (rule, is_wide) in self.rules.iter().zip(&wide) {
            if !called.is_none_or(|called| called.iter().any(|called| means(called, rule))) {
                continue;
            }
            let own = self.coverage_of([&rule.tuple]);
            let mut is_offending = false;
            for port in rule.tuple.sensitive_ports() {
                let coverage = if *is_wide {
                    own
                } else if own.could_be_a_part() {
                    *together.entry((port, &rule.tuple.protocol)).or_insert_with(|| {
                        let parts = self.rules.iter().zip(&wide).filter(|(_, wide)| !**wide);
                        let parts = parts.map(|(other, _)| &other.tuple);
                        self.coverage_of(parts.filter(|other| rule.tuple.overlaps_at(other, port)))
                    })
                } else {
                    continue;
                };
                if coverage.is_wide() {
                    is_offending = true;
                    offence.ports.insert(port);
                    offence.coverage = offence.coverage.max(coverage);
                }
            }
            if is_offending {
                offence.rules.push(rule.clone());
            }
        }
        let all = self.coverage_of(offence.rules.iter().map(|rule| &rule.tuple));
        offence.coverage = offence.coverage.max(all);
        offence
    }

    fn coverage_of<'a>(&'a self, tuples: impl IntoIterator<Item = &'a Tuple>) -> Coverage {
        let nets = tuples.into_iter().flat_map(|tuple| match &tuple.source {
            Source::Cidr(net) => std::slice::from_ref(net),
            Source::PrefixList(id) => self.prefix_lists.get(id).map(Vec::as_slice).unwrap_or_default(),
            Source::Group(_) | Source::Untold(_) => &[],
        });
        Coverage::of(nets)
    }

    /// Whether a live rule lets in just this.
    pub(crate) fn has(&self, tuple: &Tuple) -> bool {
        self.rules.iter().any(|rule| &rule.tuple == tuple)
    }
}

fn means(called: &Called, rule: &Rule) -> bool {
    match &called.id {
        Some(id) => *id == rule.id,
        None => called.tuple == rule.tuple,
    }
}

/// How a call names a group.
#[derive(Debug, Clone, Copy)]
pub enum GroupRef<'a> {
    /// By id.
    Id(&'a GroupId),
    /// By name, in the default VPC.
    Name(&'a str),
}

/// The part of Amazon EC2 that this responder needs.
#[expect(async_fn_in_trait, reason = "used inside this workspace only, on a single-threaded runtime")]
pub trait SecurityGroups {
    /// The group with its live ingress rules; `None` if there is none (any longer).
    async fn describe(&self, group: GroupRef<'_>) -> Result<Option<Group>, CallError>;

    /// Takes the rule away, by its id.
    async fn revoke(&self, rule: &Rule) -> Result<Applied, CallError>;

    /// Makes a rule with this tuple, description and tags; its id will be another.
    async fn authorize(&self, rule: &Rule) -> Result<Applied, CallError>;
}
