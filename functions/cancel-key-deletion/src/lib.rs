//! Keeps KMS keys from being deleted, disabled or opened.
//!
//! Deletion is cancelled, and the key enabled again, which KMS does not do by itself. Rotation is turned on again. A policy
//! that lets in the public or a foreign account, or that locks its own account out, is replaced by the captured one, or
//! loses the offending statements; but never so that the key's account could not change it thereafter.

#[cfg(feature = "aws")]
pub mod aws;
pub mod called;
mod change;
mod judged;
pub mod key;
mod remedies;

use std::error::Error;

use cloudtrail::{Event, EventError};
use futures_util::future::join;
use policy::{Facts, Resource, Warrant};
use remedy::{Applied, CallError, CallErrorKind, Finding, Memory, Plan, Responder, Situation, Spec};
use serde::Deserialize;
use serde_json::Value;

use crate::called::Endangered;
use crate::judged::Judged;
use crate::key::{Baseline, Key, KeyState, Keys, Observed, Rotation};

pub use change::KeyChange;

/// The responder, over KMS or a fake of it.
#[derive(Debug, Clone)]
pub struct CancelKeyDeletion<K>(pub K);

impl<K: Keys> Responder for CancelKeyDeletion<K> {
    const SPEC: Spec = remedy::spec!();
    type Subject = Endangered;
    type Observed = Observed;
    type Change = KeyChange;

    fn detect(event: &Event) -> Result<Vec<Finding<Endangered>>, EventError> {
        Ok(called::finding(event)?.into_iter().collect())
    }

    fn presume(finding: &Finding<Endangered>) -> Observed {
        presumed(finding)
    }

    async fn observe(&self, finding: &Finding<Endangered>) -> Result<Observed, CallError> {
        let arn = &finding.resource.arn;
        match &finding.subject {
            Endangered::Scheduled { .. } | Endangered::Disabled => {
                Ok(Observed { key: self.0.describe(arn).await?, ..Observed::default() })
            }
            Endangered::Unrotated => {
                let (key, rotation) = join(self.0.describe(arn), self.0.rotation(arn)).await;
                Ok(Observed { key: key?, rotation: rotation?, ..Observed::default() })
            }
            Endangered::PolicyPut { locks_out, .. } => {
                let (key, policy) = join(self.0.describe(arn), self.0.policy(arn)).await;
                let is_denied = |error: &CallError| error.kind == CallErrorKind::Denied;
                let is_refused = key.as_ref().is_err_and(is_denied) || policy.as_ref().is_err_and(is_denied);
                if *locks_out && is_refused {
                    return Ok(Observed { locked: true, ..Observed::default() });
                }
                Ok(Observed { key: key?, policy: policy?, ..Observed::default() })
            }
        }
    }

    fn plan(finding: &Finding<Endangered>, observed: &Observed, situation: &Situation) -> Plan<KeyChange> {
        let baseline = baseline(&situation.memory);
        let judgement = remedies::judgement(finding, observed, baseline.as_ref(), &situation.trusted);
        Plan {
            resource: observed.key.as_ref().map_or_else(|| finding.resource.clone(), Key::resource),
            facts: facts(finding, observed, baseline.as_ref(), &judgement.policy),
            remedy: judgement.remedy,
        }
    }

    fn holds(change: &KeyChange, observed: &Observed) -> bool {
        change.shows_in(observed)
    }

    /// A key that the operator may not read, or that is to be deleted, is left out.
    async fn capture(&self) -> Result<Vec<(Resource, Value)>, CallError> {
        let mut captured = Vec::new();
        for key in self.0.list().await? {
            let (rotation, policy) = join(self.0.rotation(&key.arn), self.0.policy(&key.arn)).await;
            let (rotation, policy) = match (rotation, policy) {
                (Err(error), _) | (_, Err(error)) if error.kind == CallErrorKind::Denied => {
                    tracing::warn!(key = %key.arn, error = &error as &dyn Error, "a key that cannot be read is left out");
                    continue;
                }
                (rotation, policy) => (rotation?, policy?),
            };
            let Some(policy) = policy.filter(|_| !key.state.is_pending_deletion()) else { continue };
            let baseline = Baseline { enabled: key.state == KeyState::Enabled, rotation, policy };
            let value = serde_json::to_value(&baseline);
            let value = value.map_err(|error| CallError::refused("kms:GetKeyPolicy", error))?;
            captured.push((key.resource(), value));
        }
        Ok(captured)
    }

    async fn apply(&self, change: &KeyChange, _: &Warrant) -> Result<Applied, CallError> {
        match change {
            KeyChange::Deletion { key, scheduled: true, days } => self.0.schedule_deletion(key, *days).await,
            KeyChange::Deletion { key, scheduled: false, .. } => self.0.cancel_deletion(key).await,
            KeyChange::Enabled { key, on } => self.0.set_enabled(key, *on).await,
            KeyChange::Rotation { key, on, days } => self.0.set_rotation(key, Rotation { on: *on, days: *days }).await,
            KeyChange::Policy { key, to, .. } => self.0.put_policy(key, to).await,
        }
    }
}

fn baseline(memory: &Memory) -> Option<Baseline> {
    let captured = memory.baseline.as_ref()?;
    Baseline::deserialize(captured)
        .inspect_err(|error| tracing::error!(error = error as &dyn Error, "a captured key is not understood"))
        .ok()
}

/// The key that the event alone lets us expect.
fn presumed(finding: &Finding<Endangered>) -> Observed {
    let mut observed = Observed::default();
    let state = match &finding.subject {
        Endangered::Scheduled { .. } => KeyState::PendingDeletion,
        Endangered::Disabled => KeyState::Disabled,
        Endangered::Unrotated => {
            observed.rotation = Some(Rotation { on: false, days: None });
            KeyState::Enabled
        }
        Endangered::PolicyPut { policy, .. } => {
            observed.policy.clone_from(policy);
            KeyState::Enabled
        }
    };
    observed.key = Some(Key { arn: finding.resource.arn.clone(), state, multi_region: None, tags: None });
    observed
}

fn facts(finding: &Finding<Endangered>, observed: &Observed, baseline: Option<&Baseline>, policy: &Judged) -> Facts {
    let days = match &finding.subject {
        Endangered::Scheduled { days } => Some(i64::from(*days)),
        Endangered::Disabled | Endangered::Unrotated | Endangered::PolicyPut { .. } => None,
    };
    let key = observed.key.as_ref();
    Facts::new()
        .with("act", finding.subject.name())
        .with("keyId", finding.resource.arn.name())
        .with("letsIn", policy.lets_in.clone())
        .with("public", policy.is_public)
        .with("locksOut", policy.locks_out || observed.locked)
        .with("unclear", !policy.unclear.is_empty())
        .with("confusedDeputy", policy.confused_deputy)
        .with("baseline", baseline.is_some())
        .with_known("pendingDays", days)
        .with_known("keyState", key.map(|key| key.state.to_string()))
        .with_known("multiRegion", key.and_then(|key| key.multi_region))
}

#[cfg(test)]
mod tests;
