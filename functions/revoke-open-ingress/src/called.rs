//! What the two calls that open ingress asked for, in every shape their records have.

use cloudtrail::{Call, EventError, Field, Items, port};
use serde::{Deserialize, Serialize};

use crate::rule::{GroupId, PrefixListId, Protocol, RuleId, Source, Tuple};

/// One rule that a call made or changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Called {
    /// Its id, where the record tells it: records of before 2021 do not.
    pub id: Option<RuleId>,
    /// What it lets in.
    pub tuple: Tuple,
}

/// What one call opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OpenRules {
    /// The group, where the record tells its id.
    pub group: Option<GroupId>,
    /// The group's name, where the record tells only that: it is a group of the default VPC. Source: Amazon EC2 API
    /// Reference, "`AuthorizeSecurityGroupIngress`".
    pub group_name: Option<String>,
    /// The rules; `None` where CloudTrail left them out for their size, so that any rule of the group may be meant.
    pub rules: Option<Vec<Called>>,
}

/// What the call asked for; `None` if it is neither of the two calls or did not take effect.
pub(crate) fn read(call: &Call) -> Result<Option<OpenRules>, EventError> {
    let opened = match call.name.as_str() {
        _ if call.source != "ec2.amazonaws.com" => return Ok(None),
        "AuthorizeSecurityGroupIngress" => authorized(call)?,
        "ModifySecurityGroupRules" => modified(call)?,
        _ => return Ok(None),
    };
    if opened.group.is_none() && opened.group_name.is_none() {
        return Err(EventError::NoResource { call: call.name.clone(), field: "requestParameters.groupId" });
    }
    Ok(Some(opened))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Authorize {
    group_id: Option<GroupId>,
    group_name: Option<String>,
    #[serde(default)]
    ip_permissions: Items<Permission>,
    // The flat form, which EC2 still takes for one rule.
    cidr_ip: Option<String>,
    #[serde(default)]
    ip_protocol: Option<ProtocolName>,
    #[serde(default, deserialize_with = "port")]
    from_port: Option<i32>,
    #[serde(default, deserialize_with = "port")]
    to_port: Option<i32>,
    source_security_group_name: Option<String>,
}

/// A protocol by name or, as some clients send it, by number.
#[derive(Deserialize)]
#[serde(untagged)]
enum ProtocolName {
    Name(String),
    Number(i64),
}

impl ProtocolName {
    fn read(self) -> Protocol {
        Protocol::from(match self {
            Self::Name(name) => name,
            Self::Number(number) => number.to_string(),
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Permission {
    #[serde(default)]
    ip_protocol: Option<ProtocolName>,
    #[serde(default, deserialize_with = "port")]
    from_port: Option<i32>,
    #[serde(default, deserialize_with = "port")]
    to_port: Option<i32>,
    #[serde(default)]
    ip_ranges: Items<V4>,
    #[serde(default)]
    ipv6_ranges: Items<V6>,
    #[serde(default)]
    prefix_list_ids: Items<List>,
    #[serde(default)]
    groups: Items<Pair>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct V4 {
    cidr_ip: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct V6 {
    cidr_ipv6: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct List {
    prefix_list_id: PrefixListId,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pair {
    group_id: Option<String>,
    group_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Authorized {
    #[serde(default)]
    security_group_rule_set: Items<Made>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Made {
    security_group_rule_id: RuleId,
    group_id: Option<GroupId>,
    #[serde(default)]
    is_egress: bool,
    #[serde(flatten)]
    spelled: Spelled,
}

/// A single rule, as the answer of the one call and the request of the other spell it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spelled {
    #[serde(alias = "IpProtocol")]
    ip_protocol: Option<ProtocolName>,
    #[serde(default, deserialize_with = "port", alias = "FromPort")]
    from_port: Option<i32>,
    #[serde(default, deserialize_with = "port", alias = "ToPort")]
    to_port: Option<i32>,
    #[serde(alias = "CidrIpv4")]
    cidr_ipv4: Option<String>,
    #[serde(alias = "CidrIpv6")]
    cidr_ipv6: Option<String>,
    #[serde(alias = "PrefixListId")]
    prefix_list_id: Option<PrefixListId>,
    referenced_group_info: Option<Pair>,
    #[serde(alias = "ReferencedGroupId")]
    referenced_group_id: Option<String>,
}

impl Spelled {
    /// What it lets in; from `otherwise` if it names no source.
    fn read(self, otherwise: Source) -> Tuple {
        let group = self.referenced_group_info.and_then(|group| group.group_id).or(self.referenced_group_id);
        let source = match (self.cidr_ipv4.or(self.cidr_ipv6), self.prefix_list_id, group) {
            (Some(cidr), _, _) => block(&cidr),
            (None, Some(list), _) => Source::PrefixList(list),
            (None, None, Some(group)) => Source::Group(group),
            (None, None, None) => otherwise,
        };
        let protocol = self.ip_protocol.map_or(Protocol::All, ProtocolName::read);
        Tuple::new(protocol, self.from_port, self.to_port, source)
    }
}

fn authorized(call: &Call) -> Result<OpenRules, EventError> {
    let made =
        call.response::<Authorized>()?.known().map(|answer| answer.security_group_rule_set.0).unwrap_or_default();
    let asked = call.request::<Authorize>()?;
    let group = made.iter().find_map(|rule| rule.group_id.clone());
    if !made.is_empty() {
        let rules = made.into_iter().filter(|rule| !rule.is_egress).map(Made::read).collect();
        let asked = asked.known();
        let group = group.or_else(|| asked.as_ref()?.group_id.clone());
        let group_name = asked.and_then(|asked| asked.group_name).filter(|_| group.is_none());
        return Ok(OpenRules { group, group_name, rules: Some(rules) });
    }
    Ok(match asked {
        Field::Known(asked) => OpenRules {
            group_name: asked.group_name.clone().filter(|_| asked.group_id.is_none()),
            group: asked.group_id.clone(),
            rules: Some(asked.read()),
        },
        Field::Absent | Field::Omitted => OpenRules { group: None, group_name: None, rules: None },
    })
}

impl Made {
    fn read(self) -> Called {
        // A rule has one source of four kinds, so what is left is another group.
        let tuple = self.spelled.read(Source::Group(String::new()));
        Called { id: Some(self.security_group_rule_id), tuple }
    }
}

impl Pair {
    fn read(self) -> Source {
        Source::Group(self.group_id.or(self.group_name).unwrap_or_default())
    }
}

impl Authorize {
    fn read(self) -> Vec<Called> {
        let flat = match (self.cidr_ip, self.source_security_group_name) {
            (Some(cidr), _) => Some(block(&cidr)),
            (None, Some(name)) => Some(Source::Group(name)),
            (None, None) => None,
        };
        let protocol = self.ip_protocol.map_or(Protocol::All, ProtocolName::read);
        let flat = flat.map(|source| Tuple::new(protocol, self.from_port, self.to_port, source));
        let listed = self.ip_permissions.0.into_iter().flat_map(Permission::read);
        flat.into_iter().chain(listed).map(|tuple| Called { id: None, tuple }).collect()
    }
}

impl Permission {
    fn read(self) -> impl Iterator<Item = Tuple> {
        let protocol = self.ip_protocol.map_or(Protocol::All, ProtocolName::read);
        let v4 = self.ip_ranges.0.into_iter().map(|range| block(&range.cidr_ip));
        let v6 = self.ipv6_ranges.0.into_iter().map(|range| block(&range.cidr_ipv6));
        let lists = self.prefix_list_ids.0.into_iter().map(|list| Source::PrefixList(list.prefix_list_id));
        let groups = self.groups.0.into_iter().map(Pair::read);
        v4.chain(v6)
            .chain(lists)
            .chain(groups)
            .map(move |source| Tuple::new(protocol.clone(), self.from_port, self.to_port, source))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Modify {
    modify_security_group_rules_request: ModifyRequest,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ModifyRequest {
    group_id: Option<GroupId>,
    security_group_rule: OneOrMany<ModifiedRule>,
}

/// The query protocol's lists lose their brackets where they hold one item.
#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    Many(Vec<T>),
    One(T),
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ModifiedRule {
    security_group_rule_id: RuleId,
    security_group_rule: Option<Spelled>,
}

fn modified(call: &Call) -> Result<OpenRules, EventError> {
    let Field::Known(Modify { modify_security_group_rules_request: asked }) = call.request::<Modify>()? else {
        return Ok(OpenRules { group: None, group_name: None, rules: None });
    };
    let rules = match asked.security_group_rule {
        OneOrMany::Many(rules) => rules,
        OneOrMany::One(rule) => vec![rule],
    };
    let rules = rules.into_iter().map(ModifiedRule::read).collect();
    Ok(OpenRules { group: asked.group_id, group_name: None, rules: Some(rules) })
}

impl ModifiedRule {
    fn read(self) -> Called {
        let untold = Source::Untold(String::new());
        let tuple = match self.security_group_rule {
            Some(rule) => rule.read(untold),
            None => Tuple::new(Protocol::All, None, None, untold),
        };
        Called { id: Some(self.security_group_rule_id), tuple }
    }
}

/// A block of addresses. What cannot be read as one is kept as it is, for the live rule to tell.
fn block(cidr: &str) -> Source {
    cidr.parse().map_or_else(|_| Source::Untold(cidr.to_owned()), Source::Cidr)
}
