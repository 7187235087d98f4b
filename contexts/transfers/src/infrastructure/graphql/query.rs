//! What may be asked.

use async_graphql::connection::Connection;
use async_graphql::{Context, ID, Object, Result};
use shared_kernel::application::{ApplicationError, Caller};
use shared_kernel::domain::{self, Kind};
use shared_kernel::infrastructure::graphql::{
    DateTime, Ispb, Window, caller, connection, entity, refused, violation_error,
};

use super::account::Account;
use super::bank::{Bank, BankProtocol};
use super::loaders::{Loaders, listed, period, window};
use super::transfer::{Transfer, TransferState};
use crate::application::ports::ParticipantPlace;
use crate::application::{ParticipantList, TransferList, TransferName, TransfersOf};
use crate::domain::Participant;

/// The root of questions.
#[derive(Clone, Copy, Debug)]
pub struct Query;

async fn transfer_of(
    context: &Context<'_>,
    caller: Caller,
    id: domain::EndToEndId,
) -> Result<Option<Transfer>> {
    let found = context.data::<Loaders>()?.transfer((caller, id)).await.map_err(refused)?;
    Ok(found.map(|transfer| Transfer::from(&*transfer)))
}

/// How a transfer is named: by its own id, or by that of its order; the other is empty.
fn named(id: &str, order_id: &str) -> Result<TransferName> {
    TransferName::parse(id, order_id).map_err(|broken| match broken.field() {
        // The argument is called `id` here.
        "end_to_end_id" => violation_error(&broken.on("id")),
        _ => violation_error(&broken),
    })
}

/// What may be asked. Nothing changes by it, and what fails is null by itself.
#[Object]
impl Query {
    #[graphql(entity)]
    async fn find_transfer_by_id(&self, context: &Context<'_>, id: ID) -> Option<Transfer> {
        let id = domain::EndToEndId::parse(&id).ok()?;
        let found = async { transfer_of(context, caller(context)?, id).await };
        entity(context, found.await)
    }

    #[graphql(entity)]
    async fn find_bank_by_id(&self, id: ID) -> Option<Bank> {
        domain::Ispb::parse(&id).ok().map(Bank::new)
    }

    #[graphql(entity)]
    async fn find_account_by_id(&self, id: ID) -> Option<Account> {
        domain::AccountId::parse(&id).ok().map(Account::new)
    }

    /// One transfer; null when the hub has none of that id, or it is of other banks than the
    /// caller's. An order that became no transfer is refused: `order_refused`.
    async fn transfer(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Its `EndToEndId`; this or `orderId`.")] id: Option<ID>,
        #[graphql(desc = "The id under which existing bank programs know it.")] order_id: Option<
            ID,
        >,
    ) -> Result<Option<Transfer>> {
        let caller = caller(context)?;
        let name = named(&id.unwrap_or_default(), &order_id.unwrap_or_default())?;
        match context.data::<Loaders>()?.find((caller, name)).await {
            Ok(Some(id)) => transfer_of(context, caller, id).await,
            Ok(None) => Ok(None),
            Err(ApplicationError::Refused(broken)) if broken.kind() == Kind::NotFound => Ok(None),
            Err(error) => Err(refused(error)),
        }
    }

    /// Transfers, newest first: of one bank, or of all (operators only).
    #[expect(clippy::too_many_arguments, reason = "a field has the arguments that it has")]
    async fn transfers(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Only those with this bank as payer or payee.")] ispb: Option<Ispb>,
        #[graphql(desc = "Only those in this state.")] state: Option<TransferState>,
        #[graphql(desc = "Taken by the hub at this time or later.")] from: Option<DateTime>,
        #[graphql(desc = "Taken by the hub before this time.")] to: Option<DateTime>,
        #[graphql(desc = "How many: 1 to 200; 50 when absent.")] first: Option<i32>,
        #[graphql(desc = "Those behind this cursor.")] after: Option<String>,
    ) -> Result<Option<Connection<String, Transfer>>> {
        let (window, is_behind) = window(first, after.as_deref())?;
        let list = TransferList {
            caller: caller(context)?,
            of: ispb.map_or(TransfersOf::All, |Ispb(bank)| TransfersOf::bank(bank)),
            state: state.map(Into::into),
            period: period(from, to)?,
            after: window.after,
            size: window.size,
        };
        let page = context.data::<Loaders>()?.list(list).await.map_err(refused)?;
        Ok(Some(listed(page, is_behind)))
    }

    /// One bank; null when none of that ISPB takes part.
    async fn bank(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Its ISPB.")] id: ID,
    ) -> Result<Option<Bank>> {
        caller(context)?;
        let ispb = domain::Ispb::parse(&id).map_err(|broken| violation_error(&broken.on("id")))?;
        let found = context.data::<Loaders>()?.participant(ispb).await.map_err(refused)?;
        Ok(found.map(Bank::from))
    }

    /// The banks that take part, by ISPB.
    async fn banks(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Only those that the hub talks to in this way.")] protocol: Option<
            BankProtocol,
        >,
        #[graphql(desc = "How many: 1 to 200; 50 when absent.")] first: Option<i32>,
        #[graphql(desc = "Those behind this cursor.")] after: Option<String>,
    ) -> Result<Option<Connection<String, Bank>>> {
        caller(context)?;
        let (window, is_behind) = window(first, after.as_deref())?;
        let Window { after, size } = window;
        let list = ParticipantList { protocol: protocol.map(Into::into), after, size: Some(size) };
        let page = context.data::<Loaders>()?.participants(list).await.map_err(refused)?;
        let place = |bank: &Participant| ParticipantPlace(bank.ispb);
        Ok(Some(connection(page, is_behind, place, Bank::from)))
    }
}
