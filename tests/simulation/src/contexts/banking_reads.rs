//! What the banks know, outside any transaction.

use async_trait::async_trait;
use banking::application::page::{
    AccountAt, AccountPlace, AccountsOf, Part, PostingPlace, PostingsOf, TransferPlace, TransfersOf,
};
use banking::application::ports::BankingReads;
use banking::application::views::{BankView, HoldView, StatementLine, TransferView};
use banking::domain::{Account, BookTransfer, Client, ClientId, Party};
use shared_kernel::application::StoreError;
use shared_kernel::domain::{AccountId, EndToEndId, Ispb};

use super::banking::{BankRow, BankingTables};
use super::not_listed;
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

#[async_trait]
impl BankingReads for Session<BankingTables> {
    async fn banks(&self) -> Result<Vec<BankView>, StoreError> {
        self.read(|it| it.banks.values().filter(|(bank, _, _)| bank.hosted).map(view).collect())
            .await
    }

    async fn banks_among(&self, banks: &[Ispb]) -> Result<Vec<BankView>, StoreError> {
        self.read(|tables| {
            let rows = banks.iter().filter_map(|ispb| tables.banks.get(ispb));
            rows.filter(|(bank, _, _)| bank.hosted).map(view).collect()
        })
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

    async fn clients(&self, ids: &[ClientId]) -> Result<Vec<Client>, StoreError> {
        self.read(|tables| ids.iter().filter_map(|id| tables.clients.get(id).cloned()).collect())
            .await
    }

    async fn accounts(&self, ids: &[AccountId]) -> Result<Vec<Account>, StoreError> {
        self.read(|it| ids.iter().filter_map(|id| it.accounts.get(id).cloned()).collect()).await
    }

    async fn accounts_of(
        &self,
        _parts: &[Part<AccountsOf, AccountPlace>],
    ) -> Result<Vec<Vec<Account>>, StoreError> {
        Err(not_listed())
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

    async fn transfers(
        &self,
        sides: &[(EndToEndId, AccountId)],
    ) -> Result<Vec<Option<TransferView>>, StoreError> {
        self.read(|tables| {
            let side = |(id, account_id): &(EndToEndId, AccountId)| {
                transfers_of(tables, *account_id).into_iter().find(|it| it.end_to_end_id == *id)
            };
            sides.iter().map(side).collect()
        })
        .await
    }

    async fn transfers_of(
        &self,
        _parts: &[Part<TransfersOf, TransferPlace>],
    ) -> Result<Vec<Vec<TransferView>>, StoreError> {
        Err(not_listed())
    }

    async fn holds_of(
        &self,
        _parts: &[Part<AccountAt, TransferPlace>],
    ) -> Result<Vec<Vec<HoldView>>, StoreError> {
        Err(not_listed())
    }

    async fn statements(
        &self,
        _parts: &[Part<PostingsOf, PostingPlace>],
    ) -> Result<Vec<Vec<StatementLine>>, StoreError> {
        Err(not_listed())
    }
}
