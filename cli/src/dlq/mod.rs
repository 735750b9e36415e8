//! `countermand dlq`: the events that no function could deal with, and handing them over again.
//!
//! The messages are only looked at: whoever lists them gives them back, and an event leaves its queue only after Lambda has
//! taken it. Handing an event over twice does no harm, since the ledger knows its incidents.

mod event;
mod letter;
mod queue;
mod redrive;
mod tell;

use std::io::{self, IsTerminal};
use std::time::Duration;

use aws_config::SdkConfig;
use chrono::{DateTime, Utc};
use remedy::CallError;

use self::event::Said;
use self::letter::Letter;
use self::queue::Queue;
use crate::args::Place;
use crate::deployment::{Deployment, QUEUE, QUEUES};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::incidents::configuration;
use crate::output::Output;

/// Long enough to list a full queue; whoever else wants the messages meanwhile waits.
const LOOK: Duration = Duration::from_mins(1);

#[derive(Debug, Clone, clap::Subcommand)]
pub(crate) enum Command {
    /// List the events in the dead-letter queues: for which function, what they say, and why they are there
    List(List),
    /// Hand events to their functions again
    ///
    /// You see which and are asked once. An event leaves its queue only after Lambda has taken it.
    Redrive(Redrive),
}

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct List {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Redrive {
    #[command(flatten)]
    which: Which,
    /// The function for events that do not say theirs, as in a dead-letter queue of Lambda's own
    #[arg(long, value_name = "FUNCTION")]
    to: Option<String>,
    /// Only show what would be handed over
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Clone, clap::Args)]
struct Which {
    /// Only events for this function, such as revoke-open-ingress
    #[arg(long, value_name = "FUNCTION")]
    function: Option<String>,
    /// At most so many messages of each queue
    #[arg(long, default_value_t = 1000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
}

/// What could not be done with a queue, or with a message of it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum QueueError {
    #[error("the stack has no queue {queue}")]
    Absent { queue: &'static str },
    #[error("the queue {queue} cannot be read")]
    Read { queue: &'static str, source: CallError },
    #[error("messages of the queue {queue} stay hidden for some minutes, and come back by themselves")]
    GiveBack { queue: &'static str, source: CallError },
    #[error("message {message} stays in its queue: {function} did not take its event")]
    Invoke { message: String, function: String, source: CallError },
    #[error("message {message} stays in its queue, although {function} has its event; again does no harm")]
    Delete { message: String, function: String, source: CallError },
    #[error("message {message} does not say its function")]
    NoFunction { message: String },
    #[error("message {message} is for `{function}`, which is no function of this stack")]
    Foreign { message: String, function: String },
}

impl QueueError {
    fn help(&self) -> &'static str {
        match self {
            Self::Absent { .. } => "check --stack and --region: is it a deployment of Countermand?",
            Self::Read { .. } => "your role needs sqs:ReceiveMessage on the stack's queues",
            Self::GiveBack { .. } => "your role needs sqs:ChangeMessageVisibility on the stack's queues",
            Self::Invoke { .. } => "your role needs lambda:InvokeFunction on the stack's functions",
            Self::Delete { .. } => "your role needs sqs:DeleteMessage on the stack's queues",
            Self::NoFunction { .. } => "say which with --to",
            Self::Foreign { .. } => "nothing but the stack's own functions is given events; check --stack",
        }
    }
}

pub(crate) fn run(command: &Command, now: DateTime<Utc>, out: &mut Output) -> Result<Exit, Failure> {
    if let Command::Redrive(args) = command
        && !args.yes
        && !args.dry_run
        && !io::stdin().is_terminal()
    {
        return Err(Failure::NobodyToAsk);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::Runtime)?;
    runtime.block_on(async {
        match command {
            Command::List(args) => list(args, now, out).await,
            Command::Redrive(args) => redrive::run(args, now, out).await,
        }
    })
}

async fn list(List { which, place }: &List, now: DateTime<Utc>, out: &mut Output) -> Result<Exit, Failure> {
    let office = Office::open(place).await?;
    let seen = office.look(which, now, out).await?;
    tell::list(&seen.found, out)?;
    tell::more(seen.more, which.limit, out)?;
    Ok(seen.exit)
}

/// The deployment whose queues are looked at.
struct Office {
    config: SdkConfig,
    deployment: Deployment,
}

/// A message that was found.
struct Found {
    queue: &'static str,
    letter: Letter,
    /// What people call its function; `None` for none of this stack.
    function: Option<String>,
    said: Said,
}

/// What the queues hold.
struct Seen {
    found: Vec<Found>,
    /// Whether there is more than was asked for.
    more: bool,
    exit: Exit,
}

impl Office {
    async fn open(place: &Place) -> Result<Self, Failure> {
        let config = configuration(place.profile.as_deref(), place.region.as_deref()).await?;
        let deployment = Deployment::of(&config, &place.stack)
            .await
            .map_err(|source| Failure::Stack { stack: place.stack.clone(), source })?;
        Ok(Self { config, deployment })
    }

    /// The queues of the stack; what it lacks is told.
    fn queues(&self) -> impl Iterator<Item = Result<Queue<'_>, QueueError>> {
        QUEUES.into_iter().map(|name| {
            let url = self.deployment.physical(QUEUE, name).ok_or(QueueError::Absent { queue: name })?;
            Ok(Queue::new(&self.config, name, url))
        })
    }

    /// Reads the queues and leaves them as they were.
    async fn look(&self, which: &Which, now: DateTime<Utc>, out: &mut Output) -> Result<Seen, Failure> {
        let mut seen = Seen { found: Vec::new(), more: false, exit: Exit::Done };
        for queue in self.queues() {
            let looked = match queue {
                Ok(mut queue) => {
                    let looked = self.look_into(&mut queue, which, now, &mut seen).await;
                    let back = queue.give_back().await;
                    looked.and(back.map_err(|source| QueueError::GiveBack { queue: queue.name, source }))
                }
                Err(error) => Err(error),
            };
            if let Err(error) = looked {
                out.error(&error, Some(error.help()))?;
                seen.exit = Exit::Failed;
            }
        }
        Ok(seen)
    }

    async fn look_into(
        &self,
        queue: &mut Queue<'_>,
        which: &Which,
        now: DateTime<Utc>,
        seen: &mut Seen,
    ) -> Result<(), QueueError> {
        let limit = usize::try_from(which.limit).unwrap_or(usize::MAX);
        let mut wanted_ones = 0;
        loop {
            let messages = queue.borrow(LOOK).await.map_err(|source| QueueError::Read { queue: queue.name, source })?;
            if messages.is_empty() {
                return Ok(());
            }
            for letter in messages.iter().map(Letter::read) {
                let function = self.function_of(&letter);
                let wanted = which.function.as_ref().is_none_or(|wanted| function.as_ref() == Some(wanted));
                if !wanted {
                    continue;
                }
                if wanted_ones == limit {
                    seen.more = true;
                    return Ok(());
                }
                wanted_ones += 1;
                let said = Said::by(&letter.event, now);
                seen.found.push(Found { queue: queue.name, letter, function, said });
            }
        }
    }

    /// What people call the function that a message is for. Only this stack's functions are known: whoever may write
    /// into the queue must not choose what an operator invokes.
    fn function_of(&self, letter: &Letter) -> Option<String> {
        self.deployment.function_called(function_name(letter.function.as_deref()?)?)
    }
}

/// `f` of `arn:aws:lambda:us-east-1:123456789012:function:f:$LATEST`.
fn function_name(arn: &str) -> Option<&str> {
    arn.split(':').nth(6)
}
