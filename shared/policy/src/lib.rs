//! Facts in, verdict out: whether the user's Cedar policies let a responder act.
//!
//! [`Policies`] are parsed once, at start. [`Policies::decide`] answers a [`Request`] with a [`Decision`], which always
//! says what made it. Nothing here does I/O except [`Policies::load`], knows the time, or knows the cloud. A function
//! parses policies and nothing more; [`Schema`] and [`check`] are for the operator's command, for tests and for CI.
//!
//! How Cedar evaluates: Cedar Policy Language Reference Guide, "Authorization" and "Policy syntax".

mod annotations;
mod check;
mod context;
mod decide;
mod entities;
mod facts;
mod limit;
mod nearest;
mod never_touch;
mod organization;
mod outline;
mod policies;
mod problem;
mod question;
mod reading;
mod request;
mod resource;
mod schema;
mod scope;
mod severity;
mod source;
mod trusted;
mod verdict;
mod warrant;

pub use check::check;
pub use facts::{Fact, Facts};
pub use limit::{InvalidLimit, Limit, Per, Rate};
pub use never_touch::NeverTouch;
pub use organization::Organization;
pub use policies::{Beside, Effect, Mode, Policies, Rule, beside, sources};
pub use problem::{Level, PolicyError, Problem};
pub use request::Request;
pub use resource::{Resource, ResourceKind};
pub use schema::{Nonconforming, Schema};
pub use severity::{InvalidSeverity, Severity};
pub use source::Source;
pub use trusted::Trusted;
pub use verdict::{Cause, Decision, Fault, PolicyId, Verdict};
pub use warrant::Warrant;
