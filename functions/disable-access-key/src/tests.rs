//! A fake IAM, and the tables and laws shown with it.

mod detect;
mod fake;
mod live;
mod plan;

use cloudtrail::Event;

/// The events in a folder of `events/` whose file names begin with `prefix`, by name.
fn events(folder: &str, prefix: &str) -> Vec<(String, Event)> {
    testkit::events(env!("CARGO_MANIFEST_DIR"), folder, prefix)
}

fn event(name: &str) -> Event {
    let mut found = events("match", name);
    found.retain(|(found, _)| found == name);
    found.pop().unwrap().1
}
