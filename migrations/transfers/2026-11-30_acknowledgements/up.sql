-- What operators noted once the banks had settled between them what was credited after a refusal.
ALTER TABLE transfers.resolution
    ADD COLUMN acknowledgement text,
    ADD COLUMN acknowledged_at timestamptz,
    ADD CHECK ((acknowledgement IS NULL) = (acknowledged_at IS NULL));
