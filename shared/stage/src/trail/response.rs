//! What AWS answered, in CloudTrail's form.

use chrono::{DateTime, Utc};
use roxmltree::{Document, Node};
use serde_json::{Map, Value, json};

use super::identity::Identity;
use super::request::{is_secret, lower_camel, lower_camel_keys, typed};
use crate::proxy::{Call, Params};

/// A refused call's error, under the name CloudTrail has for it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: String,
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn of(call: &Call) -> Option<Self> {
        let status = call.status.filter(|status| *status >= 400)?;
        let (code, message) = match &call.params {
            Params::Json(_) => json_error(&call.response_body),
            Params::Form(_) | Params::None => xml_error(&call.response_body),
        }
        .unwrap_or_else(|| ("InternalFailure".to_owned(), "An unknown error occurred".to_owned()));
        let code = match call.service.as_str() {
            // A throttled caller is at fault, though the status says otherwise.
            "ec2" if status >= 500 && code != "RequestLimitExceeded" => format!("Server.{code}"),
            "ec2" => format!("Client.{code}"),
            "iam" => iam_code(code),
            _ => code,
        };
        Some(Self { code, message })
    }

    pub(super) fn is_denial(&self) -> bool {
        self.code == "AccessDenied"
    }
}

/// On the wire IAM says `NoSuchEntity`, in CloudTrail `NoSuchEntityException`. What is said by
/// the common front of AWS's services has no such ending.
fn iam_code(code: String) -> String {
    const COMMON: [&str; 7] = [
        "AccessDenied",
        "InvalidClientTokenId",
        "RequestExpired",
        "ServiceFailure",
        "SignatureDoesNotMatch",
        "Throttling",
        "ValidationError",
    ];
    if COMMON.contains(&code.as_str()) || code.ends_with("Exception") { code } else { format!("{code}Exception") }
}

fn xml_error(body: &str) -> Option<(String, String)> {
    let document = Document::parse(body).ok()?;
    let text = |name: &str| {
        let node = document.descendants().find(|node| node.tag_name().name() == name)?;
        Some(node.text().unwrap_or_default().to_owned())
    };
    Some((text("Code")?, text("Message").unwrap_or_default()))
}

fn json_error(body: &str) -> Option<(String, String)> {
    let error: Value = serde_json::from_str(body).ok()?;
    let code = error.get("__type")?.as_str()?;
    let message = error.get("message").or_else(|| error.get("Message")).and_then(Value::as_str).unwrap_or_default();
    Some((code.rsplit('#').next().unwrap_or(code).to_owned(), message.to_owned()))
}

/// `responseElements` of a call that succeeded: `null` where the answer says nothing but that.
pub(super) fn elements(call: &Call, who: &Identity) -> Value {
    let elements = match (&call.params, call.service.as_str()) {
        (Params::Json(_), _) => {
            serde_json::from_str(&call.response_body).map_or(Value::Null, |body| lower_camel_keys(&body))
        }
        (_, "ec2") => return ec2(call, who).unwrap_or(Value::Null),
        _ => query(call).unwrap_or(Value::Null),
    };
    if elements.as_object().is_some_and(Map::is_empty) { Value::Null } else { elements }
}

fn ec2(call: &Call, who: &Identity) -> Option<Value> {
    let document = Document::parse(&call.response_body).ok()?;
    let answer = document.root_element();
    if call.operation == "ModifySecurityGroupRules" {
        let returned = answer.children().find(|node| node.tag_name().name() == "return").and_then(|node| node.text());
        return Some(json!({"ModifySecurityGroupRulesResponse": {
            "xmlns": "http://ec2.amazonaws.com/doc/2016-11-15/",
            "requestId": call.request_id,
            "return": returned == Some("true"),
        }}));
    }
    let mut elements = Map::new();
    for child in answer.children().filter(Node::is_element) {
        let (name, value) = match child.tag_name().name() {
            // moto writes the same words into every answer.
            "requestId" => ("requestId", Value::from(call.request_id.as_str())),
            "return" => ("_return", ec2_value(child)),
            other => (other, ec2_value(child)),
        };
        elements.insert(name.to_owned(), value);
    }
    if let Some(rules) = elements.get_mut("securityGroupRuleSet").and_then(|set| set.get_mut("items")) {
        for rule in rules.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
            complete_rule(rule, call, who);
        }
    }
    Some(Value::Object(elements))
}

/// What AWS says of a new rule and moto does not.
fn complete_rule(rule: &mut Map<String, Value>, call: &Call, who: &Identity) {
    let account = who.account();
    if let Some(id) = rule.get("securityGroupRuleId").and_then(Value::as_str) {
        let arn = format!("arn:aws:ec2:{}:{account}:security-group-rule/{id}", call.region);
        rule.entry("securityGroupRuleArn").or_insert_with(|| arn.into());
    }
    rule.entry("groupOwnerId").or_insert_with(|| account.into());
    if rule.get("tagSet").is_some_and(|tags| tags.get("items").is_none()) {
        rule.remove("tagSet");
    }
}

fn ec2_value(node: Node<'_, '_>) -> Value {
    let children: Vec<Node<'_, '_>> = node.children().filter(Node::is_element).collect();
    if children.is_empty() {
        return match node.text() {
            Some(text) => typed(node.tag_name().name(), text),
            None => json!({}),
        };
    }
    if children.iter().all(|child| child.tag_name().name() == "item") {
        return json!({"items": children.into_iter().map(ec2_value).collect::<Vec<_>>()});
    }
    Value::Object(children.into_iter().map(|child| (child.tag_name().name().to_owned(), ec2_value(child))).collect())
}

/// `<CreateUserResponse><CreateUserResult>…`: the result, if there is one.
fn query(call: &Call) -> Option<Value> {
    let document = Document::parse(&call.response_body).ok()?;
    let wanted = format!("{}Result", call.operation);
    let result = document.root_element().children().find(|node| node.tag_name().name() == wanted)?;
    Some(query_value(result))
}

fn query_value(node: Node<'_, '_>) -> Value {
    let children: Vec<Node<'_, '_>> = node.children().filter(Node::is_element).collect();
    if !children.is_empty() && children.iter().all(|child| child.tag_name().name() == "member") {
        return Value::Array(children.into_iter().map(query_value).collect());
    }
    if children.is_empty() {
        let name = lower_camel(node.tag_name().name());
        let text = node.text().unwrap_or_default();
        return match DateTime::parse_from_rfc3339(text) {
            Ok(at) if name.ends_with("Date") => spoken(at.to_utc()).into(),
            _ => typed(&name, text),
        };
    }
    let fields = children.into_iter().map(|child| (lower_camel(child.tag_name().name()), child));
    // A secret is not for the trail; an element without content is not written at all.
    let told = fields.filter(|(name, child)| !is_secret(name) && (child.has_children() || child.text().is_some()));
    Value::Object(told.map(|(name, child)| (name, query_value(child))).collect())
}

/// `Aug 1, 2024 1:33:28 PM`, as CloudTrail writes the dates in answers.
fn spoken(at: DateTime<Utc>) -> String {
    at.format("%b %-d, %Y %-I:%M:%S %p").to_string()
}
