//! Removes keys, a batch in one transaction.
//!
//! The accounts are locked before the entries, as for a registration: a removal can break no limit,
//! but a registration beside it that counts the key and then others in its batch would refuse one
//! for a limit that the account never reached. Cost: two locking reads, one update and one outbox
//! row per batch.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use shared_kernel::application::{
    ApplicationError, BatchCommand, Batcher, Clock, CommandIdentity, StoreError, TraceParent,
};
use shared_kernel::domain::{AccountId, Digest, Ispb, Timestamp, Violation};

use crate::application::ports::EntryChange;
use crate::application::{DirectoryStore, DirectoryTransaction};
use crate::domain::{Entry, PixKey, RemovalReason, error};

/// Where removals are handed in.
pub type RemoveKeyQueue = Batcher<RemoveKey, KeyRemoval>;

/// A removal. The desk makes it, after it has found the account's bank and checked that the
/// caller may act for that bank.
#[derive(Clone, Debug)]
pub struct RemoveKey {
    pub(in crate::application) request_id: String,
    pub(in crate::application) ispb: Ispb,
    pub(in crate::application) account_id: AccountId,
    pub(in crate::application) key: PixKey,
    pub(in crate::application) reason: RemovalReason,
    pub(in crate::application) trace: TraceParent,
}

/// A key that names nothing any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRemoval {
    /// The key.
    pub key: PixKey,
    /// When it was removed.
    pub removed_at: Timestamp,
}

/// Decides removals.
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct RemoveKeyHandler {
    store: Arc<dyn DirectoryStore>,
    clock: Arc<dyn Clock>,
}

impl RemoveKeyHandler {
    /// A handler over the store.
    pub fn new(store: Arc<dyn DirectoryStore>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock }
    }
}

fn remove(
    entries: &mut HashMap<PixKey, Entry>,
    command: &RemoveKey,
    now: Timestamp,
) -> Result<EntryChange, Violation> {
    let entry = entries.get_mut(&command.key).ok_or_else(error::key_not_found)?;
    let event = entry.remove(command.account_id, command.reason, now)?;
    entry.apply(&event);
    Ok(EntryChange { entry: entry.clone(), event, trace: command.trace.clone() })
}

#[async_trait]
impl BatchCommand for RemoveKeyHandler {
    type Command = RemoveKey;
    type Prepared = ();
    type Answer = KeyRemoval;
    type Transaction = dyn DirectoryTransaction;

    const OPERATION: &'static str = "remove_key";

    fn identity(&self, command: &RemoveKey) -> Option<CommandIdentity> {
        Some(CommandIdentity {
            scope: format!("{}/{}", command.ispb, Self::OPERATION),
            key: command.request_id.clone(),
            digest: Digest::of(&[
                command.account_id.uuid().as_bytes(),
                command.key.as_str().as_bytes(),
                command.reason.as_str().as_bytes(),
            ]),
        })
    }

    async fn prepare(&self, commands: &[RemoveKey]) -> Vec<Result<(), ApplicationError>> {
        commands.iter().map(|_| Ok(())).collect()
    }

    async fn begin(&self) -> Result<Box<dyn DirectoryTransaction>, StoreError> {
        self.store.begin().await
    }

    async fn decide(
        &self,
        transaction: &mut Self::Transaction,
        commands: &[(RemoveKey, ())],
    ) -> Result<Vec<Result<KeyRemoval, Violation>>, StoreError> {
        let accounts: BTreeSet<AccountId> =
            commands.iter().map(|(command, ())| command.account_id).collect();
        let accounts: Vec<AccountId> = accounts.into_iter().collect();
        transaction.lock_accounts(&accounts).await?;
        let keys: BTreeSet<&PixKey> = commands.iter().map(|(command, ())| &command.key).collect();
        let keys: Vec<PixKey> = keys.into_iter().cloned().collect();
        let entries = transaction.lock_entries(&keys).await?;
        let mut entries: HashMap<PixKey, Entry> =
            entries.into_iter().map(|entry| (entry.key().clone(), entry)).collect();
        let removed_at = self.clock.now();
        let mut changes = Vec::new();
        let mut answers = Vec::new();
        for (command, ()) in commands {
            answers.push(remove(&mut entries, command, removed_at).map(|change| {
                changes.push(change);
                KeyRemoval { key: command.key.clone(), removed_at }
            }));
        }
        if !changes.is_empty() {
            transaction.save_entries(&changes).await?;
        }
        Ok(answers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::memory::{
        MemoryDirectory, account_id, codes, enrolled, key, run, trace,
    };
    use crate::domain::EntryEvent;

    fn handler(directory: &MemoryDirectory) -> RemoveKeyHandler {
        RemoveKeyHandler::new(Arc::new(directory.clone()), directory.clock())
    }

    fn asked(request_id: &str, account: u128, text: &str) -> RemoveKey {
        RemoveKey {
            request_id: request_id.into(),
            ispb: Ispb::parse("00000001").unwrap(),
            account_id: account_id(account),
            key: key(text),
            reason: RemovalReason::UserRequested,
            trace: trace(),
        }
    }

    fn directory() -> MemoryDirectory {
        let directory = MemoryDirectory::with_participants(&["00000001"]);
        directory.add(enrolled(1, "00000001", "12345678909"));
        directory.add(enrolled(2, "00000001", "52998224725"));
        directory.give(1, "m@x");
        directory
    }

    #[tokio::test]
    async fn a_key_is_removed_once_and_a_repeat_gets_the_first_answer() {
        let directory = directory();
        let first = run(handler(&directory), &directory, vec![asked("r", 1, "m@x")]).await;
        let batch = vec![asked("r", 1, "m@x"), asked("s", 1, "m@x")];
        let again = run(handler(&directory), &directory, batch).await;
        assert_eq!(again[0], first[0]);
        assert_eq!(codes(&again), ["", "key_not_found"]);
        let removals = directory.published();
        let removals = removals.iter().filter(|it| matches!(it.event, EntryEvent::Removed(_)));
        assert_eq!(removals.count(), 1);
    }

    #[tokio::test]
    async fn another_account_removes_nothing() {
        let directory = directory();
        let batch = vec![asked("a", 2, "m@x"), asked("b", 1, "n@x")];
        let answers = run(handler(&directory), &directory, batch).await;
        assert_eq!(codes(&answers), ["key_not_found", "key_not_found"]);
        assert_eq!(directory.published().len(), 1);
    }

    #[tokio::test]
    async fn the_reason_is_part_of_what_a_request_asks() {
        let directory = directory();
        let fraud = RemoveKey { reason: RemovalReason::Fraud, ..asked("r", 1, "m@x") };
        run(handler(&directory), &directory, vec![asked("r", 1, "m@x")]).await;
        let answers = run(handler(&directory), &directory, vec![fraud]).await;
        assert_eq!(codes(&answers), ["idempotency_key_reused"]);
    }
}
