//! What this responder does.

use std::collections::BTreeSet;
use std::fmt;

use remedy::{Change, ChangeKey};
use serde::{Deserialize, Serialize};

use crate::sharing::{Grantee, ImageId};

const SHARED_WITH: &str = "shared with ";

/// How long the names in one change are together at most, in bytes. EC2 takes
/// 10,000 account ids in one call, and whoever shares an image chooses how many it is; the ledger keeps each change by its key, in the name of an attribute.
const LONGEST: usize = 200;

/// An image is shared, or no longer shared, with some.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SharingChange {
    /// With nobody of these any longer.
    Unshare(ImageId, BTreeSet<Grantee>),
    /// With all of these again.
    Share(ImageId, BTreeSet<Grantee>),
}

impl SharingChange {
    /// Unshares with all of these, in as many calls as it takes.
    pub(crate) fn unsharing(image: &ImageId, with: BTreeSet<Grantee>) -> Vec<Self> {
        let mut batches: Vec<(usize, BTreeSet<Grantee>)> = Vec::new();
        for grantee in with {
            let length = grantee.as_str().len() + ", ".len();
            match batches.last_mut() {
                Some((total, batch)) if *total + length <= LONGEST => {
                    *total += length;
                    batch.insert(grantee);
                }
                _ => batches.push((length, BTreeSet::from([grantee]))),
            }
        }
        batches.into_iter().map(|(_, batch)| Self::Unshare(image.clone(), batch)).collect()
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
            Self::Unshare(image, with) => Self::Share(image, with),
            Self::Share(image, with) => Self::Unshare(image, with),
        }
    }

    fn key(&self) -> ChangeKey {
        ChangeKey::new(format!("{SHARED_WITH}{}", self.names()))
    }
}

impl fmt::Display for SharingChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unshare(image, _) => write!(f, "no longer share {image} with {}", self.names()),
            Self::Share(image, _) => write!(f, "share {image} with {} again", self.names()),
        }
    }
}
