//! The context's transaction on `PostgreSQL`: loads take row locks in id order.

use async_trait::async_trait;
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Bool, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use shared_kernel::application::StoreError;
use shared_kernel::domain::{AccountId, EndToEndId, Ispb, TaxId, Timestamp};
use shared_kernel::infrastructure::postgres::session::Sessions;
use shared_kernel::infrastructure::postgres::statement::Bind;
use shared_kernel::infrastructure::postgres::{PgSession, instant, statement, store_error};
use uuid::Uuid;

use super::clients::clients;
use super::rows::{AccountRow, SideRow, unreadable_value};
use super::select::{account, incoming, outgoing};
use super::write;
use crate::application::books::Changes;
use crate::application::ports::{
    BankChange, BankDesk, BankingStore, BankingTransaction, KeyChange, NumberedAccount,
    OpenTransaction, SideIds, Traced,
};
use crate::domain::{
    Account, AccountNumber, Branch, Client, ClientId, Customer, IncomingTransfer, OutgoingTransfer,
    OwnerName,
};
use crate::infrastructure::kafka::publish;

#[derive(QueryableByName)]
struct ExpectedRow {
    #[diesel(sql_type = SqlUuid)]
    account_id: Uuid,
    #[diesel(sql_type = BigInt)]
    expected: i64,
}

#[derive(QueryableByName)]
struct SettledRow {
    #[diesel(sql_type = Text)]
    end_to_end_id: String,
    #[diesel(sql_type = Bool)]
    outgoing: bool,
}

#[derive(QueryableByName)]
struct DeskRow {
    #[diesel(sql_type = Text)]
    ispb: String,
    #[diesel(sql_type = Bool)]
    hosted: bool,
    #[diesel(sql_type = BigInt)]
    next_number: i64,
    #[diesel(sql_type = BigInt)]
    next_client: i64,
}

#[derive(QueryableByName)]
struct CustomerRow {
    #[diesel(sql_type = Text)]
    ispb: String,
    #[diesel(sql_type = Text)]
    tax_id: String,
    #[diesel(sql_type = Text)]
    name: String,
}

#[derive(QueryableByName)]
struct PlaceRow {
    #[diesel(sql_type = Text)]
    ispb: String,
    #[diesel(sql_type = Text)]
    branch: String,
    #[diesel(sql_type = Text)]
    number: String,
}

fn texts(ids: &[EndToEndId]) -> Vec<&str> {
    ids.iter().map(EndToEndId::as_str).collect()
}

fn uuids(ids: &[AccountId]) -> Vec<Uuid> {
    ids.iter().map(|id| id.uuid()).collect()
}

#[async_trait]
impl BankingStore for Sessions {
    async fn begin(&self) -> Result<Box<OpenTransaction>, StoreError> {
        let session = Self::begin(self).await?;
        Ok(session)
    }
}

#[async_trait]
impl BankingTransaction for PgSession {
    async fn settled(&mut self, sides: &SideIds) -> Result<SideIds, StoreError> {
        let outgoing: Vec<&str> = sides.outgoing.iter().map(EndToEndId::as_str).collect();
        let incoming: Vec<&str> = sides.incoming.iter().map(EndToEndId::as_str).collect();
        let rows: Vec<SettledRow> = statement(
            "SELECT end_to_end_id, true AS outgoing FROM banking.outgoing_transfer \
             WHERE end_to_end_id = ANY($1) AND state = 'settled' \
             UNION ALL SELECT end_to_end_id, false FROM banking.incoming_transfer \
             WHERE end_to_end_id = ANY($2) AND state IN ('credited', 'unapplied')",
        )
        .bind::<Array<Text>, _>(outgoing)
        .bind::<Array<Text>, _>(incoming)
        .load(self.connection())
        .await
        .map_err(store_error)?;
        let mut settled = SideIds::default();
        for row in rows {
            let id = EndToEndId::parse(&row.end_to_end_id).map_err(unreadable_value)?;
            let side = if row.outgoing { &mut settled.outgoing } else { &mut settled.incoming };
            side.insert(id);
        }
        Ok(settled)
    }

