//! An order: something that a client wants, as often as it takes to learn what became of it.

use banking::application::account_command::OnAccount;
use banking::application::command::{
    BlockAccount, CloseAccount, Deposit, OpenAccount, PayAccount, RequestTransfer,
    SetAccountLimits, UnblockAccount, Withdraw,
};
use banking::domain::{AccountNumber, Branch};
use futures::FutureExt;
use futures::future::BoxFuture;
use pix_keys::application::{EnrolOrder, KeyOrder, RemovalOrder, WantedKey};
use pix_keys::domain::{PixKey, RemovalReason};
use serde::Serialize;
use serde_json::Value;
use shared_kernel::application::{ApplicationError, Caller, TraceParent};
use transfers::application::{AcknowledgeCredit, EnrolParticipant, ResolveTransfer};
use transfers::domain::LimitWish;

use crate::contexts::at_most;
use crate::facade::{BanksFacade, Facades, KeysFacade};
use crate::plan::Role;

/// What a client wants.
#[derive(Clone, Debug)]
pub(crate) enum Order {
    Enrol(EnrolParticipant),
    EnrolAccount(Caller, EnrolOrder),
    Resolve(ResolveTransfer),
    Acknowledge(AcknowledgeCredit),
    Open(OpenAccount),
    Deposit(Deposit),
    Withdraw(Withdraw),
    Pay(RequestTransfer),
    PayAccount(PayAccount),
    Block(BlockAccount),
    Unblock(UnblockAccount),
    Close(CloseAccount),
    Limit(SetAccountLimits),
    Register(KeyWish),
    /// A key that the directory makes, under this id of a request.
    Make(OnAccount, String),
    Remove(KeyWish, RemovalReason),
}

/// A key that an account wants, or wants to be rid of.
#[derive(Clone, Debug)]
pub(crate) struct KeyWish {
    pub(crate) on: OnAccount,
    pub(crate) request_id: String,
    pub(crate) key: PixKey,
}

type Asked = BoxFuture<'static, Result<Value, ApplicationError>>;

fn unreachable_context() -> ApplicationError {
    ApplicationError::Unavailable("this process does not run that context".into())
}

/// The answer as the client sees it.
async fn shown<A: Serialize + Send>(
    answer: impl Future<Output = Result<A, ApplicationError>> + Send,
) -> Result<Value, ApplicationError> {
    let unreadable = |_json| ApplicationError::Unavailable("the answer is no JSON".into());
    serde_json::to_value(answer.await?).map_err(unreadable)
}

impl Order {
    /// Who can do it.
    pub(crate) const fn role(&self) -> Role {
        match self {
            Self::Enrol(_) | Self::Resolve(_) | Self::Acknowledge(_) => Role::Transfers,
            Self::EnrolAccount(..) | Self::Register(_) | Self::Make(..) | Self::Remove(..) => {
                Role::PixKeys
            }
            Self::Open(_)
            | Self::Deposit(_)
            | Self::Withdraw(_)
            | Self::Pay(_)
            | Self::PayAccount(_)
            | Self::Block(_)
            | Self::Unblock(_)
            | Self::Close(_)
            | Self::Limit(_) => Role::Banking,
        }
    }

    /// Hands it in.
    pub(crate) fn ask(self, facades: Facades, trace: TraceParent) -> Asked {
        match self.role() {
            Role::Transfers => self.ask_hub(facades),
            Role::PixKeys => match facades.keys {
                Some(keys) => self.ask_directory(keys, trace),
                None => async { Err(unreachable_context()) }.boxed(),
            },
            Role::Banking | Role::Balances => match facades.banks {
                Some(banks) => self.ask_bank(banks),
                None => async { Err(unreachable_context()) }.boxed(),
            },
        }
    }

