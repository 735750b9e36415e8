//! A fake IAM, and the tables and laws shown with it.

mod detect;
mod fake;
mod live;

use std::path::Path;

use cloudtrail::Event;

/// The events in a folder of `events/`, by name.
fn events(folder: &str) -> Vec<(String, Event)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("events").join(folder);
    let mut files: Vec<_> = folder.read_dir().unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    let name = |path: &Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
    let event = |path: &Path| testkit::event(&std::fs::read_to_string(path).unwrap());
    files.iter().map(|path| (name(path), event(path))).collect()
}

fn event(name: &str) -> Event {
    events("match").into_iter().find(|(found, _)| found == name).unwrap().1
}
