//! What is selected, once for all statements, as the rows name it.

/// Columns of an account, as `AccountRow` names them.
macro_rules! account {
    ($where:literal) => {
        concat!(
            "SELECT id, ispb, branch, number, owner_name, owner_tax_id, status, balance, held, \
             limit_per_transfer, limit_per_day, spent_day, spent, opened_at, changed_at, \
             version FROM banking.account ",
            $where
        )
    };
}

/// Columns of an outgoing transfer, as `SideRow` names them.
macro_rules! outgoing {
    ($where:literal) => {
        concat!(
            "SELECT end_to_end_id, payer_ispb, payer_account_id, payer_name, payer_tax_id, \
             payee_ispb, payee_account_id, payee_name, payee_tax_id, payee_key, \
             payee_key_registered_as, amount, description, requested_at AS ordered_at, \
             deadline, state, reason_code, \
             NULL::timestamptz AS answered_at, finished_at, resend_at, resends, trace \
             FROM banking.outgoing_transfer ",
            $where
        )
    };
}

/// Columns of an incoming transfer, as `SideRow` names them.
macro_rules! incoming {
    ($where:literal) => {
        concat!(
            "SELECT end_to_end_id, payer_ispb, payer_account_id, payer_name, payer_tax_id, \
             payee_ispb, payee_account_id, payee_name, payee_tax_id, payee_key, \
             NULL::text AS payee_key_registered_as, amount, description, \
             registered_at AS ordered_at, deadline, state, reason_code, \
             answered_at, finished_at, resend_at, resends, trace \
             FROM banking.incoming_transfer ",
            $where
        )
    };
}

/// Columns of a transfer within a bank, as `SideRow` names them: settled when it was ordered, and
/// never told again.
macro_rules! book {
    ($where:literal) => {
        concat!(
            "SELECT end_to_end_id, ispb AS payer_ispb, payer_account_id, payer_name, \
             payer_tax_id, ispb AS payee_ispb, payee_account_id, payee_name, payee_tax_id, \
             payee_key, NULL::text AS payee_key_registered_as, amount, description, \
             booked_at AS ordered_at, booked_at AS deadline, \
             'settled' AS state, NULL::text AS reason_code, NULL::timestamptz AS answered_at, \
             booked_at AS finished_at, booked_at AS resend_at, 0 AS resends, '' AS trace \
             FROM banking.book_transfer ",
            $where
        )
    };
}

pub(super) use {account, book, incoming, outgoing};
