//! What would make it safe again.

use std::error::Error;

use policy_document::{Document, Trust, decode};
use remedy::{Finding, Memory, Remedy, Situation};
use serde::Deserialize;
use session_denial::Denial;

use crate::change::{Intruders, TrustChange};
use crate::judge::{Judged, NOBODY, is_safe, trust_of};
use crate::role::{Baseline, Keeper, LiveRole, Observed, WrittenTrust};

/// What the operator said the trust of this very role should be.
pub(crate) fn baseline(role: &LiveRole, memory: &Memory) -> Option<Document> {
    let kept = memory.baseline.as_ref()?;
    let unreadable =
        |error: &(dyn Error + 'static)| tracing::warn!(error, role = role.name, "no baseline is understood");
    let kept = Baseline::deserialize(kept).inspect_err(|error| unreadable(error)).ok()?;
    let is_other = matches!((&kept.role_id, &role.id), (Some(then), Some(now)) if then != now);
    Document::parse(&kept.trust).inspect_err(|error| unreadable(error)).ok().filter(|_| !is_other)
}

/// The trust of the role, if it can be read.
pub(crate) fn judged(role: &LiveRole, situation: &Situation) -> Option<(Judged, Trust)> {
    let trust = trust_of(&role.arn, &situation.trusted)?;
    let document = Document::parse(&role.trust).ok()?;
    Some((Judged::new(document, baseline(role, &situation.memory).as_ref(), &trust), trust))
}

pub(crate) fn remedy(
    finding: &Finding<WrittenTrust>,
    observed: &Observed,
    situation: &Situation,
) -> Remedy<TrustChange> {
    let (subject, memory) = (&finding.subject, &situation.memory);
    let Some(role) = &observed.role else { return Remedy::AlreadySafe };
    let Some((mut judged, trust)) = judged(role, situation) else {
        return Remedy::Uncontainable { next_step: next_step_for_unreadable(role) };
    };
    if !judged.wrongs.is_empty()
        && let Some(keeper) = role.keeper()
    {
        return Remedy::Uncontainable { next_step: next_step_for_kept(role, keeper, &judged.intruders()) };
    }
    let all = judged.intruders();
    if !memory.is_wanted(&TrustChange::key_of_trust(&all), situation.now) {
        judged.tolerate(&wanted(situation));
    }
    let because_of = judged.intruders();
    if because_of.is_empty() {
        let unfinished = unfinished(memory).filter(|_| may_have_opened(subject, role, situation));
        return match unfinished.and_then(|because_of| cut_off(role, because_of, observed, situation)) {
            Some(change) => Remedy::Changes(vec![change]),
            None if judged.doubts.is_empty() => Remedy::AlreadySafe,
            None => Remedy::Uncontainable { next_step: next_step_for_doubts(role, &judged) },
        };
    }
    let Ok(mended) = judged.mended() else {
        return Remedy::Uncontainable { next_step: next_step_for_unreadable(role) };
    };
    let is_as_made = subject.is_new && subject.document.as_deref().is_none_or(|made| judged.is(made));
    let is_whole = because_of == all;
    let baseline = baseline(role, memory).filter(|document| is_whole && is_safe(document, &trust));
    let after = match baseline {
        _ if is_as_made => NOBODY.to_owned(),
        Some(document) => document.text().to_owned(),
        None => mended,
    };
    let mut changes = vec![TrustChange::Trust {
        role: role.name.clone(),
        because_of: because_of.clone(),
        closes: true,
        before: role.trust.clone(),
        after,
    }];
    // INVARIANT (whole containment): closing the trust leaves alive what was minted through it, so the sessions are ended
    // after it, or by a run that takes over.
    changes.extend(cut_off(role, because_of, observed, situation));
    Remedy::Changes(changes)
}

/// Those whom undos have let in again.
fn wanted(situation: &Situation) -> Intruders {
    let memory = &situation.memory;
    let keys = memory.wanted.keys().filter(|key| memory.is_wanted(key, situation.now));
    keys.filter_map(TrustChange::closed_to).flatten().collect()
}

/// Whether the call let in somebody who should not be, so that its sessions may be our business though the trust is closed.
fn may_have_opened(subject: &WrittenTrust, role: &LiveRole, situation: &Situation) -> bool {
    let Some(trust) = subject.document.clone() else { return true };
    judged(&LiveRole { trust, ..role.clone() }, situation).is_some_and(|(then, _)| !then.wrongs.is_empty())
}

/// Those to whom we closed the trust, by a run that died before it ended their sessions.
fn unfinished(memory: &Memory) -> Option<Intruders> {
    let mut closed = memory.held.iter().filter_map(TrustChange::closed_to);
    closed.find(|intruders| !memory.held.contains(&TrustChange::key_of_cut_off(intruders)))
}

/// `None` if as much is denied already.
fn cut_off(role: &LiveRole, because_of: Intruders, observed: &Observed, situation: &Situation) -> Option<TrustChange> {
    let after = Denial::until(situation.now, None).document();
    let there = observed.cut_off.as_deref().and_then(Denial::cut_off_of_all);
    (there < Denial::cut_off_of_all(&after)).then(|| TrustChange::CutOff {
        role: role.name.clone(),
        because_of,
        before: observed.cut_off.clone(),
        after: Some(after),
    })
}

fn next_step_for_kept(role: &LiveRole, keeper: Keeper, intruders: &Intruders) -> String {
    let (name, who) = (&role.name, intruders.iter().map(String::as_str).collect::<Vec<_>>().join(", "));
    match keeper {
        Keeper::Service => format!(
            "The trust of the service-linked role `{name}` lets in {who}, and only the AWS service that it belongs to can \
             change it: ask AWS Support, and delete the role by way of its service if it is not needed (IAM User Guide, \
             \"Service-linked roles\")."
        ),
        Keeper::IdentityCenter => format!(
            "The trust of `{name}` lets in {who}, and only IAM Identity Center can change its roles: remove the account \
             assignments of its permission set there, end the role's sessions, and provision it anew (IAM Identity Center \
             User Guide, \"Revoke active IAM role sessions created by permission sets\")."
        ),
    }
}

fn next_step_for_unreadable(role: &LiveRole) -> String {
    format!(
        "The trust policy of role `{}` is not one that we can read: look at it, and write a new one if somebody is let in \
         who should not be (IAM User Guide, \"Update a role trust policy\").",
        role.name
    )
}

fn next_step_for_doubts(role: &LiveRole, judged: &Judged) -> String {
    format!(
        "Whom the trust policy of role `{}` lets in cannot be told, so nothing was changed: {}. Look whether that is wanted \
         (IAM User Guide, \"AWS JSON policy elements: Principal\"); list organization and accounts that are trusted in \
         `trusted.json`.",
        role.name,
        judged.doubts.iter().map(String::as_str).collect::<Vec<_>>().join("; ")
    )
}

/// The text of what IAM gave.
pub(crate) fn decoded(mut role: LiveRole) -> LiveRole {
    role.trust = decode(&role.trust);
    role
}
