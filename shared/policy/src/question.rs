//! A request as Cedar takes it.

use cedar_policy::{Context, Entities, Request as CedarRequest, Schema};

use crate::Request;
use crate::context::context;
use crate::entities::{EntityError, World};

/// A request and its entities, ready for evaluation.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) request: CedarRequest,
    pub(crate) entities: Entities,
}

/// Why a request cannot be put to Cedar, or not under this schema.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unaskable {
    #[error("an entity of the request cannot be named")]
    Entity(#[from] EntityError),
    #[error("the facts do not make a context")]
    Context(#[source] Box<cedar_policy::ContextCreationError>),
    #[error("the request is not as declared")]
    Request(#[source] Box<cedar_policy::RequestValidationError>),
}

impl Question {
    /// Without a schema this fails only for a resource kind that is no Cedar name: whatever the event holds is text.
    pub(crate) fn of(request: &Request<'_>, world: World, schema: Option<&Schema>) -> Result<Self, Unaskable> {
        let context = Context::from_pairs(context(request)).map_err(|error| Unaskable::Context(Box::new(error)))?;
        let (principal, action, resource) = (world.principal.clone(), world.action.clone(), world.resource.clone());
        let request = CedarRequest::new(principal, action, resource, context, schema)
            .map_err(|error| Unaskable::Request(Box::new(error)))?;
        Ok(Self { request, entities: world.entities(schema)? })
    }
}
