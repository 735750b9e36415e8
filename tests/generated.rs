//! Text made from the folders: compared with what is there, or with `UPDATE=1` written.

use std::fs;
use std::path::{Path, PathBuf};

use similar::TextDiff;

/// What to run when a comparison fails.
pub(crate) const COMMAND: &str = "UPDATE=1 cargo test -p tests";

/// The repository's own folder.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// The text of a file of the repository.
pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("cannot read `{path}`: {error}"))
}

/// Fails with the difference if `path` does not read `expected`.
pub(crate) fn check(path: &str, expected: &str) {
    let file = root().join(path);
    let actual = fs::read_to_string(&file).unwrap_or_default();
    if actual == expected {
        return;
    }
    if std::env::var_os("UPDATE").is_some_and(|update| update == "1") {
        fs::write(&file, expected).unwrap();
        return;
    }
    let diff = TextDiff::from_lines(actual.as_str(), expected);
    panic!(
        "{}\n`{path}` is not what the folders make of it. To write it:\n\n    {COMMAND}\n",
        diff.unified_diff().header(path, "expected")
    );
}

/// `text` with `body` between its line that begins with `start` and the next line that is `end`.
pub(crate) fn with_section(text: &str, start: &str, end: &str, body: &str) -> String {
    let mut lines = text.split_inclusive('\n');
    let mut out = String::new();
    let begun = lines.by_ref().any(|line| {
        out.push_str(line);
        line.trim_start().starts_with(start)
    });
    assert!(begun, "there is no line that begins with `{start}`");
    out.push_str(body);
    let last = lines.by_ref().find(|line| line.trim() == end);
    out.push_str(last.unwrap_or_else(|| panic!("no line `{end}` follows `{start}`")));
    out.extend(lines);
    out
}

#[test]
fn a_section_is_replaced_between_its_marks_only() {
    let text = "a\n  # >>> x – made\nold\n  # <<<\nb\n# >>> y\n# <<<\n";
    assert_eq!(with_section(text, "# >>> x", "# <<<", "1\n2\n"), text.replace("old\n", "1\n2\n"));
}
