//! Who made a call, as CloudTrail names callers.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::envelope::second;
use crate::clock;

/// An address of the block reserved for documentation, so that it is nobody's.
const SOMEWHERE: &str = "203.0.113.10";

/// Who made a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    kind: Kind,
    account: String,
    access_key_id: Option<String>,
    mfa: Option<bool>,
    source_ip: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    User { name: String },
    RoleSession { path_and_name: String, session: String },
    Root,
}

impl Identity {
    /// An IAM user with a long-term key.
    #[must_use]
    pub fn user(name: &str) -> Self {
        Self::of(Kind::User { name: name.to_owned() })
    }

    /// A session of a role. The role may have a path: `aws-reserved/sso.amazonaws.com/Admin`.
    #[must_use]
    pub fn role_session(role: &str, session: &str) -> Self {
        Self::of(Kind::RoleSession { path_and_name: role.to_owned(), session: session.to_owned() })
    }

    /// The account's root user.
    #[must_use]
    pub fn root() -> Self {
        Self::of(Kind::Root)
    }

    fn of(kind: Kind) -> Self {
        Self {
            kind,
            account: crate::ACCOUNT.to_owned(),
            access_key_id: None,
            mfa: None,
            source_ip: SOMEWHERE.to_owned(),
        }
    }

    /// Of another account than [`crate::ACCOUNT`].
    #[must_use]
    pub fn in_account(mut self, account: &str) -> Self {
        account.clone_into(&mut self.account);
        self
    }

    pub(crate) fn key(&self) -> Option<&str> {
        self.access_key_id.as_deref()
    }

    /// With this access key id, instead of the one the call was signed with.
    #[must_use]
    pub fn signing_with(mut self, access_key_id: &str) -> Self {
        self.access_key_id = Some(access_key_id.to_owned());
        self
    }

    /// Whether the credentials were got with a second factor. CloudTrail says so of sessions only:
    /// a user becomes one by this.
    #[must_use]
    pub fn with_mfa(mut self, mfa: bool) -> Self {
        self.mfa = Some(mfa);
        self
    }

    /// Calling from this address, or service (`cloudformation.amazonaws.com`).
    #[must_use]
    pub fn from_ip(mut self, source: &str) -> Self {
        source.clone_into(&mut self.source_ip);
        self
    }

    /// The account.
    #[must_use]
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The ARN of the caller: the session's, where it is one.
    #[must_use]
    pub fn arn(&self) -> String {
        let account = &self.account;
        match &self.kind {
            Kind::User { name } => format!("arn:aws:iam::{account}:user/{name}"),
            Kind::RoleSession { path_and_name, session } => {
                format!("arn:aws:sts::{account}:assumed-role/{}/{session}", last(path_and_name))
            }
            Kind::Root => format!("arn:aws:iam::{account}:root"),
        }
    }

    pub(super) fn source_ip(&self) -> &str {
        &self.source_ip
    }

    /// The `userIdentity` of a record of a call signed with `signed_with` at that time.
    #[must_use]
    pub fn user_identity(&self, signed_with: &str, at: DateTime<Utc>) -> Value {
        let key = self.access_key_id.as_deref().unwrap_or(signed_with);
        let account = &self.account;
        let mut identity = Map::new();
        let mut say = |field: &str, value: Value| identity.insert(field.to_owned(), value);
        say("arn", self.arn().into());
        say("accountId", account.as_str().into());
        say("accessKeyId", key.into());
        let attributes = json!({"creationDate": second(at), "mfaAuthenticated": self.mfa.unwrap_or(false).to_string()});
        match &self.kind {
            Kind::User { name } => {
                say("type", "IAMUser".into());
                say("principalId", clock::derived_unique_id("AIDA", &self.arn(), 17).into());
                say("userName", name.as_str().into());
                if self.mfa.is_some() {
                    say("sessionContext", json!({"attributes": attributes}));
                }
            }
            Kind::RoleSession { path_and_name, session } => {
                let role = format!("arn:aws:iam::{account}:role/{path_and_name}");
                let id = clock::derived_unique_id("AROA", &role, 17);
                say("type", "AssumedRole".into());
                say("principalId", format!("{id}:{session}").into());
                let issuer = json!({
                    "type": "Role",
                    "principalId": id,
                    "arn": role,
                    "accountId": account,
                    "userName": last(path_and_name),
                });
                say("sessionContext", json!({"sessionIssuer": issuer, "attributes": attributes}));
            }
            Kind::Root => {
                say("type", "Root".into());
                say("principalId", account.as_str().into());
                if self.mfa.is_some() {
                    say("sessionContext", json!({"attributes": attributes}));
                }
            }
        }
        Value::Object(identity)
    }
}

fn last(path_and_name: &str) -> &str {
    path_and_name.rsplit('/').next().unwrap_or(path_and_name)
}
