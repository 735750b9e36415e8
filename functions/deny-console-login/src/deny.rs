//! The inline policy that denies a user the console.
//!
//! A user in the console works with temporary credentials that the console got for the password. `aws:TokenIssueTime` is
//! in a request only if it was signed with temporary credentials, and `aws:MultiFactorAuthPresent` is there, and false, for
//! those that were got without MFA; a request that is signed with a long-term access key has neither. So long-term keys are
//! never denied. Source: IAM User Guide, "AWS global condition context keys".

use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The name of the policy.
pub const POLICY_NAME: &str = "countermand-deny-console";

/// Which of a user's sessions are denied everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Sessions {
    /// Those that were got without MFA.
    WithoutMfa,
    /// All.
    All,
}

const BOTH: [Sessions; 2] = [Sessions::WithoutMfa, Sessions::All];

/// The policy that denies everything to these sessions.
#[must_use]
pub fn document(sessions: Sessions) -> String {
    value(sessions).to_string()
}

/// Which sessions a policy of ours denies; `None` for any other document, for example one of ours that somebody has changed.
#[must_use]
pub fn sessions_of(document: &str) -> Option<Sessions> {
    let found: Value = serde_json::from_str(document).ok()?;
    BOTH.into_iter().find(|sessions| value(*sessions) == found)
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

fn value(sessions: Sessions) -> Value {
    let is_temporary = json!({ "aws:TokenIssueTime": "false" });
    let (sid, condition) = match sessions {
        Sessions::All => ("DenySessions", json!({ "Null": is_temporary })),
        Sessions::WithoutMfa => (
            "DenySessionsWithoutMFA",
            json!({ "Null": is_temporary, "BoolIfExists": { "aws:MultiFactorAuthPresent": "false" } }),
        ),
    };
    json!({
        "Version": "2012-10-17",
        "Statement": [{ "Sid": sid, "Effect": "Deny", "Action": "*", "Resource": "*", "Condition": condition }]
    })
}
