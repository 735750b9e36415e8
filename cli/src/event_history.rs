//! CloudTrail's event history, page by page.
//!
//! `LookupEvents` takes one attribute to look for and two calls a second in each account and region (CloudTrail API
//! Reference, `LookupEvents`). So what is looked for is looked for one after the other, and no faster.

use std::collections::VecDeque;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_cloudtrail::Client;
use aws_sdk_cloudtrail::primitives::DateTime as AwsTime;
use aws_sdk_cloudtrail::types::{LookupAttribute, LookupAttributeKey};
use chrono::{DateTime, Utc};
use lambda::call_error;
use remedy::{CallError, CallErrorKind};
use tokio::time::Instant;

/// Two calls a second, and a little less.
const BETWEEN_CALLS: Duration = Duration::from_millis(550);

/// Somebody else may be looking too: after being told to slow down we wait so long, and no longer than this in all.
const PAUSE: Duration = Duration::from_secs(2);
const MOST_PAUSES: u32 = 15;

/// What an event must have to be looked at: an attribute, and its value.
pub(crate) type Wanted = (LookupAttributeKey, String);

pub(crate) struct History {
    client: Client,
    since: DateTime<Utc>,
    until: DateTime<Utc>,
    /// What is left to look for.
    wanted: VecDeque<Wanted>,
    next: Option<String>,
    last_call: Option<Instant>,
}

impl History {
    pub(crate) fn of(config: &SdkConfig, wanted: Vec<Wanted>, since: DateTime<Utc>, until: DateTime<Utc>) -> Self {
        Self { client: Client::new(config), since, until, wanted: wanted.into(), next: None, last_call: None }
    }

    /// The next records as JSON text, of each thing that is looked for the newest first; `None` at the end.
    pub(crate) async fn next_page(&mut self) -> Result<Option<Vec<String>>, CallError> {
        let Some(wanted) = self.wanted.front().cloned() else { return Ok(None) };
        let mut pauses = 0;
        let page = loop {
            match self.call(&wanted).await {
                Ok(page) => break page,
                Err(error) if error.kind == CallErrorKind::Throttled && pauses < MOST_PAUSES => {
                    pauses += 1;
                    tokio::time::sleep(PAUSE).await;
                }
                Err(error) => return Err(error),
            }
        };
        self.next = page.next_token;
        if self.next.is_none() {
            self.wanted.pop_front();
        }
        Ok(Some(page.events.unwrap_or_default().into_iter().filter_map(|event| event.cloud_trail_event).collect()))
    }

    /// Whether all has been read, so that there is no next page.
    pub(crate) fn is_at_end(&self) -> bool {
        self.wanted.is_empty()
    }

    async fn call(
        &mut self,
        (key, value): &Wanted,
    ) -> Result<aws_sdk_cloudtrail::operation::lookup_events::LookupEventsOutput, CallError> {
        if let Some(last) = self.last_call {
            tokio::time::sleep_until(last + BETWEEN_CALLS).await;
        }
        self.last_call = Some(Instant::now());
        let attribute = LookupAttribute::builder()
            .attribute_key(key.clone())
            .attribute_value(value)
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
