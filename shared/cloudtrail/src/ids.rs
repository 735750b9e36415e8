//! Ids that cannot be swapped for one another.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

/// An id that does not have the form AWS gives it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{value}` is not {expected}")]
pub struct InvalidId {
    value: String,
    expected: &'static str,
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes the id as AWS wrote it.
            #[must_use]
            pub fn new(id: impl Into<String>) -> Self {
                Self(id.into())
            }

            /// The id as AWS wrote it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id! {
    /// CloudTrail's `eventID`; for other events the id of the EventBridge envelope; for a record without one, a hash.
    EventId
}
text_id! {
    /// A region code such as `eu-central-1`.
    Region
}
text_id! {
    /// An access key id: `AKIA…` is a long-term key, `ASIA…` a temporary one.
    ///
    /// Source: IAM User Guide, "IAM identifiers", table of unique ID prefixes.
    AccessKeyId
}

impl AccessKeyId {
    /// Whether this is a long-term key of a user or of root.
    #[must_use]
    pub fn is_long_term(&self) -> bool {
        self.0.starts_with("AKIA")
    }

    /// Whether this is a temporary key issued by AWS STS.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        self.0.starts_with("ASIA")
    }
}

impl Region {
    /// The partition this region belongs to, by its prefix.
    #[must_use]
    pub fn partition(&self) -> Partition {
        if self.0.starts_with("cn-") {
            Partition::China
        } else if self.0.starts_with("us-gov-") {
            Partition::GovCloud
        } else {
            Partition::Aws
        }
    }
}

/// A group of regions with its own accounts, endpoints and ARN prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Partition {
    /// `aws`: the commercial regions.
    Aws,
    /// `aws-cn`: Beijing and Ningxia.
    China,
    /// `aws-us-gov`: AWS `GovCloud` (US).
    GovCloud,
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Aws => "aws",
            Self::China => "aws-cn",
            Self::GovCloud => "aws-us-gov",
        })
    }
}

/// A 12-digit AWS account id.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct AccountId(String);

impl AccountId {
    /// Takes exactly twelve digits.
    pub fn parse(id: &str) -> Result<Self, InvalidId> {
        if id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit()) {
            Ok(Self(id.to_owned()))
        } else {
            Err(InvalidId { value: id.to_owned(), expected: "a 12-digit account id" })
        }
    }

    /// The twelve digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for AccountId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// An Amazon Resource Name, `arn:partition:service:region:account:resource`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Arn(String);

impl Arn {
    /// Takes text of the form of an ARN; the resource part may hold anything but must not be empty.
    pub fn parse(arn: &str) -> Result<Self, InvalidId> {
        let mut parts = arn.splitn(6, ':');
        let well_formed = parts.next() == Some("arn")
            && parts.next().is_some_and(|partition| partition.starts_with("aws"))
            && parts.next().is_some_and(|service| !service.is_empty())
            && parts.nth(2).is_some_and(|resource| !resource.is_empty());
        if well_formed {
            Ok(Self(arn.to_owned()))
        } else {
            Err(InvalidId { value: arn.to_owned(), expected: "an ARN" })
        }
    }

    /// The ARN of a resource of one account and region; `region` is empty for global services.
    #[must_use]
    pub fn of(partition: Partition, service: &str, region: &str, account: &AccountId, resource: &str) -> Self {
        Self(format!("arn:{partition}:{service}:{region}:{account}:{resource}"))
    }

    /// The ARN of a resource whose ARN names no account, such as an EBS snapshot; `region` is empty where it names none.
    #[must_use]
    pub fn without_account(partition: Partition, service: &str, region: &str, resource: &str) -> Self {
        Self(format!("arn:{partition}:{service}:{region}::{resource}"))
    }

    /// The whole ARN.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The account it belongs to; `None` for ARNs without one (Amazon S3 buckets, AWS managed policies).
    #[must_use]
    pub fn account(&self) -> Option<AccountId> {
        AccountId::parse(self.0.split(':').nth(4)?).ok()
    }

    /// The region; `None` for what belongs to none, such as all of IAM.
    #[must_use]
    pub fn region(&self) -> Option<Region> {
        self.0.split(':').nth(3).filter(|region| !region.is_empty()).map(Region::new)
    }

    /// The last part, for example `user/engineering/alice`.
    #[must_use]
    pub fn resource(&self) -> &str {
        self.0.splitn(6, ':').nth(5).unwrap_or_default()
    }

    /// The ARN of another resource of the same service and region, of this account or of `owner`.
    #[must_use]
    pub fn sibling(&self, owner: Option<&AccountId>, resource: &str) -> Self {
        let mut scope: Vec<&str> = self.0.split(':').take(5).collect();
        if let (Some(account), Some(owner)) = (scope.last_mut(), owner) {
            *account = owner.as_str();
        }
        Self(format!("{}:{resource}", scope.join(":")))
    }

    /// The last component of the resource: `alice` of `user/engineering/alice`.
    #[must_use]
    pub fn name(&self) -> &str {
        let resource = self.resource();
        resource.rsplit(['/', ':']).next().unwrap_or(resource)
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Arn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_id_is_twelve_digits() {
        assert_eq!(AccountId::parse("123456789012").unwrap().as_str(), "123456789012");
        for wrong in ["", "12345678901", "1234567890123", "12345678901a", "１２３４５６７８９０１２"] {
            assert_eq!(
                AccountId::parse(wrong).unwrap_err().to_string(),
                format!("`{wrong}` is not a 12-digit account id")
            );
        }
    }

    #[test]
    fn an_arn_gives_its_parts() {
        let arn = Arn::parse("arn:aws-cn:iam::123456789012:user/eng/alice").unwrap();
        assert_eq!(arn.account(), Some(AccountId::parse("123456789012").unwrap()));
        assert_eq!((arn.resource(), arn.name()), ("user/eng/alice", "alice"));
        let other = AccountId::parse("210987654321").unwrap();
        assert_eq!(arn.sibling(None, "root").as_str(), "arn:aws-cn:iam::123456789012:root");
        assert_eq!(arn.sibling(Some(&other), "root").as_str(), "arn:aws-cn:iam::210987654321:root");
        assert_eq!(Arn::parse("arn:aws:s3:::bucket").unwrap().account(), None);
        let snapshot = Arn::without_account(Partition::Aws, "ec2", "eu-west-1", "snapshot/snap-1");
        assert_eq!(snapshot.as_str(), "arn:aws:ec2:eu-west-1::snapshot/snap-1");
        assert_eq!((snapshot.account(), snapshot.region()), (None, Some(Region::new("eu-west-1"))));
        for wrong in ["", "arn", "arn:aws:iam::123456789012:", "arn:gcp:iam::1:x", "urn:aws:iam::1:x"] {
            assert!(Arn::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_region_knows_its_partition() {
        let partition = |region: &str| Region::new(region).partition().to_string();
        assert_eq!(partition("eu-central-1"), "aws");
        assert_eq!(partition("cn-north-1"), "aws-cn");
        assert_eq!(partition("us-gov-west-1"), "aws-us-gov");
    }
}
