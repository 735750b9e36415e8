//! Thousands of broken files: each is named, what is whole is read, and the memory stays bounded.
//!
//! `COUNTERMAND_LOAD=full` makes it ten thousand.

#[cfg(test)]
mod cases;
#[cfg(test)]
mod named;
