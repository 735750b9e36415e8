//! What would make it safe again.

use remedy::{Finding, Remedy, Situation};
use session_denial::{Denial, RoleSession, name};

use crate::change::DenialChange;
use crate::statements;
use crate::stolen::{Holder, LiveRole, Observed, StolenCredentials};

pub(crate) fn remedy(
    finding: &Finding<StolenCredentials>,
    observed: &Observed,
    situation: &Situation,
) -> Remedy<DenialChange> {
    let subject = &finding.subject;
    let session = match &subject.holder {
        Holder::FederatedUser { .. } => return Remedy::Uncontainable { next_step: next_step_for_federated(subject) },
        Holder::Role { session, .. } => session.as_ref(),
    };
    let Some(role) = observed.role.as_ref().filter(|role| is_the_same(role, session)) else {
        return Remedy::AlreadySafe;
    };
    if let Some(next_step) = next_step_for_kept(role, session) {
        return Remedy::Uncontainable { next_step };
    }
    let denial = Denial::until(situation.now, session.cloned());
    if is_denied(subject, &denial, observed, situation) {
        return Remedy::AlreadySafe;
    }
    Remedy::Changes(vec![DenialChange {
        role: role.name.clone(),
        because_of: subject.key.clone(),
        lifts: false,
        before: observed.policy.clone(),
        after: Some(statements::with(observed.policy.as_deref(), &denial, situation.now)),
        denial,
    }])
}

/// Whether it is still the role of the session. What a deleted role had minted can do nothing, whoever has it, and
/// another role of the same name is not concerned.
fn is_the_same(role: &LiveRole, session: Option<&RoleSession>) -> bool {
    match (&role.id, session) {
        (Some(id), Some(session)) => id == session.role_id(),
        _ => true,
    }
}

/// Whether what was stolen is denied already, by us or by a person.
///
/// It is if the cut-off is later than the event that saw it. `GuardDuty` goes on updating a finding while its key is
/// tried: so it is as well if we have written a denial for the sake of this very key.
fn is_denied(subject: &StolenCredentials, wanted: &Denial, observed: &Observed, situation: &Situation) -> bool {
    let ours = statements::denials(observed.policy.as_deref());
    let others = observed.others.values().filter_map(|policy| Denial::read(policy));
    let reaches = |denial: &Denial| denial.session.is_none() || denial.session == wanted.session;
    let Some(cut_off) = ours.chain(others).filter(reaches).map(|denial| denial.before).max() else { return false };
    let key = DenialChange::key_of(wanted.session.as_ref(), subject.key.as_ref());
    let for_its_sake = subject.key.is_some() && situation.memory.held.contains(&key);
    for_its_sake || situation.event_time.is_some_and(|event| cut_off > event) || cut_off >= wanted.before
}

/// What a person can do about a role that only AWS can change.
fn next_step_for_kept(role: &LiveRole, session: Option<&RoleSession>) -> Option<String> {
    let (name, path) = (role.name.as_str(), role.path.as_deref());
    // Only AWS can make roles under these paths. A name is anybody's to choose and counts only where no path is known.
    let is_kept = |its_path: &str, its_name: &str| match path {
        Some(path) => path.starts_with(its_path),
        None => name.starts_with(its_name),
    };
    let whose = session.map_or_else(String::new, |session| format!(" of session `{}`", session.name()));
    if is_kept("/aws-reserved/", "AWSReservedSSO_") {
        return Some(format!(
            "Credentials{whose} of `{name}` are misused, and only IAM Identity Center can change its roles: attach the \
             session's denial to the permission set there, disable the user, and end the sessions of the user in the \
             access portal (IAM Identity Center User Guide, \"Revoke active IAM role sessions created by permission \
             sets\")."
        ));
    }
    is_kept("/aws-service-role/", "AWSServiceRoleFor").then(|| {
        format!(
            "Credentials{whose} of the service-linked role `{name}` are misused, and nobody but its AWS service can change \
             it: isolate what uses the role, delete the role by way of its service if that is possible, and ask AWS \
             Support (IAM User Guide, \"Revoke IAM role temporary security credentials\" and \"Service-linked roles\")."
        )
    })
}

fn next_step_for_federated(subject: &StolenCredentials) -> String {
    let Holder::FederatedUser { name } = &subject.holder else { return String::new() };
    let whose = name.as_ref().map_or_else(String::new, |name| format!(" `{name}`"));
    let which = subject.key.as_ref().map_or_else(String::new, |key| format!(" {key}"));
    format!(
        "The misused key{which} is that of federated user{whose}, and belongs to the IAM user who called GetFederationToken \
         for it, whom the finding does not name: find that call in CloudTrail, disable the key that made it, and deny that \
         user's older sessions with an inline policy on `aws:TokenIssueTime` named `{}` (IAM User Guide, \"Disabling \
         permissions for temporary security credentials\").",
        name::UNTRUSTED_KEY
    )
}
