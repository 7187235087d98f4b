//! The use cases in one place, for transports.

use std::sync::Arc;

use super::query::{FindAccountQueue, FindKeyQueue, GetAccounts, GetKeys, ListKeys};
use super::{Desk, DirectoryReads};

/// The use cases of the directory.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct PixKeys {
    /// Registers and removes keys, enrols accounts.
    pub desk: Desk,
    /// Resolves a key; lookups that come together share one query.
    pub find_key: FindKeyQueue,
    /// Resolves an account id; shared in the same way.
    pub find_account: FindAccountQueue,
    /// The keys of accounts.
    pub list_keys: ListKeys,
    /// Keys by their texts, for the banks that they lead to.
    pub get_keys: GetKeys,
    /// Accounts by their ids.
    pub get_accounts: GetAccounts,
}

impl PixKeys {
    /// The use cases behind a desk, two queues of lookups, and what is committed.
    pub fn new(
        desk: Desk,
        find_key: FindKeyQueue,
        find_account: FindAccountQueue,
        reads: &Arc<dyn DirectoryReads>,
    ) -> Self {
        Self {
            desk,
            find_key,
            find_account,
            list_keys: ListKeys::new(Arc::clone(reads)),
            get_keys: GetKeys::new(Arc::clone(reads)),
            get_accounts: GetAccounts::new(Arc::clone(reads)),
        }
    }
}
