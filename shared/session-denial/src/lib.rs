//! The inline policies that end temporary credentials.
//!
//! A session cannot be closed; what it may do can be denied. A [`Denial`] is an inline policy of a user or a role that
//! denies everything to credentials issued before a time: to all of them, or to those of one session of a role. It is
//! pure: nothing here does I/O or knows the time.
//!
//! `aws:TokenIssueTime` is in a request only if it was signed with temporary credentials, so a policy does not touch a
//! user's long-term keys. Source: IAM User Guide, "AWS global condition context keys". That a deny on the user reaches
//! what `GetSessionToken` and `GetFederationToken` gave out, and one on the role what `AssumeRole` gave out: IAM User
//! Guide, "Disabling permissions for temporary security credentials".

mod denial;
pub mod name;
mod session;

use percent_encoding::percent_decode_str;
use serde_json::Value;

pub use denial::{Denial, LONGEST_SESSION, MARGIN, in_iam_format};
pub use session::{InvalidSession, RoleSession};

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
    use chrono::{DateTime, TimeDelta};
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn layout_and_encoding_do_not_matter() {
        let time = DateTime::from_timestamp(1_795_330_860, 0).unwrap();
        let policy = Denial::of_all(time).document();
        let pretty = serde_json::to_string_pretty(&serde_json::from_str::<Value>(&policy).unwrap()).unwrap();
        let encoded = utf8_percent_encode(&pretty, NON_ALPHANUMERIC).to_string();
        assert_eq!(decode(&encoded), pretty);
        assert_eq!(decode(&pretty), pretty);
        assert!(same(Some(&policy), Some(&pretty)));
        assert!(!same(Some(&policy), Some(&Denial::of_all(time + TimeDelta::seconds(1)).document())));
        assert!(!same(Some(&policy), None));
        assert!(!same(Some("x"), Some("y")));
        assert!(same(Some("x"), Some("x")));
    }

    proptest! {
        #[test]
        fn any_text_is_decoded_and_read(text in ".{0,80}") {
            let _denial = Denial::read(&decode(&text));
        }
    }
}
