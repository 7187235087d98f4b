-- The payee's key as it was registered, where that is otherwise than the payer wrote it: the hub
-- tells it to a payee's bank whose program finds its keys by that text alone.
ALTER TABLE banking.outgoing_transfer ADD COLUMN payee_key_registered_as text;
