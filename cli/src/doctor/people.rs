//! Whether anybody is told.

use aws_sdk_sns::Client;
use lambda::call_error;
use remedy::CallError;

use super::Scene;
use super::check::Check;
use crate::deployment::TOPIC;

/// The topics by their names in the template; the second is there only where the deployment has no topic of its own for
/// alarms.
const INCIDENTS: &str = "Incidents";
const ALARMS: &str = "Alarms";

/// How many subscriptions a topic has.
#[derive(Debug, Clone, Copy, Default)]
struct Listeners {
    confirmed: usize,
    pending: usize,
}

pub(super) async fn look(scene: &Scene) -> Vec<Check> {
    let mut checks = Vec::new();
    for topic in [INCIDENTS, ALARMS] {
        let name = format!("topic {topic}");
        match scene.deployment.physical(TOPIC, topic) {
            Some(arn) => checks.push(match listeners(scene, arn).await {
                Ok(listeners) => judge(name, arn, listeners),
                Err(error) => Check::unknown(name, &error),
            }),
            None if topic == INCIDENTS => {
                checks.push(Check::failed(name, "the stack has none", "`sam build && sam deploy`"));
            }
            None => {}
        }
    }
    checks
}

fn judge(name: String, arn: &str, Listeners { confirmed, pending }: Listeners) -> Check {
    match (confirmed, pending) {
        (0, 0) => Check::failed(
            name,
            "nobody listens",
            format!("aws sns subscribe --topic-arn {arn} --protocol email --notification-endpoint YOU, and confirm"),
        ),
        (0, pending) => Check::failed(
            name,
            format!("nobody listens; subscriptions that wait to be confirmed: {pending}"),
            "follow the link in the mail that Amazon SNS sent; subscribe again after three days",
        ),
        (confirmed, pending) => {
            Check::ok(name, format!("subscriptions: {confirmed} confirmed, {pending} not confirmed"))
        }
    }
}

async fn listeners(scene: &Scene, arn: &str) -> Result<Listeners, CallError> {
    let client = Client::new(&scene.config);
    let (mut listeners, mut next) = (Listeners::default(), None);
    loop {
        let page = client.list_subscriptions_by_topic().topic_arn(arn).set_next_token(next).send().await;
        let page = page.map_err(|error| call_error("sns:ListSubscriptionsByTopic", error))?;
        for subscription in page.subscriptions() {
            // Amazon SNS API Reference, `Subscribe`: until it is confirmed there is no ARN.
            match subscription.subscription_arn() {
                Some("PendingConfirmation") => listeners.pending += 1,
                Some(arn) if arn.starts_with("arn:") => listeners.confirmed += 1,
                _ => {}
            }
        }
        next = page.next_token;
        if next.is_none() {
            return Ok(listeners);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::check::CheckResult;

    #[test]
    fn who_has_not_confirmed_does_not_listen() {
        let result = |confirmed, pending| judge("topic".to_owned(), "arn", Listeners { confirmed, pending }).result;
        assert_eq!(
            (result(0, 0), result(0, 2), result(1, 1)),
            (CheckResult::Failed, CheckResult::Failed, CheckResult::Ok)
        );
    }
}
