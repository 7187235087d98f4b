//! A store in memory: transactions that commit whole or not at all, and fail where they are told.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use shared_kernel::application::log::Position;
use shared_kernel::application::transaction::{OffsetMove, OffsetStore};
use shared_kernel::application::{
    BatchHandler, DeadLetter, InboundRecord, Refusal, StoreError, TopicPartition, Transaction,
};

use crate::log::{text_of, turn};

/// Where the next transaction fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It does not even begin.
    Begin(StoreError),
    /// In the handler.
    Handle(StoreError),
    /// At the dead letters.
    Letters(StoreError),
    /// At the commit, which does not happen.
    Commit(StoreError),
    /// After the commit: it happened, and nobody is told.
    Committed,
    /// Another process moves the offsets first, and does the work.
    Overtaken,
}

/// What is committed.
#[derive(Clone, Default)]
pub(crate) struct State {
    pub(crate) offsets: BTreeMap<TopicPartition, i64>,
    pub(crate) effects: Vec<String>,
    pub(crate) letters: Vec<DeadLetter>,
}

#[derive(Default)]
pub(crate) struct Store {
    pub(crate) state: Mutex<State>,
    pub(crate) faults: Mutex<VecDeque<Fault>>,
    pub(crate) transactions: AtomicUsize,
}

impl Store {
    pub(crate) fn failing(faults: impl IntoIterator<Item = Fault>) -> Arc<Self> {
        Arc::new(Self { faults: Mutex::new(faults.into_iter().collect()), ..Self::default() })
    }

    pub(crate) fn state(&self) -> State {
        self.state.lock().unwrap().clone()
    }

    fn fault(&self, is_it: impl Fn(&Fault) -> bool) -> Option<Fault> {
        let mut faults = self.faults.lock().unwrap();
        if faults.front().is_some_and(is_it) { faults.pop_front() } else { None }
    }
}

#[async_trait]
impl OffsetStore for Store {
    async fn positions(
        &self,
        _consumer: &str,
        _cluster_id: &str,
        beginnings: &[Position],
    ) -> Result<Vec<Position>, StoreError> {
        turn().await;
        let mut state = self.state.lock().unwrap();
        let stored = beginnings.iter().map(|beginning| {
            let at = beginning.at.clone();
            let stored = state.offsets.entry(at.clone()).or_insert(beginning.next_offset);
            Position { at, next_offset: *stored }
        });
        Ok(stored.collect())
    }
}

pub(crate) struct Open {
    store: Arc<Store>,
    effects: Vec<String>,
    letters: Vec<DeadLetter>,
    moves: Vec<OffsetMove>,
}

impl Open {
    /// As a database does it: everything, if every offset is still what it was.
    fn apply(&self) -> Result<(), StoreError> {
        let mut state = self.store.state.lock().unwrap();
        if self.moves.iter().any(|step| state.offsets.get(&step.at) != Some(&step.from)) {
            return Err(StoreError::Fenced);
        }
        for step in &self.moves {
            state.offsets.insert(step.at.clone(), step.to);
        }
        state.effects.extend(self.effects.iter().cloned());
        state.letters.extend(self.letters.iter().cloned());
        Ok(())
    }
}

#[async_trait]
impl Transaction for Open {
    async fn advance(&mut self, _consumer: &str, moves: &[OffsetMove]) -> Result<(), StoreError> {
        turn().await;
        self.moves = moves.to_vec();
        if self.store.fault(|fault| *fault == Fault::Overtaken).is_some() {
            self.apply()?;
        }
        let state = self.store.state.lock().unwrap();
        let fenced = moves.iter().any(|step| state.offsets.get(&step.at) != Some(&step.from));
        if fenced { Err(StoreError::Fenced) } else { Ok(()) }
    }

    async fn dead_letter(&mut self, letters: Vec<DeadLetter>) -> Result<(), StoreError> {
        turn().await;
        if let Some(Fault::Letters(error)) = self.store.fault(|it| matches!(it, Fault::Letters(_)))
        {
            return Err(error);
        }
        self.letters = letters;
        Ok(())
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        turn().await;
        if let Some(Fault::Commit(error)) = self.store.fault(|it| matches!(it, Fault::Commit(_))) {
            return Err(error);
        }
        self.apply()?;
        turn().await;
        match self.store.fault(|fault| *fault == Fault::Committed) {
            Some(_) => Err(StoreError::Unavailable("the answer got lost".into())),
            None => Ok(()),
        }
    }

    async fn rollback(self: Box<Self>) {
        turn().await;
    }
}

/// Notes the text of every record; refuses `odd`, is refused `unfit`, panics at `frightful`.
pub(crate) struct Notes(pub(crate) Arc<Store>);

#[async_trait]
impl BatchHandler for Notes {
    type Transaction = Open;

    async fn begin(&self) -> Result<Box<Open>, StoreError> {
        turn().await;
        self.0.transactions.fetch_add(1, Ordering::SeqCst);
        if let Some(Fault::Begin(error)) = self.0.fault(|fault| matches!(fault, Fault::Begin(_))) {
            return Err(error);
        }
        let store = Arc::clone(&self.0);
        Ok(Box::new(Open { store, effects: vec![], letters: vec![], moves: vec![] }))
    }

    async fn handle(
        &self,
        transaction: &mut Open,
        batch: &[InboundRecord],
    ) -> Result<Vec<Refusal>, StoreError> {
        turn().await;
        if let Some(Fault::Handle(error)) = self.0.fault(|fault| matches!(fault, Fault::Handle(_)))
        {
            return Err(error);
        }
        let mut refusals = Vec::new();
        for (index, text) in batch.iter().map(text_of).enumerate() {
            assert_ne!(text, "frightful", "boo");
            match text.as_str() {
                "unfit" => return Err(StoreError::Rejected("unfit".into())),
                "clash" => return Err(StoreError::Conflict("clash".into())),
                "odd" => {
                    let (code, reason) = ("odd".into(), "not even".into());
                    refusals.push(Refusal { index, code, reason });
                }
                _ => transaction.effects.push(text),
            }
        }
        // An index that names nothing is no reason to fail.
        refusals.push(Refusal { index: batch.len(), code: "beyond".into(), reason: String::new() });
        Ok(refusals)
    }
}
