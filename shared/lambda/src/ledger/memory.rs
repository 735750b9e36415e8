//! What is known of a resource.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, TransactWriteItem};
use chrono::{DateTime, Utc};
use remedy::{ChangeKey, Incident, IncidentId, LedgerError, Memory, MemoryKey, Recall};

use super::item::{
    EXPIRES, HELD, Item, KEY, LAST, Terms, baseline_key, incident_key, number, resource_key, text, update,
};
use super::record::{self, KEPT_FOR, RecordError};
use super::transaction::Patience;
use super::{DynamoLedger, baseline, because};
use crate::calls::cause;

const RECALL: &str = "recall an incident";
const WANT: &str = "store what is wanted";

/// Before the change's key, in the name of the attribute that says until when it is wanted. An attribute each, and not
/// a map: a map's entry cannot be set before there is a map.
const WANTED: &str = "wanted#";

/// An expression may have 4 KB. Source: Amazon DynamoDB Developer Guide, "Quotas", expression parameters.
const AT_ONCE: usize = 100;

impl DynamoLedger {
    /// Reads the incident and the resource's memory in one round trip.
    pub(super) async fn read_both(&self, id: &IncidentId, resource: &MemoryKey) -> Result<Recall, LedgerError> {
        let key = |value| Item::from([(KEY.to_owned(), value)]);
        let mut wanted = vec![key(incident_key(id)), key(resource_key(resource)), key(baseline_key(resource))];
        let (mut recall, mut found) = (Recall::default(), None);
        let mut patience = Patience::of(RECALL);
        loop {
            let keys = KeysAndAttributes::builder().set_keys(Some(wanted)).consistent_read(true).build();
            let read = self
                .client
                .batch_get_item()
                .request_items(&self.table, keys.map_err(because(RECALL))?)
                .send()
                .await
                .map_err(|error| because(RECALL)(cause(error)))?;
            for item in read.responses.unwrap_or_default().into_values().flatten() {
                if item.get(KEY) == Some(&incident_key(id)) {
                    recall.incident = Some(record::incident(&item).map_err(because(RECALL))?);
                } else if item.get(KEY) == Some(&baseline_key(resource)) {
                    found = Some(baseline::state(&item).map_err(because(RECALL))?);
                } else {
                    recall.memory = memory(&item).map_err(because(RECALL))?;
                }
            }
            wanted = read.unprocessed_keys.unwrap_or_default().into_values().flat_map(|rest| rest.keys).collect();
            if wanted.is_empty() {
                recall.memory.baseline = found;
                return Ok(recall);
            }
            patience.wait().await?;
        }
    }

    pub(super) async fn write_wanted(
        &self,
        resource: &MemoryKey,
        keys: &[ChangeKey],
        until: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        // An expression may name an attribute once.
        let keys: BTreeSet<_> = keys.iter().cloned().collect();
        for keys in Vec::from_iter(keys).chunks(AT_ONCE) {
            let mut terms = Terms::default();
            let time = terms.value(text(until.to_rfc3339()));
            let end = terms.value(number((until + KEPT_FOR).timestamp()));
            let mut set = vec![format!("{} = {end}", terms.name(EXPIRES))];
            for key in keys {
                set.push(format!("{} = {time}", terms.name(format!("{WANTED}{}", key.as_str()))));
            }
            let released = terms.value(set_of(keys));
            let expression = format!("SET {} DELETE {} {released}", set.join(", "), terms.name(HELD));
            let (names, values) = terms.into_parts();
            self.client
                .update_item()
                .table_name(&self.table)
                .key(KEY, resource_key(resource))
                .update_expression(expression)
                .set_expression_attribute_names(names)
                .set_expression_attribute_values(values)
                .send()
                .await
                .map_err(|error| because(WANT)(cause(error)))?;
        }
        Ok(())
    }
}

/// Remembers that the receipt's changes are ours; nothing to write where there are none.
pub(super) fn hold(
    table: &str,
    resource: &MemoryKey,
    incident: &Incident,
) -> Result<Option<TransactWriteItem>, BuildError> {
    let made = incident.receipt.iter().filter(|entry| entry.undone.is_none());
    let keys: Vec<_> = made.clone().map(|entry| entry.key.clone()).collect();
    let Some(last) = made.map(|entry| entry.at).max() else { return Ok(None) };
    let mut terms = Terms::default();
    let (held, expires, by) = (terms.name(HELD), terms.name(EXPIRES), terms.name(LAST));
    let (keys, end) = (terms.value(set_of(&keys)), terms.value(number((last + KEPT_FOR).timestamp())));
    let us = terms.value(text(incident.id.as_str()));
    let expression = format!("SET {expires} = {end}, {by} = {us} ADD {held} {keys}");
    update(table, resource_key(resource), expression, None, terms).map(Some)
}

/// Forgets that the changes were ours which are taken back.
pub(super) fn release(table: &str, incident: &Incident) -> Result<Option<TransactWriteItem>, BuildError> {
    let undone = incident.receipt.iter().filter(|entry| entry.undone.is_some());
    let keys: Vec<_> = undone.map(|entry| entry.key.clone()).collect();
    if keys.is_empty() {
        return Ok(None);
    }
    let resource = MemoryKey::of(&incident.responder, &incident.resource);
    let mut terms = Terms::default();
    let expression = format!("DELETE {} {}", terms.name(HELD), terms.value(set_of(&keys)));
    update(table, resource_key(&resource), expression, None, terms).map(Some)
}

fn memory(item: &Item) -> Result<Memory, RecordError> {
    let mut memory = Memory::default();
    if let Some(held) = item.get(HELD) {
        let held = held.as_ss().map_err(|_| RecordError::Attribute(HELD))?;
        memory.held = held.iter().map(ChangeKey::new).collect();
    }
    if let Some(last) = item.get(LAST) {
        memory.last = Some(IncidentId::new(last.as_s().map_err(|_| RecordError::Attribute(LAST))?));
    }
    for (name, until) in item {
        if let Some(key) = name.strip_prefix(WANTED) {
            memory.wanted.insert(ChangeKey::new(key), record::time(name, until)?);
        }
    }
    Ok(memory)
}

/// A set holds each member once.
fn set_of(keys: &[ChangeKey]) -> AttributeValue {
    let mut keys: Vec<_> = keys.iter().map(|key| key.as_str().to_owned()).collect();
    keys.sort();
    keys.dedup();
    AttributeValue::Ss(keys)
}
