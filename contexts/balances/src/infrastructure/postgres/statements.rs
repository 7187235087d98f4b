//! The SQL of the projection, spelled for the schema that it stands in.
//!
//! The live side stands in `balances`. A rebuild writes a shadow with the same tables beside it,
//! through the same statements. Every statement names its tables in one order, balances before
//! history before transfers before what other programs said, so that whoever locks them in that
//! order waits for nobody in a ring.

use std::sync::LazyLock;

/// Schema of the live side.
pub const SCHEMA: &str = "balances";
/// Schema of a rebuild that will take its place.
pub(crate) const SHADOW: &str = "balances_shadow";
/// Schema of a rebuild that is only compared, and dropped.
pub(crate) const COMPARED: &str = "balances_compared";
/// Schema of a rebuild up to a past time, which is looked at and dropped.
pub(crate) const PAST: &str = "balances_past";

/// Statements on one schema.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Statements {
    pub(crate) load: &'static str,
    pub(crate) save: &'static str,
    pub(crate) append_history: &'static str,
    pub(crate) append_late: &'static str,
    pub(crate) settle: &'static str,
    pub(crate) append_transfers: &'static str,
    pub(crate) append_external_balances: &'static str,
    pub(crate) open_external_accounts: &'static str,
    pub(crate) history_page: &'static str,
    pub(crate) transfers_page: &'static str,
    pub(crate) balances_page: &'static str,
    pub(crate) external_accounts_page: &'static str,
    pub(crate) external_balances_page: &'static str,
}

static LIVE_STATEMENTS: LazyLock<Statements> = LazyLock::new(|| Statements::spell(SCHEMA));
static SHADOW_STATEMENTS: LazyLock<Statements> = LazyLock::new(|| Statements::spell(SHADOW));
static COMPARED_STATEMENTS: LazyLock<Statements> = LazyLock::new(|| Statements::spell(COMPARED));
static PAST_STATEMENTS: LazyLock<Statements> = LazyLock::new(|| Statements::spell(PAST));

/// Puts a schema in the place of the live one, in text that names it `balances.`.
pub(crate) fn spelled(text: &str, schema: &str) -> &'static str {
    Box::leak(text.replace("balances.", &format!("{schema}.")).into_boxed_str())
}

impl Statements {
    /// Those of a schema of this context; of the live one unless it is a rebuild's.
    pub(crate) fn of(schema: &str) -> &'static Self {
        match schema {
            SHADOW => &SHADOW_STATEMENTS,
            COMPARED => &COMPARED_STATEMENTS,
            PAST => &PAST_STATEMENTS,
            _ => &LIVE_STATEMENTS,
        }
    }

    fn spell(schema: &str) -> Self {
        Self {
            load: spelled(LOAD, schema),
            save: spelled(SAVE, schema),
            append_history: spelled(APPEND_HISTORY, schema),
            append_late: spelled(APPEND_LATE, schema),
            settle: spelled(SETTLE, schema),
            append_transfers: spelled(APPEND_TRANSFERS, schema),
            append_external_balances: spelled(APPEND_EXTERNAL_BALANCES, schema),
            open_external_accounts: spelled(OPEN_EXTERNAL_ACCOUNTS, schema),
            history_page: spelled(HISTORY_PAGE, schema),
            transfers_page: spelled(TRANSFERS_PAGE, schema),
            balances_page: spelled(BALANCES_PAGE, schema),
            external_accounts_page: spelled(EXTERNAL_ACCOUNTS_PAGE, schema),
            external_balances_page: spelled(EXTERNAL_BALANCES_PAGE, schema),
        }
    }
}

const LOAD: &str = "\
    SELECT account_id, ispb, owner_name, available, held, version, missing::text, updated_at, \
    (SELECT coalesce(newest.raised_at, newest.occurred_at) \
    FROM balances.account_history AS newest \
    WHERE newest.account_id = balance.account_id AND newest.version = balance.version) \
    AS latest_at FROM balances.account_balance AS balance \
    WHERE account_id = ANY($1) ORDER BY account_id FOR UPDATE OF balance";

const SAVE: &str = "\
    INSERT INTO balances.account_balance AS stored \
    (account_id, ispb, owner_name, available, held, version, missing, updated_at) \
    SELECT account_id, ispb, owner_name, available, held, version, missing::int8multirange, \
    updated_at FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], \
    $6::bigint[], $7::text[], $8::timestamptz[]) \
    AS balance (account_id, ispb, owner_name, available, held, version, missing, updated_at) \
    ORDER BY account_id ON CONFLICT (account_id) DO UPDATE SET \
    owner_name = excluded.owner_name, available = excluded.available, held = excluded.held, \
    version = excluded.version, missing = excluded.missing, updated_at = excluded.updated_at";

