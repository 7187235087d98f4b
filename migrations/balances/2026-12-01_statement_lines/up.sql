-- A statement has only what moved money: the entries between, of holds that were placed and released,
-- are not walked over, however many they are.
CREATE INDEX account_history_moved ON balances.account_history
    (account_id, (coalesce(raised_at, occurred_at)), version) WHERE movement IS NOT NULL;
