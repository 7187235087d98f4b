//! What may be ordered. Transfers are ordered by banks, through the log.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, Object, Result, SimpleObject};
use shared_kernel::application::{Caller, Ids, TraceParent};
use shared_kernel::domain::{self, BankCode, Violation};
use shared_kernel::infrastructure::graphql::{
    EndToEndId, Ispb, Money, caller, refused, trace, violation_error,
};

use super::bank::{Bank, BankProtocol};
use super::transfer::Transfer;
use crate::application::{
    AcknowledgeCredit, EnrolParticipant, ResolveTransfer, TransferName, Transfers,
};
use crate::domain::{LimitWish, ParticipantName, Protocol, Resolution};

/// The id of the transfer that an operator names by its own or by that of its order. Who may not
/// give the order learns that first.
async fn named(
    transfers: &Transfers,
    caller: Caller,
    id: Option<EndToEndId>,
    order_id: Option<ID>,
) -> Result<domain::EndToEndId> {
    caller.must_be_operator().map_err(|broken| violation_error(&broken))?;
    let id = id.map(|EndToEndId(id)| id.to_string()).unwrap_or_default();
    let name = TransferName::parse(&id, &order_id.unwrap_or_default());
    let name = name.map_err(|broken| violation_error(&broken))?;
    transfers.find_transfer.execute(caller, name).await.map_err(refused)
}

/// A transfer as it is after an order.
async fn known(transfers: &Transfers, caller: Caller, id: &domain::EndToEndId) -> Result<Transfer> {
    let found = transfers.get_transfer.execute(caller, id).await;
    Ok(Transfer::from(&found.map_err(refused)?))
}

/// The root of orders.
#[derive(Clone, Copy, Debug)]
pub struct Mutation;

/// A bank that is to take part, or whose name, limit or protocol is to change.
#[derive(Debug, InputObject)]
pub(super) struct EnrolBankInput {
    /// Its ISPB; its code, padded left with zeros to 8 characters, when absent.
    ispb: Option<Ispb>,
    /// The short code that people know it by. No two banks share one, and it stays.
    code: String,
    /// Its name.
    name: String,
    /// How the hub talks to it: as it does when absent; a new bank is `NATIVE`. It changes only
    /// while no transfer of the bank is open.
    protocol: Option<BankProtocol>,
    /// Most that it may owe: as it is when absent; a new bank has no limit.
    position_limit: Option<Money>,
    /// Removes the limit; never together with one.
    no_position_limit: Option<bool>,
}

impl EnrolBankInput {
    fn limit(&self) -> Result<LimitWish, Violation> {
        match (self.position_limit, self.no_position_limit.unwrap_or_default()) {
            (None, false) => Ok(LimitWish::AsItIs),
            (None, true) => Ok(LimitWish::Without),
            (Some(Money(limit)), false) => Ok(LimitWish::Most(limit)),
            (Some(_), true) => Err(Violation::invalid(
                "position_limit_ambiguous",
                "no_position_limit",
                "a bank has a position limit or none: give one of the two",
            )),
        }
    }

    fn order(self, caller: Caller, trace: TraceParent) -> Result<EnrolParticipant, Violation> {
        caller.must_be_operator()?;
        Ok(EnrolParticipant {
            caller,
            trace,
            ispb: self.ispb.map(|Ispb(ispb)| ispb),
            code: BankCode::parse(&self.code).map_err(|broken| broken.on("code"))?,
            name: ParticipantName::parse(&self.name)?,
            protocol: self.protocol.map(Protocol::from),
            position_limit: self.limit()?,
        })
    }
}

/// What came of an enrolment.
#[derive(Debug, SimpleObject)]
pub(super) struct EnrolBankPayload {
    /// The bank as it takes part now.
    bank: Bank,
}

