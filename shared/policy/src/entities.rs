//! Who and what, as Cedar entities.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{Entities, Entity, EntityId, EntityTypeName, EntityUid, RestrictedExpression, Schema};
use cloudtrail::{AccountId, Principal};

use crate::{Organization, Request, Resource, ResourceKind};

/// The entity types that an actor can have. Each is declared in `base.cedarschema`.
pub(crate) const ACTORS: [&str; 7] = ["Account", "Federated", "Role", "Root", "Service", "Unknown", "User"];

/// Why a request cannot be put to Cedar at all.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EntityError {
    #[error("`{name}` is not the name of a Cedar entity type")]
    Type { name: String, source: Box<cedar_policy::ParseErrors> },
    #[error("the tags cannot be given to Cedar")]
    Tags(#[source] Box<cedar_policy::EntityAttrEvaluationError>),
    #[error("the entities do not fit together")]
    Entities(#[source] Box<cedar_policy::entities_errors::EntitiesError>),
}

/// The entities of one request. An entity that is mentioned twice, as a user who is actor and resource, is one.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) principal: EntityUid,
    pub(crate) action: EntityUid,
    pub(crate) resource: EntityUid,
    nodes: BTreeMap<EntityUid, Node>,
}

#[derive(Debug, Default)]
struct Node {
    parents: BTreeSet<EntityUid>,
    tags: BTreeMap<String, String>,
}

impl World {
    pub(crate) fn of(request: &Request<'_>, organization: &Organization) -> Result<Self, EntityError> {
        let actor = &request.event.actor;
        let (principal, owner) = match &actor.principal {
            Principal::User(arn) => (uid("User", arn.as_str())?, arn.account()),
            Principal::Role(arn) => (uid("Role", arn.as_str())?, arn.account()),
            Principal::Root(arn) => (uid("Root", arn.as_str())?, arn.account()),
            Principal::Federated(name) => (uid("Federated", name)?, None),
            Principal::Service(name) => (uid("Service", name)?, None),
            Principal::Account(account) => (uid("Account", account.as_str())?, Some(account.clone())),
            Principal::Unknown => (uid("Unknown", "unknown")?, None),
        };
        let Resource { kind, arn, tags } = request.resource;
        let home = &request.event.account;
        let named = (*kind == ResourceKind::ACCOUNT).then(|| arn.account().unwrap_or_else(|| home.clone()));
        let resource = match &named {
            Some(account) => uid("Account", account.as_str())?,
            None => uid(kind.as_str(), arn.as_str())?,
        };
        let action = uid("Action", request.responder)?;

        let mut world = Self { principal, action, resource, nodes: BTreeMap::new() };
        let owner = actor.account.clone().or(owner);
        world.add(&world.principal.clone(), owner.as_ref(), organization)?;
        world.add(&world.resource.clone(), named.as_ref().or(Some(home)), organization)?;
        world.node(&world.resource.clone()).tags = tags.clone().unwrap_or_default();
        Ok(world)
    }

    /// Adds an entity in its account. An account is in no account, and only in its organizational units.
    fn add(
        &mut self,
        entity: &EntityUid,
        account: Option<&AccountId>,
        organization: &Organization,
    ) -> Result<(), EntityError> {
        self.node(entity);
        let Some(account) = account else { return Ok(()) };
        let in_account = uid("Account", account.as_str())?;
        if entity.type_name() != in_account.type_name() {
            self.node(entity).parents.insert(in_account.clone());
        }
        for unit in organization.units(account) {
            let unit = uid("OrganizationalUnit", unit)?;
            self.node(&unit);
            self.node(&in_account).parents.insert(unit);
        }
        self.node(&in_account);
        Ok(())
    }

    /// Whether an entity is in a group, or is it. An entity of this world has few ancestors, and no circle of them.
    pub(crate) fn is_within(&self, entity: &EntityUid, group: &EntityUid) -> bool {
        let parents = || self.nodes.get(entity).into_iter().flat_map(|node| &node.parents);
        entity == group || parents().any(|parent| self.is_within(parent, group))
    }

    fn node(&mut self, entity: &EntityUid) -> &mut Node {
        self.nodes.entry(entity.clone()).or_default()
    }

    pub(crate) fn entities(self, schema: Option<&Schema>) -> Result<Entities, EntityError> {
        let entities: Vec<Entity> = self
            .nodes
            .into_iter()
            .map(|(entity, Node { parents, tags })| {
                let tags = tags.into_iter().map(|(key, value)| (key, RestrictedExpression::new_string(value)));
                Entity::new_with_tags(entity, [], parents, tags).map_err(|error| EntityError::Tags(Box::new(error)))
            })
            .collect::<Result<_, _>>()?;
        Entities::from_entities(entities, schema).map_err(|error| EntityError::Entities(Box::new(error)))
    }
}

thread_local! {
    /// The types that were named before: Cedar's parser takes longer than its evaluator. There are few, since each is named in
    /// the source of a responder.
    static TYPES: RefCell<BTreeMap<String, EntityTypeName>> = const { RefCell::new(BTreeMap::new()) };
}

/// The name of the type is ours and must be one; the id may be any text.
fn uid(type_name: &str, id: &str) -> Result<EntityUid, EntityError> {
    let known = TYPES.with_borrow(|types| types.get(type_name).cloned());
    let type_name = match known {
        Some(known) => known,
        None => parse(type_name)?,
    };
    Ok(EntityUid::from_type_name_and_id(type_name, EntityId::new(id)))
}

fn parse(type_name: &str) -> Result<EntityTypeName, EntityError> {
    let wrong = |source| EntityError::Type { name: type_name.to_owned(), source: Box::new(source) };
    let parsed: EntityTypeName = type_name.parse().map_err(wrong)?;
    TYPES.with_borrow_mut(|types| types.insert(type_name.to_owned(), parsed.clone()));
    Ok(parsed)
}
