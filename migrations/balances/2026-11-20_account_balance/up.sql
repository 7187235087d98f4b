-- The newest statement of each account, and which of its events never arrived.
CREATE TABLE balances.account_balance (
    account_id uuid PRIMARY KEY,
    ispb       text NOT NULL CHECK (length(ispb) = 8),
    -- Empty until the opening arrives: a later event may be first here.
    owner_name text,
    available  bigint NOT NULL CHECK (available >= 0),
    held       bigint NOT NULL CHECK (held >= 0),
    version    bigint NOT NULL CHECK (version >= 1),
    -- Versions below `version` whose event has not arrived.
    missing    int8multirange NOT NULL,
    updated_at timestamptz NOT NULL
) WITH (fillfactor = 70);

CREATE INDEX account_balance_bank ON balances.account_balance (ispb, account_id);
CREATE INDEX account_balance_gaps ON balances.account_balance (account_id)
    WHERE NOT isempty(missing);
