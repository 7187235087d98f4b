//! One order in other hands: under the same key with other content, under a key that was used
//! elsewhere, or given by somebody who may not.

use banking::application::account_command::OnAccount;
use banking::application::command::{
    BlockAccount, CloseAccount, Deposit, OpenAccount, PayAccount, RequestTransfer,
    SetAccountLimits, UnblockAccount, Withdraw,
};
use banking::domain::{AccountNumber, Branch, Description, OwnerName, PayeeKey};
use pix_keys::domain::{PixKey, RemovalReason};
use shared_kernel::application::Caller;
use shared_kernel::domain::{AccountId, Amount, Ispb};
use transfers::application::{AcknowledgeCredit, EnrolParticipant, ResolveTransfer};

use super::founding::cpf;
use super::order::{KeyWish, Order};

/// Where a first answer is kept: bank, operation, key. The same key in another scope is another
/// order.
pub(crate) type Scope = (Ispb, &'static str, String);

/// How the content of an order is changed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Variation {
    /// Which of its fields, counted around.
    pub(crate) field: u64,
    /// Another account of the same bank, if there is one.
    pub(crate) account: Option<AccountId>,
}

fn more(amount: Amount) -> Option<Amount> {
    Amount::from_centavos(amount.centavos() + 1).ok()
}

fn else_described() -> Option<Description> {
    Description::parse("something else").ok()
}

impl Variation {
    fn on(&self, on: OnAccount) -> Option<OnAccount> {
        Some(OnAccount { account_id: self.account?, ..on })
    }

    fn wish(&self, wish: KeyWish) -> Option<KeyWish> {
        Some(match self.field % 2 {
            0 => KeyWish { key: PixKey::infer("other@example.com").ok()?, ..wish },
            _ => KeyWish { on: self.on(wish.on.clone())?, ..wish },
        })
    }

    fn open(&self, it: OpenAccount) -> Option<OpenAccount> {
        Some(match self.field % 4 {
            0 => OpenAccount { owner_name: OwnerName::parse("Owner of another").ok()?, ..it },
            1 => OpenAccount { owner_tax_id: cpf(90_001)?, ..it },
            2 => OpenAccount { branch: Some(Branch::parse("77").ok()?), ..it },
            _ => OpenAccount { number: Some(AccountNumber::parse("777777").ok()?), ..it },
        })
    }

    fn pay(&self, it: RequestTransfer) -> Option<RequestTransfer> {
        Some(match self.field % 4 {
            0 => RequestTransfer { description: else_described()?, ..it },
            1 => RequestTransfer { amount: more(it.amount)?, ..it },
            2 => RequestTransfer { payee_key: PayeeKey::parse("shared0@example.com").ok()?, ..it },
            _ => RequestTransfer { on: self.on(it.on.clone())?, ..it },
        })
    }

    fn pay_account(&self, it: PayAccount) -> Option<PayAccount> {
        Some(match self.field % 4 {
            0 => PayAccount { description: else_described()?, ..it },
            1 => PayAccount { amount: more(it.amount)?, ..it },
            2 => PayAccount { payee_account_id: self.account?, ..it },
            _ => PayAccount { on: self.on(it.on.clone())?, ..it },
        })
    }
}

