//! Whom a resource policy lets in, statement by statement.

use std::collections::BTreeMap;

use crate::access::Access;
use crate::constraint::{Constraint, who_passes};
use crate::deny::{Denial, leaves_a_part};
use crate::document::Document;
use crate::doubt::Doubt;
use crate::guard::Guard;
use crate::judge::judge;
use crate::principal::{Principal, Principals};
use crate::statement::{Body, Effect};
use crate::stranger::{Requirement, can_meet};
use crate::trust::Trust;

/// Whom one statement lets in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Its index in the document.
    pub statement: usize,
    /// Its id, if it has one.
    pub sid: Option<String>,
    /// Whom it lets in, all its principals together: the widest of them, with all of that kind.
    pub access: Access,
    /// Each principal by itself.
    pub entries: Vec<Entry>,
}

/// One principal of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// As written; an account's root is its account id, and `NotPrincipal` is `*`.
    pub principal: String,
    /// Whom it lets in.
    pub access: Access,
    /// What is asked for besides.
    pub guards: Vec<Guard>,
}

/// Whom each Allow statement of a resource policy lets in, in the order of the document, after what the Deny statements
/// surely take back. Statements that are not understood are among them, as unknown.
///
/// A verdict other than [`Access::Unknown`] is meant to be acted on: where a condition or a Deny statement leaves a
/// doubt, the verdict is unknown.
#[must_use]
pub fn exposure(document: &Document, trust: &Trust) -> Vec<Grant> {
    let statements = document.statements();
    let denies: Vec<(usize, &Body)> = statements
        .iter()
        .enumerate()
        .filter_map(|(index, statement)| Some((index, statement.body.as_ref().ok()?)))
        .filter(|(_, body)| body.effect == Effect::Deny)
        .collect();
    // What cannot be read and is not surely an Allow may be a Deny.
    let hidden = statements.iter().position(|it| it.body.is_err() && it.effect() != Some(Effect::Allow));
    let mut grants = Vec::new();
    for (index, statement) in statements.iter().enumerate() {
        let (access, entries) = match &statement.body {
            Ok(body) if body.effect == Effect::Deny => continue,
            Ok(body) if body.principals == Principals::Absent => {
                (Access::Unknown(Doubt::Incomplete("it names no principal")), Vec::new())
            }
            Ok(body) => {
                let entries = Allowed::new(body, &denies, hidden, trust).entries();
                let access = entries.iter().map(|entry| entry.access.clone()).reduce(Access::or);
                (access.unwrap_or(Access::Nobody), entries)
            }
            Err(doubt) => (Access::Unknown(doubt.clone()), Vec::new()),
        };
        grants.push(Grant { statement: index, sid: statement.sid.clone(), access, entries });
    }
    grants
}

/// An Allow statement among its document's others.
struct Allowed<'a> {
    body: &'a Body,
    conditions: Vec<Constraint>,
    denials: Vec<Denial<'a>>,
    /// A statement that is not understood and may be a Deny.
    hidden: Option<usize>,
    trust: &'a Trust,
    /// Whether anything is left by these Deny statements together, which is the same for most principals.
    known: BTreeMap<Vec<usize>, bool>,
}

impl<'a> Allowed<'a> {
    fn new(body: &'a Body, denies: &[(usize, &'a Body)], hidden: Option<usize>, trust: &'a Trust) -> Self {
        let conditions = body.conditions.iter().map(|condition| who_passes(condition, &body.conditions)).collect();
        let denials = denies.iter().filter_map(|(index, deny)| Denial::of(body, deny, *index)).collect();
        Self { body, conditions, denials, hidden, trust, known: BTreeMap::new() }
    }

    /// Each principal once.
    fn entries(mut self) -> Vec<Entry> {
        let everyone = [Principal::Everyone];
        let principals = match &self.body.principals {
            Principals::Only(principals) => principals.as_slice(),
            Principals::Except(_) => &everyone,
            Principals::Absent => &[],
        };
        let mut entries: Vec<Entry> = Vec::with_capacity(principals.len());
        for (place, principal) in principals.iter().enumerate() {
            if !principals.iter().take(place).any(|before| before == principal) {
                let (access, guards) = self.access(principal);
                entries.push(Entry { principal: principal.to_string(), access, guards });
            }
        }
        entries
    }

    /// Whom a principal lets in after what the denials take back.
    fn access(&mut self, principal: &Principal) -> (Access, Vec<Guard>) {
        let (mut doubt, mut left, mut partly) = (self.hidden, Vec::new(), Vec::new());
        for (place, denial) in self.denials.iter().enumerate() {
            match denial.leaves(principal) {
                Constraint::Open => {}
                Constraint::Unclear(_) if denial.covers => doubt = doubt.or(Some(denial.statement)),
                limit if denial.covers => left.push(limit),
                limit => partly.push((place, limit)),
            }
        }
        let judge_with = |more: Option<&Constraint>| {
            let left: Vec<&Constraint> = left.iter().chain(more).collect();
            judge(principal, &self.body.actions, &self.conditions, &left, self.trust)
        };
        let access = judge_with(None);
        let guards = self.conditions.iter().chain(&left).filter_map(Constraint::guard).cloned().collect();
        if !access.is_exposed() {
            return (access, guards);
        }
        partly.retain(|(_, limit)| limit.doubt().is_some() || judge_with(Some(limit)) != access);
        let parts: Vec<usize> = partly.into_iter().map(|(place, _)| place).collect();
        if !self.leaves_a_part(parts.clone()) {
            doubt = doubt.or(parts.first().and_then(|place| self.denials.get(*place)).map(|denial| denial.statement));
        }
        if let Some(statement) = doubt {
            return (Access::Unknown(Doubt::Denied { statement }), guards);
        }
        if access.is_public() && *principal == Principal::Everyone && !self.has_caller(&parts) {
            return (Access::Unknown(Doubt::Contradiction), guards);
        }
        (access, guards)
    }

    /// Whether these denials, each of which denies a part, together leave something.
    fn leaves_a_part(&mut self, parts: Vec<usize>) -> bool {
        if parts.is_empty() {
            return true;
        }
        let denials: Vec<&Denial> = parts.iter().filter_map(|place| self.denials.get(*place)).collect();
        *self.known.entry(parts).or_insert_with(|| leaves_a_part(self.body, &denials))
    }

    /// Whether there is a caller from anywhere who meets all conditions and whom no Deny statement reaches. `parts` reach
    /// him in any case, for a part of what is allowed.
    fn has_caller(&mut self, parts: &[usize]) -> bool {
        let requirement = |condition| Requirement { condition, holds: true };
        let asked: Vec<Requirement> = self.body.conditions.iter().map(requirement).collect();
        let (mut of_whole, mut of_part, mut avoidable) = (Vec::new(), Vec::new(), Vec::new());
        for (place, denial) in self.denials.iter().enumerate() {
            let ways = denial.ways_out();
            match (ways.is_empty(), denial.covers) {
                (true, _) => {}
                (false, true) => of_whole.push(ways),
                (false, false) => {
                    of_part.push(ways);
                    avoidable.push(place);
                }
            }
        }
        can_meet(&asked, &[of_whole.clone(), of_part].concat())
            || (can_meet(&asked, &of_whole) && self.leaves_a_part([avoidable.as_slice(), parts].concat()))
    }
}
