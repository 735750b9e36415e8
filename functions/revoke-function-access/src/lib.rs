//! Takes back what lets anybody, or a foreign account, call a Lambda function or read a layer.
//!
//! Three ways lead there: a statement in the policy of a function, version or alias; a statement in the policy of a
//! layer version; a function URL that asks nobody who they are. Of a policy the one statement is removed that the call
//! added, if live it still lets in whom it should not and if `AddPermission` can write it again. A URL is set to ask for
//! a signature, and the statements for it stay: those that AWS's console and tools add hold only for a URL that asks
//! nobody, so an undo has only the URL to set back.
//!
//! Lambda's policies have revisions, and each write names the one that was read just before it: what somebody else
//! changed in between is looked at first.

use std::collections::BTreeMap;

use cloudtrail::{Event, EventError};
use futures_util::future::join3;
use policy::{Resource, Warrant};
use policy_document::{Document, DocumentError};
use remedy::{Applied, CallError, Finding, Plan, Responder, Situation, Spec};

use crate::called::{By, Opened};
use crate::change::AccessChange;
use crate::judged::Judgement;
use crate::permission::Permission;
use crate::target::{AuthType, Functions, Observed, Target};

#[cfg(feature = "aws")]
pub mod aws;
pub mod called;
pub mod change;
mod judged;
pub mod permission;
pub mod target;
#[cfg(test)]
mod tests;

/// The responder, over the part of AWS Lambda that it needs.
#[derive(Debug)]
pub struct RevokeFunctionAccess<F>(pub F);

impl<F: Functions> Responder for RevokeFunctionAccess<F> {
    const SPEC: Spec = remedy::spec!();
    type Subject = Opened;
    type Observed = Observed;
    type Change = AccessChange;

    fn detect(event: &Event) -> Result<Vec<Finding<Opened>>, EventError> {
        Ok(called::finding(event)?.into_iter().collect())
    }

    fn presume(finding: &Finding<Opened>) -> Observed {
        match &finding.subject.by {
            By::Statement { presumed, .. } => {
                Observed { policy: presumed.clone(), tags: finding.resource.tags.clone(), auth_type: None }
            }
            By::Url => Observed { auth_type: Some(AuthType::None), ..Observed::default() },
        }
    }

    async fn observe(&self, finding: &Finding<Opened>) -> Result<Observed, CallError> {
        let target = &finding.subject.target;
        let policy = async { Ok::<_, CallError>(self.0.policy(target).await?.map(|policy| policy.document)) };
        match target {
            Target::Function { name, qualifier } => {
                let auth_type = self.0.auth_type(name, qualifier.as_deref());
                let (policy, auth_type, tags) = join3(policy, auth_type, self.0.tags(&finding.resource.arn)).await;
                Ok(Observed { policy: policy?, auth_type: auth_type?, tags: tags? })
            }
            Target::Layer { .. } => {
                Ok(Observed { policy: policy.await?, auth_type: None, tags: Some(BTreeMap::new()) })
            }
        }
    }

    fn plan(finding: &Finding<Opened>, observed: &Observed, situation: &Situation) -> Plan<AccessChange> {
        let judgement = Judgement::of(&finding.subject, observed, situation);
        Plan {
            resource: Resource { tags: observed.tags.clone(), ..finding.resource.clone() },
            facts: judgement.facts(&finding.subject, observed),
            remedy: judgement.remedy(&finding.subject, observed),
        }
    }

    fn holds(change: &AccessChange, observed: &Observed) -> bool {
        let statement = |permission: &Permission| statement(observed.policy.as_deref(), &permission.sid);
        match change {
            AccessChange::Remove { permission, .. } => statement(permission).is_ok_and(|live| live.is_none()),
            AccessChange::Add { permission, .. } => statement(permission).is_ok_and(|live| makes(permission, live)),
            AccessChange::Url { to, .. } => observed.auth_type == Some(*to),
        }
    }

    async fn apply(&self, change: &AccessChange, _: &Warrant) -> Result<Applied, CallError> {
        let (target, permission) = match change {
            AccessChange::Remove { target, permission } | AccessChange::Add { target, permission } => {
                (target, permission)
            }
            AccessChange::Url { function, qualifier, to, .. } => {
                return self.0.set_auth_type(function, qualifier.as_deref(), *to).await;
            }
        };
        let (text, revision) = match self.0.policy(target).await? {
            Some(live) => (Some(live.document), live.revision),
            None => (None, None),
        };
        let live = statement(text.as_deref(), &permission.sid).map_err(|error| unreadable(target, error))?;
        let is_there = makes(permission, live);
        match change {
            AccessChange::Remove { .. } if is_there => {
                self.0.remove(target, &permission.sid, revision.as_deref()).await
            }
            AccessChange::Add { .. } if !is_there => self.0.add(target, permission, revision.as_deref()).await,
            _ => Ok(Applied::AlreadySo),
        }
    }
}

/// The text of the statement that a policy has under an id.
fn statement(policy: Option<&str>, sid: &str) -> Result<Option<String>, DocumentError> {
    let Some(document) = policy.map(Document::parse).transpose()? else { return Ok(None) };
    let index = document.statements().iter().position(|statement| statement.sid() == Some(sid));
    Ok(index.and_then(|index| document.statement_text(index)).map(str::to_owned))
}

/// Whether these parameters make this statement.
fn makes(permission: &Permission, statement: Option<String>) -> bool {
    statement.and_then(|text| Permission::read(&text)).is_some_and(|live| live == *permission)
}

fn unreadable(target: &Target, error: DocumentError) -> CallError {
    let action = match target {
        Target::Function { .. } => "lambda:GetPolicy",
        Target::Layer { .. } => "lambda:GetLayerVersionPolicy",
    };
    CallError::refused(action, error)
}