    fn ask_hub(self, facades: Facades) -> Asked {
        async move {
            let Some(hub) = facades.hub else { return Err(unreachable_context()) };
            match self {
                Self::Enrol(it) => shown(hub.enrol_participant.submit(it)).await,
                Self::Resolve(it) => {
                    let state = hub.resolve_transfer.submit(it).await?;
                    Ok(Value::from(state.as_str()))
                }
                Self::Acknowledge(it) => match hub.acknowledge_credit {
                    Some(queue) => shown(queue.submit(it)).await,
                    None => Err(unreachable_context()),
                },
                Self::EnrolAccount(..)
                | Self::Open(_)
                | Self::Deposit(_)
                | Self::Withdraw(_)
                | Self::Pay(_)
                | Self::PayAccount(_)
                | Self::Block(_)
                | Self::Unblock(_)
                | Self::Close(_)
                | Self::Limit(_)
                | Self::Register(_)
                | Self::Make(..)
                | Self::Remove(..) => Err(unreachable_context()),
            }
        }
        .boxed()
    }

    fn ask_directory(self, keys: KeysFacade, trace: TraceParent) -> Asked {
        async move {
            match self {
                Self::EnrolAccount(caller, order) => {
                    shown(keys.desk.enrol_account(&caller, order)).await
                }
                Self::Register(KeyWish { on, request_id, key }) => {
                    let (account_id, wanted) = (on.account_id, WantedKey::Given(key));
                    let order = KeyOrder { request_id, account_id, wanted };
                    shown(keys.desk.register_key(&on.caller, trace, order)).await
                }
                Self::Make(on, request_id) => {
                    let (account_id, wanted) = (on.account_id, WantedKey::Random);
                    let order = KeyOrder { request_id, account_id, wanted };
                    shown(keys.desk.register_key(&on.caller, trace, order)).await
                }
                Self::Remove(KeyWish { on, request_id, key }, reason) => {
                    let account_id = on.account_id;
                    let order = RemovalOrder { request_id, account_id, key, reason };
                    shown(keys.desk.remove_key(&on.caller, trace, order)).await
                }
                Self::Enrol(_)
                | Self::Resolve(_)
                | Self::Acknowledge(_)
                | Self::Open(_)
                | Self::Deposit(_)
                | Self::Withdraw(_)
                | Self::Pay(_)
                | Self::PayAccount(_)
                | Self::Block(_)
                | Self::Unblock(_)
                | Self::Close(_)
                | Self::Limit(_) => Err(unreachable_context()),
            }
        }
        .boxed()
    }

    fn ask_bank(self, banks: BanksFacade) -> Asked {
        async move {
            match self {
                Self::Open(it) => shown(banks.open_account.submit(it)).await,
                Self::Deposit(it) => shown(banks.deposit.submit(it)).await,
                Self::Withdraw(it) => shown(banks.withdraw.submit(it)).await,
                Self::Pay(it) => shown(banks.request_transfer.submit(it)).await,
                Self::PayAccount(it) => shown(banks.pay_account.submit(it)).await,
                Self::Block(it) => shown(banks.block_account.submit(it)).await,
                Self::Unblock(it) => shown(banks.unblock_account.submit(it)).await,
                Self::Close(it) => shown(banks.close_account.submit(it)).await,
                Self::Limit(it) => shown(banks.set_account_limits.submit(it)).await,
                Self::Enrol(_)
                | Self::EnrolAccount(..)
                | Self::Resolve(_)
                | Self::Acknowledge(_)
                | Self::Register(_)
                | Self::Make(..)
                | Self::Remove(..) => Err(unreachable_context()),
            }
        }
        .boxed()
    }

