//! Takes back that a snapshot of a volume or database is shared with everybody or with foreign accounts.
//!
//! Only what the call itself added is taken away, and only while it is still there. A snapshot that another account has
//! already copied is beyond reach: then a person is told what to do. Sharing with the accounts that AWS documents as its
//! own for the purpose is no finding: see the module `aws_accounts`.

use std::collections::BTreeSet;

use cloudtrail::{AccountId, Event, EventError};
use policy::{Facts, Severity, Warrant};
use remedy::{Applied, CallError, Certainty, Finding, Plan, Remedy, Responder, Situation, Spec};

#[cfg(feature = "aws")]
pub mod aws;
mod aws_accounts;
mod called;
mod change;
mod sharing;
#[cfg(test)]
mod tests;

pub use called::{Exposed, How, Taken};
pub use change::SharingChange;
pub use sharing::{Grantee, Kind, Shared, Snapshot, Snapshots};

/// The responder, over the part of Amazon EC2 and Amazon RDS that it needs.
#[derive(Debug, Clone)]
pub struct UnshareSnapshot<S>(pub S);

impl<S: Snapshots> Responder for UnshareSnapshot<S> {
    const SPEC: Spec = remedy::spec!();
    type Subject = Exposed;
    type Observed = Option<Shared>;
    type Change = SharingChange;

    fn detect(event: &Event) -> Result<Vec<Finding<Exposed>>, EventError> {
        let Some(subject) = called::read(event)? else { return Ok(Vec::new()) };
        let (severity, certainty) = match &subject.how {
            How::Shared(with) if with.contains(&Grantee::Everybody) => (Severity::CRITICAL, Certainty::Event),
            How::Shared(_) => (Severity::HIGH, Certainty::Event),
            How::Taken { by: Some(_), .. } => (Severity::CRITICAL, Certainty::Event),
            How::Taken { by: None, .. } => (Severity::CRITICAL, Certainty::Live),
        };
        Ok(vec![Finding { resource: subject.snapshot.resource(event), severity, certainty, subject }])
    }

    fn presume(finding: &Finding<Exposed>) -> Option<Shared> {
        let with = match &finding.subject.how {
            How::Shared(with) => with.clone(),
            How::Taken { .. } => BTreeSet::new(),
        };
        Some(Shared { with, encrypted: None, kms_key: None, engine: None, tags: None })
    }

    async fn observe(&self, finding: &Finding<Exposed>) -> Result<Option<Shared>, CallError> {
        self.0.describe(&finding.subject.snapshot).await
    }

    fn plan(finding: &Finding<Exposed>, observed: &Option<Shared>, situation: &Situation) -> Plan<SharingChange> {
        let Exposed { snapshot, how } = &finding.subject;
        let live = observed.as_ref();
        let is_trusted = |account: &AccountId| situation.trusted.accounts.contains(account);
        let (concerned, remedy) = match how {
            How::Shared(added) => {
                let vouched_for = vouched_for(situation);
                let offends = |grantee: &&Grantee| {
                    let trusted = matches!(grantee, Grantee::Account(account) if is_trusted(account));
                    !trusted && !vouched_for.contains(*grantee) && live.is_some_and(|live| live.with.contains(*grantee))
                };
                let offending: BTreeSet<Grantee> = added.iter().filter(offends).cloned().collect();
                let changes = SharingChange::unsharing(snapshot, offending.clone());
                let remedy = if changes.is_empty() { Remedy::AlreadySafe } else { Remedy::Changes(changes) };
                (offending, remedy)
            }
            How::Taken { by, into } => {
                let taker = by.clone().map(Grantee::Account).into_iter().collect();
                let remedy = if by.as_ref().is_some_and(is_trusted) {
                    Remedy::AlreadySafe
                } else {
                    Remedy::Uncontainable { next_step: next_step(snapshot, by.as_ref(), *into) }
                };
                (taker, remedy)
            }
        };
        let mut resource = finding.resource.clone();
        resource.tags = live.and_then(|live| live.tags.clone());
        Plan { resource, facts: facts(&finding.subject, &concerned, live), remedy }
    }

    fn holds(change: &SharingChange, observed: &Option<Shared>) -> bool {
        let is_shared = |grantee: &Grantee| observed.as_ref().is_some_and(|live| live.with.contains(grantee));
        match change {
            SharingChange::Unshare(_, with) => !with.iter().any(is_shared),
            SharingChange::Share(_, with) => with.iter().all(is_shared),
        }
    }

    async fn apply(&self, change: &SharingChange, _: &Warrant) -> Result<Applied, CallError> {
        match change {
            SharingChange::Unshare(snapshot, with) => self.0.unshare(snapshot, with).await,
            SharingChange::Share(snapshot, with) => self.0.share(snapshot, with).await,
        }
    }
}

/// With whom an undo said that sharing is wanted: one by one, since the next call may add others to them.
fn vouched_for(situation: &Situation) -> BTreeSet<Grantee> {
    let wanted = situation.memory.wanted.keys().filter(|key| situation.memory.is_wanted(key, situation.now));
    wanted.flat_map(SharingChange::grantees).collect()
}

fn facts(subject: &Exposed, concerned: &BTreeSet<Grantee>, live: Option<&Shared>) -> Facts {
    let accounts: BTreeSet<String> = concerned
        .iter()
        .filter(|grantee| **grantee != Grantee::Everybody)
        .map(|grantee| grantee.as_str().to_owned())
        .collect();
    Facts::new()
        .with("kind", subject.snapshot.kind.name())
        .with("snapshotId", subject.snapshot.id.as_str())
        .with("everybody", concerned.contains(&Grantee::Everybody))
        .with("accounts", accounts)
        .with("taken", matches!(subject.how, How::Taken { .. }))
        .with_known("encrypted", live.and_then(|live| live.encrypted))
        .with_known("kmsKey", live.and_then(|live| live.kms_key.as_deref()))
        .with_known("engine", live.and_then(|live| live.engine.as_deref()))
}

/// Sources: Amazon EBS User Guide, "Share an Amazon EBS snapshot"; AWS Key Management Service Developer Guide, "Grants in
/// AWS KMS".
fn next_step(snapshot: &Snapshot, by: Option<&AccountId>, into: Taken) -> String {
    let who = by.map_or_else(|| "An account that CloudTrail does not name".to_owned(), |by| format!("Account {by}"));
    let did = match into {
        Taken::Copy => "copied",
        Taken::Volume => "made a volume of",
    };
    format!(
        "{who} has {did} {snapshot}, which unsharing does not take back: treat what is on it as read, replace the secrets \
         and keys in it, check with whom the snapshot is still shared (Amazon EBS User Guide, \"Share an Amazon EBS \
         snapshot\"), and if it is encrypted take away the grants and the statements of the key policy that let that account \
         use its KMS key (AWS KMS Developer Guide, \"Grants in AWS KMS\")."
    )
}
