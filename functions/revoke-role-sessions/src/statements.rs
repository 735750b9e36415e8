//! The statements of our inline policy on a role: one for each denial.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use session_denial::Denial;

/// The statements in the text of a policy; none where there is no policy. What is not one of ours is kept as it is.
fn statements(text: Option<&str>) -> Vec<Value> {
    let policy: Option<Value> = text.and_then(|text| serde_json::from_str(text).ok());
    match policy.as_ref().and_then(|policy| policy.get("Statement")) {
        Some(Value::Array(statements)) => statements.clone(),
        Some(statement) => vec![statement.clone()],
        None => Vec::new(),
    }
}

fn document(statements: &[Value]) -> String {
    json!({ "Version": "2012-10-17", "Statement": statements }).to_string()
}

/// All that a policy of ours denies.
pub(crate) fn denials(text: Option<&str>) -> impl Iterator<Item = Denial> {
    statements(text).into_iter().filter_map(|statement| Denial::of_statement(&statement))
}

/// The statements in a policy of ours that we have not written, or that somebody has changed.
pub(crate) fn strangers(text: Option<&str>) -> Vec<Value> {
    let mut statements = statements(text);
    statements.retain(|it| Denial::of_statement(it).is_none());
    statements
}

/// Whether a policy has this very denial.
pub(crate) fn has(text: Option<&str>, denial: &Denial) -> bool {
    denials(text).any(|found| found == *denial)
}

/// The policy with one more denial, and without those of ours whose sessions must have ended by now.
///
/// All inline policies of a role may have 10,240 characters together, white space not counted. Source: IAM User Guide,
/// "IAM and AWS STS quotas".
pub(crate) fn with(text: Option<&str>, denial: &Denial, now: DateTime<Utc>) -> String {
    let mut statements = statements(text);
    statements.retain(|it| Denial::of_statement(it).is_none_or(|denial| !denial.has_ended(now)));
    statements.push(denial.statement());
    document(&statements)
}

/// The policy without this denial; `None` if nothing is left of it.
pub(crate) fn without(text: Option<&str>, denial: &Denial) -> Option<String> {
    let mut statements = statements(text);
    statements.retain(|it| Denial::of_statement(it).as_ref() != Some(denial));
    (!statements.is_empty()).then(|| document(&statements))
}
