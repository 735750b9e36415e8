//! `docs/policy-analysis.md`, made from the cases.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

use similar::TextDiff;

use crate::{Case, administrators, anyone, denials, keys, openings, principals};

const START: &str = "<!-- >>> cases";
const END: &str = "<!-- <<< -->";

fn table(out: &mut String, title: &str, lead: &str, column: &str, cases: &[Case]) {
    write!(out, "\n### {title}\n\n{lead}\n\n| {column} | verdict | why |\n|---|---|---|\n").unwrap();
    for Case { shown, verdict, why, .. } in cases {
        let cell = |text: &str| text.replace('|', "\\|");
        writeln!(out, "| `{}` | {} | {} |", cell(shown), cell(verdict), cell(why)).unwrap();
    }
}

fn tables() -> (String, usize) {
    let mut out = String::new();
    let statement = format!("The statement is `{}`.", anyone::STATEMENT);
    let mut count = 0;
    let mut add = |title: &str, lead: &str, column: &str, cases: &[Case]| {
        count += cases.len();
        table(&mut out, title, lead, column, cases);
    };
    add("Conditions that pin the caller", &statement, "condition", &anyone::restricting());
    add("Conditions that do not", "The same statement.", "condition", &anyone::open());
    add("Conditions of which it cannot be told", "The same statement.", "condition", &anyone::unclear());
    add("Principals", "The statement allows `s3:PutObject` on `*`.", "principal", &principals::names());
    add("AWS services", "`\"Effect\":\"Allow\"` is left out.", "statement", &principals::services());
    add("Identity providers", "`\"Effect\":\"Allow\"` is left out.", "statement", &principals::providers());
    let allow = format!("`ALLOW` is `{}`. A verdict for each Allow statement.", denials::shown_allow());
    add("Deny statements, and statements that are not understood", &allow, "statements", &denials::cases());
    add(
        "Changes of a role's trust policy",
        "`«` stands for `{\"Effect\":\"Allow\",\"Action\":\"sts:AssumeRole\",` and `»` for `}`; before the arrow the \
         document before, if there was one.",
        "before ⟶ after",
        &openings::cases(),
    );
    let root = format!(
        "Whether `arn:aws:iam::111122223333:root` and `arn:aws:iam::111122223333:role/keeper` can still change the \
         policy. `ROOT` is `{}`.",
        keys::shown_root()
    );
    add("Key policies", &root, "statements", &keys::cases());
    add(
        "Administrators",
        "`«` stands for `{\"Effect\":\"Allow\",` and `»` for `}`. Ways are named by their ids at pathfinding.cloud.",
        "statements",
        &administrators::cases(),
    );
    (out, count)
}

#[test]
fn the_page_shows_the_cases() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/policy-analysis.md");
    let page = fs::read_to_string(&path).unwrap();
    let (tables, count) = tables();
    assert!(count >= 120, "{count} cases");
    let (before, rest) = page.split_once(START).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let marks = "made by `UPDATE=1 cargo test -p policy-document` -->\n";
    let expected = format!("{before}{START} – {count}, {marks}{tables}\n{END}{after}");
    if page == expected {
        return;
    }
    if env::var_os("UPDATE").is_some_and(|update| update == "1") {
        fs::write(&path, expected).unwrap();
        return;
    }
    let diff = TextDiff::from_lines(page.as_str(), expected.as_str());
    panic!("{}\nTo write it: UPDATE=1 cargo test -p policy-document\n", diff.unified_diff().header("page", "expected"));
}