    async fn outgoing(&mut self, ids: &[EndToEndId]) -> Result<Vec<OutgoingTransfer>, StoreError> {
        let rows: Vec<SideRow> = statement(outgoing!(
            "WHERE end_to_end_id = ANY($1) ORDER BY end_to_end_id FOR NO KEY UPDATE"
        ))
        .bind::<Array<Text>, _>(texts(ids))
        .load(self.connection())
        .await
        .map_err(store_error)?;
        rows.into_iter().map(|row| Ok(row.into_outgoing()?.value)).collect()
    }

    async fn incoming(&mut self, ids: &[EndToEndId]) -> Result<Vec<IncomingTransfer>, StoreError> {
        let rows: Vec<SideRow> = statement(incoming!(
            "WHERE end_to_end_id = ANY($1) ORDER BY end_to_end_id FOR NO KEY UPDATE"
        ))
        .bind::<Array<Text>, _>(texts(ids))
        .load(self.connection())
        .await
        .map_err(store_error)?;
        rows.into_iter().map(|row| Ok(row.into_incoming()?.value)).collect()
    }

    async fn due_outgoing(
        &mut self,
        now: Timestamp,
        limit: i64,
    ) -> Result<Vec<Traced<OutgoingTransfer>>, StoreError> {
        let rows: Vec<SideRow> = statement(outgoing!(
            "WHERE state = 'requested' AND resend_at <= $1 ORDER BY end_to_end_id \
             LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED"
        ))
        .bind::<Timestamptz, _>(instant(now))
        .bind::<BigInt, _>(limit)
        .load(self.connection())
        .await
        .map_err(store_error)?;
        rows.into_iter().map(SideRow::into_outgoing).collect()
    }

    async fn due_incoming(
        &mut self,
        now: Timestamp,
        limit: i64,
    ) -> Result<Vec<Traced<IncomingTransfer>>, StoreError> {
        let rows: Vec<SideRow> = statement(incoming!(
            "WHERE state = 'expected' AND resend_at <= $1 ORDER BY end_to_end_id \
             LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED"
        ))
        .bind::<Timestamptz, _>(instant(now))
        .bind::<BigInt, _>(limit)
        .load(self.connection())
        .await
        .map_err(store_error)?;
        rows.into_iter().map(SideRow::into_incoming).collect()
    }

    async fn accounts(&mut self, ids: &[AccountId]) -> Result<Vec<Account>, StoreError> {
        let rows: Vec<AccountRow> =
            statement(account!("WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE"))
                .bind::<Array<SqlUuid>, _>(uuids(ids))
                .load(self.connection())
                .await
                .map_err(store_error)?;
        rows.into_iter().map(AccountRow::into_domain).collect()
    }

    async fn expected_credits(
        &mut self,
        ids: &[AccountId],
    ) -> Result<Vec<(AccountId, i64)>, StoreError> {
        let rows: Vec<ExpectedRow> = statement(
            "SELECT payee_account_id AS account_id, count(*) AS expected \
             FROM banking.incoming_transfer \
             WHERE state = 'expected' AND payee_account_id = ANY($1) GROUP BY payee_account_id",
        )
        .bind::<Array<SqlUuid>, _>(uuids(ids))
        .load(self.connection())
        .await
        .map_err(store_error)?;
        let row = |row: ExpectedRow| (AccountId::from_uuid(row.account_id), row.expected);
        Ok(rows.into_iter().map(row).collect())
    }

