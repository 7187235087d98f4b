//! Rows and what they mean.

use diesel::QueryableByName;
use diesel::pg::data_types::PgTimestamp;
use diesel::sql_types::{BigInt, Binary, Bool, Integer, Nullable, Text, Timestamptz, Uuid as Id};
use shared_kernel::application::{StoreError, TraceParent};
use shared_kernel::domain::{
    AccountId, Amount, BankCode, Digest, EndToEndId, Ispb, Money, ReasonCode, TaxId, Violation,
};
use shared_kernel::infrastructure::postgres::timestamp;
use uuid::Uuid;

use crate::application::outside::{KnownOrder, OrderOutcome};
use crate::application::ports::{Acknowledgement, DueTransfer, SavedResolution};
use crate::domain::{
    CreditTiming, Description, Ends, Order, OrderId, OwnerName, Participant, ParticipantName,
    ParticipantStatus, Party, PayeeKey, Position, Protocol, Resolution, Standing, Terms, Transfer,
    TransferState,
};

/// The columns of a transfer, of the table under the name `t`.
macro_rules! transfer_columns {
    () => {
        "t.end_to_end_id, t.digest, t.amount, t.payer_ispb, t.payer_account_id, \
         t.payer_owner_name, t.payer_owner_tax_id, t.payee_ispb, t.payee_account_id, \
         t.payee_owner_name, t.payee_owner_tax_id, t.payee_key, t.description, t.registered_at, \
         t.deadline, t.reserves, t.payee_told, t.state, t.reason, t.confirmed_at, t.finished_at, \
         t.payer_reported, t.payee_reported, t.version, t.payer_credits, t.payee_credits, \
         t.order_id, t.overdue_at, t.contradicted_at"
    };
}

pub(super) use transfer_columns;

/// A row of `transfers.transfer`.
#[expect(clippy::struct_excessive_bools, reason = "a row has the columns that it has")]
#[derive(QueryableByName)]
pub(super) struct TransferRow {
    #[diesel(sql_type = Text)]
    end_to_end_id: String,
    #[diesel(sql_type = Binary)]
    digest: Vec<u8>,
    #[diesel(sql_type = BigInt)]
    amount: i64,
    #[diesel(sql_type = Text)]
    payer_ispb: String,
    #[diesel(sql_type = Id)]
    payer_account_id: Uuid,
    #[diesel(sql_type = Text)]
    payer_owner_name: String,
    #[diesel(sql_type = Text)]
    payer_owner_tax_id: String,
    #[diesel(sql_type = Text)]
    payee_ispb: String,
    #[diesel(sql_type = Id)]
    payee_account_id: Uuid,
    #[diesel(sql_type = Text)]
    payee_owner_name: String,
    #[diesel(sql_type = Text)]
    payee_owner_tax_id: String,
    #[diesel(sql_type = Text)]
    payee_key: String,
    #[diesel(sql_type = Text)]
    description: String,
    #[diesel(sql_type = Timestamptz)]
    registered_at: PgTimestamp,
    #[diesel(sql_type = Timestamptz)]
    deadline: PgTimestamp,
    #[diesel(sql_type = Bool)]
    reserves: bool,
    #[diesel(sql_type = Bool)]
    payee_told: bool,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = Nullable<Text>)]
    reason: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    confirmed_at: Option<PgTimestamp>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    finished_at: Option<PgTimestamp>,
    #[diesel(sql_type = Bool)]
    payer_reported: bool,
    #[diesel(sql_type = Bool)]
    payee_reported: bool,
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = Text)]
    payer_credits: String,
    #[diesel(sql_type = Text)]
    payee_credits: String,
    #[diesel(sql_type = Nullable<Id>)]
    order_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    overdue_at: Option<PgTimestamp>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    contradicted_at: Option<PgTimestamp>,
}

/// An order that is known by its id.
#[derive(QueryableByName)]
pub(super) struct OrderRow {
    #[diesel(sql_type = Id)]
    order_id: Uuid,
    #[diesel(sql_type = Text)]
    ispb: String,
    #[diesel(sql_type = Id)]
    account_id: Uuid,
    #[diesel(sql_type = Nullable<Binary>)]
    content: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<Text>)]
    end_to_end_id: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    payee_ispb: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    refusal: Option<String>,
}

/// A transfer with what the sweepers keep beside it.
#[derive(QueryableByName)]
pub(super) struct DueRow {
    #[diesel(embed)]
    transfer: TransferRow,
    #[diesel(sql_type = Text)]
    trace: String,
    #[diesel(sql_type = Integer)]
    resends: i32,
}

/// A row of `transfers.participant`.
#[derive(QueryableByName)]
pub(super) struct ParticipantRow {
    #[diesel(sql_type = Text)]
    ispb: String,
    #[diesel(sql_type = Text)]
    code: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    protocol: String,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    position_limit: Option<i64>,
    #[diesel(sql_type = Timestamptz)]
    enrolled_at: PgTimestamp,
    #[diesel(sql_type = BigInt)]
    version: i64,
}

/// A row of `transfers.position`.
#[derive(QueryableByName)]
pub(super) struct PositionRow {
    #[diesel(sql_type = Text)]
    ispb: String,
    #[diesel(sql_type = BigInt)]
    amount: i64,
    #[diesel(sql_type = BigInt)]
    reserved: i64,
}

/// A row of `transfers.resolution`.
#[derive(QueryableByName)]
pub(super) struct ResolutionRow {
    #[diesel(sql_type = Text)]
    end_to_end_id: String,
    #[diesel(sql_type = Text)]
    resolution: String,
    #[diesel(sql_type = Text)]
    reason: String,
    #[diesel(sql_type = Timestamptz)]
    resolved_at: PgTimestamp,
    #[diesel(sql_type = Nullable<Text>)]
    acknowledgement: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    acknowledged_at: Option<PgTimestamp>,
}

