//! Whom and what a policy speaks of, whatever its conditions say.

use cedar_policy::{ActionConstraint, EntityUid, Policy, PrincipalConstraint, ResourceConstraint};

use crate::entities::World;

/// The head of a policy. Where it does not hold, Cedar does not look at the conditions: the policy neither holds nor errs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scope {
    principal: PrincipalConstraint,
    action: ActionConstraint,
    resource: ResourceConstraint,
}

impl Scope {
    pub(crate) fn of(policy: &Policy) -> Self {
        Self {
            principal: policy.principal_constraint(),
            action: policy.action_constraint(),
            resource: policy.resource_constraint(),
        }
    }

    pub(crate) fn holds(&self, world: &World) -> bool {
        let World { principal, action, resource, .. } = world;
        let within = |entity: &EntityUid, group: &EntityUid| world.is_within(entity, group);
        let action = match &self.action {
            ActionConstraint::Any => true,
            ActionConstraint::Eq(other) => action == other,
            ActionConstraint::In(any) => any.contains(action),
        };
        let principal = || match &self.principal {
            PrincipalConstraint::Any => true,
            PrincipalConstraint::Eq(other) => principal == other,
            PrincipalConstraint::In(group) => within(principal, group),
            PrincipalConstraint::Is(kind) => principal.type_name() == kind,
            PrincipalConstraint::IsIn(kind, group) => principal.type_name() == kind && within(principal, group),
        };
        let resource = || match &self.resource {
            ResourceConstraint::Any => true,
            ResourceConstraint::Eq(other) => resource == other,
            ResourceConstraint::In(group) => within(resource, group),
            ResourceConstraint::Is(kind) => resource.type_name() == kind,
            ResourceConstraint::IsIn(kind, group) => resource.type_name() == kind && within(resource, group),
        };
        action && principal() && resource()
    }
}
