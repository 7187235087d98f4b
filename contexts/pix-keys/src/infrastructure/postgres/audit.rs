//! What `codepix doctor` asks the directory: does it keep its own promises?

use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Integer, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use shared_kernel::application::StoreError;
use shared_kernel::domain::{AccountId, TaxIdKind};
use shared_kernel::infrastructure::postgres::statement::Bind;
use shared_kernel::infrastructure::postgres::{Database, statement, store_error};
use uuid::Uuid;

use crate::domain::key_limit;

const AUDIT: &str = "\
    WITH active AS ( \
        SELECT entry.*, account.status, account.ispb AS account_ispb, \
            account.owner_tax_id AS account_owner, account_id = ANY($3) AS is_made_up \
        FROM pix_keys.entry JOIN pix_keys.account USING (account_id) \
        WHERE entry.state = 'active' \
    ), holder AS ( \
        SELECT account_id, account_owner, count(*) AS held FROM active WHERE NOT is_made_up \
        GROUP BY account_id, account_owner \
    ) SELECT \
        (SELECT count(*) FROM active) AS keys_active, \
        (SELECT count(*) FROM pix_keys.entry WHERE state = 'removed') AS keys_removed, \
        count(*) FILTER (WHERE status = 'active') AS accounts_active, \
        count(*) FILTER (WHERE status = 'blocked') AS accounts_blocked, \
        count(*) FILTER (WHERE status = 'closed') AS accounts_closed, \
        count(*) FILTER (WHERE owner_tax_id IS NULL) AS accounts_unopened, \
        count(*) FILTER (WHERE NOT EXISTS ( \
            SELECT FROM pix_keys.participant WHERE participant.ispb = account.ispb \
        )) AS accounts_without_participant, \
        (SELECT count(*) FROM pix_keys.participant) AS participants, \
        (SELECT count(*) FROM active WHERE status = 'closed') AS keys_of_closed_accounts, \
        (SELECT count(*) FROM holder WHERE held > CASE length(account_owner) \
            WHEN 11 THEN $1 ELSE $2 END) AS accounts_over_limit, \
        (SELECT count(*) FROM active WHERE ispb <> account_ispb \
            OR owner_tax_id IS DISTINCT FROM account_owner \
            OR kind IN ('cpf', 'cnpj') AND key <> owner_tax_id AND NOT is_made_up) \
            AS keys_of_another_person \
    FROM pix_keys.account";

const UNSENT: &str = "SELECT count(*) AS records FROM pix_keys.outbox";

#[derive(QueryableByName)]
struct UnsentRow {
    #[diesel(sql_type = BigInt)]
    records: i64,
}

/// The directory in figures. The last three must be zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, QueryableByName)]
pub struct DirectoryAudit {
    /// Keys that name an account.
    #[diesel(sql_type = BigInt)]
    pub keys_active: i64,
    /// Keys that were removed and not registered anew.
    #[diesel(sql_type = BigInt)]
    pub keys_removed: i64,
    /// Accounts that may get keys.
    #[diesel(sql_type = BigInt)]
    pub accounts_active: i64,
    /// Accounts that are blocked.
    #[diesel(sql_type = BigInt)]
    pub accounts_blocked: i64,
    /// Accounts that were closed.
    #[diesel(sql_type = BigInt)]
    pub accounts_closed: i64,
    /// Accounts, in whatever state, whose opening has not come: look into the dead letters.
    #[diesel(sql_type = BigInt)]
    pub accounts_unopened: i64,
    /// Accounts whose participant has not come: look into the dead letters.
    #[diesel(sql_type = BigInt)]
    pub accounts_without_participant: i64,
    /// Participants that the directory knows.
    #[diesel(sql_type = BigInt)]
    pub participants: i64,
    /// Active keys of closed accounts.
    #[diesel(sql_type = BigInt)]
    pub keys_of_closed_accounts: i64,
    /// Accounts with more keys than they may have.
    #[diesel(sql_type = BigInt)]
    pub accounts_over_limit: i64,
    /// Active keys that are not their account's owner's own.
    #[diesel(sql_type = BigInt)]
    pub keys_of_another_person: i64,
}

impl DirectoryAudit {
    /// Whether every promise is kept.
    pub const fn is_sound(&self) -> bool {
        self.keys_of_closed_accounts == 0
            && self.accounts_over_limit == 0
            && self.keys_of_another_person == 0
    }
}

/// Looks at the directory's own schema.
#[derive(Clone, Debug)]
pub struct Auditor {
    database: Database,
}

impl Auditor {
    /// An auditor of this database.
    pub const fn new(database: Database) -> Self {
        Self { database }
    }

    /// Events that are not on the log yet.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the database does not answer.
    pub async fn unsent(&self) -> Result<i64, StoreError> {
        let mut connection = self.database.connection().await?;
        let row: UnsentRow =
            statement(UNSENT).get_result(&mut connection).await.map_err(store_error)?;
        Ok(row.records)
    }

    /// Counts, in one statement and so at one instant. Of `made_up` owners neither tax ids nor
    /// the number of their keys is asked.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the database does not answer.
    pub async fn audit(&self, made_up: &[AccountId]) -> Result<DirectoryAudit, StoreError> {
        let limit = |owner| i32::try_from(key_limit(owner)).unwrap_or(i32::MAX);
        let mut connection = self.database.connection().await?;
        statement(AUDIT)
            .bind::<Integer, _>(limit(TaxIdKind::Cpf))
            .bind::<Integer, _>(limit(TaxIdKind::Cnpj))
            .bind::<Array<SqlUuid>, _>(made_up.iter().map(|id| id.uuid()).collect::<Vec<Uuid>>())
            .get_result(&mut connection)
            .await
            .map_err(store_error)
    }
}
