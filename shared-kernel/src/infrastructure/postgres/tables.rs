//! The kernel's SQL, spelled for the schema of one context.

/// Template of the kernel's tables; `{schema}` is the context's.
const TEMPLATE: &str = include_str!("tables.sql");

/// Statements on the kernel's tables in one schema.
#[derive(Clone, Copy, Debug)]
pub struct Tables {
    /// The schema.
    pub schema: &'static str,
    pub(crate) create: &'static str,
    pub(crate) known_migrations: &'static str,
    pub(crate) record_migration: &'static str,
    pub(crate) append: &'static str,
    pub(crate) pending: &'static str,
    pub(crate) remove: &'static str,
    pub(crate) known_shards: &'static str,
    pub(crate) settle_shards: &'static str,
    pub(crate) begin_offsets: &'static str,
    pub(crate) read_offsets: &'static str,
    pub(crate) advance: &'static str,
    pub(crate) remembered: &'static str,
    pub(crate) remember: &'static str,
    pub(crate) forget: &'static str,
    pub(crate) outbox_length: &'static str,
}

impl Tables {
    /// Spells every statement once. The texts live as long as the process: a context has one.
    pub fn of(schema: &'static str) -> Self {
        let spell = |text: &str| -> &'static str {
            Box::leak(text.replace("{schema}", schema).into_boxed_str())
        };
        Self {
            schema,
            create: spell(TEMPLATE),
            known_migrations: spell("SELECT name FROM {schema}.migration"),
            record_migration: spell("INSERT INTO {schema}.migration (name) VALUES ($1)"),
            append: spell(
                "INSERT INTO {schema}.outbox (shard, records) \
                 SELECT * FROM unnest($1::smallint[], $2::text[])",
            ),
            pending: spell(
                "SELECT id, records FROM {schema}.outbox WHERE shard = $1 ORDER BY id LIMIT $2",
            ),
            remove: spell("DELETE FROM {schema}.outbox WHERE id = ANY($1)"),
            known_shards: spell("SELECT shards FROM {schema}.outbox_shards"),
            settle_shards: spell(
                "INSERT INTO {schema}.outbox_shards AS known (shards) VALUES ($1) \
                 ON CONFLICT (only_row) DO UPDATE SET shards = coalesce( \
                 (SELECT greatest(known.shards, max(shard) + 1) FROM {schema}.outbox \
                 HAVING count(*) > 0), excluded.shards) RETURNING shards",
            ),
            begin_offsets: spell(
                "INSERT INTO {schema}.consumer_offset \
                 (consumer, topic, partition, next_offset, cluster_id) \
                 SELECT $1, topic, partition, next_offset, $2 \
                 FROM unnest($3::text[], $4::integer[], $5::bigint[]) \
                 AS beginning (topic, partition, next_offset) \
                 WHERE NOT EXISTS (SELECT FROM {schema}.consumer_offset \
                 WHERE consumer = $1 AND cluster_id <> $2) ON CONFLICT DO NOTHING",
            ),
            read_offsets: spell(
                "SELECT stored.topic, stored.partition, stored.next_offset, stored.cluster_id \
                 FROM {schema}.consumer_offset AS stored \
                 LEFT JOIN unnest($3::text[], $4::integer[]) AS wanted (topic, partition) \
                 ON wanted.topic = stored.topic AND wanted.partition = stored.partition \
                 WHERE stored.consumer = $1 \
                 AND (stored.cluster_id <> $2 OR wanted.partition IS NOT NULL)",
            ),
            advance: spell(
                "UPDATE {schema}.consumer_offset AS stored SET next_offset = move.next \
                 FROM unnest($2::text[], $3::integer[], $4::bigint[], $5::bigint[]) \
                 AS move (topic, partition, expected, next) \
                 WHERE stored.consumer = $1 AND stored.topic = move.topic \
                 AND stored.partition = move.partition AND stored.next_offset = move.expected",
            ),
            remembered: spell(
                "SELECT known.scope, known.key, known.digest, known.answer \
                 FROM {schema}.command_answer AS known \
                 JOIN unnest($1::text[], $2::text[]) AS wanted (scope, key) USING (scope, key)",
            ),
            remember: spell(
                "INSERT INTO {schema}.command_answer (scope, key, digest, answer) \
                 SELECT * FROM unnest($1::text[], $2::text[], $3::bytea[], $4::text[])",
            ),
            forget: spell(
                "DELETE FROM {schema}.command_answer WHERE (scope, key) IN \
                 (SELECT scope, key FROM {schema}.command_answer \
                 WHERE created_at < now() - make_interval(days => $1) LIMIT $2 \
                 FOR UPDATE SKIP LOCKED)",
            ),
            outbox_length: spell("SELECT count(*) AS count FROM {schema}.outbox"),
        }
    }
}
