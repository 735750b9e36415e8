//! What AWS tells us happened, parsed once at the edge.
//!
//! [`Event::decode`] turns what EventBridge delivered, or a bare CloudTrail record, into an [`Event`]: who did what,
//! where, when, and whether it really happened. Decoding is lenient where nothing depends on a field and refuses with
//! an [`EventError`] that names the place where something does. This crate knows no policy and no SDK.

mod actor;
mod alarm;
mod call;
mod event;
mod fields;
mod finding;
mod ids;
mod lenient;

pub use actor::{Actor, Principal};
pub use alarm::{Alarm, AlarmMetric};
pub use call::{Call, Field, Happened};
pub use event::{APPROVAL_TYPE, Body, Event, EventError, HEARTBEAT_TYPE, MISSED_TYPE, OWN_SOURCE};
pub use finding::{AffectedEntity, GuardDutyFinding, HealthEvent, KeyDetails};
pub use ids::{AccessKeyId, AccountId, Arn, EventId, InvalidId, Partition, Region};
pub use lenient::{Items, port};
