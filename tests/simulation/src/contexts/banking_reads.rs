//! What the banks know, outside any transaction.

use async_trait::async_trait;
use banking::application::ports::{AccountCursor, BankingReads, TransferCursor};
use banking::application::views::{BankView, StatementLine, TransferView};
use banking::domain::{Account, BookTransfer, Party};
use shared_kernel::application::StoreError;
use shared_kernel::domain::{AccountId, EndToEndId, Ispb};

use super::banking::{BankRow, BankingTables};
use crate::store::Session;

fn view((bank, _, _): &BankRow) -> BankView {
    BankView {
        ispb: bank.ispb,
        code: bank.code.clone(),
        name: bank.name.clone(),
        primary_color: bank.colors.primary.clone(),
        secondary_color: bank.colors.secondary.clone(),
    }
}

/// The transfers of an account, newest first.
pub(crate) fn transfers_of(tables: &BankingTables, id: AccountId) -> Vec<TransferView> {
    let outgoing = tables.outgoing.values().map(|(side, _)| side);
    let outgoing = outgoing.filter(|it| it.state().payment.payer.account_id == id);
    let incoming = tables.incoming.values().map(|(side, _)| side);
    let incoming = incoming.filter(|it| it.state().payment.payee.account_id == id);
    let is_side = |it: &&BookTransfer| {
        [it.payment.payer.account_id, it.payment.payee.account_id].contains(&id)
    };
    let booked = tables.booked.values().filter(is_side).map(|it| TransferView::book(it, id));
    let sides = outgoing.map(TransferView::from).chain(incoming.map(TransferView::from));
    let mut views: Vec<TransferView> = sides.chain(booked).collect();
    views.sort_by_key(|view| std::cmp::Reverse((view.requested_at, view.end_to_end_id)));
    views
}

fn limited<T>(mut rows: Vec<T>, limit: i64) -> Vec<T> {
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    rows
}

#[async_trait]
impl BankingReads for Session<BankingTables> {
    async fn banks(&self) -> Result<Vec<BankView>, StoreError> {
        self.read(|it| it.banks.values().filter(|(bank, _, _)| bank.hosted).map(view).collect())
            .await
    }

    async fn hosted(&self, banks: &[Ispb]) -> Result<Vec<Ispb>, StoreError> {
        self.read(|tables| {
            let is_hosted =
                |ispb: &&Ispb| tables.banks.get(ispb).is_some_and(|(bank, _, _)| bank.hosted);
            banks.iter().filter(is_hosted).copied().collect()
        })
        .await
    }

    async fn accounts(&self, ids: &[AccountId]) -> Result<Vec<Account>, StoreError> {
        self.read(|it| ids.iter().filter_map(|id| it.accounts.get(id).cloned()).collect()).await
    }

    async fn accounts_of(
        &self,
        bank: Ispb,
        after: Option<AccountCursor>,
        limit: i64,
    ) -> Result<Vec<Account>, StoreError> {
        let place = |account: &Account| (account.state().opened_at, account.state().id);
        self.read(|tables| {
            let mut accounts: Vec<Account> = tables.accounts.values().cloned().collect();
            accounts.retain(|it| it.state().ispb == bank && after.is_none_or(|at| place(it) > at));
            accounts.sort_by_key(place);
            limited(accounts, limit)
        })
        .await
    }

    async fn own_keys(
        &self,
        wanted: &[(Ispb, String)],
    ) -> Result<Vec<(String, Party)>, StoreError> {
        self.read(|tables| {
            let own = |(ispb, key): &(Ispb, String)| {
                let owner = tables.keys.get(key)?.owner.clone()?;
                (owner.ispb == *ispb).then(|| (key.clone(), owner))
            };
            wanted.iter().filter_map(own).collect()
        })
        .await
    }

    async fn transfer(
        &self,
        id: EndToEndId,
        account_id: AccountId,
    ) -> Result<Option<TransferView>, StoreError> {
        self.read(|tables| {
            transfers_of(tables, account_id).into_iter().find(|it| it.end_to_end_id == id)
        })
        .await
    }

    async fn transfers_of(
        &self,
        account_id: AccountId,
        before: Option<TransferCursor>,
        limit: i64,
    ) -> Result<Vec<TransferView>, StoreError> {
        self.read(|tables| {
            let mut views = transfers_of(tables, account_id);
            views.retain(|it| before.is_none_or(|at| (it.requested_at, it.end_to_end_id) < at));
            limited(views, limit)
        })
        .await
    }

    async fn statement(
        &self,
        _account_id: AccountId,
        _before: Option<i64>,
        _limit: i64,
    ) -> Result<Vec<StatementLine>, StoreError> {
        Err(StoreError::Rejected("no simulated use case reads statements".into()))
    }
}
