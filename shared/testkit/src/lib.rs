//! What every responder must keep to, and the fakes to show it with. For tests only.

mod judgement;
mod laws;
mod ledger;
mod run;
mod variations;
mod world;

pub use judgement::Judgement;
pub use laws::check_laws;
pub use ledger::MemoryLedger;
pub use run::{Bench, block_on, event, now};
pub use variations::Variations;
pub use world::{Journal, World};
