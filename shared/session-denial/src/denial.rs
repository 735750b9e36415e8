//! A policy that denies everything to credentials issued before a time.

use chrono::{DateTime, SecondsFormat, SubsecRound, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::session::RoleSession;

/// How far in the future a cut-off lies.
///
/// What can no longer mint credentials still can where IAM's change has not arrived yet. AWS itself reckons with about
/// 30 seconds when it revokes a role's sessions (IAM User Guide, "Revoke IAM role temporary security credentials"); as
/// long again is left for our own writes, which come after the plan and may be retried. The price is that credentials
/// which somebody gets in good faith in this minute do not work.
pub const MARGIN: TimeDelta = TimeDelta::seconds(60);

/// How long a session of a role can live: a denial whose cut-off is longer ago denies nothing any more.
///
/// Source: IAM User Guide, "Update the maximum session duration for a role": 12 hours at most. Credentials of an instance
/// live 6 hours, those of a chained role one.
pub const LONGEST_SESSION: TimeDelta = TimeDelta::hours(12);

/// Denies everything to temporary credentials that were issued before a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denial {
    /// The cut-off. Credentials that are issued later are not denied, also those of a session of the same name.
    pub before: DateTime<Utc>,
    /// Only those of this session; all of the user or role, if `None`.
    pub session: Option<RoleSession>,
}

impl Denial {
    /// Denies what is issued until now, and in the [`MARGIN`] after it. Policies have whole seconds.
    #[must_use]
    pub fn until(now: DateTime<Utc>, session: Option<RoleSession>) -> Self {
        Self { before: now.checked_add_signed(MARGIN).unwrap_or(now).trunc_subsecs(0), session }
    }

    /// Denies all of a user's or role's.
    #[must_use]
    pub fn of_all(before: DateTime<Utc>) -> Self {
        Self { before, session: None }
    }

    /// A policy of this alone.
    #[must_use]
    pub fn document(&self) -> String {
        let mut statement = self.statement();
        if let Some(members) = statement.as_object_mut() {
            members.insert("Sid".to_owned(), "DenyOlderSessions".into());
        }
        json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string()
    }

    /// The statement that denies. It has no id, so that a policy can have several of them.
    #[must_use]
    pub fn statement(&self) -> Value {
        statement(&in_iam_format(self.before), self.session.as_ref())
    }

    /// What a policy denies that has one statement, written by us or by AWS's console when it revokes a role's sessions;
    /// `None` for any other document, for example one of ours that somebody has changed.
    #[must_use]
    pub fn read(document: &str) -> Option<Self> {
        let found: Value = serde_json::from_str(document).ok()?;
        let [statement] = found.get("Statement")?.as_array()?.as_slice() else { return None };
        Self::of_statement(statement).filter(|_| found.get("Version").is_some_and(|version| version == "2012-10-17"))
    }

    /// What a statement denies, if it is such a one.
    ///
    /// AWS's console writes lists where we write texts. Source: IAM User Guide, "Revoke IAM role temporary security
    /// credentials", policy `AWSRevokeOlderSessions`.
    #[must_use]
    pub fn of_statement(found: &Value) -> Option<Self> {
        let condition = found.get("Condition")?;
        let time = condition.pointer("/DateLessThan/aws:TokenIssueTime")?.as_str()?;
        let session = match condition.pointer("/StringEquals/aws:userid") {
            Some(session) => Some(RoleSession::parse(session.as_str()?).ok()?),
            None => None,
        };
        let mut plain = found.as_object()?.clone();
        plain.remove("Sid");
        for element in ["Action", "Resource"] {
            if plain.get(element) == Some(&json!(["*"])) {
                plain.insert(element.to_owned(), "*".into());
            }
        }
        let before = DateTime::parse_from_rfc3339(time).ok()?.with_timezone(&Utc);
        (statement(time, session.as_ref()) == Value::Object(plain)).then_some(Self { before, session })
    }

    /// The cut-off in a policy of ours that denies all of a user's or role's; `None` for any other document.
    #[must_use]
    pub fn cut_off_of_all(document: &str) -> Option<DateTime<Utc>> {
        Self::read(document).filter(|denial| denial.session.is_none()).map(|denial| denial.before)
    }

    /// Whether every session of a role that it denies must have ended by now.
    #[must_use]
    pub fn has_ended(&self, now: DateTime<Utc>) -> bool {
        self.before.checked_add_signed(LONGEST_SESSION).is_some_and(|end| end <= now)
    }
}

