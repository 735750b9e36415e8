//! Takes back that an AMI is shared with everybody or with a foreign account, organization or organizational unit.
//!
//! Only what the call itself added is taken away, and only while it is still there.

use std::collections::BTreeSet;

use cloudtrail::{Event, EventError};
use policy::{Facts, Severity, Warrant};
use remedy::{Applied, CallError, Certainty, Finding, Plan, Remedy, Responder, Situation, Spec};

#[cfg(feature = "aws")]
pub mod aws;
mod called;
mod change;
mod sharing;
#[cfg(test)]
mod tests;

pub use called::Exposed;
pub use change::SharingChange;
pub use sharing::{Grantee, ImageId, Images, Shared};

/// The responder, over the part of Amazon EC2 that it needs.
#[derive(Debug, Clone)]
pub struct UnshareImage<I>(pub I);

impl<I: Images> Responder for UnshareImage<I> {
    const SPEC: Spec = remedy::spec!();
    type Subject = Exposed;
    type Observed = Option<Shared>;
    type Change = SharingChange;

    fn detect(event: &Event) -> Result<Vec<Finding<Exposed>>, EventError> {
        let Some(subject) = called::read(event)? else { return Ok(Vec::new()) };
        let severity = if subject.with.contains(&Grantee::Everybody) { Severity::CRITICAL } else { Severity::HIGH };
        let (resource, certainty) = (subject.image.resource(event), Certainty::Event);
        Ok(vec![Finding { resource, severity, certainty, subject }])
    }

    fn presume(finding: &Finding<Exposed>) -> Option<Shared> {
        Some(Shared { with: finding.subject.with.clone(), name: None, encrypted: None, tags: None })
    }

    async fn observe(&self, finding: &Finding<Exposed>) -> Result<Option<Shared>, CallError> {
        self.0.describe(&finding.subject.image).await
    }

    fn plan(finding: &Finding<Exposed>, observed: &Option<Shared>, situation: &Situation) -> Plan<SharingChange> {
        let Exposed { image, with } = &finding.subject;
        let live = observed.as_ref();
        let vouched_for = vouched_for(situation);
        let offends = |grantee: &&Grantee| {
            live.is_some_and(|live| live.with.contains(*grantee))
                && !grantee.is_trusted(&situation.trusted)
                && !vouched_for.contains(*grantee)
        };
        let offending: BTreeSet<Grantee> = with.iter().filter(offends).cloned().collect();
        let mut resource = finding.resource.clone();
        resource.tags = live.and_then(|live| live.tags.clone());
        let facts = facts(image, &offending, live);
        let changes = SharingChange::unsharing(image, offending);
        let remedy = if changes.is_empty() { Remedy::AlreadySafe } else { Remedy::Changes(changes) };
        Plan { resource, facts, remedy }
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
            SharingChange::Unshare(image, with) => self.0.unshare(image, with).await,
            SharingChange::Share(image, with) => self.0.share(image, with).await,
        }
    }
}

/// With whom an undo said that sharing is wanted: one by one, since the next call may add others to them.
fn vouched_for(situation: &Situation) -> BTreeSet<Grantee> {
    let wanted = situation.memory.wanted.keys().filter(|key| situation.memory.is_wanted(key, situation.now));
    wanted.flat_map(SharingChange::grantees).collect()
}

fn facts(image: &ImageId, offending: &BTreeSet<Grantee>, live: Option<&Shared>) -> Facts {
    let named = |is_it: fn(&Grantee) -> bool| -> BTreeSet<String> {
        offending.iter().filter(|grantee| is_it(grantee)).map(|grantee| grantee.as_str().to_owned()).collect()
    };
    Facts::new()
        .with("imageId", image.0.as_str())
        .with("everybody", offending.contains(&Grantee::Everybody))
        .with("accounts", named(|grantee| matches!(grantee, Grantee::Account(_))))
        .with("organizations", named(|grantee| matches!(grantee, Grantee::Organization(_))))
        .with_known("imageName", live.and_then(|live| live.name.as_deref()))
        .with_known("encrypted", live.and_then(|live| live.encrypted))
}
