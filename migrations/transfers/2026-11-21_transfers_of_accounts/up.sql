-- The transfers of an account, newest first. What these indexes hold never changes, so the updates
-- on the way to `completed` stay within their page.

CREATE INDEX transfer_of_payer_account
    ON transfers.transfer (payer_account_id, registered_at, end_to_end_id);
CREATE INDEX transfer_of_payee_account
    ON transfers.transfer (payee_account_id, registered_at, end_to_end_id);
