//! Denies everything to stolen sessions of a role.
//!
//! `GuardDuty` sees when credentials of a role are used as their owner would not: outside of the instance that they were
//! given to, from an odd network, for odd calls. Such a session cannot be closed. What it may do is denied by an inline
//! policy on the role, see [`session_denial`]: to that session where the finding names it, to all sessions of the role
//! where it does not, and always only to credentials issued before now. So the role's other sessions go on, and the same
//! instance's next credentials work again.
//!
//! Our policy on a role has a statement for each denial. A change is one statement: two incidents of one role are undone
//! one without the other.
//!
//! Keys and sessions of users are `disable-access-key`'s to deal with.

#[cfg(feature = "aws")]
pub mod aws;
mod change;
mod remedies;
mod seen;
mod statements;
mod stolen;
#[cfg(test)]
mod tests;

use cloudtrail::{AccessKeyId, Event, EventError};
use futures_util::future::join4;
use policy::{Facts, Warrant};
use policy_document::{decode, same};
use remedy::{Applied, CallError, Finding, Plan, Responder, Situation, Spec};
use session_denial::{MARGIN, RoleSession, name};

pub use change::DenialChange;
pub use stolen::{Holder, LiveRole, Observed, Roles, StolenCredentials};

/// The responder, over IAM or a fake of it.
#[derive(Debug, Clone)]
pub struct RevokeRoleSessions<R>(pub R);

impl<R: Roles> Responder for RevokeRoleSessions<R> {
    const SPEC: Spec = remedy::spec!();
    type Subject = StolenCredentials;
    type Observed = Observed;
    type Change = DenialChange;

    fn detect(event: &Event) -> Result<Vec<Finding<StolenCredentials>>, EventError> {
        Ok(seen::finding(event)?.into_iter().collect())
    }

    fn presume(finding: &Finding<StolenCredentials>) -> Observed {
        let Holder::Role { name, .. } = &finding.subject.holder else { return Observed::default() };
        let (name, arn) = (name.clone(), finding.resource.arn.clone());
        Observed { role: Some(LiveRole { name, id: None, arn, path: None, tags: None }), ..Observed::default() }
    }

    async fn observe(&self, finding: &Finding<StolenCredentials>) -> Result<Observed, CallError> {
        let Holder::Role { name: role, .. } = &finding.subject.holder else { return Ok(Observed::default()) };
        let (found, policy, opened, by_console) = join4(
            self.0.role(role),
            self.policy(role, name::STOLEN_SESSIONS),
            self.policy(role, name::OPENED_TRUST),
            self.policy(role, name::BY_CONSOLE),
        )
        .await;
        let others = [(name::OPENED_TRUST, opened?), (name::BY_CONSOLE, by_console?)];
        let others = others.into_iter().filter_map(|(name, policy)| Some((name.to_owned(), policy?))).collect();
        Ok(Observed { role: found?, policy: policy?, others })
    }

    fn plan(finding: &Finding<StolenCredentials>, observed: &Observed, situation: &Situation) -> Plan<DenialChange> {
        Plan {
            resource: observed.role.as_ref().map_or_else(|| finding.resource.clone(), LiveRole::resource),
            facts: facts(&finding.subject, observed),
            remedy: remedies::remedy(finding, observed, situation),
        }
    }

    fn holds(change: &DenialChange, observed: &Observed) -> bool {
        is_so(change, observed.policy.as_deref())
    }

    /// Looks once more right before it writes, since IAM has no way to write a policy only if it has not changed: what
    /// another run has written since we planned stays.
    async fn apply(&self, change: &DenialChange, _: &Warrant) -> Result<Applied, CallError> {
        let role = &change.role;
        let live = self.policy(role, name::STOLEN_SESSIONS).await?;
        if is_so(change, live.as_deref()) {
            return Ok(Applied::AlreadySo);
        }
        match rewritten(change, live.as_deref()) {
            Some(document) => self.0.put_inline_policy(role, name::STOLEN_SESSIONS, &document).await,
            None => self.0.delete_inline_policy(role, name::STOLEN_SESSIONS).await,
        }
    }
}

impl<R: Roles> RevokeRoleSessions<R> {
    async fn policy(&self, role: &str, policy: &str) -> Result<Option<String>, CallError> {
        Ok(self.0.inline_policy(role, policy).await?.as_deref().map(decode))
    }
}

/// Whether our policy is as the change leaves it. A denial is lifted where its statement is gone and not just changed.
fn is_so(change: &DenialChange, live: Option<&str>) -> bool {
    let is_there = statements::has(live, &change.denial);
    if change.lifts {
        !is_there && statements::strangers(live) == statements::strangers(change.after.as_deref())
    } else {
        is_there
    }
}

/// What becomes of our policy; `None` if it goes.
fn rewritten(change: &DenialChange, live: Option<&str>) -> Option<String> {
    let DenialChange { denial, lifts, before, after, .. } = change;
    if same(live, before.as_deref()) {
        return after.clone();
    }
    match (lifts, statements::has(live, denial)) {
        (false, _) => {
            let planned = denial.before.checked_sub_signed(MARGIN).unwrap_or(denial.before);
            Some(statements::with(live, denial, planned))
        }
        (true, true) => statements::without(live, denial),
        // Somebody has changed our statement, and the operator wants it undone all the same.
        (true, false) => after.clone(),
    }
}

fn facts(subject: &StolenCredentials, observed: &Observed) -> Facts {
    let (role, session) = match &subject.holder {
        Holder::Role { name, session } => (Some(name.as_str()), session.as_ref()),
        Holder::FederatedUser { .. } => (None, None),
    };
    Facts::new()
        .with("guarddutyType", subject.kind.as_str())
        .with("guarddutyCount", i64::try_from(subject.count).unwrap_or(i64::MAX))
        .with("instance", session.is_some_and(|session| session.name().starts_with("i-")))
        .with("wholeRole", role.is_some() && session.is_none())
        .with_known("roleName", role)
        .with_known("rolePath", observed.role.as_ref().and_then(|role| role.path.as_deref()))
        .with_known("roleSession", session.map(RoleSession::name))
        .with_known("temporaryKeyId", subject.key.as_ref().map(AccessKeyId::as_str))
}
