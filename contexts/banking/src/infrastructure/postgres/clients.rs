//! Clients: who they are, and how far each bank has counted them.

use diesel::QueryableByName;
use diesel::pg::data_types::PgTimestamp;
use diesel::sql_types::{Array, BigInt, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_kernel::application::StoreError;
use shared_kernel::domain::{Ispb, TaxId};
use shared_kernel::infrastructure::postgres::statement::Bind;
use shared_kernel::infrastructure::postgres::{instant, statement, store_error, timestamp};
use uuid::Uuid;

use super::rows::unreadable_value;
use crate::application::books::Changes;
use crate::domain::{Client, ClientId, Email, OwnerName};

#[derive(QueryableByName)]
struct ClientRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    ispb: String,
    #[diesel(sql_type = Text)]
    tax_id: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    email: String,
    #[diesel(sql_type = Timestamptz)]
    registered_at: PgTimestamp,
}

impl ClientRow {
    fn into_domain(self) -> Result<Client, StoreError> {
        Ok(Client {
            id: ClientId::from_uuid(self.id),
            ispb: Ispb::parse(&self.ispb).map_err(unreadable_value)?,
            name: OwnerName::parse(&self.name).map_err(unreadable_value)?,
            email: Email::parse(&self.email).map_err(unreadable_value)?,
            tax_id: TaxId::parse(&self.tax_id).map_err(unreadable_value)?,
            registered_at: timestamp(self.registered_at),
        })
    }
}

/// The clients among these.
pub(super) async fn clients(
    connection: &mut AsyncPgConnection,
    ids: &[ClientId],
) -> Result<Vec<Client>, StoreError> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let rows: Vec<ClientRow> = statement(
        "SELECT id, ispb, tax_id, name, email, registered_at FROM banking.client \
         WHERE id = ANY($1)",
    )
    .bind::<Array<SqlUuid>, _>(ids)
    .load(connection)
    .await
    .map_err(store_error)?;
    rows.into_iter().map(ClientRow::into_domain).collect()
}

/// New clients, and how far the banks have counted.
pub(super) async fn registered(
    connection: &mut AsyncPgConnection,
    changes: &Changes,
) -> Result<(), StoreError> {
    let clients = || changes.clients.iter();
    let ids: Vec<Uuid> = clients().map(|it| it.id.uuid()).collect();
    let banks: Vec<&str> = clients().map(|it| it.ispb.as_str()).collect();
    let tax_ids: Vec<&str> = clients().map(|it| it.tax_id.as_str()).collect();
    let names: Vec<&str> = clients().map(|it| it.name.as_str()).collect();
    let emails: Vec<&str> = clients().map(|it| it.email.as_str()).collect();
    let since: Vec<PgTimestamp> = clients().map(|it| instant(it.registered_at)).collect();
    statement(
        "INSERT INTO banking.client (id, ispb, tax_id, name, email, registered_at) \
         SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], \
         $6::timestamptz[])",
    )
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<Array<Text>, _>(banks)
    .bind::<Array<Text>, _>(tax_ids)
    .bind::<Array<Text>, _>(names)
    .bind::<Array<Text>, _>(emails)
    .bind::<Array<Timestamptz>, _>(since)
    .execute(connection)
    .await
    .map_err(store_error)?;
    let (banks, numbers): (Vec<&str>, Vec<i64>) =
        changes.next_clients.iter().map(|(ispb, number)| (ispb.as_str(), *number)).unzip();
    statement(
        "UPDATE banking.bank SET next_client = counted.next_client \
         FROM unnest($1::text[], $2::bigint[]) AS counted (ispb, next_client) \
         WHERE bank.ispb = counted.ispb",
    )
    .bind::<Array<Text>, _>(banks)
    .bind::<Array<BigInt>, _>(numbers)
    .execute(connection)
    .await
    .map(drop)
    .map_err(store_error)
}
