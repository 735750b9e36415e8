//! A responder as a Lambda function.
//!
//! [`serve`] is all that a function's `main` calls. This is the only crate that knows `lambda_runtime`, environment
//! variables, DynamoDB, SNS and metrics; a responder's own calls to AWS are in its crate, which gets its clients'
//! configuration through [`Connect`] and names its failures with [`call_error`].

mod aws;
mod calls;
mod channels;
mod clock;
mod environment;
mod failure;
#[cfg(test)]
mod fixture;
mod function;
mod ledger;
mod logs;
mod metrics;
mod notify;
mod payload;
mod reach;
mod serve;
mod settings;
mod stream;
mod task;

pub use aws::{PostError, Poster, in_region, once, operator_config, region_of, sdk_config};
pub use calls::{applied, call_error, if_there};
pub use channels::Channels;
pub use clock::SystemClock;
pub use function::Connect;
pub use ledger::{Delivery, DynamoLedger, KEPT_FOR, Listing, Lookup, Round, create_table};
pub use metrics::Heartbeats;
pub use notify::{NextStep, SnsNotifier, became, facts, headline, next_steps, who};
pub use reach::assume;
pub use serve::{Job, handler, serve, serve_job};
pub use settings::{MemberRole, Settings, SettingsError};
pub use stream::{Desk, Untold, Written, serve_stream};
pub use task::{Task, Workplace, serve_task};
