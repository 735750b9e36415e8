//! `countermand responders`: what each responder does, as its folder says.

use std::io;

use remedy::Spec;
use serde::{Deserialize, Serialize};

use crate::output::{Output, Tone};
use crate::responders::ENTRIES;

/// One entry of a responder's `permissions.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Permission {
    /// The IAM action.
    pub(crate) action: String,
    /// On what.
    pub(crate) resource: String,
    /// What for.
    pub(crate) why: String,
    /// Who needs it.
    #[serde(default)]
    pub(crate) by: By,
}

/// Who needs a permission.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum By {
    /// The function's role.
    #[default]
    Function,
    /// Whoever runs `countermand incidents undo`.
    Operator,
    /// Whoever runs `countermand baseline capture`.
    Baseline,
}

impl Permission {
    /// Those of a responder. The text is compiled in, and a test of the workspace holds it to this form.
    pub(crate) fn of(spec: &Spec) -> Vec<Self> {
        serde_json::from_str(spec.permissions).unwrap_or_default()
    }

    /// Whether it is the function's, and for looking only.
    pub(crate) fn looks(&self) -> bool {
        let operation = self.action.split_once(':').map_or("", |(_, operation)| operation);
        self.by == By::Function && ["Get", "List", "Describe", "Lookup"].iter().any(|verb| operation.starts_with(verb))
    }
}

#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    fires_on: String,
    does: String,
    undo: String,
    permissions: Vec<Permission>,
}

pub(crate) fn run(out: &mut Output) -> io::Result<()> {
    let rows = ENTRIES.iter().map(|entry| {
        let text = |heading| first_sentence(entry.spec.readme, heading);
        Row {
            name: entry.spec.name,
            fires_on: text("When"),
            does: text("Does"),
            undo: text("Undo"),
            permissions: Permission::of(&entry.spec),
        }
    });
    if out.is_json() {
        return rows.into_iter().try_for_each(|row| out.object(&row));
    }
    let rows = rows.map(|Row { name, fires_on, does, undo, permissions }| {
        let actions = permissions.into_iter().filter(|permission| permission.by == By::Function);
        let actions = actions.map(|permission| permission.action).collect::<Vec<_>>().join(", ");
        [Tone::Strong.of(name), fires_on.into(), does.into(), undo.into(), actions.into()]
    });
    let rows = rows.collect();
    out.table(["RESPONDER", "FIRES ON", "DOES", "UNDO", "PERMISSIONS"], rows)
}

/// The first sentence under a heading of Markdown text, on one line and without markup.
fn first_sentence(markdown: &str, heading: &str) -> String {
    let under = markdown.lines().skip_while(|line| line.strip_prefix("## ") != Some(heading)).skip(1);
    let paragraph: Vec<&str> = under
        .skip_while(|line| line.is_empty())
        .take_while(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    let line = paragraph.join(" ").replace(['`', '*'], "");
    let words = line.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = words.trim_start_matches(|char: char| matches!(char, '-' | '.' | ' ') || char.is_ascii_digit());
    text.split_inclusive(". ").next().unwrap_or_default().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_the_first_sentence() {
        let readme = "# x\n\n## When\n\n`A` or **B**\nsucceeded. And more.\n\n## Does\n1. It undoes\n   that. Then\n";
        assert_eq!(first_sentence(readme, "When"), "A or B succeeded.");
        assert_eq!(first_sentence(readme, "Does"), "It undoes that.");
        assert_eq!(first_sentence(readme, "Undo"), "");
    }

    #[test]
    fn every_responder_says_everything() {
        for entry in ENTRIES {
            for heading in ["When", "Does", "Undo"] {
                assert!(!first_sentence(entry.spec.readme, heading).is_empty(), "{entry:?} {heading}");
            }
            let permissions = Permission::of(&entry.spec);
            assert!(permissions.iter().any(Permission::looks), "{entry:?}");
            assert!(permissions.iter().any(|permission| permission.by == By::Operator), "{entry:?}");
        }
    }
}
