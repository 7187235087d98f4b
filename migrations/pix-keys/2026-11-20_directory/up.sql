-- What a participant is called: a copy, fed by the hub's events.
CREATE TABLE pix_keys.participant (
    ispb    text PRIMARY KEY CHECK (length(ispb) = 8),
    code    text NOT NULL,
    name    text NOT NULL,
    version bigint NOT NULL
);

-- Accounts as their banks tell of them (version of the last news), or as operators enrol them
-- (version 0). Details are empty while the opening has not come but later news has.
CREATE TABLE pix_keys.account (
    account_id   uuid PRIMARY KEY,
    ispb         text NOT NULL CHECK (length(ispb) = 8),
    branch       text,
    number       text,
    owner_name   text,
    owner_tax_id text,
    status       text NOT NULL CHECK (status IN ('active', 'blocked', 'closed')),
    version      bigint NOT NULL CHECK (version >= 0),
    CHECK (num_nulls(branch, number, owner_name, owner_tax_id) IN (0, 4))
) WITH (fillfactor = 90);

-- One row per key text, for ever: a removed key keeps its row and its version. Keys are compared
-- by their bytes.
CREATE TABLE pix_keys.entry (
    key            text COLLATE "C" PRIMARY KEY CHECK (length(key) BETWEEN 1 AND 77),
    kind           text NOT NULL CHECK (kind IN ('cpf', 'cnpj', 'email', 'phone', 'evp')),
    entry_id       uuid NOT NULL UNIQUE,
    account_id     uuid NOT NULL REFERENCES pix_keys.account,
    ispb           text NOT NULL,
    owner_tax_id   text NOT NULL,
    state          text NOT NULL CHECK (state IN ('active', 'removed')),
    created_at     timestamptz NOT NULL,
    owned_since    timestamptz NOT NULL,
    removed_at     timestamptz,
    removal_reason text,
    version        bigint NOT NULL CHECK (version >= 1),
    CHECK (num_nulls(removed_at, removal_reason) = CASE state WHEN 'active' THEN 2 ELSE 0 END)
);

-- The keys that an account has: its list, its limit, its closing.
CREATE INDEX entry_of_account ON pix_keys.entry (account_id) WHERE state = 'active';
