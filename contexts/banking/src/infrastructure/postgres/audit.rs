//! What `codepix doctor` asks of the banks. Reads only; each answer is one statement, so it is
//! true of one instant.

use diesel::QueryableByName;
use diesel::pg::data_types::PgTimestamp;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use shared_kernel::application::StoreError;
use shared_kernel::domain::{AccountId, EndToEndId, Ispb, Money, Timestamp};
use shared_kernel::infrastructure::postgres::statement::Bind;
use shared_kernel::infrastructure::postgres::{Database, statement, store_error, timestamp};
use uuid::Uuid;

use super::rows::{unreadable, unreadable_value};
use crate::domain::{IncomingStatus, OutgoingStatus};

/// The auditor of this context's schema. It reads whole tables, so it takes no pooled connection:
/// those are told not to.
#[derive(Clone, Debug)]
pub struct BankingAudit(Database);

#[derive(QueryableByName)]
struct UnsentRow {
    #[diesel(sql_type = BigInt)]
    records: i64,
}

/// The ledger of one bank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LedgerTotals {
    /// The bank.
    pub ispb: Ispb,
    /// Sum of all debits, as a positive number.
    pub debits: i128,
    /// Sum of all credits.
    pub credits: i128,
}

/// One of the banks' own accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InternalBalance {
    /// The bank.
    pub ispb: Ispb,
    /// `cash`, `settlement` or `unapplied-credits`.
    pub kind: String,
    /// Its balance. What a bank has sent through the hub stands in `settlement` as a positive
    /// number, what it has received as a negative one: the opposite of its position.
    pub balance: Money,
}

/// Something that should be equal and is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What is wrong: `uneven_posting`, `balance_is_not_entries`, `held_is_not_holds`,
    /// `available_is_negative`, `settled_without_entry`, `entry_without_settled`.
    pub kind: String,
    /// Account, posting or transfer.
    pub subject: String,
    /// What is stored.
    pub stored: Money,
    /// What it should be.
    pub expected: Money,
}

/// A customer's account as the read side is compared with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditedAccount {
    /// Which account.
    pub account_id: AccountId,
    /// Its version.
    pub version: i64,
    /// What its owner may spend.
    pub available: Money,
    /// What transfers under way have set aside.
    pub held: Money,
}

/// One side of a transfer between banks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditedSide<S> {
    /// Which transfer.
    pub end_to_end_id: EndToEndId,
    /// The bank whose side it is.
    pub ispb: Ispb,
    /// The account on that side.
    pub account_id: AccountId,
    /// How much.
    pub amount: Money,
    /// Where it stands.
    pub state: S,
    /// When it was ordered (payer's side) or registered (payee's side).
    pub ordered_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

/// The payer's side.
pub type AuditedOutgoing = AuditedSide<OutgoingStatus>;
/// The payee's side.
pub type AuditedIncoming = AuditedSide<IncomingStatus>;

#[derive(QueryableByName)]
struct AccountRow {
    #[diesel(sql_type = SqlUuid)]
    account_id: Uuid,
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = BigInt)]
    available: i64,
    #[diesel(sql_type = BigInt)]
    held: i64,
}

#[derive(QueryableByName)]
struct TotalsRow {
    #[diesel(sql_type = Text)]
    ispb: String,
    #[diesel(sql_type = Text)]
    debits: String,
    #[diesel(sql_type = Text)]
    credits: String,
}

#[derive(QueryableByName)]
struct InternalRow {
    #[diesel(sql_type = Text)]
    ispb: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = BigInt)]
    balance: i64,
}

#[derive(QueryableByName)]
struct DifferenceRow {
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    subject: String,
    #[diesel(sql_type = BigInt)]
    stored: i64,
    #[diesel(sql_type = BigInt)]
    expected: i64,
}

#[derive(QueryableByName)]
struct SideRow {
    #[diesel(sql_type = Text)]
    end_to_end_id: String,
    #[diesel(sql_type = Text)]
    ispb: String,
    #[diesel(sql_type = SqlUuid)]
    account_id: Uuid,
    #[diesel(sql_type = BigInt)]
    amount: i64,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = Timestamptz)]
    ordered_at: PgTimestamp,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    finished_at: Option<PgTimestamp>,
}

impl SideRow {
    fn into_side<S>(self, read: fn(&str) -> Option<S>) -> Result<AuditedSide<S>, StoreError> {
        Ok(AuditedSide {
            end_to_end_id: EndToEndId::parse(&self.end_to_end_id).map_err(unreadable_value)?,
            ispb: Ispb::parse(&self.ispb).map_err(unreadable_value)?,
            account_id: AccountId::from_uuid(self.account_id),
            amount: Money::from_centavos(self.amount),
            state: read(&self.state).ok_or_else(|| unreadable("transfer state"))?,
            ordered_at: timestamp(self.ordered_at),
            finished_at: self.finished_at.map(timestamp),
        })
    }
}

