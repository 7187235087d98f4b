//! Opens transactions, and reads what is committed: one statement for each read, whatever the
//! number of keys or accounts.

use async_trait::async_trait;
use diesel::QueryableByName;
use diesel::sql_types::{Array, Bool, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use metrics::counter;
use shared_kernel::application::StoreError;
use shared_kernel::domain::{AccountId, Ispb};
use shared_kernel::infrastructure::postgres::session::Sessions;
use shared_kernel::infrastructure::postgres::statement::Bind;
use shared_kernel::infrastructure::postgres::{statement, store_error};
use uuid::Uuid;

use super::rows::{AccountRow, EntryViewRow};
use super::select::{account_columns, active_entries};
use crate::application::{
    AccountView, DirectoryReads, DirectoryStore, DirectoryTransaction, EntryView,
};
use crate::domain::PixKey;

const ENTRIES: &str = concat!(active_entries!(), "entry.key = ANY($1)");

const ENTRIES_OF: &str = concat!(
    active_entries!(),
    "entry.account_id = ANY($1) ORDER BY entry.created_at, entry.entry_id"
);

const ACCOUNTS: &str = concat!(
    "SELECT ",
    account_columns!(),
    " FROM pix_keys.account LEFT JOIN pix_keys.participant USING (ispb) \
     WHERE account.account_id = ANY($1) AND account.owner_tax_id IS NOT NULL"
);

const HAS_PARTICIPANT: &str =
    "SELECT EXISTS (SELECT FROM pix_keys.participant WHERE ispb = $1) AS exists";

#[derive(QueryableByName)]
struct Exists {
    #[diesel(sql_type = Bool)]
    exists: bool,
}

/// The directory in `PostgreSQL`.
#[derive(Clone, Debug)]
pub struct PgDirectory {
    sessions: Sessions,
}

impl PgDirectory {
    /// The directory over these sessions.
    pub const fn new(sessions: Sessions) -> Self {
        Self { sessions }
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

#[async_trait]
impl DirectoryStore for PgDirectory {
    async fn begin(&self) -> Result<Box<dyn DirectoryTransaction>, StoreError> {
        Ok(self.sessions.begin().await?)
    }
}

#[async_trait]
impl DirectoryReads for PgDirectory {
    async fn entries(&self, keys: &[PixKey]) -> Result<Vec<EntryView>, StoreError> {
        let texts: Vec<&str> = keys.iter().map(PixKey::as_str).collect();
        let mut connection = self.sessions.database.connection().await?;
        let rows: Vec<EntryViewRow> = statement(ENTRIES)
            .bind::<Array<Text>, _>(texts)
            .load(&mut connection)
            .await
            .map_err(store_error)?;
        rows.into_iter().map(EntryView::try_from).collect()
    }

    async fn look_up(&self, keys: &[PixKey]) -> Result<Vec<EntryView>, StoreError> {
        let found = self.entries(keys).await?;
        counter!("codepix_key_lookup_queries_total").increment(1);
        counter!("codepix_key_lookup_keys_total").increment(count(keys.len()));
        counter!("codepix_key_lookup_found_total").increment(count(found.len()));
        Ok(found)
    }

    async fn entries_of(&self, accounts: &[AccountId]) -> Result<Vec<EntryView>, StoreError> {
        let ids: Vec<Uuid> = accounts.iter().map(|id| id.uuid()).collect();
        let mut connection = self.sessions.database.connection().await?;
        let rows: Vec<EntryViewRow> = statement(ENTRIES_OF)
            .bind::<Array<SqlUuid>, _>(ids)
            .load(&mut connection)
            .await
            .map_err(store_error)?;
        rows.into_iter().map(EntryView::try_from).collect()
    }

    async fn accounts(&self, ids: &[AccountId]) -> Result<Vec<AccountView>, StoreError> {
        let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
        let mut connection = self.sessions.database.connection().await?;
        let rows: Vec<AccountRow> = statement(ACCOUNTS)
            .bind::<Array<SqlUuid>, _>(ids)
            .load(&mut connection)
            .await
            .map_err(store_error)?;
        rows.into_iter().map(AccountView::try_from).collect()
    }

    async fn has_participant(&self, ispb: Ispb) -> Result<bool, StoreError> {
        let mut connection = self.sessions.database.connection().await?;
        let found: Exists = statement(HAS_PARTICIPANT)
            .bind::<Text, _>(ispb.as_str())
            .get_result(&mut connection)
            .await
            .map_err(store_error)?;
        Ok(found.exists)
    }
}
