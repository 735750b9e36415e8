//! One dead-letter queue: its messages are only borrowed, until one is taken out.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use lambda::call_error;
use remedy::CallError;

/// A call gives at most so many messages (Amazon SQS API Reference, `ReceiveMessage`).
const AT_ONCE: i32 = 10;

/// A long poll asks all of the queue's servers, so that an empty answer means an empty queue.
const POLL_SECONDS: i32 = 1;

#[derive(Debug)]
pub(super) struct Queue<'a> {
    client: Client,
    /// Its name in the template.
    pub(super) name: &'static str,
    url: &'a str,
    /// What we have and nobody else sees meanwhile: the last receipt of each message, by its id.
    borrowed: BTreeMap<String, String>,
}

impl<'a> Queue<'a> {
    pub(super) fn new(config: &aws_config::SdkConfig, name: &'static str, url: &'a str) -> Self {
        Self { client: Client::new(config), name, url, borrowed: BTreeMap::new() }
    }

    /// Up to ten messages that were not borrowed yet, for so long at most; none at the end.
    pub(super) async fn borrow(&mut self, time: Duration) -> Result<Vec<Message>, CallError> {
        let received = self
            .client
            .receive_message()
            .queue_url(self.url)
            .max_number_of_messages(AT_ONCE)
            .visibility_timeout(i32::try_from(time.as_secs()).unwrap_or(i32::MAX))
            .wait_time_seconds(POLL_SECONDS)
            .message_system_attribute_names(MessageSystemAttributeName::SentTimestamp)
            .message_attribute_names("All")
            .send()
            .await
            .map_err(|error| call_error("sqs:ReceiveMessage", error))?;
        let mut messages = received.messages.unwrap_or_default();
        // One that we have already comes again when its time has run out.
        messages.retain(|message| {
            let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
            self.borrowed.insert(text(message.message_id()), text(message.receipt_handle())).is_none()
        });
        Ok(messages)
    }

    /// Takes a borrowed message out of the queue.
    pub(super) async fn delete(&mut self, message: &Message) -> Result<(), CallError> {
        let receipt = message.receipt_handle().unwrap_or_default();
        let deleted = self.client.delete_message().queue_url(self.url).receipt_handle(receipt).send().await;
        deleted.map_err(|error| call_error("sqs:DeleteMessage", error))?;
        self.borrowed.remove(message.message_id().unwrap_or_default());
        Ok(())
    }

    /// Gives back what is borrowed. What cannot be given back comes back by itself.
    pub(super) async fn give_back(&mut self) -> Result<(), CallError> {
        for receipt in std::mem::take(&mut self.borrowed).into_values() {
            let back = self.client.change_message_visibility().queue_url(self.url).receipt_handle(receipt);
            let back = back.visibility_timeout(0).send().await;
            back.map_err(|error| call_error("sqs:ChangeMessageVisibility", error))?;
        }
        Ok(())
    }
}
