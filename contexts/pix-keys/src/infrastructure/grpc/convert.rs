//! Messages into orders, views into messages.

use shared_kernel::application::Caller;
use shared_kernel::domain::{AccountId, EndToEndId, Ispb, TaxId, Timestamp, Violation};

use super::proto;
use crate::application::command::KeyRemoval;
use crate::application::query::{FindAccount, FindKey};
use crate::application::{
    AccountView, BankView, EnrolOrder, EntryView, KeyOrder, RemovalOrder, ShownAccount, WantedKey,
};
use crate::domain::{
    AccountDetails, AccountFields, AccountStatus, PixKey, PixKeyKind, RemovalReason,
};

impl TryFrom<proto::RegisterKeyRequest> for KeyOrder {
    type Error = Violation;

    fn try_from(request: proto::RegisterKeyRequest) -> Result<Self, Violation> {
        let kind = kind_of(request.kind)?;
        Ok(Self {
            wanted: WantedKey::parse(kind, &request.key)?,
            account_id: AccountId::parse(&request.account_id)?,
            request_id: request.request_id,
        })
    }
}

impl TryFrom<proto::RemoveKeyRequest> for RemovalOrder {
    type Error = Violation;

    fn try_from(request: proto::RemoveKeyRequest) -> Result<Self, Violation> {
        Ok(Self {
            key: PixKey::infer(&request.key)?,
            account_id: AccountId::parse(&request.account_id)?,
            reason: reason_of(request.reason)?,
            request_id: request.request_id,
        })
    }
}

impl TryFrom<proto::EnrolAccountRequest> for EnrolOrder {
    type Error = Violation;

    fn try_from(request: proto::EnrolAccountRequest) -> Result<Self, Violation> {
        Ok(Self {
            account_id: AccountId::parse(&request.account_id)?,
            ispb: Ispb::parse(&request.ispb)?,
            details: AccountDetails::parse(AccountFields {
                branch: &request.branch,
                number: &request.number,
                owner_name: &request.owner_name,
                owner_tax_id: &request.owner_tax_id,
            })?,
        })
    }
}

impl TryFrom<proto::FindAccountRequest> for FindAccount {
    type Error = Violation;

    fn try_from(request: proto::FindAccountRequest) -> Result<Self, Violation> {
        Ok(Self { account_id: AccountId::parse(&request.account_id)? })
    }
}

/// A lookup by this caller. What it says of a payment must be well formed, if it says anything.
pub(super) fn find_key(
    caller: &Caller,
    request: &proto::FindKeyRequest,
) -> Result<FindKey, Violation> {
    let requester = given(&request.requester_ispb, |text| {
        Ispb::parse(text).map_err(|broken| broken.on("requester_ispb"))
    })?;
    given(&request.payer_tax_id, |text| {
        TaxId::parse(text).map_err(|broken| broken.on("payer_tax_id"))
    })?;
    given(&request.end_to_end_id, EndToEndId::parse)?;
    FindKey::asked(caller, requester, PixKey::infer(&request.key)?)
}

/// A field that may be empty.
fn given<T>(
    text: &str,
    parse: impl FnOnce(&str) -> Result<T, Violation>,
) -> Result<Option<T>, Violation> {
    if text.is_empty() { Ok(None) } else { parse(text).map(Some) }
}

fn kind_of(number: i32) -> Result<PixKeyKind, Violation> {
    match proto::PixKeyKind::try_from(number) {
        Ok(proto::PixKeyKind::Cpf) => Ok(PixKeyKind::Cpf),
        Ok(proto::PixKeyKind::Cnpj) => Ok(PixKeyKind::Cnpj),
        Ok(proto::PixKeyKind::Email) => Ok(PixKeyKind::Email),
        Ok(proto::PixKeyKind::Phone) => Ok(PixKeyKind::Phone),
        Ok(proto::PixKeyKind::Evp) => Ok(PixKeyKind::Evp),
        Ok(proto::PixKeyKind::Unspecified) | Err(_) => {
            PixKeyKind::parse("").map_err(|broken| broken.on("kind"))
        }
    }
}

const fn kind(kind: PixKeyKind) -> proto::PixKeyKind {
    match kind {
        PixKeyKind::Cpf => proto::PixKeyKind::Cpf,
        PixKeyKind::Cnpj => proto::PixKeyKind::Cnpj,
        PixKeyKind::Email => proto::PixKeyKind::Email,
        PixKeyKind::Phone => proto::PixKeyKind::Phone,
        PixKeyKind::Evp => proto::PixKeyKind::Evp,
    }
}

