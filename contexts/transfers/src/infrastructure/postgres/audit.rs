//! The hub's side of `codepix doctor`: what its schema says of itself, and what the banks' books
//! are compared with. Reads alone; cheap to open, for a process that does nothing else.

use std::time::Duration;

use diesel::QueryableByName;
use diesel::pg::data_types::PgTimestamp;
use diesel::sql_types::{BigInt, Bool, Nullable, Text, Timestamptz, Uuid as Id};
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use shared_kernel::application::StoreError;
use shared_kernel::domain::{AccountId, Amount, EndToEndId, Ispb, Money, Timestamp, Violation};
use shared_kernel::infrastructure::postgres::statement::Bind;
use shared_kernel::infrastructure::postgres::{
    Database, DatabaseSettings, instant, statement, store_error, timestamp,
};
use uuid::Uuid;

use super::rows::{read, unreadable};
use crate::domain::{OrderId, TransferState};

/// How long past its deadline a pending transfer is no finding.
pub const PENDING_GRACE: Duration = Duration::from_secs(5);

/// How long after its confirmation a transfer without both reports is no finding.
pub const REPORT_GRACE: Duration = Duration::from_secs(10);

/// The same where only a payer's bank is silent that had debited before it ordered: the hub
/// completes by itself after 80 s.
pub const PAYER_GRACE: Duration = Duration::from_secs(90);

/// How long a transfer may wait to be handed over before that is a finding.
pub const HAND_OVER_GRACE: Duration = Duration::from_secs(30);

/// Transfers named in a finding; more are only counted.
pub const NAMED_MAX: u16 = 100;

/// Where one bank stands, and what its settlement account must show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BankAudit {
    /// Whose.
    pub ispb: Ispb,
    /// The stored position.
    pub position: Money,
    /// What the stored position reserves.
    pub reserved: Money,
    /// Sum of what pending transfers of this payer reserve.
    pub pending_reserved: Money,
    /// Confirmed amounts that it pays and has reported posted.
    pub paid_reported: Money,
    /// Confirmed amounts that it pays and has not reported posted.
    pub paid_unreported: Money,
    /// Confirmed amounts that it is paid and has reported posted.
    pub received_reported: Money,
    /// Confirmed amounts that it is paid and has not reported posted.
    pub received_unreported: Money,
}

impl BankAudit {
    /// The position that its confirmed transfers make.
    ///
    /// # Errors
    /// `money_overflow`.
    pub fn settled(&self) -> Result<Money, Violation> {
        let received = self.received_reported.checked_add(self.received_unreported)?;
        received.checked_sub(self.paid_reported)?.checked_sub(self.paid_unreported)
    }

    /// What the bank's own books show by its reports.
    ///
    /// # Errors
    /// `money_overflow`.
    pub fn reported(&self) -> Result<Money, Violation> {
        self.received_reported.checked_sub(self.paid_reported)
    }

    /// Whether position and reservation are those that the transfers make.
    pub fn is_sound(&self) -> bool {
        self.settled() == Ok(self.position) && self.reserved == self.pending_reserved
    }
}

/// Some transfers that should not be as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Finding {
    /// How many.
    pub count: i64,
    /// The first of them, at most [`NAMED_MAX`].
    pub named: Vec<EndToEndId>,
}

/// A transfer that was credited after an operator had resolved it as refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contradiction {
    /// Which.
    pub end_to_end_id: EndToEndId,
    /// Under which id its banks' programs know it.
    pub order_id: Option<OrderId>,
    /// The bank that has credited.
    pub payee_ispb: Ispb,
    /// How the banks settled it between them, once an operator has noted that.
    pub acknowledged: Option<String>,
}

/// What the hub's schema says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubAudit {
    /// Sum of all positions: zero.
    pub positions_sum: Money,
    /// Every bank.
    pub banks: Vec<BankAudit>,
    /// Pending past their deadline and [`PENDING_GRACE`], and not marked as overdue.
    pub overdue: Finding,
    /// Rejected by an operator's word, and the payee's bank has credited them all the same: at most
    /// [`NAMED_MAX`], first those that nobody has acknowledged yet.
    pub contradicted: Vec<Contradiction>,
    /// Confirmed longer than [`REPORT_GRACE`] ago, and a bank's report is missing.
    pub unreported: Finding,
    /// Waiting longer than [`HAND_OVER_GRACE`] to be handed over to the payee's bank.
    pub waiting: Finding,
    /// Under way and not on the sweepers' list, or on it without being under way.
    pub misfiled: Finding,
    /// Transfers under way, without those that wait for their bank or an operator.
    pub open: i64,
    /// Records of committed transactions that are not sent yet.
    pub unsent_rows: i64,
}

