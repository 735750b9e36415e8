//! Real function binaries, through the Lambda Runtime API, against an emulated account over HTTP.

mod approval;
mod archive;
mod backtest;
mod contest;
mod dlq;
mod doctor;
mod faults;
mod heartbeat;
mod ingress;
mod input;
mod keys;
mod kills;
mod lease;
mod load;
mod outward;
mod privileges;
mod reconcile;
mod report;
mod responders;
mod setting;
mod stack;
mod stand_in;
mod state_machine;
mod tricks;
mod undo;
