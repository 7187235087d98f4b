//! The hub's store in memory, and a bench on which messages are cleared, for tests.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use shared_kernel::application::transaction::AnswerBook;
use shared_kernel::application::transaction::OffsetMove;
use shared_kernel::application::{
    Answers, DeadLetter, Refusal, Remembered, StoreError, TraceParent, Transaction,
};
use shared_kernel::application::{Progress, Sweep, TopicPartition};
use shared_kernel::domain::{BankCode, EndToEndId, Ispb, ReasonCode, Timestamp};
use shared_kernel::testing::FixedClock;
use uuid::Uuid;

use crate::application::clearing::Clearing;
use crate::application::message::{
    BankMessage, Heard, Received, Reference, TransferAccepted, TransferRefused, TransferRequested,
    TransferSettled,
};
use crate::application::outside::{KnownOrder, OrderOutcome, OrderRefusal};
use crate::application::ports::{
    Birth, Change, DueTransfer, Horizon, Letter, Notice, ParticipantRun, Resend,
    SavedAcknowledgement, SavedParticipant, SavedResolution, SavedTransfer, TransferRun,
    TransfersReads, TransfersStore, TransfersTransaction, Word,
};
use crate::application::settings::TransfersSettings;
use crate::application::sweep::ExpireOverdue;
use crate::domain::testing::{PAYEE_BANK, PAYER_BANK, at, ispb, native, order};
use crate::domain::{
    Order, OrderId, Participant, ParticipantEvent, Position, PositionMove, Protocol, Side,
    Transfer, TransferState,
};

/// A stored transfer and what the sweepers keep beside it.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) transfer: Transfer,
    origin: i32,
    trace: TraceParent,
    pub(crate) resend_at: Option<Timestamp>,
    pub(crate) resends: u32,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Tables {
    pub(crate) transfers: BTreeMap<EndToEndId, Row>,
    pub(crate) participants: BTreeMap<Ispb, Participant>,
    pub(crate) positions: BTreeMap<Ispb, Position>,
    pub(crate) told: Vec<(EndToEndId, Notice)>,
    pub(crate) letters: Vec<(EndToEndId, Letter)>,
    /// Transfers that wait to be handed over; no courier takes them.
    pub(crate) hand_overs: BTreeSet<EndToEndId>,
    pub(crate) orders: BTreeMap<OrderId, KnownOrder>,
    pub(crate) refusals: Vec<OrderRefusal>,
    pub(crate) resolutions: Vec<SavedResolution>,
    pub(crate) banks_told: Vec<(Ispb, ParticipantEvent)>,
    /// Statements of each kind so far, to hold batches to a constant number.
    pub(crate) calls: BTreeMap<&'static str, usize>,
    /// Transfers cannot be read now.
    pub(crate) is_away: bool,
}

/// The store; clones share their content.
#[derive(Clone, Debug, Default)]
pub(crate) struct MemoryStore(Arc<Mutex<Tables>>);

pub(crate) fn trace(number: u8) -> TraceParent {
    TraceParent::parse(&format!("00-{:032x}-{:016x}-01", 1, number.max(1))).unwrap()
}

impl MemoryStore {
    pub(crate) fn with(banks: impl IntoIterator<Item = Participant>) -> Self {
        let store = Self::default();
        for bank in banks {
            let mut tables = store.tables();
            tables.positions.insert(bank.ispb, Position::opening(bank.ispb));
            tables.participants.insert(bank.ispb, bank);
        }
        store
    }

    pub(crate) fn tables(&self) -> MutexGuard<'_, Tables> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, call: &'static str) {
        let mut tables = self.tables();
        let count = tables.calls.entry(call).or_default();
        *count = count.saturating_add(1);
    }

    pub(crate) fn put_transfer(&self, transfer: Transfer) {
        let id = transfer.order().end_to_end_id;
        let row = Row { transfer, origin: 0, trace: trace(1), resend_at: None, resends: 0 };
        self.tables().transfers.insert(id, row);
    }

    pub(crate) fn stored(&self, id: &EndToEndId) -> Option<Transfer> {
        self.tables().transfers.get(id).map(|row| row.transfer.clone())
    }
}