impl HubAudit {
    /// Whether nothing is wrong in the hub itself.
    pub fn is_sound(&self) -> bool {
        self.positions_sum.is_zero()
            && self.banks.iter().all(BankAudit::is_sound)
            && self.overdue.count == 0
            && self.contradicted.iter().all(|it| it.acknowledged.is_some())
            && self.unreported.count == 0
            && self.waiting.count == 0
            && self.misfiled.count == 0
    }

    /// Whether nothing is under way either.
    pub fn is_quiet(&self) -> bool {
        self.open == 0 && self.unsent_rows == 0
    }
}

/// One transfer as the banks' books are compared with it.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditedTransfer {
    /// Which.
    pub end_to_end_id: EndToEndId,
    /// Where it stands.
    pub state: TransferState,
    /// How much.
    pub amount: Amount,
    /// The payer's bank.
    pub payer_ispb: Ispb,
    /// The payer's account.
    pub payer_account_id: AccountId,
    /// The payee's bank.
    pub payee_ispb: Ispb,
    /// The payee's account.
    pub payee_account_id: AccountId,
    /// The payer's bank has posted it.
    pub payer_reported: bool,
    /// The payee's bank has posted it.
    pub payee_reported: bool,
    /// The payer's bank keeps its books outside.
    pub payer_outside: bool,
    /// The payee's bank keeps its books outside.
    pub payee_outside: bool,
    /// When it was completed, rejected or expired.
    pub finished_at: Option<Timestamp>,
}

const BANKS: &str = "SELECT p.ispb, p.amount AS position, p.reserved, \
     coalesce(paid.pending, 0)::bigint AS pending_reserved, \
     coalesce(paid.reported, 0)::bigint AS paid_reported, \
     coalesce(paid.unreported, 0)::bigint AS paid_unreported, \
     coalesce(received.reported, 0)::bigint AS received_reported, \
     coalesce(received.unreported, 0)::bigint AS received_unreported \
     FROM transfers.position AS p \
     LEFT JOIN (SELECT payer_ispb AS ispb, \
     sum(amount) FILTER (WHERE state = 'pending' AND reserves) AS pending, \
     sum(amount) FILTER (WHERE confirmed_at IS NOT NULL AND payer_reported) AS reported, \
     sum(amount) FILTER (WHERE confirmed_at IS NOT NULL AND NOT payer_reported) AS unreported \
     FROM transfers.transfer GROUP BY payer_ispb) AS paid USING (ispb) \
     LEFT JOIN (SELECT payee_ispb AS ispb, \
     sum(amount) FILTER (WHERE confirmed_at IS NOT NULL AND payee_reported) AS reported, \
     sum(amount) FILTER (WHERE confirmed_at IS NOT NULL AND NOT payee_reported) AS unreported \
     FROM transfers.transfer GROUP BY payee_ispb) AS received USING (ispb) ORDER BY p.ispb";

const OVERDUE: &str = "SELECT end_to_end_id, count(*) OVER () AS count FROM transfers.transfer \
     WHERE state = 'pending' AND overdue_at IS NULL AND deadline < $1 \
     ORDER BY end_to_end_id LIMIT $2";

const UNREPORTED: &str = "SELECT end_to_end_id, count(*) OVER () AS count \
     FROM transfers.transfer WHERE state = 'confirmed' AND confirmed_at < $1 \
     AND (confirmed_at < $3 OR NOT payee_reported OR payer_credits = 'on_confirmation') \
     ORDER BY end_to_end_id LIMIT $2";

/// What nobody has acknowledged yet comes first.
const CONTRADICTED: &str = "SELECT end_to_end_id, t.order_id, t.payee_ispb, r.acknowledgement \
     FROM transfers.transfer AS t LEFT JOIN transfers.resolution AS r USING (end_to_end_id) \
     WHERE t.contradicted_at IS NOT NULL \
     ORDER BY r.acknowledgement IS NOT NULL, end_to_end_id LIMIT $1";

const WAITING: &str = "SELECT end_to_end_id, count(*) OVER () AS count FROM transfers.hand_over \
     WHERE stored_at < $1 ORDER BY end_to_end_id LIMIT $2";

const MISFILED: &str = "SELECT end_to_end_id, count(*) OVER () AS count FROM \
     (SELECT end_to_end_id FROM transfers.transfer WHERE finished_at IS NULL) AS under_way \
     FULL JOIN (SELECT end_to_end_id, resend_at FROM transfers.open_transfer) AS listed \
     USING (end_to_end_id) WHERE under_way IS NULL OR listed IS NULL \
     ORDER BY end_to_end_id LIMIT $1";

