-- The banks: customers, accounts, double-entry ledger, holds and expected credits.
--
-- Money is whole centavos. The hot tables (transfers, entries) have no foreign keys: each would
-- cost a look-up per row, and `codepix doctor` proves the same from outside. Words are text with
-- checks, so that an operator can read them.

-- Banks whose books are kept here, as the participants' topic tells of them.
CREATE TABLE banking.bank (
    ispb                text PRIMARY KEY,
    code                text NOT NULL,
    name                text NOT NULL,
    primary_color       text NOT NULL,
    secondary_color     text NOT NULL,
    -- False once the participant is classic: its books are elsewhere, its accounts rest.
    hosted              boolean NOT NULL,
    -- The account number that is given next, unless someone chose that one.
    next_number         bigint NOT NULL DEFAULT 10001,
    -- Version of the participant; an older event changes nothing.
    participant_version bigint NOT NULL
);

CREATE TABLE banking.customer (
    ispb       text NOT NULL,
    tax_id     text NOT NULL,
    name       text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (ispb, tax_id)
);

CREATE TABLE banking.account (
    id                 uuid PRIMARY KEY,
    ispb               text NOT NULL REFERENCES banking.bank (ispb),
    branch             text NOT NULL,
    number             text NOT NULL,
    -- The customer's, who keeps it: here too, so that the hot path joins nothing.
    owner_name         text NOT NULL,
    owner_tax_id       text NOT NULL,
    status             text NOT NULL CHECK (status IN ('active', 'blocked', 'closed')),
    balance            bigint NOT NULL,
    held               bigint NOT NULL,
    limit_per_transfer bigint CHECK (limit_per_transfer >= 0),
    limit_per_day      bigint CHECK (limit_per_day >= 0),
    -- Day in Brasília as days since 1970-01-01, and what was sent on it.
    spent_day          integer NOT NULL,
    spent              bigint NOT NULL CHECK (spent >= 0),
    opened_at          timestamptz NOT NULL,
    version            bigint NOT NULL CHECK (version > 0),
    CONSTRAINT account_number UNIQUE (ispb, branch, number),
    CONSTRAINT account_owner FOREIGN KEY (ispb, owner_tax_id)
        REFERENCES banking.customer (ispb, tax_id),
    CONSTRAINT account_held_not_negative CHECK (held >= 0),
    CONSTRAINT account_available_not_negative CHECK (balance - held >= 0)
-- Room on each page, so that updates of a balance touch no index.
) WITH (fillfactor = 50);
CREATE INDEX account_of_bank ON banking.account (ispb, opened_at, id);

-- Accounts of the banks themselves; they may be negative.
CREATE TABLE banking.ledger_account (
    id      uuid PRIMARY KEY,
    ispb    text NOT NULL,
    kind    text NOT NULL CHECK (kind IN ('cash', 'settlement', 'unapplied-credits')),
    balance bigint NOT NULL,
    CONSTRAINT ledger_account_kind UNIQUE (ispb, kind)
) WITH (fillfactor = 10);

-- Both sides of every posting, which is (reference, leg). Credit positive, debit negative.
CREATE TABLE banking.entry (
    reference       text COLLATE "C" NOT NULL,
    leg             text NOT NULL
        CHECK (leg IN ('payer', 'payee', 'book', 'deposit', 'withdrawal')),
    account_id      uuid NOT NULL,
    id              uuid NOT NULL,
    ispb            text NOT NULL,
    amount          bigint NOT NULL CHECK (amount <> 0),
    -- Of customers' accounts alone: balance and version after the entry.
    balance_after   bigint CHECK (balance_after >= 0),
    account_version bigint,
    posted_at       timestamptz NOT NULL,
    -- A repeat cannot post twice.
    PRIMARY KEY (reference, leg, account_id),
    CHECK ((balance_after IS NULL) = (account_version IS NULL))
);
CREATE UNIQUE INDEX entry_statement ON banking.entry (account_id, account_version)
    WHERE account_version IS NOT NULL;

