//! Real function binaries, through the Lambda Runtime API, against an emulated account over HTTP.

mod faults;
mod ingress;
mod input;
mod keys;
mod setting;
