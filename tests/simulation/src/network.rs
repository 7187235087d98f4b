//! The line between the directory and those who ask it, banks and hub: calls take time, get lost on
//! the way there or back, or meet nobody.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use banking::application::directory::{FoundKey, KeyDirectory, KeyQuestion, LookupError};
use banking::domain::Party;
use futures::channel::oneshot;
use futures::future::{Either, select};
use pix_keys::application::query::{FindAccount, FindKey};
use pix_keys::application::{AccountView, EntryView};
use pix_keys::domain::PixKey;
use shared_kernel::application::{ApplicationError, Caller, StoreError, TraceParent};
use shared_kernel::domain::{AccountId, Ispb, Kind, TaxId, Violation};
use transfers::application::directory::{self as hub, KeyAnswer, OrderDirectory};
use transfers::domain as orders;

use crate::city::City;
use crate::executor::NodeId;
use crate::facade::KeysFacade;
use crate::plan::Role;
use crate::planted::Bug;

/// Who an account belonged to, if the directory is asked on a bad day. No customer of this city.
const FORMER_OWNER: &str = "52998224725";

/// A process's line to the directory.
pub(crate) struct Line {
    pub(crate) city: Arc<City>,
    pub(crate) node: NodeId,
}

fn party(found: EntryView) -> Party {
    let account = found.account;
    Party {
        ispb: account.ispb,
        account_id: account.account_id,
        owner_name: account.owner_name.as_str().to_owned(),
        owner_tax_id: account.owner_tax_id,
    }
}

fn answer(outcome: Result<EntryView, ApplicationError>) -> Result<Option<FoundKey>, LookupError> {
    match outcome {
        Ok(found) => {
            let registered_as = found.spelling.as_ref().map(|it| it.as_str().to_owned());
            Ok(Some(FoundKey { owner: party(found), registered_as }))
        }
        Err(ApplicationError::Refused(refused)) if refused.kind() == Kind::NotFound => Ok(None),
        Err(ApplicationError::Refused(refused)) => Err(refused.into()),
        Err(ApplicationError::Unavailable(reason)) => Err(LookupError::Unavailable(reason)),
    }
}

/// A bank's question, for the story.
fn asks(question: &KeyQuestion) -> String {
    format!("the question of bank {} who has {}", question.requester, question.key)
}

#[async_trait]
impl KeyDirectory for Line {
    async fn find(&self, question: &KeyQuestion) -> Result<Option<FoundKey>, LookupError> {
        let world = &self.city.world;
        world.at(self.node, "before it asks the directory").await;
        let key = PixKey::infer(&question.key)?;
        let asked = FindKey::asked(&Caller::Operator, Some(question.requester), key)?;
        let Some((node, facades)) = self.city.pick(Role::PixKeys) else {
            return Err(LookupError::Unavailable("connection refused".into()));
        };
        let Some(keys) = facades.keys else {
            return Err(LookupError::Unavailable("connection refused".into()));
        };
        if world.unlucky(world.plan.rates.call) {
            world.fault(self.node, || format!("{} gets lost", asks(question)));
            pending::<()>().await;
        }
        let (reply, answered) = oneshot::channel();
        world.executor.spawn(node, async move {
            // The asking bank may be gone.
            drop(reply.send(keys.find_key.submit(asked).await));
        });
        let outcome = answered.await;
        world.delay(self.node, "before the directory's answer arrives").await;
        if world.unlucky(world.plan.rates.call / 2) {
            world.fault(self.node, || format!("the answer to {} gets lost", asks(question)));
            pending::<()>().await;
        }
        let lost = || LookupError::Unavailable("connection reset by peer".into());
        let mut found = outcome.map_or_else(|_dropped| Err(lost()), answer)?;
        if world.unlucky(world.plan.rates.stale)
            && let (Some(found), Ok(former)) = (&mut found, TaxId::parse(FORMER_OWNER))
        {
            let party = &mut found.owner;
            world.say(node, "stale", || {
                format!("FAULT: the directory names a former owner of {}", party.account_id)
            });
            party.owner_tax_id = former;
        }
        Ok(found)
    }
}

/// How long the hub waits for the directory.
const HUB_PATIENCE: Duration = Duration::from_secs(2);

