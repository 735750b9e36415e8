//! Whether an `EventBridge` rule lets an event through, judged as AWS does.
//!
//! AWS's semantics are those of its open-source Event Ruler (github.com/aws/event-ruler, read at
//! 337e8d9): an event is flattened into leaves, each with the places it has in the arrays around
//! it; a pattern matches if every field finds a leaf, and no two of the leaves contradict each
//! other about which element of an array they are in.
//!
//! Written here, because neither crate will do: `event-ruler` 0.1.0 is an empty crate, and
//! `quamina` 0.7.0 gets the arrays right but knows no `$or`, no `anything-but` of a prefix, suffix
//! or wildcard and no case-insensitive prefix, and takes patterns that AWS refuses (`shellstyle`,
//! `regexp`, empty arrays, empty objects). moto's own matcher misses arrays nested in arrays.
//!
//! Not judged: a pattern's length and complexity, which AWS limits too.

mod compile;
mod flatten;
mod matcher;
#[cfg(test)]
mod tests;

use serde_json::Value;

use self::compile::Alternative;
use self::flatten::{Field, Places};
use self::matcher::Matcher;

/// Why AWS would refuse a pattern. Paths are dotted, as in `detail.eventName`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatternError {
    /// The pattern itself is not an object.
    #[error("the pattern is not an object")]
    NotAnObject,
    /// The event is not an object.
    #[error("the event is not an object")]
    EventNotAnObject,
    /// A field's value is a bare scalar.
    #[error("`{path}` must be an object or an array")]
    Bare {
        /// The field.
        path: String,
    },
    /// An object or array without content.
    #[error("`{path}` is empty")]
    Empty {
        /// The field; empty for the pattern itself.
        path: String,
    },
    /// A field is constrained twice, beside and inside `$or`; which one counts is not documented.
    #[error("`{path}` is constrained twice")]
    Twice {
        /// The field.
        path: String,
    },
    /// `$or` is not an array of two objects or more, or has an operator for a field name in it.
    #[error("`$or` at `{path}` must be an array of at least two objects of fields")]
    Or {
        /// The object it stands in; empty for the pattern itself.
        path: String,
    },
    /// An array or an object with other than one key where a value or an operator is expected.
    #[error("`{path}` has an element that is neither a value nor one operator")]
    Element {
        /// The field.
        path: String,
    },
    /// There is no such operator.
    #[error("`{path}` uses `{operator}`, which EventBridge does not know")]
    UnknownOperator {
        /// The field.
        path: String,
        /// The operator.
        operator: String,
    },
    /// The operator is known, but not with that operand.
    #[error("`{operator}` at `{path}` takes {takes}")]
    Operand {
        /// The field.
        path: String,
        /// The operator.
        operator: String,
        /// What would be right.
        takes: &'static str,
    },
}

/// Whether `pattern` lets `event` through; an error if AWS would refuse the pattern.
pub fn matches(pattern: &Value, event: &Value) -> Result<bool, PatternError> {
    let alternatives = compile::compile(pattern)?;
    let fields = flatten::flatten(event).ok_or(PatternError::EventNotAnObject)?;
    Ok(alternatives.iter().any(|alternative| holds(alternative, &fields)))
}

fn holds(alternative: &Alternative, fields: &[Field<'_>]) -> bool {
    let constraints: Vec<(&str, &[Matcher])> =
        alternative.iter().map(|(name, matchers)| (name.as_str(), matchers.as_slice())).collect();
    descend(&constraints, fields, &Places::default())
}

/// Tries every leaf for the first constraint that agrees with the leaves taken so far, in the
/// order of the names, which is Ruler's and is what `exists: false` depends on.
fn descend(constraints: &[(&str, &[Matcher])], fields: &[Field<'_>], so_far: &Places) -> bool {
    let Some(((name, matchers), rest)) = constraints.split_first() else { return true };
    let mut present = false;
    for field in fields.iter().filter(|field| field.name == *name) {
        let Some(places) = so_far.agreeing(&field.places) else { continue };
        present = true;
        if matchers.iter().any(|matcher| matcher.accepts(field.value)) && descend(rest, fields, &places) {
            return true;
        }
    }
    !present && matchers.iter().any(|matcher| matches!(matcher, Matcher::Absent)) && descend(rest, fields, so_far)
}
