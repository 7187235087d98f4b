-- Banks that credit when they are told of a transfer: their programs are not ours, their books are
-- outside.

-- How the banks at the ends take part in a transfer is fixed when the hub takes the order. What
-- changes on the way to `completed` is still in no index.
ALTER TABLE transfers.transfer
    ADD COLUMN payer_credits   text NOT NULL DEFAULT 'on_confirmation'
        CHECK (payer_credits IN ('on_confirmation', 'on_delivery')),
    ADD COLUMN payee_credits   text NOT NULL DEFAULT 'on_confirmation'
        CHECK (payee_credits IN ('on_confirmation', 'on_delivery')),
    -- Under which id banks know it that credit on delivery.
    ADD COLUMN order_id        uuid,
    ADD COLUMN overdue_at      timestamptz,
    -- The payee's bank has credited what an operator had resolved as refused.
    ADD COLUMN contradicted_at timestamptz,
    -- A payer's bank that debits before it orders need not report.
    DROP CONSTRAINT transfer_check3,
    ADD CHECK (NOT (payer_reported AND payee_reported) OR state = 'completed'),
    ADD CHECK (state <> 'completed' OR payee_reported),
    ADD CHECK (state <> 'completed' OR payer_reported OR payer_credits = 'on_delivery'),
    -- What was handed over does not expire.
    ADD CHECK (state <> 'expired' OR payee_credits = 'on_confirmation');

CREATE INDEX transfer_contradicted ON transfers.transfer (end_to_end_id)
    WHERE contradicted_at IS NOT NULL;


-- Overdue transfers wait for their bank or an operator: no deadline of theirs passes again.
ALTER TABLE transfers.open_transfer ADD COLUMN overdue boolean NOT NULL DEFAULT false;
DROP INDEX transfers.open_transfer_due;
CREATE INDEX open_transfer_due ON transfers.open_transfer (origin, deadline)
    WHERE resend_at IS NULL AND NOT overdue;

-- Orders by the ids that bank programs know them by. Unique on the id alone, because confirmations
-- name no bank.
CREATE TABLE transfers.outside_order (
    order_id      uuid PRIMARY KEY,
    -- The payer's bank and account.
    ispb          text COLLATE "C" NOT NULL,
    account_id    uuid NOT NULL,
    -- Fingerprint of what the bank wrote; none when the hub made the id.
    content       bytea,
    -- What became of it: a transfer, or a refusal.
    end_to_end_id text COLLATE "C" UNIQUE,
    payee_ispb    text COLLATE "C",
    refusal       text,
    CHECK ((end_to_end_id IS NULL) = (payee_ispb IS NULL)),
    CHECK ((end_to_end_id IS NULL) = (refusal IS NOT NULL))
);

-- Transfers that wait to be handed over. Not in the outbox: what leaves from there may leave twice.
CREATE TABLE transfers.hand_over (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    shard         smallint NOT NULL,
    end_to_end_id text COLLATE "C" NOT NULL UNIQUE,
    topic         text NOT NULL,
    key           text NOT NULL,
    payload       text NOT NULL,
    trace         text NOT NULL
) WITH (
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
    autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 5000
);

CREATE INDEX hand_over_waiting ON transfers.hand_over (shard, id);

-- What operators decided of overdue transfers, and how they knew.
CREATE TABLE transfers.resolution (
    end_to_end_id text COLLATE "C" PRIMARY KEY,
    resolution    text NOT NULL CHECK (resolution IN ('credited', 'refused')),
    reason        text NOT NULL,
    resolved_at   timestamptz NOT NULL
);
