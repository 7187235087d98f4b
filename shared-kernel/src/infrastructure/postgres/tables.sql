-- What the loss-free core keeps in the schema of every context.
CREATE SCHEMA IF NOT EXISTS {schema};

CREATE TABLE IF NOT EXISTS {schema}.migration (
    name       text PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT now()
);

-- Records of committed transactions on their way to the log: one row per transaction and shard.
CREATE TABLE IF NOT EXISTS {schema}.outbox (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    shard      smallint NOT NULL,
    records    text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

-- How many shards the rows were spread over: changes only while the outbox is empty.
CREATE TABLE IF NOT EXISTS {schema}.outbox_shards (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    shards   smallint NOT NULL CHECK (shards > 0)
);

-- Where consumers stand; moved by compare-and-set in the transaction of the effect.
CREATE TABLE IF NOT EXISTS {schema}.consumer_offset (
    consumer    text NOT NULL,
    topic       text NOT NULL,
    partition   integer NOT NULL,
    next_offset bigint NOT NULL,
    cluster_id  text NOT NULL,
    PRIMARY KEY (consumer, topic, partition)
) WITH (fillfactor = 50);

-- First answers of commands, kept 90 days.
CREATE TABLE IF NOT EXISTS {schema}.command_answer (
    scope      text NOT NULL,
    key        text NOT NULL,
    digest     bytea NOT NULL,
    answer     text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (scope, key)
);

-- What would lock a table that running hubs write to is done only where it is not done yet: even
-- an index that exists is asked for under a lock.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = '{schema}.outbox'::regclass
               AND attname = 'records' AND attstorage <> 'e') THEN
        ALTER TABLE {schema}.outbox ALTER COLUMN records SET STORAGE EXTERNAL;
    END IF;
    IF to_regclass('{schema}.outbox_shard') IS NULL THEN
        CREATE INDEX outbox_shard ON {schema}.outbox (shard, id);
    END IF;
    IF to_regclass('{schema}.command_answer_age') IS NULL THEN
        CREATE INDEX command_answer_age ON {schema}.command_answer (created_at);
    END IF;
END
$$;