fn reason_of(number: i32) -> Result<RemovalReason, Violation> {
    match proto::RemovalReason::try_from(number) {
        Ok(proto::RemovalReason::Unspecified | proto::RemovalReason::UserRequested) => {
            Ok(RemovalReason::UserRequested)
        }
        Ok(proto::RemovalReason::AccountClosure) => Ok(RemovalReason::AccountClosure),
        Ok(proto::RemovalReason::Reconciliation) => Ok(RemovalReason::Reconciliation),
        Ok(proto::RemovalReason::Fraud) => Ok(RemovalReason::Fraud),
        Err(_) => Err(RemovalReason::unknown()),
    }
}

const fn status(status: AccountStatus) -> proto::AccountStatus {
    match status {
        AccountStatus::Active => proto::AccountStatus::Active,
        AccountStatus::Blocked => proto::AccountStatus::Blocked,
        AccountStatus::Closed => proto::AccountStatus::Closed,
    }
}

fn time(at: Timestamp) -> prost_types::Timestamp {
    let micros = at.micros().rem_euclid(1_000_000).saturating_mul(1_000);
    prost_types::Timestamp {
        seconds: at.micros().div_euclid(1_000_000),
        nanos: i32::try_from(micros).unwrap_or_default(),
    }
}

/// Code and name of a bank; empty while it is not known.
fn names(bank: Option<BankView>) -> (String, String) {
    bank.map(|BankView { code, name }| (code.to_string(), name)).unwrap_or_default()
}

impl From<AccountView> for proto::Account {
    fn from(account: AccountView) -> Self {
        let (bank_code, bank_name) = names(account.bank);
        Self {
            account_id: account.account_id.to_string(),
            ispb: account.ispb.to_string(),
            bank_code,
            bank_name,
            branch: account.branch,
            number: account.number,
            owner_name: account.owner_name.as_str().to_owned(),
            owner_tax_id: account.owner_tax_id.as_str().to_owned(),
            status: status(account.status).into(),
        }
    }
}

impl From<EntryView> for proto::Entry {
    fn from(entry: EntryView) -> Self {
        Self {
            entry_id: entry.entry_id.to_string(),
            kind: kind(entry.key.kind()).into(),
            key: entry.key.as_str().to_owned(),
            registered_as: entry.registered_as().to_owned(),
            account: Some(entry.account.into()),
            created_at: Some(time(entry.created_at)),
            owned_since: Some(time(entry.owned_since)),
        }
    }
}

impl From<EntryView> for proto::RegisterKeyResponse {
    fn from(entry: EntryView) -> Self {
        Self { entry: Some(entry.into()) }
    }
}

impl From<EntryView> for proto::FindKeyResponse {
    fn from(entry: EntryView) -> Self {
        Self { entry: Some(entry.into()) }
    }
}

impl From<Vec<EntryView>> for proto::ListKeysResponse {
    fn from(entries: Vec<EntryView>) -> Self {
        Self { entries: entries.into_iter().map(proto::Entry::from).collect() }
    }
}

impl From<ShownAccount> for proto::FindAccountResponse {
    fn from(shown: ShownAccount) -> Self {
        let account = match shown {
            ShownAccount::Own(account) => account.into(),
            ShownAccount::Foreign { account_id, ispb, bank } => {
                let (bank_code, bank_name) = names(bank);
                proto::Account {
                    account_id: account_id.to_string(),
                    ispb: ispb.to_string(),
                    bank_code,
                    bank_name,
                    ..proto::Account::default()
                }
            }
        };
        Self { account: Some(account) }
    }
}

impl From<AccountView> for proto::EnrolAccountResponse {
    fn from(account: AccountView) -> Self {
        Self { account: Some(account.into()) }
    }
}

impl From<KeyRemoval> for proto::RemoveKeyResponse {
    fn from(removal: KeyRemoval) -> Self {
        let key = removal.key.as_str().to_owned();
        Self { key, removed_at: Some(time(removal.removed_at)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_and_reason_of_the_protocol_is_one_of_ours() {
        for known in PixKeyKind::ALL {
            assert_eq!(kind_of(kind(*known).into()).unwrap(), *known);
        }
        for number in [0, 99, -1] {
            let broken = kind_of(number).unwrap_err();
            assert_eq!((broken.code(), broken.field()), ("key_kind_unknown", "kind"));
        }
        assert_eq!(reason_of(0).unwrap(), RemovalReason::UserRequested);
        for (number, known) in (1..).zip(RemovalReason::ALL) {
            assert_eq!(reason_of(number).unwrap(), *known);
        }
        assert_eq!(reason_of(9).unwrap_err().code(), "removal_reason_unknown");
    }

    #[test]
    fn times_keep_their_microseconds_before_and_after_the_epoch() {
        let at = |micros| time(Timestamp::from_micros(micros).unwrap());
        assert_eq!((at(1_000_001).seconds, at(1_000_001).nanos), (1, 1_000));
        assert_eq!((at(-1).seconds, at(-1).nanos), (-1, 999_999_000));
    }
}
