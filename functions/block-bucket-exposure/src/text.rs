//! Policies as text: what is the same, and what is missing.

use std::collections::BTreeSet;

use policy_document::Document;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Whether two policies, or their absence, are the same. S3 may lay out a policy, and order what is a set, as it likes.
pub(crate) fn is_same(one: Option<&str>, other: Option<&str>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one == other || canonical(one).is_some_and(|it| Some(it) == canonical(other)),
        (None, None) => true,
        _ => false,
    }
}

/// What the same statement always has, and no other statement.
pub(crate) fn mark(statement: &str) -> String {
    let canonical = canonical(statement).unwrap_or_else(|| statement.to_owned());
    let mut mark = format!("{:x}", Sha256::digest(canonical));
    mark.truncate(16);
    mark
}

/// The marks of all statements of a policy; none if it is no policy.
fn marks(policy: Option<&str>) -> BTreeSet<String> {
    let Some(document) = policy.and_then(|text| Document::parse(text).ok()) else { return BTreeSet::new() };
    (0..document.statements().len()).filter_map(|index| document.statement_text(index)).map(mark).collect()
}

/// The statements of `before` that `after` has not: their marks, and what to call them.
pub(crate) fn removed(before: Option<&str>, after: Option<&str>) -> Vec<(String, String)> {
    let left = marks(after);
    let Some(document) = before.and_then(|text| Document::parse(text).ok()) else { return Vec::new() };
    let statement = |(index, statement): (usize, &policy_document::Statement)| {
        let mark = mark(document.statement_text(index)?);
        let name = statement.sid().filter(|sid| !sid.is_empty()).map_or(format!("{}", index + 1), str::to_owned);
        (!left.contains(&mark)).then_some((mark, name))
    };
    document.statements().iter().enumerate().filter_map(statement).collect()
}

/// The same text for the same JSON, where the order of lists does not count and a list of one is that one: so do the
/// lists of a policy. `None` if it is not JSON.
fn canonical(json: &str) -> Option<String> {
    fn write(value: &Value) -> String {
        match value {
            Value::Object(members) => {
                let mut members: Vec<String> =
                    members.iter().map(|(key, value)| format!("{key:?}:{}", write(value))).collect();
                members.sort();
                format!("{{{}}}", members.join(","))
            }
            Value::Array(items) => {
                let mut items: Vec<String> = items.iter().map(write).collect();
                items.sort();
                if items.len() == 1 { items.concat() } else { format!("[{}]", items.join(",")) }
            }
            other => other.to_string(),
        }
    }
    serde_json::from_str(json).ok().as_ref().map(write)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str =
        r#"{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Allow","Action":["x","y"]},{"Action":"z"}]}"#;
    const SAME: &str = r#"{ "Statement": [{"Action":["z"]},{"Action":["y","x"],"Effect":"Allow","Sid":"a"}], "Version": "2012-10-17" }"#;

    #[test]
    fn layout_and_order_do_not_matter() {
        assert!(is_same(Some(ONE), Some(SAME)));
        assert!(!is_same(Some(ONE), Some(&SAME.replace('z', "w"))));
        assert!(!is_same(Some(ONE), None) && !is_same(None, Some(ONE)) && is_same(None, None));
        assert!(!is_same(Some("x"), Some("y")) && is_same(Some("x"), Some("x")));
        assert_eq!(marks(Some(ONE)), marks(Some(SAME)));
        assert_eq!(marks(Some(ONE)).len(), 2);
    }

    #[test]
    fn a_list_is_not_taken_for_the_text_of_one() {
        assert_ne!(mark(r#"{"Action":["x","y"]}"#), mark(r#"{"Action":"[\"x\",\"y\"]"}"#));
        assert_ne!(mark(r#"{"Action":"x"}"#), mark(r#"{"NotAction":"x"}"#));
    }

    #[test]
    fn what_is_missing_has_a_name() {
        let left = r#"{"Version":"2012-10-17","Statement":{"Action":"z"}}"#;
        let names = |before, after| removed(before, after).into_iter().map(|(_, name)| name).collect::<Vec<_>>();
        assert_eq!(names(Some(ONE), Some(left)), ["a"]);
        assert_eq!(names(Some(ONE), None), ["a", "2"]);
        assert_eq!(names(Some(left), Some(ONE)), Vec::<String>::new());
        assert_eq!(names(None, Some(ONE)), Vec::<String>::new());
    }
}
