//! Adds accounts whose books are kept outside of this hub.
//!
//! Idempotent by nature: the same content again changes nothing. Cost: one locking read, one read
//! of participants and one insert per batch.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use async_trait::async_trait;
use shared_kernel::application::{
    ApplicationError, BatchCommand, Batcher, CommandIdentity, StoreError,
};
use shared_kernel::domain::{AccountId, Ispb, Violation};

use crate::application::ports::ListedAccount;
use crate::application::{AccountView, DirectoryStore, DirectoryTransaction};
use crate::domain::{Account, AccountDetails, Participant, error};

/// Where enrolments are handed in.
pub type EnrolAccountQueue = Batcher<EnrolAccount, AccountView>;

/// An enrolment. The desk makes it, after it has checked that the caller is an operator.
#[derive(Clone, Debug)]
pub struct EnrolAccount {
    pub(in crate::application) account_id: AccountId,
    pub(in crate::application) ispb: Ispb,
    pub(in crate::application) details: AccountDetails,
}

/// Decides enrolments.
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct EnrolAccountHandler {
    store: Arc<dyn DirectoryStore>,
}

impl EnrolAccountHandler {
    /// A handler over the store.
    pub fn new(store: Arc<dyn DirectoryStore>) -> Self {
        Self { store }
    }
}

fn enrol(
    accounts: &mut HashMap<AccountId, ListedAccount>,
    participants: &HashMap<Ispb, Participant>,
    command: &EnrolAccount,
) -> Result<(AccountView, Option<Account>), Violation> {
    let EnrolAccount { account_id, ispb, details } = command;
    let participant = participants.get(ispb).ok_or_else(error::participant_not_found)?;
    if let Some(known) = accounts.get(account_id) {
        known.account.enrol_again(*ispb, details)?;
        let view = AccountView::of(known).ok_or_else(error::account_id_taken)?;
        return Ok((view, None));
    }
    let account = Account::enrolled(*account_id, *ispb, details.clone());
    let listed = ListedAccount { account: account.clone(), participant: Some(participant.clone()) };
    let view = AccountView::of(&listed).ok_or_else(error::account_id_taken)?;
    accounts.insert(*account_id, listed);
    Ok((view, Some(account)))
}

#[async_trait]
impl BatchCommand for EnrolAccountHandler {
    type Command = EnrolAccount;
    type Prepared = ();
    type Answer = AccountView;
    type Transaction = dyn DirectoryTransaction;

    const OPERATION: &'static str = "enrol_account";

    fn identity(&self, _command: &EnrolAccount) -> Option<CommandIdentity> {
        None
    }

    async fn prepare(&self, commands: &[EnrolAccount]) -> Vec<Result<(), ApplicationError>> {
        commands.iter().map(|_| Ok(())).collect()
    }

    async fn begin(&self) -> Result<Box<dyn DirectoryTransaction>, StoreError> {
        self.store.begin().await
    }

    async fn decide(
        &self,
        transaction: &mut Self::Transaction,
        commands: &[(EnrolAccount, ())],
    ) -> Result<Vec<Result<AccountView, Violation>>, StoreError> {
        let ids: BTreeSet<AccountId> =
            commands.iter().map(|(command, ())| command.account_id).collect();
        let ids: Vec<AccountId> = ids.into_iter().collect();
        let ispbs: BTreeSet<Ispb> = commands.iter().map(|(command, ())| command.ispb).collect();
        let ispbs: Vec<Ispb> = ispbs.into_iter().collect();
        let accounts = transaction.lock_accounts(&ids).await?;
        let mut accounts =
            accounts.into_iter().map(|listed| (listed.account.id(), listed)).collect();
        let participants = transaction.participants(&ispbs).await?;
        let participants = participants.into_iter().map(|known| (known.ispb, known)).collect();
        let mut added = Vec::new();
        let mut answers = Vec::new();
        for (command, ()) in commands {
            answers.push(enrol(&mut accounts, &participants, command).map(|(view, account)| {
                added.extend(account);
                view
            }));
        }
        if !added.is_empty() {
            // In the order of their ids, as locks are taken.
            added.sort_by_key(Account::id);
            transaction.add_accounts(&added).await?;
        }
        Ok(answers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::memory::{MemoryDirectory, account_id, codes, details, run};
    use crate::domain::AccountStatus;

    fn handler(directory: &MemoryDirectory) -> EnrolAccountHandler {
        EnrolAccountHandler::new(Arc::new(directory.clone()))
    }

    fn asked(account: u128, ispb: &str, number: &str) -> EnrolAccount {
        let ispb = Ispb::parse(ispb).unwrap();
        let details = AccountDetails { number: number.into(), ..details("12345678909") };
        EnrolAccount { account_id: account_id(account), ispb, details }
    }

    #[tokio::test]
    async fn the_same_content_again_is_the_same_account_and_other_content_is_refused() {
        let directory = MemoryDirectory::with_participants(&["00000001", "00000002"]);
        let batch = vec![
            asked(1, "00000001", "1111"),
            asked(1, "00000001", "1111"),
            asked(1, "00000001", "2222"),
        ];
        let first = run(handler(&directory), &directory, batch).await;
        assert_eq!(codes(&first), ["", "", "account_id_taken"]);
        let batch = vec![asked(1, "00000001", "1111"), asked(1, "00000002", "1111")];
        let again = run(handler(&directory), &directory, batch).await;
        assert_eq!(codes(&again), ["", "account_id_taken"]);
        assert_eq!(again[0], first[0]);
        let view = again.into_iter().next().unwrap().unwrap();
        assert_eq!((view.number.as_str(), view.status), ("1111", AccountStatus::Active));
    }

    #[tokio::test]
    async fn an_unknown_participant_is_refused() {
        let directory = MemoryDirectory::with_participants(&["00000001"]);
        let batch = vec![asked(1, "00000002", "1111"), asked(2, "00000001", "1111")];
        let answers = run(handler(&directory), &directory, batch).await;
        assert_eq!(codes(&answers), ["participant_not_found", ""]);
    }

    #[tokio::test]
    async fn an_account_that_was_added_meanwhile_is_decided_anew() {
        let directory = MemoryDirectory::with_participants(&["00000001"]);
        run(handler(&directory), &directory, vec![asked(1, "00000001", "1111")]).await;
        directory.hide_account_from_next_transaction(account_id(1));
        let batch = vec![asked(1, "00000001", "2222")];
        let answers = run(handler(&directory), &directory, batch).await;
        assert_eq!(codes(&answers), ["account_id_taken"]);
    }
}
