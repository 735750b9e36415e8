//! The command and the fuzz targets know every responder, by lines that nobody writes by hand.

use std::fmt::Write;

use crate::folders::Folder;
use crate::generated::{COMMAND, check, read, with_section};

fn depends_on_every_responder(path: &str, features: &str) {
    let lines = Folder::all().iter().fold(String::new(), |mut lines, Folder { name }| {
        writeln!(lines, "{name} = {{ path = \"../functions/{name}\"{features} }}").unwrap();
        lines
    });
    check(path, &with_section(&read(path), "# >>> one line a responder", "# <<<", &lines));
}

#[test]
fn the_command_depends_on_every_responder() {
    depends_on_every_responder("cli/Cargo.toml", ", features = [\"aws\"]");
}

#[test]
fn the_fuzz_targets_depend_on_every_responder() {
    depends_on_every_responder("fuzz/Cargo.toml", "");
}

#[test]
fn the_command_registers_every_responder() {
    let crates: Vec<String> = Folder::all().iter().map(|folder| folder.name.replace('-', "_")).collect();
    let on_one_line = format!("responders!({});", crates.join(", "));
    let call = if on_one_line.len() <= 120 {
        on_one_line
    } else {
        format!("responders!(\n    {}\n);", crates.join(",\n    "))
    };
    check("cli/src/registry.rs", &format!("//! Generated from functions/ by `{COMMAND}`.\n\n{call}\n"));
}
