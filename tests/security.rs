//! SECURITY.md names a test for each trick that it lists.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::generated::{read, root};

/// Instead of a test, where nothing stops the trick.
const NOT_STOPPED: &str = "not stopped";

/// The tricks, each with the tests named for it.
fn tricks() -> Vec<(String, Vec<String>)> {
    let text = read("SECURITY.md");
    let mut rows = text.lines().skip_while(|line| !line.starts_with("| trick |"));
    assert_eq!(rows.next(), Some("| trick | what stops it | tests |"));
    let rows = rows.skip(1).take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let [trick, _, tests] = cells[..] else { panic!("a row of three cells: {row}") };
        let named = tests.split(", ").filter(|test| *test != NOT_STOPPED);
        let name = |test: &str| test.strip_prefix('`').and_then(|test| test.strip_suffix('`')).map(str::to_owned);
        let named = named.map(|test| name(test).unwrap_or_else(|| panic!("of `{trick}`: {test} is no test's name")));
        (trick.to_owned(), named.collect())
    })
    .collect()
}

/// The names of all tests in the Rust files of a folder.
fn tests_in(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            tests_in(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let mut lines = text.lines().map(str::trim);
            while lines.by_ref().any(|line| line == "#[test]" || line == "#[tokio::test]") {
                let head = lines.next().unwrap_or_default();
                let name =
                    head.trim_start_matches("async ").strip_prefix("fn ").and_then(|head| head.split('(').next());
                found.extend(name.map(str::to_owned));
            }
        }
    }
}

#[test]
fn every_trick_that_is_listed_is_tried() {
    let mut tests = BTreeSet::new();
    for folder in ["tests", "functions", "shared", "cli"] {
        tests_in(&root().join(folder), &mut tests);
    }
    let tricks = tricks();
    assert!(tricks.len() > 15, "{tricks:#?}");
    for (trick, named) in &tricks {
        let is_open = trick.starts_with("Deleting or disabling");
        assert_eq!(named.is_empty(), is_open, "`{trick}` is tried by {named:?}");
        for test in named {
            assert!(tests.contains(test), "`{trick}`: there is no test `{test}`");
        }
    }
}

#[test]
fn every_trick_that_is_tried_is_listed() {
    let mut tests = BTreeSet::new();
    tests_in(&root().join("tests/end_to_end/tricks"), &mut tests);
    assert!(tests.len() > 15, "{tests:#?}");
    let listed: BTreeSet<String> = tricks().into_iter().flat_map(|(_, named)| named).collect();
    let unlisted: Vec<_> = tests.difference(&listed).collect();
    assert!(unlisted.is_empty(), "SECURITY.md names no trick for {unlisted:#?}");
}
