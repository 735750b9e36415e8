//! Amazon EC2 as this responder sees it.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::Client;
use aws_sdk_ec2::error::ProvideErrorMetadata;
use aws_sdk_ec2::types::{
    Filter, IpPermission, IpRange, Ipv6Range, PrefixListId as PrefixListIdType, ResourceType, SecurityGroupRule, Tag,
    TagSpecification, UserIdGroupPair,
};
use aws_types::SdkConfig;
use cloudtrail::AccountId;
use futures_util::future::{join, try_join_all};
use ipnet::IpNet;
use lambda::{Connect, call_error, once};
use remedy::{Applied, CallError};

use crate::RevokeOpenIngress;
use crate::group::{Group, GroupRef, SecurityGroups};
use crate::rule::{GroupId, PrefixListId, Protocol, Rule, RuleId, Source, Tuple};

/// The responder as it is deployed.
pub type Live = RevokeOpenIngress<Ec2>;

/// The security groups of one account and region.
#[derive(Debug)]
pub struct Ec2 {
    reads: Client,
    /// Without the SDK's own retries: see [`Responder::apply`](remedy::Responder::apply).
    writes: Client,
}

impl Connect for Live {
    fn connect(config: &SdkConfig) -> Self {
        Self(Ec2 { reads: Client::new(config), writes: Client::new(&once(config)) })
    }
}

impl SecurityGroups for Ec2 {
    async fn describe(&self, group: GroupRef<'_>) -> Result<Option<Group>, CallError> {
        match group {
            GroupRef::Id(id) => self.describe_by_id(id).await,
            GroupRef::Name(name) => match self.find_by_name(name).await? {
                Some(id) => self.describe_by_id(&id).await,
                None => Ok(None),
            },
        }
    }

    async fn revoke(&self, rule: &Rule) -> Result<Applied, CallError> {
        let call =
            self.writes.revoke_security_group_ingress().group_id(&rule.group.0).security_group_rule_ids(&rule.id.0);
        match call.send().await {
            Ok(_) => Ok(Applied::Changed),
            Err(error) if is_gone(error.code()) => Ok(Applied::AlreadySo),
            Err(error) => Err(call_error("ec2:RevokeSecurityGroupIngress", error)),
        }
    }

    async fn authorize(&self, rule: &Rule) -> Result<Applied, CallError> {
        let mut call =
            self.writes.authorize_security_group_ingress().group_id(&rule.group.0).ip_permissions(permission(rule));
        if !rule.tags.is_empty() {
            let tags = rule.tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect();
            let specification =
                TagSpecification::builder().resource_type(ResourceType::SecurityGroupRule).set_tags(Some(tags));
            call = call.tag_specifications(specification.build());
        }
        match call.send().await {
            Ok(_) => Ok(Applied::Changed),
            Err(error) if error.code() == Some("InvalidPermission.Duplicate") => Ok(Applied::AlreadySo),
            Err(error) => Err(call_error("ec2:AuthorizeSecurityGroupIngress", error)),
        }
    }
}

impl Ec2 {
    async fn describe_by_id(&self, id: &GroupId) -> Result<Option<Group>, CallError> {
        let groups = self.reads.describe_security_groups().group_ids(&id.0).send();
        let of_group = Filter::builder().name("group-id").values(&id.0).build();
        let rules = self.reads.describe_security_group_rules().filters(of_group).into_paginator().items().send();
        let (groups, rules) = join(groups, rules.collect::<Result<Vec<_>, _>>()).await;
        let groups = match groups {
            Ok(groups) => groups,
            Err(error) if is_gone(error.code()) => return Ok(None),
            Err(error) => return Err(call_error("ec2:DescribeSecurityGroups", error)),
        };
        let Some(group) = groups.security_groups.unwrap_or_default().into_iter().next() else { return Ok(None) };
        let rules = rules.map_err(|error| call_error("ec2:DescribeSecurityGroupRules", error))?;
        let rules: Vec<Rule> = rules.into_iter().filter_map(|rule| read(rule, id)).collect();
        Ok(Some(Group {
            id: id.clone(),
            owner: group.owner_id.and_then(|owner| AccountId::parse(&owner).ok()),
            name: group.group_name.unwrap_or_default(),
            vpc: group.vpc_id,
            tags: read_tags(group.tags),
            prefix_lists: self.resolve(&rules).await?,
            rules,
        }))
    }

