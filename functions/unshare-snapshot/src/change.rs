//! What this responder does.

use std::collections::BTreeSet;
use std::fmt;

use remedy::{Change, ChangeKey};
use serde::{Deserialize, Serialize};

use crate::sharing::{Grantee, Snapshot};

const SHARED_WITH: &str = "shared with ";

/// How long the names in one change are together at most, in bytes. EC2 takes 500 in one call, and whoever shares a snapshot
/// chooses how many it is; the ledger keeps each change by its key, in the name of an attribute.
const LONGEST: usize = 200;

/// A snapshot is shared, or no longer shared, with some.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SharingChange {
    /// With nobody of these any longer.
    Unshare(Snapshot, BTreeSet<Grantee>),
    /// With all of these again.
    Share(Snapshot, BTreeSet<Grantee>),
}

impl SharingChange {
    /// Unshares with all of these, in as many calls as it takes.
    pub(crate) fn unsharing(snapshot: &Snapshot, with: BTreeSet<Grantee>) -> Vec<Self> {
        let mut batches: Vec<(usize, BTreeSet<Grantee>)> = Vec::new();
        for grantee in with {
            let length = grantee.as_str().len() + ", ".len();
            match batches.last_mut() {
                // EC2 takes groups and users as lists apart, and nothing says that one call may have both.
                Some((total, batch)) if *total + length <= LONGEST && !batch.contains(&Grantee::Everybody) => {
                    *total += length;
                    batch.insert(grantee);
                }
                _ => batches.push((length, BTreeSet::from([grantee]))),
            }
        }
        batches.into_iter().map(|(_, batch)| Self::Unshare(snapshot.clone(), batch)).collect()
    }

    /// Whom a change of this key was about.
    pub(crate) fn grantees(key: &ChangeKey) -> impl Iterator<Item = Grantee> {
        let names = key.as_str().strip_prefix(SHARED_WITH).into_iter().flat_map(|names| names.split(", "));
        names.filter_map(|name| Grantee::parse(name).ok())
    }

    pub(crate) fn with(&self) -> &BTreeSet<Grantee> {
        match self {
            Self::Unshare(_, with) | Self::Share(_, with) => with,
        }
    }

    fn names(&self) -> String {
        self.with().iter().map(Grantee::as_str).collect::<Vec<_>>().join(", ")
    }
}

impl Change for SharingChange {
    fn inverse(&self) -> Self {
        match self.clone() {
            Self::Unshare(snapshot, with) => Self::Share(snapshot, with),
            Self::Share(snapshot, with) => Self::Unshare(snapshot, with),
        }
    }

    fn key(&self) -> ChangeKey {
        ChangeKey::new(format!("{SHARED_WITH}{}", self.names()))
    }
}

impl fmt::Display for SharingChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unshare(snapshot, _) => write!(f, "no longer share {snapshot} with {}", self.names()),
            Self::Share(snapshot, _) => write!(f, "share {snapshot} with {} again", self.names()),
        }
    }
}
