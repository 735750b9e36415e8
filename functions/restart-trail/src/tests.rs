//! A fake CloudTrail, and the tables and laws shown with it.

mod detect;
mod fake;
mod live;
mod plan;
mod selectors;

use cloudtrail::Event;

/// The events in a folder of `events/`, by name.
fn events(folder: &str) -> Vec<(String, Event)> {
    testkit::events(env!("CARGO_MANIFEST_DIR"), folder, "")
}

fn event(name: &str) -> Event {
    events("match").into_iter().find(|(found, _)| found == name).unwrap().1
}
