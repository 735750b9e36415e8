//! The texts of policy documents.

use percent_encoding::percent_decode_str;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// How long a document may be to be kept byte for byte. IAM counts no white space where it limits documents to 10,240
/// characters and less, and takes 131,072 with it (IAM User Guide, "IAM and AWS STS quotas"; IAM API Reference,
/// "`PutUserPolicy`"). So whoever writes a policy could make it too long for the ledger's records, and for the analysis.
const KEPT: usize = 20_000;

/// The text of a document that IAM gave. IAM encodes documents as URLs; other tools, and emulators, give plain JSON.
/// Source: IAM API Reference, "`GetUserPolicy`". Of one that is longer than [`KEPT`] the layout is left out.
#[must_use]
pub fn decode(document: &str) -> String {
    let text = if document.trim_start().starts_with('{') {
        document.to_owned()
    } else {
        percent_decode_str(document).decode_utf8_lossy().into_owned()
    };
    if text.len() > KEPT { without_layout(&text) } else { text }
}

/// JSON without the white space between its parts.
fn without_layout(json: &str) -> String {
    let (mut in_text, mut escaped) = (false, false);
    json.chars()
        .filter(|character| {
            let keep = in_text || !character.is_ascii_whitespace();
            in_text ^= *character == '"' && !escaped;
            escaped = *character == '\\' && !escaped;
            keep
        })
        .collect()
}

/// Whether two documents, or their absence, are the same. IAM may lay out a document as it likes.
#[must_use]
pub fn same(one: Option<&str>, other: Option<&str>) -> bool {
    let parse = |text| serde_json::from_str::<Value>(text).ok();
    match (one, other) {
        (Some(one), Some(other)) => one == other || parse(one).is_some_and(|value| Some(value) == parse(other)),
        (None, None) => true,
        _ => false,
    }
}

/// A short name for what a document says, however it is laid out.
#[must_use]
pub(crate) fn digest(document: &str) -> String {
    let mut digest = format!("{:x}", Sha256::digest(without_layout(document).as_bytes()));
    digest.truncate(16);
    digest
}

#[cfg(test)]
mod tests {
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    use proptest::prelude::*;

    use super::*;

    const POLICY: &str = "\n{ \"Sid\" : \"a \\\" b\\\\\", \"Statement\":\t[ ] }";

    #[test]
    fn layout_and_encoding_do_not_matter() {
        let encoded = utf8_percent_encode(POLICY, NON_ALPHANUMERIC).to_string();
        assert_eq!((decode(&encoded).as_str(), decode(POLICY).as_str()), (POLICY, POLICY));
        let compact = without_layout(POLICY);
        assert_eq!(compact, r#"{"Sid":"a \" b\\","Statement":[]}"#);
        assert!(same(Some(POLICY), Some(&compact)) && digest(POLICY) == digest(&compact));
        assert!(!same(Some(POLICY), Some("{}")) && digest(POLICY) != digest("{}"));
        assert!(
            !same(Some(POLICY), None) && same(None, None) && same(Some("x"), Some("x")) && !same(Some("x"), Some("y"))
        );
    }

    #[test]
    fn a_document_that_is_made_long_with_white_space_is_kept_without_it() {
        let padded = format!("{POLICY}{}", " ".repeat(131_072));
        assert_eq!(decode(&padded), without_layout(POLICY));
        let short = format!("{POLICY}{}", " ".repeat(1_000));
        assert_eq!(decode(&short), short);
    }

    proptest! {
        #[test]
        fn what_is_left_out_is_layout_only(text in "[ -~\\n]{0,60}", padding in "[ \\n\\t]{0,9}") {
            let value = serde_json::json!({"a": [text, 1]});
            let laid_out = serde_json::to_string_pretty(&value).unwrap().replace('\n', &format!("\n{padding}"));
            prop_assert_eq!(serde_json::from_str::<Value>(&without_layout(&laid_out)).unwrap(), value);
        }
    }
}
