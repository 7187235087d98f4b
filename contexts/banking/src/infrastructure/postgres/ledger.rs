//! The ledger's tables: entries, and the accounts of the banks themselves.

use std::collections::BTreeMap;

use diesel::pg::data_types::PgTimestamp;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_kernel::application::StoreError;
use shared_kernel::domain::{AccountId, Ispb};
use shared_kernel::infrastructure::postgres::statement::Bind;
use shared_kernel::infrastructure::postgres::{instant, statement, store_error};
use uuid::Uuid;

use crate::domain::{Entry, EntryAccount, InternalAccount, Posting, PostingHead};

/// Writes the entries of postings, then adds up what the banks' own accounts gained: those are
/// shared by all, so they are locked last and shortest.
pub(super) async fn postings(
    connection: &mut AsyncPgConnection,
    postings: &[Posting],
) -> Result<(), StoreError> {
    let entries: Vec<(&PostingHead, &Entry)> = postings
        .iter()
        .flat_map(|posting| posting.entries().iter().map(|entry| (posting.head(), entry)))
        .collect();
    write(connection, &entries).await?;
    let mut gained: BTreeMap<AccountId, (Ispb, InternalAccount, i64)> = BTreeMap::new();
    for (head, entry) in entries {
        if let EntryAccount::Internal(account) = entry.account {
            let sum = gained.entry(account.id(head.ispb)).or_insert((head.ispb, account, 0));
            sum.2 = sum.2.checked_add(entry.amount.centavos()).ok_or_else(|| {
                StoreError::Rejected("the postings of a batch exceed a ledger account".into())
            })?;
        }
    }
    add(connection, &gained).await
}

async fn write(
    connection: &mut AsyncPgConnection,
    entries: &[(&PostingHead, &Entry)],
) -> Result<(), StoreError> {
    let customer = |entry: &Entry| match entry.account {
        EntryAccount::Customer { balance_after, version, .. } => Some((balance_after, version)),
        EntryAccount::Internal(_) => None,
    };
    let references: Vec<&str> = entries.iter().map(|(head, _)| head.reference.as_str()).collect();
    let legs: Vec<&str> = entries.iter().map(|(head, _)| head.leg.as_str()).collect();
    let accounts: Vec<Uuid> =
        entries.iter().map(|(head, entry)| entry.account.id(head.ispb).uuid()).collect();
    let ids: Vec<Uuid> = entries.iter().map(|(_, entry)| entry.id.uuid()).collect();
    let banks: Vec<&str> = entries.iter().map(|(head, _)| head.ispb.as_str()).collect();
    let amounts: Vec<i64> = entries.iter().map(|(_, entry)| entry.amount.centavos()).collect();
    let after: Vec<Option<i64>> =
        entries.iter().map(|(_, entry)| customer(entry).map(|(it, _)| it.centavos())).collect();
    let versions: Vec<Option<i64>> =
        entries.iter().map(|(_, entry)| customer(entry).map(|(_, version)| version)).collect();
    let posted: Vec<PgTimestamp> =
        entries.iter().map(|(head, _)| instant(head.posted_at)).collect();
    statement(
        "INSERT INTO banking.entry (reference, leg, account_id, id, ispb, amount, \
         balance_after, account_version, posted_at) \
         SELECT * FROM unnest($1::text[], $2::text[], $3::uuid[], $4::uuid[], $5::text[], \
         $6::bigint[], $7::bigint[], $8::bigint[], $9::timestamptz[])",
    )
    .bind::<Array<Text>, _>(references)
    .bind::<Array<Text>, _>(legs)
    .bind::<Array<SqlUuid>, _>(accounts)
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<Array<Text>, _>(banks)
    .bind::<Array<BigInt>, _>(amounts)
    .bind::<Array<Nullable<BigInt>>, _>(after)
    .bind::<Array<Nullable<BigInt>>, _>(versions)
    .bind::<Array<Timestamptz>, _>(posted)
    .execute(connection)
    .await
    .map(drop)
    .map_err(store_error)
}

/// Adds to the banks' own accounts in one statement, rows in id order; one that is missing is
/// made.
async fn add(
    connection: &mut AsyncPgConnection,
    gained: &BTreeMap<AccountId, (Ispb, InternalAccount, i64)>,
) -> Result<(), StoreError> {
    if gained.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = gained.keys().map(|id| id.uuid()).collect();
    let banks: Vec<&str> = gained.values().map(|(ispb, _, _)| ispb.as_str()).collect();
    let kinds: Vec<&str> = gained.values().map(|(_, account, _)| account.as_str()).collect();
    let sums: Vec<i64> = gained.values().map(|(_, _, sum)| *sum).collect();
    statement(
        "INSERT INTO banking.ledger_account AS known (id, ispb, kind, balance) \
         SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[]) ORDER BY 1 \
         ON CONFLICT (id) DO UPDATE SET balance = known.balance + excluded.balance",
    )
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<Array<Text>, _>(banks)
    .bind::<Array<Text>, _>(kinds)
    .bind::<Array<BigInt>, _>(sums)
    .execute(connection)
    .await
    .map(drop)
    .map_err(store_error)
}

/// Makes the own accounts of banks, empty; those that are there are not even locked.
pub(super) async fn open(
    connection: &mut AsyncPgConnection,
    banks: &[Ispb],
) -> Result<(), StoreError> {
    let accounts =
        || banks.iter().flat_map(|ispb| InternalAccount::ALL.map(move |account| (*ispb, account)));
    let ids: Vec<Uuid> = accounts().map(|(ispb, account)| account.id(ispb).uuid()).collect();
    let ispbs: Vec<String> = accounts().map(|(ispb, _)| ispb.to_string()).collect();
    let kinds: Vec<&str> = accounts().map(|(_, account)| account.as_str()).collect();
    statement(
        "INSERT INTO banking.ledger_account (id, ispb, kind, balance) \
         SELECT id, ispb, kind, 0 FROM unnest($1::uuid[], $2::text[], $3::text[]) \
         AS own (id, ispb, kind) ORDER BY id ON CONFLICT DO NOTHING",
    )
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<Array<Text>, _>(ispbs)
    .bind::<Array<Text>, _>(kinds)
    .execute(connection)
    .await
    .map(drop)
    .map_err(store_error)
}
