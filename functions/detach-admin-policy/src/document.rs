//! The texts of policy documents.

use sha2::{Digest, Sha256};

/// How long a document may be to be kept byte for byte. IAM counts no white space where it limits documents to 10,240
/// characters and less, and takes 131,072 with it (IAM User Guide, "IAM and AWS STS quotas"; IAM API Reference,
/// "`PutUserPolicy`"). So whoever writes a policy could make it too long for the ledger's records, and for the analysis.
const KEPT: usize = 20_000;

/// The text of a document that IAM gave. Of one that is longer than [`KEPT`] the layout is left out.
#[must_use]
pub fn decode(document: &str) -> String {
    let text = policy_document::decode(document);
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

/// A short name for what a document says, however it is laid out.
#[must_use]
pub(crate) fn digest(document: &str) -> String {
    let mut digest = format!("{:x}", Sha256::digest(without_layout(document).as_bytes()));
    digest.truncate(16);
    digest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const POLICY: &str = "\n{ \"Sid\" : \"a \\\" b\\\\\", \"Statement\":\t[ ] }";

    #[test]
    fn layout_does_not_matter() {
        let compact = without_layout(POLICY);
        assert_eq!(compact, r#"{"Sid":"a \" b\\","Statement":[]}"#);
        assert!(digest(POLICY) == digest(&compact) && digest(POLICY) != digest("{}"));
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
            prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&without_layout(&laid_out)).unwrap(), value);
        }
    }
}
