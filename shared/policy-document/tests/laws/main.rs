//! What holds of every document: no verdict widens by a restriction, and verdicts agree with a simple evaluation of
//! single requests.

#![cfg(test)]

mod hostile;
mod made;
mod recorded;
mod request;
mod widening;

use std::collections::BTreeSet;

use cloudtrail::{AccountId, Partition};
use policy_document::{Access, Document, Trust, exposure};

/// Ours is `111122223333`, in `o-ours1234`; nobody else is trusted.
pub(crate) fn trust() -> Trust {
    Trust {
        organization: Some("o-ours1234".to_owned()),
        ..Trust::only(AccountId::parse("111122223333").unwrap(), Partition::Aws)
    }
}

pub(crate) fn parse(text: &str) -> Document {
    Document::parse(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The verdict of the first Allow statement.
pub(crate) fn first(text: &str) -> Access {
    exposure(&parse(text), &trust()).into_iter().next().unwrap().access
}

/// The statements that are surely exposed.
pub(crate) fn exposed(document: &Document) -> BTreeSet<usize> {
    let grants = exposure(document, &trust());
    grants.iter().filter(|grant| grant.access.is_exposed()).map(|grant| grant.statement).collect()
}