    /// A group named without its VPC is one of the default VPC.
    async fn find_by_name(&self, name: &str) -> Result<Option<GroupId>, CallError> {
        let is_default = Filter::builder().name("is-default").values("true").build();
        let vpcs = self.reads.describe_vpcs().filters(is_default).send().await;
        let vpcs = vpcs.map_err(|error| call_error("ec2:DescribeVpcs", error))?;
        let Some(vpc) = vpcs.vpcs().first().and_then(|vpc| vpc.vpc_id()) else { return Ok(None) };
        let groups = self
            .reads
            .describe_security_groups()
            .filters(Filter::builder().name("group-name").values(name).build())
            .filters(Filter::builder().name("vpc-id").values(vpc).build())
            .send()
            .await
            .map_err(|error| call_error("ec2:DescribeSecurityGroups", error))?;
        Ok(groups.security_groups().first().and_then(|group| group.group_id()).map(|id| GroupId(id.to_owned())))
    }

    /// The blocks in every prefix list that the rules refer to. A list that is gone lets nobody in.
    async fn resolve(&self, rules: &[Rule]) -> Result<BTreeMap<PrefixListId, Vec<IpNet>>, CallError> {
        let lists: BTreeSet<&PrefixListId> = rules
            .iter()
            .filter_map(|rule| match &rule.tuple.source {
                Source::PrefixList(id) => Some(id),
                Source::Cidr(_) | Source::Group(_) | Source::Untold(_) => None,
            })
            .collect();
        let entries = lists.into_iter().map(async |id| {
            let pages =
                self.reads.get_managed_prefix_list_entries().prefix_list_id(&id.0).into_paginator().items().send();
            match pages.collect::<Result<Vec<_>, _>>().await {
                Ok(entries) => {
                    let nets = entries.iter().filter_map(|entry| entry.cidr()?.parse().ok()).collect();
                    Ok((id.clone(), nets))
                }
                Err(error) if is_gone(error.code()) => Ok((id.clone(), Vec::new())),
                Err(error) => Err(call_error("ec2:GetManagedPrefixListEntries", error)),
            }
        });
        Ok(try_join_all(entries).await?.into_iter().collect())
    }
}

/// Source of the codes: Amazon EC2 API Reference, "Error codes for the Amazon EC2 API".
fn is_gone(code: Option<&str>) -> bool {
    matches!(
        code,
        Some(
            "InvalidGroup.NotFound"
                | "InvalidGroupId.Malformed"
                | "InvalidPermission.NotFound"
                | "InvalidPrefixListID.NotFound"
                | "InvalidSecurityGroupRuleId.NotFound"
        )
    )
}

fn read_tags(tags: Option<Vec<Tag>>) -> BTreeMap<String, String> {
    tags.unwrap_or_default().into_iter().filter_map(|tag| Some((tag.key?, tag.value.unwrap_or_default()))).collect()
}

/// An ingress rule; `None` for an egress rule.
fn read(rule: SecurityGroupRule, group: &GroupId) -> Option<Rule> {
    if rule.is_egress == Some(true) {
        return None;
    }
    let cidr = rule.cidr_ipv4.or(rule.cidr_ipv6);
    let source = match (cidr, rule.prefix_list_id) {
        (Some(cidr), _) => cidr.parse().map_or(Source::Untold(cidr), Source::Cidr),
        (None, Some(list)) => Source::PrefixList(PrefixListId(list)),
        (None, None) => Source::Group(rule.referenced_group_info.and_then(|group| group.group_id).unwrap_or_default()),
    };
    Some(Rule {
        id: RuleId(rule.security_group_rule_id?),
        group: group.clone(),
        tuple: Tuple::new(Protocol::from(rule.ip_protocol?), rule.from_port, rule.to_port, source),
        description: rule.description.filter(|text| !text.is_empty()),
        tags: read_tags(rule.tags),
    })
}

fn permission(rule: &Rule) -> IpPermission {
    let Tuple { protocol, ports, source } = &rule.tuple;
    // TCP and UDP want their ports said even where they are all ports; other protocols take none.
    let ports = ports.or(matches!(protocol, Protocol::Tcp | Protocol::Udp).then_some((0, u16::MAX)));
    let permission = IpPermission::builder()
        .ip_protocol(protocol.as_str())
        .set_from_port(ports.map(|(from, _)| from.into()))
        .set_to_port(ports.map(|(_, to)| to.into()));
    let description = rule.description.clone();
    match source {
        Source::Cidr(IpNet::V4(net)) => {
            permission.ip_ranges(IpRange::builder().cidr_ip(net.to_string()).set_description(description).build())
        }
        Source::Cidr(IpNet::V6(net)) => {
            permission.ipv6_ranges(Ipv6Range::builder().cidr_ipv6(net.to_string()).set_description(description).build())
        }
        Source::PrefixList(id) => permission
            .prefix_list_ids(PrefixListIdType::builder().prefix_list_id(&id.0).set_description(description).build()),
        Source::Group(id) | Source::Untold(id) => {
            permission.user_id_group_pairs(UserIdGroupPair::builder().group_id(id).set_description(description).build())
        }
    }
    .build()
}
