//! What one look found.

use remedy::{CallError, CallErrorKind, in_full};
use serde::Serialize;

/// How it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum CheckResult {
    /// As it should be.
    Ok,
    /// It works, and somebody should know this.
    Warning,
    /// It does not work, or it is not known whether it does.
    Failed,
}

/// One thing that was looked at. Other programs rely on this form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Check {
    pub(crate) name: String,
    pub(crate) result: CheckResult,
    pub(crate) seen: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fix: Option<String>,
}

impl Check {
    pub(crate) fn ok(name: impl Into<String>, seen: impl Into<String>) -> Self {
        Self { name: name.into(), result: CheckResult::Ok, seen: seen.into(), fix: None }
    }

    pub(crate) fn warning(name: impl Into<String>, seen: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { name: name.into(), result: CheckResult::Warning, seen: seen.into(), fix: Some(fix.into()) }
    }

    pub(crate) fn failed(name: impl Into<String>, seen: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { name: name.into(), result: CheckResult::Failed, seen: seen.into(), fix: Some(fix.into()) }
    }

    /// A look that was not possible. That counts as failed: nobody may take it for a good sign.
    pub(crate) fn unknown(name: impl Into<String>, error: &CallError) -> Self {
        let fix = match error.kind {
            CallErrorKind::Denied => format!("allow yourself {}, or ask somebody who may", error.action),
            CallErrorKind::Gone => {
                "it was deleted outside the stack, and `sam deploy` alone does not make it again: deploy \
                                    under another name, or import it"
                    .to_owned()
            }
            CallErrorKind::Throttled | CallErrorKind::Unanswered => "look again later; check the network".to_owned(),
            CallErrorKind::Refused => format!("see why AWS refused {}", error.action),
        };
        Self::failed(name, format!("not known: {}", in_full(error)), fix)
    }
}
