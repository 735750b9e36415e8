//! Who made a call.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::fields::{at, text_at};
use crate::ids::{AccessKeyId, AccountId, Arn, Partition};

/// The one a policy speaks of when it says `principal`.
///
/// Source of the kinds: CloudTrail User Guide, "CloudTrail userIdentity element".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Principal {
    /// An IAM user.
    User(Arn),
    /// A role; every session of it is the role. Where the record gives only the session, the role's path is unknown.
    Role(Arn),
    /// The root user of an account, by its ARN.
    Root(Arn),
    /// Somebody who signed in through `GetFederationToken`, a SAML or web identity provider or Identity Center.
    Federated(String),
    /// An AWS service, for example `autoscaling.amazonaws.com`.
    Service(String),
    /// Somebody in another account, of whom only the account is told.
    Account(AccountId),
    /// A caller the record does not name.
    Unknown,
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(arn) | Self::Role(arn) | Self::Root(arn) => write!(f, "{arn}"),
            Self::Federated(name) | Self::Service(name) => f.write_str(name),
            Self::Account(account) => write!(f, "{account}"),
            Self::Unknown => f.write_str("unknown"),
        }
    }
}

/// Who made a call, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Actor {
    /// The user, role, root or service.
    pub principal: Principal,
    /// The account of the caller, which need not be the account of the resource.
    pub account: Option<AccountId>,
    /// The name of the role session: of a person, an instance (`i-…`) or a function.
    pub session: Option<String>,
    /// The key the call was signed with.
    pub access_key_id: Option<AccessKeyId>,
    /// The service that called on the caller's behalf.
    pub invoked_by: Option<String>,
    /// Whether the session was opened with MFA; `None` where the record does not say.
    pub mfa: Option<bool>,
}

impl Actor {
    /// An actor of whom nothing is known, as in findings that name none.
    #[must_use]
    pub fn unknown() -> Self {
        Self {
            principal: Principal::Unknown,
            account: None,
            session: None,
            access_key_id: None,
            invoked_by: None,
            mfa: None,
        }
    }

    /// The name of the IAM user, if the caller is one.
    #[must_use]
    pub fn user_name(&self) -> Option<&str> {
        match &self.principal {
            Principal::User(arn) => Some(arn.name()),
            _ => None,
        }
    }

    pub(crate) fn from_identity(identity: &Value) -> Self {
        let text = |name: &str| text_at(identity, &[name]);
        let arn = text("arn").and_then(|arn| Arn::parse(arn).ok());
        let account =
            text("accountId").and_then(|id| AccountId::parse(id).ok()).or_else(|| arn.as_ref().and_then(Arn::account));
        let invoked_by = text("invokedBy").map(str::to_owned);
        let name = || text("userName").or(text("principalId")).unwrap_or("unknown").to_owned();

        let mut session = None;
        let principal = match text("type") {
            Some("IAMUser") => match (&arn, &account, text("userName")) {
                (Some(arn), _, _) => Principal::User(arn.clone()),
                (None, Some(account), Some(name)) => {
                    Principal::User(Arn::of(Partition::Aws, "iam", "", account, &format!("user/{name}")))
                }
                _ => Principal::Unknown,
            },
            Some("AssumedRole") => {
                let assumed = arn.as_ref().and_then(assumed_role);
                session = assumed.as_ref().map(|(_, session)| session.clone()).or_else(|| {
                    text("principalId").and_then(|id| id.split_once(':')).map(|(_, session)| session.to_owned())
                });
                text_at(identity, &["sessionContext", "sessionIssuer", "arn"])
                    .and_then(|issuer| Arn::parse(issuer).ok())
                    .or(assumed.map(|(role, _)| role))
                    .map_or(Principal::Unknown, Principal::Role)
            }
            Some("Role") => arn.clone().map_or(Principal::Unknown, Principal::Role),
            Some("Root") => match (&arn, &account) {
                (Some(arn), _) => Principal::Root(arn.clone()),
                (None, Some(account)) => Principal::Root(Arn::of(Partition::Aws, "iam", "", account, "root")),
                (None, None) => Principal::Unknown,
            },
            Some("FederatedUser" | "SAMLUser" | "WebIdentityUser" | "IdentityCenterUser") => Principal::Federated(
                text("arn").or(text_at(identity, &["onBehalfOf", "userId"])).map_or_else(name, str::to_owned),
            ),
            Some("AWSAccount") => account.clone().map_or(Principal::Unknown, Principal::Account),
            _ => invoked_by.clone().map_or(Principal::Unknown, Principal::Service),
        };
        let mfa = match at(identity, &["sessionContext", "attributes", "mfaAuthenticated"]) {
            Some(Value::String(flag)) => flag.parse().ok(),
            Some(Value::Bool(flag)) => Some(*flag),
            _ => None,
        };
        Self { principal, account, session, access_key_id: text("accessKeyId").map(AccessKeyId::new), invoked_by, mfa }
    }
}

