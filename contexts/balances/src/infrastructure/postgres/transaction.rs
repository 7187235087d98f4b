//! The projection inside a transaction: a constant number of statements, whatever the batch.

use async_trait::async_trait;
use diesel::QueryableByName;
use diesel::pg::data_types::PgTimestamp;
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Text, Timestamptz, Uuid};
use diesel_async::RunQueryDsl;
use shared_kernel::application::StoreError;
use shared_kernel::domain::AccountId;
use shared_kernel::infrastructure::postgres::session::Sessions;
use shared_kernel::infrastructure::postgres::statement::Bind;
use shared_kernel::infrastructure::postgres::{PgSession, instant, statement, store_error};

use super::commits::{ANNOUNCE, announcements};
use super::statements::{SCHEMA, Statements};
use crate::application::ports::{BalancesStore, BalancesTransaction, HistoryEntry};
use crate::domain::{
    AccountBalance, AccountEvent, ExternalAccount, ExternalBalance, Movement, TransferParties,
};
use crate::infrastructure::postgres::rows::{BalanceRow, write_ranges};

fn column<'a, R, T>(rows: &'a [R], value: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}

/// An entry that was added.
#[derive(QueryableByName)]
struct AddedRow {
    #[diesel(sql_type = Uuid)]
    account_id: uuid::Uuid,
    #[diesel(sql_type = BigInt)]
    version: i64,
}

