//! What would make a key safe again.

use std::collections::BTreeSet;

use cloudtrail::Arn;
use policy::Trusted;
use policy_document::{Document, Lockout, same};
use remedy::{Finding, Remedy};

use crate::called::Endangered;
use crate::change::KeyChange;
use crate::judged::{Judged, judge, lockout, trust};
use crate::key::{Baseline, KeyState, Observed, Rotation};

/// What a plan comes to.
pub(crate) struct Judgement {
    pub(crate) remedy: Remedy<KeyChange>,
    /// What is wrong with the policy, if the finding is about it.
    pub(crate) policy: Judged,
}

impl From<Remedy<KeyChange>> for Judgement {
    fn from(remedy: Remedy<KeyChange>) -> Self {
        Self { remedy, policy: Judged::default() }
    }
}

pub(crate) fn judgement(
    finding: &Finding<Endangered>,
    observed: &Observed,
    baseline: Option<&Baseline>,
    trusted: &Trusted,
) -> Judgement {
    let arn = &finding.resource.arn;
    if observed.locked {
        return Remedy::Uncontainable { next_step: next_step_locked(arn) }.into();
    }
    let Some(key) = &observed.key else { return Remedy::AlreadySafe.into() };
    let should_be_enabled = baseline.is_none_or(|baseline| baseline.enabled);
    match (&finding.subject, &key.state) {
        (Endangered::Scheduled { days }, state) if state.is_pending_deletion() => {
            let cancel = KeyChange::Deletion { key: arn.clone(), scheduled: false, days: *days };
            // A key whose deletion is cancelled is disabled. Source: AWS KMS API Reference, "CancelKeyDeletion".
            let enable = should_be_enabled.then(|| enable(arn));
            Remedy::Changes([cancel].into_iter().chain(enable).collect()).into()
        }
        (Endangered::Scheduled { .. } | Endangered::Disabled, KeyState::Disabled) if should_be_enabled => {
            Remedy::Changes(vec![enable(arn)]).into()
        }
        (Endangered::Scheduled { .. } | Endangered::Disabled, _) => Remedy::AlreadySafe.into(),
        (Endangered::Unrotated, state) => rotate(arn, state, observed.rotation, baseline).into(),
        (Endangered::PolicyPut { .. }, _) => {
            let (Some(live), Some(trust)) = (&observed.policy, trust(arn, trusted)) else {
                return Remedy::AlreadySafe.into();
            };
            close(arn, live, baseline, &trust)
        }
    }
}

fn enable(key: &Arn) -> KeyChange {
    KeyChange::Enabled { key: key.clone(), on: true }
}

/// While a key is to be deleted, KMS says that it does not rotate, and after that again what it said before. Source: AWS
/// KMS API Reference, "`GetKeyRotationStatus`".
fn rotate(key: &Arn, state: &KeyState, live: Option<Rotation>, baseline: Option<&Baseline>) -> Remedy<KeyChange> {
    let wanted = match baseline {
        Some(baseline) => baseline.rotation,
        None => Some(Rotation { on: true, days: live.and_then(|live| live.days) }),
    };
    match (live, wanted) {
        (Some(Rotation { on: false, .. }), Some(Rotation { on: true, .. })) if state.is_pending_deletion() => {
            Remedy::AlreadySafe
        }
        (Some(Rotation { on: false, .. }), Some(Rotation { on: true, days })) if *state == KeyState::Enabled => {
            Remedy::Changes(vec![KeyChange::Rotation { key: key.clone(), on: true, days }])
        }
        (Some(Rotation { on: false, .. }), Some(Rotation { on: true, .. })) => {
            Remedy::Uncontainable { next_step: next_step_unrotated(key, state) }
        }
        _ => Remedy::AlreadySafe,
    }
}

/// Puts back the captured policy, or without one takes the offending statements away; and neither if the key's account
/// could not change the policy thereafter.
fn close(key: &Arn, live: &str, captured: Option<&Baseline>, trust: &policy_document::Trust) -> Judgement {
    let Ok(document) = Document::parse(live) else {
        let next_step = next_step_unclear(key, &["the policy is not understood".to_owned()]);
        return Remedy::Uncontainable { next_step }.into();
    };
    let baseline = captured.and_then(|captured| Document::parse(&captured.policy).ok());
    let policy = judge(&document, baseline.as_ref(), trust);
    let about = policy.about();
    let is_same = captured.is_some_and(|captured| same(Some(&captured.policy), Some(live)));
    if is_same || (about.is_empty() && policy.unclear.is_empty()) {
        return Judgement { remedy: Remedy::AlreadySafe, policy };
    }
    if about.is_empty() {
        let next_step = next_step_unclear(key, &policy.unclear);
        return Judgement { remedy: Remedy::Uncontainable { next_step }, policy };
    }
    let closed = match (baseline, policy.locks_out) {
        (Some(baseline), _) => Some(baseline),
        // Taking away lets nobody in.
        (None, true) => None,
        (None, false) => document.without(&policy.offending).ok().flatten(),
    };
    let closed = closed.filter(|closed| matches!(lockout(closed, trust), Lockout::No | Lockout::LeftToIam));
    let remedy = match closed {
        Some(closed) => {
            let (from, to) = (live.to_owned(), closed.text().to_owned());
            Remedy::Changes(vec![KeyChange::Policy { key: key.clone(), about, opens: false, from, to }])
        }
        None => Remedy::Uncontainable { next_step: next_step_unsafe(key, &about) },
    };
    Judgement { remedy, policy }
}

fn next_step_locked(key: &Arn) -> String {
    format!(
        "`{key}` has a policy that keeps its own account out, so no responder can change it: ask somebody whom the policy \
         names to put back a policy that lets the account in, or else AWS Support (AWS KMS Developer Guide, \"Default key \
         policy\")."
    )
}

fn next_step_unrotated(key: &Arn, state: &KeyState) -> String {
    format!(
        "Rotation of `{key}` is off and can only be turned on while the key is enabled, and it is {state}: decide on the \
         key first, then enable rotation (AWS KMS Developer Guide, \"Rotate AWS KMS keys\")."
    )
}

fn next_step_unclear(key: &Arn, unclear: &[String]) -> String {
    format!(
        "Whether the policy of `{key}` lets in somebody it should not cannot be told ({}): look at it (AWS KMS Developer \
         Guide, \"Key policies in AWS KMS\").",
        unclear.join("; ")
    )
}

fn next_step_unsafe(key: &Arn, about: &BTreeSet<String>) -> String {
    let about: Vec<&str> = about.iter().map(String::as_str).collect();
    format!(
        "The policy of `{key}` is wrong ({}), and neither a captured policy nor what is left without the offending \
         statements would surely let the key's account change it again: write the right policy by hand (AWS KMS Developer \
         Guide, \"Change a key policy\").",
        about.join(", ")
    )
}
