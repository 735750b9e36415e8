//! `countermand coverage`: which techniques and controls the responders answer, as their folders say.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use serde::Serialize;

use crate::output::{Output, Tone};
use crate::report::{Control, in_order};
use crate::responders::ENTRIES;

/// `techniques.json`: of each catalogue, the techniques by id with their names there.
type Techniques = BTreeMap<String, BTreeMap<String, String>>;

#[derive(Debug, Serialize)]
struct Row {
    framework: String,
    id: String,
    /// The technique's name; of a control, what is done for it.
    what: String,
    responders: BTreeSet<&'static str>,
}

pub(crate) fn run(out: &mut Output) -> io::Result<()> {
    let rows = rows();
    if out.is_json() {
        return rows.iter().try_for_each(|row| out.object(row));
    }
    let mut table = Vec::new();
    let mut last = "";
    for row in &rows {
        let framework = if row.framework == last { "" } else { row.framework.as_str() };
        last = &row.framework;
        let responders = row.responders.iter().copied().collect::<Vec<_>>().join(", ");
        table.push([Tone::Strong.of(framework), row.id.as_str().into(), row.what.as_str().into(), responders.into()]);
    }
    out.table(["FRAMEWORK", "ID", "WHAT", "ANSWERED BY"], table)?;
    let mut ids = BTreeMap::<&str, BTreeSet<&str>>::new();
    for row in &rows {
        ids.entry(&row.framework).or_default().insert(&row.id);
    }
    let counts: Vec<_> = ids.into_iter().map(|(framework, ids)| format!("{} of {framework}", ids.len())).collect();
    out.gap()?;
    out.line([format!("{} responders answer {}", ENTRIES.len(), counts.join(", ")).into()])
}

/// Techniques first, then controls. The texts are compiled in, and a test of the workspace holds them to their form.
fn rows() -> Vec<Row> {
    let (mut techniques, mut controls) = (Rows::default(), Rows::default());
    for entry in ENTRIES {
        let name = entry.spec.name;
        let of_folder: Techniques = serde_json::from_str(entry.spec.techniques).unwrap_or_default();
        for (framework, of_framework) in of_folder {
            for (id, what) in of_framework {
                techniques.add(name, &framework, id, what);
            }
        }
        let of_folder: Vec<Control> = serde_json::from_str(entry.spec.controls).unwrap_or_default();
        for Control { framework, id, why, .. } in of_folder {
            controls.add(name, &framework, id, why);
        }
    }
    [techniques, controls].into_iter().flat_map(Rows::in_order).collect()
}

/// What responders do for one control is a row each, unless they say the same.
#[derive(Debug, Default)]
struct Rows(BTreeMap<[String; 3], BTreeSet<&'static str>>);

impl Rows {
    fn add(&mut self, name: &'static str, framework: &str, id: String, what: String) {
        self.0.entry([framework.to_owned(), id, what]).or_default().insert(name);
    }

    fn in_order(self) -> Vec<Row> {
        let row = |([framework, id, what], responders): ([String; 3], _)| Row { framework, id, what, responders };
        let mut rows: Vec<Row> = self.0.into_iter().map(row).collect();
        rows.sort_by(|one, other| {
            let frameworks = one.framework.cmp(&other.framework);
            frameworks.then_with(|| in_order(&one.id).cmp(&in_order(&other.id)))
        });
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_responder_answers_a_technique_and_a_control() {
        let rows = rows();
        for entry in ENTRIES {
            for framework in ["MITRE ATT&CK", "NIST SP 800-53", "PCI DSS"] {
                let answered =
                    |row: &&Row| row.framework.starts_with(framework) && row.responders.contains(entry.spec.name);
                assert!(rows.iter().any(|row| answered(&row)), "{entry:?} answers nothing of {framework}");
            }
        }
    }

    #[test]
    fn a_technique_has_one_name() {
        let mut names = BTreeMap::new();
        for row in rows().into_iter().filter(|row| row.framework == "MITRE ATT&CK" || row.framework.starts_with("Str"))
        {
            let name = names.entry(row.id.clone()).or_insert_with(|| row.what.clone());
            assert_eq!(*name, row.what, "{}", row.id);
        }
    }
}
