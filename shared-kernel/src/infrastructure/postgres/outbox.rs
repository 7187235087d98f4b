//! The outbox table: rows in the order of their ids, one leader per shard.

use std::time::Duration;

use async_trait::async_trait;
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Bool, SmallInt, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde::{Deserialize, Serialize, Serializer as _};
use tokio::sync::Notify;

use crate::application::StoreError;
use crate::application::log::OutboundRecord;
use crate::application::outbox::{Outbox, OutboxRow, OutboxShard};
use crate::domain::Timestamp;
use crate::infrastructure::postgres::error::store_error;
use crate::infrastructure::postgres::lock::{lock_key, relay_lock};
use crate::infrastructure::postgres::session::Sessions;
use crate::infrastructure::postgres::statement::{Bind, statement};
use crate::infrastructure::postgres::tables::Tables;

/// Tells the relays of this process that a row was committed.
#[derive(Debug, Default)]
pub struct OutboxSignal(Notify);

impl OutboxSignal {
    /// A transaction with records committed.
    pub fn appended(&self) {
        self.0.notify_waiters();
        self.0.notify_one();
    }

    async fn wait(&self, longest: Duration) {
        drop(tokio::time::timeout(longest, self.0.notified()).await);
    }
}

/// A record as it is stored: text where the bytes are text, hexadecimal otherwise.
#[derive(Deserialize)]
struct Stored {
    topics: Vec<String>,
    #[serde(default)]
    key: Option<Bytes>,
    headers: Vec<(String, Bytes)>,
    #[serde(default)]
    payload: Option<Bytes>,
    #[serde(default)]
    time_micros: Option<i64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Bytes {
    Text(String),
    Hex { hex: String },
}

/// The same on its way into the table: nothing is copied before it is JSON.
#[derive(Serialize)]
struct Storing<'a> {
    topics: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<StoringBytes<'a>>,
    headers: Vec<(&'a str, StoringBytes<'a>)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<StoringBytes<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_micros: Option<i64>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum StoringBytes<'a> {
    Text(&'a str),
    Hex { hex: String },
}

impl<'a> From<&'a Vec<u8>> for StoringBytes<'a> {
    fn from(bytes: &'a Vec<u8>) -> Self {
        match std::str::from_utf8(bytes) {
            // PostgreSQL's text holds no NUL.
            Ok(text) if !text.contains('\0') => Self::Text(text),
            _ => Self::Hex { hex: hexadecimal(bytes) },
        }
    }
}

impl Bytes {
    fn into_bytes(self) -> Option<Vec<u8>> {
        match self {
            Self::Text(text) => Some(text.into_bytes()),
            Self::Hex { hex } => (0..hex.len())
                .step_by(2)
                .map(|at| u8::from_str_radix(hex.get(at..at.checked_add(2)?)?, 16).ok())
                .collect(),
        }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Bytes of JSON that most records fit into.
const RECORD_BYTES: usize = 1_024;

/// The text of an outbox row.
pub fn encode(records: &[OutboundRecord]) -> String {
    let storing = records.iter().map(|record| Storing {
        topics: &record.topics,
        key: record.key.as_ref().map(StoringBytes::from),
        headers: record
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), StoringBytes::from(value)))
            .collect(),
        payload: record.payload.as_ref().map(StoringBytes::from),
        time_micros: record.time.map(Timestamp::micros),
    });
    let mut text = Vec::with_capacity(records.len().saturating_mul(RECORD_BYTES));
    let mut writer = serde_json::Serializer::new(&mut text);
    // Strings and integers only: there is nothing that JSON cannot hold.
    match writer.collect_seq(storing) {
        Ok(()) => String::from_utf8(text).unwrap_or_default(),
        Err(_) => String::new(),
    }
}

/// The records of an outbox row.
///
/// # Errors
/// [`StoreError::Rejected`] when the text was not written by [`encode`].
pub fn decode(text: &str) -> Result<Vec<OutboundRecord>, StoreError> {
    let bad = || StoreError::Rejected("an outbox row is unreadable".into());
    let bytes = |stored: Option<Bytes>| stored.map(|bytes| bytes.into_bytes().ok_or_else(bad));
    let stored: Vec<Stored> = serde_json::from_str(text)
        .map_err(|error| StoreError::Rejected(format!("an outbox row is unreadable: {error}")))?;
    stored
        .into_iter()
        .map(|record| {
            let headers = record
                .headers
                .into_iter()
                .map(|(name, value)| value.into_bytes().map(|value| (name, value)).ok_or_else(bad));
            Ok(OutboundRecord {
                topics: record.topics,
                key: bytes(record.key).transpose()?,
                headers: headers.collect::<Result<_, _>>()?,
                payload: bytes(record.payload).transpose()?,
                time: record.time_micros.and_then(|micros| Timestamp::from_micros(micros).ok()),
            })
        })
        .collect()
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    records: String,
}

