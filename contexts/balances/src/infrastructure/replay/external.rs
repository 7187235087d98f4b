//! What other programs said, read whole for the digest of a side.

use diesel::pg::data_types::PgTimestamp;
use diesel::sql_types::{BigInt, Integer, Nullable, Timestamptz, Uuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_kernel::application::StoreError;
use shared_kernel::infrastructure::postgres::statement::Bind;
use shared_kernel::infrastructure::postgres::{instant, statement, store_error};

use super::compare::PAGE;
use crate::domain::{RecordPlace, SideDigester};
use crate::infrastructure::postgres::{ExternalAccountRow, ExternalBalanceRow, Statements};

/// Takes all of it in; how many words that was.
pub(super) async fn take_external(
    digester: &mut SideDigester,
    connection: &mut AsyncPgConnection,
    statements: &Statements,
) -> Result<u64, StoreError> {
    let opened = take_accounts(digester, connection, statements).await?;
    Ok(opened.saturating_add(take_balances(digester, connection, statements).await?))
}

async fn take_accounts(
    digester: &mut SideDigester,
    connection: &mut AsyncPgConnection,
    statements: &Statements,
) -> Result<u64, StoreError> {
    let (mut after, mut count) = (None, 0_u64);
    loop {
        let page: Vec<ExternalAccountRow> = statement(statements.external_accounts_page)
            .bind::<Nullable<Uuid>, _>(after)
            .bind::<BigInt, _>(PAGE)
            .load(connection)
            .await
            .map_err(store_error)?;
        if page.is_empty() {
            return Ok(count);
        }
        for row in page {
            let opened = row.into_account();
            digester.external_account(&opened);
            count = count.saturating_add(1);
            after = Some(opened.account_id.uuid());
        }
    }
}

async fn take_balances(
    digester: &mut SideDigester,
    connection: &mut AsyncPgConnection,
    statements: &Statements,
) -> Result<u64, StoreError> {
    let mut after: Option<(uuid::Uuid, RecordPlace)> = None;
    let mut count = 0_u64;
    loop {
        let page: Vec<ExternalBalanceRow> = {
            let account = after.map_or(uuid::Uuid::nil(), |(account, _)| account);
            let place = after.map(|(_, place)| place);
            // Before every place that a record can have.
            let time = place.map_or(PgTimestamp(i64::MIN), |it| instant(it.recorded_at));
            statement(statements.external_balances_page)
                .bind::<Uuid, _>(account)
                .bind::<Timestamptz, _>(time)
                .bind::<Integer, _>(place.map_or(i32::MIN, |it| it.partition))
                .bind::<BigInt, _>(place.map_or(i64::MIN, |it| it.offset))
                .bind::<BigInt, _>(PAGE)
                .load(connection)
                .await
                .map_err(store_error)?
        };
        if page.is_empty() {
            return Ok(count);
        }
        for row in page {
            let said = row.into_balance()?;
            digester.external_balance(&said);
            count = count.saturating_add(1);
            after = Some((said.account_id.uuid(), said.place));
        }
    }
}
