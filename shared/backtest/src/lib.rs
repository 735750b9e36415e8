//! What the functions would have done about the events of a log, and what it adds up to.
//!
//! A [`Judge`] takes an event through the same detect and the same policies as the functions, at the time of the event.
//! A [`Collector`] keeps what it says in a [`Part`]: what one run, or one shard of a run, has found. Parts merge exactly,
//! in any order, because each holds the findings themselves, and a finding goes by the id of the incident that the
//! functions would have opened for it: delivered twice, in two files or two shards, it is one. A [`Report`] is what all
//! parts together say: the findings in the order of time, and a [`Summary`].
//!
//! Nothing here makes a call, reads a file or looks at the clock.

mod budget;
mod candidate;
mod collector;
mod count;
mod finding;
mod findings;
mod held;
mod judge;
mod live;
mod part;
mod row;
mod summary;

pub use budget::BudgetUse;
pub use candidate::{Candidate, DAYS, MANY};
pub use collector::Collector;
pub use count::{Group, Ranking, Verdicts};
pub use finding::{ActorKind, Expected, Finding, FindingId, NotAFinding, Opinion, Verdict};
pub use held::{Held, Mark};
pub use judge::{Detector, Explain, Judge, Unreadable, event_name, request};
pub use live::depends_on_live_state;
pub use part::{Part, Problems, Reading, Report};
pub use summary::{Comparison, Summary, Transition};