#[async_trait]
impl TransfersStore for MemoryStore {
    async fn begin(&self) -> Result<Box<dyn TransfersTransaction>, StoreError> {
        let work = self.tables().clone();
        Ok(Box::new(MemoryTransaction { store: self.clone(), work }))
    }
}

#[async_trait]
impl TransfersReads for MemoryStore {
    async fn transfers(&self, ids: &[EndToEndId]) -> Result<Vec<Transfer>, StoreError> {
        self.count("transfers");
        if self.tables().is_away {
            return Err(StoreError::Unavailable("the store is away".into()));
        }
        Ok(ids.iter().filter_map(|id| self.stored(id)).collect())
    }

    async fn runs(&self, runs: &[TransferRun]) -> Result<Vec<Vec<Transfer>>, StoreError> {
        self.count("runs");
        let tables = self.tables();
        let mut all: Vec<&Transfer> = tables.transfers.values().map(|row| &row.transfer).collect();
        all.sort_by_key(|transfer| std::cmp::Reverse(age(transfer)));
        let run = |run: &TransferRun| -> Vec<Transfer> {
            let rows = usize::try_from(run.rows).unwrap();
            let found = all.iter().filter(|transfer| is_in(transfer, run));
            found.take(rows).map(|transfer| (*transfer).clone()).collect()
        };
        Ok(runs.iter().map(run).collect())
    }

    async fn participants(
        &self,
        runs: &[ParticipantRun],
    ) -> Result<Vec<Vec<Participant>>, StoreError> {
        self.count("participants");
        let tables = self.tables();
        let run = |run: &ParticipantRun| -> Vec<Participant> {
            let behind = tables.participants.values().filter(|bank| {
                Some(bank.ispb) > run.after && run.protocol.is_none_or(|it| it == bank.protocol)
            });
            let rows = run.rows.map_or(usize::MAX, |rows| usize::try_from(rows).unwrap());
            behind.take(rows).cloned().collect()
        };
        Ok(runs.iter().map(run).collect())
    }

    async fn participants_of(&self, ispbs: &[Ispb]) -> Result<Vec<Participant>, StoreError> {
        self.count("participants_of");
        let tables = self.tables();
        Ok(ispbs.iter().filter_map(|ispb| tables.participants.get(ispb).cloned()).collect())
    }

    async fn resolutions(&self, ids: &[EndToEndId]) -> Result<Vec<SavedResolution>, StoreError> {
        self.count("resolutions");
        let tables = self.tables();
        let of = |saved: &&SavedResolution| ids.contains(&saved.end_to_end_id);
        Ok(tables.resolutions.iter().filter(of).cloned().collect())
    }

    async fn orders(&self, ids: &[OrderId]) -> Result<Vec<KnownOrder>, StoreError> {
        self.count("orders");
        let tables = self.tables();
        Ok(ids.iter().filter_map(|id| tables.orders.get(id).cloned()).collect())
    }

    async fn positions(&self) -> Result<Vec<Position>, StoreError> {
        self.count("positions");
        Ok(self.tables().positions.values().copied().collect())
    }

    async fn positions_of(&self, ispbs: &[Ispb]) -> Result<Vec<Position>, StoreError> {
        self.count("positions_of");
        let tables = self.tables();
        Ok(ispbs.iter().filter_map(|ispb| tables.positions.get(ispb).copied()).collect())
    }
}

fn age(transfer: &Transfer) -> (Timestamp, EndToEndId) {
    (transfer.terms().registered_at, transfer.order().end_to_end_id)
}

