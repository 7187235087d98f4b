//! First answers of commands.

use async_trait::async_trait;
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Binary, Integer, Text};
use diesel_async::RunQueryDsl;
use serde_json::value::RawValue;

use crate::application::transaction::AnswerBook;
use crate::application::{Answers, Remembered, StoreError, Sweep};
use crate::domain::Digest;
use crate::infrastructure::postgres::error::store_error;
use crate::infrastructure::postgres::session::{PgSession, Sessions};
use crate::infrastructure::postgres::statement::{Bind, statement};

/// Days that a first answer is kept.
pub const KEPT_DAYS: i32 = 90;

/// Answers forgotten in one transaction.
const FORGOTTEN_MAX: i64 = 1_000;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    scope: String,
    #[diesel(sql_type = Text)]
    key: String,
    #[diesel(sql_type = Binary)]
    digest: Vec<u8>,
    #[diesel(sql_type = Text)]
    answer: String,
}

#[async_trait]
impl AnswerBook for Sessions {
    async fn remembered(&self, keys: &[(String, String)]) -> Result<Vec<Remembered>, StoreError> {
        let (scopes, keys): (Vec<&str>, Vec<&str>) =
            keys.iter().map(|(scope, key)| (scope.as_str(), key.as_str())).unzip();
        let mut connection = self.database.connection().await?;
        let rows: Vec<Row> = statement(self.tables.remembered)
            .bind::<Array<Text>, _>(scopes)
            .bind::<Array<Text>, _>(keys)
            .load(&mut connection)
            .await
            .map_err(store_error)?;
        let unreadable = || StoreError::Rejected("a stored answer is unreadable".into());
        rows.into_iter()
            .map(|row| {
                let digest = row.digest.try_into().map_err(|_length| unreadable())?;
                Ok(Remembered {
                    scope: row.scope,
                    key: row.key,
                    digest: Digest::from_bytes(digest),
                    answer: RawValue::from_string(row.answer).map_err(|_json| unreadable())?,
                })
            })
            .collect()
    }
}

#[async_trait]
impl Answers for PgSession {
    async fn remember(&mut self, answers: &[Remembered]) -> Result<(), StoreError> {
        let scopes: Vec<&str> = answers.iter().map(|answer| answer.scope.as_str()).collect();
        let keys: Vec<&str> = answers.iter().map(|answer| answer.key.as_str()).collect();
        let digests: Vec<&[u8]> =
            answers.iter().map(|answer| answer.digest.as_bytes().as_slice()).collect();
        let bodies: Vec<&str> = answers.iter().map(|answer| answer.answer.get()).collect();
        let insert = self.tables().remember;
        statement(insert)
            .bind::<Array<Text>, _>(scopes)
            .bind::<Array<Text>, _>(keys)
            .bind::<Array<Binary>, _>(digests)
            .bind::<Array<Text>, _>(bodies)
            .execute(self.connection())
            .await
            .map(drop)
            .map_err(store_error)
    }
}

impl Sessions {
    /// Forgets answers older than [`KEPT_DAYS`], at most `limit` of them.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the database does not answer.
    pub async fn forget_old_answers(&self, limit: i64) -> Result<usize, StoreError> {
        let mut connection = self.database.connection().await?;
        statement(self.tables.forget)
            .bind::<Integer, _>(KEPT_DAYS)
            .bind::<BigInt, _>(limit)
            .execute(&mut connection)
            .await
            .map_err(store_error)
    }
}

/// Forgets answers that are older than [`KEPT_DAYS`].
#[derive(Clone, Debug)]
pub struct ForgetAnswers(pub Sessions);

#[async_trait]
impl Sweep for ForgetAnswers {
    async fn sweep(&self) -> Result<usize, StoreError> {
        self.0.forget_old_answers(FORGOTTEN_MAX).await
    }
}
