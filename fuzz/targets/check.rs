//! What `policy check` says has a place, and no function loads what it finds wrong.
//!
//! An input is a policy file and a responder's schema, with a line `---` between them.
#![no_main]

use std::cell::LazyCell;

use fuzz::{SPECS, have_places, refused};
use libfuzzer_sys::fuzz_target;
use policy::{Level, Policies, Schema, Source, check};

thread_local! {
    static SCHEMA: LazyCell<Schema> = LazyCell::new(|| {
        let fragments = SPECS.iter().map(|spec| Source::new(spec.name, spec.schema));
        Schema::merge(fragments).expect("the schemas of the folders merge")
    });
}

fuzz_target!(|text: &str| {
    let (policies, fragment) = text.split_once("\n---\n").unwrap_or((text, ""));
    let policies = Source::new("p.cedar", policies);
    let problems = SCHEMA.with(|schema| check(std::slice::from_ref(&policies), schema));
    have_places(&problems, &policies);
    let parsed = Policies::parse([policies.clone()]);
    refused(parsed.as_ref().err(), &policies);
    let wrong = problems.iter().any(|problem| problem.level == Level::Error);
    assert!(parsed.is_ok() || wrong, "`policy check` is content with what no function would load");

    if !fragment.is_empty() {
        let fragment = Source::new("schema.cedarschema", fragment);
        match Schema::merge([fragment.clone()]) {
            Ok(schema) => have_places(&check(std::slice::from_ref(&policies), &schema), &policies),
            Err(error) => refused(Some(&error), &fragment),
        }
    }
});