fn is_in(transfer: &Transfer, run: &TransferRun) -> bool {
    run.of.holds(transfer.order())
        && run.state.is_none_or(|state| transfer.standing().state == state)
        && run.period.holds(transfer.terms().registered_at)
        && run.after.is_none_or(|after| age(transfer) < (after.registered_at, after.end_to_end_id))
}

/// Works on a copy; only a commit is seen.
struct MemoryTransaction {
    store: MemoryStore,
    work: Tables,
}

impl MemoryTransaction {
    fn count(&mut self, call: &'static str) {
        let count = self.work.calls.entry(call).or_default();
        *count = count.saturating_add(1);
    }
}

#[async_trait]
impl Transaction for MemoryTransaction {
    async fn advance(&mut self, _: &str, _: &[OffsetMove]) -> Result<(), StoreError> {
        Ok(())
    }

    async fn dead_letter(&mut self, _: Vec<DeadLetter>) -> Result<(), StoreError> {
        Ok(())
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        *self.store.tables() = self.work;
        Ok(())
    }

    async fn rollback(self: Box<Self>) {}
}

#[async_trait]
impl Answers for MemoryTransaction {
    async fn remember(&mut self, _: &[Remembered]) -> Result<(), StoreError> {
        Ok(())
    }
}

#[async_trait]
impl TransfersTransaction for MemoryTransaction {
    async fn load_transfers(&mut self, ids: &[EndToEndId]) -> Result<Vec<Transfer>, StoreError> {
        self.count("load_transfers");
        let known = ids.iter().filter_map(|id| self.work.transfers.get(id));
        Ok(known.map(|row| row.transfer.clone()).collect())
    }

    async fn load_participants(&mut self, ispbs: &[Ispb]) -> Result<Vec<Participant>, StoreError> {
        self.count("load_participants");
        Ok(ispbs.iter().filter_map(|ispb| self.work.participants.get(ispb).cloned()).collect())
    }

    async fn lock_positions(&mut self, ispbs: &[Ispb]) -> Result<Vec<Position>, StoreError> {
        self.count("lock_positions");
        Ok(ispbs.iter().filter_map(|ispb| self.work.positions.get(ispb).copied()).collect())
    }

    async fn save_transfers(&mut self, saved: Vec<SavedTransfer>) -> Result<(), StoreError> {
        self.count("save_transfers");
        for SavedTransfer { transfer, change, resend_at, notices, letters } in saved {
            let id = transfer.order().end_to_end_id;
            let hands_over = letters.iter().any(|letter| letter.word == Word::Credit);
            self.work.hand_overs.extend(hands_over.then_some(id));
            self.work.letters.extend(letters.into_iter().map(|letter| (id, letter)));
            self.work.told.extend(notices.into_iter().map(|notice| (id, notice)));
            match change {
                Change::Born(birth) => {
                    self.know(&transfer, &birth)?;
                    let (origin, trace) = (birth.origin, birth.trace);
                    let row = Row { transfer, origin, trace, resend_at, resends: 0 };
                    assert!(self.work.transfers.insert(id, row).is_none(), "born twice");
                }
                Change::Moved => {
                    let row = self.work.transfers.get_mut(&id).expect("moved and never born");
                    row.transfer = transfer;
                    row.resend_at = resend_at.or(row.resend_at);
                }
                Change::None => assert_eq!(self.work.transfers[&id].transfer, transfer),
            }
        }
        Ok(())
    }

    async fn move_positions(&mut self, moves: &[PositionMove]) -> Result<(), StoreError> {
        self.count("move_positions");
        for step in moves {
            let position = self.work.positions.get_mut(&step.ispb).expect("a position");
            position.shift(step).unwrap();
            assert!(!position.reserved.is_negative(), "{position:?}");
        }
        Ok(())
    }

