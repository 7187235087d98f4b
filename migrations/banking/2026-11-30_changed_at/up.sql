-- When the newest event of an account happened: no event of it is dated before the one that it
-- follows, whatever the clock of the process says. What happened before this migration did so
-- before now. The default stays: a hub of the version before, which runs meanwhile, opens accounts.
ALTER TABLE banking.account ADD COLUMN changed_at timestamptz NOT NULL DEFAULT now();
