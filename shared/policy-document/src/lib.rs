//! What an IAM JSON policy document means: whom it lets in, and whether it makes an administrator.
//!
//! [`Document`] keeps the text and takes out statements without touching the others. [`exposure`] tells of each
//! statement of a resource policy whom it lets in, [`opened`] what a change of a role's trust policy opens, [`locks_out`]
//! whether a key policy still lets its account in, and [`admin`] whether identity policies make an administrator. Where
//! a document leaves a doubt, each says so with a [`Doubt`]. Nothing here does I/O, knows the time or calls AWS.
//!
//! `docs/policy-analysis.md` has a table of documents and their verdicts, which this crate's tests compare.
//!
//! Own code, because the crates there are (`iam-rs`, `aws-iam`) evaluate one request or model the JSON: neither asks
//! what holds for every possible caller, and neither keeps a document's bytes.

mod access;
mod admin;
mod aws_accounts;
mod condition;
mod constraint;
mod deny;
mod document;
mod doubt;
mod edit;
mod escalation;
mod exposure;
mod federation;
mod guard;
mod judge;
mod key;
mod limit;
mod lockout;
mod network;
mod opened;
mod pattern;
mod permissions;
mod principal;
mod selector;
mod statement;
mod stranger;
mod text;
mod trust;
mod value;
mod version;

pub use access::{Access, Outsider, Pin};
pub use admin::{AdminLevel, AdminVerdict, Escalation, StatementRef, admin};
pub use document::{Document, DocumentError, LARGEST};
pub use doubt::Doubt;
pub use edit::EditError;
pub use escalation::EscalationPath;
pub use exposure::{Entry, Grant, exposure};
pub use guard::{Guard, GuardKind};
pub use lockout::{Lockout, locks_out};
pub use opened::{Opening, OpeningKind, opened};
pub use statement::{Effect, Statement};
pub use text::{decode, same};
pub use trust::Trust;
