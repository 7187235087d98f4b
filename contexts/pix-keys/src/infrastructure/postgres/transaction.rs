//! The directory's transaction on a session of the kernel.
//!
//! Every batch, whatever its size, is one statement per load and at most two per table for saving.
//! Rows are locked in the order that the port promises; new keys are inserted in the order of
//! their bytes, which is the order of the column, so that two transactions that wait for each
//! other's inserts never wait in a circle.

use async_trait::async_trait;
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use shared_kernel::application::StoreError;
use shared_kernel::domain::{AccountId, Ispb};
use shared_kernel::infrastructure::postgres::statement::Bind;
use shared_kernel::infrastructure::postgres::{PgSession, statement, store_error};
use uuid::Uuid;

use super::columns::{AccountColumns, EntryColumns};
use super::rows::{AccountRow, EntryRow, ParticipantRow};
use super::select::{account_columns, entry_columns};
use crate::application::DirectoryTransaction;
use crate::application::ports::{EntryChange, ListedAccount};
use crate::domain::{Account, Entry, Participant, PixKey};
use crate::infrastructure::kafka::published::published;

const LOCK_ACCOUNTS: &str = concat!(
    "SELECT ",
    account_columns!(),
    " FROM pix_keys.account LEFT JOIN pix_keys.participant USING (ispb) \
     WHERE account.account_id = ANY($1) ORDER BY account.account_id FOR UPDATE OF account"
);

const LOCK_ENTRIES: &str = concat!(
    "SELECT ",
    entry_columns!(),
    " FROM pix_keys.entry WHERE key = ANY($1) ORDER BY key FOR UPDATE"
);

const LOCK_ENTRIES_OF: &str = concat!(
    "SELECT ",
    entry_columns!(),
    " FROM pix_keys.entry WHERE account_id = ANY($1) AND state = 'active' \
     ORDER BY key FOR UPDATE"
);

const KEYS_HELD: &str = "\
    SELECT account_id, count(*) AS held FROM pix_keys.entry \
    WHERE account_id = ANY($1) AND state = 'active' GROUP BY account_id";

const PARTICIPANTS: &str =
    "SELECT ispb, code, name, version FROM pix_keys.participant WHERE ispb = ANY($1)";

const ADD_ACCOUNTS: &str = "\
    INSERT INTO pix_keys.account \
        (account_id, ispb, branch, number, owner_name, owner_tax_id, status, version) \
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], \
        $7::text[], $8::bigint[])";

const UPDATE_ACCOUNTS: &str = "\
    UPDATE pix_keys.account AS stored SET branch = new.branch, number = new.number, \
        owner_name = new.owner_name, owner_tax_id = new.owner_tax_id, status = new.status, \
        version = new.version \
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], \
        $7::text[], $8::bigint[]) \
        AS new (account_id, ispb, branch, number, owner_name, owner_tax_id, status, version) \
    WHERE stored.account_id = new.account_id AND stored.ispb = new.ispb";

const ADD_ENTRIES: &str = "\
    INSERT INTO pix_keys.entry \
        (key, kind, entry_id, account_id, ispb, owner_tax_id, state, created_at, owned_since, \
        removed_at, removal_reason, version, registered_as) \
    SELECT * FROM unnest($1::text[], $2::text[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], \
        $7::text[], $8::timestamptz[], $9::timestamptz[], $10::timestamptz[], $11::text[], \
        $12::bigint[], $13::text[])";

const UPDATE_ENTRIES: &str = "\
    UPDATE pix_keys.entry AS stored SET entry_id = new.entry_id, account_id = new.account_id, \
        ispb = new.ispb, owner_tax_id = new.owner_tax_id, state = new.state, \
        created_at = new.created_at, owned_since = new.owned_since, \
        removed_at = new.removed_at, removal_reason = new.removal_reason, \
        version = new.version, registered_as = new.registered_as \
    FROM unnest($1::text[], $2::text[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], \
        $7::text[], $8::timestamptz[], $9::timestamptz[], $10::timestamptz[], $11::text[], \
        $12::bigint[], $13::text[]) \
        AS new (key, kind, entry_id, account_id, ispb, owner_tax_id, state, created_at, \
        owned_since, removed_at, removal_reason, version, registered_as) \
    WHERE stored.key = new.key AND stored.version = new.version - 1";

