//! Disables an access key that should not be trusted, and ends the sessions that were made from it.
//!
//! A key is not trusted when somebody made it for somebody else, when root made one for itself, when it was activated
//! after we had disabled it, and when AWS or `GuardDuty` say that it leaked. Disabling can be taken back, deleting
//! cannot, so nothing is ever deleted. A disabled key leaves behind the temporary credentials that it minted, which live
//! up to 36 hours; therefore the user also gets an inline policy that denies everything to credentials issued before
//! now, see [`session_denial`]. What it cannot reach, sessions of roles that the user assumed, is in `README.md`.
//!
//! Where a person or another tool has disabled the key before us, nothing is done: it is theirs. The exception is a key
//! that *we* disabled without coming as far as the sessions, because the run died between the two.
//!
//! Role sessions and instance credentials are `revoke-role-sessions`' to deal with.

#[cfg(feature = "aws")]
pub mod aws;
mod change;
mod key;
mod remedies;
mod sources;
#[cfg(test)]
mod tests;

use cloudtrail::{Event, EventError};
use futures_util::future::join3;
use policy::{Facts, Warrant};
use policy_document::{decode, same};
use remedy::{Applied, CallError, ChangeKey, Finding, Plan, Responder, Situation, Spec};
use session_denial::name;

pub use change::{KeyChange, KeyStatus};
pub use key::{AccessKeys, Keys, LiveKey, LiveUser, Observed, Owner, Reason, SAME_MOMENT, UntrustedKey};

/// The responder, over IAM or a fake of it.
#[derive(Debug, Clone)]
pub struct DisableAccessKey<K>(pub K);

impl<K: AccessKeys> Responder for DisableAccessKey<K> {
    const SPEC: Spec = remedy::spec!();
    type Subject = UntrustedKey;
    type Observed = Observed;
    type Change = KeyChange;

    fn detect(event: &Event) -> Result<Vec<Finding<UntrustedKey>>, EventError> {
        sources::findings(event)
    }

    fn presume(finding: &Finding<UntrustedKey>) -> Observed {
        finding.subject.presume(&finding.resource)
    }

    fn hangs_on(finding: &Finding<UntrustedKey>) -> Option<ChangeKey> {
        match &finding.subject {
            // Of whom the key is, only IAM knows otherwise, and by whom the ledger would know it.
            UntrustedKey { reason: Reason::Reactivated, owner: Owner::User(_), keys: Keys::One(key), .. } => {
                Some(KeyChange::key_of_status(key))
            }
            _ => None,
        }
    }

    async fn observe(&self, finding: &Finding<UntrustedKey>) -> Result<Observed, CallError> {
        let (found_owner, name) = match &finding.subject.owner {
            Owner::Root => return Ok(Observed::default()),
            Owner::User(name) => (None, name.clone()),
            Owner::HolderOf(key) => match self.0.owner(key).await? {
                None => return Ok(Observed::default()),
                Some(name) => (Some(name.clone()), name),
            },
        };
        let (user, keys, document) =
            join3(self.0.user(&name), self.0.keys(&name), self.0.inline_policy(&name, name::UNTRUSTED_KEY)).await;
        let cut_off = document?.as_deref().map(decode);
        Ok(Observed { found_owner, user: user?, keys: keys?, cut_off })
    }

    fn plan(finding: &Finding<UntrustedKey>, observed: &Observed, situation: &Situation) -> Plan<KeyChange> {
        Plan {
            resource: observed.user.as_ref().map_or_else(|| finding.resource.clone(), LiveUser::resource),
            facts: facts(&finding.subject, observed, situation),
            remedy: remedies::remedy(finding, observed, situation),
        }
    }

    fn holds(change: &KeyChange, observed: &Observed) -> bool {
        match change {
            KeyChange::Status { key, to, .. } => {
                let active = *to == KeyStatus::Active;
                observed.keys.iter().any(|found| found.id == *key && found.active == active)
            }
            KeyChange::CutOff { after, .. } => same(observed.cut_off.as_deref(), after.as_deref()),
        }
    }

    async fn apply(&self, change: &KeyChange, _: &Warrant) -> Result<Applied, CallError> {
        match change {
            KeyChange::Status { user, key, to, .. } => self.0.set_active(user, key, *to == KeyStatus::Active).await,
            KeyChange::CutOff { user, after: Some(document), .. } => {
                self.0.put_inline_policy(user, name::UNTRUSTED_KEY, document).await
            }
            KeyChange::CutOff { user, after: None, .. } => self.0.delete_inline_policy(user, name::UNTRUSTED_KEY).await,
        }
    }
}

fn facts(subject: &UntrustedKey, observed: &Observed, situation: &Situation) -> Facts {
    let owner = match &subject.owner {
        Owner::User(name) => Some(name.as_str()),
        Owner::HolderOf(_) => observed.found_owner.as_deref(),
        Owner::Root => None,
    };
    let guardduty = match &subject.reason {
        Reason::GuardDuty { kind, count } => Some((kind.as_str(), i64::try_from(*count).unwrap_or(i64::MAX))),
        _ => None,
    };
    let ours = |key: &_| situation.memory.held.contains(&KeyChange::key_of_status(key));
    Facts::new()
        .with("reason", subject.reason.name())
        .with("root", subject.owner == Owner::Root)
        .with("sessionsOnly", matches!(subject.keys, Keys::Session(_)))
        .with("accessKeyIds", subject.ids(observed, ours))
        .with_known("owner", owner)
        .with_known("ownerIsCaller", subject.owner_is_caller)
        .with_known("userPath", observed.user.as_ref().and_then(|user| user.path.as_deref()))
        .with_known("guarddutyType", guardduty.map(|(kind, _)| kind))
        .with_known("guarddutyCount", guardduty.map(|(_, count)| count))
}
