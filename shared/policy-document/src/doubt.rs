//! Why something is not known.

use std::fmt;

/// Why a verdict is "unknown". It is reported and never acted on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Doubt {
    /// The statement is not one that AWS documents; where reading it stopped, counted from 1 within the statement.
    Unreadable {
        /// The line.
        line: usize,
        /// The column.
        column: usize,
    },
    /// The statement lacks an element, or has two that exclude each other.
    Incomplete(&'static str),
    /// A condition key that may or may not restrict.
    Key(String),
    /// A condition operator that AWS does not document.
    Operator(String),
    /// A value that is not of the key's kind, or an operator that does not go with the key.
    Value {
        /// The condition key.
        key: String,
        /// The value.
        value: String,
    },
    /// A policy variable whose value depends on the request.
    Variable {
        /// The condition key.
        key: String,
    },
    /// The condition holds where the key is missing, and whether it is ever missing depends on the service.
    MayBeMissing {
        /// The condition key.
        key: String,
    },
    /// The statement names an organization, and which one is ours is not configured.
    OrganizationNotConfigured(String),
    /// A principal of another partition, which cannot reach this one.
    OtherPartition(String),
    /// A principal that AWS would refuse, or that we do not know.
    Principal(String),
    /// A fixed principal whose account the document does not tell.
    OwnerUntold(String),
    /// An identity provider's claim that may or may not tell one tenant from another.
    Claim(String),
    /// Each condition lets in callers from anywhere, and no caller was found that meets all of them.
    Contradiction,
    /// A condition limits what would make an administrator.
    Limited {
        /// The condition key.
        key: String,
    },
    /// A Deny statement may take back what this one grants.
    Denied {
        /// The index of the Deny statement.
        statement: usize,
    },
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { line, column } => {
                write!(f, "the statement is not understood from its line {line}, column {column} on")
            }
            Self::Incomplete(what) => write!(f, "the statement is not complete: {what}"),
            Self::Key(key) => write!(f, "whether `{key}` restricts is not known"),
            Self::Operator(operator) => write!(f, "`{operator}` is not a known condition operator"),
            Self::Value { key, value } => write!(f, "`{value}` is not understood as a value of `{key}`"),
            Self::Variable { key } => write!(f, "the value of `{key}` depends on the request"),
            Self::MayBeMissing { key } => {
                write!(f, "the condition holds without `{key}`, and whether it can be missing is not known")
            }
            Self::OrganizationNotConfigured(id) => {
                write!(f, "organization `{id}` may be ours: which one is ours is not configured")
            }
            Self::OtherPartition(principal) => write!(f, "`{principal}` is of another partition"),
            Self::Principal(principal) => write!(f, "principal `{principal}` is not understood"),
            Self::OwnerUntold(principal) => write!(f, "whose `{principal}` is, the document does not tell"),
            Self::Claim(key) => write!(f, "whether `{key}` tells one tenant from another is not known"),
            Self::Contradiction => f.write_str("no caller was found that meets all conditions at once"),
            Self::Limited { key } => write!(f, "`{key}` limits it"),
            Self::Denied { statement } => write!(f, "statement {statement} may deny what this one allows"),
        }
    }
}
