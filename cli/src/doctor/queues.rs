//! Whether events wait that no function could deal with.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::QueueAttributeName;
use lambda::call_error;
use remedy::CallError;

use super::Scene;
use super::check::Check;
use crate::deployment::{QUEUE, QUEUES};

pub(super) async fn look(scene: &Scene) -> Vec<Check> {
    let mut checks = Vec::new();
    for queue in QUEUES {
        let name = format!("queue {queue}");
        let Some(url) = scene.deployment.physical(QUEUE, queue) else {
            let fix = "`sam build && sam deploy`: without it the events that fail are lost";
            checks.push(Check::failed(name, "the stack has none", fix));
            continue;
        };
        checks.push(match waiting(scene, url).await {
            Ok(0) => Check::ok(name, "empty"),
            Ok(number) => Check::failed(
                name,
                format!("events that wait, 14 days at most: {number}"),
                "`countermand dlq list` shows why; mend that, then `countermand dlq redrive`",
            ),
            Err(error) => Check::unknown(name, &error),
        });
    }
    checks
}

/// How many messages there are, those that somebody looks at included.
async fn waiting(scene: &Scene, url: &str) -> Result<u64, CallError> {
    let counts =
        [QueueAttributeName::ApproximateNumberOfMessages, QueueAttributeName::ApproximateNumberOfMessagesNotVisible];
    let answer = Client::new(&scene.config).get_queue_attributes().queue_url(url);
    let answer = answer.set_attribute_names(Some(counts.to_vec())).send().await;
    let answer = answer.map_err(|error| call_error("sqs:GetQueueAttributes", error))?;
    let count = |name| answer.attributes()?.get(name)?.parse::<u64>().ok();
    Ok(counts.iter().filter_map(count).sum())
}
