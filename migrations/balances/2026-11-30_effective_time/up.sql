-- A bank's clock may have stood back between two events of an account. An account is as of an
-- instant what the newest version makes it of those that took effect by then; a version takes
-- effect when it happened, or at the latest time of the versions before it, where that is later.
-- Then it stands here; almost always it is null.
ALTER TABLE balances.account_history ADD COLUMN raised_at timestamptz;

UPDATE balances.account_history AS entry SET raised_at = settled.effective_at FROM (
    SELECT account_id, version, max(occurred_at) OVER (PARTITION BY account_id ORDER BY version)
        AS effective_at
    FROM balances.account_history) AS settled
WHERE entry.account_id = settled.account_id AND entry.version = settled.version
    AND settled.effective_at > entry.occurred_at;

-- In the place of the index by the bank's time: it orders by version too.
CREATE INDEX account_history_effective ON balances.account_history
    (account_id, (coalesce(raised_at, occurred_at)), version);
DROP INDEX balances.account_history_time;