    async fn desks(&mut self, banks: &[Ispb]) -> Result<Vec<BankDesk>, StoreError> {
        let banks: Vec<&str> = banks.iter().map(Ispb::as_str).collect();
        let rows: Vec<DeskRow> = statement(
            "SELECT ispb, hosted, next_number, next_client FROM banking.bank \
             WHERE ispb = ANY($1) ORDER BY ispb FOR NO KEY UPDATE",
        )
        .bind::<Array<Text>, _>(banks)
        .load(self.connection())
        .await
        .map_err(store_error)?;
        let desk = |row: DeskRow| {
            let ispb = Ispb::parse(&row.ispb).map_err(unreadable_value)?;
            let DeskRow { hosted, next_number, next_client, .. } = row;
            Ok(BankDesk { ispb, hosted, next_number, next_client })
        };
        rows.into_iter().map(desk).collect()
    }

    async fn customers(&mut self, ids: &[(Ispb, TaxId)]) -> Result<Vec<Customer>, StoreError> {
        let (banks, tax_ids): (Vec<&str>, Vec<&str>) =
            ids.iter().map(|(ispb, tax_id)| (ispb.as_str(), tax_id.as_str())).unzip();
        let rows: Vec<CustomerRow> = statement(
            "SELECT known.ispb, known.tax_id, known.name FROM banking.customer AS known \
             JOIN unnest($1::text[], $2::text[]) AS wanted (ispb, tax_id) USING (ispb, tax_id)",
        )
        .bind::<Array<Text>, _>(banks)
        .bind::<Array<Text>, _>(tax_ids)
        .load(self.connection())
        .await
        .map_err(store_error)?;
        let customer = |row: CustomerRow| {
            Ok(Customer {
                ispb: Ispb::parse(&row.ispb).map_err(unreadable_value)?,
                tax_id: TaxId::parse(&row.tax_id).map_err(unreadable_value)?,
                name: OwnerName::parse(&row.name).map_err(unreadable_value)?,
            })
        };
        rows.into_iter().map(customer).collect()
    }

    async fn clients(&mut self, ids: &[ClientId]) -> Result<Vec<Client>, StoreError> {
        clients(self.connection(), ids).await
    }

    async fn taken_numbers(
        &mut self,
        places: &[NumberedAccount],
    ) -> Result<Vec<NumberedAccount>, StoreError> {
        let banks: Vec<&str> = places.iter().map(|(ispb, _, _)| ispb.as_str()).collect();
        let branches: Vec<&str> = places.iter().map(|(_, branch, _)| branch.as_str()).collect();
        let numbers: Vec<&str> = places.iter().map(|(_, _, number)| number.as_str()).collect();
        let rows: Vec<PlaceRow> = statement(
            "SELECT ispb, branch, number FROM banking.account \
             JOIN unnest($1::text[], $2::text[], $3::text[]) AS wanted (ispb, branch, number) \
             USING (ispb, branch, number)",
        )
        .bind::<Array<Text>, _>(banks)
        .bind::<Array<Text>, _>(branches)
        .bind::<Array<Text>, _>(numbers)
        .load(self.connection())
        .await
        .map_err(store_error)?;
        let place = |row: PlaceRow| {
            Ok((
                Ispb::parse(&row.ispb).map_err(unreadable_value)?,
                Branch::parse(&row.branch).map_err(unreadable_value)?,
                AccountNumber::parse(&row.number).map_err(unreadable_value)?,
            ))
        };
        rows.into_iter().map(place).collect()
    }

    async fn save(&mut self, mut changes: Changes) -> Result<(), StoreError> {
        write::all(self.connection(), &changes).await?;
        // After the rows were locked: of two transfers on one account the later has the later time.
        self.publish(std::mem::take(&mut changes.echoes));
        self.publish(publish::events(changes)?);
        Ok(())
    }

    async fn save_banks(&mut self, changes: &[BankChange]) -> Result<(), StoreError> {
        write::banks(self.connection(), changes).await
    }

    async fn save_keys(&mut self, changes: &[KeyChange]) -> Result<(), StoreError> {
        write::keys(self.connection(), changes).await
    }
}