/// Adds entries; what is there stays.
macro_rules! append_entries {
    ($answer:literal) => {
        concat!(
            "INSERT INTO balances.account_history (account_id, version, occurred_at, available, \
             held, movement, amount, end_to_end_id, counterparty_ispb, counterparty_account_id, \
             counterparty_name, description, raised_at) \
             SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::timestamptz[], $4::bigint[], \
             $5::bigint[], $6::text[], $7::bigint[], $8::text[], $9::text[], $10::uuid[], \
             $11::text[], $12::text[], $13::timestamptz[]) ON CONFLICT DO NOTHING",
            $answer
        )
    };
}

const APPEND_HISTORY: &str = append_entries!("");
const APPEND_LATE: &str = append_entries!(" RETURNING account_id, version");

/// Dates again what follows entries that came late: each is effective at the latest time up to its
/// version.
const SETTLE: &str = "\
    WITH late AS (SELECT account_id, min(version) AS version \
    FROM unnest($1::uuid[], $2::bigint[]) AS it (account_id, version) GROUP BY account_id), \
    settled AS (SELECT entry.account_id, entry.version, entry.occurred_at, \
    max(greatest(entry.occurred_at, before.effective_at)) \
    OVER (PARTITION BY entry.account_id ORDER BY entry.version) AS effective_at \
    FROM late LEFT JOIN LATERAL \
    (SELECT coalesce(raised_at, occurred_at) AS effective_at \
    FROM balances.account_history AS older \
    WHERE older.account_id = late.account_id AND older.version < late.version \
    ORDER BY older.version DESC LIMIT 1) AS before ON true \
    JOIN balances.account_history AS entry \
    ON entry.account_id = late.account_id AND entry.version >= late.version) \
    UPDATE balances.account_history AS entry \
    SET raised_at = nullif(settled.effective_at, settled.occurred_at) FROM settled \
    WHERE entry.account_id = settled.account_id AND entry.version = settled.version \
    AND entry.raised_at IS DISTINCT FROM nullif(settled.effective_at, settled.occurred_at)";

const APPEND_TRANSFERS: &str = "\
    INSERT INTO balances.transfer (end_to_end_id, payer_ispb, payer_account_id, payer_name, \
    payee_ispb, payee_account_id, payee_name, payee_key) \
    SELECT * FROM unnest($1::text[], $2::text[], $3::uuid[], $4::text[], $5::text[], $6::uuid[], \
    $7::text[], $8::text[]) ON CONFLICT DO NOTHING";

const APPEND_EXTERNAL_BALANCES: &str = "\
    INSERT INTO balances.external_balance \
    (account_id, recorded_at, partition, record_offset, balance) \
    SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::integer[], $4::bigint[], \
    $5::bigint[]) ON CONFLICT DO NOTHING";

const OPEN_EXTERNAL_ACCOUNTS: &str = "\
    INSERT INTO balances.external_account AS known (account_id, since) \
    SELECT * FROM unnest($1::uuid[], $2::timestamptz[]) \
    ON CONFLICT (account_id) DO UPDATE SET since = least(known.since, excluded.since)";

const EXTERNAL_ACCOUNTS_PAGE: &str = "\
    SELECT account_id, since FROM balances.external_account \
    WHERE account_id > coalesce($1, '00000000-0000-0000-0000-000000000000') \
    ORDER BY account_id LIMIT $2";

const EXTERNAL_BALANCES_PAGE: &str = "\
    SELECT account_id, recorded_at, partition, record_offset, balance \
    FROM balances.external_balance \
    WHERE (account_id, recorded_at, partition, record_offset) > ($1, $2, $3, $4) \
    ORDER BY account_id, recorded_at, partition, record_offset LIMIT $5";

const BALANCES_PAGE: &str = "\
    SELECT account_id, ispb, owner_name, available, held, version, missing::text, updated_at, \
    NULL::timestamptz AS latest_at FROM balances.account_balance \
    WHERE account_id > coalesce($1, '00000000-0000-0000-0000-000000000000') \
    ORDER BY account_id LIMIT $2";

const HISTORY_PAGE: &str = "\
    SELECT account_id, coalesce(raised_at, occurred_at) AS effective_at, version, occurred_at, \
    available, held, movement, amount, end_to_end_id, counterparty_ispb, \
    counterparty_account_id, counterparty_name, description FROM balances.account_history \
    WHERE (account_id, version) > ($1, $2) \
    ORDER BY account_id, version LIMIT $3";

const TRANSFERS_PAGE: &str = "\
    SELECT end_to_end_id, payer_ispb, payer_account_id, payer_name, payee_ispb, \
    payee_account_id, payee_name, payee_key FROM balances.transfer \
    WHERE end_to_end_id > $1 ORDER BY end_to_end_id LIMIT $2";