    /// What kind of order it is.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Enrol(_) => "enrol",
            Self::EnrolAccount(..) => "enrol account",
            Self::Resolve(_) => "resolve",
            Self::Acknowledge(_) => "acknowledge",
            Self::Open(_) => "open",
            Self::Deposit(_) => "deposit",
            Self::Withdraw(_) => "withdraw",
            Self::Pay(_) => "pay",
            Self::PayAccount(_) => "pay account",
            Self::Block(_) => "block",
            Self::Unblock(_) => "unblock",
            Self::Close(_) => "close",
            Self::Limit(_) => "limit",
            Self::Register(_) => "register",
            Self::Make(..) => "make",
            Self::Remove(..) => "remove",
        }
    }

    /// In a few words, for the story: what is wanted, under which key, and who gives it.
    pub(crate) fn words(&self) -> String {
        let caller = match self.caller() {
            Caller::Operator => "the operator".to_owned(),
            Caller::Bank(ispb) => format!("bank {ispb}"),
        };
        let key = self.scope().map(|(_, _, key)| format!("{key} ")).unwrap_or_default();
        format!("{} [{key}by {caller}]", self.wish())
    }

    /// Who gives it.
    pub(super) const fn caller(&self) -> &Caller {
        match self {
            Self::EnrolAccount(caller, _)
            | Self::Enrol(EnrolParticipant { caller, .. })
            | Self::Resolve(ResolveTransfer { caller, .. })
            | Self::Acknowledge(AcknowledgeCredit { caller, .. })
            | Self::Open(OpenAccount { caller, .. }) => caller,
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
            | Self::Remove(KeyWish { on, .. }, _) => &on.caller,
        }
    }

    fn wish(&self) -> String {
        let on = |on: &OnAccount| on.account_id;
        match self {
            Self::Enrol(it) => {
                let (code, name) = (&it.code, it.name.as_str());
                let protocol = it.protocol.map(|it| format!(", {}", it.as_str()));
                let limit = match it.position_limit {
                    LimitWish::AsItIs => String::new(),
                    LimitWish::Without => ", to owe what it likes".to_owned(),
                    LimitWish::Most(limit) => format!(", to owe {limit} at most"),
                };
                format!("enrol bank {code} as {name}{}{limit}", protocol.unwrap_or_default())
            }
            Self::EnrolAccount(_, it) => format!("enrol account {} of {}", it.account_id, it.ispb),
            Self::Resolve(it) => {
                format!("resolve {} as {}", it.end_to_end_id, it.resolution.as_str())
            }
            Self::Acknowledge(it) => {
                let (id, reason) = (it.end_to_end_id, it.reason.as_str());
                format!("acknowledge that {id} was credited all the same: {reason}")
            }
            Self::Open(it) => {
                let (owner, tax_id) = (it.owner_name.as_str(), it.owner_tax_id.as_str());
                let branch = it.branch.as_ref().map_or("any", Branch::as_str);
                let number = it.number.as_ref().map_or("any", AccountNumber::as_str);
                let place = format!("branch {branch}, number {number}");
                format!("open an account at {} for {owner}, {tax_id}: {place}", it.ispb)
            }
            Self::Deposit(it) => format!("deposit {} on {}", it.amount.money(), on(&it.on)),
            Self::Withdraw(it) => format!("withdraw {} from {}", it.amount.money(), on(&it.on)),
            Self::Pay(it) => {
                let (amount, key) = (it.amount.money(), it.payee_key.as_str());
                format!("pay {amount} from {} to {key} for {}", on(&it.on), it.description.as_str())
            }
            Self::PayAccount(it) => {
                let (amount, payee) = (it.amount.money(), it.payee_account_id);
                let what = it.description.as_str();
                format!("pay {amount} from {} to account {payee} for {what}", on(&it.on))
            }
            Self::Block(it) => format!("block {}", on(&it.on)),
            Self::Unblock(it) => format!("unblock {}", on(&it.on)),
            Self::Close(it) => format!("close {}", on(&it.on)),
            Self::Limit(it) => {
                let limits = it.limits;
                let (once, day) = (at_most(limits.per_transfer), at_most(limits.per_day));
                format!("limit {}: a transfer {once}, a day {day}", on(&it.on))
            }
            Self::Register(it) => format!("register {} for {}", it.key.as_str(), on(&it.on)),
            Self::Make(it, _) => format!("make a random key for {}", on(it)),
            Self::Remove(it, why) => {
                format!("remove {} of {}, {}", it.key.as_str(), on(&it.on), why.as_str())
            }
        }
    }
}
