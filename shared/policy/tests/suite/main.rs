//! The crate as its users meet it.

#[cfg(test)]
mod common;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod texts;
#[cfg(test)]
mod verdicts;
