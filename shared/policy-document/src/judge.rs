//! Whom one principal of an Allow statement lets in, under constraints.

use std::collections::BTreeSet;

use crate::access::{Access, Outsider, Pin};
use crate::aws_accounts;
use crate::constraint::{Constraint, Origin};
use crate::doubt::Doubt;
use crate::federation;
use crate::guard::{Guard, GuardKind};
use crate::key::Whose;
use crate::principal::Principal;
use crate::selector::Selector;
use crate::trust::Trust;

/// Whom a statement for `actions` that names `principal` lets in, where its `conditions` hold and `left` holds of whom
/// Deny statements leave.
pub(crate) fn judge(
    principal: &Principal,
    actions: &Selector,
    conditions: &[Constraint],
    left: &[&Constraint],
    trust: &Trust,
) -> Access {
    let guards: Vec<Guard> =
        conditions.iter().chain(left.iter().copied()).filter_map(Constraint::guard).cloned().collect();
    // Of callers who are no identity provider's users a claim says nothing.
    let claim = guards.iter().find(|guard| matches!(guard.kind, GuardKind::Claim { .. }));
    let claim = claim.filter(|_| *principal == Principal::Everyone).map(|guard| Doubt::Claim(guard.to_string()));
    let doubt = conditions.iter().find_map(Constraint::doubt).or(claim.as_ref());
    let named = named(principal, actions, &guards, doubt, trust);
    let access = conditions.iter().fold(named, |access, constraint| limited(access, constraint, principal, trust));
    let access = match (access, doubt) {
        (Access::Public, Some(doubt)) => Access::Unknown(doubt.clone()),
        (access, _) => access,
    };
    left.iter().fold(access, |access, constraint| {
        let was_unknown = access.is_unknown();
        match (access.clone(), limited(access, constraint, principal, trust)) {
            // Being left by a Deny statement grants nothing.
            (unknown, limited) if was_unknown && !matches!(limited, Access::Nobody | Access::Within) => unknown,
            (_, limited) => limited,
        }
    })
}

/// Whom `access` lets in of those who meet `constraint`.
fn limited(access: Access, constraint: &Constraint, principal: &Principal, trust: &Trust) -> Access {
    let Constraint::Only { origins, whose } = constraint else { return access };
    if let (Some(account), Whose::Caller) = (principal.account(), whose)
        && origins.iter().all(|origin| matches!(origin, Origin::Account(other) if other != account))
    {
        return Access::Nobody;
    }
    let limit = origins.iter().map(|origin| origin_access(origin, trust)).reduce(Access::or);
    narrower(access, limit.unwrap_or(Access::Nobody), *whose)
}

/// Whom the principal is, without conditions.
fn named(principal: &Principal, actions: &Selector, guards: &[Guard], doubt: Option<&Doubt>, trust: &Trust) -> Access {
    let partition = trust.partition.to_string();
    if principal.partition().is_some_and(|theirs| theirs != partition) {
        return Access::Unknown(Doubt::OtherPartition(principal.to_string()));
    }
    let service = |name: &str| Access::Service { services: BTreeSet::from([name.to_owned()]), guarded: false };
    match principal {
        Principal::Everyone => Access::Public,
        Principal::Deleted(_) => Access::Nobody,
        Principal::Account { account, .. } | Principal::Identity { account, .. } if trust.includes(account) => {
            Access::Within
        }
        Principal::Account { account, .. } => match aws_accounts::service_of(account, actions) {
            Some(name) => service(name),
            None => Access::Foreign(BTreeSet::from([Outsider::Account(account.clone())])),
        },
        Principal::Identity { arn, .. } => Access::Foreign(BTreeSet::from([Outsider::Principal(arn.clone())])),
        Principal::Service(name) => service(name),
        Principal::Federated(text) => federation::access(text, guards, doubt, trust),
        Principal::OriginAccessIdentity(text) => {
            Access::Pinned(BTreeSet::from([Pin { key: "Principal".to_owned(), value: text.clone() }]))
        }
        Principal::CanonicalUser(text) => Access::Unknown(Doubt::OwnerUntold(text.clone())),
        Principal::Wildcard(text) | Principal::Strange(text) => Access::Unknown(Doubt::Principal(text.clone())),
    }
}

fn origin_access(origin: &Origin, trust: &Trust) -> Access {
    match origin {
        Origin::Ours => Access::Within,
        Origin::Account(account) if trust.includes(account) => Access::Within,
        Origin::Account(account) => Access::Foreign(BTreeSet::from([Outsider::Account(account.clone())])),
        Origin::Organization(id) => match &trust.organization {
            Some(ours) if ours == id => Access::Within,
            Some(_) => Access::Foreign(BTreeSet::from([Outsider::Organization(id.clone())])),
            None => Access::Unknown(Doubt::OrganizationNotConfigured(id.clone())),
        },
        Origin::Service(name) => Access::Service { services: BTreeSet::from([name.clone()]), guarded: false },
        Origin::AnyService => Access::Service { services: BTreeSet::from(["*".to_owned()]), guarded: false },
        Origin::Place(pin) => Access::Pinned(BTreeSet::from([pin.clone()])),
    }
}

/// Whom `access` lets in of those whom a condition lets through.
fn narrower(access: Access, limit: Access, whose: Whose) -> Access {
    match (access, limit) {
        (Access::Nobody, _) | (_, Access::Nobody) => Access::Nobody,
        (Access::Service { services, .. }, Access::Within | Access::Pinned(_)) if whose == Whose::Source => {
            Access::Service { services, guarded: true }
        }
        (Access::Service { .. }, limit @ (Access::Foreign(_) | Access::Unknown(_))) if whose == Whose::Source => limit,
        (Access::Within, _) | (_, Access::Within) => Access::Within,
        (Access::Pinned(mut pins), Access::Pinned(more)) => {
            pins.extend(more);
            Access::Pinned(pins)
        }
        (Access::Public, limit)
        | (Access::Pinned(_) | Access::Unknown(_), limit @ (Access::Foreign(_) | Access::Service { .. }))
        | (Access::Unknown(_) | Access::Federated { guarded: false, .. }, limit @ Access::Pinned(_)) => limit,
        (access, _) => access,
    }
}
