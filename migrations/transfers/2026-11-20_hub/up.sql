-- The hub: who takes part, every order it has ever seen, what is still open, what each bank owes.

CREATE TABLE transfers.participant (
    ispb           text COLLATE "C" PRIMARY KEY CHECK (ispb ~ '^[0-9A-Z]{8}$'),
    code           text COLLATE "C" NOT NULL UNIQUE,
    name           text NOT NULL,
    protocol       text NOT NULL CHECK (protocol IN ('native', 'classic')),
    status         text NOT NULL CHECK (status IN ('active', 'suspended')),
    position_limit bigint CHECK (position_limit >= 0),
    enrolled_at    timestamptz NOT NULL,
    version        bigint NOT NULL CHECK (version > 0)
);

-- What each participant owes (negative) or is owed (positive), in centavos. The sum is zero.
CREATE TABLE transfers.position (
    ispb     text COLLATE "C" PRIMARY KEY REFERENCES transfers.participant (ispb),
    amount   bigint NOT NULL DEFAULT 0,
    reserved bigint NOT NULL DEFAULT 0 CHECK (reserved >= 0)
) WITH (fillfactor = 10);

-- No column that changes on the way to `completed` is in an index, so that those updates stay
-- within their page (heap-only). `reason` is set once, by a rejection or an expiry.
CREATE TABLE transfers.transfer (
    end_to_end_id      text COLLATE "C" PRIMARY KEY CHECK (length(end_to_end_id) = 32),
    digest             bytea NOT NULL,
    amount             bigint NOT NULL CHECK (amount BETWEEN 1 AND 999999999999),
    payer_ispb         text COLLATE "C" NOT NULL,
    payer_account_id   uuid NOT NULL,
    payer_owner_name   text NOT NULL,
    payer_owner_tax_id text NOT NULL,
    payee_ispb         text COLLATE "C" NOT NULL,
    payee_account_id   uuid NOT NULL,
    payee_owner_name   text NOT NULL,
    payee_owner_tax_id text NOT NULL,
    payee_key          text NOT NULL,
    description        text NOT NULL,
    registered_at      timestamptz NOT NULL,
    deadline           timestamptz NOT NULL,
    reserves           boolean NOT NULL,
    payee_told         boolean NOT NULL,
    state              text NOT NULL
        CHECK (state IN ('pending', 'confirmed', 'completed', 'rejected', 'expired')),
    reason             text,
    confirmed_at       timestamptz,
    finished_at        timestamptz,
    payer_reported     boolean NOT NULL,
    payee_reported     boolean NOT NULL,
    version            bigint NOT NULL CHECK (version > 0),
    CHECK ((state IN ('rejected', 'expired')) = (reason IS NOT NULL)),
    CHECK ((state IN ('confirmed', 'completed')) = (confirmed_at IS NOT NULL)),
    CHECK ((state IN ('completed', 'rejected', 'expired')) = (finished_at IS NOT NULL)),
    CHECK ((state = 'completed') = (payer_reported AND payee_reported))
) WITH (fillfactor = 50);

CREATE INDEX transfer_newest ON transfers.transfer (registered_at, end_to_end_id);
CREATE INDEX transfer_of_payer ON transfers.transfer (payer_ispb, registered_at, end_to_end_id);
CREATE INDEX transfer_of_payee ON transfers.transfer (payee_ispb, registered_at, end_to_end_id);
CREATE INDEX transfer_failed ON transfers.transfer (registered_at, end_to_end_id)
    WHERE reason IS NOT NULL;

-- Transfers that are pending or confirmed, and what the sweepers need to know of them: a row goes
-- when its transfer reaches a final state, so the table stays as small as what is under way. It is
-- written by the statement that writes the transfer; a foreign key would cost a query for each row.
CREATE TABLE transfers.open_transfer (
    end_to_end_id text COLLATE "C" PRIMARY KEY,
    -- Partition of codepix.banking.transfers that the order came from.
    origin        integer NOT NULL,
    -- Trace of the order.
    trace         text NOT NULL,
    deadline      timestamptz NOT NULL,
    -- When to send TransferConfirmed again; set by the confirmation.
    resend_at     timestamptz,
    resends       integer NOT NULL DEFAULT 0 CHECK (resends >= 0)
) WITH (
    fillfactor = 60,
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
    autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 5000
);

CREATE INDEX open_transfer_due ON transfers.open_transfer (origin, deadline)
    WHERE resend_at IS NULL;
CREATE INDEX open_transfer_unreported ON transfers.open_transfer (resend_at)
    WHERE resend_at IS NOT NULL;
