//! What was asked, in CloudTrail's form.

use serde_json::{Map, Value, json};

use super::sharing;
use crate::proxy::{Call, Params};

/// Never written to a trail.
const SECRETS: [&str; 6] =
    ["password", "secretAccessKey", "servicePassword", "serviceCredentialSecret", "sessionToken", "privateKey"];

/// Parameters whose text is a number in CloudTrail. Account ids and `ipProtocol` are text.
const NUMBERS: [&str; 14] = [
    "fromPort",
    "toPort",
    "minCount",
    "maxCount",
    "volumeSize",
    "size",
    "iops",
    "throughput",
    "maxSessionDuration",
    "durationSeconds",
    "minimumPasswordLength",
    "maxPasswordAge",
    "passwordReusePrevention",
    "httpPutResponseHopLimit",
];

/// Parameters that stay text though they read `true`.
const FREE_TEXT: [&str; 12] = [
    "description",
    "groupDescription",
    "groupId",
    "groupName",
    "key",
    "keyName",
    "path",
    "policyDocument",
    "policyName",
    "roleName",
    "userName",
    "value",
];

/// EC2's names for some lists differ from the names of their parameters.
const EC2_LISTS: [(&str, &str); 5] = [
    ("InstanceId", "instancesSet"),
    ("ResourceId", "resourcesSet"),
    ("SecurityGroupRuleId", "securityGroupRuleIds"),
    ("Tag", "tagSet"),
    ("TagSpecification", "tagSpecificationSet"),
];

/// Calls that are recorded with a permission set, empty if there is none.
const INGRESS_AND_EGRESS: [&str; 4] = [
    "AuthorizeSecurityGroupEgress",
    "AuthorizeSecurityGroupIngress",
    "RevokeSecurityGroupEgress",
    "RevokeSecurityGroupIngress",
];

/// `requestParameters`: `null` for a call without any.
pub(super) fn parameters(call: &Call) -> Value {
    let parameters = match &call.params {
        Params::None => return Value::Null,
        Params::Json(body) => lower_camel_keys(body),
        Params::Form(pairs) => {
            let tree = Node::of(pairs);
            match (call.service.as_str(), call.operation.as_str()) {
                ("ec2", "ModifySecurityGroupRules") => return wrapped(&call.operation, &tree),
                ("ec2", "ModifySnapshotAttribute" | "ModifyImageAttribute") => {
                    sharing::in_one_form(ec2(&call.operation, &tree))
                }
                ("ec2", operation) => ec2(operation, &tree),
                _ => query("", &tree),
            }
        }
    };
    if parameters.as_object().is_some_and(Map::is_empty) { Value::Null } else { parameters }
}

/// Dotted parameter names, taken apart; in the order they came in.
#[derive(Debug)]
enum Node {
    Leaf(String),
    Branch(Vec<(String, Node)>),
}

impl Node {
    fn of(pairs: &[(String, String)]) -> Self {
        let mut root = Vec::new();
        for (name, value) in pairs {
            let steps: Vec<&str> = name.split('.').collect();
            Self::grow(&mut root, &steps, value);
        }
        Self::Branch(root)
    }

    fn grow(branch: &mut Vec<(String, Node)>, steps: &[&str], value: &str) {
        let Some((step, rest)) = steps.split_first() else { return };
        if rest.is_empty() {
            branch.push(((*step).to_owned(), Self::Leaf(value.to_owned())));
            return;
        }
        let inner = branch.iter_mut().find_map(|(name, node)| match node {
            Self::Branch(inner) if name == step => Some(inner),
            _ => None,
        });
        if let Some(inner) = inner {
            Self::grow(inner, rest, value);
        } else {
            let mut inner = Vec::new();
            Self::grow(&mut inner, rest, value);
            branch.push(((*step).to_owned(), Self::Branch(inner)));
        }
    }

    fn children(&self) -> &[(String, Node)] {
        match self {
            Self::Leaf(_) => &[],
            Self::Branch(children) => children,
        }
    }

    /// Whether the children are `1`, `2`, …
    fn is_list(&self) -> bool {
        let children = self.children();
        !children.is_empty() && children.iter().all(|(name, _)| name.parse::<u32>().is_ok())
    }
}

fn ec2(operation: &str, tree: &Node) -> Value {
    let mut parameters = Map::new();
    for (name, node) in tree.children() {
        // An order to the API and not a parameter of the change.
        if name == "DryRun" {
            continue;
        }
        let (name, value) = ec2_member(name, node);
        parameters.insert(name, value);
    }
    if INGRESS_AND_EGRESS.contains(&operation) {
        complete_permissions(parameters.entry("ipPermissions").or_insert_with(|| json!({})));
    }
    Value::Object(parameters)
}