    async fn lock_overdue(
        &mut self,
        horizons: &[Horizon],
        limit: u16,
    ) -> Result<Vec<DueTransfer>, StoreError> {
        Ok(self.due(limit, |row| {
            let deadline = row.transfer.terms().deadline;
            let passed =
                |horizon: &Horizon| horizon.origin == row.origin && deadline < horizon.before;
            let standing = row.transfer.standing();
            let is_due = standing.state == TransferState::Pending && standing.overdue_at.is_none();
            is_due && horizons.iter().any(passed)
        }))
    }

    async fn lock_unreported(
        &mut self,
        now: Timestamp,
        limit: u16,
    ) -> Result<Vec<DueTransfer>, StoreError> {
        Ok(self.due(limit, |row| {
            row.transfer.standing().state == TransferState::Confirmed
                && row.resend_at.is_some_and(|at| at <= now)
        }))
    }

    async fn schedule_resends(&mut self, resends: &[Resend]) -> Result<(), StoreError> {
        for resend in resends {
            let row = self.work.transfers.get_mut(&resend.end_to_end_id).expect("a transfer");
            (row.resend_at, row.resends) = (Some(resend.at), resend.resends);
        }
        Ok(())
    }

    async fn lock_enrolled(
        &mut self,
        ispbs: &[Ispb],
        codes: &[BankCode],
    ) -> Result<Vec<Participant>, StoreError> {
        let wanted = |bank: &&Participant| ispbs.contains(&bank.ispb) || codes.contains(&bank.code);
        Ok(self.work.participants.values().filter(wanted).cloned().collect())
    }

    async fn with_open_transfers(&mut self, ispbs: &[Ispb]) -> Result<Vec<Ispb>, StoreError> {
        let transfers = self.work.transfers.values().map(|row| &row.transfer);
        let open: Vec<Ispb> = transfers
            .filter(|transfer| !transfer.standing().state.is_final())
            .flat_map(|transfer| [Side::Payer, Side::Payee].map(|side| transfer.bank(side)))
            .collect();
        Ok(ispbs.iter().copied().filter(|ispb| open.contains(ispb)).collect())
    }

    async fn load_orders(&mut self, ids: &[OrderId]) -> Result<Vec<KnownOrder>, StoreError> {
        self.count("load_orders");
        Ok(ids.iter().filter_map(|id| self.work.orders.get(id).cloned()).collect())
    }

    async fn refuse_orders(&mut self, refusals: &[OrderRefusal]) -> Result<(), StoreError> {
        self.count("refuse_orders");
        for refusal in refusals {
            self.work.refusals.push(refusal.clone());
            if refusal.remember {
                let OrderRefusal { order, bank, sentence, .. } = refusal.clone();
                let known = KnownOrder {
                    order_id: order.order_id,
                    bank,
                    account_id: order.account_id,
                    content: Some(order.content()),
                    outcome: OrderOutcome::Refused { sentence },
                };
                self.insert_order(known)?;
            }
        }
        Ok(())
    }

    async fn waiting_hand_overs(
        &mut self,
        ids: &[EndToEndId],
    ) -> Result<Vec<EndToEndId>, StoreError> {
        self.count("waiting_hand_overs");
        Ok(ids.iter().copied().filter(|id| self.work.hand_overs.contains(id)).collect())
    }

    async fn save_resolutions(&mut self, saved: &[SavedResolution]) -> Result<(), StoreError> {
        self.work.resolutions.extend(saved.to_vec());
        Ok(())
    }

    async fn save_acknowledgements(
        &mut self,
        saved: &[SavedAcknowledgement],
    ) -> Result<(), StoreError> {
        for SavedAcknowledgement { end_to_end_id, acknowledgement } in saved {
            let mut kept = self.work.resolutions.iter_mut();
            let kept = kept.find(|it| it.end_to_end_id == *end_to_end_id).expect("a resolution");
            kept.acknowledged = Some(acknowledgement.clone());
        }
        Ok(())
    }

