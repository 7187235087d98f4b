//! The line between the banks and the directory: calls take time, get lost on the way there or
//! back, or meet nobody.

use std::future::pending;
use std::sync::Arc;

use async_trait::async_trait;
use banking::application::directory::{KeyDirectory, KeyQuestion, LookupError};
use banking::domain::Party;
use futures::channel::oneshot;
use pix_keys::application::EntryView;
use pix_keys::application::query::FindKey;
use pix_keys::domain::PixKey;
use shared_kernel::application::{ApplicationError, Caller};
use shared_kernel::domain::{Kind, TaxId};

use crate::city::City;
use crate::executor::NodeId;
use crate::plan::Role;

/// Who an account belonged to, if the directory is asked on a bad day. No customer of this city.
const FORMER_OWNER: &str = "52998224725";

/// A bank's line to the directory.
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

fn answer(outcome: Result<EntryView, ApplicationError>) -> Result<Option<Party>, LookupError> {
    match outcome {
        Ok(found) => Ok(Some(party(found))),
        Err(ApplicationError::Refused(refused)) if refused.kind() == Kind::NotFound => Ok(None),
        Err(ApplicationError::Refused(refused)) => Err(refused.into()),
        Err(ApplicationError::Unavailable(reason)) => Err(LookupError::Unavailable(reason)),
    }
}

#[async_trait]
impl KeyDirectory for Line {
    async fn find(&self, question: &KeyQuestion) -> Result<Option<Party>, LookupError> {
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
            pending::<()>().await;
        }
        let (reply, answered) = oneshot::channel();
        world.executor.spawn(node, async move {
            // The asking bank may be gone.
            drop(reply.send(keys.find_key.submit(asked).await));
        });
        let outcome = answered.await;
        world.delay().await;
        if world.unlucky(world.plan.rates.call / 2) {
            pending::<()>().await;
        }
        let lost = || LookupError::Unavailable("connection reset by peer".into());
        let mut found = outcome.map_or_else(|_dropped| Err(lost()), answer)?;
        if world.unlucky(world.plan.rates.stale)
            && let (Some(party), Ok(former)) = (&mut found, TaxId::parse(FORMER_OWNER))
        {
            world.say(node, "stale", || format!("FAULT: {} had another owner", party.account_id));
            party.owner_tax_id = former;
        }
        Ok(found)
    }
}
