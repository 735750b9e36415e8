//! What would make it safe again.

use std::collections::BTreeSet;

use cloudtrail::Arn;
use policy::Facts;
use policy_document::same;
use remedy::{Remedy, Situation};

use crate::baseline::Baseline;
use crate::change::{Privilege, PrivilegeChange};
use crate::grant::{Grant, Granted, Identity};
use crate::judge::{Judged, Level, is_aws_managed, judge, partition};
use crate::live::{Entity, Held, Observed, Version};

/// Who keeps a role that nobody else can change.
#[derive(Clone, Copy)]
enum Keeper {
    /// IAM Identity Center made it of a permission set.
    IdentityCenter,
    /// A service that it is linked to.
    Service,
}

/// Sources: AWS Managed Policy Reference Guide, "`AWSSSOServiceRolePolicy`", for the path of the former; IAM User Guide,
/// "IAM identifiers", for that of the latter.
fn keeper(arn: &Arn) -> Option<Keeper> {
    let is_below = |path: &str| arn.resource().starts_with(path);
    if is_below("role/aws-reserved/sso.amazonaws.com/") {
        Some(Keeper::IdentityCenter)
    } else {
        is_below("role/aws-service-role/").then_some(Keeper::Service)
    }
}

/// What would make it safe again; `captured` is what the baseline has of the inline policy.
pub(crate) fn remedy(grant: &Grant, observed: &Observed, captured: Option<String>) -> Remedy<PrivilegeChange> {
    let Some(entity) = &observed.entity else { return Remedy::AlreadySafe };
    if observed.held == Held::Nothing || !counts(grant, &observed.held) {
        return Remedy::AlreadySafe;
    }
    match observed.judged.level {
        Level::No => return Remedy::AlreadySafe,
        Level::Unknown if as_captured(&observed.held, captured.as_deref()) => return Remedy::AlreadySafe,
        Level::Unknown => return uncontainable(next_step_for_unknown(grant, &observed.judged)),
        Level::Unread | Level::Escalation | Level::Admin => {}
    }
    if let Some(keeper) = keeper(&entity.arn) {
        return uncontainable(next_step_for_kept(grant, keeper));
    }
    match privilege(grant, entity, &observed.held, captured) {
        Some(privilege) => Remedy::Changes(vec![PrivilegeChange::TakeAway(privilege)]),
        None => uncontainable(next_step_without_harmless_version(grant)),
    }
}

/// Whether what the event gave is what counts now.
fn counts(grant: &Grant, held: &Held) -> bool {
    match (grant, held) {
        (Grant::Version { version: Some(given), .. }, Held::Default { version, .. }) => given == version,
        _ => true,
    }
}

/// `None` where nothing harmless could take its place.
fn privilege(grant: &Grant, entity: &Entity, held: &Held, captured: Option<String>) -> Option<Privilege> {
    let named = |identity: &Identity| Identity { kind: identity.kind, name: entity.name.clone() };
    match (grant, held) {
        (Grant::Attached { to, .. }, Held::There(policy)) => {
            Some(Privilege::Attached { to: named(to), policy: policy.clone() })
        }
        (Grant::Inline { of, policy }, Held::Document(document)) => {
            let instead = captured.filter(|text| is_harmless(policy, text, &entity.arn));
            let (policy, document) = (policy.clone(), document.clone());
            Some(Privilege::Inline { of: named(of), policy, document, instead })
        }
        (Grant::Version { policy, .. }, Held::Default { version, others, .. }) => {
            let (policy, version, instead) = (policy.clone(), version.clone(), harmless_version(others)?);
            Some(Privilege::Version { policy, version, instead })
        }
        (Grant::Member { .. }, Held::There(group)) => {
            Some(Privilege::Member { user: entity.name.clone(), group: group.name().to_owned() })
        }
        _ => None,
    }
}

fn is_harmless(policy: &str, text: &str, holder: &Arn) -> bool {
    let policies = [(policy.to_owned(), text.to_owned())];
    let judged = holder.account().map(|account| judge(&policies, &[holder], &account, partition(holder)));
    judged.is_some_and(|judged| !judged.level.is_admin_equivalent())
}

