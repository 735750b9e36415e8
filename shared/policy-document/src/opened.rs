//! What a change of a role's trust policy opens.

use crate::access::Access;
use crate::document::Document;
use crate::exposure::{Entry, exposure};
use crate::guard::Guard;
use crate::trust::Trust;

/// One thing that a trust policy allows and the one before it did not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// The statement's index in the later document.
    pub statement: usize,
    /// The statement's id, if it has one.
    pub sid: Option<String>,
    /// The principal, as [`Entry::principal`]; empty for a statement that is not understood.
    pub principal: String,
    /// What is new about it.
    pub change: OpeningKind,
}

/// What an [`Opening`] is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpeningKind {
    /// It lets in somebody whom the document before did not: the public, somebody foreign, users of an identity provider
    /// or of a fixed network, or perhaps somebody. [`Access::is_exposed`] tells whether that is surely wrong.
    Admits(Access),
    /// It lets in the same as before, and no longer asks for this, or takes values that it did not take.
    Loosens(Guard),
}

/// What `after` opens compared with `before`; without one, compared with a role that nobody can assume.
///
/// Our own account, trusted ones and AWS services are no opening unless a guard is lost.
#[must_use]
pub fn opened(before: Option<&Document>, after: &Document, trust: &Trust) -> Vec<Opening> {
    let before: Vec<Entry> = before
        .map_or_else(Vec::new, |document| exposure(document, trust))
        .into_iter()
        .flat_map(|grant| grant.entries)
        .collect();
    let mut openings = Vec::new();
    for grant in exposure(after, trust) {
        let opening = |principal: &str, change| Opening {
            statement: grant.statement,
            sid: grant.sid.clone(),
            principal: principal.to_owned(),
            change,
        };
        if grant.entries.is_empty() && grant.access.is_unknown() {
            openings.push(opening("", OpeningKind::Admits(grant.access.clone())));
        }
        for entry in &grant.entries {
            let known: Vec<&Entry> = before.iter().filter(|known| known.principal == entry.principal).collect();
            let had = known.iter().map(|known| known.access.clone()).reduce(Access::or).unwrap_or(Access::Nobody);
            let is_ours = matches!(entry.access, Access::Nobody | Access::Within | Access::Service { .. });
            if !is_ours && entry.access.adds_to(&had) {
                openings.push(opening(&entry.principal, OpeningKind::Admits(entry.access.clone())));
            }
            if entry.access != Access::Nobody {
                let lost = known.iter().map(|known| lost(known, entry)).min_by_key(Vec::len).unwrap_or_default();
                openings.extend(
                    lost.into_iter().map(|guard| opening(&entry.principal, OpeningKind::Loosens(guard.clone()))),
                );
            }
        }
    }
    openings
}

/// The guards of `before` that `after` does not have as strictly.
fn lost<'a>(before: &'a Entry, after: &Entry) -> Vec<&'a Guard> {
    before.guards.iter().filter(|guard| !after.guards.iter().any(|kept| kept.is_as_strict_as(guard))).collect()
}