impl Order {
    /// The same key with other content. None where it would be the same, or there is no key.
    pub(crate) fn altered(&self, how: &Variation) -> Option<Self> {
        let other = match self.clone() {
            Self::Deposit(it) => Self::Deposit(match how.field % 2 {
                0 => Deposit { amount: more(it.amount)?, ..it },
                _ => Deposit { on: how.on(it.on.clone())?, ..it },
            }),
            Self::Withdraw(it) => Self::Withdraw(match how.field % 2 {
                0 => Withdraw { amount: more(it.amount)?, ..it },
                _ => Withdraw { on: how.on(it.on.clone())?, ..it },
            }),
            Self::Open(it) => Self::Open(how.open(it)?),
            Self::Pay(it) => Self::Pay(how.pay(it)?),
            Self::PayAccount(it) => Self::PayAccount(how.pay_account(it)?),
            Self::Register(it) => Self::Register(how.wish(it)?),
            Self::Make(on, request_id) if how.field.is_multiple_of(2) => {
                // Another key than a random one, under the same id.
                let key = PixKey::infer("other@example.com").ok()?;
                Self::Register(KeyWish { on, request_id, key })
            }
            Self::Make(on, request_id) => Self::Make(how.on(on)?, request_id),
            Self::Remove(it, reason) if how.field.is_multiple_of(3) => {
                let other = if reason == RemovalReason::Fraud {
                    RemovalReason::Reconciliation
                } else {
                    RemovalReason::Fraud
                };
                Self::Remove(it, other)
            }
            Self::Remove(it, reason) => Self::Remove(how.wish(it)?, reason),
            Self::Enrol(_)
            | Self::EnrolAccount(..)
            | Self::Resolve(_)
            | Self::Acknowledge(_)
            | Self::Block(_)
            | Self::Unblock(_)
            | Self::Close(_)
            | Self::Limit(_) => return None,
        };
        (other.content() != self.content()).then_some(other)
    }

    /// What a key stands for, in a form that can be compared. As texts, because values that are a
    /// person's do not show themselves.
    pub(super) fn content(&self) -> Option<Vec<String>> {
        let on = |on: &OnAccount| on.account_id.to_string();
        let of = |amount: &Amount| amount.centavos().to_string();
        let text = |text: &str| text.to_owned();
        Some(match self {
            Self::Open(it) => vec![
                text(it.owner_name.as_str()),
                text(it.owner_tax_id.as_str()),
                text(it.branch.as_ref().map_or("", Branch::as_str)),
                text(it.number.as_ref().map_or("", AccountNumber::as_str)),
            ],
            Self::Deposit(it) => vec![on(&it.on), of(&it.amount)],
            Self::Withdraw(it) => vec![on(&it.on), of(&it.amount)],
            Self::Pay(it) => {
                let (key, words) = (text(it.payee_key.as_str()), text(it.description.as_str()));
                vec![on(&it.on), key, of(&it.amount), words]
            }
            Self::PayAccount(it) => {
                let (payee, words) = (it.payee_account_id.to_string(), it.description.as_str());
                vec![on(&it.on), payee, of(&it.amount), text(words)]
            }
            Self::Register(it) => vec![on(&it.on), text(it.key.as_str())],
            Self::Make(it, _) => vec![on(it), String::new()],
            Self::Remove(it, why) => vec![on(&it.on), text(it.key.as_str()), text(why.as_str())],
            Self::Enrol(_)
            | Self::EnrolAccount(..)
            | Self::Resolve(_)
            | Self::Acknowledge(_)
            | Self::Block(_)
            | Self::Unblock(_)
            | Self::Close(_)
            | Self::Limit(_) => return None,
        })
    }

    /// Where its first answer is kept, so that a repeat gets it again; nowhere for what is
    /// idempotent by nature.
    pub(crate) fn scope(&self) -> Option<Scope> {
        let of = |on: &OnAccount, operation, key: &String| Some((on.ispb, operation, key.clone()));
        match self {
            Self::Open(it) => Some((it.ispb, "open_account", it.idempotency_key.clone())),
            Self::Deposit(it) => of(&it.on, "deposit", &it.idempotency_key),
            Self::Withdraw(it) => of(&it.on, "withdraw", &it.idempotency_key),
            Self::Pay(it) => of(&it.on, "request_transfer", &it.idempotency_key),
            Self::PayAccount(it) => of(&it.on, "pay_account", &it.idempotency_key),
            Self::Register(it) => of(&it.on, "register_key", &it.request_id),
            Self::Make(on, request_id) => of(on, "register_key", request_id),
            Self::Remove(it, _) => of(&it.on, "remove_key", &it.request_id),
            Self::Enrol(_)
            | Self::EnrolAccount(..)
            | Self::Resolve(_)
            | Self::Acknowledge(_)
            | Self::Block(_)
            | Self::Unblock(_)
            | Self::Close(_)
            | Self::Limit(_) => None,
        }
    }

