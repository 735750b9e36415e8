//! Holds the responders' folders against each other and against everything that is made from them.
//!
//! The folders are read as data, so that a new responder needs no line here. What is made from them is compared, or
//! with `UPDATE=1 cargo test -p tests` written.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::large_futures,
    reason = "a test that cannot read the repository, or what it was answered, has failed"
)]

mod diagram;
mod end_to_end;
mod folders;
mod generated;
mod manifests;
mod member;
mod monitoring;
mod patterns;
mod readme;
mod registry;
mod security;
mod starter;
mod tamper;
mod template;
