//! Denies the AWS console to an IAM user whose password or MFA somebody else changed, or who signed in without MFA.
//!
//! A login profile that is deleted cannot be put back, since nobody knows the password. So nothing is deleted: an inline
//! policy denies everything to what the console works with, see [`deny`]. The user's long-term access keys keep working.
//! Root is bound by no policy: then a person is told what to do.

use cloudtrail::{AccountId, Event, EventError};
use futures_util::future::join4;
use policy::{Facts, Warrant};
use remedy::{Applied, CallError, Finding, Plan, Remedy, Responder, Situation, Spec};

#[cfg(feature = "aws")]
pub mod aws;
mod change;
pub mod deny;
mod sources;
#[cfg(test)]
mod tests;
mod user;

use crate::deny::Sessions;
pub use change::{Exposure, PolicyChange};
pub use user::{Doubtful, LiveUser, Observed, Reason, SignIn, Users, Who};

/// The responder, over IAM or a fake of it.
#[derive(Debug, Clone)]
pub struct DenyConsoleLogin<U>(pub U);

impl<U: Users> Responder for DenyConsoleLogin<U> {
    const SPEC: Spec = remedy::spec!();
    type Subject = Doubtful;
    type Observed = Observed;
    type Change = PolicyChange;

    fn detect(event: &Event) -> Result<Vec<Finding<Doubtful>>, EventError> {
        Ok(sources::finding(event)?.into_iter().collect())
    }

    fn presume(finding: &Finding<Doubtful>) -> Observed {
        let user = match &finding.subject.who {
            Who::Root => None,
            Who::User(name) => {
                Some(LiveUser { name: name.clone(), arn: finding.resource.arn.clone(), path: None, tags: None })
            }
        };
        Observed { user, sign_in: None, policy: None }
    }

    async fn observe(&self, finding: &Finding<Doubtful>) -> Result<Observed, CallError> {
        let Who::User(name) = &finding.subject.who else { return Ok(Observed::default()) };
        let (user, password, mfa_devices, policy) = join4(
            self.0.user(name),
            self.0.has_password(name),
            self.0.mfa_devices(name),
            self.0.inline_policy(name, deny::POLICY_NAME),
        )
        .await;
        let sign_in = Some(SignIn { password: password?, mfa_devices: mfa_devices? });
        Ok(Observed { user: user?, sign_in, policy: policy?.as_deref().map(policy_document::decode) })
    }

    fn plan(finding: &Finding<Doubtful>, observed: &Observed, situation: &Situation) -> Plan<PolicyChange> {
        Plan {
            resource: observed.user.as_ref().map_or_else(|| finding.resource.clone(), LiveUser::resource),
            facts: facts(&finding.subject, observed),
            remedy: remedy(finding, observed, situation),
        }
    }

    fn holds(change: &PolicyChange, observed: &Observed) -> bool {
        policy_document::same(observed.policy.as_deref(), change.after.as_deref())
    }

    async fn apply(&self, change: &PolicyChange, _: &Warrant) -> Result<Applied, CallError> {
        match &change.after {
            Some(document) => self.0.put_inline_policy(&change.user, deny::POLICY_NAME, document).await,
            None => self.0.delete_inline_policy(&change.user, deny::POLICY_NAME).await,
        }
    }
}

fn remedy(finding: &Finding<Doubtful>, observed: &Observed, situation: &Situation) -> Remedy<PolicyChange> {
    let subject = &finding.subject;
    if subject.who == Who::Root {
        return Remedy::Uncontainable { next_step: next_step_for_root(subject.reason, finding.resource.arn.account()) };
    }
    let Some(user) = &observed.user else { return Remedy::AlreadySafe };
    let has_password = observed.sign_in.is_none_or(|sign_in| sign_in.password);
    let has_mfa = observed.sign_in.is_some_and(|sign_in| sign_in.mfa_devices > 0);
    let (exposure, denied) = match subject.reason {
        Reason::PasswordCreated | Reason::PasswordSet if has_password => {
            (Exposure::Password(situation.event_time), Sessions::All)
        }
        Reason::MfaDeactivated if has_password && !has_mfa => (Exposure::WithoutMfa, Sessions::WithoutMfa),
        // The session is there, whatever has become of the password since.
        Reason::SignedIn { mfa: Some(false) } => (Exposure::WithoutMfa, Sessions::WithoutMfa),
        Reason::SignedIn { mfa: None } if !has_mfa => (Exposure::WithoutMfa, Sessions::WithoutMfa),
        _ => return Remedy::AlreadySafe,
    };
    if observed.policy.as_deref().and_then(deny::sessions_of) >= Some(denied) {
        return Remedy::AlreadySafe;
    }
    Remedy::Changes(vec![PolicyChange {
        user: user.name.clone(),
        exposure,
        before: observed.policy.clone(),
        after: Some(deny::document(denied)),
    }])
}

fn facts(subject: &Doubtful, observed: &Observed) -> Facts {
    let name = match &subject.who {
        Who::User(name) => Some(name.as_str()),
        Who::Root => None,
    };
    let mfa_used = match subject.reason {
        Reason::SignedIn { mfa } => mfa,
        Reason::PasswordCreated | Reason::PasswordSet | Reason::MfaDeactivated => None,
    };
    let devices = |sign_in: SignIn| i64::try_from(sign_in.mfa_devices).unwrap_or(i64::MAX);
    Facts::new()
        .with("reason", subject.reason.name())
        .with("root", subject.who == Who::Root)
        .with_known("userName", name)
        .with_known("userPath", observed.user.as_ref().and_then(|user| user.path.as_deref()))
        .with_known("resetRequired", subject.reset_required)
        .with_known("mfaUsed", mfa_used)
        .with_known("hasPassword", observed.sign_in.map(|sign_in| sign_in.password))
        .with_known("mfaDevices", observed.sign_in.map(devices))
}

/// Sources: IAM User Guide, "Root user best practices for your AWS account" and "Centrally manage root access for member
/// accounts"; AWS Organizations User Guide, "Service control policies (SCPs)".
fn next_step_for_root(reason: Reason, account: Option<AccountId>) -> String {
    let root = account.map_or_else(|| "the root user".to_owned(), |id| format!("the root user of account {id}"));
    let happened = match reason {
        Reason::SignedIn { mfa: Some(true) } => format!("{root} signed in with MFA"),
        Reason::SignedIn { mfa: Some(false) } => format!("{root} signed in without MFA"),
        Reason::SignedIn { mfa: None } => format!("{root} signed in"),
        Reason::PasswordCreated | Reason::PasswordSet => format!("somebody let {root} have a password"),
        Reason::MfaDeactivated => format!("somebody took an MFA device from {root}"),
    };
    format!(
        "No IAM policy binds root, and {happened}: ask whoever holds root whether it was them. If it was not, change root's \
         password and the password of its mailbox, look for MFA devices and access keys that are not yours, and in a member \
         account deny root with a service control policy and delete its credentials from the organization's management \
         account (IAM User Guide, \"Root user best practices for your AWS account\" and \"Centrally manage root access for \
         member accounts\")."
    )
}
