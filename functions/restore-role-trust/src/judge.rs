//! What is wrong with a role's trust, and what it is to be instead.

use std::collections::BTreeSet;

use cloudtrail::{Arn, Partition};
use policy::Trusted;
use policy_document::{
    Access, Document, EditError, Grant, GuardKind, Opening, OpeningKind, Outsider, Trust, exposure, opened, same,
};

use crate::change::Intruders;

/// The trust of a role that allows nobody: IAM takes no document without a statement.
pub const NOBODY: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"NobodyByCountermand","Effect":"Deny","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}"#;

/// Whom the owner of this role trusts.
pub(crate) fn trust_of(role: &Arn, trusted: &Trusted) -> Option<Trust> {
    let partition = match role.as_str().split(':').nth(1) {
        Some("aws-cn") => Partition::China,
        Some("aws-us-gov") => Partition::GovCloud,
        _ => Partition::Aws,
    };
    let Trusted { organization, accounts } = trusted.clone();
    Some(Trust { account: role.account()?, partition, organization, accounts })
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wrong {
    /// The statement.
    statement: usize,
    /// The principal, as written.
    pub(crate) principal: String,
    /// What the statement does that it should not.
    pub(crate) what: OpeningKind,
    /// Whether an external id is still asked for.
    pub(crate) external_id: bool,
    /// Whether multi-factor authentication is still asked for.
    pub(crate) mfa: bool,
}

impl Wrong {
    /// Who is let in, in words that stay the same.
    pub(crate) fn intruder(&self) -> String {
        let principal = &self.principal;
        match &self.what {
            OpeningKind::Admits(Access::Public) if principal == "*" => "anybody".to_owned(),
            OpeningKind::Admits(Access::Public | Access::Federated { .. }) => format!("anybody who uses {principal}"),
            OpeningKind::Admits(Access::Foreign(outsiders)) => {
                outsiders.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
            }
            OpeningKind::Admits(access) => access.to_string(),
            OpeningKind::Loosens(guard) => format!("{principal} without {guard}"),
        }
    }

    /// The foreign accounts among those let in.
    pub(crate) fn foreign_accounts(&self) -> impl Iterator<Item = String> {
        let outsiders = match &self.what {
            OpeningKind::Admits(Access::Foreign(outsiders)) => outsiders.clone(),
            _ => BTreeSet::new(),
        };
        outsiders.into_iter().filter_map(|outsider| match outsider {
            Outsider::Account(account) => Some(account.to_string()),
            Outsider::Principal(arn) | Outsider::Provider(arn) => Some(Arn::parse(&arn).ok()?.account()?.to_string()),
            Outsider::Organization(_) => None,
        })
    }
}

/// A role's trust, judged.
#[derive(Debug)]
pub(crate) struct Judged {
    document: Document,
    /// The statements that name somebody who is deleted.
    dangling: BTreeSet<usize>,
    /// What is wrong.
    pub(crate) wrongs: Vec<Wrong>,
    /// What cannot be told: no reason to change anything.
    pub(crate) doubts: BTreeSet<String>,
}

impl Judged {
    /// Judges the trust as it is. Everybody is wrong always; others are only where `baseline` does not let them in, and
    /// so is who was let in under a condition that is gone.
    pub(crate) fn new(document: Document, baseline: Option<&Document>, trust: &Trust) -> Self {
        let grants = exposure(&document, trust);
        let mut openings = opened(baseline, &document, trust);
        let is_public =
            |opening: &Opening| matches!(&opening.change, OpeningKind::Admits(access) if access.is_public());
        for opening in opened(None, &document, trust).into_iter().filter(is_public) {
            if !openings.contains(&opening) {
                openings.push(opening);
            }
        }
        let (mut wrongs, mut doubts) = (Vec::new(), BTreeSet::new());
        for Opening { statement, principal, change, .. } in openings {
            match &change {
                OpeningKind::Admits(Access::Unknown(doubt)) => {
                    doubts.insert(format!("of statement {statement}, {doubt}"));
                }
                OpeningKind::Admits(access) if !access.is_exposed() => {}
                OpeningKind::Admits(_) | OpeningKind::Loosens(_) => {
                    let grant = grants.iter().find(|grant| grant.statement == statement);
                    let entry = grant.and_then(|grant| grant.entries.iter().find(|entry| entry.principal == principal));
                    let asks =
                        |kind: &GuardKind| entry.is_some_and(|it| it.guards.iter().any(|guard| guard.kind == *kind));
                    let (external_id, mfa) = (asks(&GuardKind::ExternalId), asks(&GuardKind::Mfa));
                    wrongs.push(Wrong { statement, principal, what: change, external_id, mfa });
                }
            }
        }
        let dangles = |grant: &&Grant| grant.entries.iter().any(|entry| is_of_deleted(&entry.principal));
        let dangling = grants.iter().filter(dangles).map(|grant| grant.statement).collect();
        Self { document, dangling, wrongs, doubts }
    }

    /// Forgets about those who are wanted.
    pub(crate) fn tolerate(&mut self, wanted: &Intruders) {
        self.wrongs.retain(|wrong| !wanted.contains(&wrong.intruder()));
    }

    /// All who are let in and should not be.
    pub(crate) fn intruders(&self) -> Intruders {
        self.wrongs.iter().map(Wrong::intruder).collect()
    }

    /// The document without the statements that are wrong, and without those that IAM would refuse the whole for.
    pub(crate) fn mended(&self) -> Result<String, EditError> {
        let wrong = self.wrongs.iter().map(|wrong| wrong.statement);
        let left = self.document.without(&wrong.chain(self.dangling.iter().copied()).collect())?;
        Ok(left.map_or_else(|| NOBODY.to_owned(), |document| document.text().to_owned()))
    }

    /// Whether the document is this one.
    pub(crate) fn is(&self, text: &str) -> bool {
        same(Some(self.document.text()), Some(text))
    }
}

/// Whether a principal is the unique id that IAM shows of a user or role that is gone. IAM takes no document that names one:
/// IAM User Guide, "AWS JSON policy elements: Principal". Whoever opens a trust could keep us from closing it with one.
fn is_of_deleted(principal: &str) -> bool {
    ["AIDA", "AROA"].iter().any(|prefix| principal.starts_with(prefix)) && !principal.contains(':')
}

/// Whether a trust lets in nobody whom it should not, for sure.
pub(crate) fn is_safe(document: &Document, trust: &Trust) -> bool {
    exposure(document, trust).iter().all(|grant| !grant.access.is_exposed() && !grant.access.is_unknown())
}