const RESPELL: &str = "\
    UPDATE pix_keys.entry AS stored SET registered_as = new.registered_as \
    FROM unnest($1::text[], $2::text[]) AS new (key, registered_as) WHERE stored.key = new.key";

const SAVE_PARTICIPANTS: &str = "\
    INSERT INTO pix_keys.participant AS known (ispb, code, name, version) \
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) \
    ON CONFLICT (ispb) DO UPDATE \
        SET code = excluded.code, name = excluded.name, version = excluded.version \
        WHERE known.version < excluded.version";

#[derive(QueryableByName)]
struct Held {
    #[diesel(sql_type = SqlUuid)]
    account_id: Uuid,
    #[diesel(sql_type = BigInt)]
    held: i64,
}

fn uuids(ids: &[AccountId]) -> Vec<Uuid> {
    ids.iter().map(|id| id.uuid()).collect()
}

/// Writes one statement's worth of entries; says how many rows it touched.
async fn write_entries(
    session: &mut PgSession,
    sql: &'static str,
    columns: EntryColumns<'_>,
) -> Result<usize, StoreError> {
    statement(sql)
        .bind::<Array<Text>, _>(columns.keys)
        .bind::<Array<Text>, _>(columns.kinds)
        .bind::<Array<SqlUuid>, _>(columns.entry_ids)
        .bind::<Array<SqlUuid>, _>(columns.account_ids)
        .bind::<Array<Text>, _>(columns.ispbs)
        .bind::<Array<Text>, _>(columns.owner_tax_ids)
        .bind::<Array<Text>, _>(columns.states)
        .bind::<Array<Timestamptz>, _>(columns.created_at)
        .bind::<Array<Timestamptz>, _>(columns.owned_since)
        .bind::<Array<Nullable<Timestamptz>>, _>(columns.removed_at)
        .bind::<Array<Nullable<Text>>, _>(columns.removal_reasons)
        .bind::<Array<BigInt>, _>(columns.versions)
        .bind::<Array<Nullable<Text>>, _>(columns.registered_as)
        .execute(session.connection())
        .await
        .map_err(store_error)
}

/// Writes one statement's worth of accounts; says how many rows it touched.
async fn write_accounts(
    session: &mut PgSession,
    sql: &'static str,
    accounts: &[Account],
) -> Result<usize, StoreError> {
    let columns = AccountColumns::of(accounts);
    statement(sql)
        .bind::<Array<SqlUuid>, _>(columns.ids)
        .bind::<Array<Text>, _>(columns.ispbs)
        .bind::<Array<Nullable<Text>>, _>(columns.branches)
        .bind::<Array<Nullable<Text>>, _>(columns.numbers)
        .bind::<Array<Nullable<Text>>, _>(columns.owner_names)
        .bind::<Array<Nullable<Text>>, _>(columns.owner_tax_ids)
        .bind::<Array<Text>, _>(columns.statuses)
        .bind::<Array<BigInt>, _>(columns.versions)
        .execute(session.connection())
        .await
        .map_err(store_error)
}

#[async_trait]
impl DirectoryTransaction for PgSession {
    async fn lock_accounts(&mut self, ids: &[AccountId]) -> Result<Vec<ListedAccount>, StoreError> {
        let rows: Vec<AccountRow> = statement(LOCK_ACCOUNTS)
            .bind::<Array<SqlUuid>, _>(uuids(ids))
            .load(self.connection())
            .await
            .map_err(store_error)?;
        rows.into_iter().map(ListedAccount::try_from).collect()
    }

    async fn lock_entries(&mut self, keys: &[PixKey]) -> Result<Vec<Entry>, StoreError> {
        let texts: Vec<&str> = keys.iter().map(PixKey::as_str).collect();
        let rows: Vec<EntryRow> = statement(LOCK_ENTRIES)
            .bind::<Array<Text>, _>(texts)
            .load(self.connection())
            .await
            .map_err(store_error)?;
        rows.into_iter().map(Entry::try_from).collect()
    }

