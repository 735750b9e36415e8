//! Documents as the text that AWS gives.

use percent_encoding::percent_decode_str;
use serde_json::Value;

/// Whether two documents, or their absence, are the same. AWS may lay out a document as it likes.
#[must_use]
pub fn same(one: Option<&str>, other: Option<&str>) -> bool {
    let parse = |text| serde_json::from_str::<Value>(text).ok();
    match (one, other) {
        (Some(one), Some(other)) => one == other || parse(one).is_some_and(|value| Some(value) == parse(other)),
        (None, None) => true,
        _ => false,
    }
}

/// The text of a document that IAM gave. IAM encodes documents as URLs; other tools, and emulators, give plain JSON.
/// Source: IAM API Reference, "`GetUserPolicy`" and "`GetRole`".
#[must_use]
pub fn decode(document: &str) -> String {
    if document.trim_start().starts_with('{') {
        return document.to_owned();
    }
    percent_decode_str(document).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

    use super::*;

    const POLICY: &str = "\n{ \"Sid\" : \"a \\\" b\", \"Statement\":\t[ ] }";

    #[test]
    fn layout_and_encoding_do_not_matter() {
        let encoded = utf8_percent_encode(POLICY, NON_ALPHANUMERIC).to_string();
        assert_eq!((decode(&encoded).as_str(), decode(POLICY).as_str()), (POLICY, POLICY));
        assert!(same(Some(POLICY), Some(r#"{"Statement":[],"Sid":"a \" b"}"#)) && !same(Some(POLICY), Some("{}")));
        assert!(!same(Some(POLICY), None) && same(None, None));
        assert!(same(Some("x"), Some("x")) && !same(Some("x"), Some("y")));
    }
}
