//! The events in responders' folders.

use std::path::Path;

use cloudtrail::Event;

/// An event of a fixture.
#[must_use]
#[expect(clippy::expect_used, clippy::missing_panics_doc, reason = "test support: a broken fixture fails the test")]
pub fn event(json: &str) -> Event {
    Event::from_slice(json.as_bytes()).expect("a fixture is an event")
}

/// The events in `events/match` or `events/ignore` of a responder's folder whose file names begin with `prefix`, by name.
#[must_use]
#[expect(clippy::expect_used, clippy::missing_panics_doc, reason = "test support: a broken folder fails the test")]
pub fn events(folder: &str, kind: &str, prefix: &str) -> Vec<(String, Event)> {
    let folder = Path::new(folder).join("events").join(kind);
    let mut paths: Vec<_> =
        folder.read_dir().expect("a responder has events").map(|file| file.expect("a file").path()).collect();
    let name = |path: &Path| path.file_stem().and_then(|name| name.to_str()).expect("a name").to_owned();
    let text = |path: &Path| std::fs::read_to_string(path).expect("a fixture is text");
    paths.retain(|path| name(path).starts_with(prefix));
    assert!(!paths.is_empty(), "{} has no {prefix}", folder.display());
    paths.sort_by_key(|path| name(path));
    paths.iter().map(|path| (name(path), event(&text(path)))).collect()
}
