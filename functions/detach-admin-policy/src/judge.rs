//! What policies make of whoever has them.

use std::collections::BTreeSet;

use cloudtrail::{AccountId, Arn, Partition};
use policy_document::{AdminLevel, Document, Trust, admin};
use serde::{Deserialize, Serialize};

use crate::document::decode;

/// How much is told of a doubt, whose words may be a document's.
const DOUBTS: usize = 5;
const DOUBT_LENGTH: usize = 200;

/// Whether policies make an administrator: `docs/policy-analysis.md` shows by examples what does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Level {
    /// They do not.
    No,
    /// Nobody has looked: only an event is known.
    #[default]
    Unread,
    /// It cannot be told.
    Unknown,
    /// Not yet, and by a known way.
    Escalation,
    /// They do.
    Admin,
}

impl Level {
    /// The fact `level` of `schema.cedarschema`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::Unread => "unread",
            Self::Unknown => "unknown",
            Self::Escalation => "escalation",
            Self::Admin => "admin",
        }
    }

    /// Whether it surely is an administrator, or becomes one when it likes.
    #[must_use]
    pub fn is_admin_equivalent(self) -> bool {
        matches!(self, Self::Admin | Self::Escalation)
    }
}

/// What policies make of whoever has them.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Judged {
    /// Whether it is an administrator.
    pub level: Level,
    /// The policies that do it: ARNs of managed ones, names of inline ones.
    pub by: BTreeSet<String>,
    /// With [`Level::Escalation`], the actions that lead there.
    pub actions: BTreeSet<String>,
    /// With [`Level::Unknown`], why it cannot be told.
    pub doubts: BTreeSet<String>,
}

impl Judged {
    fn of(level: Level) -> Self {
        Self { level, ..Self::default() }
    }

    /// What nobody has read yet: policies of these names.
    pub(crate) fn unread(policy: Option<&str>) -> Self {
        Self { by: policy.map(str::to_owned).into_iter().collect(), ..Self::default() }
    }

    /// The two policies of AWS's that are known by their ARNs, so that nobody needs to read them.
    ///
    /// Source: AWS Managed Policy Reference Guide, "`AdministratorAccess`" and "`IAMFullAccess`".
    pub(crate) fn known(policy: &Arn) -> Option<Self> {
        let known = ["policy/AdministratorAccess", "policy/IAMFullAccess"];
        let is_known = known.iter().any(|name| policy.resource().eq_ignore_ascii_case(name));
        (is_known && is_aws_managed(policy))
            .then(|| Self { by: BTreeSet::from([policy.as_str().to_owned()]), ..Self::of(Level::Admin) })
    }
}

/// Whether it is one of the policies that AWS makes and keeps.
pub(crate) fn is_aws_managed(policy: &Arn) -> bool {
    policy.as_str().split(':').nth(4) == Some("aws")
}

/// What the policies, each with its name, make of the holders together. `holders` are whoever surely has all of them: to
/// be allowed to add to one's own policies is enough.
pub(crate) fn judge(
    policies: &[(String, String)],
    holders: &[&Arn],
    account: &AccountId,
    partition: Partition,
) -> Judged {
    let mut documents = Vec::new();
    for (name, text) in policies {
        match Document::parse(&decode(text)) {
            Ok(document) => documents.push(document),
            Err(error) => {
                let doubts = BTreeSet::from([format!("`{name}`: {error}")]);
                return Judged { doubts, ..Judged::of(Level::Unknown) };
            }
        }
    }
    let documents: Vec<&Document> = documents.iter().collect();
    let trust = Trust::only(account.clone(), partition);
    let as_held_by = |holder| told(&admin(&documents, holder, &trust).level, policies);
    let nobody_in_particular = as_held_by(None);
    holders.iter().map(|holder| as_held_by(Some(*holder))).fold(nobody_in_particular, Ord::max)
}

fn told(level: &AdminLevel, policies: &[(String, String)]) -> Judged {
    let name = |index: usize| policies.get(index).map(|(name, _)| name.clone());
    match level {
        AdminLevel::No => Judged::of(Level::No),
        AdminLevel::Unknown(doubts) => {
            let short = |doubt: String| doubt.chars().take(DOUBT_LENGTH).collect();
            let doubts = doubts.iter().take(DOUBTS).map(ToString::to_string).map(short).collect();
            Judged { doubts, ..Judged::of(Level::Unknown) }
        }
        AdminLevel::Escalation(ways) => Judged {
            by: ways.iter().flat_map(|way| &way.by).filter_map(|place| name(place.document)).collect(),
            actions: ways.iter().flat_map(|way| way.path.actions()).map(str::to_owned).collect(),
            ..Judged::of(Level::Escalation)
        },
        AdminLevel::Admin(by) => {
            Judged { by: by.iter().filter_map(|place| name(place.document)).collect(), ..Judged::of(Level::Admin) }
        }
    }
}

/// The partition that an ARN is of.
pub(crate) fn partition(arn: &Arn) -> Partition {
    match arn.as_str().split(':').nth(1) {
        Some("aws-cn") => Partition::China,
        Some("aws-us-gov") => Partition::GovCloud,
        _ => Partition::Aws,
    }
}