const COUNTS: &str = "SELECT \
     (SELECT count(*) FROM transfers.open_transfer \
     WHERE NOT overdue OR resend_at IS NOT NULL) AS open, \
     (SELECT count(*) FROM transfers.outbox) \
     + (SELECT count(*) FROM transfers.hand_over) AS unsent";

const PAGE: &str = "SELECT end_to_end_id, state, amount, payer_ispb, payer_account_id, payee_ispb, \
     payee_account_id, payer_reported, payee_reported, \
     payer_credits = 'on_delivery' AS payer_outside, \
     payee_credits = 'on_delivery' AS payee_outside, finished_at FROM transfers.transfer \
     WHERE end_to_end_id > $1 ORDER BY end_to_end_id LIMIT $2";

#[derive(QueryableByName)]
struct BankRow {
    #[diesel(sql_type = Text)]
    ispb: String,
    #[diesel(sql_type = BigInt)]
    position: i64,
    #[diesel(sql_type = BigInt)]
    reserved: i64,
    #[diesel(sql_type = BigInt)]
    pending_reserved: i64,
    #[diesel(sql_type = BigInt)]
    paid_reported: i64,
    #[diesel(sql_type = BigInt)]
    paid_unreported: i64,
    #[diesel(sql_type = BigInt)]
    received_reported: i64,
    #[diesel(sql_type = BigInt)]
    received_unreported: i64,
}

#[derive(QueryableByName)]
struct FoundRow {
    #[diesel(sql_type = Text)]
    end_to_end_id: String,
    #[diesel(sql_type = BigInt)]
    count: i64,
}

#[derive(QueryableByName)]
struct ContradictionRow {
    #[diesel(sql_type = Text)]
    end_to_end_id: String,
    #[diesel(sql_type = Nullable<Id>)]
    order_id: Option<Uuid>,
    #[diesel(sql_type = Text)]
    payee_ispb: String,
    #[diesel(sql_type = Nullable<Text>)]
    acknowledgement: Option<String>,
}

impl ContradictionRow {
    fn contradiction(self) -> Result<Contradiction, Violation> {
        Ok(Contradiction {
            end_to_end_id: EndToEndId::parse(&self.end_to_end_id)?,
            order_id: self.order_id.map(OrderId::from_uuid),
            payee_ispb: Ispb::parse(&self.payee_ispb)?,
            acknowledged: self.acknowledgement,
        })
    }
}

#[derive(QueryableByName)]
struct CountRow {
    #[diesel(sql_type = BigInt)]
    open: i64,
    #[diesel(sql_type = BigInt)]
    unsent: i64,
}

#[expect(clippy::struct_excessive_bools, reason = "a row has the columns that it has")]
#[derive(QueryableByName)]
struct AuditedRow {
    #[diesel(sql_type = Text)]
    end_to_end_id: String,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = BigInt)]
    amount: i64,
    #[diesel(sql_type = Text)]
    payer_ispb: String,
    #[diesel(sql_type = Id)]
    payer_account_id: Uuid,
    #[diesel(sql_type = Text)]
    payee_ispb: String,
    #[diesel(sql_type = Id)]
    payee_account_id: Uuid,
    #[diesel(sql_type = Bool)]
    payer_reported: bool,
    #[diesel(sql_type = Bool)]
    payee_reported: bool,
    #[diesel(sql_type = Bool)]
    payer_outside: bool,
    #[diesel(sql_type = Bool)]
    payee_outside: bool,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    finished_at: Option<PgTimestamp>,
}

impl BankRow {
    fn bank(self) -> Result<BankAudit, Violation> {
        Ok(BankAudit {
            ispb: Ispb::parse(&self.ispb)?,
            position: Money::from_centavos(self.position),
            reserved: Money::from_centavos(self.reserved),
            pending_reserved: Money::from_centavos(self.pending_reserved),
            paid_reported: Money::from_centavos(self.paid_reported),
            paid_unreported: Money::from_centavos(self.paid_unreported),
            received_reported: Money::from_centavos(self.received_reported),
            received_unreported: Money::from_centavos(self.received_unreported),
        })
    }
}

impl AuditedRow {
    fn transfer(self) -> Result<AuditedTransfer, Violation> {
        Ok(AuditedTransfer {
            end_to_end_id: EndToEndId::parse(&self.end_to_end_id)?,
            state: TransferState::parse(&self.state)?,
            amount: Amount::from_centavos(self.amount)?,
            payer_ispb: Ispb::parse(&self.payer_ispb)?,
            payer_account_id: AccountId::from_uuid(self.payer_account_id),
            payee_ispb: Ispb::parse(&self.payee_ispb)?,
            payee_account_id: AccountId::from_uuid(self.payee_account_id),
            payer_reported: self.payer_reported,
            payee_reported: self.payee_reported,
            payer_outside: self.payer_outside,
            payee_outside: self.payee_outside,
            finished_at: self.finished_at.map(timestamp),
        })
    }
}

