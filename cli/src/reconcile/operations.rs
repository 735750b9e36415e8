//! What is looked for in CloudTrail's event history.

use std::collections::BTreeSet;

use aws_sdk_cloudtrail::types::LookupAttributeKey;
use remedy::Spec;
use serde_json::Value;

use crate::event_history::Wanted;
use crate::responders::ENTRIES;

/// The operations that the responders answer.
pub(super) fn wanted() -> Vec<Wanted> {
    let names: BTreeSet<String> = ENTRIES.iter().flat_map(|entry| operations_of(&entry.spec)).collect();
    names.into_iter().map(|name| (LookupAttributeKey::EventName, name)).collect()
}

/// The operations that a responder answers, as its `pattern.json` lists them: none where it answers findings only. A test
/// of the workspace holds the file to this form.
fn operations_of(spec: &Spec) -> Vec<String> {
    let pattern: Value = serde_json::from_str(spec.pattern).unwrap_or_default();
    let detail = pattern.get("detail").unwrap_or_default();
    let alternatives = detail.get("$or").and_then(Value::as_array);
    let details = std::iter::once(detail).chain(alternatives.into_iter().flatten());
    let names = details.filter_map(|detail| detail.get("eventName")?.as_array()).flatten();
    names.filter_map(Value::as_str).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_responder_to_calls_says_which_operations_it_answers() {
        for entry in ENTRIES {
            let is_to_calls = entry.spec.pattern.contains("via CloudTrail");
            assert_eq!(!operations_of(&entry.spec).is_empty(), is_to_calls, "{entry:?}");
        }
    }
}
