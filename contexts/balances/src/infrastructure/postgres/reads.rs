//! The projection as it is read: one statement each.

use async_trait::async_trait;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Uuid};
use diesel_async::RunQueryDsl;
use shared_kernel::application::StoreError;
use shared_kernel::domain::{AccountId, Ispb};
use shared_kernel::infrastructure::postgres::statement::Bind;
use shared_kernel::infrastructure::postgres::{Database, statement, store_error};

use crate::application::ports::BalancesReads;
use crate::domain::AccountBalance;
use crate::infrastructure::postgres::rows::BalanceRow;

const BY_ACCOUNT: &str = "\
    SELECT account_id, ispb, owner_name, available, held, version, missing::text, updated_at \
    FROM balances.account_balance WHERE account_id = ANY($1)";

const BY_BANK: &str = "\
    SELECT account_id, ispb, owner_name, available, held, version, missing::text, updated_at \
    FROM balances.account_balance \
    WHERE ispb = $1 AND account_id > coalesce($2, '00000000-0000-0000-0000-000000000000') \
    ORDER BY account_id LIMIT $3";

/// Reads through a pool of its context.
#[derive(Clone, Debug)]
pub struct PgBalancesReads {
    database: Database,
}

impl PgBalancesReads {
    /// Reads from this database.
    pub fn new(database: Database) -> Self {
        Self { database }
    }
}

#[async_trait]
impl BalancesReads for PgBalancesReads {
    async fn balances(&self, accounts: &[AccountId]) -> Result<Vec<AccountBalance>, StoreError> {
        let ids: Vec<uuid::Uuid> = accounts.iter().map(|account| account.uuid()).collect();
        let mut connection = self.database.connection().await?;
        let rows: Vec<BalanceRow> = statement(BY_ACCOUNT)
            .bind::<Array<Uuid>, _>(ids)
            .load(&mut connection)
            .await
            .map_err(store_error)?;
        rows.into_iter().map(BalanceRow::into_balance).collect()
    }

    async fn balances_of_bank(
        &self,
        ispb: Ispb,
        after: Option<AccountId>,
        limit: i64,
    ) -> Result<Vec<AccountBalance>, StoreError> {
        let mut connection = self.database.connection().await?;
        let rows: Vec<BalanceRow> = statement(BY_BANK)
            .bind::<Text, _>(ispb.as_str())
            .bind::<Nullable<Uuid>, _>(after.map(AccountId::uuid))
            .bind::<BigInt, _>(limit)
            .load(&mut connection)
            .await
            .map_err(store_error)?;
        rows.into_iter().map(BalanceRow::into_balance).collect()
    }
}
