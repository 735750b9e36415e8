//! CloudTrail's history, read as fast as it can be inflated.
//!
//! [`scan`] goes through log files on several workers, finds the few records whose `eventName` some responder answers, and
//! hands them, decoded, to each worker's [`Sink`]. [`scan_bytes`] does so with what is in memory.
//!
//! What is read: log files as CloudTrail delivers them (`{"Records":[…]}`, gzip or not, also several gzip members in one
//! file), arrays and lines of records or EventBridge envelopes, pretty-printed or not, and what
//! `aws cloudtrail lookup-events` prints. An object that begins with anything else than `Records` or `Events` and has an
//! `eventName` of its own is a record, whatever else it holds.
//!
//! # What is examined, and what is not
//!
//! Every record is found, and every record whose name is wanted is parsed: on valid JSON exactly the same events come out
//! as if everything were parsed, and all records are counted. Of the records that are not wanted, only strings and braces
//! are looked at. So other mistakes in the JSON of such a record go unnoticed, as long as its braces and quotes are paired.
//! The gzip data are checked in full, with length and checksum, and every record is checked to be UTF-8.
//!
//! What is broken is named and counted, what stands before it is read, and what stands behind it is, too, from the next
//! line on that begins with `{`. A record larger than 1 MiB is named and not read, since CloudTrail's have at most 256 KB.
//!
//! # How
//!
//! A small file is inflated in one go (libdeflate), others as a stream (zlib-rs) and in blocks of whole records, which other
//! workers look through. The text is gone through once, 64 bytes at a time, which tells where a record ends and where its
//! `eventName` is.

mod blocks;
mod condition;
mod folder;
mod gzip;
mod inputs;
mod object;
mod place;
mod problem;
mod queue;
mod reader;
mod report;
mod scan;
mod selection;
mod totals;
mod walk;
mod wanted;
mod worker;

pub use folder::Listing;
pub use inputs::{Inputs, has_name_of_json};
pub use place::Place;
pub use problem::Problem;
pub use report::Sink;
pub use scan::{scan, scan_bytes};
pub use selection::Selection;
pub use totals::{Progress, Totals};
pub use wanted::{PatternError, Wanted};
pub use worker::Scratch;
