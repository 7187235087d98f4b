//! What callers see of accounts and entries; as JSON, the first answer of a command.

use serde::{Deserialize, Serialize};
use shared_kernel::application::Caller;
use shared_kernel::domain::{AccountId, BankCode, Ispb, TaxId, Timestamp, Violation};

use super::ports::ListedAccount;
use crate::domain::error;
use crate::domain::{AccountStatus, Entry, EntryId, OwnerName, Participant, PixKey, Spelling};

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

/// An account as a caller may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShownAccount {
    /// Whole, for its own bank and for operators.
    Own(AccountView),
    /// Where it is kept, for every other bank.
    Foreign {
        /// Its id.
        account_id: AccountId,
        /// Its bank.
        ispb: Ispb,
        /// What its bank is called.
        bank: Option<BankView>,
    },
}

impl ShownAccount {
    /// What `caller` sees of an account.
    pub fn to(caller: &Caller, account: AccountView) -> Self {
        if caller.may_act_for(&account.ispb).is_ok() {
            return Self::Own(account);
        }
        let AccountView { account_id, ispb, bank, .. } = account;
        Self::Foreign { account_id, ispb, bank }
    }
}

/// The rule that an account is there for its own bank and for operators: to a stranger it does
/// not exist.
///
/// # Errors
/// `account_not_found`.
pub(super) fn own_account(caller: &Caller, ispb: Ispb) -> Result<(), Violation> {
    caller.may_act_for(&ispb).map_err(|_stranger| error::account_not_found())
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
    /// How the key was written when it was registered, if not in canonical form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spelling: Option<Spelling>,
}

impl EntryView {
    /// The key as it was written when it was registered.
    pub fn registered_as(&self) -> &str {
        self.spelling.as_ref().map_or(self.key.as_str(), Spelling::as_str)
    }

    /// The view of an active entry of the account.
    pub fn of(entry: &Entry, listed: &ListedAccount) -> Option<Self> {
        let held = entry.holding()?;
        Some(Self {
            entry_id: held.entry_id,
            key: entry.key().clone(),
            account: AccountView::of(listed)?,
            created_at: held.created_at,
            owned_since: held.owned_since,
            spelling: entry.spelling().cloned(),
        })
    }
}
