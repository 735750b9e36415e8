//! Takes away what makes an administrator of somebody: a policy that was attached or written, a policy version that
//! counts from now on, a membership in a group.
//!
//! Whether policies make an administrator is told by what they say and not by what they are called: see
//! `docs/policy-analysis.md` and [`Level`]. Only the one thing that the event gave is taken away, and only while it is
//! there and still makes an administrator: live state decides. What cannot be told is reported and left alone.

#[cfg(feature = "aws")]
pub mod aws;
mod baseline;
mod called;
mod change;
pub mod document;
mod grant;
mod judge;
mod live;
mod observe;
mod remedies;
#[cfg(test)]
mod tests;

use cloudtrail::{Arn, Event, EventError};
use policy::{Resource, Warrant};
use remedy::{Applied, CallError, CallErrorKind, Finding, Plan, Responder, Situation, Spec};
use serde_json::Value;

pub use baseline::Baseline;
pub use change::{Privilege, PrivilegeChange};
pub use grant::{Grant, Granted, Identity, IdentityKind};
pub use judge::{Judged, Level};
pub use live::{Entity, Held, InlinePolicies, ManagedPolicy, Observed, Policies, Version};

/// The responder, over IAM or a fake of it.
#[derive(Debug, Clone)]
pub struct DetachAdminPolicy<P>(pub P);

impl<P: Policies> Responder for DetachAdminPolicy<P> {
    const SPEC: Spec = remedy::spec!();
    type Subject = Granted;
    type Observed = Observed;
    type Change = PrivilegeChange;

    fn detect(event: &Event) -> Result<Vec<Finding<Granted>>, EventError> {
        Ok(called::finding(event)?.into_iter().collect())
    }

    fn presume(finding: &Finding<Granted>) -> Observed {
        let Granted { grant, judged, .. } = &finding.subject;
        let held = match grant {
            Grant::Attached { policy, .. } => Held::There(policy.clone()),
            Grant::Inline { .. } => Held::Document(String::new()),
            Grant::Version { version, .. } => Held::Default {
                version: version.clone().unwrap_or_else(|| "(the new one)".to_owned()),
                others: vec![Version { id: "(the one before)".to_owned(), judged: Judged::default() }],
                attachments: None,
            },
            Grant::Member { group, .. } => {
                Held::There(finding.resource.arn.sibling(None, &format!("{}/{group}", IdentityKind::Group.name())))
            }
        };
        let entity = presumed_entity(grant, &finding.resource.arn);
        Observed { entity: Some(entity), held, judged: judged.clone() }
    }

    async fn observe(&self, finding: &Finding<Granted>) -> Result<Observed, CallError> {
        let Some(account) = finding.resource.arn.account() else { return Ok(Observed::default()) };
        observe::observe(&self.0, &finding.subject.grant, &account).await
    }

    fn plan(finding: &Finding<Granted>, observed: &Observed, situation: &Situation) -> Plan<PrivilegeChange> {
        let resource = |entity: &Entity| entity.resource(finding.resource.kind.clone());
        let captured = remedies::captured(&finding.subject.grant, situation);
        Plan {
            resource: observed.entity.as_ref().map_or_else(|| finding.resource.clone(), resource),
            facts: remedies::facts(&finding.subject, observed, captured.as_deref()),
            remedy: remedies::remedy(&finding.subject.grant, observed, captured),
        }
    }

    fn holds(change: &PrivilegeChange, observed: &Observed) -> bool {
        let takes_away = matches!(change, PrivilegeChange::TakeAway(_));
        match change.privilege() {
            Privilege::Attached { .. } | Privilege::Member { .. } => {
                matches!(observed.held, Held::There(_)) != takes_away
            }
            Privilege::Inline { document, instead, .. } => {
                let expected = if takes_away { instead.as_deref() } else { Some(document.as_str()) };
                let found = match &observed.held {
                    Held::Document(text) => Some(text.as_str()),
                    _ => None,
                };
                policy_document::same(found, expected)
            }
            Privilege::Version { version, instead, .. } => {
                let expected = if takes_away { instead } else { version };
                matches!(&observed.held, Held::Default { version, .. } if version == expected)
            }
        }
    }

    async fn apply(&self, change: &PrivilegeChange, _: &Warrant) -> Result<Applied, CallError> {
        let Self(iam) = self;
        match change {
            PrivilegeChange::TakeAway(privilege) => match privilege {
                Privilege::Attached { to, policy } => iam.detach(to, policy).await,
                Privilege::Inline { of, policy, instead: Some(text), .. } => {
                    match iam.put_inline(of, policy, text).await {
                        Err(error) if error.kind == CallErrorKind::Gone => Ok(Applied::AlreadySo),
                        answer => answer,
                    }
                }
                Privilege::Inline { of, policy, instead: None, .. } => iam.delete_inline(of, policy).await,
                Privilege::Version { policy, instead, .. } => iam.set_default(policy, instead).await,
                Privilege::Member { user, group } => iam.leave(user, group).await,
            },
            PrivilegeChange::GiveBack(privilege) => match privilege {
                Privilege::Attached { to, policy } => iam.attach(to, policy).await,
                Privilege::Inline { of, policy, document, .. } => iam.put_inline(of, policy, document).await,
                Privilege::Version { policy, version, .. } => iam.set_default(policy, version).await,
                Privilege::Member { user, group } => iam.join(user, group).await,
            },
        }
    }

    async fn capture(&self) -> Result<Vec<(Resource, Value)>, CallError> {
        baseline::capture(&self.0).await
    }
}

/// Whom the event lets us expect. The paths of AWS's own roles follow from their names: not from where we act, only for
/// a prediction.
fn presumed_entity(grant: &Grant, named: &Arn) -> Entity {
    let name = named.name();
    let arn = match grant.holder().map(|holder| holder.kind) {
        Some(IdentityKind::Role) if name.starts_with("AWSReservedSSO_") => {
            named.sibling(None, &format!("role/aws-reserved/sso.amazonaws.com/{name}"))
        }
        Some(IdentityKind::Role) if name.starts_with("AWSServiceRoleFor") => {
            named.sibling(None, &format!("role/aws-service-role/{name}"))
        }
        _ => named.clone(),
    };
    Entity { name: name.to_owned(), arn, tags: None }
}
