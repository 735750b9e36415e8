//! Closes the trust of a role that was opened to somebody who should not assume it, and ends the sessions minted since.
//!
//! A role's trust is opened when it lets in everybody, a foreign account or a foreign identity provider, all users of an
//! identity provider, or somebody who until now had to give an external id, to use MFA or to be a certain user of a
//! provider. What a role should trust, a baseline tells; without one only the statements that are wrong for sure are
//! taken away. Closing the trust leaves sessions alive for hours, so the role also gets an inline policy that denies
//! everything to those minted before now, see [`session_denial`].

#[cfg(feature = "aws")]
pub mod aws;
mod called;
mod change;
mod judge;
mod remedies;
mod role;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use cloudtrail::{Event, EventError};
use futures_util::future::join;
use policy::{Facts, Resource, Warrant};
use policy_document::{Access, OpeningKind, decode, same};
use remedy::{Applied, CallError, Finding, Plan, Responder, Situation, Spec};
use serde_json::Value;
use session_denial::name;

pub use change::{Intruders, TrustChange};
pub use judge::NOBODY;
pub use role::{Baseline, LiveRole, Observed, Roles, WrittenTrust};

/// The responder, over IAM or a fake of it.
#[derive(Debug, Clone)]
pub struct RestoreRoleTrust<R>(pub R);

impl<R: Roles> Responder for RestoreRoleTrust<R> {
    const SPEC: Spec = remedy::spec!();
    type Subject = WrittenTrust;
    type Observed = Observed;
    type Change = TrustChange;

    fn detect(event: &Event) -> Result<Vec<Finding<WrittenTrust>>, EventError> {
        Ok(called::finding(event)?.into_iter().collect())
    }

    fn presume(finding: &Finding<WrittenTrust>) -> Observed {
        let WrittenTrust { role, document, .. } = &finding.subject;
        // Where the record leaves the document out, there is nothing to expect.
        let role = document.clone().map(|trust| LiveRole {
            name: role.clone(),
            id: None,
            arn: finding.resource.arn.clone(),
            path: None,
            trust,
            has_boundary: None,
            tags: None,
        });
        Observed { role, cut_off: None }
    }

    async fn observe(&self, finding: &Finding<WrittenTrust>) -> Result<Observed, CallError> {
        let name = &finding.subject.role;
        let (role, cut_off) = join(self.0.role(name), self.0.inline_policy(name, name::OPENED_TRUST)).await;
        Ok(Observed { role: role?.map(remedies::decoded), cut_off: cut_off?.as_deref().map(decode) })
    }

    fn plan(finding: &Finding<WrittenTrust>, observed: &Observed, situation: &Situation) -> Plan<TrustChange> {
        Plan {
            resource: observed.role.as_ref().map_or_else(|| finding.resource.clone(), LiveRole::resource),
            facts: facts(&finding.subject, observed, situation),
            remedy: remedies::remedy(finding, observed, situation),
        }
    }

    fn holds(change: &TrustChange, observed: &Observed) -> bool {
        match change {
            TrustChange::Trust { after, .. } => {
                observed.role.as_ref().is_some_and(|role| same(Some(&role.trust), Some(after)))
            }
            TrustChange::CutOff { after, .. } => same(observed.cut_off.as_deref(), after.as_deref()),
        }
    }

    async fn capture(&self) -> Result<Vec<(Resource, Value)>, CallError> {
        let roles = self.0.all().await?.into_iter().map(remedies::decoded);
        let captured = roles.map(|role| {
            let (resource, baseline) = (role.resource(), Baseline { role_id: role.id, trust: role.trust });
            (resource, serde_json::json!(baseline))
        });
        Ok(captured.collect())
    }

    async fn apply(&self, change: &TrustChange, _: &Warrant) -> Result<Applied, CallError> {
        match change {
            TrustChange::Trust { role, after, .. } => self.0.set_trust(role, after).await,
            TrustChange::CutOff { role, after: Some(document), .. } => {
                self.0.put_inline_policy(role, name::OPENED_TRUST, document).await
            }
            TrustChange::CutOff { role, after: None, .. } => {
                self.0.delete_inline_policy(role, name::OPENED_TRUST).await
            }
        }
    }
}

fn facts(subject: &WrittenTrust, observed: &Observed, situation: &Situation) -> Facts {
    let role = observed.role.as_ref();
    let judged = role.and_then(|role| remedies::judged(role, situation)).map(|(judged, _)| judged);
    let wrongs = judged.as_ref().map_or(&[][..], |judged| &judged.wrongs);
    let access = wrongs.iter().map(|wrong| match &wrong.what {
        OpeningKind::Admits(Access::Public) => (3, "public"),
        OpeningKind::Admits(Access::Foreign(_)) => (2, "foreign"),
        OpeningKind::Admits(_) => (1, "federated"),
        OpeningKind::Loosens(_) => (0, "loosened"),
    });
    let lost = wrongs.iter().filter_map(|wrong| match &wrong.what {
        OpeningKind::Loosens(guard) => Some(guard.to_string()),
        OpeningKind::Admits(_) => None,
    });
    let principals: BTreeSet<String> = wrongs.iter().map(|wrong| wrong.principal.clone()).collect();
    let foreign: BTreeSet<String> = wrongs.iter().flat_map(judge::Wrong::foreign_accounts).collect();
    Facts::new()
        .with("roleName", subject.role.clone())
        .with("created", subject.is_new)
        .with("baseline", role.is_some_and(|role| remedies::baseline(role, &situation.memory).is_some()))
        .with("access", access.max().map_or("none", |(_, name)| name))
        .with("principals", principals)
        .with("foreignAccounts", foreign)
        .with("lost", lost.collect::<BTreeSet<String>>())
        .with("requiresExternalId", !wrongs.is_empty() && wrongs.iter().all(|wrong| wrong.external_id))
        .with("requiresMfa", !wrongs.is_empty() && wrongs.iter().all(|wrong| wrong.mfa))
        .with("unclear", role.is_some() && judged.as_ref().is_none_or(|judged| !judged.doubts.is_empty()))
        .with_known("rolePath", role.and_then(|role| role.path.as_deref()))
        .with_known("boundary", role.and_then(|role| role.has_boundary))
}