-- Payer's side: a hold until the hub has spoken.
CREATE TABLE banking.outgoing_transfer (
    end_to_end_id    text COLLATE "C" PRIMARY KEY,
    state            text NOT NULL
        CHECK (state IN ('requested', 'settled', 'rejected', 'expired')),
    payer_ispb       text NOT NULL,
    payer_account_id uuid NOT NULL,
    payer_name       text NOT NULL,
    payer_tax_id     text NOT NULL,
    payee_ispb       text NOT NULL,
    payee_account_id uuid NOT NULL,
    payee_name       text NOT NULL,
    payee_tax_id     text NOT NULL,
    payee_key        text NOT NULL,
    amount           bigint NOT NULL CHECK (amount > 0),
    description      text NOT NULL,
    requested_at     timestamptz NOT NULL,
    deadline         timestamptz NOT NULL,
    reason_code      text,
    finished_at      timestamptz,
    resend_at        timestamptz NOT NULL,
    resends          integer NOT NULL,
    trace            text NOT NULL,
    CHECK ((finished_at IS NULL) = (state = 'requested'))
);
CREATE INDEX outgoing_transfer_of_account
    ON banking.outgoing_transfer (payer_account_id, requested_at, end_to_end_id);
CREATE INDEX outgoing_transfer_open ON banking.outgoing_transfer (resend_at)
    WHERE state = 'requested';

-- Payee's side: an expected credit until the hub has spoken.
CREATE TABLE banking.incoming_transfer (
    end_to_end_id    text COLLATE "C" PRIMARY KEY,
    state            text NOT NULL
        CHECK (state IN ('expected', 'credited', 'unapplied', 'cancelled', 'refused')),
    payer_ispb       text NOT NULL,
    payer_account_id uuid NOT NULL,
    payer_name       text NOT NULL,
    payer_tax_id     text NOT NULL,
    payee_ispb       text NOT NULL,
    payee_account_id uuid NOT NULL,
    payee_name       text NOT NULL,
    payee_tax_id     text NOT NULL,
    payee_key        text NOT NULL,
    amount           bigint NOT NULL CHECK (amount > 0),
    description      text NOT NULL,
    registered_at    timestamptz NOT NULL,
    deadline         timestamptz NOT NULL,
    reason_code      text,
    answered_at      timestamptz,
    finished_at      timestamptz,
    resend_at        timestamptz NOT NULL,
    resends          integer NOT NULL,
    trace            text NOT NULL,
    CHECK ((finished_at IS NULL) = (state = 'expected'))
);
CREATE INDEX incoming_transfer_of_account
    ON banking.incoming_transfer (payee_account_id, registered_at, end_to_end_id);
CREATE INDEX incoming_transfer_open ON banking.incoming_transfer (payee_account_id, resend_at)
    WHERE state = 'expected';
CREATE INDEX incoming_transfer_unapplied ON banking.incoming_transfer (end_to_end_id)
    WHERE state = 'unapplied';

-- Within one bank: settled at once.
CREATE TABLE banking.book_transfer (
    end_to_end_id    text COLLATE "C" PRIMARY KEY,
    ispb             text NOT NULL,
    payer_account_id uuid NOT NULL,
    payer_name       text NOT NULL,
    payer_tax_id     text NOT NULL,
    payee_account_id uuid NOT NULL,
    payee_name       text NOT NULL,
    payee_tax_id     text NOT NULL,
    payee_key        text NOT NULL,
    amount           bigint NOT NULL CHECK (amount > 0),
    description      text NOT NULL,
    booked_at        timestamptz NOT NULL,
    CHECK (payer_account_id <> payee_account_id)
);
CREATE INDEX book_transfer_of_payer
    ON banking.book_transfer (payer_account_id, booked_at, end_to_end_id);
CREATE INDEX book_transfer_of_payee
    ON banking.book_transfer (payee_account_id, booked_at, end_to_end_id);

-- Keys as the directory's topic tells of them: the owner is absent once a key is removed.
CREATE TABLE banking.pix_key (
    key          text PRIMARY KEY,
    account_id   uuid,
    ispb         text,
    owner_name   text,
    owner_tax_id text,
    version      bigint NOT NULL,
    CHECK ((account_id IS NULL) = (ispb IS NULL)),
    CHECK ((account_id IS NULL) = (owner_name IS NULL)),
    CHECK ((account_id IS NULL) = (owner_tax_id IS NULL))
);
