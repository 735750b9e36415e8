//! What every responder must keep to, and the fakes to show it with. For tests only.

mod events;
mod judgement;
mod laws;
mod ledger;
mod run;
mod variations;
mod world;

pub use events::{event, events};
pub use judgement::Judgement;
pub use laws::check_laws;
pub use ledger::MemoryLedger;
pub use run::{Bench, block_on, now};
pub use variations::Variations;
pub use world::{Journal, World};