/// The newest of the versions that surely make no administrator. One that cannot be judged may be a second door; those
/// that nobody has read are a prediction's.
fn harmless_version(others: &[Version]) -> Option<String> {
    let number = |version: &&Version| version.id.trim_start_matches('v').parse::<u64>().ok();
    let harmless = others.iter().filter(|version| matches!(version.judged.level, Level::No | Level::Unread));
    harmless.max_by_key(number).map(|version| version.id.clone())
}

/// What the baseline has under the name of the inline policy.
pub(crate) fn captured(grant: &Grant, situation: &Situation) -> Option<String> {
    match grant {
        Grant::Inline { policy, .. } => Baseline::of(situation).inline.remove(policy),
        Grant::Attached { .. } | Grant::Version { .. } | Grant::Member { .. } => None,
    }
}

fn as_captured(held: &Held, captured: Option<&str>) -> bool {
    matches!(held, Held::Document(text) if captured.is_some() && same(Some(text), captured))
}

pub(crate) fn facts(granted: &Granted, observed: &Observed, captured: Option<&str>) -> Facts {
    let Granted { grant, judged: by_event, holder_is_caller } = granted;
    let judged = if observed.held == Held::Nothing { by_event } else { &observed.judged };
    let policies = match grant {
        Grant::Attached { policy, .. } | Grant::Version { policy, .. } => BTreeSet::from([policy.to_string()]),
        Grant::Inline { policy, .. } => BTreeSet::from([policy.clone()]),
        Grant::Member { .. } => judged.by.clone(),
    };
    let (default, attachments) = match &observed.held {
        Held::Default { version, attachments, .. } => (Some(version), *attachments),
        _ => (None, None),
    };
    let version = match grant {
        Grant::Version { version, .. } => version.as_ref().or(default),
        Grant::Attached { .. } | Grant::Inline { .. } | Grant::Member { .. } => None,
    };
    let group = match grant {
        Grant::Member { group, .. } => Some(group.as_str()),
        _ => None,
    };
    let live = observed.entity.as_ref().filter(|entity| entity.tags.is_some());
    let aws_managed = matches!(grant, Grant::Attached { policy, .. } if is_aws_managed(policy));
    Facts::new()
        .with("reason", grant.reason())
        .with("level", judged.level.name())
        .with("escalationActions", judged.actions.clone())
        .with("policies", policies)
        .with("awsManaged", aws_managed)
        .with("asCaptured", as_captured(&observed.held, captured))
        .with("keptByAws", observed.entity.as_ref().is_some_and(|entity| keeper(&entity.arn).is_some()))
        .with_known("versionId", version.cloned())
        .with_known("attachments", attachments)
        .with_known("groupName", group)
        .with_known("holderIsCaller", *holder_is_caller)
        .with_known("path", live.and_then(path))
}

/// `/people/` of `arn:aws:iam::123456789012:user/people/alice`.
fn path(entity: &Entity) -> Option<String> {
    let (_, rest) = entity.arn.resource().split_once('/')?;
    Some(format!("/{}", rest.strip_suffix(entity.arn.name())?))
}

fn uncontainable(next_step: String) -> Remedy<PrivilegeChange> {
    Remedy::Uncontainable { next_step }
}

fn next_step_for_unknown(grant: &Grant, judged: &Judged) -> String {
    let doubts: Vec<&str> = judged.doubts.iter().map(String::as_str).collect();
    format!(
        "Whether it makes an administrator cannot be told of {grant}: {}. Read what it allows, and take it away by hand if \
         it should not (IAM User Guide, \"Policies and permissions in AWS Identity and Access Management\").",
        doubts.join("; ")
    )
}

fn next_step_for_kept(grant: &Grant, keeper: Keeper) -> String {
    match keeper {
        Keeper::IdentityCenter => format!(
            "{grant}: IAM lets nobody change this role but IAM Identity Center, which made it of a permission set. Change \
             the permission set there, or its assignment (IAM Identity Center User Guide, \"Manage AWS accounts with \
             permission sets\")."
        ),
        Keeper::Service => format!(
            "{grant}: IAM lets nobody change a service-linked role but its service. See whether that service should be in \
             use, and delete the role through it if not (IAM User Guide, \"Create a service-linked role\")."
        ),
    }
}

fn next_step_without_harmless_version(grant: &Grant) -> String {
    format!(
        "{grant}: it makes administrators, and no other version of the policy surely does not. Make a version that allows \
         less and set it as the default, or detach the policy (IAM User Guide, \"Versioning IAM policies\")."
    )
}
