//! Whom we trust.

use std::collections::BTreeSet;
use std::sync::Arc;

use cloudtrail::{AccountId, Partition};

/// Whose the resource is, and who else is not foreign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    /// The account that the resource, role or key belongs to.
    pub account: AccountId,
    /// The partition it is in.
    pub partition: Partition,
    /// The id of the organization, `o-…`, if it is configured.
    pub organization: Option<String>,
    /// Further accounts that are not foreign: those of the organization, as far as they are known, and those that the
    /// user trusts.
    pub accounts: Arc<BTreeSet<AccountId>>,
}

impl Trust {
    /// Trusts the account itself and nobody else.
    #[must_use]
    pub fn only(account: AccountId, partition: Partition) -> Self {
        Self { account, partition, organization: None, accounts: Arc::default() }
    }

    pub(crate) fn includes(&self, account: &AccountId) -> bool {
        *account == self.account || self.accounts.contains(account)
    }
}
