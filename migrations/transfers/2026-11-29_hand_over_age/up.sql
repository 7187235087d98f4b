-- Since when a hand-over waits: one that does not leave is seen.
ALTER TABLE transfers.hand_over ADD COLUMN stored_at timestamptz NOT NULL DEFAULT now();