#[derive(QueryableByName)]
struct Locked {
    #[diesel(sql_type = Bool)]
    locked: bool,
}

/// A shard that this session holds the advisory lock of.
struct PgOutboxShard {
    connection: AsyncPgConnection,
    shard: i16,
    tables: Tables,
}

#[async_trait]
impl Outbox for Sessions {
    async fn try_lead(&self, shard: u16) -> Result<Option<Box<dyn OutboxShard>>, StoreError> {
        let mut connection = self.database.session().await?;
        let locked: Locked = statement("SELECT pg_try_advisory_lock($1) AS locked")
            .bind::<BigInt, _>(relay_lock(self.tables.schema, shard))
            .get_result(&mut connection)
            .await
            .map_err(store_error)?;
        if !locked.locked {
            return Ok(None);
        }
        let shard = i16::try_from(shard).unwrap_or(0);
        Ok(Some(Box::new(PgOutboxShard { connection, shard, tables: self.tables })))
    }

    async fn appended(&self, wait: Duration) {
        self.signal.wait(wait).await;
    }
}

#[async_trait]
impl OutboxShard for PgOutboxShard {
    async fn pending(&mut self, limit: i64) -> Result<Vec<OutboxRow>, StoreError> {
        let rows: Vec<Row> = statement(self.tables.pending)
            .bind::<SmallInt, _>(self.shard)
            .bind::<BigInt, _>(limit)
            .load(&mut self.connection)
            .await
            .map_err(store_error)?;
        rows.into_iter()
            .map(|row| Ok(OutboxRow { id: row.id, records: decode(&row.records)? }))
            .collect()
    }

    async fn remove(&mut self, ids: &[i64]) -> Result<(), StoreError> {
        statement(self.tables.remove)
            .bind::<Array<BigInt>, _>(ids)
            .execute(&mut self.connection)
            .await
            .map(drop)
            .map_err(store_error)
    }
}

#[derive(QueryableByName)]
struct Length {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

impl Sessions {
    /// A session that leads what `name` names in this schema, or `None` while another process
    /// does. It leads as long as it lives.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the database does not answer.
    pub async fn try_lead_session(
        &self,
        name: &str,
    ) -> Result<Option<AsyncPgConnection>, StoreError> {
        let mut connection = self.database.session().await?;
        let key = lock_key(&format!("codepix lead {}/{name}", self.tables.schema));
        let locked: Locked = statement("SELECT pg_try_advisory_lock($1) AS locked")
            .bind::<BigInt, _>(key)
            .get_result(&mut connection)
            .await
            .map_err(store_error)?;
        Ok(locked.locked.then_some(connection))
    }

    /// How many rows wait for their relay.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the database does not answer.
    pub async fn outbox_length(&self) -> Result<i64, StoreError> {
        let mut connection = self.database.connection().await?;
        let length: Length = statement(self.tables.outbox_length)
            .get_result(&mut connection)
            .await
            .map_err(store_error)?;
        Ok(length.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_carries_text_bytes_tombstones_and_time() {
        let records = vec![
            OutboundRecord {
                topics: vec!["a".into(), "b".into()],
                key: Some(b"key".to_vec()),
                headers: vec![("h".into(), b"v".to_vec()), ("x".into(), vec![0, 255])],
                payload: Some(br#"{"quote":"\""}"#.to_vec()),
                time: Some(Timestamp::from_micros(1).unwrap()),
            },
            OutboundRecord {
                topics: vec!["c".into()],
                key: None,
                headers: vec![],
                payload: None,
                time: None,
            },
        ];
        assert_eq!(decode(&encode(&records)).unwrap(), records);
    }

    #[test]
    fn a_foreign_text_is_refused() {
        assert!(decode("{").is_err());
        assert!(decode(r#"[{"topics":[],"headers":[],"payload":{"hex":"0g"}}]"#).is_err());
    }
}
