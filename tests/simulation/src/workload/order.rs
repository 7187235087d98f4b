//! An order: something that a client wants, as often as it takes to learn what became of it.

use banking::application::account_command::OnAccount;
use banking::application::command::{
    BlockAccount, CloseAccount, Deposit, OpenAccount, RequestTransfer, SetAccountLimits,
    UnblockAccount, Withdraw,
};
use banking::domain::Description;
use futures::FutureExt;
use futures::future::BoxFuture;
use pix_keys::application::{EnrolOrder, KeyOrder, RemovalOrder, WantedKey};
use pix_keys::domain::{PixKey, RemovalReason};
use serde::Serialize;
use serde_json::Value;
use shared_kernel::application::{ApplicationError, Caller, TraceParent};
use shared_kernel::domain::{AccountId, Amount};
use transfers::application::{EnrolParticipant, ResolveTransfer};

use crate::facade::Facades;
use crate::plan::Role;

/// What a client wants.
#[derive(Clone, Debug)]
pub(crate) enum Order {
    Enrol(EnrolParticipant),
    EnrolAccount(EnrolOrder),
    Resolve(ResolveTransfer),
    Open(OpenAccount),
    Deposit(Deposit),
    Withdraw(Withdraw),
    Pay(RequestTransfer),
    Block(BlockAccount),
    Unblock(UnblockAccount),
    Close(CloseAccount),
    Limit(SetAccountLimits),
    Register { request_id: String, account_id: AccountId, key: PixKey },
    Remove { request_id: String, account_id: AccountId, key: PixKey },
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
            Self::Enrol(_) | Self::Resolve(_) => Role::Transfers,
            Self::EnrolAccount(_) | Self::Register { .. } | Self::Remove { .. } => Role::PixKeys,
            Self::Open(_)
            | Self::Deposit(_)
            | Self::Withdraw(_)
            | Self::Pay(_)
            | Self::Block(_)
            | Self::Unblock(_)
            | Self::Close(_)
            | Self::Limit(_) => Role::Banking,
        }
    }

    /// Whether the first answer is kept, so that a repeat gets it again.
    pub(crate) const fn is_remembered(&self) -> bool {
        match self {
            Self::Open(_)
            | Self::Deposit(_)
            | Self::Withdraw(_)
            | Self::Pay(_)
            | Self::Register { .. }
            | Self::Remove { .. } => true,
            Self::Enrol(_)
            | Self::EnrolAccount(_)
            | Self::Resolve(_)
            | Self::Block(_)
            | Self::Unblock(_)
            | Self::Close(_)
            | Self::Limit(_) => false,
        }
    }

    /// The same key with other content.
    pub(crate) fn altered(&self) -> Option<Self> {
        let more = |amount: Amount| Amount::from_centavos(amount.centavos() + 1).ok();
        match self.clone() {
            Self::Deposit(it) => Some(Self::Deposit(Deposit { amount: more(it.amount)?, ..it })),
            Self::Withdraw(it) => Some(Self::Withdraw(Withdraw { amount: more(it.amount)?, ..it })),
            Self::Pay(it) => {
                let description = Description::parse("something else").ok()?;
                Some(Self::Pay(RequestTransfer { description, ..it }))
            }
            Self::Enrol(_)
            | Self::EnrolAccount(_)
            | Self::Resolve(_)
            | Self::Open(_)
            | Self::Block(_)
            | Self::Unblock(_)
            | Self::Close(_)
            | Self::Limit(_)
            | Self::Register { .. }
            | Self::Remove { .. } => None,
        }
    }

    /// Hands it in.
    pub(crate) fn ask(self, facades: Facades, trace: TraceParent) -> Asked {
        match self {
            Self::Enrol(command) => {
                let Some(hub) = facades.hub else {
                    return async { Err(unreachable_context()) }.boxed();
                };
                let enrolled = async move {
                    let bank = hub.enrol_participant.submit(command).await?;
                    Ok(Value::from(bank.ispb.to_string()))
                };
                enrolled.boxed()
            }
            Self::Resolve(command) => {
                let Some(hub) = facades.hub else {
                    return async { Err(unreachable_context()) }.boxed();
                };
                let resolved = async move {
                    let state = hub.resolve_transfer.submit(command).await?;
                    Ok(Value::from(state.as_str()))
                };
                resolved.boxed()
            }
            Self::EnrolAccount(order) => {
                let Some(keys) = facades.keys else {
                    return async { Err(unreachable_context()) }.boxed();
                };
                async move { shown(keys.desk.enrol_account(&Caller::Operator, order)).await }
                    .boxed()
            }
            Self::Register { request_id, account_id, key } => {
                let Some(keys) = facades.keys else {
                    return async { Err(unreachable_context()) }.boxed();
                };
                let wanted = WantedKey::Given(key);
                let order = KeyOrder { request_id, account_id, wanted };
                async move { shown(keys.desk.register_key(&Caller::Operator, trace, order)).await }
                    .boxed()
            }
            Self::Remove { request_id, account_id, key } => {
                let Some(keys) = facades.keys else {
                    return async { Err(unreachable_context()) }.boxed();
                };
                let reason = RemovalReason::UserRequested;
                let order = RemovalOrder { request_id, account_id, key, reason };
                async move { shown(keys.desk.remove_key(&Caller::Operator, trace, order)).await }
                    .boxed()
            }
            Self::Open(_)
            | Self::Deposit(_)
            | Self::Withdraw(_)
            | Self::Pay(_)
            | Self::Block(_)
            | Self::Unblock(_)
            | Self::Close(_)
            | Self::Limit(_) => self.ask_bank(facades),
        }
    }

    fn ask_bank(self, facades: Facades) -> Asked {
        let Some(banks) = facades.banks else {
            return async { Err(unreachable_context()) }.boxed();
        };
        async move {
            match self {
                Self::Open(it) => shown(banks.open_account.submit(it)).await,
                Self::Deposit(it) => shown(banks.deposit.submit(it)).await,
                Self::Withdraw(it) => shown(banks.withdraw.submit(it)).await,
                Self::Pay(it) => shown(banks.request_transfer.submit(it)).await,
                Self::Block(it) => shown(banks.block_account.submit(it)).await,
                Self::Unblock(it) => shown(banks.unblock_account.submit(it)).await,
                Self::Close(it) => shown(banks.close_account.submit(it)).await,
                Self::Limit(it) => shown(banks.set_account_limits.submit(it)).await,
                Self::Enrol(_)
                | Self::EnrolAccount(_)
                | Self::Resolve(_)
                | Self::Register { .. }
                | Self::Remove { .. } => Err(unreachable_context()),
            }
        }
        .boxed()
    }

    /// In a few words, for the story.
    pub(crate) fn words(&self) -> String {
        let on = |on: &OnAccount| on.account_id;
        match self {
            Self::Enrol(it) => format!("enrol bank {}", it.code),
            Self::EnrolAccount(it) => format!("enrol account {} of {}", it.account_id, it.ispb),
            Self::Resolve(it) => {
                format!("resolve {} as {}", it.end_to_end_id, it.resolution.as_str())
            }
            Self::Open(it) => format!("open an account at {}", it.ispb),
            Self::Deposit(it) => format!("deposit {} on {}", it.amount.money(), on(&it.on)),
            Self::Withdraw(it) => format!("withdraw {} from {}", it.amount.money(), on(&it.on)),
            Self::Pay(it) => {
                let (amount, key) = (it.amount.money(), it.payee_key.as_str());
                format!("pay {amount} from {} to {key}", on(&it.on))
            }
            Self::Block(it) => format!("block {}", on(&it.on)),
            Self::Unblock(it) => format!("unblock {}", on(&it.on)),
            Self::Close(it) => format!("close {}", on(&it.on)),
            Self::Limit(it) => format!("limit {}", on(&it.on)),
            Self::Register { account_id, key, .. } => {
                format!("register {} for {account_id}", key.as_str())
            }
            Self::Remove { account_id, key, .. } => {
                format!("remove {} of {account_id}", key.as_str())
            }
        }
    }
}
