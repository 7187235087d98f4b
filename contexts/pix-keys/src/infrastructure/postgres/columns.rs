//! Aggregates turned on their side: one array per column, so that a batch is one statement.

use diesel::pg::data_types::PgTimestamp;
use shared_kernel::infrastructure::postgres::instant;
use uuid::Uuid;

use crate::domain::{Account, Entry, EntryState, RemovalReason, Spelling};

/// Columns of `account`.
#[derive(Default)]
pub(super) struct AccountColumns<'a> {
    pub(super) ids: Vec<Uuid>,
    pub(super) ispbs: Vec<String>,
    pub(super) branches: Vec<Option<&'a str>>,
    pub(super) numbers: Vec<Option<&'a str>>,
    pub(super) owner_names: Vec<Option<&'a str>>,
    pub(super) owner_tax_ids: Vec<Option<&'a str>>,
    pub(super) statuses: Vec<&'static str>,
    pub(super) versions: Vec<i64>,
}

impl<'a> AccountColumns<'a> {
    /// The columns of these accounts, row by row.
    pub(super) fn of(accounts: &'a [Account]) -> Self {
        let mut columns = Self::default();
        for account in accounts {
            let details = account.details();
            columns.ids.push(account.id().uuid());
            columns.ispbs.push(account.ispb().to_string());
            columns.branches.push(details.map(|details| details.branch.as_str()));
            columns.numbers.push(details.map(|details| details.number.as_str()));
            columns.owner_names.push(details.map(|details| details.owner.name.as_str()));
            columns.owner_tax_ids.push(details.map(|details| details.owner.tax_id.as_str()));
            columns.statuses.push(account.status().as_str());
            columns.versions.push(account.version());
        }
        columns
    }
}

/// Columns of `entry`.
#[derive(Default)]
pub(super) struct EntryColumns<'a> {
    pub(super) keys: Vec<&'a str>,
    pub(super) kinds: Vec<&'static str>,
    pub(super) entry_ids: Vec<Uuid>,
    pub(super) account_ids: Vec<Uuid>,
    pub(super) ispbs: Vec<String>,
    pub(super) owner_tax_ids: Vec<&'a str>,
    pub(super) states: Vec<&'static str>,
    pub(super) created_at: Vec<PgTimestamp>,
    pub(super) owned_since: Vec<PgTimestamp>,
    pub(super) removed_at: Vec<Option<PgTimestamp>>,
    pub(super) removal_reasons: Vec<Option<&'static str>>,
    pub(super) versions: Vec<i64>,
    pub(super) registered_as: Vec<Option<&'a str>>,
}

impl<'a> EntryColumns<'a> {
    /// The columns of these entries, in the order of their keys. A vacant entry has no row.
    pub(super) fn of(entries: impl Iterator<Item = &'a Entry>) -> Self {
        let mut entries: Vec<&Entry> = entries.collect();
        entries.sort_by_key(|entry| entry.key().as_str());
        let mut columns = Self::default();
        for entry in entries {
            let (held, end) = match entry.state() {
                EntryState::Vacant => continue,
                EntryState::Active(held) => (held, None),
                EntryState::Removed { last, reason, removed_at } => {
                    (last, Some((*reason, *removed_at)))
                }
            };
            columns.keys.push(entry.key().as_str());
            columns.kinds.push(entry.key().kind().as_str());
            columns.entry_ids.push(held.entry_id.uuid());
            columns.account_ids.push(held.account_id.uuid());
            columns.ispbs.push(held.ispb.to_string());
            columns.owner_tax_ids.push(held.owner_tax_id.as_str());
            columns.states.push(if end.is_none() { "active" } else { "removed" });
            columns.created_at.push(instant(held.created_at));
            columns.owned_since.push(instant(held.owned_since));
            columns.removed_at.push(end.map(|(_, removed_at)| instant(removed_at)));
            let reason = end.map(|(reason, _): (RemovalReason, _)| reason.as_str());
            columns.removal_reasons.push(reason);
            columns.versions.push(entry.version());
            columns.registered_as.push(entry.spelling().map(Spelling::as_str));
        }
        columns
    }
}
