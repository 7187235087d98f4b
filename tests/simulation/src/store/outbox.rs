//! The outbox: one leader per shard, as long as its session lives.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::select;
use shared_kernel::application::StoreError;
use shared_kernel::application::outbox::{Outbox, OutboxRow, OutboxShard};

use super::{Session, Tables};
use crate::executor::WORLD;
use crate::planted::Bug;
use crate::trace::span;

/// What is led: rows of a kind, and the shard.
type Lock = (&'static str, u16);

/// A shard that this session holds the lock of.
pub(crate) struct Lead<T: Tables> {
    session: Session<T>,
    lock: Lock,
    number: u64,
    server_session: u64,
}

impl<T: Tables> Lead<T> {
    fn is_held(&self) -> bool {
        let is_alive = self.session.database.server.is_alive(self.server_session);
        let leads = self.session.database.durable().kernel.leads.get(&self.lock).copied();
        is_alive && leads == Some(self.number)
    }

    fn must_live(&self) -> Result<(), StoreError> {
        if self.is_held() {
            return Ok(());
        }
        self.session
            .world()
            .tell(self.session.node, || format!("learns that it no longer {}", self.words()));
        Err(StoreError::Unavailable("terminating connection".into()))
    }

    /// What it does as long as it holds the lock.
    fn words(&self) -> String {
        format!("{} {}/{}", self.lock.0, T::SCHEMA, self.lock.1)
    }

    /// The server gives the lock up, now or when it notices.
    fn lose(&self, after: Duration) {
        let (database, lock, number) = (self.session.database.clone(), self.lock, self.number);
        let free = move || {
            let leads = &mut database.durable().kernel.leads;
            if leads.get(&lock) == Some(&number) {
                leads.remove(&lock);
            }
        };
        if after.is_zero() {
            return free();
        }
        let executor = &self.session.world().executor;
        let slept = executor.sleep(after);
        executor.spawn(WORLD, async move {
            slept.await;
            free();
        });
    }
}

impl<T: Tables> Drop for Lead<T> {
    fn drop(&mut self) {
        let world = Arc::clone(self.session.world());
        let lingers = world.unlucky(200_000);
        let most = if lingers { Duration::from_secs(3) } else { Duration::ZERO };
        let after = world.chance.time(Duration::ZERO, most);
        if lingers && self.is_held() {
            world.fault(self.session.node, || {
                let (words, after) = (self.words(), span(after));
                format!("it no longer {words}, and the database keeps the lock for {after}")
            });
        }
        self.lose(after);
    }
}

impl<T: Tables> Lead<T> {
    /// A statement over the session that leads: it fails once the lock is lost.
    pub(crate) async fn statement(&self) -> Result<(), StoreError> {
        self.session.reach().await?;
        self.must_live()
    }

    /// Now and then the line to the server breaks, and this process does not know it yet.
    pub(crate) fn may_break(&self) {
        let world = self.session.world();
        if world.unlucky(world.plan.rates.statement) {
            let after = world.chance.time(Duration::ZERO, Duration::from_secs(1));
            world.fault(self.session.node, || {
                let (words, after) = (self.words(), span(after));
                format!("the lock by which it {words} is lost in {after}, and it does not know yet")
            });
            self.lose(after);
        }
    }

    pub(crate) const fn session(&self) -> &Session<T> {
        &self.session
    }
}

impl<T: Tables> Session<T> {
    /// Takes the lock of a shard, unless another session has it.
    pub(crate) async fn lead(&self, lock: Lock) -> Result<Option<Lead<T>>, StoreError> {
        let server_session = self.reach().await?;
        let number = {
            let kernel = &mut self.database.durable().kernel;
            kernel.numbers += 1;
            let number = kernel.numbers;
            if kernel.leads.contains_key(&lock) {
                return Ok(None);
            }
            kernel.leads.insert(lock, number);
            number
        };
        let lead = Lead { session: self.clone(), lock, number, server_session };
        self.world().say(self.node, "lead", || lead.words());
        Ok(Some(lead))
    }

    /// Returns when something was stored in this process, or after `wait`.
    pub(crate) async fn stored(&self, wait: Duration) {
        let appended = Box::pin(self.signal.notified());
        select(appended, self.world().executor.sleep(wait)).await;
    }
}

#[async_trait]
impl<T: Tables> Outbox for Session<T> {
    async fn try_lead(&self, shard: u16) -> Result<Option<Box<dyn OutboxShard>>, StoreError> {
        let led = self.lead(("relays", shard)).await?;
        Ok(led.map(|lead| -> Box<dyn OutboxShard> { Box::new(lead) }))
    }

    async fn appended(&self, wait: Duration) {
        self.stored(wait).await;
    }
}

#[async_trait]
impl<T: Tables> OutboxShard for Lead<T> {
    async fn pending(&mut self, limit: i64) -> Result<Vec<OutboxRow>, StoreError> {
        let world = Arc::clone(self.session.world());
        self.statement().await?;
        self.may_break();
        let mut durable = self.session.database.durable();
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let mine = durable.kernel.outbox.iter().filter(|(_, row)| row.shard == self.lock.1);
        let mut rows: Vec<OutboxRow> = mine
            .take(limit)
            .map(|(id, row)| OutboxRow { id: *id, records: row.records.to_vec() })
            .collect();
        if world.has(Bug::NewestFirst) {
            rows.reverse();
        }
        if world.has(Bug::RemoveBeforeSending) {
            durable.kernel.outbox.retain(|id, _| rows.iter().all(|row| row.id != *id));
        }
        Ok(rows)
    }

    async fn remove(&mut self, ids: &[i64]) -> Result<(), StoreError> {
        let world = Arc::clone(self.session.world());
        world.at(self.session.node, "before it removes what it sent").await;
        self.statement().await?;
        self.session.database.durable().kernel.outbox.retain(|id, _| !ids.contains(id));
        world.at(self.session.node, "after it removed what it sent").await;
        Ok(())
    }
}
