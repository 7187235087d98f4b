//! The columns that more than one statement reads; statements are static texts, so these are
//! macros for `concat!`.

/// What an `AccountRow` is made of, from `account` and an outer join with `participant`.
macro_rules! account_columns {
    () => {
        "account.account_id, account.ispb, account.branch, account.number, account.owner_name, \
         account.owner_tax_id, account.status, account.version AS account_version, \
         participant.code AS bank_code, participant.name AS bank_name, \
         participant.version AS participant_version"
    };
}

/// What an `EntryRow` is made of.
macro_rules! entry_columns {
    () => {
        "key, entry_id, account_id, ispb, owner_tax_id, created_at, owned_since, removed_at, \
         removal_reason, version, registered_as"
    };
}

/// The active entries with their accounts, up to a further condition.
macro_rules! active_entries {
    () => {
        concat!(
            "SELECT entry.key, entry.entry_id, entry.created_at, entry.owned_since, \
             entry.registered_as, ",
            account_columns!(),
            " FROM pix_keys.entry JOIN pix_keys.account USING (account_id) \
             LEFT JOIN pix_keys.participant ON participant.ispb = account.ispb \
             WHERE entry.state = 'active' AND "
        )
    };
}

pub(super) use {account_columns, active_entries, entry_columns};
