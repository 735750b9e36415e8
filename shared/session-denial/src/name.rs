//! What our inline policies are called.
//!
//! One name for each purpose: a user or role has one inline policy of a name, so two purposes with one name would write
//! over each other's. All begin alike, so that a person sees whose they are.

/// On a user whose access key is not trusted: ends all sessions.
pub const UNTRUSTED_KEY: &str = "countermand-deny-older-sessions";

/// On a role whose trust was opened: ends all sessions, those minted through the opening among them.
pub const OPENED_TRUST: &str = "countermand-deny-sessions-of-opened-trust";

/// On a role of which credentials were stolen: ends single sessions, or all, with a statement each.
pub const STOLEN_SESSIONS: &str = "countermand-deny-stolen-sessions";

/// What AWS's console calls its policy when a person revokes the sessions of a role. Never written by us. Source: IAM
/// User Guide, "Revoke IAM role temporary security credentials".
pub const BY_CONSOLE: &str = "AWSRevokeOlderSessions";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_purposes_share_a_name() {
        let names = [UNTRUSTED_KEY, OPENED_TRUST, STOLEN_SESSIONS, BY_CONSOLE];
        assert_eq!(names.len(), std::collections::BTreeSet::from(names).len());
        assert!(names[..3].iter().all(|name| name.starts_with("countermand-deny-") && name.len() <= 128));
    }
}
