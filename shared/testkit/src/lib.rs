//! What every responder must keep to, and the fakes to show it with. For tests only.

mod laws;
mod ledger;
mod run;
mod world;

pub use laws::check_laws;
pub use ledger::MemoryLedger;
pub use run::{Bench, block_on, event, now};
pub use world::{Journal, World};
