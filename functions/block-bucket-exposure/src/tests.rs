//! A fake Amazon S3, and the tables and laws shown with it.

mod detect;
mod fake;
mod live;
mod plan;

use std::path::Path;

use cloudtrail::Event;

/// The events in a folder of `events/` whose file names begin with `prefix`, by name.
fn events(folder: &str, prefix: &str) -> Vec<(String, Event)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("events").join(folder);
    let mut events: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), path))
        .filter(|(name, _)| name.starts_with(prefix))
        .map(|(name, path)| (name, testkit::event(&std::fs::read_to_string(path).unwrap())))
        .collect();
    events.sort_by(|(one, _), (other, _)| one.cmp(other));
    assert!(!events.is_empty(), "{}", folder.display());
    events
}

fn event(name: &str) -> Event {
    let mut found = events("match", name);
    found.retain(|(found, _)| found == name);
    found.pop().unwrap().1
}
