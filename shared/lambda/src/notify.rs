//! Telling people, through an SNS topic.

mod message;
mod told;

use aws_sdk_sns::Client;
use aws_sdk_sns::config::{Builder, Region};
use aws_types::SdkConfig;
use cloudtrail::Arn;
use remedy::{Incident, Notifier, NotifyError};

pub use self::told::{NextStep, became, facts, headline, next_steps, who};
use crate::calls::cause;

/// Tells people through a topic, or nobody if there is none.
#[derive(Debug, Clone)]
pub struct SnsNotifier(Option<Topic>);

#[derive(Debug, Clone)]
struct Topic {
    client: Client,
    arn: Arn,
}

impl SnsNotifier {
    /// Tells through this topic, which may be in another region than ours.
    #[must_use]
    pub fn new(config: &SdkConfig, topic: Option<&Arn>) -> Self {
        Self(topic.map(|arn| {
            let mut builder = Builder::from(config);
            if let Some(region) = arn.as_str().split(':').nth(3).filter(|region| !region.is_empty()) {
                builder.set_region(Some(Region::new(region.to_owned())));
            }
            Topic { client: Client::from_conf(builder.build()), arn: arn.clone() }
        }))
    }
}

impl Notifier for SnsNotifier {
    async fn notify(&self, incident: &Incident) -> Result<(), NotifyError> {
        let Some(Topic { client, arn }) = &self.0 else {
            tracing::debug!(incident = %incident.id, "there is no topic to tell it to");
            return Ok(());
        };
        client
            .publish()
            .topic_arn(arn.as_str())
            .subject(message::subject(incident))
            .message(message::body(incident, arn.account().as_ref()))
            .send()
            .await
            .map(|_| ())
            .map_err(|error| NotifyError(cause(error)))
    }
}