/// A time as it stands in a policy.
#[must_use]
pub fn in_iam_format(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn statement(before: &str, session: Option<&RoleSession>) -> Value {
    let mut condition = Map::new();
    condition.insert("DateLessThan".to_owned(), json!({ "aws:TokenIssueTime": before }));
    if let Some(session) = session {
        condition.insert("StringEquals".to_owned(), json!({ "aws:userid": session.to_string() }));
    }
    json!({ "Effect": "Deny", "Action": "*", "Resource": "*", "Condition": condition })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time() -> DateTime<Utc> {
        DateTime::parse_from_rfc3339("2026-11-22T07:01:00Z").unwrap().with_timezone(&Utc)
    }

    fn of_session() -> Denial {
        let session = RoleSession::parse("AROACKCEVSQ6C2EXAMPLE:i-0123456789abcdef0").unwrap();
        Denial { before: time(), session: Some(session) }
    }

    #[test]
    fn the_policy_denies_everything_to_older_tokens_and_says_until_when() {
        let policy: Value = serde_json::from_str(&Denial::of_all(time()).document()).unwrap();
        assert_eq!(policy["Statement"][0]["Effect"], "Deny");
        let condition = json!({"DateLessThan": {"aws:TokenIssueTime": "2026-11-22T07:01:00Z"}});
        assert_eq!(policy["Statement"][0]["Condition"], condition);
        assert_eq!(Denial::read(&policy.to_string()), Some(Denial::of_all(time())));
        assert_eq!(Denial::cut_off_of_all(&policy.to_string()), Some(time()));
    }

    #[test]
    fn a_policy_for_one_session_asks_for_both_its_name_and_its_age() {
        let policy: Value = serde_json::from_str(&of_session().document()).unwrap();
        assert_eq!(
            policy["Statement"][0]["Condition"],
            json!({
                "DateLessThan": {"aws:TokenIssueTime": "2026-11-22T07:01:00Z"},
                "StringEquals": {"aws:userid": "AROACKCEVSQ6C2EXAMPLE:i-0123456789abcdef0"}
            })
        );
        assert_eq!(Denial::read(&policy.to_string()), Some(of_session()));
        assert_eq!(Denial::cut_off_of_all(&policy.to_string()), None);
    }

    #[test]
    fn a_weakened_policy_is_none_of_ours() {
        for (policy, from, to) in [
            (Denial::of_all(time()), "\"Deny\"", "\"Allow\""),
            (Denial::of_all(time()), "\"*\"", "\"s3:*\""),
            (Denial::of_all(time()), "2026-11-22T07:01:00Z", "soon"),
            (of_session(), "\"Deny\"", "\"Allow\""),
            (of_session(), "i-0123456789abcdef0", "*"),
            (of_session(), "StringEquals", "StringNotEquals"),
            (of_session(), "DateLessThan", "DateGreaterThan"),
            (of_session(), "\"Condition\":{", "\"Condition\":{\"Bool\":{\"aws:SecureTransport\":\"false\"},"),
        ] {
            let policy = policy.document();
            assert!(policy.contains(from));
            assert_eq!(Denial::read(&policy.replacen(from, to, 1)), None, "{to}");
        }
        assert_eq!(Denial::read("{}"), None);
        assert_eq!(Denial::read("not JSON"), None);
    }

    #[test]
    fn what_awss_console_writes_is_read_as_well() {
        let written = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":["*"],"Resource":["*"],
            "Condition":{"DateLessThan":{"aws:TokenIssueTime":"2026-11-22T07:01:00.000Z"}}}]}"#;
        assert_eq!(Denial::cut_off_of_all(written), Some(time()));
        assert_eq!(Denial::read(&written.replacen(r#"["*"]"#, r#"["s3:*"]"#, 1)), None);
    }

    #[test]
    fn what_is_read_back_is_what_was_written_at_any_time() {
        let now = time() - MARGIN + TimeDelta::milliseconds(999);
        assert_eq!(Denial::until(now, None), Denial::of_all(time()));
        let odd = Denial::until(DateTime::<Utc>::MAX_UTC, of_session().session);
        assert!(odd.before <= DateTime::<Utc>::MAX_UTC);
    }

    #[test]
    fn a_statement_says_what_its_policy_does() {
        for denial in [of_session(), Denial::of_all(time())] {
            assert_eq!(denial.statement().get("Sid"), None, "ids must differ within a policy");
            assert_eq!(Denial::of_statement(&denial.statement()), Some(denial));
        }
        let two = json!({"Version": "2012-10-17", "Statement": [of_session().statement(), of_session().statement()]});
        assert_eq!(Denial::read(&two.to_string()), None);
    }

    #[test]
    fn a_denial_is_over_when_the_longest_session_is() {
        assert!(!of_session().has_ended(time() + TimeDelta::hours(12) - TimeDelta::seconds(1)));
        assert!(of_session().has_ended(time() + TimeDelta::hours(12)));
        assert!(!Denial::of_all(DateTime::<Utc>::MAX_UTC).has_ended(time()));
    }
}
