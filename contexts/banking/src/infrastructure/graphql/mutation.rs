//! What may be done.

use async_graphql::{Context, ID, Object, Result};
use shared_kernel::domain::{AccountId, Amount, Violation};
use shared_kernel::infrastructure::graphql::{Money, caller, refused, trace};

use super::input::{
    OpenAccountInput, OpenAccountPayload, RequestTransferInput, RequestTransferPayload,
};
use super::schema::graph;
use super::transfer::AccountTransfer;
use crate::application::account_command::OnAccount;
use crate::application::command::{OpenAccount, RequestTransfer};
use crate::domain::{AccountNumber, Branch, Description, OwnerName, PayeeKey};

/// What may be done at the banks. A refused command has changed nothing.
#[derive(Debug)]
pub struct Mutation;

#[Object]
impl Mutation {
    /// Opens an account; the customer is known by the tax id, or created.
    async fn open_account(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Whose, and at which bank.")] input: OpenAccountInput,
    ) -> Result<OpenAccountPayload> {
        let command = opening(context, input)?;
        let opened = graph(context)?.facade.open_account.submit(command).await;
        Ok(OpenAccountPayload { account: opened.map_err(refused)?.into() })
    }

    /// Holds the amount and orders the transfer; a payee at the same bank is paid at once.
    async fn request_transfer(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "From which account, to whom, how much.")] input: RequestTransferInput,
    ) -> Result<RequestTransferPayload> {
        let on = on(context, &input.account_id).await?;
        let payer = on.account_id;
        let command = RequestTransfer {
            on,
            payee_key: read(&input.payee_key, PayeeKey::parse)?,
            amount: amount(input.amount)?,
            description: read(&input.description, Description::parse)?,
            idempotency_key: input.idempotency_key,
        };
        let ordered = graph(context)?.facade.request_transfer.submit(command).await;
        let order = AccountTransfer::seen_by(payer, ordered.map_err(refused)?);
        Ok(RequestTransferPayload { order })
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
        idempotency_key: input.idempotency_key,
    })
}