fn finding(rows: Vec<FoundRow>) -> Result<Finding, StoreError> {
    let count = rows.as_slice().first().map_or(0, |row| row.count);
    let named = read(rows, |row| EndToEndId::parse(&row.end_to_end_id))?;
    Ok(Finding { count, named })
}

/// Reads the hub's schema for `codepix doctor`.
#[derive(Clone, Debug)]
pub struct TransfersAudit {
    database: Database,
}

impl TransfersAudit {
    /// An audit of this database; it connects when first used.
    ///
    /// # Errors
    /// [`StoreError::Rejected`] when the settings make no pool.
    pub fn new(settings: &DatabaseSettings) -> Result<Self, StoreError> {
        Ok(Self { database: Database::new(settings)? })
    }

    /// What the schema says of itself, all of it of one moment.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the database does not answer.
    pub async fn hub(&self, now: Timestamp) -> Result<HubAudit, StoreError> {
        // A session of its own: what fails in between ends with it.
        let mut session = self.database.session().await?;
        session
            .batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            .await
            .map_err(store_error)?;
        let rows: Vec<BankRow> = statement(BANKS).load(&mut session).await.map_err(store_error)?;
        let banks = read(rows, BankRow::bank)?;
        let before = |grace| now.checked_sub(grace).unwrap_or(Timestamp::MIN);
        let overdue = late(&mut session, OVERDUE, before(PENDING_GRACE)).await?;
        let unreported: Vec<FoundRow> = statement(UNREPORTED)
            .bind::<Timestamptz, _>(instant(before(REPORT_GRACE)))
            .bind::<BigInt, _>(i64::from(NAMED_MAX))
            .bind::<Timestamptz, _>(instant(before(PAYER_GRACE)))
            .load(&mut session)
            .await
            .map_err(store_error)?;
        let waiting = late(&mut session, WAITING, before(HAND_OVER_GRACE)).await?;
        let misfiled = named(&mut session, MISFILED).await?;
        let contradicted: Vec<ContradictionRow> = statement(CONTRADICTED)
            .bind::<BigInt, _>(i64::from(NAMED_MAX))
            .load(&mut session)
            .await
            .map_err(store_error)?;
        let contradicted = read(contradicted, ContradictionRow::contradiction)?;
        let counts: CountRow =
            statement(COUNTS).get_result(&mut session).await.map_err(store_error)?;
        session.batch_execute("COMMIT").await.map_err(store_error)?;
        let sum = |sum: Money, bank: &BankAudit| sum.checked_add(bank.position);
        Ok(HubAudit {
            positions_sum: banks
                .iter()
                .try_fold(Money::ZERO, sum)
                .map_err(|broken| unreadable(&broken))?,
            banks,
            overdue,
            contradicted,
            unreported: finding(unreported)?,
            waiting,
            misfiled,
            open: counts.open,
            unsent_rows: counts.unsent,
        })
    }

    /// At most `limit` transfers with ids behind `after`, by id: page after page they are all.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the database does not answer.
    pub async fn transfers(
        &self,
        after: Option<EndToEndId>,
        limit: u32,
    ) -> Result<Vec<AuditedTransfer>, StoreError> {
        let mut connection = self.database.connection().await?;
        let rows: Vec<AuditedRow> = statement(PAGE)
            .bind::<Text, _>(after.as_ref().map(EndToEndId::as_str).unwrap_or_default())
            .bind::<BigInt, _>(i64::from(limit))
            .load(&mut connection)
            .await
            .map_err(store_error)?;
        read(rows, AuditedRow::transfer)
    }
}

async fn named(session: &mut AsyncPgConnection, text: &'static str) -> Result<Finding, StoreError> {
    let rows: Vec<FoundRow> = statement(text)
        .bind::<BigInt, _>(i64::from(NAMED_MAX))
        .load(session)
        .await
        .map_err(store_error)?;
    finding(rows)
}

async fn late(
    session: &mut AsyncPgConnection,
    text: &'static str,
    before: Timestamp,
) -> Result<Finding, StoreError> {
    let rows: Vec<FoundRow> = statement(text)
        .bind::<Timestamptz, _>(instant(before))
        .bind::<BigInt, _>(i64::from(NAMED_MAX))
        .load(session)
        .await
        .map_err(store_error)?;
    finding(rows)
}
