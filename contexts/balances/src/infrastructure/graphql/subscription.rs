//! What the subgraph tells by itself, from the log.

use std::sync::Arc;

use async_graphql::{Context, ID, Result, Subscription};
use futures::Stream;
use shared_kernel::application::{ApplicationError, Caller};
use shared_kernel::domain::{AccountId, Kind, Violation};
use shared_kernel::infrastructure::graphql::{caller, refused, violation_error};

use super::account::Account;
use super::balance::{AccountUpdate, Balance};
use crate::application::Balances;
use crate::domain::{AccountBalance, AccountState, KnownBalance, SeenBalance, Standing};
use crate::infrastructure::kafka::{AccountFeed, AccountWatch, Seen};

/// What can be followed in the graph.
#[derive(Clone, Copy, Debug)]
pub struct Subscription;

/// What may be followed, fed by events as they happen.
#[Subscription]
impl Subscription {
    /// Each change that a bank of the hub makes to an account from now on, from the event itself:
    /// the balance may be newer than what a question is answered with at the same moment. What a
    /// program beside the hub says of accounts is not told: one that no bank knows is refused,
    /// `account_external`.
    async fn account_updated(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The account's id, a UUID.")] id: ID,
    ) -> Result<impl Stream<Item = Result<AccountUpdate>> + 'static> {
        let caller = caller(ctx)?;
        let account = AccountId::parse(&id).map_err(|broken| violation_error(&broken.on("id")))?;
        let watch = ctx.data::<AccountFeed>()?.watch();
        let facade = Arc::clone(ctx.data::<Arc<Balances>>()?);
        let mut following = Following { caller, account, facade, watch, told: 0 };
        let present = following.present().await?;
        if present.as_ref().is_some_and(KnownBalance::is_external) {
            return Err(violation_error(&external(account)));
        }
        // What is known already is no change.
        following.told = present.as_ref().and_then(banked).map_or(0, |it| it.version.number());
        Ok(futures::stream::unfold(Some(following), |following| async {
            let mut following = following?;
            match following.next().await {
                Some(Ok(state)) => {
                    let (account, balance) = following.shown(&state);
                    let account = Some(account);
                    Some((Ok(AccountUpdate { account, balance }), Some(following)))
                }
                Some(Err(error)) => Some((Err(error), None)),
                None => None,
            }
        }))
    }
}

/// What is said of an account whose changes nobody tells here.
fn external(account: AccountId) -> Violation {
    let message = format!(
        "no bank of the hub knows account {account}, and the changes of a program beside it are \
         not told: ask for the balance"
    );
    Violation::failed_precondition("account_external", "id", message)
}

/// What its bank says of an account.
fn banked(known: &KnownBalance) -> Option<AccountState> {
    known.bank().map(AccountBalance::state).copied()
}

/// One who follows an account.
struct Following {
    caller: Caller,
    account: AccountId,
    facade: Arc<Balances>,
    watch: AccountWatch,
    /// The newest version that was told.
    told: i64,
}

impl Following {
    fn shown(&self, state: &AccountState) -> (Account, Balance) {
        let standing = Standing::Banked(*state);
        let seen = SeenBalance { account_id: self.account, standing, external: false };
        (Account::new(self.account), Balance::new(&seen))
    }

    /// The next change that is newer than what was told; none when the process is stopping.
    async fn next(&mut self) -> Option<Result<AccountState>> {
        loop {
            let state = match self.watch.next(self.account).await? {
                // To a stranger nothing happens, as to one who follows what does not exist.
                Seen::Event(event) => {
                    self.caller.may_act_for(&event.ispb).is_ok().then_some(event.state)
                }
                Seen::Unsure => match self.present().await {
                    Ok(present) => present.as_ref().and_then(banked),
                    Err(error) => return Some(Err(error)),
                },
            };
            let newer = state.filter(|state| state.version.number() > self.told);
            if let Some(state) = newer {
                self.told = state.version.number();
                return Some(Ok(state));
            }
        }
    }

    /// The account, if it is known.
    async fn present(&self) -> Result<Option<KnownBalance>> {
        let answers = self.facade.get_balances.execute(self.caller, &[self.account]).await;
        match answers.map_err(refused)?.into_iter().next() {
            Some(Ok(known)) => Ok(Some(known)),
            Some(Err(broken)) if broken.kind() != Kind::NotFound => {
                Err(refused(ApplicationError::Refused(broken)))
            }
            Some(Err(_)) | None => Ok(None),
        }
    }
}