    /// The same under another key.
    pub(crate) fn under(self, key: String) -> Self {
        match self {
            Self::Open(it) => Self::Open(OpenAccount { idempotency_key: key, ..it }),
            Self::Deposit(it) => Self::Deposit(Deposit { idempotency_key: key, ..it }),
            Self::Withdraw(it) => Self::Withdraw(Withdraw { idempotency_key: key, ..it }),
            Self::Pay(it) => Self::Pay(RequestTransfer { idempotency_key: key, ..it }),
            Self::PayAccount(it) => Self::PayAccount(PayAccount { idempotency_key: key, ..it }),
            Self::Register(it) => Self::Register(KeyWish { request_id: key, ..it }),
            Self::Make(on, _) => Self::Make(on, key),
            Self::Remove(it, reason) => Self::Remove(KeyWish { request_id: key, ..it }, reason),
            other @ (Self::Enrol(_)
            | Self::EnrolAccount(..)
            | Self::Resolve(_)
            | Self::Acknowledge(_)
            | Self::Block(_)
            | Self::Unblock(_)
            | Self::Close(_)
            | Self::Limit(_)) => other,
        }
    }

    /// The bank that may give it, beside operators. None: nobody but an operator may.
    pub(crate) const fn bank(&self) -> Option<Ispb> {
        match self {
            Self::Enrol(_) | Self::EnrolAccount(..) | Self::Resolve(_) | Self::Acknowledge(_) => {
                None
            }
            Self::Open(it) => Some(it.ispb),
            Self::Deposit(Deposit { on, .. })
            | Self::Withdraw(Withdraw { on, .. })
            | Self::Pay(RequestTransfer { on, .. })
            | Self::PayAccount(PayAccount { on, .. })
            | Self::Block(BlockAccount { on })
            | Self::Unblock(UnblockAccount { on })
            | Self::Close(CloseAccount { on })
            | Self::Limit(SetAccountLimits { on, .. })
            | Self::Register(KeyWish { on, .. })
            | Self::Make(on, _)
            | Self::Remove(KeyWish { on, .. }, _) => Some(on.ispb),
        }
    }

    /// The same, given by somebody else.
    pub(crate) fn by(mut self, caller: Caller) -> Self {
        match &mut self {
            Self::EnrolAccount(who, _)
            | Self::Enrol(EnrolParticipant { caller: who, .. })
            | Self::Resolve(ResolveTransfer { caller: who, .. })
            | Self::Acknowledge(AcknowledgeCredit { caller: who, .. })
            | Self::Open(OpenAccount { caller: who, .. }) => *who = caller,
            Self::Deposit(Deposit { on, .. })
            | Self::Withdraw(Withdraw { on, .. })
            | Self::Pay(RequestTransfer { on, .. })
            | Self::PayAccount(PayAccount { on, .. })
            | Self::Block(BlockAccount { on })
            | Self::Unblock(UnblockAccount { on })
            | Self::Close(CloseAccount { on })
            | Self::Limit(SetAccountLimits { on, .. })
            | Self::Register(KeyWish { on, .. })
            | Self::Make(on, _)
            | Self::Remove(KeyWish { on, .. }, _) => on.caller = caller,
        }
        self
    }

    /// Whether who gives it may: an operator, or the bank whose it is.
    pub(crate) fn is_let_in(&self) -> bool {
        match self.caller() {
            Caller::Operator => true,
            Caller::Bank(bank) => self.bank() == Some(*bank),
        }
    }
}
