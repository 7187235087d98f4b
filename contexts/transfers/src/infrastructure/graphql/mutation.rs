//! What may be ordered. Transfers are ordered by banks, through the log.

use std::sync::Arc;

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use shared_kernel::application::{Caller, Ids, TraceParent};
use shared_kernel::domain::{BankCode, Violation};
use shared_kernel::infrastructure::graphql::{
    Ispb, Money, caller, refused, trace, violation_error,
};

use super::bank::{Bank, BankProtocol};
use crate::application::{EnrolParticipant, Transfers};
use crate::domain::{ParticipantName, Protocol};

/// The root of orders.
#[derive(Clone, Copy, Debug)]
pub struct Mutation;

/// A bank that is to take part, or whose name or limit is to change.
#[derive(Debug, InputObject)]
pub(super) struct EnrolBankInput {
    /// Its ISPB; its code, padded left with zeros to 8 characters, when absent.
    ispb: Option<Ispb>,
    /// The short code that people know it by. No two banks share one, and it stays.
    code: String,
    /// Its name.
    name: String,
    /// How the hub talks to it, which stays; `NATIVE` when absent.
    protocol: Option<BankProtocol>,
    /// Most that it may owe; no limit when absent.
    position_limit: Option<Money>,
}

impl EnrolBankInput {
    fn order(self, caller: Caller, trace: TraceParent) -> Result<EnrolParticipant, Violation> {
        caller.must_be_operator()?;
        Ok(EnrolParticipant {
            caller,
            trace,
            ispb: self.ispb.map(|Ispb(ispb)| ispb),
            code: BankCode::parse(&self.code).map_err(|broken| broken.on("code"))?,
            name: ParticipantName::parse(&self.name)?,
            protocol: self.protocol.map_or(Protocol::Native, Protocol::from),
            position_limit: self.position_limit.map(|Money(limit)| limit),
        })
    }
}

/// What came of an enrolment.
#[derive(Debug, SimpleObject)]
pub(super) struct EnrolBankPayload {
    /// The bank as it takes part now.
    bank: Bank,
}

/// What may be done. A refused command has changed nothing, and is null by itself.
#[Object]
impl Mutation {
    /// Enrols a bank, or changes its name or limit (operators only). The same again changes
    /// nothing.
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
}
