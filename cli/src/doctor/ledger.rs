//! Whether the ledger's table is there and as the template makes it.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    IndexStatus, PointInTimeRecoveryStatus, TableDescription, TableStatus, TimeToLiveStatus,
};
use lambda::call_error;
use remedy::CallError;

use super::Scene;
use super::check::Check;
use crate::deployment::TABLE;

/// The indexes: that of `incidents list`, and that of the leases.
const INDEXES: [&str; 2] = ["by-day", "by-release"];

pub(super) async fn look(scene: &Scene) -> Vec<Check> {
    let Some(table) = scene.deployment.physical(TABLE, "Ledger") else {
        return vec![Check::failed("ledger", "the stack has no table", "`sam build && sam deploy`")];
    };
    let client = Client::new(&scene.config);
    let or_unknown =
        |name: &str, looked: Result<Check, CallError>| looked.unwrap_or_else(|error| Check::unknown(name, &error));
    vec![
        or_unknown("ledger", usable(&client, table).await),
        or_unknown("ledger backups", backups(&client, table).await),
        or_unknown("ledger expiry", expiry(&client, table).await),
    ]
}

async fn usable(client: &Client, table: &str) -> Result<Check, CallError> {
    let described = client.describe_table().table_name(table).send().await;
    let described = described.map_err(|error| call_error("dynamodb:DescribeTable", error))?.table;
    let status = described.as_ref().and_then(|it| it.table_status()).cloned();
    if status != Some(TableStatus::Active) {
        let status = status.map_or_else(|| "in no state".to_owned(), |status| status.to_string());
        let fix = "wait until it is ACTIVE; if it is being deleted, restore it from a backup";
        return Ok(Check::failed("ledger", format!("{table} is {status}"), fix));
    }
    let indexes = described.iter().flat_map(TableDescription::global_secondary_indexes);
    let active: Vec<&str> = indexes
        .filter(|index| index.index_status() == Some(&IndexStatus::Active))
        .filter_map(|index| index.index_name())
        .collect();
    let missing: Vec<&str> = INDEXES.into_iter().filter(|name| !active.contains(name)).collect();
    if !missing.is_empty() {
        let seen = format!("{table} has no active index {}", missing.join(" and "));
        let fix = "`sam deploy` makes it; `incidents list` and leases do not work until it is ACTIVE";
        return Ok(Check::failed("ledger", seen, fix));
    }
    Ok(Check::ok("ledger", format!("{table} is ACTIVE, with its indexes")))
}

async fn backups(client: &Client, table: &str) -> Result<Check, CallError> {
    let answer = client.describe_continuous_backups().table_name(table).send().await;
    let answer = answer.map_err(|error| call_error("dynamodb:DescribeContinuousBackups", error))?;
    let status = answer
        .continuous_backups_description
        .and_then(|backups| backups.point_in_time_recovery_description)
        .and_then(|recovery| recovery.point_in_time_recovery_status);
    if status == Some(PointInTimeRecoveryStatus::Enabled) {
        return Ok(Check::ok("ledger backups", "point-in-time recovery is on"));
    }
    let fix = format!(
        "aws dynamodb update-continuous-backups --table-name {table} \
         --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true"
    );
    Ok(Check::warning("ledger backups", "point-in-time recovery is off: what is deleted is gone, undo with it", fix))
}

async fn expiry(client: &Client, table: &str) -> Result<Check, CallError> {
    let answer = client.describe_time_to_live().table_name(table).send().await;
    let expiry = answer.map_err(|error| call_error("dynamodb:DescribeTimeToLive", error))?.time_to_live_description;
    let attribute = expiry.as_ref().and_then(|expiry| expiry.attribute_name());
    let status = expiry.as_ref().and_then(|expiry| expiry.time_to_live_status());
    if matches!(status, Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling)) && attribute == Some("expires") {
        return Ok(Check::ok("ledger expiry", "time to live is on"));
    }
    let fix = format!(
        "aws dynamodb update-time-to-live --table-name {table} \
         --time-to-live-specification Enabled=true,AttributeName=expires"
    );
    Ok(Check::warning("ledger expiry", "time to live on `expires` is off: the table grows for ever", fix))
}
