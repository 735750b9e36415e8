//! The table as `template.yaml` has it, for where there is no template: the demo and tests.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
    ScalarAttributeType, TableStatus, TimeToLiveSpecification,
};
use remedy::LedgerError;

use super::because;
use super::item::{AT, DAY, EXPIRES, KEY, LEASED, RELEASE};
use crate::calls::cause;

pub(super) const BY_DAY: &str = "by-day";
pub(super) const BY_RELEASE: &str = "by-release";

const CREATE: &str = "create its table";

/// So long a table may take to come up, looked at so often.
const LOOKS: u32 = 120;
const BETWEEN_LOOKS: Duration = Duration::from_millis(500);

#[derive(Debug, thiserror::Error)]
#[error("the table did not come up in a minute")]
struct NotActive;

/// Creates the ledger's table, with its index and its time to live, and waits until it can be used.
pub async fn create_table(client: &Client, name: &str) -> Result<(), LedgerError> {
    let text =
        |name: &str| AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S).build();
    let failed = because::<BuildError>;
    client
        .create_table()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(text(KEY).map_err(failed(CREATE))?)
        .attribute_definitions(text(DAY).map_err(failed(CREATE))?)
        .attribute_definitions(text(AT).map_err(failed(CREATE))?)
        .attribute_definitions(text(LEASED).map_err(failed(CREATE))?)
        .attribute_definitions(text(RELEASE).map_err(failed(CREATE))?)
        .key_schema(key(KEY, KeyType::Hash).map_err(failed(CREATE))?)
        .global_secondary_indexes(by_day().map_err(failed(CREATE))?)
        .global_secondary_indexes(by_release().map_err(failed(CREATE))?)
        .send()
        .await
        .map_err(|error| because(CREATE)(cause(error)))?;
    wait_until_active(client, name).await?;
    let expiry = TimeToLiveSpecification::builder().enabled(true).attribute_name(EXPIRES).build();
    client
        .update_time_to_live()
        .table_name(name)
        .time_to_live_specification(expiry.map_err(failed(CREATE))?)
        .send()
        .await
        .map_err(|error| because(CREATE)(cause(error)))?;
    Ok(())
}

/// The index holds whole incidents, as whoever lists them wants to see them.
fn by_day() -> Result<GlobalSecondaryIndex, BuildError> {
    GlobalSecondaryIndex::builder()
        .index_name(BY_DAY)
        .key_schema(key(DAY, KeyType::Hash)?)
        .key_schema(key(AT, KeyType::Range)?)
        .projection(Projection::builder().projection_type(ProjectionType::All).build())
        .build()
}

/// The index holds only incidents whose lease runs, and only their keys: each is read again before anything is done.
fn by_release() -> Result<GlobalSecondaryIndex, BuildError> {
    GlobalSecondaryIndex::builder()
        .index_name(BY_RELEASE)
        .key_schema(key(LEASED, KeyType::Hash)?)
        .key_schema(key(RELEASE, KeyType::Range)?)
        .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build())
        .build()
}

fn key(name: &str, kind: KeyType) -> Result<KeySchemaElement, BuildError> {
    KeySchemaElement::builder().attribute_name(name).key_type(kind).build()
}

async fn wait_until_active(client: &Client, name: &str) -> Result<(), LedgerError> {
    for _ in 0..LOOKS {
        let seen = client.describe_table().table_name(name).send().await;
        let status = seen.map_err(|error| because(CREATE)(cause(error)))?.table.and_then(|table| table.table_status);
        if status == Some(TableStatus::Active) {
            return Ok(());
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
    Err(because(CREATE)(NotActive))
}
