//! What a policy says of itself beside its condition.

use cedar_policy::Effect as CedarEffect;

use crate::limit;
use crate::nearest::nearest;
use crate::outline::Outline;
use crate::scope::Scope;
use crate::{Effect, Limit, Mode, PolicyId, Problem, Rule, Source};

const KNOWN: [&str; 5] = ["id", "lease", "limit", "mode", "reason"];
const MODES: [&str; 2] = ["approve", "enforce"];
const LONGEST_ID: usize = 128;

/// Reads the annotations of one policy. With any problem there is no rule.
pub(crate) fn rule(
    policy: &cedar_policy::Policy,
    outline: &Outline<'_>,
    source: &Source,
    problems: &mut Vec<Problem>,
) -> Option<Rule> {
    let before = problems.len();
    let mut problem = |annotation: &str, message: String, help: Option<String>| {
        let place = outline.annotations.iter().find(|(name, _)| *name == annotation).map(|(_, offset)| *offset);
        problems.push(source.error(place.unwrap_or(outline.start), message, help));
    };
    let mut unknown: Vec<&str> =
        policy.annotations().map(|(name, _)| name).filter(|name| !KNOWN.contains(name)).collect();
    unknown.sort_unstable();
    for name in unknown {
        let help = nearest(name, KNOWN).map_or_else(
            || "the annotations are @id, @lease, @limit, @mode and @reason".to_owned(),
            |known| format!("did you mean @{known}?"),
        );
        problem(name, format!("unknown annotation `@{name}`"), Some(help));
    }

    // `Policy::annotation` would parse its key as Cedar at each call, and every function start comes through here.
    let annotation = |wanted: &str| policy.annotations().find(|(name, _)| *name == wanted).map(|(_, value)| value);
    let id = match annotation("id") {
        None => {
            problem("id", "a policy has no @id".to_owned(), Some("name it, as in @id(\"break-glass\")".to_owned()));
            PolicyId::new("")
        }
        Some(id) => {
            if !is_id(id) {
                let help = format!("1 to {LONGEST_ID} of the letters a-z and A-Z, digits, and - _ . : /");
                problem("id", format!("`{}` cannot be the @id of a policy", id.escape_debug()), Some(help));
            }
            PolicyId::new(id)
        }
    };

    let effect = match policy.effect() {
        CedarEffect::Permit => Effect::Permit,
        CedarEffect::Forbid => Effect::Forbid,
    };
    for name in ["lease", "limit", "mode"] {
        if effect == Effect::Forbid && annotation(name).is_some() {
            problem(name, format!("a forbid can have no @{name}"), Some("it belongs on a permit".to_owned()));
        }
    }
    let mode = match annotation("mode") {
        None | Some("enforce") => Mode::Enforce,
        Some("approve") => Mode::Approve,
        Some(other) => {
            let help = nearest(other, MODES).map_or_else(
                || "the modes are enforce and approve".to_owned(),
                |known| format!("did you mean `{known}`?"),
            );
            problem("mode", format!("unknown @mode `{}`", other.escape_debug()), Some(help));
            Mode::Approve
        }
    };
    let limit =
        annotation("limit").filter(|_| effect == Effect::Permit).and_then(|text| match Limit::parse(&id, text) {
            Ok(limit) => Some(limit),
            Err(error) => {
                let message = format!("`{}` is no @limit: {error}", text.escape_debug());
                problem("limit", message, Some(Limit::EXAMPLES.to_owned()));
                None
            }
        });
    let lease = annotation("lease").filter(|_| effect == Effect::Permit).and_then(|text| match limit::lease(text) {
        Ok(lease) => Some(lease),
        Err(error) => {
            problem("lease", format!("`{}` is no @lease", text.escape_debug()), Some(error.to_string()));
            None
        }
    });
    let reason = annotation("reason").map(|reason| reason.split_whitespace().collect::<Vec<_>>().join(" "));
    if reason.as_ref().is_some_and(String::is_empty) {
        problem("reason", "an empty @reason".to_owned(), Some("say why, or leave it out".to_owned()));
    }
    if let Some(offset) = outline.principal_tags {
        let help = "an event does not tell them; ask for `resource`'s".to_owned();
        problems.push(source.error(offset, "the tags of the principal are not known", Some(help)));
    }

    let (line, _) = source.place(outline.start);
    (problems.len() == before).then(|| Rule {
        id,
        effect,
        mode,
        reason,
        limit,
        lease,
        file: source.name.clone(),
        line,
        asks_for_tags: outline.asks_for_tags,
        scope: Scope::of(policy),
        is_conditional: policy.has_non_scope_constraint(),
    })
}

fn is_id(id: &str) -> bool {
    (1..=LONGEST_ID).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:/".contains(&byte))
}