/// What an operator found out about an overdue transfer.
#[derive(Debug, InputObject)]
pub(super) struct ResolveTransferInput {
    /// Which transfer: this or `orderId`.
    end_to_end_id: Option<EndToEndId>,
    /// The id under which existing bank programs know it.
    order_id: Option<ID>,
    /// What the payee's bank did.
    resolution: TransferResolution,
    /// How the operator knows; 1 to 500 characters, kept.
    reason: String,
}

/// How an overdue transfer ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Resolution")]
pub(super) enum TransferResolution {
    /// The payee's bank has credited: the transfer is confirmed.
    Credited,
    /// The payee's bank has not credited and will not: the transfer is rejected.
    Refused,
}

/// What came of a resolution.
#[derive(Debug, SimpleObject)]
pub(super) struct ResolveTransferPayload {
    /// The transfer as it is now.
    transfer: Transfer,
}

/// What the banks did about a credit that came after its transfer was resolved as refused.
#[derive(Debug, InputObject)]
pub(super) struct AcknowledgeCreditInput {
    /// Which transfer: this or `orderId`.
    end_to_end_id: Option<EndToEndId>,
    /// The id under which existing bank programs know it.
    order_id: Option<ID>,
    /// How the banks settled it; 1 to 500 characters, kept. The latest stands.
    reason: String,
}

/// What came of an acknowledgement.
#[derive(Debug, SimpleObject)]
pub(super) struct AcknowledgeCreditPayload {
    /// The transfer: still rejected, and a finding no longer.
    transfer: Transfer,
}

/// What may be done. A refused command has changed nothing, and is null by itself.
#[Object]
impl Mutation {
    /// Enrols a bank, or changes its name, limit or protocol (operators only). What is not named
    /// stays as it is; the same again changes nothing.
    async fn enrol_bank(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The bank.")] input: EnrolBankInput,
    ) -> Result<Option<EnrolBankPayload>> {
        let trace = trace(context, &**context.data::<Arc<dyn Ids>>()?);
        let order = input.order(caller(context)?, trace);
        let order = order.map_err(|broken| violation_error(&broken))?;
        let enrol = &context.data::<Arc<Transfers>>()?.enrol_participant;
        let bank = enrol.submit(order).await.map_err(refused)?.into();
        Ok(Some(EnrolBankPayload { bank }))
    }

    /// Ends an overdue transfer, once the payee's bank was asked what it did (operators only). Any
    /// other transfer is refused: `transfer_not_overdue`; as refused also one whose message has not
    /// left yet: `hand_over_not_sent`.
    async fn resolve_transfer(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What was found out.")] input: ResolveTransferInput,
    ) -> Result<Option<ResolveTransferPayload>> {
        let trace = trace(context, &**context.data::<Arc<dyn Ids>>()?);
        let caller = caller(context)?;
        let transfers = context.data::<Arc<Transfers>>()?;
        let end_to_end_id = named(transfers, caller, input.end_to_end_id, input.order_id).await?;
        let (resolution, reason) = (input.resolution.into(), input.reason);
        let order = ResolveTransfer { caller, trace, end_to_end_id, resolution, reason };
        transfers.resolve_transfer.submit(order).await.map_err(refused)?;
        let transfer = known(transfers, caller, &end_to_end_id).await?;
        Ok(Some(ResolveTransferPayload { transfer }))
    }

    /// Notes that the banks have settled between them what was credited after it had been resolved
    /// as refused (operators only). Nothing moves. Any other transfer is refused:
    /// `transfer_not_contradicted`.
    async fn acknowledge_credit(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How it was settled.")] input: AcknowledgeCreditInput,
    ) -> Result<Option<AcknowledgeCreditPayload>> {
        let caller = caller(context)?;
        let transfers = context.data::<Arc<Transfers>>()?;
        let end_to_end_id = named(transfers, caller, input.end_to_end_id, input.order_id).await?;
        let order = AcknowledgeCredit { caller, end_to_end_id, reason: input.reason };
        transfers.acknowledge_credit.submit(order).await.map_err(refused)?;
        let transfer = known(transfers, caller, &end_to_end_id).await?;
        Ok(Some(AcknowledgeCreditPayload { transfer }))
    }
}
