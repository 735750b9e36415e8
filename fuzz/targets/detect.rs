//! The laws of every responder's pure half hold, whatever it is sent.
//!
//! An input is JSON text, a zero byte, and choices of what to vary in it. What is no JSON is replaced by an event of a
//! responder's folder, so that most inputs have the shape of real ones.
#![no_main]

use std::cell::LazyCell;

use arbitrary::Unstructured;
use fuzz::{SPECS, judgements};
use libfuzzer_sys::fuzz_target;
use testkit::Variations;

type Judgements = Vec<Box<dyn Fn(&[u8])>>;

thread_local! {
    static RESPONDERS: LazyCell<(Judgements, Variations)> =
        LazyCell::new(|| (judgements(), Variations::of(SPECS.iter().map(|spec| spec.name))));
}

fuzz_target!(|bytes: &[u8]| {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let (text, choices) = (&bytes[..end], bytes.get(end + 1..).unwrap_or_default());
    RESPONDERS.with(|responders| {
        let (judgements, variations) = &**responders;
        let mut choices = Unstructured::new(choices);
        let event = match serde_json::from_slice(text) {
            Ok(mut event) => variations.vary(&mut event, &mut choices).map(|()| event),
            Err(_) => variations.event(&mut choices),
        };
        let event = event.expect("there is always a choice").to_string();
        for judgement in judgements {
            judgement(event.as_bytes());
        }
    });
});
