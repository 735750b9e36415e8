//! Which controls of which frameworks a responder supports.

use serde::Deserialize;

use super::row::{Row, Standing};
use crate::responders::ENTRIES;

/// One entry of a responder's `controls.json`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Control {
    /// For example `PCI DSS v4.0`.
    pub(crate) framework: String,
    /// For example `1.3.1`.
    #[serde(rename = "control")]
    pub(crate) id: String,
    /// What the responder does for it.
    pub(crate) why: String,
    /// Who says so.
    pub(crate) source: String,
}

/// A control, the responder that supports it, and how often it did.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Supported {
    pub(super) control: Control,
    pub(super) responder: &'static str,
    pub(super) incidents: usize,
    /// Of these, found or made safe.
    pub(super) safe: usize,
}

/// The controls of all responders, by framework and in its order.
pub(super) fn supported(rows: &[Row]) -> Vec<Supported> {
    let mut all: Vec<Supported> = ENTRIES
        .iter()
        .flat_map(|entry| {
            let of = || rows.iter().filter(|row| row.responder == entry.spec.name);
            let (incidents, safe) = (of().count(), of().filter(|row| row.standing() == Standing::Safe).count());
            // The text is compiled in, and a test of the workspace holds it to this form.
            let controls: Vec<Control> = serde_json::from_str(entry.spec.controls).unwrap_or_default();
            controls.into_iter().map(move |control| Supported { control, responder: entry.spec.name, incidents, safe })
        })
        .collect();
    all.sort_by(|one, other| {
        let frameworks = one.control.framework.cmp(&other.control.framework);
        frameworks.then_with(|| in_order(&one.control.id).cmp(&in_order(&other.control.id)))
    });
    all
}

/// A number's parts: 12.10.5 comes after 8.2.4, and SC-7 before SC-28.
pub(crate) fn in_order(control: &str) -> Vec<(u32, &str)> {
    let parts = control.split(|char: char| !char.is_ascii_alphanumeric()).filter(|part| !part.is_empty());
    parts.map(|part| (part.parse().unwrap_or(0), part)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_come_in_the_order_of_their_framework() {
        let mut controls = ["12.10.5", "SC-28", "8.2.4", "SC-7(5)", "IA-5", "SC-7"];
        controls.sort_by_cached_key(|control| in_order(control));
        assert_eq!(controls, ["IA-5", "SC-7", "SC-7(5)", "SC-28", "8.2.4", "12.10.5"]);
    }

    #[test]
    fn every_responder_supports_a_control_of_each_framework_that_has_one() {
        let supported = supported(&[]);
        for entry in ENTRIES {
            // The CIS benchmark has no control for everything: none is about data that is shared.
            for framework in ["NIST SP 800-53", "PCI DSS"] {
                let one = supported
                    .iter()
                    .find(|one| one.responder == entry.spec.name && one.control.framework.starts_with(framework));
                assert!(one.is_some(), "{entry:?} says nothing of {framework}");
            }
        }
    }
}