    async fn save_participants(&mut self, saved: &[SavedParticipant]) -> Result<(), StoreError> {
        for SavedParticipant { participant, event, .. } in saved {
            let ispb = participant.ispb;
            self.work.positions.entry(ispb).or_insert(Position::opening(ispb));
            self.work.participants.insert(ispb, participant.clone());
            self.work.banks_told.push((ispb, event.clone()));
        }
        Ok(())
    }
}

impl MemoryTransaction {
    /// A new transfer with an id of its own outside is known by it.
    fn know(&mut self, transfer: &Transfer, birth: &Birth) -> Result<(), StoreError> {
        let Some(order_id) = transfer.ends().order_id else { return Ok(()) };
        let order = transfer.order();
        let (end_to_end_id, payee) = (order.end_to_end_id, order.payee.ispb);
        self.insert_order(KnownOrder {
            order_id,
            bank: order.payer.ispb,
            account_id: order.payer.account_id,
            content: birth.content,
            outcome: OrderOutcome::Transfer { end_to_end_id, payee },
        })
    }

    fn insert_order(&mut self, known: KnownOrder) -> Result<(), StoreError> {
        match self.work.orders.insert(known.order_id, known) {
            None => Ok(()),
            Some(other) => Err(StoreError::Conflict(other.order_id.to_string())),
        }
    }

    fn due(&self, limit: u16, is_due: impl Fn(&Row) -> bool) -> Vec<DueTransfer> {
        let rows = self.work.transfers.values().filter(|row| is_due(row)).take(limit.into());
        rows.map(|row| DueTransfer {
            transfer: row.transfer.clone(),
            trace: row.trace.clone(),
            resends: row.resends,
        })
        .collect()
    }
}

/// Who was told of which state: `hub`, `payer`, `payee`.
pub(crate) type Told = (TransferState, Vec<&'static str>);

/// Two native banks, a clock that stands at second 0, and the hub between them.
pub(crate) struct Bench {
    pub(crate) store: MemoryStore,
    pub(crate) clock: Arc<FixedClock>,
    pub(crate) clearing: Clearing,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with([native(PAYER_BANK), native(PAYEE_BANK)])
    }

    pub(crate) fn with(banks: impl IntoIterator<Item = Participant>) -> Self {
        let clock = Arc::new(FixedClock::at(at(0)));
        let clearing =
            Clearing::new(Arc::<FixedClock>::clone(&clock), TransfersSettings::default());
        Self { store: MemoryStore::with(banks), clock, clearing }
    }

    /// Clears messages in one batch, each heard at that second; answers the codes of refusals.
    pub(crate) async fn hear(&self, heard_at: u64, said: Vec<BankMessage>) -> Vec<String> {
        self.hear_as(Protocol::Native, heard_at, said).await
    }

    /// The same, said by programs that credit on delivery.
    pub(crate) async fn hear_classic(&self, heard_at: u64, said: Vec<BankMessage>) -> Vec<String> {
        self.hear_as(Protocol::Classic, heard_at, said).await
    }

    async fn hear_as(&self, voice: Protocol, heard_at: u64, said: Vec<BankMessage>) -> Vec<String> {
        let received = said.into_iter().enumerate().map(|(index, message)| Received {
            index,
            heard: Heard { at: at(heard_at), origin: 0, voice, trace: trace(2) },
            message,
        });
        let mut transaction = self.store.begin().await.unwrap();
        let refusals = self.clearing.clear(&mut *transaction, received.collect()).await.unwrap();
        transaction.commit().await.unwrap();
        refusals.into_iter().map(|Refusal { code, .. }| code).collect()
    }

    /// What was told since the last time.
    pub(crate) fn told(&self) -> Vec<Told> {
        let told = std::mem::take(&mut self.store.tables().told);
        let ears = |notice: &Notice| {
            let flags = [
                (notice.audience.everyone, "hub"),
                (notice.audience.payer, "payer"),
                (notice.audience.payee, "payee"),
            ];
            flags.into_iter().filter(|(hears, _)| *hears).map(|(_, ear)| ear).collect()
        };
        told.iter().map(|(_, notice)| (notice.standing.state, ears(notice))).collect()
    }

    /// What banks that credit on delivery were told since the last time.
    pub(crate) fn letters(&self) -> Vec<(Side, Word)> {
        let letters = std::mem::take(&mut self.store.tables().letters);
        letters.into_iter().map(|(_, letter)| (letter.to, letter.word)).collect()
    }

    /// Time passes, the log is read to its end, and deadlines pass.
    pub(crate) async fn passes_deadlines(&self, seconds: u64) {
        self.clock.advance(std::time::Duration::from_secs(seconds.saturating_add(1)));
        let partition = TopicPartition { topic: "t".into(), partition: 0 };
        let progress = Arc::new(Progress::default());
        progress.assigned([&partition]);
        progress.caught_up(&partition);
        progress.looked(shared_kernel::application::Clock::now(&*self.clock));
        let (store, clock) = (Arc::new(self.store.clone()), Arc::<FixedClock>::clone(&self.clock));
        let settings = TransfersSettings::default();
        ExpireOverdue::new(store, progress, clock, settings).sweep().await.unwrap();
    }

    pub(crate) fn state(&self, number: u64) -> TransferState {
        self.store.stored(&order(number).end_to_end_id).unwrap().standing().state
    }

    /// Amounts of payer's and payee's position, and what the payer has reserved.
    pub(crate) fn positions(&self) -> (i64, i64, i64) {
        let tables = self.store.tables();
        let of = |bank: &str| tables.positions[&ispb(bank)];
        let (payer, payee) = (of(PAYER_BANK), of(PAYEE_BANK));
        (payer.amount.centavos(), payee.amount.centavos(), payer.reserved.centavos())
    }
}

