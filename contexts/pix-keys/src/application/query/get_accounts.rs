//! Accounts by their ids, in one read.

use std::sync::Arc;

use shared_kernel::application::ApplicationError;
use shared_kernel::domain::AccountId;

use crate::application::{AccountView, DirectoryReads};

/// Reads accounts.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct GetAccounts {
    reads: Arc<dyn DirectoryReads>,
}

impl GetAccounts {
    /// The query over what is committed.
    pub fn new(reads: Arc<dyn DirectoryReads>) -> Self {
        Self { reads }
    }

    /// Those that the directory knows, in any order; every caller may ask.
    ///
    /// # Errors
    /// [`ApplicationError::Unavailable`].
    pub async fn execute(&self, ids: &[AccountId]) -> Result<Vec<AccountView>, ApplicationError> {
        Ok(self.reads.accounts(ids).await?)
    }
}
