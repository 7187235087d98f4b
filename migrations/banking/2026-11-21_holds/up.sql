-- What is held on an account, newest first: the open ones among its outgoing transfers, of which a
-- busy account has few and its past many.
CREATE INDEX outgoing_transfer_holds
    ON banking.outgoing_transfer (payer_account_id, requested_at, end_to_end_id)
    WHERE state = 'requested';
