//! What the words of `codepix account` do.

use anyhow::Context as _;

use super::command::{
    AccountCommand, EnrolAccount, ListAccounts, MoveCash, OpenAccount, SetLimits, ShowStatement,
};
use super::limits::changed;
use super::statement::StatementView;
use super::view::{AccountList, AccountView, EnrolledAccount};
use crate::cli::output::Output;
use crate::client::banking::{
    Account, BlockAccountRequest, CloseAccountRequest, DepositRequest, GetAccountRequest,
    GetStatementRequest, ListAccountsRequest, ListBanksRequest, OpenAccountRequest,
    UnblockAccountRequest, WithdrawRequest,
};
use crate::client::pix_keys::EnrolAccountRequest;
use crate::client::{ClientError, ClientOptions, Hub, Page, collect_pages};

/// Runs `codepix account`.
///
/// # Errors
/// [`ClientError`] when the hub refuses or does not answer.
pub async fn run(
    command: AccountCommand,
    client: &ClientOptions,
    output: &Output,
) -> anyhow::Result<()> {
    let hub = client.connect().await?;
    let account = match command {
        AccountCommand::Open(wanted) => open(&hub, wanted).await?,
        AccountCommand::Show(one) => get(&hub, one.account.to_string()).await?,
        AccountCommand::Deposit(cash) => deposit(&hub, cash).await?,
        AccountCommand::Withdraw(cash) => withdraw(&hub, cash).await?,
        AccountCommand::Block(one) => {
            let request = BlockAccountRequest { account_id: one.account.to_string() };
            hub.answer(hub.banking().block_account(request).await)?.account
        }
        AccountCommand::Unblock(one) => {
            let request = UnblockAccountRequest { account_id: one.account.to_string() };
            hub.answer(hub.banking().unblock_account(request).await)?.account
        }
        AccountCommand::Close(one) => {
            let request = CloseAccountRequest { account_id: one.account.to_string() };
            hub.answer(hub.banking().close_account(request).await)?.account
        }
        AccountCommand::Limits(limits) => set_limits(&hub, limits).await?,
        AccountCommand::List(which) => return output.show(&list(&hub, which).await?),
        AccountCommand::Statement(which) => return output.show(&statement(&hub, which).await?),
        AccountCommand::Enrol(wanted) => return output.show(&enrol(&hub, wanted).await?),
    };
    let account = account.context("the hub answered without the account")?;
    output.show(&AccountView::from(account))
}

async fn open(hub: &Hub, wanted: OpenAccount) -> Result<Option<Account>, ClientError> {
    let key = wanted.idempotency.key();
    let request = OpenAccountRequest {
        idempotency_key: key.clone(),
        ispb: wanted.bank.to_string(),
        owner_name: wanted.name,
        owner_tax_id: wanted.tax_id.as_str().to_owned(),
        number: wanted.number.unwrap_or_default(),
        branch: wanted.branch.unwrap_or_default(),
        account_id: wanted.id.map(|id| id.to_string()).unwrap_or_default(),
    };
    let answer = hub.answer(hub.banking().open_account(request).await);
    Ok(answer.map_err(|error| error.with_key(&key))?.account)
}

async fn get(hub: &Hub, account_id: String) -> Result<Option<Account>, ClientError> {
    let request = GetAccountRequest { account_id };
    Ok(hub.answer(hub.banking().get_account(request).await)?.account)
}

async fn deposit(hub: &Hub, cash: MoveCash) -> Result<Option<Account>, ClientError> {
    let key = cash.idempotency.key();
    let request = DepositRequest {
        idempotency_key: key.clone(),
        account_id: cash.account.to_string(),
        amount_centavos: cash.amount.centavos(),
    };
    let answer = hub.answer(hub.banking().deposit(request).await);
    Ok(answer.map_err(|error| error.with_key(&key))?.account)
}

async fn withdraw(hub: &Hub, cash: MoveCash) -> Result<Option<Account>, ClientError> {
    let key = cash.idempotency.key();
    let request = WithdrawRequest {
        idempotency_key: key.clone(),
        account_id: cash.account.to_string(),
        amount_centavos: cash.amount.centavos(),
    };
    let answer = hub.answer(hub.banking().withdraw(request).await);
    Ok(answer.map_err(|error| error.with_key(&key))?.account)
}

async fn set_limits(hub: &Hub, limits: SetLimits) -> Result<Option<Account>, ClientError> {
    let present = get(hub, limits.account.to_string()).await?;
    let is_change = limits.per_transfer.is_some() || limits.per_day.is_some();
    match present {
        Some(account) if is_change => {
            let request = changed(&account, limits.per_transfer, limits.per_day);
            Ok(hub.answer(hub.banking().set_account_limits(request).await)?.account)
        }
        present => Ok(present),
    }
}

async fn list(hub: &Hub, which: ListAccounts) -> Result<AccountList, ClientError> {
    let banks = if let Some(bank) = which.bank {
        vec![bank.to_string()]
    } else {
        let known = hub.answer(hub.banking().list_banks(ListBanksRequest {}).await)?;
        known.banks.into_iter().map(|bank| bank.ispb).collect()
    };
    let mut accounts = Vec::new();
    for ispb in banks {
        let found = collect_pages(which.limit, async |page_size, page_token| {
            let request = ListAccountsRequest { ispb: ispb.clone(), page_size, page_token };
            let page = hub.answer(hub.banking().list_accounts(request).await)?;
            Ok(Page { entries: page.accounts, next: page.next_page_token })
        });
        accounts.extend(found.await?.into_iter().map(AccountView::from));
    }
    Ok(AccountList { accounts })
}

async fn statement(hub: &Hub, which: ShowStatement) -> Result<StatementView, ClientError> {
    let account_id = which.account.to_string();
    let entries = collect_pages(which.limit, async |page_size, page_token| {
        let request = GetStatementRequest { account_id: account_id.clone(), page_size, page_token };
        let page = hub.answer(hub.banking().get_statement(request).await)?;
        Ok(Page { entries: page.entries, next: page.next_page_token })
    });
    let entries = entries.await?.into_iter().map(Into::into).collect();
    Ok(StatementView { account_id, entries })
}

async fn enrol(hub: &Hub, wanted: EnrolAccount) -> anyhow::Result<EnrolledAccount> {
    let request = EnrolAccountRequest {
        account_id: wanted.account.to_string(),
        ispb: wanted.bank.to_string(),
        branch: wanted.branch,
        number: wanted.number,
        owner_name: wanted.name,
        owner_tax_id: wanted.tax_id.as_str().to_owned(),
    };
    let answer = hub.answer(hub.pix_keys().enrol_account(request).await)?;
    let account = answer.account.context("the hub answered without the account")?;
    Ok(EnrolledAccount::from(account))
}
