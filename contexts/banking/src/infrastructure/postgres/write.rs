//! Writes: at most one statement per table, in the order in which locks are taken.

use diesel::QueryableByName;
use diesel::pg::data_types::PgTimestamp;
use diesel::sql_types::{
    Array, BigInt, Bool, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_kernel::application::StoreError;
use shared_kernel::domain::{Ispb, Money};
use shared_kernel::infrastructure::postgres::session::Sessions;
use shared_kernel::infrastructure::postgres::statement::Bind;
use shared_kernel::infrastructure::postgres::{instant, statement, store_error};
use uuid::Uuid;

use super::columns::{PaymentColumns, SideColumns};
use super::rows::{status_word, unreadable_value};
use crate::application::books::Changes;
use crate::application::ports::{BankChange, KeyChange};
use crate::domain::{Account, BankColors, BookTransfer, IncomingTransfer, OutgoingTransfer};

/// Rows that must change and those that did. They were loaded under lock in this transaction, so
/// an update asks for nothing but their id: another condition might find another index.
fn all_changed(what: &str, wanted: usize, changed: usize) -> Result<(), StoreError> {
    if wanted == changed {
        return Ok(());
    }
    Err(StoreError::Conflict(format!("{changed} of {wanted} {what} were as they were loaded")))
}

/// Everything that a batch changed.
pub(super) async fn all(
    connection: &mut AsyncPgConnection,
    changes: &Changes,
) -> Result<(), StoreError> {
    if !changes.clients.is_empty() {
        super::clients::registered(connection, changes).await?;
    }
    if !changes.opened.is_empty() {
        openings(connection, changes).await?;
    }
    if !changes.ordered.is_empty() {
        ordered(connection, changes).await?;
    }
    if !changes.outgoing.is_empty() {
        outgoing(connection, &changes.outgoing).await?;
    }
    if !changes.received.is_empty() {
        received(connection, changes).await?;
    }
    if !changes.incoming.is_empty() {
        incoming(connection, &changes.incoming).await?;
    }
    if !changes.booked.is_empty() {
        booked(connection, &changes.booked).await?;
    }
    if !changes.accounts.is_empty() {
        accounts(connection, &changes.accounts).await?;
    }
    if !changes.postings.is_empty() {
        super::ledger::postings(connection, &changes.postings).await?;
    }
    Ok(())
}

/// New customers and accounts, and how far the banks have counted.
async fn openings(connection: &mut AsyncPgConnection, changes: &Changes) -> Result<(), StoreError> {
    let customers = &changes.customers;
    let banks: Vec<&str> = customers.iter().map(|it| it.ispb.as_str()).collect();
    let tax_ids: Vec<&str> = customers.iter().map(|it| it.tax_id.as_str()).collect();
    let names: Vec<&str> = customers.iter().map(|it| it.name.as_str()).collect();
    statement(
        "INSERT INTO banking.customer (ispb, tax_id, name) \
         SELECT * FROM unnest($1::text[], $2::text[], $3::text[])",
    )
    .bind::<Array<Text>, _>(banks)
    .bind::<Array<Text>, _>(tax_ids)
    .bind::<Array<Text>, _>(names)
    .execute(connection)
    .await
    .map_err(store_error)?;
    let (banks, numbers): (Vec<&str>, Vec<i64>) =
        changes.next_numbers.iter().map(|(ispb, number)| (ispb.as_str(), *number)).unzip();
    statement(
        "UPDATE banking.bank SET next_number = counted.next_number \
         FROM unnest($1::text[], $2::bigint[]) AS counted (ispb, next_number) \
         WHERE bank.ispb = counted.ispb",
    )
    .bind::<Array<Text>, _>(banks)
    .bind::<Array<BigInt>, _>(numbers)
    .execute(connection)
    .await
    .map_err(store_error)?;
    opened(connection, &changes.opened).await
}

async fn opened(
    connection: &mut AsyncPgConnection,
    accounts: &[Account],
) -> Result<(), StoreError> {
    let states = || accounts.iter().map(Account::state);
    let ids: Vec<Uuid> = states().map(|it| it.id.uuid()).collect();
    let banks: Vec<&str> = states().map(|it| it.ispb.as_str()).collect();
    let branches: Vec<&str> = states().map(|it| it.branch.as_str()).collect();
    let numbers: Vec<&str> = states().map(|it| it.number.as_str()).collect();
    let names: Vec<&str> = states().map(|it| it.owner_name.as_str()).collect();
    let owners: Vec<&str> = states().map(|it| it.owner_tax_id.as_str()).collect();
    let days: Vec<i32> = states().map(|it| it.spent.day.days()).collect();
    let opened: Vec<PgTimestamp> = states().map(|it| instant(it.opened_at)).collect();
    statement(
        "INSERT INTO banking.account (id, ispb, branch, number, owner_name, owner_tax_id, \
         status, balance, held, spent_day, spent, opened_at, changed_at, version) \
         SELECT id, ispb, branch, number, name, tax_id, 'active', 0, 0, day, 0, opened_at, \
         opened_at, 1 \
         FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], \
         $7::integer[], $8::timestamptz[]) \
         AS opened (id, ispb, branch, number, name, tax_id, day, opened_at)",
    )
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<Array<Text>, _>(banks)
    .bind::<Array<Text>, _>(branches)
    .bind::<Array<Text>, _>(numbers)
    .bind::<Array<Text>, _>(names)
    .bind::<Array<Text>, _>(owners)
    .bind::<Array<Integer>, _>(days)
    .bind::<Array<Timestamptz>, _>(opened)
    .execute(connection)
    .await
    .map(drop)
    .map_err(store_error)
}

async fn ordered(connection: &mut AsyncPgConnection, changes: &Changes) -> Result<(), StoreError> {
    let transfers = || changes.ordered.iter().map(|it| &it.value);
    let side: SideColumns<'_> = transfers().collect();
    let payments: PaymentColumns<'_> = transfers().map(|it| &it.state().payment).collect();
    let traces: Vec<&str> = changes.ordered.iter().map(|it| it.trace.as_str()).collect();
    statement(
        "INSERT INTO banking.outgoing_transfer (end_to_end_id, payer_ispb, payer_account_id, \
         payer_name, payer_tax_id, payee_ispb, payee_account_id, payee_name, payee_tax_id, \
         payee_key, amount, description, requested_at, deadline, state, resend_at, resends, \
         trace, payee_key_registered_as) SELECT * FROM unnest($1::text[], $2::text[], \
         $3::uuid[], $4::text[], $5::text[], \
         $6::text[], $7::uuid[], $8::text[], $9::text[], $10::text[], $11::bigint[], \
         $12::text[], $13::timestamptz[], $14::timestamptz[], $15::text[], $16::timestamptz[], \
         $17::integer[], $18::text[], $19::text[])",
    )
    .bind::<Array<Text>, _>(payments.end_to_end_id)
    .bind::<Array<Text>, _>(payments.payer_ispb)
    .bind::<Array<SqlUuid>, _>(payments.payer_account_id)
    .bind::<Array<Text>, _>(payments.payer_name)
    .bind::<Array<Text>, _>(payments.payer_tax_id)
    .bind::<Array<Text>, _>(payments.payee_ispb)
    .bind::<Array<SqlUuid>, _>(payments.payee_account_id)
    .bind::<Array<Text>, _>(payments.payee_name)
    .bind::<Array<Text>, _>(payments.payee_tax_id)
    .bind::<Array<Text>, _>(payments.payee_key)
    .bind::<Array<BigInt>, _>(payments.amount)
    .bind::<Array<Text>, _>(payments.description)
    .bind::<Array<Timestamptz>, _>(payments.ordered_at)
    .bind::<Array<Timestamptz>, _>(payments.deadline)
    .bind::<Array<Text>, _>(side.state)
    .bind::<Array<Timestamptz>, _>(side.resend_at)
    .bind::<Array<Integer>, _>(side.resends)
    .bind::<Array<Text>, _>(traces)
    .bind::<Array<Nullable<Text>>, _>(payments.payee_key_registered_as)
    .execute(connection)
    .await
    .map(drop)
    .map_err(store_error)
}

async fn outgoing(
    connection: &mut AsyncPgConnection,
    transfers: &[OutgoingTransfer],
) -> Result<(), StoreError> {
    let side: SideColumns<'_> = transfers.iter().collect();
    let changed = statement(
        "UPDATE banking.outgoing_transfer AS known SET state = side.state, \
         reason_code = side.reason_code, finished_at = side.finished_at, \
         resend_at = side.resend_at, resends = side.resends \
         FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], \
         $5::timestamptz[], $6::integer[]) \
         AS side (end_to_end_id, state, reason_code, finished_at, resend_at, resends) \
         WHERE known.end_to_end_id = side.end_to_end_id",
    )
    .bind::<Array<Text>, _>(side.end_to_end_id)
    .bind::<Array<Text>, _>(side.state)
    .bind::<Array<Nullable<Text>>, _>(side.reason_code)
    .bind::<Array<Nullable<Timestamptz>>, _>(side.finished_at)
    .bind::<Array<Timestamptz>, _>(side.resend_at)
    .bind::<Array<Integer>, _>(side.resends)
    .execute(connection)
    .await
    .map_err(store_error)?;
    all_changed("outgoing transfers", transfers.len(), changed)
}

async fn received(connection: &mut AsyncPgConnection, changes: &Changes) -> Result<(), StoreError> {
    let transfers = || changes.received.iter().map(|it| &it.value);
    let side: SideColumns<'_> = transfers().collect();
    let payments: PaymentColumns<'_> = transfers().map(|it| &it.state().payment).collect();
    let traces: Vec<&str> = changes.received.iter().map(|it| it.trace.as_str()).collect();
    statement(
        "INSERT INTO banking.incoming_transfer (end_to_end_id, payer_ispb, payer_account_id, \
         payer_name, payer_tax_id, payee_ispb, payee_account_id, payee_name, payee_tax_id, \
         payee_key, amount, description, registered_at, deadline, state, reason_code, \
         answered_at, finished_at, resend_at, resends, trace) \
         SELECT * FROM unnest($1::text[], $2::text[], $3::uuid[], $4::text[], $5::text[], \
         $6::text[], $7::uuid[], $8::text[], $9::text[], $10::text[], $11::bigint[], \
         $12::text[], $13::timestamptz[], $14::timestamptz[], $15::text[], $16::text[], \
         $17::timestamptz[], $18::timestamptz[], $19::timestamptz[], $20::integer[], $21::text[])",
    )
    .bind::<Array<Text>, _>(payments.end_to_end_id)
    .bind::<Array<Text>, _>(payments.payer_ispb)
    .bind::<Array<SqlUuid>, _>(payments.payer_account_id)
    .bind::<Array<Text>, _>(payments.payer_name)
    .bind::<Array<Text>, _>(payments.payer_tax_id)
    .bind::<Array<Text>, _>(payments.payee_ispb)
    .bind::<Array<SqlUuid>, _>(payments.payee_account_id)
    .bind::<Array<Text>, _>(payments.payee_name)
    .bind::<Array<Text>, _>(payments.payee_tax_id)
    .bind::<Array<Text>, _>(payments.payee_key)
    .bind::<Array<BigInt>, _>(payments.amount)
    .bind::<Array<Text>, _>(payments.description)
    .bind::<Array<Timestamptz>, _>(payments.ordered_at)
    .bind::<Array<Timestamptz>, _>(payments.deadline)
    .bind::<Array<Text>, _>(side.state)
    .bind::<Array<Nullable<Text>>, _>(side.reason_code)
    .bind::<Array<Nullable<Timestamptz>>, _>(side.answered_at)
    .bind::<Array<Nullable<Timestamptz>>, _>(side.finished_at)
    .bind::<Array<Timestamptz>, _>(side.resend_at)
    .bind::<Array<Integer>, _>(side.resends)
    .bind::<Array<Text>, _>(traces)
    .execute(connection)
    .await
    .map(drop)
    .map_err(store_error)
}

async fn incoming(
    connection: &mut AsyncPgConnection,
    transfers: &[IncomingTransfer],
) -> Result<(), StoreError> {
    let side: SideColumns<'_> = transfers.iter().collect();
    let changed = statement(
        "UPDATE banking.incoming_transfer AS known SET state = side.state, \
         reason_code = side.reason_code, finished_at = side.finished_at, \
         resend_at = side.resend_at, resends = side.resends \
         FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], \
         $5::timestamptz[], $6::integer[]) \
         AS side (end_to_end_id, state, reason_code, finished_at, resend_at, resends) \
         WHERE known.end_to_end_id = side.end_to_end_id",
    )
    .bind::<Array<Text>, _>(side.end_to_end_id)
    .bind::<Array<Text>, _>(side.state)
    .bind::<Array<Nullable<Text>>, _>(side.reason_code)
    .bind::<Array<Nullable<Timestamptz>>, _>(side.finished_at)
    .bind::<Array<Timestamptz>, _>(side.resend_at)
    .bind::<Array<Integer>, _>(side.resends)
    .execute(connection)
    .await
    .map_err(store_error)?;
    all_changed("incoming transfers", transfers.len(), changed)
}

async fn booked(
    connection: &mut AsyncPgConnection,
    transfers: &[BookTransfer],
) -> Result<(), StoreError> {
    let payments: PaymentColumns<'_> = transfers.iter().map(|it| &it.payment).collect();
    statement(
        "INSERT INTO banking.book_transfer (end_to_end_id, ispb, payer_account_id, payer_name, \
         payer_tax_id, payee_account_id, payee_name, payee_tax_id, payee_key, amount, \
         description, booked_at) \
         SELECT * FROM unnest($1::text[], $2::text[], $3::uuid[], $4::text[], $5::text[], \
         $6::uuid[], $7::text[], $8::text[], $9::text[], $10::bigint[], $11::text[], \
         $12::timestamptz[])",
    )
    .bind::<Array<Text>, _>(payments.end_to_end_id)
    .bind::<Array<Text>, _>(payments.payer_ispb)
    .bind::<Array<SqlUuid>, _>(payments.payer_account_id)
    .bind::<Array<Text>, _>(payments.payer_name)
    .bind::<Array<Text>, _>(payments.payer_tax_id)
    .bind::<Array<SqlUuid>, _>(payments.payee_account_id)
    .bind::<Array<Text>, _>(payments.payee_name)
    .bind::<Array<Text>, _>(payments.payee_tax_id)
    .bind::<Array<Text>, _>(payments.payee_key)
    .bind::<Array<BigInt>, _>(payments.amount)
    .bind::<Array<Text>, _>(payments.description)
    .bind::<Array<Timestamptz>, _>(payments.ordered_at)
    .execute(connection)
    .await
    .map(drop)
    .map_err(store_error)
}

async fn accounts(
    connection: &mut AsyncPgConnection,
    accounts: &[Account],
) -> Result<(), StoreError> {
    let states = || accounts.iter().map(Account::state);
    let ids: Vec<Uuid> = states().map(|it| it.id.uuid()).collect();
    let words: Vec<&str> = states().map(|it| status_word(it.status)).collect();
    let balances: Vec<i64> = states().map(|it| it.funds.balance.centavos()).collect();
    let held: Vec<i64> = states().map(|it| it.funds.held.centavos()).collect();
    let per_transfer: Vec<Option<i64>> =
        states().map(|it| it.limits.per_transfer.map(Money::centavos)).collect();
    let per_day: Vec<Option<i64>> =
        states().map(|it| it.limits.per_day.map(Money::centavos)).collect();
    let days: Vec<i32> = states().map(|it| it.spent.day.days()).collect();
    let spent: Vec<i64> = states().map(|it| it.spent.amount.centavos()).collect();
    let times: Vec<PgTimestamp> = states().map(|it| instant(it.changed_at)).collect();
    let versions: Vec<i64> = states().map(|it| it.version).collect();
    let changed = statement(
        "UPDATE banking.account AS known SET status = now.status, balance = now.balance, \
         held = now.held, limit_per_transfer = now.per_transfer, limit_per_day = now.per_day, \
         spent_day = now.day, spent = now.spent, changed_at = now.changed_at, \
         version = now.version \
         FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], \
         $6::bigint[], $7::integer[], $8::bigint[], $9::timestamptz[], $10::bigint[]) \
         AS now (id, status, balance, held, per_transfer, per_day, day, spent, changed_at, \
         version) \
         WHERE known.id = now.id",
    )
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<Array<Text>, _>(words)
    .bind::<Array<BigInt>, _>(balances)
    .bind::<Array<BigInt>, _>(held)
    .bind::<Array<Nullable<BigInt>>, _>(per_transfer)
    .bind::<Array<Nullable<BigInt>>, _>(per_day)
    .bind::<Array<Integer>, _>(days)
    .bind::<Array<BigInt>, _>(spent)
    .bind::<Array<Timestamptz>, _>(times)
    .bind::<Array<BigInt>, _>(versions)
    .execute(connection)
    .await
    .map_err(store_error)?;
    all_changed("accounts", accounts.len(), changed)
}

/// Banks that are newer than what is known; the bank's own accounts come with it.
pub(super) async fn banks(
    connection: &mut AsyncPgConnection,
    changes: &[BankChange],
) -> Result<(), StoreError> {
    let banks = || changes.iter().map(|change| &change.bank);
    let ispbs: Vec<&str> = banks().map(|bank| bank.ispb.as_str()).collect();
    let codes: Vec<&str> = banks().map(|bank| bank.code.as_str()).collect();
    let names: Vec<&str> = banks().map(|bank| bank.name.as_str()).collect();
    let primary: Vec<&str> = banks().map(|bank| bank.colors.primary.as_str()).collect();
    let secondary: Vec<&str> = banks().map(|bank| bank.colors.secondary.as_str()).collect();
    let hosted: Vec<bool> = banks().map(|bank| bank.hosted).collect();
    let versions: Vec<i64> = changes.iter().map(|change| change.version).collect();
    statement(
        "INSERT INTO banking.bank AS known (ispb, code, name, primary_color, secondary_color, \
         hosted, participant_version) \
         SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], \
         $6::boolean[], $7::bigint[]) ORDER BY 1 \
         ON CONFLICT (ispb) DO UPDATE SET code = excluded.code, name = excluded.name, \
         primary_color = excluded.primary_color, secondary_color = excluded.secondary_color, \
         hosted = excluded.hosted, participant_version = excluded.participant_version \
         WHERE known.participant_version < excluded.participant_version",
    )
    .bind::<Array<Text>, _>(&ispbs)
    .bind::<Array<Text>, _>(codes)
    .bind::<Array<Text>, _>(names)
    .bind::<Array<Text>, _>(primary)
    .bind::<Array<Text>, _>(secondary)
    .bind::<Array<Bool>, _>(hosted)
    .bind::<Array<BigInt>, _>(versions)
    .execute(connection)
    .await
    .map_err(store_error)?;
    let native: Vec<_> = banks().filter(|bank| bank.hosted).map(|bank| bank.ispb).collect();
    super::ledger::open(connection, &native).await
}

#[derive(QueryableByName)]
struct BankIspb {
    #[diesel(sql_type = Text)]
    ispb: String,
}

/// Gives the banks of this process, all when none is named, their colours: what was chosen since
/// they were enrolled, or no longer.
///
/// # Errors
/// The store's.
pub async fn paint(
    sessions: &Sessions,
    hosted: &[Ispb],
    colors: &BankColors,
) -> Result<(), StoreError> {
    let mut connection = sessions.database.connection().await?;
    let known: Vec<BankIspb> = statement("SELECT ispb FROM banking.bank ORDER BY ispb")
        .load(&mut connection)
        .await
        .map_err(store_error)?;
    let mut banks = Vec::new();
    let (mut primary, mut secondary) = (Vec::new(), Vec::new());
    for BankIspb { ispb } in known {
        let bank = Ispb::parse(&ispb).map_err(unreadable_value)?;
        if hosted.is_empty() || hosted.contains(&bank) {
            let its = colors.of(bank);
            banks.push(ispb);
            primary.push(its.primary);
            secondary.push(its.secondary);
        }
    }
    statement(
        "UPDATE banking.bank SET primary_color = wanted.first, secondary_color = wanted.second \
         FROM unnest($1::text[], $2::text[], $3::text[]) AS wanted (ispb, first, second) \
         WHERE bank.ispb = wanted.ispb AND (bank.primary_color, bank.secondary_color) \
         IS DISTINCT FROM (wanted.first, wanted.second)",
    )
    .bind::<Array<Text>, _>(banks)
    .bind::<Array<Text>, _>(primary)
    .bind::<Array<Text>, _>(secondary)
    .execute(&mut connection)
    .await
    .map(drop)
    .map_err(store_error)
}

/// Keys that are newer than what is known.
pub(super) async fn keys(
    connection: &mut AsyncPgConnection,
    changes: &[KeyChange],
) -> Result<(), StoreError> {
    let owners = || changes.iter().map(|change| change.owner.as_ref());
    let keys: Vec<&str> = changes.iter().map(|change| change.key.as_str()).collect();
    let accounts: Vec<Option<Uuid>> =
        owners().map(|owner| owner.map(|owner| owner.account_id.uuid())).collect();
    let banks: Vec<Option<&str>> =
        owners().map(|owner| owner.map(|owner| owner.ispb.as_str())).collect();
    let names: Vec<Option<&str>> =
        owners().map(|owner| owner.map(|owner| owner.owner_name.as_str())).collect();
    let tax_ids: Vec<Option<&str>> =
        owners().map(|owner| owner.map(|owner| owner.owner_tax_id.as_str())).collect();
    let versions: Vec<i64> = changes.iter().map(|change| change.version).collect();
    statement(
        "INSERT INTO banking.pix_key AS known (key, account_id, ispb, owner_name, owner_tax_id, \
         version) SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], \
         $5::text[], $6::bigint[]) ORDER BY 1 \
         ON CONFLICT (key) DO UPDATE SET account_id = excluded.account_id, \
         ispb = excluded.ispb, owner_name = excluded.owner_name, \
         owner_tax_id = excluded.owner_tax_id, version = excluded.version \
         WHERE known.version < excluded.version",
    )
    .bind::<Array<Text>, _>(keys)
    .bind::<Array<Nullable<SqlUuid>>, _>(accounts)
    .bind::<Array<Nullable<Text>>, _>(banks)
    .bind::<Array<Nullable<Text>>, _>(names)
    .bind::<Array<Nullable<Text>>, _>(tax_ids)
    .bind::<Array<BigInt>, _>(versions)
    .execute(connection)
    .await
    .map(drop)
    .map_err(store_error)
}
