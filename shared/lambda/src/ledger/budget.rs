//! Budgets that hold to the unit, whoever spends them at once.
//!
//! A budget of *n* units in a window is an item with *n* slots, each an attribute that holds the time of the claim which
//! took it last. A claim takes one slot, on the condition that the slot was never taken or that a whole window has gone
//! by since. Two claims on one slot are therefore at least a window apart, so no window holds more than one claim for
//! each slot: never more than *n*, and there is no counter to race for and none to give back.
//!
//! Time is what the claims say it is. A lower count in the policy takes effect at once for what is claimed after it; what
//! was claimed before, on slots beyond the new count, is not counted against it. A longer or shorter window takes effect
//! for what was claimed before, too, as slots keep when they were taken and not until when.

use std::hash::{DefaultHasher, Hash, Hasher};

use aws_sdk_dynamodb::types::TransactWriteItem;
use chrono::{DateTime, TimeDelta, Utc};
use remedy::{Charge, IncidentId, LedgerError};

use super::claim::CLAIM;
use super::item::{EXPIRES, KEY, Terms, budget_key, number, update};
use super::{DynamoLedger, because};
use crate::calls::cause;

/// The item goes when its last slot has long been free.
const KEPT_BEYOND_WINDOW: TimeDelta = TimeDelta::days(2);

/// Where a claim tries first: claims at once spread over the slots, and a retry of one meets itself.
pub(super) fn first_slot(id: &IncidentId, charge: &Charge) -> u32 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    let slot = hasher.finish() % u64::from(charge.count.max(1));
    u32::try_from(slot).unwrap_or_default()
}

/// Takes the slot if it is free.
pub(super) fn take(
    table: &str,
    charge: &Charge,
    slot: u32,
    now: DateTime<Utc>,
) -> Result<TransactWriteItem, LedgerError> {
    let mut terms = Terms::default();
    let (slot, expires) = (terms.name(attribute(slot)), terms.name(EXPIRES));
    let (taken, free) =
        (terms.value(number(now.timestamp_millis())), terms.value(number(free_if_taken_by(charge, now))));
    let end = terms.value(number((now + window(charge) + KEPT_BEYOND_WINDOW).timestamp()));
    update(
        table,
        budget_key(&charge.budget),
        format!("SET {slot} = {taken}, {expires} = {end}"),
        Some(format!("attribute_not_exists({slot}) OR {slot} <= {free}")),
        terms,
    )
    .map_err(because(CLAIM))
}

impl DynamoLedger {
    /// A slot that is free, any of them, so that those who look at once do not all choose the same.
    pub(super) async fn free_slot(&self, charge: &Charge, now: DateTime<Utc>) -> Result<Option<u32>, LedgerError> {
        let read = self
            .client
            .get_item()
            .table_name(&self.table)
            .key(KEY, budget_key(&charge.budget))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| because(CLAIM)(cause(error)))?;
        let item = read.item.unwrap_or_default();
        let free_by = free_if_taken_by(charge, now);
        let is_free = |slot: &u32| match item.get(&attribute(*slot)) {
            None => true,
            // What is no time cannot be taken by anybody's condition either.
            Some(taken) => {
                taken.as_n().ok().and_then(|taken| taken.parse::<i64>().ok()).is_some_and(|taken| taken <= free_by)
            }
        };
        let free: Vec<u32> = (0..charge.count).filter(is_free).collect();
        Ok(fastrand::choice(free))
    }
}

fn attribute(slot: u32) -> String {
    format!("slot{slot}")
}

fn free_if_taken_by(charge: &Charge, now: DateTime<Utc>) -> i64 {
    now.timestamp_millis().saturating_sub(window(charge).num_milliseconds())
}

fn window(charge: &Charge) -> TimeDelta {
    TimeDelta::from_std(charge.window).unwrap_or(TimeDelta::days(3650))
}
