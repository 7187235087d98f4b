//! What many resolvers of one moment ask for is read together: one batch per kind of question.
//!
//! A question carries its caller, so questions of different requests may share a batch. Nothing is
//! remembered from one moment to the next.

use std::collections::HashMap;
use std::convert::Infallible;
use std::hash::Hash;
use std::sync::Arc;

use async_graphql::Context;
use async_graphql::dataloader::Loader;
use shared_kernel::application::{ApplicationError, Caller, Page};
use shared_kernel::domain::{AccountId, EndToEndId, Ispb};

use super::schema::graph;
use crate::application::Banking;
use crate::application::page::{
    AccountAt, AccountPlace, AccountsOf, Part, PostingPlace, PostingsOf, TransferPlace, TransfersOf,
};
use crate::application::ports::Outcome;
use crate::application::views::{AccountView, BankView, HoldView, StatementLine, TransferView};

/// Asks the use cases.
pub(super) struct Lookups(pub(super) Arc<Banking>);

/// The answer to `question`, read together with those of its kind.
///
/// # Errors
/// When the schema was built to be written down only; the answer may be a failure of its own.
pub(super) async fn look_up<Q, A>(
    context: &Context<'_>,
    question: Q,
) -> async_graphql::Result<Outcome<A>>
where
    Q: Clone + Eq + Hash + Send + Sync + 'static,
    Lookups: Loader<Q, Value = Outcome<A>, Error = Infallible>,
{
    let nothing = || ApplicationError::Unavailable("a lookup gave no answer".to_owned());
    match graph(context)?.lookups.load_one(question).await {
        Ok(answer) => Ok(answer.unwrap_or_else(|| Err(nothing()))),
        Err(never) => match never {},
    }
}

/// A kind of question: what is asked, what the answer is, and the use case that is asked a batch.
macro_rules! question {
    (
        $(#[$meta:meta])*
        $name:ident($asked:ty) -> $answer:ty, $use_case:ident.$batch:ident
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash)]
        pub(super) struct $name(pub(super) $asked);

        impl Loader<$name> for Lookups {
            type Value = Outcome<$answer>;
            type Error = Infallible;

            async fn load(
                &self,
                questions: &[$name],
            ) -> Result<HashMap<$name, Self::Value>, Infallible> {
                let asked: Vec<$asked> = questions.iter().map(|question| question.0).collect();
                let answers = self.0.$use_case.$batch(&asked).await;
                Ok(questions.iter().copied().zip(answers).collect())
            }
        }
    };
}

question! {
    /// An account, as its caller may see it.
    AccountAsked((Caller, AccountId)) -> AccountView, get_account.batch
}

question! {
    /// A bank that is hosted here.
    BankAsked((Caller, Ispb)) -> BankView, get_bank.execute
}

question! {
    /// Accounts of a bank.
    AccountsAsked((Caller, Part<AccountsOf, AccountPlace>)) -> Page<AccountView>,
    list_accounts.batch
}

question! {
    /// A transfer as an account sees it.
    TransferAsked((Caller, EndToEndId, AccountId)) -> TransferView, get_transfer.batch
}

question! {
    /// Transfers of an account.
    TransfersAsked((Caller, Part<TransfersOf, TransferPlace>)) -> Page<TransferView>,
    list_transfers.batch
}

question! {
    /// What is held on an account.
    HoldsAsked((Caller, Part<AccountAt, TransferPlace>)) -> Page<HoldView>, list_holds.batch
}

question! {
    /// Ledger entries of an account.
    StatementAsked((Caller, Part<PostingsOf, PostingPlace>)) -> Page<StatementLine>,
    get_statement.batch
}
