//! The stage with a real emulator on it: one binary, because each one is a link.

#[cfg(test)]
#[path = "stage/account.rs"]
mod account;
#[cfg(test)]
#[path = "stage/emulator.rs"]
mod emulator;
#[cfg(test)]
#[path = "stage/faults.rs"]
mod faults;
#[cfg(test)]
#[path = "stage/function.rs"]
mod function;
#[cfg(test)]
#[path = "stage/trail.rs"]
mod trail;