/// Everything that must be equal inside this schema, in one statement.
const DIFFERENCES: &str = "\
    SELECT 'uneven_posting' AS kind, reference || '/' || leg AS subject, \
    sum(amount)::bigint AS stored, 0::bigint AS expected \
    FROM banking.entry GROUP BY reference, leg HAVING sum(amount) <> 0 \
    UNION ALL SELECT 'balance_is_not_entries', id::text, balance, expected \
    FROM (SELECT account.id, account.balance, coalesce(entries.total, 0)::bigint AS expected \
    FROM (SELECT id, balance FROM banking.account \
    UNION ALL SELECT id, balance FROM banking.ledger_account) AS account \
    LEFT JOIN (SELECT account_id, sum(amount) AS total FROM banking.entry GROUP BY account_id) \
    AS entries ON entries.account_id = account.id) AS compared WHERE balance <> expected \
    UNION ALL SELECT 'held_is_not_holds', id::text, held, expected \
    FROM (SELECT account.id, account.held, coalesce(holds.total, 0)::bigint AS expected \
    FROM banking.account LEFT JOIN (SELECT payer_account_id, sum(amount) AS total \
    FROM banking.outgoing_transfer WHERE state = 'requested' GROUP BY payer_account_id) \
    AS holds ON holds.payer_account_id = account.id) AS compared WHERE held <> expected \
    UNION ALL SELECT 'available_is_negative', id::text, balance - held, 0 \
    FROM banking.account WHERE balance - held < 0 OR held < 0 \
    UNION ALL SELECT 'settled_without_entry', end_to_end_id, 0, -amount \
    FROM banking.outgoing_transfer AS side WHERE state = 'settled' AND NOT EXISTS \
    (SELECT FROM banking.entry WHERE reference = side.end_to_end_id AND leg = 'payer' \
    AND account_id = side.payer_account_id AND entry.amount = -side.amount) \
    UNION ALL SELECT 'settled_without_entry', end_to_end_id, 0, amount \
    FROM banking.incoming_transfer AS side WHERE state = 'credited' AND NOT EXISTS \
    (SELECT FROM banking.entry WHERE reference = side.end_to_end_id AND leg = 'payee' \
    AND account_id = side.payee_account_id AND entry.amount = side.amount) \
    UNION ALL SELECT 'entry_without_settled', reference || '/' || leg, amount, 0 \
    FROM banking.entry WHERE account_version IS NOT NULL AND (leg = 'payer' AND NOT EXISTS \
    (SELECT FROM banking.outgoing_transfer WHERE end_to_end_id = reference AND state = 'settled') \
    OR leg = 'payee' AND NOT EXISTS (SELECT FROM banking.incoming_transfer \
    WHERE end_to_end_id = reference AND state = 'credited')) \
    LIMIT $1";

impl BankingAudit {
    /// An auditor over the context's database.
    pub fn new(database: Database) -> Self {
        Self(database)
    }

    /// Debits and credits of every bank, by ISPB.
    ///
    /// # Errors
    /// The store's.
    pub async fn totals(&self) -> Result<Vec<LedgerTotals>, StoreError> {
        let mut connection = self.0.session().await?;
        let rows: Vec<TotalsRow> = statement(
            "SELECT ispb, coalesce(-sum(amount) FILTER (WHERE amount < 0), 0)::text AS debits, \
             coalesce(sum(amount) FILTER (WHERE amount > 0), 0)::text AS credits \
             FROM banking.entry GROUP BY ispb ORDER BY ispb",
        )
        .load(&mut connection)
        .await
        .map_err(store_error)?;
        let number = |text: &str| text.parse().map_err(|_broken| unreadable("sum"));
        rows.iter()
            .map(|row| {
                Ok(LedgerTotals {
                    ispb: Ispb::parse(&row.ispb).map_err(unreadable_value)?,
                    debits: number(&row.debits)?,
                    credits: number(&row.credits)?,
                })
            })
            .collect()
    }

    /// The banks' own accounts, by ISPB and kind.
    ///
    /// # Errors
    /// The store's.
    pub async fn internal_balances(&self) -> Result<Vec<InternalBalance>, StoreError> {
        let mut connection = self.0.session().await?;
        let rows: Vec<InternalRow> =
            statement("SELECT ispb, kind, balance FROM banking.ledger_account ORDER BY ispb, kind")
                .load(&mut connection)
                .await
                .map_err(store_error)?;
        rows.into_iter()
            .map(|row| {
                let ispb = Ispb::parse(&row.ispb).map_err(unreadable_value)?;
                let balance = Money::from_centavos(row.balance);
                Ok(InternalBalance { ispb, kind: row.kind, balance })
            })
            .collect()
    }

