//! Who a statement names.
//!
//! Source: IAM User Guide, "AWS JSON policy elements: Principal" and "IAM identifiers" (unique ID prefixes).

use std::fmt;

use cloudtrail::AccountId;

use crate::pattern::has_wildcard;

/// One entry of a `Principal` element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Principal {
    /// `*`: everybody, also without credentials.
    Everyone,
    /// A whole account: its id, or the ARN of its root.
    Account { account: AccountId, partition: Option<String> },
    /// A user, a role or a session of one.
    Identity { arn: String, account: AccountId, partition: String },
    /// An AWS service, such as `sns.amazonaws.com`.
    Service(String),
    /// An identity provider: the ARN of one that an account has registered, or the name of one that AWS knows.
    Federated(String),
    /// The obfuscated id of an account, which does not tell the account.
    CanonicalUser(String),
    /// A `CloudFront` origin access identity, which does not tell the account.
    OriginAccessIdentity(String),
    /// The unique id of a user or role that has been deleted: AWS shows the id where it can no longer show an ARN.
    Deleted(String),
    /// An ARN with a wildcard. AWS matches none in this element and most services refuse it.
    Wildcard(String),
    /// Something else.
    Strange(String),
}

impl Principal {
    /// An entry under `AWS`, or a bare text where a map is expected.
    pub(crate) fn aws(text: &str) -> Self {
        if text == "*" {
            return Self::Everyone;
        }
        if let Ok(account) = AccountId::parse(text) {
            return Self::Account { account, partition: None };
        }
        if (text.starts_with("AIDA") || text.starts_with("AROA")) && text.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Self::Deleted(text.to_owned());
        }
        match text.splitn(6, ':').collect::<Vec<_>>().as_slice() {
            ["arn", _, "iam", "", "cloudfront", _] => Self::OriginAccessIdentity(text.to_owned()),
            ["arn", partition, "iam" | "sts", "", account, resource] => match AccountId::parse(account) {
                Ok(account) if *resource == "root" => {
                    Self::Account { account, partition: Some((*partition).to_owned()) }
                }
                Ok(account) => Self::Identity { arn: text.to_owned(), account, partition: (*partition).to_owned() },
                Err(_) if has_wildcard(account) => Self::Wildcard(text.to_owned()),
                Err(_) => Self::Strange(text.to_owned()),
            },
            ["arn", ..] if has_wildcard(text) => Self::Wildcard(text.to_owned()),
            [name] if is_service(name) => Self::Service(text.to_owned()),
            _ => Self::Strange(text.to_owned()),
        }
    }

    /// Whether a statement that names `self` surely reaches everybody that `other` names.
    pub(crate) fn includes(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Everyone, _) => true,
            (Self::Account { account, .. }, Self::Identity { account: of, .. } | Self::Account { account: of, .. }) => {
                account == of
            }
            _ => self == other,
        }
    }

    /// The account it belongs to, if the entry tells.
    pub(crate) fn account(&self) -> Option<&AccountId> {
        match self {
            Self::Account { account, .. } | Self::Identity { account, .. } => Some(account),
            _ => None,
        }
    }

    /// The partition it belongs to, if the entry tells.
    pub(crate) fn partition(&self) -> Option<&str> {
        match self {
            Self::Account { partition, .. } => partition.as_deref(),
            Self::Identity { partition, .. } => Some(partition),
            _ => None,
        }
    }
}

fn is_service(name: &str) -> bool {
    name.ends_with(".amazonaws.com") || name.ends_with(".amazonaws.com.cn")
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everyone => f.write_str("*"),
            Self::Account { account, .. } => write!(f, "{account}"),
            Self::Identity { arn: text, .. }
            | Self::Service(text)
            | Self::Federated(text)
            | Self::CanonicalUser(text)
            | Self::OriginAccessIdentity(text)
            | Self::Deleted(text)
            | Self::Wildcard(text)
            | Self::Strange(text) => f.write_str(text),
        }
    }
}

/// A `Principal` element, a `NotPrincipal` element, or neither.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Principals {
    /// These.
    Only(Vec<Principal>),
    /// Everybody but these.
    Except(Vec<Principal>),
    /// The element is missing, as it is in every identity policy.
    Absent,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_principal_is_read() {
        let account = || AccountId::parse("111122223333").unwrap();
        let identity =
            |arn: &str| Principal::Identity { arn: arn.to_owned(), account: account(), partition: "aws".to_owned() };
        let arn = "arn:aws:iam::111122223333:role/x";
        let session = "arn:aws:sts::111122223333:assumed-role/x/y";
        for (text, expected) in [
            ("*", Principal::Everyone),
            ("111122223333", Principal::Account { account: account(), partition: None }),
            (
                "arn:aws-cn:iam::111122223333:root",
                Principal::Account { account: account(), partition: Some("aws-cn".to_owned()) },
            ),
            (arn, identity(arn)),
            (session, identity(session)),
            ("AROAEXAMPLEID", Principal::Deleted("AROAEXAMPLEID".to_owned())),
            ("arn:aws:iam::*:root", Principal::Wildcard("arn:aws:iam::*:root".to_owned())),
            ("arn:aws:iam::1234*:role/x", Principal::Wildcard("arn:aws:iam::1234*:role/x".to_owned())),
            (
                "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1",
                Principal::OriginAccessIdentity(
                    "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1".to_owned(),
                ),
            ),
            ("s3.amazonaws.com", Principal::Service("s3.amazonaws.com".to_owned())),
            ("12345", Principal::Strange("12345".to_owned())),
            ("arn:aws:iam::111122223333", Principal::Strange("arn:aws:iam::111122223333".to_owned())),
        ] {
            assert_eq!(Principal::aws(text), expected, "{text}");
        }
    }
}
