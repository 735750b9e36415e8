//! The table of responders in README.md, and the table of permissions in each responder's own.

use std::fmt::Write;

use crate::folders::{By, Folder, Permission};
use crate::generated::{COMMAND, check, read, root, with_section};

#[test]
fn the_table_lists_every_responder() {
    let mut table = String::from("| Response | Fires on | Does | Undo |\n|---|---|---|---|\n");
    for folder in Folder::all() {
        let cells = ["When", "Does", "Undo"].map(|heading| first_sentence(&folder.section(heading)));
        let Folder { name } = &folder;
        writeln!(table, "| [{name}](functions/{name}) | {} |", cells.join(" | ")).unwrap();
    }
    let path = "README.md";
    check(path, &with_section(&read(path), "<!-- >>> responders", "<!-- <<< -->", &table));
}

#[test]
fn each_readme_lists_its_permissions() {
    for folder in Folder::all() {
        let mut section = format!("<!-- Generated from permissions.json; {COMMAND} -->\n\n");
        section.push_str("| Action | On | Why |\n|---|---|---|\n");
        for by in [By::Function, By::Operator, By::Baseline] {
            for Permission { action, resource, why, .. } in folder.permissions(by) {
                writeln!(section, "| `{action}` | `{resource}` | {why} |").unwrap();
            }
        }
        let path = folder.path("README.md");
        let readme = read(&path);
        let (before, after) =
            readme.split_once("## Permissions\n").unwrap_or_else(|| panic!("`{path}` has no heading `## Permissions`"));
        let after = after.find("\n## ").map_or("", |next| after.split_at(next).1);
        check(&path, &format!("{before}## Permissions\n\n{section}{after}"));
    }
}

/// The first sentence of Markdown text, on one line, as a cell can hold it.
fn first_sentence(text: &str) -> String {
    let paragraph = text.split("\n\n").next().unwrap_or_default();
    let line = paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
    let sentence = line.split_inclusive(". ").next().unwrap_or_default().trim_end();
    assert!(sentence.ends_with('.'), "the table needs a whole sentence first, not `{sentence}`");
    sentence.replace('|', "\\|")
}

#[test]
fn a_cell_is_the_first_sentence() {
    assert_eq!(first_sentence("When `a|b`\nfires. Or so.\n\nMore."), "When `a\\|b` fires.");
}

/// Who does not see a picture is told in words what it shows, and none makes the page slow.
#[test]
fn every_picture_is_there_and_small_and_told_in_words() {
    let mut pictures = 0;
    for (page, folder) in [("README.md", ""), ("ARCHITECTURE.md", ""), ("docs/runbook.md", "docs/")] {
        for picture in read(page).split("![").skip(1) {
            let (words, rest) = picture.split_once("](").unwrap();
            let (path, _) = rest.split_once(')').unwrap();
            let path = format!("{folder}{path}");
            let size =
                root().join(&path).metadata().unwrap_or_else(|error| panic!("{page} shows `{path}`: {error}")).len();
            assert!(size < 200_000, "`{path}` has {size} bytes");
            assert!(words.split(' ').count() > 5, "{page} does not tell what `{path}` shows");
            pictures += 1;
        }
    }
    assert!(pictures > 2, "nothing is shown");
}
