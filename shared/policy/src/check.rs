//! Policies held against the schema.

use std::collections::BTreeSet;
use std::thread;

use cedar_policy::{EntityUid, ValidationError, ValidationMode, ValidationWarning, Validator};
use cloudtrail::{AccountId, Arn};
use miette::Diagnostic;

use crate::reading::Reading;
use crate::{Level, Problem, Schema, Source};

/// Cedar validates by recursion: a chain of 150 operators fills the 2 MiB of a debug build's thread, and one text can
/// have 2000. The memory is only reserved, and used as it is needed.
const STACK: usize = 256 * 1024 * 1024;

/// Everything that is wrong with these policies, in the order of the files, and what does not look as it was meant.
///
/// For the operator and for CI: it takes some milliseconds, which a function does not spend.
#[must_use]
pub fn check(sources: &[Source], schema: &Schema) -> Vec<Problem> {
    let Reading { set, problems, places, .. } = Reading::of(sources);
    let place = |id: &cedar_policy::PolicyId| {
        let (index, offset) = places.get(id)?;
        Some((*index, *offset, sources.get(*index)?))
    };
    let index_of = |problem: &Problem| sources.iter().position(|source| source.name == problem.file);
    let mut found: Vec<(usize, Problem)> =
        problems.into_iter().map(|problem| (index_of(&problem).unwrap_or_default(), problem)).collect();

    let validate = || {
        let result = Validator::new(schema.cedar.clone()).validate(&set, ValidationMode::Strict);
        let errors =
            result.validation_errors().map(|error| (Level::Error, error.policy_id(), error as &dyn Diagnostic));
        let wrong: BTreeSet<_> = result.validation_errors().map(ValidationError::policy_id).collect();
        let inapplicable: BTreeSet<_> = result
            .validation_warnings()
            .filter(|warning| matches!(warning, ValidationWarning::InvalidActionApplication(_)))
            .map(ValidationWarning::policy_id)
            .collect();
        // That a policy never holds follows from what else is wrong with it, where something is.
        let warnings = result
            .validation_warnings()
            .filter(|warning| match warning {
                ValidationWarning::ImpossiblePolicy(it) => {
                    !wrong.contains(it.policy_id()) && !inapplicable.contains(it.policy_id())
                }
                ValidationWarning::InvalidActionApplication(it) => !wrong.contains(it.policy_id()),
                _ => true,
            })
            .map(|warning| (Level::Warning, warning.policy_id(), warning as &dyn Diagnostic));
        let mut validated: Vec<(usize, Problem)> = errors
            .chain(warnings)
            .filter_map(|(level, id, diagnostic)| {
                let (index, offset, source) = place(id)?;
                Some((index, source.diagnostic(level, offset, diagnostic)))
            })
            .collect();
        for policy in set.policies() {
            let Some((index, offset, source)) = place(policy.id()) else { continue };
            validated.extend(policy.entity_literals().iter().filter_map(never).map(|(message, help)| {
                let mut problem = source.error(offset, message, Some(help));
                problem.level = Level::Warning;
                (index, problem)
            }));
        }
        validated
    };
    let validated = thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, validate).ok()?;
        thread.join().ok()
    });
    match (validated, sources.first()) {
        (Some(validated), _) => found.extend(validated),
        (None, Some(source)) => found.push((0, source.error(0, "the policies could not be validated", None))),
        (None, None) => {}
    }
    found.sort_by(|(a, first), (b, second)| {
        (a, first.line, first.col, first).cmp(&(b, second.line, second.col, second))
    });
    found.dedup();
    found.into_iter().map(|(_, problem)| problem).collect()
}

/// Why an entity that a policy names can never be met, and what was probably meant.
fn never(entity: &EntityUid) -> Option<(String, String)> {
    let id = entity.id().unescaped();
    let kind = entity.type_name().to_string();
    let help = match kind.as_str() {
        "Account" => AccountId::parse(id).is_err().then_some("an account is its 12 digits"),
        "User" | "Role" | "Root" => match Arn::parse(id) {
            Ok(arn) if arn.resource().starts_with("assumed-role/") => {
                Some("a role session is its role: write arn:aws:iam::ACCOUNT:role/NAME, its path included")
            }
            Ok(arn) => {
                let (prefix, help) = match kind.as_str() {
                    "User" => ("user/", "a user is arn:aws:iam::ACCOUNT:user/NAME, its path included"),
                    "Role" => ("role/", "a role is arn:aws:iam::ACCOUNT:role/NAME, its path included"),
                    _ => ("root", "a root user is arn:aws:iam::ACCOUNT:root"),
                };
                (!arn.resource().starts_with(prefix) || arn.account().is_none()).then_some(help)
            }
            Err(_) => Some("users, roles and root users go by their ARN"),
        },
        _ => None,
    }?;
    Some((format!("`{kind}::\"{}\"` is nobody", entity.id().escaped()), help.to_owned()))
}
