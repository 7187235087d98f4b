//! Banks that take part.

use async_graphql::connection::Connection;
use async_graphql::{Context, Enum, ID, Object, Result};
use shared_kernel::domain;
use shared_kernel::infrastructure::graphql::{DateTime, Ispb, Money, caller, refused};

use super::loaders::{Loaders, listed, period, window};
use super::transfer::{Transfer, TransferDirection, TransferState};
use crate::application::{TransferList, TransfersOf};
use crate::domain::{Participant, Position, Protocol, Side};

/// How the hub talks to a bank.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Protocol")]
pub(super) enum BankProtocol {
    /// In the hub's own events.
    Native,
    /// In the classic protocol, for bank programs that keep their books outside.
    Classic,
}

/// A bank. What the hub does not know of it, because it does not take part, is null.
#[derive(Clone, Debug)]
pub(super) struct Bank {
    ispb: domain::Ispb,
    /// Known from a list; looked up otherwise.
    participant: Option<Participant>,
}

impl From<Participant> for Bank {
    fn from(participant: Participant) -> Self {
        Self { ispb: participant.ispb, participant: Some(participant) }
    }
}

impl Bank {
    /// The bank of that ISPB, whether it takes part or not.
    pub(super) const fn new(ispb: domain::Ispb) -> Self {
        Self { ispb, participant: None }
    }

    async fn participant(&self, context: &Context<'_>) -> Result<Option<Participant>> {
        if self.participant.is_some() {
            return Ok(self.participant.clone());
        }
        context.data::<Loaders>()?.participant(self.ispb).await.map_err(refused)
    }

    async fn own_position(&self, context: &Context<'_>) -> Result<Option<Position>> {
        let asked = (caller(context)?, self.ispb);
        context.data::<Loaders>()?.position(asked).await.map_err(refused)
    }
}

/// A bank. What the hub does not know of it, because it does not take part, is null.
#[Object]
impl Bank {
    /// Its ISPB.
    async fn id(&self) -> ID {
        self.ispb.into()
    }

    /// Its identity in the payment system.
    async fn ispb(&self) -> Ispb {
        self.ispb.into()
    }

    /// The short code that people know it by.
    async fn code(&self, context: &Context<'_>) -> Result<Option<String>> {
        Ok(self.participant(context).await?.map(|bank| bank.code.to_string()))
    }

    /// Its name.
    async fn name(&self, context: &Context<'_>) -> Result<Option<String>> {
        Ok(self.participant(context).await?.map(|bank| bank.name.as_str().to_owned()))
    }

    /// How the hub talks to it.
    async fn protocol(&self, context: &Context<'_>) -> Result<Option<BankProtocol>> {
        Ok(self.participant(context).await?.map(|bank| bank.protocol.into()))
    }

    /// Most that it may owe; null when there is no limit.
    async fn position_limit(&self, context: &Context<'_>) -> Result<Option<Money>> {
        let limit = self.participant(context).await?.and_then(|bank| bank.position_limit);
        Ok(limit.map(Money::from))
    }

    /// What it owes (negative) or is owed (positive): all positions together are zero. Null for
    /// another bank's token.
    async fn position(&self, context: &Context<'_>) -> Result<Option<Money>> {
        Ok(self.own_position(context).await?.map(|position| position.amount.into()))
    }

    /// The part of its limit that pending transfers hold. Null for another bank's token.
    async fn reserved(&self, context: &Context<'_>) -> Result<Option<Money>> {
        Ok(self.own_position(context).await?.map(|position| position.reserved.into()))
    }

    /// Since when it takes part.
    async fn enrolled_at(&self, context: &Context<'_>) -> Result<Option<DateTime>> {
        Ok(self.participant(context).await?.map(|bank| bank.enrolled_at.into()))
    }

    /// The transfers that it pays or is paid by, newest first: for the bank itself and operators.
    #[expect(clippy::too_many_arguments, reason = "a field has the arguments that it has")]
    async fn transfers(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many: 1 to 200; 50 when absent.")] first: Option<i32>,
        #[graphql(desc = "Those behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Only those in this state.")] state: Option<TransferState>,
        #[graphql(desc = "Taken by the hub at this time or later.")] from: Option<DateTime>,
        #[graphql(desc = "Taken by the hub before this time.")] to: Option<DateTime>,
        #[graphql(desc = "Only those that it sent, or received.")] direction: Option<
            TransferDirection,
        >,
    ) -> Result<Option<Connection<String, Transfer>>> {
        let (window, behind) = window(first, after.as_deref())?;
        let list = TransferList {
            caller: caller(context)?,
            of: TransfersOf::Bank { ispb: self.ispb, side: direction.map(Side::from) },
            state: state.map(Into::into),
            period: period(from, to)?,
            after: window.after,
            size: window.size,
        };
        let page = context.data::<Loaders>()?.list(list).await.map_err(refused)?;
        Ok(Some(listed(page, behind)))
    }
}
