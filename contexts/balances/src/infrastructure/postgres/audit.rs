//! What `codepix doctor` compares with the ledger of Banking.

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
    SELECT count(*) AS count FROM \
    (SELECT unnest(missing) FROM balances.account_balance WHERE NOT isempty(missing)) AS gap";

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
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
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

    /// Runs of versions that never arrived, over all accounts: 0 when nothing is amiss.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the database does not answer.
    pub async fn gaps(&self) -> Result<i64, StoreError> {
        let mut connection = self.database.connection().await?;
        let row: Count = statement(GAPS).get_result(&mut connection).await.map_err(store_error)?;
        Ok(row.count)
    }
}