/// The role and session name of `arn:aws:sts::123456789012:assumed-role/deploy/alice`.
fn assumed_role(arn: &Arn) -> Option<(Arn, String)> {
    let (role, session) = arn.resource().strip_prefix("assumed-role/")?.split_once('/')?;
    let partition = arn.as_str().split(':').nth(1)?;
    let account = arn.account()?;
    let role = Arn::parse(&format!("arn:{partition}:iam::{account}:role/{role}")).ok()?;
    Some((role, session.to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(identity: &Value, principal: &str, session: Option<&str>) {
        let actor = Actor::from_identity(identity);
        assert_eq!((actor.principal.to_string().as_str(), actor.session.as_deref()), (principal, session));
    }

    #[test]
    fn a_role_session_is_its_role_with_the_path_the_issuer_gives() {
        check(
            &json!({"type": "AssumedRole", "arn": "arn:aws:sts::123456789012:assumed-role/deploy/alice",
                "sessionContext": {"sessionIssuer": {"arn": "arn:aws:iam::123456789012:role/ci/deploy"}}}),
            "arn:aws:iam::123456789012:role/ci/deploy",
            Some("alice"),
        );
    }

    #[test]
    fn without_an_issuer_the_session_still_tells_the_role() {
        check(
            &json!({"type": "AssumedRole", "arn": "arn:aws-us-gov:sts::123456789012:assumed-role/deploy/i-0abc"}),
            "arn:aws-us-gov:iam::123456789012:role/deploy",
            Some("i-0abc"),
        );
    }

    #[test]
    fn every_other_kind_of_caller_has_a_name() {
        let account = "123456789012";
        check(
            &json!({"type": "IAMUser", "accountId": account, "userName": "bob"}),
            "arn:aws:iam::123456789012:user/bob",
            None,
        );
        check(&json!({"type": "Root", "accountId": account}), "arn:aws:iam::123456789012:root", None);
        let china = "arn:aws-cn:iam::123456789012:root";
        check(&json!({"type": "Root", "accountId": account, "arn": china}), china, None);
        check(&json!({"type": "AWSService", "invokedBy": "ec2.amazonaws.com"}), "ec2.amazonaws.com", None);
        check(&json!({"accountId": account, "invokedBy": "AWS Internal"}), "AWS Internal", None);
        check(&json!({"type": "AWSAccount", "accountId": account, "principalId": "AIDA"}), account, None);
        check(&json!({"type": "WebIdentityUser", "principalId": "p", "userName": "repo:a/b"}), "repo:a/b", None);
        check(&json!({"type": "IdentityCenterUser", "onBehalfOf": {"userId": "u-1"}}), "u-1", None);
        check(&json!({"type": "IAMUser", "arn": "..."}), "unknown", None);
        check(&json!(null), "unknown", None);
    }

    #[test]
    fn mfa_may_be_text_or_missing() {
        let mfa = |value: Value| {
            Actor::from_identity(&json!({"sessionContext": {"attributes": {"mfaAuthenticated": value}}})).mfa
        };
        assert_eq!((mfa(json!("true")), mfa(json!(false)), mfa(json!(null))), (Some(true), Some(false), None));
    }
}
