//! What would make it safe again.

use std::collections::BTreeSet;

use cloudtrail::{AccessKeyId, AccountId};
use remedy::{Finding, Remedy, Situation};
use session_denial::Denial;

use crate::change::{KeyChange, KeyStatus};
use crate::key::{Keys, Observed, Owner, Reason, UntrustedKey};

pub(crate) fn remedy(finding: &Finding<UntrustedKey>, observed: &Observed, situation: &Situation) -> Remedy<KeyChange> {
    let subject = &finding.subject;
    if subject.owner == Owner::Root {
        return Remedy::Uncontainable { next_step: next_step_for_root(subject, finding.resource.arn.account()) };
    }
    let Some(user) = &observed.user else {
        return match (&subject.owner, &observed.found_owner) {
            (Owner::HolderOf(key), Some(owner)) => Remedy::Uncontainable { next_step: next_step_for_odd(key, owner) },
            _ => Remedy::AlreadySafe,
        };
    };

    let memory = &situation.memory;
    let ours = |key: &AccessKeyId| memory.held.contains(&KeyChange::key_of_status(key));
    let wanted = |key: &AccessKeyId| memory.is_wanted(&KeyChange::key_of_status(key), situation.now);
    let cut = existing_cut_off(subject, observed, situation);

    let mut changes = Vec::new();
    let mut because_of = BTreeSet::new();
    for key in subject.among(&observed.keys, ours) {
        if subject.reason == Reason::Reactivated && !ours(&key.id) {
            continue;
        }
        if key.active {
            changes.push(KeyChange::Status {
                user: user.name.clone(),
                key: key.id.clone(),
                from: KeyStatus::Active,
                to: KeyStatus::Inactive,
            });
        }
        // INVARIANT (whole containment): the sessions of a key are cut off together with it, or after it by a run that
        // takes over; never if a person said that the key is wanted.
        let open = if key.active { !wanted(&key.id) } else { ours(&key.id) && !cut(&key.id) };
        if open {
            because_of.insert(key.id.clone());
        }
    }
    if let Keys::Session(id) = &subject.keys
        && !cut(id)
    {
        because_of.insert(id.clone());
    }

    let after = Denial::until(situation.now, None).document();
    let already_there = observed.cut_off.as_deref().and_then(Denial::cut_off_of_all) >= Denial::cut_off_of_all(&after);
    if !because_of.is_empty() && !already_there {
        changes.push(KeyChange::CutOff {
            user: user.name.clone(),
            because_of,
            before: observed.cut_off.clone(),
            after: Some(after),
        });
    }
    if changes.is_empty() { Remedy::AlreadySafe } else { Remedy::Changes(changes) }
}

/// Whether the policy that is there ends the sessions of a key that is inactive, or that is itself a session.
///
/// It does if it was written for the sake of that key: by then the key could mint no more. For a key made or activated
/// by the event the policy must also be younger than the event. For a session it is enough that the policy is younger
/// than the event that saw it.
fn existing_cut_off<'a>(
    subject: &'a UntrustedKey,
    observed: &Observed,
    situation: &'a Situation,
) -> impl Fn(&AccessKeyId) -> bool + 'a {
    let time = observed.cut_off.as_deref().and_then(Denial::cut_off_of_all);
    let after_event = time > situation.event_time;
    move |key| {
        let for_its_sake = situation.memory.held.iter().any(|change| KeyChange::cuts_off(change, key));
        match &subject.keys {
            _ if time.is_none() => false,
            Keys::Session(_) => for_its_sake || (situation.event_time.is_some() && after_event),
            _ => for_its_sake && (after_event || !subject.reason.began_with_the_event()),
        }
    }
}

/// Sources: IAM User Guide, "Delete access keys for the root user", "Perform a privileged task on an AWS Organizations
/// member account", and for what policies cannot do "Disabling permissions for temporary security credentials".
fn next_step_for_root(subject: &UntrustedKey, account: Option<AccountId>) -> String {
    let whose = account.map_or_else(|| "the root user".to_owned(), |id| format!("the root user of account {id}"));
    let what = match &subject.keys {
        Keys::One(key) if key.is_long_term() => format!("delete access key {key}"),
        Keys::One(_) | Keys::Session(_) | Keys::AllActive | Keys::CreatedAt(_) => {
            "change the password, check the MFA devices and delete every access key".to_owned()
        }
    };
    format!(
        "No IAM policy binds {whose}: sign in as root and {what}, or, in a member account, delete root's credentials from \
         the organization's management account (sts:AssumeRoot with the task policy IAMDeleteRootUserCredentials) and \
         end open sessions with a service control policy that denies root (IAM User Guide, \"Delete access keys for \
         the root user\" and \"Perform a privileged task on an AWS Organizations member account\")."
    )
}

fn next_step_for_odd(key: &AccessKeyId, owner: &str) -> String {
    format!(
        "IAM says that access key {key} belongs to `{owner}` and knows no user of that name: if it is a key of root's, \
         sign in as root and delete it (IAM User Guide, \"Delete access keys for the root user\")."
    )
}
