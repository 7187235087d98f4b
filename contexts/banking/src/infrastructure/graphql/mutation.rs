//! What may be done.

use async_graphql::{Context, ID, Object, Result};
use shared_kernel::domain::{AccountId, Amount, Violation};
use shared_kernel::infrastructure::graphql::{Money, caller, refused, trace};

use super::input::{
    BlockAccountInput, BlockAccountPayload, CloseAccountInput, CloseAccountPayload, DepositInput,
    DepositPayload, OpenAccountInput, OpenAccountPayload, RequestTransferInput,
    RequestTransferPayload, SetAccountLimitsInput, SetAccountLimitsPayload, UnblockAccountInput,
    UnblockAccountPayload, WithdrawInput, WithdrawPayload,
};
use super::schema::graph;
use super::transfer::AccountTransfer;
use crate::application::account_command::OnAccount;
use crate::application::command::{
    BlockAccount, CloseAccount, Deposit, OpenAccount, RequestTransfer, SetAccountLimits,
    UnblockAccount, Withdraw,
};
use crate::domain::{AccountNumber, Branch, Description, Limits, OwnerName, PayeeKey};

/// What may be done at the banks. A refused command has changed nothing.
#[derive(Debug)]
pub struct Mutation;

/// What may be done. A refused command has changed nothing, and is null by itself.
#[Object]
impl Mutation {
    /// Opens an account; the customer is known by the tax id, or created.
    async fn open_account(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Whose, and at which bank.")] input: OpenAccountInput,
    ) -> Result<Option<OpenAccountPayload>> {
        let command = opening(context, input)?;
        let opened = graph(context)?.facade.open_account.submit(command).await;
        Ok(Some(OpenAccountPayload { account: opened.map_err(refused)?.into() }))
    }

    /// Cash comes to an account.
    async fn deposit(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "To which account, and how much.")] input: DepositInput,
    ) -> Result<Option<DepositPayload>> {
        let on = on(context, &input.account_id).await?;
        let (amount, idempotency_key) = (amount(input.amount)?, input.idempotency_key);
        let command = Deposit { on, idempotency_key, amount };
        let account = graph(context)?.facade.deposit.submit(command).await;
        Ok(Some(DepositPayload { account: account.map_err(refused)?.into() }))
    }

    /// Cash leaves an account, as far as it is available.
    async fn withdraw(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "From which account, and how much.")] input: WithdrawInput,
    ) -> Result<Option<WithdrawPayload>> {
        let on = on(context, &input.account_id).await?;
        let (amount, idempotency_key) = (amount(input.amount)?, input.idempotency_key);
        let command = Withdraw { on, idempotency_key, amount };
        let account = graph(context)?.facade.withdraw.submit(command).await;
        Ok(Some(WithdrawPayload { account: account.map_err(refused)?.into() }))
    }

    /// Stops new debits and new acceptances of credits (AC06); a blocked account stays as it is.
    async fn block_account(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which account.")] input: BlockAccountInput,
    ) -> Result<Option<BlockAccountPayload>> {
        let on = on(context, &input.account_id).await?;
        let command = BlockAccount { on };
        let account = graph(context)?.facade.block_account.submit(command).await;
        Ok(Some(BlockAccountPayload { account: account.map_err(refused)?.into() }))
    }

    /// Lets a blocked account be used again; an active one stays as it is.
    async fn unblock_account(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which account.")] input: UnblockAccountInput,
    ) -> Result<Option<UnblockAccountPayload>> {
        let on = on(context, &input.account_id).await?;
        let command = UnblockAccount { on };
        let account = graph(context)?.facade.unblock_account.submit(command).await;
        Ok(Some(UnblockAccountPayload { account: account.map_err(refused)?.into() }))
    }

    /// Closes an empty account without open transfers.
    async fn close_account(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which account.")] input: CloseAccountInput,
    ) -> Result<Option<CloseAccountPayload>> {
        let on = on(context, &input.account_id).await?;
        let command = CloseAccount { on };
        let account = graph(context)?.facade.close_account.submit(command).await;
        Ok(Some(CloseAccountPayload { account: account.map_err(refused)?.into() }))
    }

    /// Sets or removes what an account may send; the same again changes nothing.
    async fn set_account_limits(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which account, and its limits from now on.")]
        input: SetAccountLimitsInput,
    ) -> Result<Option<SetAccountLimitsPayload>> {
        let on = on(context, &input.account_id).await?;
        let money = |limit: Option<Money>| limit.map(|limit| limit.0);
        let limits = Limits::new(money(input.limit_per_transfer), money(input.limit_per_day));
        let command = SetAccountLimits { on, limits: limits.map_err(refused)? };
        let account = graph(context)?.facade.set_account_limits.submit(command).await;
        Ok(Some(SetAccountLimitsPayload { account: account.map_err(refused)?.into() }))
    }

    /// Holds the amount and orders the transfer; a payee at the same bank is paid at once.
    async fn request_transfer(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "From which account, to whom, how much.")] input: RequestTransferInput,
    ) -> Result<Option<RequestTransferPayload>> {
        let on = on(context, &input.account_id).await?;
        let payer = on.account_id;
        let command = RequestTransfer {
            on,
            payee_key: read(&input.payee_key, PayeeKey::parse)?,
            amount: amount(input.amount)?,
            description: read(&input.description.unwrap_or_default(), Description::parse)?,
            idempotency_key: input.idempotency_key,
        };
        let ordered = graph(context)?.facade.request_transfer.submit(command).await;
        let order = AccountTransfer::seen_by(payer, ordered.map_err(refused)?);
        Ok(Some(RequestTransferPayload { order }))
    }
}

/// A text as the value that the domain reads in it.
fn read<T>(text: &str, parse: impl FnOnce(&str) -> Result<T, Violation>) -> Result<T> {
    parse(text).map_err(refused)
}

/// An amount that may move.
fn amount(money: Money) -> Result<Amount> {
    Amount::new(money.0).map_err(refused)
}

/// Who gives a command on an account, and at which bank that is.
async fn on(context: &Context<'_>, account_id: &ID) -> Result<OnAccount> {
    let graph = graph(context)?;
    let (caller, trace) = (caller(context)?, trace(context, &*graph.ids));
    let account_id = read(account_id, AccountId::parse)?;
    graph.facade.account_banks.on(caller, trace, account_id).await.map_err(refused)
}

fn opening(context: &Context<'_>, input: OpenAccountInput) -> Result<OpenAccount> {
    Ok(OpenAccount {
        caller: caller(context)?,
        trace: trace(context, &*graph(context)?.ids),
        ispb: input.ispb.0,
        owner_name: read(&input.owner_name, OwnerName::parse)?,
        owner_tax_id: input.owner_tax_id.0,
        branch: input.branch.map(|text| read(&text, Branch::parse)).transpose()?,
        number: input.number.map(|text| read(&text, AccountNumber::parse)).transpose()?,
        account_id: input.account_id.map(|id| read(&id, AccountId::parse)).transpose()?,
        idempotency_key: input.idempotency_key.unwrap_or_default(),
    })
}
