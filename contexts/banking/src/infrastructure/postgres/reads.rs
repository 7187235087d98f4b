//! Reads outside any transaction: one statement each, three for a list of transfers.

use async_trait::async_trait;
use diesel::QueryableByName;
use diesel::pg::data_types::PgTimestamp;
use diesel::sql_types::{Array, BigInt, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use shared_kernel::application::StoreError;
use shared_kernel::domain::{AccountId, BankCode, EndToEndId, Ispb, Money, Timestamp};
use shared_kernel::infrastructure::postgres::session::Sessions;
use shared_kernel::infrastructure::postgres::statement::Bind;
use shared_kernel::infrastructure::postgres::{instant, statement, store_error, timestamp};
use uuid::Uuid;

use super::rows::{AccountRow, PaymentRow, SideRow, party, unreadable, unreadable_value};
use super::transaction::{incoming, outgoing};
use crate::application::ports::{AccountCursor, BankingReads, TransferCursor};
use crate::application::views::{BankView, StatementLine, TransferView};
use crate::domain::{Account, EntryId, Leg, Party};

#[derive(QueryableByName)]
struct BankRow {
    #[diesel(sql_type = Text)]
    ispb: String,
    #[diesel(sql_type = Text)]
    code: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    primary_color: String,
    #[diesel(sql_type = Text)]
    secondary_color: String,
}

#[derive(QueryableByName)]
struct IspbRow {
    #[diesel(sql_type = Text)]
    ispb: String,
}

#[derive(QueryableByName)]
struct KeyRow {
    #[diesel(sql_type = Text)]
    key: String,
    #[diesel(sql_type = SqlUuid)]
    account_id: Uuid,
    #[diesel(sql_type = Text)]
    ispb: String,
    #[diesel(sql_type = Text)]
    owner_name: String,
    #[diesel(sql_type = Text)]
    owner_tax_id: String,
}

#[derive(QueryableByName)]
struct LineRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    reference: String,
    #[diesel(sql_type = Text)]
    leg: String,
    #[diesel(sql_type = BigInt)]
    amount: i64,
    #[diesel(sql_type = BigInt)]
    balance_after: i64,
    #[diesel(sql_type = BigInt)]
    account_version: i64,
    #[diesel(sql_type = Timestamptz)]
    posted_at: PgTimestamp,
    #[diesel(sql_type = Text)]
    counterparty_name: String,
    #[diesel(sql_type = Text)]
    description: String,
}

impl LineRow {
    fn into_view(self) -> Result<StatementLine, StoreError> {
        let leg = Leg::parse(&self.leg).ok_or_else(|| unreadable("leg"))?;
        let end_to_end_id = match leg {
            Leg::Payer | Leg::Payee | Leg::Book => {
                Some(EndToEndId::parse(&self.reference).map_err(unreadable_value)?)
            }
            Leg::Deposit | Leg::Withdrawal => None,
        };
        Ok(StatementLine {
            entry_id: EntryId::from_uuid(self.id),
            leg,
            amount: Money::from_centavos(self.amount),
            balance_after: Money::from_centavos(self.balance_after),
            version: self.account_version,
            end_to_end_id,
            counterparty_name: self.counterparty_name,
            description: self.description,
            posted_at: timestamp(self.posted_at),
        })
    }
}

/// Columns of a transfer within a bank, as `PaymentRow` names them.
macro_rules! book {
    ($where:literal) => {
        concat!(
            "SELECT end_to_end_id, ispb AS payer_ispb, payer_account_id, payer_name, \
             payer_tax_id, ispb AS payee_ispb, payee_account_id, payee_name, payee_tax_id, \
             payee_key, amount, description, booked_at AS ordered_at, booked_at AS deadline \
             FROM banking.book_transfer ",
            $where
        )
    };
}

/// Later than every transfer.
const AFTER_ALL: &str = "\u{7f}";

