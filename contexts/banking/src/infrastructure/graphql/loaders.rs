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
use shared_kernel::application::{ApplicationError, Caller};
use shared_kernel::domain::AccountId;

use super::schema::graph;
use crate::application::Banking;
use crate::application::ports::Outcome;
use crate::application::views::AccountView;

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

/// Each question with its answer.
fn answered<Q: Clone + Eq + Hash, A>(questions: &[Q], answers: Vec<A>) -> HashMap<Q, A> {
    questions.iter().cloned().zip(answers).collect()
}

/// An account, as its caller may see it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct AccountAsked(pub(super) Caller, pub(super) AccountId);

impl Loader<AccountAsked> for Lookups {
    type Value = Outcome<AccountView>;
    type Error = Infallible;

    async fn load(
        &self,
        questions: &[AccountAsked],
    ) -> Result<HashMap<AccountAsked, Self::Value>, Infallible> {
        let asked: Vec<(Caller, AccountId)> =
            questions.iter().map(|AccountAsked(caller, id)| (*caller, *id)).collect();
        Ok(answered(questions, self.0.get_account.batch(&asked).await))
    }
}
