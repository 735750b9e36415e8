//! Which session of which role.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A session of a role as `aws:userid` names it: the role's unique id and the session's name, `AROA…:i-0123456789abcdef0`.
///
/// Its text is safe in a policy: it has no wildcard and no variable in it. Source: IAM User Guide, "IAM policy elements:
/// Variables and tags", "Principal key values".
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RoleSession {
    role_id: String,
    name: String,
}

/// Text that names no session of a role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the unique id of a role, a colon and the name of a session")]
pub struct InvalidSession(String);

impl RoleSession {
    /// Takes `AROA…:name`, in the letters that AWS takes for either.
    ///
    /// Source: IAM User Guide, "IAM identifiers", table of unique ID prefixes; AWS STS API Reference, "`AssumeRole`",
    /// `RoleSessionName`.
    pub fn parse(text: &str) -> Result<Self, InvalidSession> {
        let invalid = || InvalidSession(text.to_owned());
        let (role_id, name) = text.split_once(':').ok_or_else(invalid)?;
        let is_id = role_id.len() > 4
            && role_id.starts_with("AROA")
            && role_id.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        let is_name = (2..=64).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte));
        if !is_id || !is_name {
            return Err(invalid());
        }
        Ok(Self { role_id: role_id.to_owned(), name: name.to_owned() })
    }

    /// The role's unique id: another role of the same name, made later, has another.
    #[must_use]
    pub fn role_id(&self) -> &str {
        &self.role_id
    }

    /// The session's name: of an instance, its id.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for RoleSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.role_id, self.name)
    }
}

impl TryFrom<String> for RoleSession {
    type Error = InvalidSession;

    fn try_from(text: String) -> Result<Self, InvalidSession> {
        Self::parse(&text)
    }
}

impl From<RoleSession> for String {
    fn from(session: RoleSession) -> Self {
        session.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_a_role_id_and_a_name() {
        let session = RoleSession::parse("AROACKCEVSQ6C2EXAMPLE:alice@example.com").unwrap();
        assert_eq!((session.role_id(), session.name()), ("AROACKCEVSQ6C2EXAMPLE", "alice@example.com"));
        assert_eq!(session.to_string(), "AROACKCEVSQ6C2EXAMPLE:alice@example.com");
        let long = format!("AROA1:{}", "x".repeat(65));
        for wrong in [
            "",
            "AROACKCEVSQ6C2EXAMPLE",
            "AROACKCEVSQ6C2EXAMPLE:",
            "AROACKCEVSQ6C2EXAMPLE:i-*",
            "AROACKCEVSQ6C2EXAMPLE:${aws:username}",
            "AROACKCEVSQ6C2EXAMPLE:a:b",
            "AROA*:ab",
            "AROA1:x",
            "AROA:ab",
            "AIDACKCEVSQ6C2EXAMPLE:ab",
            "123456789012:bob",
            &long,
        ] {
            assert!(RoleSession::parse(wrong).is_err(), "{wrong}");
        }
    }
}