#[expect(clippy::needless_pass_by_value, reason = "the form of `map_err`")]
fn unreadable(broken: Violation) -> StoreError {
    StoreError::Unavailable(broken.message().to_owned())
}

/// The party of an account, as the hub wants it.
fn hub_party(account: &AccountView) -> Result<orders::Party, StoreError> {
    let owner_name = orders::OwnerName::parse(account.owner_name.as_str());
    Ok(orders::Party {
        ispb: account.ispb,
        account_id: account.account_id,
        owner_name: owner_name.map_err(unreadable)?,
        owner_tax_id: account.owner_tax_id,
    })
}

/// What the directory says when it does not know, or does not answer.
fn or_nobody<T>(outcome: Result<T, ApplicationError>) -> Result<Option<T>, StoreError> {
    match outcome {
        Ok(found) => Ok(Some(found)),
        Err(ApplicationError::Refused(broken)) if broken.kind() == Kind::NotFound => Ok(None),
        Err(error) => Err(StoreError::Unavailable(format!("the directory: {error}"))),
    }
}

impl Line {
    /// One call of the hub to the directory.
    async fn call<T, F>(
        &self,
        question: impl FnOnce(KeysFacade) -> F,
    ) -> Result<Result<T, ApplicationError>, StoreError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, ApplicationError>> + Send + 'static,
    {
        let world = &self.city.world;
        let lost = || StoreError::Unavailable("the directory: deadline exceeded".into());
        world.at(self.node, "before the hub asks the directory").await;
        let picked = self.city.pick(Role::PixKeys);
        let Some((node, keys)) = picked.and_then(|(node, facades)| Some((node, facades.keys?)))
        else {
            return Err(StoreError::Unavailable("the directory: connection refused".into()));
        };
        if world.unlucky(world.plan.rates.call) {
            world.fault(self.node, || "the hub's question to the directory gets lost".to_owned());
            world.executor.sleep(HUB_PATIENCE).await;
            return Err(lost());
        }
        let (reply, answered) = oneshot::channel();
        let asked = question(keys);
        world.executor.spawn(node, async move {
            // The hub may have given up.
            drop(reply.send(asked.await));
        });
        match select(answered, world.executor.sleep(HUB_PATIENCE)).await {
            Either::Left((Ok(answer), _)) => Ok(answer),
            Either::Left((Err(_), _)) | Either::Right(_) => {
                world.tell(self.node, || "the directory does not answer the hub".to_owned());
                Err(lost())
            }
        }
    }

    async fn key(&self, question: &hub::KeyQuestion) -> Result<KeyAnswer, StoreError> {
        // What is no key is nobody's.
        let Ok(key) = PixKey::infer(&question.key) else { return Ok(Ok(None)) };
        let requester: Option<Ispb> = Some(question.requester);
        let Ok(asked) = FindKey::asked(&Caller::Operator, requester, key) else {
            return Ok(Ok(None));
        };
        let outcome = self.call(|keys| async move { keys.find_key.submit(asked).await }).await?;
        let Some(entry) = or_nobody(outcome)? else { return Ok(Ok(None)) };
        let registered_as = orders::PayeeKey::parse(entry.registered_as());
        let registered_as = registered_as.map_err(unreadable)?;
        Ok(Ok(Some(hub::FoundKey { owner: hub_party(&entry.account)?, registered_as })))
    }
}

#[async_trait]
impl OrderDirectory for Line {
    async fn accounts(
        &self,
        ids: &[AccountId],
        _trace: &TraceParent,
    ) -> Result<Vec<orders::Party>, StoreError> {
        let mut found = Vec::new();
        for id in ids {
            let asked = FindAccount { account_id: *id };
            let outcome =
                self.call(|keys| async move { keys.find_account.submit(asked).await }).await?;
            found.extend(or_nobody(outcome)?.as_ref().map(hub_party).transpose()?);
        }
        Ok(found)
    }

    async fn keys(&self, questions: &[hub::KeyQuestion]) -> Result<Vec<KeyAnswer>, StoreError> {
        let mut answers = Vec::new();
        for question in questions {
            answers.push(self.key(question).await?);
        }
        if self.city.world.has(Bug::AnswersOutOfOrder) {
            answers.reverse();
        }
        Ok(answers)
    }
}