#[async_trait]
impl BankingReads for Sessions {
    async fn banks(&self) -> Result<Vec<BankView>, StoreError> {
        let mut connection = self.database.connection().await?;
        let rows: Vec<BankRow> = statement(
            "SELECT ispb, code, name, primary_color, secondary_color FROM banking.bank \
             WHERE hosted ORDER BY ispb",
        )
        .load(&mut connection)
        .await
        .map_err(store_error)?;
        let view = |row: BankRow| {
            Ok(BankView {
                ispb: Ispb::parse(&row.ispb).map_err(unreadable_value)?,
                code: BankCode::parse(&row.code).map_err(unreadable_value)?,
                name: row.name,
                primary_color: row.primary_color,
                secondary_color: row.secondary_color,
            })
        };
        rows.into_iter().map(view).collect()
    }

    async fn hosted(&self, banks: &[Ispb]) -> Result<Vec<Ispb>, StoreError> {
        let banks: Vec<&str> = banks.iter().map(Ispb::as_str).collect();
        let mut connection = self.database.connection().await?;
        let rows: Vec<IspbRow> =
            statement("SELECT ispb FROM banking.bank WHERE hosted AND ispb = ANY($1)")
                .bind::<Array<Text>, _>(banks)
                .load(&mut connection)
                .await
                .map_err(store_error)?;
        rows.iter().map(|row| Ispb::parse(&row.ispb).map_err(unreadable_value)).collect()
    }

    async fn accounts(&self, ids: &[AccountId]) -> Result<Vec<Account>, StoreError> {
        let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
        let mut connection = self.database.connection().await?;
        let rows: Vec<AccountRow> = statement(
            "SELECT id, ispb, branch, number, owner_name, owner_tax_id, status, balance, held, \
             limit_per_transfer, limit_per_day, spent_day, spent, opened_at, version \
             FROM banking.account WHERE id = ANY($1) ORDER BY id",
        )
        .bind::<Array<SqlUuid>, _>(ids)
        .load(&mut connection)
        .await
        .map_err(store_error)?;
        rows.into_iter().map(AccountRow::into_domain).collect()
    }

    async fn accounts_of(
        &self,
        bank: Ispb,
        after: Option<AccountCursor>,
        limit: i64,
    ) -> Result<Vec<Account>, StoreError> {
        let start = (Timestamp::MIN, AccountId::from_uuid(Uuid::nil()));
        let (opened_at, id) = after.unwrap_or(start);
        let mut connection = self.database.connection().await?;
        let rows: Vec<AccountRow> = statement(
            "SELECT id, ispb, branch, number, owner_name, owner_tax_id, status, balance, held, \
             limit_per_transfer, limit_per_day, spent_day, spent, opened_at, version \
             FROM banking.account WHERE ispb = $1 AND (opened_at, id) > ($2, $3) \
             ORDER BY opened_at, id LIMIT $4",
        )
        .bind::<Text, _>(bank.as_str())
        .bind::<Timestamptz, _>(instant(opened_at))
        .bind::<SqlUuid, _>(id.uuid())
        .bind::<BigInt, _>(limit)
        .load(&mut connection)
        .await
        .map_err(store_error)?;
        rows.into_iter().map(AccountRow::into_domain).collect()
    }

    async fn own_keys(
        &self,
        wanted: &[(Ispb, String)],
    ) -> Result<Vec<(String, Party)>, StoreError> {
        let (banks, keys): (Vec<&str>, Vec<&str>) =
            wanted.iter().map(|(ispb, key)| (ispb.as_str(), key.as_str())).unzip();
        let mut connection = self.database.connection().await?;
        let rows: Vec<KeyRow> = statement(
            "SELECT known.key, known.account_id, known.ispb, known.owner_name, \
             known.owner_tax_id FROM banking.pix_key AS known \
             JOIN unnest($1::text[], $2::text[]) AS wanted (ispb, key) USING (ispb, key)",
        )
        .bind::<Array<Text>, _>(banks)
        .bind::<Array<Text>, _>(keys)
        .load(&mut connection)
        .await
        .map_err(store_error)?;
        let owner = |row: KeyRow| {
            let owner = party(&row.ispb, row.account_id, row.owner_name, &row.owner_tax_id)?;
            Ok((row.key, owner))
        };
        rows.into_iter().map(owner).collect()
    }

