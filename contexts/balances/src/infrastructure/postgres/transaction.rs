//! The projection inside a transaction: one statement each, whatever the size of the batch.

use async_trait::async_trait;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz, Uuid};
use diesel_async::RunQueryDsl;
use shared_kernel::application::StoreError;
use shared_kernel::domain::AccountId;
use shared_kernel::infrastructure::postgres::session::Sessions;
use shared_kernel::infrastructure::postgres::statement::Bind;
use shared_kernel::infrastructure::postgres::{PgSession, instant, statement, store_error};

use crate::application::ports::{BalancesStore, BalancesTransaction};
use crate::domain::AccountBalance;
use crate::infrastructure::postgres::rows::{BalanceRow, write_ranges};

const LOAD: &str = "\
    SELECT account_id, ispb, owner_name, available, held, version, missing::text, updated_at \
    FROM balances.account_balance WHERE account_id = ANY($1) ORDER BY account_id FOR UPDATE";

const SAVE: &str = "\
    INSERT INTO balances.account_balance AS stored \
    (account_id, ispb, owner_name, available, held, version, missing, updated_at) \
    SELECT account_id, ispb, owner_name, available, held, version, missing::int8multirange, \
    updated_at FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], \
    $6::bigint[], $7::text[], $8::timestamptz[]) \
    AS balance (account_id, ispb, owner_name, available, held, version, missing, updated_at) \
    ORDER BY account_id ON CONFLICT (account_id) DO UPDATE SET \
    owner_name = excluded.owner_name, available = excluded.available, held = excluded.held, \
    version = excluded.version, missing = excluded.missing, updated_at = excluded.updated_at";

#[async_trait]
impl BalancesStore for Sessions {
    async fn begin(&self) -> Result<Box<dyn BalancesTransaction>, StoreError> {
        Ok(Self::begin(self).await?)
    }
}

#[async_trait]
impl BalancesTransaction for PgSession {
    async fn load_balances(
        &mut self,
        accounts: &[AccountId],
    ) -> Result<Vec<AccountBalance>, StoreError> {
        let ids: Vec<uuid::Uuid> = accounts.iter().map(|account| account.uuid()).collect();
        let rows: Vec<BalanceRow> = statement(LOAD)
            .bind::<Array<Uuid>, _>(ids)
            .load(self.connection())
            .await
            .map_err(store_error)?;
        rows.into_iter().map(BalanceRow::into_balance).collect()
    }

    async fn save_balances(&mut self, balances: &[AccountBalance]) -> Result<(), StoreError> {
        fn column<'a, T>(
            balances: &'a [AccountBalance],
            value: impl Fn(&'a AccountBalance) -> T,
        ) -> Vec<T> {
            balances.iter().map(value).collect()
        }
        let centavos = |of: fn(&AccountBalance) -> i64| column(balances, of);
        statement(SAVE)
            .bind::<Array<Uuid>, _>(column(balances, |it| it.account_id().uuid()))
            .bind::<Array<Text>, _>(column(balances, |it| it.ispb().to_string()))
            .bind::<Array<Nullable<Text>>, _>(column(balances, AccountBalance::owner_name))
            .bind::<Array<BigInt>, _>(centavos(|it| it.funds().available().centavos()))
            .bind::<Array<BigInt>, _>(centavos(|it| it.funds().held().centavos()))
            .bind::<Array<BigInt>, _>(column(balances, |it| it.version().number()))
            .bind::<Array<Text>, _>(column(balances, |it| write_ranges(it.missing())))
            .bind::<Array<Timestamptz>, _>(column(balances, |it| instant(it.updated_at())))
            .execute(self.connection())
            .await
            .map(drop)
            .map_err(store_error)
    }
}
