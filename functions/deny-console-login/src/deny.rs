//! The inline policy that denies a user the console.
//!
//! A user in the console works with temporary credentials that the console got for the password. `aws:TokenIssueTime` is
//! in a request only if it was signed with temporary credentials, and `aws:MultiFactorAuthPresent` is there, and false, for
//! those that were got without MFA; a request that is signed with a long-term access key has neither. So long-term keys are
//! never denied. Source: IAM User Guide, "AWS global condition context keys".

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
