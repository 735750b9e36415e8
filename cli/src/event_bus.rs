//! What the operator's command says to the functions: events on the default event bus, for which their rules wait.

use aws_config::SdkConfig;
use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use cloudtrail::OWN_SOURCE;
use lambda::call_error;
use remedy::CallError;
use serde_json::Value;

/// Why the functions were not told.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SendError {
    #[error("the event for the function could not be sent")]
    Call(#[source] CallError),
    #[error("EventBridge did not take the event for the function: {0}")]
    NotTaken(String),
}

/// Sends one event. It only wakes a function: what is true, the function reads in the ledger.
pub(crate) async fn send(config: &SdkConfig, detail_type: &str, detail: &Value) -> Result<(), SendError> {
    let entry =
        PutEventsRequestEntry::builder().source(OWN_SOURCE).detail_type(detail_type).detail(detail.to_string()).build();
    let sent = Client::new(config).put_events().entries(entry).send().await;
    let sent = sent.map_err(|error| SendError::Call(call_error("events:PutEvents", error)))?;
    match sent.entries().iter().find_map(|entry| entry.error_message()) {
        Some(error) if sent.failed_entry_count() > 0 => Err(SendError::NotTaken(error.to_owned())),
        _ => Ok(()),
    }
}
