//! `countermand dlq redrive`.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_lambda::Client;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use aws_sdk_sqs::types::Message;
use chrono::{DateTime, Utc};
use lambda::call_error;

use super::letter::Letter;
use super::queue::Queue;
use super::{Found, Office, QueueError, Redrive, tell};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

/// Long enough to hand over ten events, each of which may take all the time that a call has.
const HAND_OVER: Duration = Duration::from_mins(5);

pub(super) async fn run(args: &Redrive, now: DateTime<Utc>, out: &mut Output) -> Result<Exit, Failure> {
    let office = Office::open(&args.place).await?;
    let seen = office.look(&args.which, now, out).await?;
    let mut exit = seen.exit;
    let mut agreed = BTreeMap::new();
    for found in seen.found {
        match office.target(&found, args.to.as_deref()) {
            Ok(function) => {
                agreed.insert(found.letter.id.clone(), (function, found));
            }
            Err(error) => {
                exit = Exit::Failed;
                out.error(&error, Some(error.help()))?;
            }
        }
    }
    tell::more(seen.more, args.which.limit, out)?;
    if agreed.is_empty() {
        tell::nothing(out)?;
        return Ok(exit);
    }
    if args.dry_run {
        for (function, found) in agreed.values() {
            tell::handed_over(found, function, true, out)?;
        }
        return Ok(exit);
    }
    if !args.yes {
        tell::ask(agreed.values(), out)?;
        if !out.confirm(&tell::question(agreed.len()))? {
            out.note(["nothing was handed over".into()])?;
            return Ok(exit);
        }
    }
    let (mut handed_over, wanted) = (0, agreed.len());
    for mut queue in office.queues().flatten() {
        let done = office.empty(&mut queue, &mut agreed, &mut handed_over, out).await?;
        let back = queue.give_back().await;
        let back = back.map_err(|source| QueueError::GiveBack { queue: queue.name, source });
        for error in [done.and(back).err()].into_iter().flatten() {
            out.error(&error, Some(error.help()))?;
        }
    }
    tell::summary(handed_over, wanted, out)?;
    Ok(if handed_over == wanted { exit } else { Exit::Failed })
}

impl Office {
    /// Hands over the messages of a queue that were agreed on, until none is left.
    async fn empty(
        &self,
        queue: &mut Queue<'_>,
        agreed: &mut BTreeMap<String, (String, Found)>,
        handed_over: &mut usize,
        out: &mut Output,
    ) -> Result<Result<(), QueueError>, Failure> {
        while agreed.values().any(|(_, found)| found.queue == queue.name) {
            let messages = match queue.borrow(HAND_OVER).await {
                Ok(messages) => messages,
                Err(source) => return Ok(Err(QueueError::Read { queue: queue.name, source })),
            };
            if messages.is_empty() {
                break;
            }
            for message in &messages {
                let Some((function, found)) = agreed.remove(message.message_id().unwrap_or_default()) else {
                    continue;
                };
                match self.hand_over(queue, message, &function).await {
                    Ok(()) => {
                        *handed_over += 1;
                        tell::handed_over(&found, &function, false, out)?;
                    }
                    Err(error) => out.error(&error, Some(error.help()))?,
                }
            }
        }
        Ok(Ok(()))
    }

    /// Invokes the function as EventBridge would, and takes the message out of the queue.
    async fn hand_over(&self, queue: &mut Queue<'_>, message: &Message, function: &str) -> Result<(), QueueError> {
        let letter = Letter::read(message);
        let name = self.deployment.function(function).unwrap_or_default();
        let (id, called) = (|| letter.id.clone(), || function.to_owned());
        Client::new(&self.config)
            .invoke()
            .function_name(name)
            .invocation_type(InvocationType::Event)
            .payload(Blob::new(letter.event.as_str()))
            .send()
            .await
            .map_err(|error| call_error("lambda:InvokeFunction", error))
            .map_err(|source| QueueError::Invoke { message: id(), function: called(), source })?;
        let deleted = queue.delete(message).await;
        deleted.map_err(|source| QueueError::Delete { message: id(), function: called(), source })
    }

    /// Which of this stack's functions a message goes to.
    fn target(&self, found: &Found, to: Option<&str>) -> Result<String, QueueError> {
        let message = || found.letter.id.clone();
        match (&found.function, &found.letter.function, to) {
            (Some(function), _, _) => Ok(function.clone()),
            (None, Some(arn), _) => Err(QueueError::Foreign { message: message(), function: arn.clone() }),
            (None, None, Some(to)) if self.deployment.function(to).is_some() => Ok(to.to_owned()),
            (None, None, Some(to)) => Err(QueueError::Foreign { message: message(), function: to.to_owned() }),
            (None, None, None) => Err(QueueError::NoFunction { message: message() }),
        }
    }
}
