//! Events that no function was given, kept until the functions have read them.

use chrono::{DateTime, Utc};
use cloudtrail::EventId;
use remedy::LedgerError;
use serde_json::Value;

use super::item::{EXPIRES, KEY, RECORD, event_key, number, text};
use super::record::RecordError;
use super::{DynamoLedger, because};
use crate::calls::cause;

/// As long as a dead-letter queue can hold the word that there is something to read.
const KEPT: chrono::TimeDelta = remedy::WANTED_FOR;

const KEEP: &str = "keep a missed event";
const READ: &str = "read a missed event";

impl DynamoLedger {
    /// Keeps a missed event's record for the functions. Whoever may do this decides what the functions take for true, as
    /// much as who may write the ledger's incidents.
    pub async fn keep(&self, id: &EventId, record: &Value, now: DateTime<Utc>) -> Result<(), LedgerError> {
        self.client
            .put_item()
            .table_name(&self.table)
            .item(KEY, event_key(id))
            .item(RECORD, text(record.to_string()))
            .item(EXPIRES, number((now + KEPT).timestamp()))
            .send()
            .await
            .map_err(|error| because(KEEP)(cause(error)))?;
        Ok(())
    }

    /// The record of a missed event.
    pub(crate) async fn kept(&self, id: &EventId) -> Result<Option<Value>, LedgerError> {
        let read = self
            .client
            .get_item()
            .table_name(&self.table)
            .key(KEY, event_key(id))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| because(READ)(cause(error)))?;
        let Some(item) = read.item else { return Ok(None) };
        let record = item.get(RECORD).and_then(|record| record.as_s().ok()).ok_or(RecordError::Attribute(RECORD));
        serde_json::from_str(record.map_err(because(READ))?).map(Some).map_err(because(READ))
    }
}
