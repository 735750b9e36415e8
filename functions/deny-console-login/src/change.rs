//! What this responder does.

use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};
use remedy::{Change, ChangeKey};
use serde::{Deserialize, Serialize};

use crate::deny::{self, Sessions};

/// What a deny is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Exposure {
    /// A password that somebody else set, at this time if it is known. An undo says of this password alone that it is
    /// wanted, and nothing of the next one.
    Password(Option<DateTime<Utc>>),
    /// That one can sign in without MFA. An undo says that this user may.
    WithoutMfa,
}

/// Our inline policy on a user is written, put back or deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyChange {
    /// The user.
    pub user: String,
    /// What it is for.
    pub exposure: Exposure,
    /// The policy of our name that was there.
    pub before: Option<String>,
    /// The policy of our name that will be there.
    pub after: Option<String>,
}

impl Change for PolicyChange {
    fn inverse(&self) -> Self {
        let Self { user, exposure, before, after } = self.clone();
        Self { user, exposure, before: after, after: before }
    }

    fn key(&self) -> ChangeKey {
        ChangeKey::new(match &self.exposure {
            Exposure::Password(Some(set)) => {
                format!("console with the password set at {}", set.to_rfc3339_opts(SecondsFormat::AutoSi, true))
            }
            Exposure::Password(None) => "console with a password set by somebody else".to_owned(),
            Exposure::WithoutMfa => "console without MFA".to_owned(),
        })
    }
}

fn in_words(sessions: Sessions) -> &'static str {
    match sessions {
        Sessions::All => "console sessions and other temporary credentials",
        Sessions::WithoutMfa => "console sessions and other temporary credentials without MFA",
    }
}

impl fmt::Display for PolicyChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { user, before, after, .. } = self;
        let sessions = |policy: &Option<String>| policy.as_deref().and_then(deny::sessions_of);
        match (after, sessions(after), sessions(before)) {
            (Some(_), Some(Sessions::WithoutMfa), Some(Sessions::All)) => {
                write!(f, "deny {user}'s {} only", in_words(Sessions::WithoutMfa))
            }
            (Some(_), Some(denied), _) => write!(f, "deny {user}'s {}", in_words(denied)),
            (Some(_), None, _) => write!(f, "put back {user}'s inline policy {}", deny::POLICY_NAME),
            (None, _, Some(denied)) => write!(f, "no longer deny {user}'s {}", in_words(denied)),
            (None, _, None) => write!(f, "delete {user}'s inline policy {}", deny::POLICY_NAME),
        }
    }
}
