//! CloudTrail's event history, page by page.
//!
//! `LookupEvents` takes one attribute to look for and two calls a second in each account and region (CloudTrail API
//! Reference, `LookupEvents`). So each operation that a responder answers is looked for in turn, and no faster.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_cloudtrail::Client;
use aws_sdk_cloudtrail::primitives::DateTime as AwsTime;
use aws_sdk_cloudtrail::types::{LookupAttribute, LookupAttributeKey};
use chrono::{DateTime, Utc};
use lambda::call_error;
use remedy::{CallError, CallErrorKind, Spec};
use serde_json::Value;
use tokio::time::Instant;

use super::ReconcileError;
use crate::responders::ENTRIES;

/// Two calls a second, and a little less.
const BETWEEN_CALLS: Duration = Duration::from_millis(550);

/// Somebody else may be looking too: after being told to slow down we wait so long, and no longer than this in all.
const PAUSE: Duration = Duration::from_secs(2);
const MOST_PAUSES: u32 = 15;

pub(super) struct History {
    client: Client,
    since: DateTime<Utc>,
    until: DateTime<Utc>,
    /// The operations that are left to look for.
    names: VecDeque<String>,
    next: Option<String>,
    last_call: Option<Instant>,
}

impl History {
    pub(super) fn of(config: &SdkConfig, since: DateTime<Utc>, until: DateTime<Utc>) -> Self {
        let names: BTreeSet<String> = ENTRIES.iter().flat_map(|entry| operations(&entry.spec)).collect();
        Self {
            client: Client::new(config),
            since,
            until,
            names: names.into_iter().collect(),
            next: None,
            last_call: None,
        }
    }

    /// The next records; `None` at the end.
    pub(super) async fn next_page(&mut self) -> Result<Option<Vec<Result<Value, ReconcileError>>>, ReconcileError> {
        let Some(name) = self.names.front().cloned() else { return Ok(None) };
        let mut pauses = 0;
        let page = loop {
            match self.call(&name).await {
                Ok(page) => break page,
                Err(error) if error.kind == CallErrorKind::Throttled && pauses < MOST_PAUSES => {
                    pauses += 1;
                    tokio::time::sleep(PAUSE).await;
                }
                Err(error) => return Err(ReconcileError::History(error)),
            }
        };
        self.next = page.next_token;
        if self.next.is_none() {
            self.names.pop_front();
        }
        let records = page.events.unwrap_or_default().into_iter().filter_map(|event| event.cloud_trail_event);
        Ok(Some(records.map(|text| serde_json::from_str(&text).map_err(ReconcileError::Record)).collect()))
    }

    async fn call(
        &mut self,
        name: &str,
    ) -> Result<aws_sdk_cloudtrail::operation::lookup_events::LookupEventsOutput, CallError> {
        if let Some(last) = self.last_call {
            tokio::time::sleep_until(last + BETWEEN_CALLS).await;
        }
        self.last_call = Some(Instant::now());
        let attribute = LookupAttribute::builder()
            .attribute_key(LookupAttributeKey::EventName)
            .attribute_value(name)
            .build()
            .map_err(|error| CallError::refused("cloudtrail:LookupEvents", error))?;
        let answer = self
            .client
            .lookup_events()
            .lookup_attributes(attribute)
            .start_time(AwsTime::from_millis(self.since.timestamp_millis()))
            .end_time(AwsTime::from_millis(self.until.timestamp_millis()))
            .set_next_token(self.next.clone())
            .send()
            .await;
        answer.map_err(|error| call_error("cloudtrail:LookupEvents", error))
    }
}

/// The operations that a responder answers, as its `pattern.json` lists them: none where it answers findings only. A test
/// of the workspace holds the file to this form.
fn operations(spec: &Spec) -> Vec<String> {
    let pattern: Value = serde_json::from_str(spec.pattern).unwrap_or_default();
    let detail = pattern.get("detail").unwrap_or_default();
    let alternatives = detail.get("$or").and_then(Value::as_array);
    let details = std::iter::once(detail).chain(alternatives.into_iter().flatten());
    let names = details.filter_map(|detail| detail.get("eventName")?.as_array()).flatten();
    names.filter_map(Value::as_str).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_responder_to_calls_says_which_operations_it_answers() {
        for entry in ENTRIES {
            let is_to_calls = entry.spec.pattern.contains("via CloudTrail");
            assert_eq!(!operations(&entry.spec).is_empty(), is_to_calls, "{entry:?}");
        }
    }
}