    async fn transfer(
        &self,
        id: EndToEndId,
        account_id: AccountId,
    ) -> Result<Option<TransferView>, StoreError> {
        let mut connection = self.database.connection().await?;
        let outgoing: Vec<SideRow> =
            statement(outgoing!("WHERE end_to_end_id = $1 AND payer_account_id = $2"))
                .bind::<Text, _>(id.as_str())
                .bind::<SqlUuid, _>(account_id.uuid())
                .load(&mut connection)
                .await
                .map_err(store_error)?;
        if let Some(row) = outgoing.into_iter().next() {
            return Ok(Some(TransferView::from(&row.into_outgoing()?.value)));
        }
        let incoming: Vec<SideRow> =
            statement(incoming!("WHERE end_to_end_id = $1 AND payee_account_id = $2"))
                .bind::<Text, _>(id.as_str())
                .bind::<SqlUuid, _>(account_id.uuid())
                .load(&mut connection)
                .await
                .map_err(store_error)?;
        if let Some(row) = incoming.into_iter().next() {
            return Ok(Some(TransferView::from(&row.into_incoming()?.value)));
        }
        let booked: Vec<PaymentRow> = statement(book!(
            "WHERE end_to_end_id = $1 AND $2 IN (payer_account_id, payee_account_id)"
        ))
        .bind::<Text, _>(id.as_str())
        .bind::<SqlUuid, _>(account_id.uuid())
        .load(&mut connection)
        .await
        .map_err(store_error)?;
        let booked = booked.into_iter().next().map(PaymentRow::into_book).transpose()?;
        Ok(booked.map(|transfer| TransferView::book(&transfer, account_id)))
    }

    async fn transfers_of(
        &self,
        account_id: AccountId,
        before: Option<TransferCursor>,
        limit: i64,
    ) -> Result<Vec<TransferView>, StoreError> {
        let mut views = self.sides_of(account_id, before, limit).await?;
        views.extend(self.booked_of(account_id, before, limit).await?);
        views.sort_by_key(|view| std::cmp::Reverse((view.requested_at, view.end_to_end_id)));
        views.truncate(usize::try_from(limit).unwrap_or_default());
        Ok(views)
    }

    async fn statement(
        &self,
        account_id: AccountId,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<StatementLine>, StoreError> {
        let mut connection = self.database.connection().await?;
        let rows: Vec<LineRow> = statement(
            "SELECT line.id, line.reference, line.leg, line.amount, line.balance_after, \
             line.account_version, line.posted_at, \
             coalesce(outgoing.payee_name, incoming.payer_name, \
             CASE WHEN line.amount < 0 THEN book.payee_name ELSE book.payer_name END, '') \
             AS counterparty_name, \
             coalesce(outgoing.description, incoming.description, book.description, '') \
             AS description \
             FROM (SELECT * FROM banking.entry WHERE account_id = $1 AND account_version < $2 \
             ORDER BY account_version DESC LIMIT $3) AS line \
             LEFT JOIN banking.outgoing_transfer AS outgoing \
             ON line.leg = 'payer' AND outgoing.end_to_end_id = line.reference \
             LEFT JOIN banking.incoming_transfer AS incoming \
             ON line.leg = 'payee' AND incoming.end_to_end_id = line.reference \
             LEFT JOIN banking.book_transfer AS book \
             ON line.leg = 'book' AND book.end_to_end_id = line.reference \
             ORDER BY line.account_version DESC",
        )
        .bind::<SqlUuid, _>(account_id.uuid())
        .bind::<BigInt, _>(before.unwrap_or(i64::MAX))
        .bind::<BigInt, _>(limit)
        .load(&mut connection)
        .await
        .map_err(store_error)?;
        rows.into_iter().map(LineRow::into_view).collect()
    }
}

/// Parts of a list of transfers, each the newest of its kind.
trait TransferParts {
    async fn sides_of(
        &self,
        account_id: AccountId,
        before: Option<TransferCursor>,
        limit: i64,
    ) -> Result<Vec<TransferView>, StoreError>;

