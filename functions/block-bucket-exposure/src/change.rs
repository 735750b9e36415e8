//! What this responder does.

use std::collections::BTreeSet;
use std::fmt;

use remedy::{Change, ChangeKey, Situation};
use serde::{Deserialize, Serialize};

use crate::bucket::{Acl, Block, Bucket, Place};
use crate::text;

/// Something of a bucket, or of the account, as it was before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Edit {
    /// A bucket's policy. Whole, so that undo puts back what was there byte for byte.
    Policy {
        /// The bucket.
        bucket: Bucket,
        /// The text that was there.
        before: Option<String>,
        /// The text without the statements that expose the bucket; `None` if no others are left.
        after: Option<String>,
    },
    /// A bucket's ACL.
    Acl {
        /// The bucket.
        bucket: Bucket,
        /// What was there.
        before: Acl,
        /// The same without the public grants.
        after: Acl,
    },
    /// A public access block.
    Block {
        /// Of what.
        place: Place,
        /// What was there.
        before: Option<Block>,
        /// What is there then.
        after: Option<Block>,
    },
}

/// A write to a bucket, or to the account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum BucketChange {
    /// From before to after.
    Close(Edit),
    /// From after to before.
    Reopen(Edit),
}

impl BucketChange {
    /// What is changed.
    #[must_use]
    pub fn edit(&self) -> &Edit {
        match self {
            Self::Close(edit) | Self::Reopen(edit) => edit,
        }
    }
}

impl Edit {
    /// What was open, one by one: the same for the same exposure, whatever else is changed with it.
    pub(crate) fn exposures(&self) -> BTreeSet<String> {
        match self {
            Self::Policy { before, after, .. } => {
                text::removed(before.as_deref(), after.as_deref()).into_iter().map(|(mark, _)| mark).collect()
            }
            Self::Acl { before, after, .. } => {
                let left: BTreeSet<_> = after.public().collect();
                before.public().filter(|grant| !left.contains(grant)).map(ToString::to_string).collect()
            }
            Self::Block { before, after, .. } => {
                let closed = after.unwrap_or_default().and_not(before.unwrap_or_default());
                closed.on().into_iter().map(str::to_owned).collect()
            }
        }
    }

    /// What the key of its change begins with.
    pub(crate) fn what(&self) -> &'static str {
        match self {
            Self::Policy { .. } => POLICY,
            Self::Acl { .. } => ACL,
            Self::Block { .. } => BLOCK,
        }
    }
}

/// What the keys of each kind of change begin with.
pub(crate) const POLICY: &str = "policy ";
pub(crate) const ACL: &str = "ACL ";
pub(crate) const BLOCK: &str = "public access block ";

/// What an undo opened again, of this kind: statements by their [`text::mark`], grants and settings by their names.
pub(crate) fn wanted(what: &str, situation: &Situation) -> BTreeSet<String> {
    let keys = situation.memory.wanted.keys().filter(|key| situation.memory.is_wanted(key, situation.now));
    let lists = keys.filter_map(|key| key.as_str().strip_prefix(what));
    lists.flat_map(|list| list.split(", ").map(str::to_owned)).collect()
}

impl Change for BucketChange {
    fn inverse(&self) -> Self {
        match self.clone() {
            Self::Close(edit) => Self::Reopen(edit),
            Self::Reopen(edit) => Self::Close(edit),
        }
    }

    fn key(&self) -> ChangeKey {
        let exposures: Vec<String> = self.edit().exposures().into_iter().collect();
        ChangeKey::new(format!("{}{}", self.edit().what(), exposures.join(", ")))
    }
}

impl fmt::Display for BucketChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exposures = |edit: &Edit| edit.exposures().into_iter().collect::<Vec<_>>().join(", ");
        match self {
            Self::Close(edit @ Edit::Acl { bucket, .. }) => {
                write!(f, "revoke {} in the ACL of bucket {}", exposures(edit), bucket.name)
            }
            Self::Reopen(edit @ Edit::Acl { bucket, .. }) => {
                write!(f, "grant {} in the ACL of bucket {} again", exposures(edit), bucket.name)
            }
            Self::Close(edit @ Edit::Block { place, .. }) => write!(f, "turn on {} of {place}", exposures(edit)),
            Self::Reopen(Edit::Block { place, before: None, .. }) => {
                write!(f, "delete the public access block of {place} again")
            }
            Self::Reopen(edit @ Edit::Block { place, .. }) => {
                write!(f, "turn off {} of {place} again", exposures(edit))
            }
            Self::Close(Edit::Policy { bucket, before, after }) => {
                let statements = names(before.as_deref(), after.as_deref());
                write!(f, "remove {statements} from the policy of bucket {}", bucket.name)?;
                if after.is_none() { f.write_str(", and with that the policy") } else { Ok(()) }
            }
            Self::Reopen(Edit::Policy { bucket, before, after }) => {
                let statements = names(before.as_deref(), after.as_deref());
                write!(f, "put {statements} back into the policy of bucket {}", bucket.name)
            }
        }
    }
}

fn names(before: Option<&str>, after: Option<&str>) -> String {
    let names: Vec<String> = text::removed(before, after).into_iter().map(|(_, name)| name).collect();
    let word = if names.len() == 1 { "statement" } else { "statements" };
    format!("{word} {}", names.join(", "))
}
