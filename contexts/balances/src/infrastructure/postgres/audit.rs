//! What `codepix doctor` compares with the ledger of Banking.

use std::ops::RangeInclusive;

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Nullable, Uuid};
use diesel_async::RunQueryDsl;
use shared_kernel::application::StoreError;
use shared_kernel::domain::{AccountId, Money};
use shared_kernel::infrastructure::postgres::statement::Bind;
use shared_kernel::infrastructure::postgres::{Database, DatabaseSettings, statement, store_error};

const PAGE: &str = "\
    SELECT account_id, version, available, held FROM balances.account_balance \
    WHERE account_id > coalesce($1, '00000000-0000-0000-0000-000000000000') \
    ORDER BY account_id LIMIT $2";

const GAPS: &str = "\
    SELECT account_id, lower(gap) AS first, upper(gap) - 1 AS last \
    FROM (SELECT account_id, unnest(missing) AS gap FROM balances.account_balance \
    WHERE NOT isempty(missing)) AS gaps ORDER BY account_id, first LIMIT $1";

/// What is wrong of a balance, and of the times since when entries are in force: each at the latest
/// time up to its version.
const TORN: &str = "\
    SELECT account_id FROM ( \
    SELECT balance.account_id FROM balances.account_balance AS balance LEFT JOIN \
    (SELECT account_id, count(*) AS entries FROM balances.account_history GROUP BY account_id) \
    AS history USING (account_id) LEFT JOIN balances.account_history AS newest \
    ON newest.account_id = balance.account_id AND newest.version = balance.version \
    WHERE coalesce(history.entries, 0) <> balance.version \
    - (SELECT coalesce(sum(upper(gap) - lower(gap)), 0) FROM unnest(balance.missing) AS gap) \
    OR (newest.available, newest.held, newest.occurred_at) \
    IS DISTINCT FROM (balance.available, balance.held, balance.updated_at) \
    UNION SELECT account_id FROM ( \
    SELECT account_id, coalesce(raised_at, occurred_at) AS effective_at, \
    max(occurred_at) OVER (PARTITION BY account_id ORDER BY version) AS latest_at \
    FROM balances.account_history) AS entry WHERE effective_at <> latest_at \
    ) AS torn ORDER BY account_id LIMIT $1";

const SIZE: &str = "\
    SELECT (SELECT count(*) FROM balances.account_history) AS entries, \
    (SELECT count(*) FROM balances.transfer) AS transfers";

/// One balance as it is audited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditedBalance {
    /// Which account.
    pub account_id: AccountId,
    /// The version that the amounts belong to.
    pub version: i64,
    /// What its owner may spend.
    pub available: Money,
    /// What transfers under way have set aside.
    pub held: Money,
}

/// A run of versions whose events never arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditedGap {
    /// Of which account.
    pub account_id: AccountId,
    /// The versions.
    pub versions: RangeInclusive<i64>,
}

/// Reads the whole projection, for an audit.
#[derive(Clone, Debug)]
pub struct BalancesAudit {
    database: Database,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Uuid)]
    account_id: uuid::Uuid,
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = BigInt)]
    available: i64,
    #[diesel(sql_type = BigInt)]
    held: i64,
}

#[derive(QueryableByName)]
struct GapRow {
    #[diesel(sql_type = Uuid)]
    account_id: uuid::Uuid,
    #[diesel(sql_type = BigInt)]
    first: i64,
    #[diesel(sql_type = BigInt)]
    last: i64,
}

#[derive(QueryableByName)]
struct SizeRow {
    #[diesel(sql_type = BigInt)]
    entries: i64,
    #[diesel(sql_type = BigInt)]
    transfers: i64,
}

#[derive(QueryableByName)]
struct TornRow {
    #[diesel(sql_type = Uuid)]
    account_id: uuid::Uuid,
}

impl BalancesAudit {
    /// An audit of this database; it connects when first asked.
    ///
    /// # Errors
    /// [`StoreError::Rejected`] when the settings make no pool.
    pub fn new(settings: &DatabaseSettings) -> Result<Self, StoreError> {
        Ok(Self { database: Database::new(settings)? })
    }

    /// The first `limit` balances behind `after`, in the order of their account ids; the last page
    /// is empty.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the database does not answer.
    pub async fn balances(
        &self,
        after: Option<AccountId>,
        limit: i64,
    ) -> Result<Vec<AuditedBalance>, StoreError> {
        let mut connection = self.database.connection().await?;
        let rows: Vec<Row> = statement(PAGE)
            .bind::<Nullable<Uuid>, _>(after.map(AccountId::uuid))
            .bind::<BigInt, _>(limit)
            .load(&mut connection)
            .await
            .map_err(store_error)?;
        let audited = rows.into_iter().map(|row| AuditedBalance {
            account_id: AccountId::from_uuid(row.account_id),
            version: row.version,
            available: Money::from_centavos(row.available),
            held: Money::from_centavos(row.held),
        });
        Ok(audited.collect())
    }

    /// Entries of all histories, and transfers whose sides are known.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the database does not answer.
    pub async fn size(&self) -> Result<(u64, u64), StoreError> {
        let mut connection = self.database.connection().await?;
        let row: SizeRow =
            statement(SIZE).get_result(&mut connection).await.map_err(store_error)?;
        Ok((row.entries.unsigned_abs(), row.transfers.unsigned_abs()))
    }

    /// Runs of versions that never arrived, the first `limit` in the order of their accounts; none
    /// when nothing is amiss.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the database does not answer.
    pub async fn gaps(&self, limit: i64) -> Result<Vec<AuditedGap>, StoreError> {
        let mut connection = self.database.connection().await?;
        let rows: Vec<GapRow> = statement(GAPS)
            .bind::<BigInt, _>(limit)
            .load(&mut connection)
            .await
            .map_err(store_error)?;
        let gap = |row: GapRow| AuditedGap {
            account_id: AccountId::from_uuid(row.account_id),
            versions: row.first..=row.last,
        };
        Ok(rows.into_iter().map(gap).collect())
    }

    /// Accounts whose history is not that of their balance, the first `limit`: an entry is
    /// missing that should be there, the newest states other funds, or one is in force since
    /// another time than it should.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the database does not answer.
    pub async fn torn_histories(&self, limit: i64) -> Result<Vec<AccountId>, StoreError> {
        let mut connection = self.database.connection().await?;
        let rows: Vec<TornRow> = statement(TORN)
            .bind::<BigInt, _>(limit)
            .load(&mut connection)
            .await
            .map_err(store_error)?;
        Ok(rows.into_iter().map(|row| AccountId::from_uuid(row.account_id)).collect())
    }
}
