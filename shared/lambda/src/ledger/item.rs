//! The words of a DynamoDB item, and expressions over them.

use std::collections::HashMap;

use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem, Update};
use cloudtrail::EventId;
use remedy::{IncidentId, MemoryKey};
use sha2::{Digest, Sha256};

pub(super) type Item = HashMap<String, AttributeValue>;

pub(super) const KEY: &str = "pk";
pub(super) const INCIDENT: &str = "incident";
pub(super) const STATE: &str = "state";
pub(super) const REVISION: &str = "revision";
pub(super) const OWNER: &str = "owner";
pub(super) const RESPONDER: &str = "responder";
pub(super) const ACCOUNT: &str = "account";
pub(super) const ACTOR: &str = "actor";
pub(super) const RESOURCE: &str = "resource";
pub(super) const DAY: &str = "day";
pub(super) const AT: &str = "at";
pub(super) const EXPIRES: &str = "expires";
pub(super) const HELD: &str = "held";
pub(super) const RECORD: &str = "record";
pub(super) const LAST: &str = "last";
pub(super) const BASELINE: &str = "baseline";
pub(super) const CAPTURED: &str = "captured";
/// Only on incidents whose lease runs, and the same on all of them: the partition of the index that finds them.
pub(super) const LEASED: &str = "leased";
pub(super) const RELEASE: &str = "release";

/// Before the id, in the key of an incident.
pub(super) const INCIDENT_KEY: &str = "incident#";

/// A key longer than this is cut and hashed: DynamoDB takes 2048 bytes, and some parts of a key are chosen by whoever
/// did what the event is about. Source: Amazon DynamoDB Developer Guide, "Quotas", partition key length.
const LONGEST_KEY: usize = 1024;

pub(super) fn incident_key(id: &IncidentId) -> AttributeValue {
    key(INCIDENT_KEY, id.as_str())
}

pub(super) fn resource_key(resource: &MemoryKey) -> AttributeValue {
    key("resource#", resource.as_str())
}

pub(super) fn baseline_key(resource: &MemoryKey) -> AttributeValue {
    key("baseline#", resource.as_str())
}

pub(super) fn budget_key(name: &str) -> AttributeValue {
    key("budget#", name)
}

pub(super) fn event_key(id: &EventId) -> AttributeValue {
    key("event#", id.as_str())
}

/// There is one round at a time. The canary's role may touch no other key.
pub(super) fn heartbeat_key() -> AttributeValue {
    text("heartbeat")
}

fn key(kind: &str, name: &str) -> AttributeValue {
    if name.len() <= LONGEST_KEY {
        return text(format!("{kind}{name}"));
    }
    let start: String = name.chars().take(LONGEST_KEY / 8).collect();
    text(format!("{kind}{start}…{:x}", Sha256::digest(name.as_bytes())))
}

pub(super) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(super) fn number(value: impl Into<i128>) -> AttributeValue {
    AttributeValue::N(value.into().to_string())
}

/// An expression's names and values. Names go through placeholders, as half of ours are reserved words.
#[derive(Debug, Clone, Default)]
pub(super) struct Terms {
    names: HashMap<String, String>,
    values: Item,
}

impl Terms {
    /// A placeholder for the attribute.
    pub(super) fn name(&mut self, attribute: impl Into<String>) -> String {
        let attribute = attribute.into();
        if let Some((known, _)) = self.names.iter().find(|(_, name)| **name == attribute) {
            return known.clone();
        }
        let placeholder = format!("#n{}", self.names.len());
        self.names.insert(placeholder.clone(), attribute);
        placeholder
    }

    /// A placeholder for the value.
    pub(super) fn value(&mut self, value: AttributeValue) -> String {
        let placeholder = format!(":v{}", self.values.len());
        self.values.insert(placeholder.clone(), value);
        placeholder
    }

    /// DynamoDB refuses an empty map.
    pub(super) fn into_parts(self) -> (Option<HashMap<String, String>>, Option<Item>) {
        ((!self.names.is_empty()).then_some(self.names), (!self.values.is_empty()).then_some(self.values))
    }
}

/// A put that goes through only if the condition holds.
pub(super) fn put(table: &str, item: Item, condition: String, terms: Terms) -> Result<TransactWriteItem, BuildError> {
    let (names, values) = terms.into_parts();
    let put = Put::builder()
        .table_name(table)
        .set_item(Some(item))
        .condition_expression(condition)
        .set_expression_attribute_names(names)
        .set_expression_attribute_values(values)
        .build()?;
    Ok(TransactWriteItem::builder().put(put).build())
}

/// An update, with a condition or without.
pub(super) fn update(
    table: &str,
    key: AttributeValue,
    update: String,
    condition: Option<String>,
    terms: Terms,
) -> Result<TransactWriteItem, BuildError> {
    let (names, values) = terms.into_parts();
    let update = Update::builder()
        .table_name(table)
        .key(KEY, key)
        .update_expression(update)
        .set_condition_expression(condition)
        .set_expression_attribute_names(names)
        .set_expression_attribute_values(values)
        .build()?;
    Ok(TransactWriteItem::builder().update(update).build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_key_is_cut_and_stays_its_own() {
        let long = "ä".repeat(3000);
        let other = format!("{long}x");
        let AttributeValue::S(cut) = budget_key(&long) else { panic!("a key is text") };
        assert!(cut.starts_with("budget#ää") && cut.len() < LONGEST_KEY, "{}", cut.len());
        assert_ne!(budget_key(&other), budget_key(&long));
        assert_eq!(budget_key("short"), text("budget#short"));
    }

    #[test]
    fn a_name_has_one_placeholder() {
        let mut terms = Terms::default();
        assert_eq!((terms.name("a"), terms.name("b"), terms.name("a")), ("#n0".into(), "#n1".into(), "#n0".into()));
    }
}