/// A column of movements, null where no money moved.
fn moved<'a, T>(
    events: &[&'a AccountEvent],
    value: impl Fn(&'a Movement) -> Option<T>,
) -> Vec<Option<T>> {
    column(events, |event| event.movement.as_ref().and_then(&value))
}

/// A statement that adds entries of histories; `raised` has the times of those that take effect
/// later than they happened.
macro_rules! adding {
    ($sql:expr, $events:expr, $raised:expr) => {{
        let events: Vec<&AccountEvent> = $events;
        let other = |it: &&AccountEvent| it.movement.as_ref().map(|it| it.counterparty.clone());
        let others = column(&events, |it| other(it).unwrap_or_default());
        statement($sql)
            .bind::<Array<Uuid>, _>(column(&events, |it| it.account_id.uuid()))
            .bind::<Array<BigInt>, _>(column(&events, |it| it.state.version.number()))
            .bind::<Array<Timestamptz>, _>(column(&events, |it| instant(it.state.occurred_at)))
            .bind::<Array<BigInt>, _>(column(&events, |it| it.state.funds.available().centavos()))
            .bind::<Array<BigInt>, _>(column(&events, |it| it.state.funds.held().centavos()))
            .bind::<Array<Nullable<Text>>, _>(moved(&events, |it| Some(it.kind.as_str())))
            .bind::<Array<Nullable<BigInt>>, _>(moved(&events, |it| Some(it.amount.centavos())))
            .bind::<Array<Nullable<Text>>, _>(moved(&events, |it| {
                it.end_to_end_id.map(|id| id.to_string())
            }))
            .bind::<Array<Nullable<Text>>, _>(column(&others, |it| {
                it.ispb.map(|it| it.to_string())
            }))
            .bind::<Array<Nullable<Uuid>>, _>(column(&others, |it| {
                it.account_id.map(AccountId::uuid)
            }))
            .bind::<Array<Nullable<Text>>, _>(column(&others, |it| it.name.clone()))
            .bind::<Array<Nullable<Text>>, _>(moved(&events, |it| Some(it.description.clone())))
            .bind::<Array<Nullable<Timestamptz>>, _>($raised)
    }};
}

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
        let rows: Vec<BalanceRow> = statement(Statements::of(self.tables().schema).load)
            .bind::<Array<Uuid>, _>(ids)
            .load(self.connection())
            .await
            .map_err(store_error)?;
        rows.into_iter().map(BalanceRow::into_balance).collect()
    }

    async fn save_balances(&mut self, balances: &[AccountBalance]) -> Result<(), StoreError> {
        let schema = self.tables().schema;
        let centavos = |of: fn(&AccountBalance) -> i64| column(balances, of);
        statement(Statements::of(schema).save)
            .bind::<Array<Uuid>, _>(column(balances, |it| it.account_id().uuid()))
            .bind::<Array<Text>, _>(column(balances, |it| it.ispb().to_string()))
            .bind::<Array<Nullable<Text>>, _>(column(balances, AccountBalance::owner_name))
            .bind::<Array<BigInt>, _>(centavos(|it| it.funds().available().centavos()))
            .bind::<Array<BigInt>, _>(centavos(|it| it.funds().held().centavos()))
            .bind::<Array<BigInt>, _>(column(balances, |it| it.version().number()))
            .bind::<Array<Text>, _>(column(balances, |it| write_ranges(it.missing())))
            .bind::<Array<Timestamptz>, _>(column(balances, |it| instant(it.state().occurred_at)))
            .execute(self.connection())
            .await
            .map_err(store_error)?;
        if schema != SCHEMA {
            // Nobody waits for a rebuild.
            return Ok(());
        }
        statement(ANNOUNCE)
            .bind::<Array<Text>, _>(announcements(balances))
            .execute(self.connection())
            .await
            .map(drop)
            .map_err(store_error)
    }

    async fn append_history(&mut self, entries: &[HistoryEntry]) -> Result<(), StoreError> {
        let sql = Statements::of(self.tables().schema).append_history;
        let raised = |it: &HistoryEntry| {
            let is_later = it.effective_at > it.event.state.occurred_at;
            is_later.then(|| instant(it.effective_at))
        };
        adding!(sql, column(entries, |it| &it.event), column(entries, raised))
            .execute(self.connection())
            .await
            .map(drop)
            .map_err(store_error)
    }

    async fn append_late(&mut self, events: &[AccountEvent]) -> Result<(), StoreError> {
        let statements = Statements::of(self.tables().schema);
        let unraised: Vec<Option<PgTimestamp>> = vec![None; events.len()];
        let added: Vec<AddedRow> =
            adding!(statements.append_late, events.iter().collect(), unraised)
                .load(self.connection())
                .await
                .map_err(store_error)?;
        if added.is_empty() {
            return Ok(());
        }
        statement(statements.settle)
            .bind::<Array<Uuid>, _>(column(&added, |it| it.account_id))
            .bind::<Array<BigInt>, _>(column(&added, |it| it.version))
            .execute(self.connection())
            .await
            .map(drop)
            .map_err(store_error)
    }

    async fn append_transfers(&mut self, transfers: &[TransferParties]) -> Result<(), StoreError> {
        statement(Statements::of(self.tables().schema).append_transfers)
            .bind::<Array<Text>, _>(column(transfers, |it| it.end_to_end_id.to_string()))
            .bind::<Array<Text>, _>(column(transfers, |it| it.payer.ispb.to_string()))
            .bind::<Array<Uuid>, _>(column(transfers, |it| it.payer.account_id.uuid()))
            .bind::<Array<Text>, _>(column(transfers, |it| it.payer.owner_name.as_str()))
            .bind::<Array<Text>, _>(column(transfers, |it| it.payee.ispb.to_string()))
            .bind::<Array<Uuid>, _>(column(transfers, |it| it.payee.account_id.uuid()))
            .bind::<Array<Text>, _>(column(transfers, |it| it.payee.owner_name.as_str()))
            .bind::<Array<Text>, _>(column(transfers, |it| it.payee_key.as_str()))
            .execute(self.connection())
            .await
            .map(drop)
            .map_err(store_error)
    }

    async fn append_external_balances(
        &mut self,
        said: &[ExternalBalance],
    ) -> Result<(), StoreError> {
        statement(Statements::of(self.tables().schema).append_external_balances)
            .bind::<Array<Uuid>, _>(column(said, |it| it.account_id.uuid()))
            .bind::<Array<Timestamptz>, _>(column(said, |it| instant(it.place.recorded_at)))
            .bind::<Array<Integer>, _>(column(said, |it| it.place.partition))
            .bind::<Array<BigInt>, _>(column(said, |it| it.place.offset))
            .bind::<Array<BigInt>, _>(column(said, |it| it.balance().centavos()))
            .execute(self.connection())
            .await
            .map(drop)
            .map_err(store_error)
    }

    async fn open_external_accounts(
        &mut self,
        opened: &[ExternalAccount],
    ) -> Result<(), StoreError> {
        statement(Statements::of(self.tables().schema).open_external_accounts)
            .bind::<Array<Uuid>, _>(column(opened, |it| it.account_id.uuid()))
            .bind::<Array<Timestamptz>, _>(column(opened, |it| instant(it.since)))
            .execute(self.connection())
            .await
            .map(drop)
            .map_err(store_error)
    }
}