    /// What is not equal though it should be, at most `limit`. Healthy books answer nothing.
    ///
    /// # Errors
    /// The store's.
    pub async fn differences(&self, limit: i64) -> Result<Vec<Difference>, StoreError> {
        let mut connection = self.0.session().await?;
        let rows: Vec<DifferenceRow> = statement(DIFFERENCES)
            .bind::<BigInt, _>(limit)
            .load(&mut connection)
            .await
            .map_err(store_error)?;
        let difference = |row: DifferenceRow| Difference {
            kind: row.kind,
            subject: row.subject,
            stored: Money::from_centavos(row.stored),
            expected: Money::from_centavos(row.expected),
        };
        Ok(rows.into_iter().map(difference).collect())
    }

    /// Payers' sides by `EndToEndId`, after the last one seen.
    ///
    /// # Errors
    /// The store's.
    pub async fn outgoing(
        &self,
        after: Option<EndToEndId>,
        limit: i64,
    ) -> Result<Vec<AuditedOutgoing>, StoreError> {
        let mut connection = self.0.session().await?;
        let rows: Vec<SideRow> = statement(
            "SELECT end_to_end_id, payer_ispb AS ispb, payer_account_id AS account_id, amount, \
             state, requested_at AS ordered_at, finished_at FROM banking.outgoing_transfer \
             WHERE end_to_end_id > $1 ORDER BY end_to_end_id LIMIT $2",
        )
        .bind::<Text, _>(after.as_ref().map_or("", EndToEndId::as_str))
        .bind::<BigInt, _>(limit)
        .load(&mut connection)
        .await
        .map_err(store_error)?;
        rows.into_iter().map(|row| row.into_side(OutgoingStatus::parse)).collect()
    }

    /// Payees' sides by `EndToEndId`, after the last one seen.
    ///
    /// # Errors
    /// The store's.
    pub async fn incoming(
        &self,
        after: Option<EndToEndId>,
        limit: i64,
    ) -> Result<Vec<AuditedIncoming>, StoreError> {
        let mut connection = self.0.session().await?;
        let rows: Vec<SideRow> = statement(
            "SELECT end_to_end_id, payee_ispb AS ispb, payee_account_id AS account_id, amount, \
             state, registered_at AS ordered_at, finished_at FROM banking.incoming_transfer \
             WHERE end_to_end_id > $1 ORDER BY end_to_end_id LIMIT $2",
        )
        .bind::<Text, _>(after.as_ref().map_or("", EndToEndId::as_str))
        .bind::<BigInt, _>(limit)
        .load(&mut connection)
        .await
        .map_err(store_error)?;
        rows.into_iter().map(|row| row.into_side(IncomingStatus::parse)).collect()
    }

    /// Events that are not on the log yet.
    ///
    /// # Errors
    /// The store's.
    pub async fn unsent(&self) -> Result<i64, StoreError> {
        let mut connection = self.0.session().await?;
        let row: UnsentRow = statement("SELECT count(*) AS records FROM banking.outbox")
            .get_result(&mut connection)
            .await
            .map_err(store_error)?;
        Ok(row.records)
    }

    /// Settled transfers whose account could not take the money, after the last one seen.
    ///
    /// # Errors
    /// The store's.
    pub async fn unapplied(
        &self,
        after: Option<EndToEndId>,
        limit: i64,
    ) -> Result<Vec<AuditedIncoming>, StoreError> {
        let mut connection = self.0.session().await?;
        let rows: Vec<SideRow> = statement(
            "SELECT end_to_end_id, payee_ispb AS ispb, payee_account_id AS account_id, amount, \
             state, registered_at AS ordered_at, finished_at FROM banking.incoming_transfer \
             WHERE state = 'unapplied' AND end_to_end_id > $1 ORDER BY end_to_end_id LIMIT $2",
        )
        .bind::<Text, _>(after.as_ref().map_or("", EndToEndId::as_str))
        .bind::<BigInt, _>(limit)
        .load(&mut connection)
        .await
        .map_err(store_error)?;
        rows.into_iter().map(|row| row.into_side(IncomingStatus::parse)).collect()
    }

    /// Customers' accounts by id, after the last one seen.
    ///
    /// # Errors
    /// The store's.
    pub async fn accounts(
        &self,
        after: Option<AccountId>,
        limit: i64,
    ) -> Result<Vec<AuditedAccount>, StoreError> {
        let mut connection = self.0.session().await?;
        let rows: Vec<AccountRow> = statement(
            "SELECT id AS account_id, version, balance - held AS available, held \
             FROM banking.account WHERE id > coalesce($1, '00000000-0000-0000-0000-000000000000') \
             ORDER BY id LIMIT $2",
        )
        .bind::<Nullable<SqlUuid>, _>(after.map(AccountId::uuid))
        .bind::<BigInt, _>(limit)
        .load(&mut connection)
        .await
        .map_err(store_error)?;
        let account = |row: AccountRow| AuditedAccount {
            account_id: AccountId::from_uuid(row.account_id),
            version: row.version,
            available: Money::from_centavos(row.available),
            held: Money::from_centavos(row.held),
        };
        Ok(rows.into_iter().map(account).collect())
    }
}
