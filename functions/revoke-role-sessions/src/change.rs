//! What this responder does.

use std::fmt;

use cloudtrail::AccessKeyId;
use remedy::{Change, ChangeKey};
use serde::{Deserialize, Serialize};
use session_denial::{Denial, RoleSession, in_iam_format};

/// A statement of our inline policy on a role, written or taken away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DenialChange {
    /// The role.
    pub role: String,
    /// What the statement denies.
    pub denial: Denial,
    /// For the sake of which temporary key.
    pub because_of: Option<AccessKeyId>,
    /// Whether the statement is taken away, rather than written.
    pub lifts: bool,
    /// The whole policy that was there.
    pub before: Option<String>,
    /// The whole policy that will be there, unless somebody writes it in between.
    pub after: Option<String>,
}

impl DenialChange {
    /// The [`Change::key`] of denying a session, or all, for the sake of a key.
    ///
    /// It names the key: an undo declares the change "wanted" for days, and that must not keep us from denying what is
    /// stolen of the same session later.
    #[must_use]
    pub fn key_of(session: Option<&RoleSession>, because_of: Option<&AccessKeyId>) -> ChangeKey {
        let session = session.map_or_else(|| "all sessions".to_owned(), ToString::to_string);
        ChangeKey::new(format!("{session} for {}", because_of.map_or("", AccessKeyId::as_str)))
    }
}

impl Change for DenialChange {
    fn inverse(&self) -> Self {
        let Self { role, denial, because_of, lifts, before, after } = self.clone();
        Self { role, denial, because_of, lifts: !lifts, before: after, after: before }
    }

    fn key(&self) -> ChangeKey {
        Self::key_of(self.denial.session.as_ref(), self.because_of.as_ref())
    }
}

impl fmt::Display for DenialChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { role, denial, lifts, .. } = self;
        let (deny, before) = (if *lifts { "no longer deny" } else { "deny" }, in_iam_format(denial.before));
        match &denial.session {
            Some(session) => {
                write!(f, "{deny} {role}'s session {} what was issued to it before {before}", session.name())
            }
            None => write!(f, "{deny} {role}'s sessions minted before {before}"),
        }
    }
}
