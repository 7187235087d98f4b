//! What callers see of accounts and entries; as JSON, the first answer of a command.

use serde::{Deserialize, Serialize};
use shared_kernel::domain::{AccountId, BankCode, Ispb, TaxId, Timestamp};

use super::ports::ListedAccount;
use crate::domain::{AccountStatus, Entry, EntryId, OwnerName, Participant, PixKey};

/// The bank of an account, by the names that people know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BankView {
    /// Short code.
    pub code: BankCode,
    /// Name.
    pub name: String,
}

impl From<Participant> for BankView {
    fn from(Participant { code, name, .. }: Participant) -> Self {
        Self { code, name }
    }
}

/// An account that was opened or enrolled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountView {
    /// Its id.
    pub account_id: AccountId,
    /// Its bank.
    pub ispb: Ispb,
    /// What its bank is called; unknown while the participant has not reached the directory.
    pub bank: Option<BankView>,
    /// Branch, may be empty.
    pub branch: String,
    /// Number.
    pub number: String,
    /// Name of its owner.
    pub owner_name: OwnerName,
    /// CPF or CNPJ of its owner.
    pub owner_tax_id: TaxId,
    /// Its state.
    pub status: AccountStatus,
}

impl AccountView {
    /// The view of an account; none while its opening has not come.
    pub fn of(listed: &ListedAccount) -> Option<Self> {
        let ListedAccount { account, participant } = listed;
        let details = account.details()?.clone();
        Some(Self {
            account_id: account.id(),
            ispb: account.ispb(),
            bank: participant.clone().map(BankView::from),
            branch: details.branch,
            number: details.number,
            owner_name: details.owner.name,
            owner_tax_id: details.owner.tax_id,
            status: account.status(),
        })
    }
}

/// A key that names an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryView {
    /// This registration.
    pub entry_id: EntryId,
    /// The key.
    pub key: PixKey,
    /// The account that it names.
    pub account: AccountView,
    /// When it was registered.
    pub created_at: Timestamp,
    /// Start of the owner's uninterrupted possession.
    pub owned_since: Timestamp,
}

impl EntryView {
    /// The view of an active entry of the account.
    pub fn of(entry: &Entry, listed: &ListedAccount) -> Option<Self> {
        let held = entry.holding()?;
        Some(Self {
            entry_id: held.entry_id,
            key: entry.key().clone(),
            account: AccountView::of(listed)?,
            created_at: held.created_at,
            owned_since: held.owned_since,
        })
    }
}
