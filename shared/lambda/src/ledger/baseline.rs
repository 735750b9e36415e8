//! How resources should be.

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, Utc};
use remedy::{LedgerError, MemoryKey};
use serde_json::Value;

use super::item::{BASELINE, CAPTURED, Item, KEY, baseline_key, text};
use super::record::RecordError;
use super::{DynamoLedger, because};
use crate::calls::cause;

const READ: &str = "read a baseline";
const STORE: &str = "store a baseline";

impl DynamoLedger {
    /// How the resource should be, if an operator has captured it.
    pub async fn baseline(&self, resource: &MemoryKey) -> Result<Option<Value>, LedgerError> {
        let read = self
            .client
            .get_item()
            .table_name(&self.table)
            .key(KEY, baseline_key(resource))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| because(READ)(cause(error)))?;
        read.item.map(|item| state(&item).map_err(because(READ))).transpose()
    }

    /// Stores that the resource should be as it was `at` this time, over what was stored before.
    pub async fn store_baseline(
        &self,
        resource: &MemoryKey,
        state: &Value,
        at: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        self.client
            .put_item()
            .table_name(&self.table)
            .item(KEY, baseline_key(resource))
            .item(BASELINE, text(state.to_string()))
            .item(CAPTURED, text(at.to_rfc3339()))
            .send()
            .await
            .map_err(|error| because(STORE)(cause(error)))?;
        Ok(())
    }
}

pub(super) fn state(item: &Item) -> Result<Value, RecordError> {
    let text = item.get(BASELINE).and_then(|text| AttributeValue::as_s(text).ok());
    let text = text.ok_or(RecordError::Attribute(BASELINE))?;
    serde_json::from_str(text).map_err(|source| RecordError::Incident(BASELINE, source))
}
