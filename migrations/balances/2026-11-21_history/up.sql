-- What each account was after each of its events, and the money that the event moved. Only added
-- to: a row never changes.
CREATE TABLE balances.account_history (
    account_id              uuid NOT NULL,
    version                 bigint NOT NULL CHECK (version >= 1),
    occurred_at             timestamptz NOT NULL,
    available               bigint NOT NULL CHECK (available >= 0),
    held                    bigint NOT NULL CHECK (held >= 0),
    -- Null where no money came or went: an opening, a hold, a block.
    movement                text CHECK (movement IN ('deposit', 'withdrawal', 'transfer_sent',
        'transfer_received', 'book_transfer_sent', 'book_transfer_received')),
    amount                  bigint CHECK (amount > 0),
    end_to_end_id           text,
    counterparty_ispb       text,
    counterparty_account_id uuid,
    counterparty_name       text,
    description             text,
    PRIMARY KEY (account_id, version),
    CHECK ((movement IS NULL) = (amount IS NULL) AND (movement IS NULL) = (description IS NULL))
);

-- An account as of an instant, and its statement: newest first by the bank's clock.
CREATE INDEX account_history_time ON balances.account_history (account_id, occurred_at, version);

-- Who pays whom in each transfer, as the hub states it: what the banks' events do not say of the
-- other side. Only added to.
CREATE TABLE balances.transfer (
    end_to_end_id    text COLLATE "C" PRIMARY KEY,
    payer_ispb       text NOT NULL,
    payer_account_id uuid NOT NULL,
    payer_name       text NOT NULL,
    payee_ispb       text NOT NULL,
    payee_account_id uuid NOT NULL,
    payee_name       text NOT NULL,
    payee_key        text NOT NULL
);

-- What is known already lacks its history: the log is read from its beginning once more, which
-- changes no balance.
DELETE FROM balances.consumer_offset;