    async fn booked_of(
        &self,
        account_id: AccountId,
        before: Option<TransferCursor>,
        limit: i64,
    ) -> Result<Vec<TransferView>, StoreError>;
}

fn bounds(before: Option<&TransferCursor>) -> (PgTimestamp, &str) {
    match before {
        Some((at, id)) => (instant(*at), id.as_str()),
        None => (instant(Timestamp::MAX), AFTER_ALL),
    }
}

impl TransferParts for Sessions {
    async fn sides_of(
        &self,
        account_id: AccountId,
        before: Option<TransferCursor>,
        limit: i64,
    ) -> Result<Vec<TransferView>, StoreError> {
        let (at, id) = bounds(before.as_ref());
        let mut connection = self.database.connection().await?;
        let outgoing: Vec<SideRow> = statement(outgoing!(
            "WHERE payer_account_id = $1 AND (requested_at, end_to_end_id) < ($2, $3) \
             ORDER BY requested_at DESC, end_to_end_id DESC LIMIT $4"
        ))
        .bind::<SqlUuid, _>(account_id.uuid())
        .bind::<Timestamptz, _>(at)
        .bind::<Text, _>(id)
        .bind::<BigInt, _>(limit)
        .load(&mut connection)
        .await
        .map_err(store_error)?;
        let incoming: Vec<SideRow> = statement(incoming!(
            "WHERE payee_account_id = $1 AND (registered_at, end_to_end_id) < ($2, $3) \
             ORDER BY registered_at DESC, end_to_end_id DESC LIMIT $4"
        ))
        .bind::<SqlUuid, _>(account_id.uuid())
        .bind::<Timestamptz, _>(at)
        .bind::<Text, _>(id)
        .bind::<BigInt, _>(limit)
        .load(&mut connection)
        .await
        .map_err(store_error)?;
        let outgoing =
            outgoing.into_iter().map(|row| Ok(TransferView::from(&row.into_outgoing()?.value)));
        let incoming =
            incoming.into_iter().map(|row| Ok(TransferView::from(&row.into_incoming()?.value)));
        outgoing.chain(incoming).collect()
    }

    async fn booked_of(
        &self,
        account_id: AccountId,
        before: Option<TransferCursor>,
        limit: i64,
    ) -> Result<Vec<TransferView>, StoreError> {
        let (at, id) = bounds(before.as_ref());
        let mut connection = self.database.connection().await?;
        let booked: Vec<PaymentRow> = statement(concat!(
            "(",
            book!(
                "WHERE payer_account_id = $1 AND (booked_at, end_to_end_id) < ($2, $3) \
                 ORDER BY booked_at DESC, end_to_end_id DESC LIMIT $4"
            ),
            ") UNION ALL (",
            book!(
                "WHERE payee_account_id = $1 AND (booked_at, end_to_end_id) < ($2, $3) \
                 ORDER BY booked_at DESC, end_to_end_id DESC LIMIT $4"
            ),
            ")"
        ))
        .bind::<SqlUuid, _>(account_id.uuid())
        .bind::<Timestamptz, _>(at)
        .bind::<Text, _>(id)
        .bind::<BigInt, _>(limit)
        .load(&mut connection)
        .await
        .map_err(store_error)?;
        let view = |row: PaymentRow| Ok(TransferView::book(&row.into_book()?, account_id));
        booked.into_iter().map(view).collect()
    }
}
