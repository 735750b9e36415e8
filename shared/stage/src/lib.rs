//! An AWS account on this machine: the emulator, the Lambda Runtime API, the `EventBridge` rule,
//! and the CloudTrail events AWS would have sent.
//!
//! ```text
//! SDK, CLI or function ──▶ Proxy ──▶ Emulator (moto)        what was called, and what came of it
//!                            │
//!                            ▼
//!                     trail::record ─▶ trail::envelope      what CloudTrail and EventBridge make of it
//!                                            │
//!                                     pattern::matches      whether the deployed rule lets it through
//!                                            │
//!                                            ▼
//!                                    Function::invoke       the real binary, over the Runtime API
//! ```
//!
//! Everything listens on loopback only, and every process started here ends with its handle. No
//! AWS service is called here, no policy is known: `countermand demo` and the end-to-end tests bring those.

mod account;
mod binaries;
mod clock;
mod deployment;
mod emulator;
mod error;
mod function;
mod http;
pub mod pattern;
mod proxy;
mod surroundings;
pub mod trail;

pub use account::Account;
pub use binaries::binaries;
pub use deployment::{Delivery, DeployError, Deployed, Deployment};
pub use emulator::Emulator;
pub use error::{HttpError, StageError};
pub use function::{Answer, Function, FunctionBuilder, FunctionError};
pub use proxy::{Call, Fault, Params, Proxy, When};

/// The account the emulator answers for, unless an access key of twelve digits says another.
pub const ACCOUNT: &str = "123456789012";
