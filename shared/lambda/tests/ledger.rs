//! The ledger against an emulated DynamoDB.

#![cfg(test)]

mod emulated;
mod ledger {
    mod budgets;
    mod claims;
    mod lists;
    mod memories;
    mod scene;
}

#[path = "../src/fixture.rs"]
mod fixture;