fn ec2_member(name: &str, node: &Node) -> (String, Value) {
    let lower = lower_camel(name);
    let listed = EC2_LISTS.iter().find(|(parameter, _)| *parameter == name).map(|(_, listed)| (*listed).to_owned());
    match node {
        Node::Leaf(text) => {
            let value = typed(&lower, text);
            (lower, value)
        }
        Node::Branch(_) if node.is_list() => {
            let items: Vec<Value> = node
                .children()
                .iter()
                .map(|(_, item)| match item {
                    Node::Leaf(text) => json!({ lower.as_str(): typed(&lower, text) }),
                    Node::Branch(_) => ec2_object(name, item),
                })
                .collect();
            (listed.unwrap_or(lower), json!({"items": items}))
        }
        Node::Branch(_) => (lower, ec2_object(name, node)),
    }
}

fn ec2_object(parent: &str, node: &Node) -> Value {
    let members = node.children().iter().map(|(name, node)| {
        // The one list that is written as a plain array.
        if parent == "TagSpecification" && name == "Tag" {
            let tags: Vec<Value> = node.children().iter().map(|(_, tag)| ec2_object("Tag", tag)).collect();
            return ("tags".to_owned(), Value::Array(tags));
        }
        ec2_member(name, node)
    });
    Value::Object(members.collect())
}

/// AWS writes every list of a permission, empty ones as `{}`.
fn complete_permissions(permissions: &mut Value) {
    let items = permissions.get_mut("items").and_then(Value::as_array_mut).into_iter().flatten();
    for item in items.filter_map(Value::as_object_mut) {
        for list in ["groups", "ipRanges", "ipv6Ranges", "prefixListIds"] {
            item.entry(list).or_insert_with(|| json!({}));
        }
    }
}

/// The newest EC2 calls are recorded as an XML document would be: names as they are, an envelope
/// of the request's name, a single element as an object with its number as `tag`.
fn wrapped(operation: &str, tree: &Node) -> Value {
    let mut request = Map::new();
    for (name, node) in tree.children().iter().filter(|(name, _)| name != "DryRun") {
        request.insert(name.clone(), as_document(name, node));
    }
    json!({ format!("{operation}Request"): request })
}

fn as_document(name: &str, node: &Node) -> Value {
    if let Node::Leaf(text) = node {
        return typed(&lower_camel(name), text);
    }
    if node.is_list() {
        let mut elements: Vec<Value> = node
            .children()
            .iter()
            .map(|(number, element)| {
                let mut element = as_document(name, element);
                if let (Some(fields), Ok(tag)) = (element.as_object_mut(), number.parse::<u32>()) {
                    fields.insert("tag".to_owned(), tag.into());
                }
                element
            })
            .collect();
        return if elements.len() == 1 { elements.remove(0) } else { Value::Array(elements) };
    }
    Value::Object(node.children().iter().map(|(name, node)| (name.clone(), as_document(name, node))).collect())
}

/// IAM, RDS, SNS and STS: lists are plain arrays, and what the wire wraps them in (`member`, `entry`, `AttributeValue`) is
/// not shown.
fn query(name: &str, node: &Node) -> Value {
    match node {
        Node::Leaf(text) => typed(name, text),
        Node::Branch(children) => {
            if let [(_, list)] = children.as_slice()
                && list.is_list()
            {
                return Value::Array(list.children().iter().map(|(_, element)| query(name, element)).collect());
            }
            let fields = children.iter().map(|(name, node)| (lower_camel(name), node));
            let told = fields.filter(|(name, _)| !is_secret(name));
            Value::Object(
                told.map(|(name, node)| {
                    let value = query(&name, node);
                    (name, value)
                })
                .collect(),
            )
        }
    }
}

/// CloudTrail has numbers and booleans where the wire has only text.
pub(super) fn typed(name: &str, text: &str) -> Value {
    if NUMBERS.contains(&name) {
        return text.parse::<i64>().map_or_else(|_| text.into(), Value::from);
    }
    match text {
        "true" | "false" if !FREE_TEXT.contains(&name) => Value::Bool(text == "true"),
        _ => text.into(),
    }
}

pub(super) fn lower_camel_keys(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let told = fields.iter().map(|(name, inner)| (lower_camel(name), inner));
            let told = told.filter(|(name, _)| !is_secret(name));
            Value::Object(told.map(|(name, inner)| (name, lower_camel_keys(inner))).collect())
        }
        Value::Array(elements) => Value::Array(elements.iter().map(lower_camel_keys).collect()),
        other => other.clone(),
    }
}

pub(super) fn lower_camel(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

pub(super) fn is_secret(name: &str) -> bool {
    SECRETS.contains(&name)
}