/// A row that breaks a rule was not written by the hub.
pub(super) fn unreadable(broken: &Violation) -> StoreError {
    StoreError::Rejected(format!("a stored row is unreadable: {}: {broken}", broken.code()))
}

/// Every row, or the first that is unreadable.
pub(super) fn read<R, T>(
    rows: Vec<R>,
    meaning: impl Fn(R) -> Result<T, Violation>,
) -> Result<Vec<T>, StoreError> {
    rows.into_iter().map(|row| meaning(row).map_err(|broken| unreadable(&broken))).collect()
}

impl TransferRow {
    pub(super) fn transfer(self) -> Result<Transfer, Violation> {
        let digest = digest(self.digest)?;
        let standing = Standing {
            state: TransferState::parse(&self.state)?,
            reason: self.reason.as_deref().map(ReasonCode::parse).transpose()?,
            confirmed_at: self.confirmed_at.map(timestamp),
            finished_at: self.finished_at.map(timestamp),
            payer_reported: self.payer_reported,
            payee_reported: self.payee_reported,
            payee_told: self.payee_told,
            overdue_at: self.overdue_at.map(timestamp),
            contradicted_at: self.contradicted_at.map(timestamp),
            version: self.version,
        };
        let order = Order {
            end_to_end_id: EndToEndId::parse(&self.end_to_end_id)?,
            payer: Party {
                ispb: Ispb::parse(&self.payer_ispb)?,
                account_id: AccountId::from_uuid(self.payer_account_id),
                owner_name: OwnerName::parse(&self.payer_owner_name)?,
                owner_tax_id: TaxId::parse(&self.payer_owner_tax_id)?,
            },
            payee: Party {
                ispb: Ispb::parse(&self.payee_ispb)?,
                account_id: AccountId::from_uuid(self.payee_account_id),
                owner_name: OwnerName::parse(&self.payee_owner_name)?,
                owner_tax_id: TaxId::parse(&self.payee_owner_tax_id)?,
            },
            payee_key: PayeeKey::parse(&self.payee_key)?,
            amount: Amount::from_centavos(self.amount)?,
            description: Description::parse(&self.description)?,
        };
        let terms = Terms {
            registered_at: timestamp(self.registered_at),
            deadline: timestamp(self.deadline),
        };
        let ends = Ends {
            payer: CreditTiming::parse(&self.payer_credits)?,
            payee: CreditTiming::parse(&self.payee_credits)?,
            order_id: self.order_id.map(OrderId::from_uuid),
        };
        Ok(Transfer::restore(order, digest, terms, ends, (self.reserves, standing)))
    }
}

fn digest(bytes: Vec<u8>) -> Result<Digest, Violation> {
    let bytes = <[u8; 32]>::try_from(bytes)
        .map_err(|_length| Violation::invalid("digest_shape", "digest", "a digest has 32 bytes"))?;
    Ok(Digest::from_bytes(bytes))
}

impl OrderRow {
    pub(super) fn order(self) -> Result<KnownOrder, Violation> {
        let outcome = match (self.end_to_end_id, self.payee_ispb) {
            (Some(id), Some(payee)) => OrderOutcome::Transfer {
                end_to_end_id: EndToEndId::parse(&id)?,
                payee: Ispb::parse(&payee)?,
            },
            _ => OrderOutcome::Refused { sentence: self.refusal.unwrap_or_default() },
        };
        Ok(KnownOrder {
            order_id: OrderId::from_uuid(self.order_id),
            bank: Ispb::parse(&self.ispb)?,
            account_id: AccountId::from_uuid(self.account_id),
            content: self.content.map(digest).transpose()?,
            outcome,
        })
    }
}

impl DueRow {
    pub(super) fn due(self) -> Result<DueTransfer, Violation> {
        let trace = TraceParent::parse(&self.trace).ok_or_else(|| {
            Violation::invalid("trace_shape", "trace", "a trace is a W3C traceparent")
        })?;
        let resends = u32::try_from(self.resends).unwrap_or(0);
        Ok(DueTransfer { transfer: self.transfer.transfer()?, trace, resends })
    }
}

impl ParticipantRow {
    pub(super) fn participant(self) -> Result<Participant, Violation> {
        Ok(Participant {
            ispb: Ispb::parse(&self.ispb)?,
            code: BankCode::parse(&self.code)?,
            name: ParticipantName::parse(&self.name)?,
            protocol: Protocol::parse(&self.protocol)?,
            status: ParticipantStatus::parse(&self.status)?,
            position_limit: self.position_limit.map(Money::from_centavos),
            enrolled_at: timestamp(self.enrolled_at),
            version: self.version,
        })
    }
}

impl ResolutionRow {
    pub(super) fn resolution(self) -> Result<SavedResolution, Violation> {
        let acknowledged = self.acknowledgement.zip(self.acknowledged_at);
        Ok(SavedResolution {
            end_to_end_id: EndToEndId::parse(&self.end_to_end_id)?,
            resolution: Resolution::parse(&self.resolution)?,
            reason: self.reason,
            at: timestamp(self.resolved_at),
            acknowledged: acknowledged
                .map(|(reason, at)| Acknowledgement { reason, at: timestamp(at) }),
        })
    }
}

impl PositionRow {
    pub(super) fn position(self) -> Result<Position, Violation> {
        Ok(Position {
            ispb: Ispb::parse(&self.ispb)?,
            amount: Money::from_centavos(self.amount),
            reserved: Money::from_centavos(self.reserved),
        })
    }
}
