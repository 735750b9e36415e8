//! What the policies said, and why.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize, Serializer};

use crate::limit::in_longest_unit;
use crate::{Limit, Warrant};

/// The `@id` of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PolicyId(String);

impl PolicyId {
    /// The id as its policy writes it.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The id as its policy writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PolicyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What may be done about a finding.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Act now.
    Enforce(Warrant),
    /// Ask a person first.
    Approve,
    /// Only report: no policy permits it.
    Observe,
    /// A policy forbids it.
    Exempt,
}

impl Verdict {
    /// The word used everywhere: `enforce`, `approve`, `observe` or `exempt`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Enforce(_) => "enforce",
            Self::Approve => "approve",
            Self::Observe => "observe",
            Self::Exempt => "exempt",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Verdict {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// A policy that made the verdict.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Cause {
    /// Its `@id`.
    pub id: PolicyId,
    /// Its `@reason`.
    pub reason: Option<String>,
}

/// A policy that could not be evaluated for this request.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Fault {
    /// The policy; `None` where the request as a whole could not be put to the policies.
    pub policy: Option<PolicyId>,
    /// Why: one line.
    pub message: String,
}

/// The answer of the policies.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// What may be done.
    pub verdict: Verdict,
    /// What made the verdict, by id; empty for [`Verdict::Observe`].
    pub policies: Vec<Cause>,
    /// What could not be evaluated, by id, whether or not it mattered.
    pub errors: Vec<Fault>,
    /// The limits of [`Self::policies`]. There must be room in every one of them.
    pub limits: Vec<Limit>,
    /// How long what is done lasts unless a person confirms it: the shortest `@lease` of [`Self::policies`].
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "crate::policies::seconds")]
    pub lease: Option<Duration>,
    /// Those of [`Self::errors`] for whose sake the verdict is `approve` where it would have been `enforce`.
    pub doubts: Vec<PolicyId>,
}

impl Decision {
    /// The right that a person's approval gives: only over what a policy still permits, and none forbids.
    #[must_use]
    pub fn approved(self) -> Option<Warrant> {
        match self.verdict {
            Verdict::Enforce(warrant) => Some(warrant),
            Verdict::Approve => Some(Warrant::by_policy()),
            Verdict::Observe | Verdict::Exempt => None,
        }
    }

    /// Why, in one plain sentence for a person.
    #[must_use]
    pub fn because(&self) -> String {
        let causes = and(self.policies.iter().map(|Cause { id, reason }| match reason {
            Some(reason) => format!("`{id}` ({reason})"),
            None => format!("`{id}`"),
        }));
        let faults = |matters: &dyn Fn(&PolicyId) -> bool| {
            and(self.errors.iter().filter(|fault| fault.policy.as_ref().is_none_or(matters)).map(|fault| {
                let Fault { policy, message } = fault;
                match policy {
                    Some(policy) => format!("`{policy}` could not be evaluated: {message}"),
                    None => format!("the policies could not be asked: {message}"),
                }
            }))
        };
        match &self.verdict {
            Verdict::Enforce(_) => match self.lease {
                None => format!("permitted by {causes}"),
                Some(lease) => {
                    format!("permitted by {causes}, for {} unless a person confirms it", in_longest_unit(lease))
                }
            },
            Verdict::Approve if self.doubts.is_empty() => format!("a person must approve it, says {causes}"),
            Verdict::Approve => {
                let faults = faults(&|policy| self.doubts.contains(policy));
                format!("permitted by {causes}, but a person must approve it because {faults}")
            }
            Verdict::Observe if self.errors.is_empty() => "no policy permits it".to_owned(),
            Verdict::Observe => format!("no policy permits it, and {}", faults(&|_| true)),
            Verdict::Exempt => format!("forbidden by {causes}"),
        }
    }
}

/// `a`, `a and b`, `a, b and c`.
fn and(parts: impl Iterator<Item = String>) -> String {
    let parts: Vec<String> = parts.collect();
    match parts.as_slice() {
        [] => String::new(),
        [only] => only.clone(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
    }
}
