//! The examples in `docs/outward.md`, which are what is really told.

use std::fs;
use std::path::Path;

use lambda::Written;
use remedy::State;

use super::tests::written;
use crate::incidents::fixture;

/// An incident that was contained.
pub(super) fn contained() -> Written {
    let mut written = written("100", State::Contained, 1);
    written.incident.receipt = vec![fixture::entry("07:00:04")];
    written
}

/// Fails if the guide shows something else under this name; with `UPDATE=1` it is written there.
pub(super) fn check(name: &str, json: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/outward.md");
    let guide = fs::read_to_string(&file).unwrap();
    let start = format!("<!-- >>> {name} -->\n");
    let (before, rest) = guide.split_once(&start).unwrap();
    let (shown, after) = rest.split_once("<!-- <<< -->").unwrap();
    let expected = format!("```json\n{json}\n```\n");
    if shown == expected {
        return;
    }
    let update = std::env::var_os("UPDATE").is_some_and(|update| update == "1");
    assert!(
        update,
        "docs/outward.md shows another {name}: UPDATE=1 cargo test -p countermand tell -- --test-threads 1"
    );
    fs::write(&file, format!("{before}{start}{expected}<!-- <<< -->{after}")).unwrap();
}