    async fn lock_entries_of(&mut self, accounts: &[AccountId]) -> Result<Vec<Entry>, StoreError> {
        let rows: Vec<EntryRow> = statement(LOCK_ENTRIES_OF)
            .bind::<Array<SqlUuid>, _>(uuids(accounts))
            .load(self.connection())
            .await
            .map_err(store_error)?;
        rows.into_iter().map(Entry::try_from).collect()
    }

    async fn keys_held(
        &mut self,
        accounts: &[AccountId],
    ) -> Result<Vec<(AccountId, usize)>, StoreError> {
        let rows: Vec<Held> = statement(KEYS_HELD)
            .bind::<Array<SqlUuid>, _>(uuids(accounts))
            .load(self.connection())
            .await
            .map_err(store_error)?;
        let held = |row: Held| {
            let held = usize::try_from(row.held).unwrap_or(usize::MAX);
            (AccountId::from_uuid(row.account_id), held)
        };
        Ok(rows.into_iter().map(held).collect())
    }

    async fn participants(&mut self, ispbs: &[Ispb]) -> Result<Vec<Participant>, StoreError> {
        let texts: Vec<&str> = ispbs.iter().map(Ispb::as_str).collect();
        let rows: Vec<ParticipantRow> = statement(PARTICIPANTS)
            .bind::<Array<Text>, _>(texts)
            .load(self.connection())
            .await
            .map_err(store_error)?;
        rows.into_iter().map(Participant::try_from).collect()
    }

    async fn add_accounts(&mut self, accounts: &[Account]) -> Result<(), StoreError> {
        write_accounts(self, ADD_ACCOUNTS, accounts).await.map(drop)
    }

    async fn update_accounts(&mut self, accounts: &[Account]) -> Result<(), StoreError> {
        let written = write_accounts(self, UPDATE_ACCOUNTS, accounts).await?;
        if written == accounts.len() {
            Ok(())
        } else {
            Err(StoreError::Rejected("an account to update is not there".into()))
        }
    }

    async fn save_entries(&mut self, changes: &[EntryChange]) -> Result<(), StoreError> {
        let entries = || changes.iter().map(|change| &change.entry);
        let is_new = |entry: &&Entry| entry.version() == 1;
        let added = EntryColumns::of(entries().filter(is_new));
        if !added.keys.is_empty() {
            write_entries(self, ADD_ENTRIES, added).await?;
        }
        let updated = EntryColumns::of(entries().filter(|entry| !is_new(entry)));
        let wanted = updated.keys.len();
        if wanted > 0 && write_entries(self, UPDATE_ENTRIES, updated).await? != wanted {
            return Err(StoreError::Conflict("a key changed meanwhile".into()));
        }
        let events: Vec<_> = changes.iter().map(published).collect::<Result<_, _>>()?;
        self.publish(events);
        Ok(())
    }

    async fn respell(&mut self, entries: &[Entry]) -> Result<(), StoreError> {
        let EntryColumns { keys, registered_as, .. } = EntryColumns::of(entries.iter());
        statement(RESPELL)
            .bind::<Array<Text>, _>(keys)
            .bind::<Array<Nullable<Text>>, _>(registered_as)
            .execute(self.connection())
            .await
            .map(drop)
            .map_err(store_error)
    }

    async fn save_participants(&mut self, participants: &[Participant]) -> Result<(), StoreError> {
        let ispbs: Vec<&str> = participants.iter().map(|known| known.ispb.as_str()).collect();
        let codes: Vec<&str> = participants.iter().map(|known| known.code.as_str()).collect();
        let names: Vec<&str> = participants.iter().map(|known| known.name.as_str()).collect();
        let versions: Vec<i64> = participants.iter().map(|known| known.version).collect();
        statement(SAVE_PARTICIPANTS)
            .bind::<Array<Text>, _>(ispbs)
            .bind::<Array<Text>, _>(codes)
            .bind::<Array<Text>, _>(names)
            .bind::<Array<BigInt>, _>(versions)
            .execute(self.connection())
            .await
            .map(drop)
            .map_err(store_error)
    }
}
