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

/// So many events one call takes. Source: Amazon EventBridge API Reference, "`PutEvents`".
const AT_ONCE: usize = 10;

/// Sends one event. It only wakes a function: what is true, the function reads in the ledger.
pub(crate) async fn send(config: &SdkConfig, detail_type: &str, detail: &Value) -> Result<(), SendError> {
    send_all(config, detail_type, std::slice::from_ref(detail)).await
}

/// The same with several events, in as few calls as can be. Stops at the first call that does not take all of its events.
pub(crate) async fn send_all(config: &SdkConfig, detail_type: &str, details: &[Value]) -> Result<(), SendError> {
    let client = Client::new(config);
    for details in details.chunks(AT_ONCE) {
        let entry = PutEventsRequestEntry::builder().source(OWN_SOURCE).detail_type(detail_type);
        let entries = details.iter().map(|detail| entry.clone().detail(detail.to_string()).build()).collect();
        let sent = client.put_events().set_entries(Some(entries)).send().await;
        let sent = sent.map_err(|error| SendError::Call(call_error("events:PutEvents", error)))?;
        match sent.entries().iter().find_map(|entry| entry.error_message()) {
            Some(error) if sent.failed_entry_count() > 0 => return Err(SendError::NotTaken(error.to_owned())),
            _ => {}
        }
    }
    Ok(())
}
