//! The one path from an event to a change, and back.
//!
//! A [`Responder`] says what is wrong, what the account looks like, what to change and how to change it back. [`Path`]
//! takes an event through it: detect, observe, plan, decide, claim, apply, verify, receipt, notify. [`Undo`] walks a
//! receipt backwards. What they need from outside, a ledger, a notifier and a clock, comes in through three traits.

mod answer;
mod call_error;
mod carry_out;
mod change;
mod conclude;
mod contest;
mod explain;
mod incident;
mod ledger;
mod outcome;
mod path;
mod respond_error;
mod responder;
mod shadow;
mod undo;

pub use answer::{AnswerError, ConfirmError, answer, confirm};
pub use call_error::{CallError, CallErrorKind};
pub use change::{Applied, Change, ChangeKey};
pub use contest::{Contest, FLIPS, Turn};
pub use explain::{Explanation, Predicted, explain, explain_briefly, incidents_of};
pub use incident::{Answer, Entry, Incident, IncidentId, Lease, PENDING_FOR, State, Undone};
pub use ledger::{Charge, Claim, Ledger, LedgerError, Memory, MemoryKey, Recall, WANTED_FOR};
pub use outcome::{Outcome, Responded, Status};
pub use path::{Clock, Notifier, NotifyError, Path, concerns};
pub use respond_error::{RespondError, in_full};
pub use responder::{Certainty, Finding, Plan, Remedy, Responder, Situation, Spec};
pub use shadow::Shadow;
pub use undo::{Drift, Undo, UndoError, UndoReport};
