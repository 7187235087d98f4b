-- What programs beside the hub (Wallet Core) say that accounts have, message by message. Only added
-- to, so neither order nor repetition of messages matters: the newest record time wins, then the
-- partition, then the offset. A fixture stands before every record, at partition -1.
CREATE TABLE balances.external_balance (
    account_id    uuid NOT NULL,
    recorded_at   timestamptz NOT NULL,
    partition     integer NOT NULL,
    record_offset bigint NOT NULL,
    balance       bigint NOT NULL CHECK (balance >= 0),
    PRIMARY KEY (account_id, recorded_at, partition, record_offset)
);

-- Accounts that such a program has opened, since the earliest time that it said so: nothing is on
-- them until it says otherwise.
CREATE TABLE balances.external_account (
    account_id uuid PRIMARY KEY,
    since      timestamptz NOT NULL
);
