//! Pix keys.

use async_graphql::{Enum, ID, SimpleObject};
use shared_kernel::domain::Ispb;
use shared_kernel::infrastructure::graphql::{DateTime, TaxId};

use super::account::Account;
use crate::application::EntryView;
use crate::domain;

/// Kind of a Pix key. The set is open: the central bank may add to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::PixKeyKind")]
pub(super) enum PixKeyKind {
    /// Tax id of a person, 11 digits.
    Cpf,
    /// Tax id of a company, 14 characters.
    Cnpj,
    /// Electronic mail address, in lower case.
    Email,
    /// Telephone number with `+` and country code.
    Phone,
    /// Random key, made by the directory.
    Evp,
}

// The hub's.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(unresolvable = "id")]
pub(super) struct Bank {
    id: ID,
}

impl From<Ispb> for Bank {
    fn from(ispb: Ispb) -> Self {
        Self { id: ispb.into() }
    }
}

/// A Pix key: the text by which a payer names an account.
#[derive(Clone, SimpleObject)]
pub(super) struct PixKey {
    /// The key in canonical form.
    id: ID,
    /// The key in canonical form.
    key: String,
    /// What kind of key it is.
    kind: PixKeyKind,
    /// The key as the account's bank wrote it last: existing bank programs look it up so.
    registered_as: String,
    /// This registration of it: a key that is removed and registered again has another.
    entry_id: ID,
    /// The account that it names; null where Banking does not answer for it.
    account: Option<Account>,
    /// The bank that keeps the account; null where the hub does not answer for it.
    bank: Option<Bank>,
    /// Name of the owner of the account.
    owner_name: String,
    /// CPF or CNPJ of the owner of the account.
    owner_tax_id: TaxId,
    /// When it was registered.
    created_at: DateTime,
    /// Start of its owner's uninterrupted possession.
    owned_since: DateTime,
}

impl From<EntryView> for PixKey {
    fn from(entry: EntryView) -> Self {
        let text = entry.key.as_str().to_owned();
        Self {
            id: ID(text.clone()),
            key: text,
            kind: entry.key.kind().into(),
            registered_as: entry.registered_as().to_owned(),
            entry_id: entry.entry_id.into(),
            bank: Some(entry.account.ispb.into()),
            owner_name: entry.account.owner_name.as_str().to_owned(),
            owner_tax_id: entry.account.owner_tax_id.into(),
            account: Some(entry.account.into()),
            created_at: entry.created_at.into(),
            owned_since: entry.owned_since.into(),
        }
    }
}
