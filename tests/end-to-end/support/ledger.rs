//! All the money there is, and everything that a repeated message must leave as it is.

use std::collections::BTreeMap;

use codepix::client::{banking, transfers};

use super::Scene;

/// Most entries of a page.
const PAGE: i32 = 200;

/// What customers, hub and directory know, as far as money and states go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Snapshot {
    /// Balance, held, status and version of each account, with the entries of its statement.
    pub(crate) accounts: BTreeMap<String, (i64, i64, i32, i64, Vec<String>)>,
    /// Position and reserved part of each bank.
    pub(crate) positions: BTreeMap<String, (i64, i64)>,
    /// State and version of each transfer.
    pub(crate) transfers: BTreeMap<String, (i32, i64)>,
}

impl Scene {
    /// The banks whose books are kept here.
    pub(crate) async fn hosted(&self) -> Vec<String> {
        let mut hosted = Vec::new();
        for hub in std::iter::once(&self.banking).chain(self.own.values()) {
            let asked = banking::ListBanksRequest {};
            let banks = hub.banking().list_banks(asked).await.unwrap().into_inner().banks;
            hosted.extend(banks.into_iter().map(|bank| bank.ispb));
        }
        hosted.sort();
        hosted.dedup();
        hosted
    }

    /// Every account of every bank.
    pub(crate) async fn accounts(&self) -> Vec<banking::Account> {
        let mut accounts = Vec::new();
        for ispb in self.hosted().await {
            let mut page_token = String::new();
            loop {
                let asked = banking::ListAccountsRequest {
                    ispb: ispb.clone(),
                    page_size: PAGE,
                    page_token,
                };
                let page = self.bank(&ispb).list_accounts(asked).await.unwrap().into_inner();
                accounts.extend(page.accounts);
                page_token = page.next_page_token;
                if page_token.is_empty() {
                    break;
                }
            }
        }
        accounts
    }

    /// The sum of all balances.
    pub(crate) async fn total_money(&self) -> i64 {
        self.accounts().await.iter().map(|account| account.balance_centavos).sum()
    }

    /// The statement of an account, newest entry first.
    pub(crate) async fn statement(
        &self,
        ispb: &str,
        account_id: &str,
    ) -> Vec<banking::StatementEntry> {
        let mut entries = Vec::new();
        let mut page_token = String::new();
        loop {
            let account_id = account_id.to_owned();
            let asked = banking::GetStatementRequest { account_id, page_size: PAGE, page_token };
            let page = self.bank(ispb).get_statement(asked).await.unwrap().into_inner();
            entries.extend(page.entries);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return entries;
            }
        }
    }

    /// Every transfer that the hub knows, in a state or in any.
    pub(crate) async fn transfers_in(
        &self,
        state: transfers::TransferState,
    ) -> Vec<transfers::Transfer> {
        let mut found = Vec::new();
        let mut page_token = String::new();
        loop {
            let asked = transfers::ListTransfersRequest {
                ispb: String::new(),
                state: state.into(),
                page_size: PAGE,
                page_token,
            };
            let answer = self.transfers.transfers().list_transfers(asked).await;
            let page = answer.unwrap().into_inner();
            found.extend(page.transfers);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return found;
            }
        }
    }

    /// The settlement position of each bank.
    pub(crate) async fn positions(&self) -> BTreeMap<String, (i64, i64)> {
        let asked = transfers::ListPositionsRequest {};
        let answer = self.transfers.transfers().list_positions(asked).await.unwrap();
        let positions = answer.into_inner().positions.into_iter();
        positions.map(|it| (it.ispb, (it.position_centavos, it.reserved_centavos))).collect()
    }

    /// Everything, to be compared with itself later.
    pub(crate) async fn snapshot(&self) -> Snapshot {
        let mut accounts = BTreeMap::new();
        for account in self.accounts().await {
            let entries = self.statement(&account.ispb, &account.account_id).await;
            let entries = entries.into_iter().map(|entry| entry.entry_id).collect();
            let banking::Account { balance_centavos, held_centavos, status, version, .. } = account;
            let known = (balance_centavos, held_centavos, status, version, entries);
            accounts.insert(account.account_id, known);
        }
        let all = self.transfers_in(transfers::TransferState::Unspecified).await;
        Snapshot {
            accounts,
            positions: self.positions().await,
            transfers: all
                .into_iter()
                .map(|transfer| (transfer.end_to_end_id, (transfer.state, transfer.version)))
                .collect(),
        }
    }
}
