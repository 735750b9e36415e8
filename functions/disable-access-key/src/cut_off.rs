//! The inline policy that ends a user's temporary credentials.
//!
//! `aws:TokenIssueTime` is in a request only if it was signed with temporary credentials, so the policy does not touch
//! the user's long-term keys. Source: IAM User Guide, "AWS global condition context keys". That a deny on the user
//! reaches what `GetSessionToken` and `GetFederationToken` gave out: IAM User Guide, "Disabling permissions for
//! temporary security credentials".

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

/// The name of the policy.
pub const POLICY_NAME: &str = "countermand-deny-older-sessions";

/// How far in the future the cut-off lies.
///
/// A disabled key can still mint credentials where IAM's change has not arrived yet. AWS itself reckons with about
/// 30 seconds when it revokes a role's sessions (IAM User Guide, "Revoke IAM role temporary security credentials"); as
/// long again is left for our own writes, which come after the plan and may be retried. The price is that credentials
/// which the user gets in good faith in this minute do not work.
pub const MARGIN: TimeDelta = TimeDelta::seconds(60);

/// The policy that denies everything to temporary credentials issued before this time.
#[must_use]
pub fn document(before: DateTime<Utc>) -> String {
    value(&in_iam_format(before)).to_string()
}

/// The cut-off in a policy of ours; `None` for any other document, for example one of ours that somebody has changed.
#[must_use]
pub fn time_of(document: &str) -> Option<DateTime<Utc>> {
    let found: Value = serde_json::from_str(document).ok()?;
    let time = found.pointer("/Statement/0/Condition/DateLessThan/aws:TokenIssueTime")?.as_str()?;
    (value(time) == found).then(|| DateTime::parse_from_rfc3339(time).ok())?.map(|time| time.with_timezone(&Utc))
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

/// The text of a document that IAM gave. IAM encodes documents as URLs; other tools, and emulators, give plain JSON.
/// Source: IAM API Reference, "`GetUserPolicy`".
#[must_use]
pub fn decode(document: &str) -> String {
    if document.trim_start().starts_with('{') {
        return document.to_owned();
    }
    percent_decode_str(document).decode_utf8_lossy().into_owned()
}

/// A time as it stands in the policy.
#[must_use]
pub fn in_iam_format(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn value(time: &str) -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "DenyOlderSessions",
            "Effect": "Deny",
            "Action": "*",
            "Resource": "*",
            "Condition": { "DateLessThan": { "aws:TokenIssueTime": time } }
        }]
    })
}

#[cfg(test)]
mod tests {
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    use proptest::prelude::*;

    use super::*;

    fn time() -> DateTime<Utc> {
        DateTime::parse_from_rfc3339("2026-11-22T07:01:00Z").unwrap().with_timezone(&Utc)
    }

    #[test]
    fn the_policy_denies_everything_to_older_tokens_and_says_until_when() {
        let policy: Value = serde_json::from_str(&document(time())).unwrap();
        assert_eq!(policy["Statement"][0]["Effect"], "Deny");
        assert_eq!(policy["Statement"][0]["Condition"]["DateLessThan"]["aws:TokenIssueTime"], "2026-11-22T07:01:00Z");
        assert_eq!(time_of(&document(time())), Some(time()));
    }

    #[test]
    fn a_weakened_policy_is_none_of_ours() {
        let policy = document(time());
        for (from, to) in [("\"Deny\"", "\"Allow\""), ("\"*\"", "\"s3:*\""), ("2026-11-22T07:01:00Z", "soon")] {
            assert!(policy.contains(from));
            assert_eq!(time_of(&policy.replacen(from, to, 1)), None, "{to}");
        }
        assert_eq!(time_of("{}"), None);
        assert_eq!(time_of("not JSON"), None);
    }

    #[test]
    fn layout_and_encoding_do_not_matter() {
        let policy = document(time());
        let pretty = serde_json::to_string_pretty(&serde_json::from_str::<Value>(&policy).unwrap()).unwrap();
        let encoded = utf8_percent_encode(&pretty, NON_ALPHANUMERIC).to_string();
        assert_eq!(decode(&encoded), pretty);
        assert_eq!(decode(&pretty), pretty);
        assert!(same(Some(&policy), Some(&pretty)));
        assert!(!same(Some(&policy), Some(&document(time() + TimeDelta::seconds(1)))));
        assert!(!same(Some(&policy), None));
        assert!(!same(Some("x"), Some("y")));
        assert!(same(Some("x"), Some("x")));
    }

    proptest! {
        #[test]
        fn any_text_is_decoded_and_read(text in ".{0,80}") {
            let _time = time_of(&decode(&text));
        }
    }
}