pub(crate) fn requested(order: Order) -> BankMessage {
    let sender = order.payer.ispb;
    BankMessage::Requested(Box::new(TransferRequested {
        sender,
        order,
        registered_as: None,
        reference: None,
    }))
}

/// The order of a program that has ids of its own: that of order 7 is 7.
pub(crate) fn ordered(order: Order) -> BankMessage {
    let number = u128::try_from(order.amount.centavos()).unwrap() / 100;
    let order_id = OrderId::from_uuid(Uuid::from_u128(number));
    let reference = Some(Reference { order_id, content: order.digest() });
    let sender = order.payer.ispb;
    let registered_as = None;
    BankMessage::Requested(Box::new(TransferRequested { sender, order, registered_as, reference }))
}

/// The payee's bank says that it has credited.
pub(crate) fn delivered(number: u64) -> BankMessage {
    accepted(number)
}

pub(crate) fn accepted(number: u64) -> BankMessage {
    let end_to_end_id = order(number).end_to_end_id;
    BankMessage::Accepted(TransferAccepted { sender: ispb(PAYEE_BANK), end_to_end_id })
}

pub(crate) fn refused(number: u64, reason: ReasonCode) -> BankMessage {
    let end_to_end_id = order(number).end_to_end_id;
    BankMessage::Refused(TransferRefused { sender: ispb(PAYEE_BANK), end_to_end_id, reason })
}

pub(crate) fn settled(number: u64, by: Side) -> BankMessage {
    let end_to_end_id = order(number).end_to_end_id;
    match by {
        Side::Payer => {
            BankMessage::SettledByPayer(TransferSettled { sender: ispb(PAYER_BANK), end_to_end_id })
        }
        Side::Payee => {
            BankMessage::SettledByPayee(TransferSettled { sender: ispb(PAYEE_BANK), end_to_end_id })
        }
    }
}

/// No command of this kind is remembered.
pub(crate) struct NoBook;

#[async_trait]
impl AnswerBook for NoBook {
    async fn remembered(&self, _: &[(String, String)]) -> Result<Vec<Remembered>, StoreError> {
        panic!("a command of an operator has no idempotency key")
    }
}
