//! Real function binaries, through the Lambda Runtime API, against an emulated account over HTTP.

mod approval;
mod faults;
mod ingress;
mod input;
mod keys;
mod load;
mod privileges;
mod report;
mod setting;
