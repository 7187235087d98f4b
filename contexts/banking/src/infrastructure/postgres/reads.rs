//! Reads outside any transaction, one statement each.

use async_trait::async_trait;
use diesel::QueryableByName;
use diesel::sql_types::{Array, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use shared_kernel::application::StoreError;
use shared_kernel::domain::{AccountId, BankCode, EndToEndId, Ispb};
use shared_kernel::infrastructure::postgres::session::Sessions;
use shared_kernel::infrastructure::postgres::statement::Bind;
use shared_kernel::infrastructure::postgres::{statement, store_error};
use uuid::Uuid;

use super::clients::clients;
use super::lists;
use super::rows::{AccountRow, party, unreadable_value};
use super::select::account;
use crate::application::page::{
    AccountAt, AccountPlace, AccountsOf, Part, PostingPlace, PostingsOf, TransferPlace, TransfersOf,
};
use crate::application::ports::BankingReads;
use crate::application::views::{BankView, HoldView, StatementLine, TransferView};
use crate::domain::{Account, Client, ClientId, Party};

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

impl BankRow {
    fn into_view(self) -> Result<BankView, StoreError> {
        Ok(BankView {
            ispb: Ispb::parse(&self.ispb).map_err(unreadable_value)?,
            code: BankCode::parse(&self.code).map_err(unreadable_value)?,
            name: self.name,
            primary_color: self.primary_color,
            secondary_color: self.secondary_color,
        })
    }
}

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
        rows.into_iter().map(BankRow::into_view).collect()
    }

    async fn banks_among(&self, banks: &[Ispb]) -> Result<Vec<BankView>, StoreError> {
        let banks: Vec<&str> = banks.iter().map(Ispb::as_str).collect();
        let mut connection = self.database.connection().await?;
        let rows: Vec<BankRow> = statement(
            "SELECT ispb, code, name, primary_color, secondary_color FROM banking.bank \
             WHERE hosted AND ispb = ANY($1)",
        )
        .bind::<Array<Text>, _>(banks)
        .load(&mut connection)
        .await
        .map_err(store_error)?;
        rows.into_iter().map(BankRow::into_view).collect()
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

    async fn clients(&self, ids: &[ClientId]) -> Result<Vec<Client>, StoreError> {
        let mut connection = self.database.connection().await?;
        clients(&mut connection, ids).await
    }

    async fn accounts(&self, ids: &[AccountId]) -> Result<Vec<Account>, StoreError> {
        let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
        let mut connection = self.database.connection().await?;
        let rows: Vec<AccountRow> = statement(account!("WHERE id = ANY($1) ORDER BY id"))
            .bind::<Array<SqlUuid>, _>(ids)
            .load(&mut connection)
            .await
            .map_err(store_error)?;
        rows.into_iter().map(AccountRow::into_domain).collect()
    }

    async fn accounts_of(
        &self,
        parts: &[Part<AccountsOf, AccountPlace>],
    ) -> Result<Vec<Vec<Account>>, StoreError> {
        lists::accounts(self, parts).await
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

    async fn transfers(
        &self,
        sides: &[(EndToEndId, AccountId)],
    ) -> Result<Vec<Option<TransferView>>, StoreError> {
        lists::sides(self, sides).await
    }

    async fn transfers_of(
        &self,
        parts: &[Part<TransfersOf, TransferPlace>],
    ) -> Result<Vec<Vec<TransferView>>, StoreError> {
        lists::transfers(self, parts).await
    }

    async fn holds_of(
        &self,
        parts: &[Part<AccountAt, TransferPlace>],
    ) -> Result<Vec<Vec<HoldView>>, StoreError> {
        lists::holds(self, parts).await
    }

    async fn statements(
        &self,
        parts: &[Part<PostingsOf, PostingPlace>],
    ) -> Result<Vec<Vec<StatementLine>>, StoreError> {
        lists::statements(self, parts).await
    }
}
