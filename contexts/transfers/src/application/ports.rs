//! What the hub needs from outside: a store that publishes what it saves, a read side, the topics
//! of the banks, and word of changes. Everything takes slices; one is a batch of one.

use std::sync::Arc;

use async_trait::async_trait;
use shared_kernel::application::{Answers, Period, Place, StoreError, TraceParent};
use shared_kernel::domain::{BankCode, Digest, EndToEndId, Ispb, Timestamp};

use super::outside::{KnownOrder, OrderRefusal};
use super::scope::TransfersOf;
use super::view::TransferView;
use crate::domain::{
    OrderId, Participant, ParticipantEvent, PayeeKey, Position, PositionMove, Protocol, Resolution,
    Side, Standing, Transfer, TransferState,
};

/// Who gets a copy of a notice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Audience {
    /// All readers of the hub's topic.
    pub everyone: bool,
    /// The payer's bank, on its own topic.
    pub payer: bool,
    /// The payee's bank, on its own topic.
    pub payee: bool,
}

impl Audience {
    /// Nobody listens.
    pub const fn is_empty(self) -> bool {
        !(self.everyone || self.payer || self.payee)
    }
}

/// What is told of a transfer: the event of the state that it had at that moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Where the transfer stood.
    pub standing: Standing,
    /// To whom.
    pub audience: Audience,
    /// In which trace.
    pub trace: TraceParent,
}

/// What a bank that credits on delivery is told, in its own protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// A transfer for a customer of it: it credits when it reads this, each time. So it is saved
    /// as a hand-over, which leaves exactly once.
    Credit,
    /// Its order is settled. Harmless to repeat.
    Settled,
    /// Its order has failed. Harmless to repeat.
    Failed,
}

/// A word to the bank at one end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// To whom.
    pub to: Side,
    /// Its topic.
    pub topic: String,
    /// What it is told.
    pub word: Word,
    /// The payee's key as this bank writes it.
    pub payee_key: PayeeKey,
    /// Where the transfer stood.
    pub standing: Standing,
    /// In which trace.
    pub trace: TraceParent,
}

/// Where an order came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Birth {
    /// The partition: its end must be read before the transfer may expire.
    pub origin: i32,
    /// The trace of the order, for what happens without a message.
    pub trace: TraceParent,
    /// Fingerprint of what the payer's bank wrote, where it ordered under an id of its own.
    pub content: Option<Digest>,
}

/// What happened to a transfer in this transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is new.
    Born(Birth),
    /// Its standing changed.
    Moved,
    /// Nothing: notices alone.
    None,
}

/// A transfer to be saved and told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedTransfer {
    /// As it is now.
    pub transfer: Transfer,
    /// What happened to it.
    pub change: Change,
    /// When to send `TransferConfirmed` again unless both banks have reported; set by a
    /// confirmation.
    pub resend_at: Option<Timestamp>,
    /// What is told, in order.
    pub notices: Vec<Notice>,
    /// What banks are told that credit on delivery, in order.
    pub letters: Vec<Letter>,
}

/// What an operator decided of an overdue transfer, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedResolution {
    /// Which transfer.
    pub end_to_end_id: EndToEndId,
    /// As what.
    pub resolution: Resolution,
    /// The operator's words.
    pub reason: String,
    /// When.
    pub at: Timestamp,
    /// What they noted later, if the payee's bank had credited all the same.
    pub acknowledged: Option<Acknowledgement>,
}

/// That what was credited after it was refused is settled between the banks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledgement {
    /// The operator's words.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

/// An acknowledgement with its transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedAcknowledgement {
    /// Which transfer.
    pub end_to_end_id: EndToEndId,
    /// What was noted.
    pub acknowledgement: Acknowledgement,
}

/// A participant to be saved and told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedParticipant {
    /// As it is now.
    pub participant: Participant,
    /// What happened.
    pub event: ParticipantEvent,
    /// In which trace.
    pub trace: TraceParent,
}

/// A transfer that a sweeper found due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueTransfer {
    /// The transfer, its row locked.
    pub transfer: Transfer,
    /// The trace of its order.
    pub trace: TraceParent,
    /// How often `TransferConfirmed` was sent again.
    pub resends: u32,
}

/// Until when deadlines may pass for orders of one partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Horizon {
    /// The partition.
    pub origin: i32,
    /// Deadlines before this moment may pass.
    pub before: Timestamp,
}

/// The next time to send `TransferConfirmed` of a transfer again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resend {
    /// Which transfer.
    pub end_to_end_id: EndToEndId,
    /// When.
    pub at: Timestamp,
    /// How often it was sent again by now.
    pub resends: u32,
}

/// A transaction of the hub. Rows are locked in the order of their ids: transfers first, then
/// positions.
#[async_trait]
pub trait TransfersTransaction: Answers {
    /// The transfers that are known of `ids`, locked.
    async fn load_transfers(&mut self, ids: &[EndToEndId]) -> Result<Vec<Transfer>, StoreError>;

    /// The participants that are known of `ispbs`, locked as far as that nobody changes them until
    /// the transaction ends.
    async fn load_participants(&mut self, ispbs: &[Ispb]) -> Result<Vec<Participant>, StoreError>;

    /// The positions of `ispbs`, locked.
    async fn lock_positions(&mut self, ispbs: &[Ispb]) -> Result<Vec<Position>, StoreError>;

    /// Saves transfers and publishes their notices. Each transfer at most once per transaction.
    async fn save_transfers(&mut self, saved: Vec<SavedTransfer>) -> Result<(), StoreError>;

    /// Adds to positions.
    async fn move_positions(&mut self, moves: &[PositionMove]) -> Result<(), StoreError>;

    /// At most `limit` pending transfers whose deadline is before the horizon of the partition
    /// that their order came from, locked; those that another transaction holds are left out.
    async fn lock_overdue(
        &mut self,
        horizons: &[Horizon],
        limit: u16,
    ) -> Result<Vec<DueTransfer>, StoreError>;

    /// At most `limit` confirmed transfers that are due to be told again by `now`, locked; those
    /// that another transaction holds are left out.
    async fn lock_unreported(
        &mut self,
        now: Timestamp,
        limit: u16,
    ) -> Result<Vec<DueTransfer>, StoreError>;

    /// Notes when to tell confirmed transfers again.
    async fn schedule_resends(&mut self, resends: &[Resend]) -> Result<(), StoreError>;

    /// The participants that have one of these ISPBs or one of these codes, locked.
    async fn lock_enrolled(
        &mut self,
        ispbs: &[Ispb],
        codes: &[BankCode],
    ) -> Result<Vec<Participant>, StoreError>;

    /// Saves participants, opens the positions of new ones, and publishes what happened.
    async fn save_participants(&mut self, saved: &[SavedParticipant]) -> Result<(), StoreError>;

    /// Those of `ispbs` with a transfer that is not final.
    async fn with_open_transfers(&mut self, ispbs: &[Ispb]) -> Result<Vec<Ispb>, StoreError>;

    /// The orders that are known of `ids`: those that banks chose ids for, and those that got one
    /// for a payee's bank. Saving a new transfer with an id makes it known; one that exists since
    /// is a [`StoreError::Conflict`].
    async fn load_orders(&mut self, ids: &[OrderId]) -> Result<Vec<KnownOrder>, StoreError>;

    /// Tells banks that orders of theirs were refused before they were transfers, and keeps those
    /// refusals that are to be remembered.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when one of the orders is known since.
    async fn refuse_orders(&mut self, refusals: &[OrderRefusal]) -> Result<(), StoreError>;

    /// Those of `ids` whose hand-over still waits: nobody has read it yet.
    async fn waiting_hand_overs(
        &mut self,
        ids: &[EndToEndId],
    ) -> Result<Vec<EndToEndId>, StoreError>;

    /// Keeps what operators decided.
    async fn save_resolutions(&mut self, saved: &[SavedResolution]) -> Result<(), StoreError>;

    /// Keeps what operators noted beside what they had decided, each transfer once; the latest
    /// stands.
    async fn save_acknowledgements(
        &mut self,
        saved: &[SavedAcknowledgement],
    ) -> Result<(), StoreError>;
}

/// Opens transactions.
#[async_trait]
pub trait TransfersStore: Send + Sync {
    /// A new transaction.
    async fn begin(&self) -> Result<Box<dyn TransfersTransaction>, StoreError>;
}

/// A place in a list that runs from the newest to the oldest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TransferPlace {
    /// When the last transfer of the page before was registered.
    pub registered_at: Timestamp,
    /// Its id.
    pub end_to_end_id: EndToEndId,
}

impl From<&Transfer> for TransferPlace {
    fn from(transfer: &Transfer) -> Self {
        Self {
            registered_at: transfer.terms().registered_at,
            end_to_end_id: transfer.order().end_to_end_id,
        }
    }
}

impl Place for TransferPlace {
    fn write(&self) -> String {
        format!("{}/{}", self.registered_at.micros(), self.end_to_end_id)
    }

    fn read(text: &str) -> Option<Self> {
        let (micros, id) = text.split_once('/')?;
        Some(Self {
            registered_at: Timestamp::from_micros(micros.parse().ok()?).ok()?,
            end_to_end_id: EndToEndId::parse(id).ok()?,
        })
    }
}

/// A place in a list of participants, by ISPB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ParticipantPlace(pub Ispb);

impl Place for ParticipantPlace {
    fn write(&self) -> String {
        self.0.to_string()
    }

    fn read(text: &str) -> Option<Self> {
        Ispb::parse(text).ok().map(Self)
    }
}

/// One list of transfers, from the newest to the oldest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransferRun {
    /// Whose.
    pub of: TransfersOf,
    /// Only those in this state.
    pub state: Option<TransferState>,
    /// Only those that were registered in this part of time.
    pub period: Period,
    /// Only what is behind this place.
    pub after: Option<TransferPlace>,
    /// How many at most.
    pub rows: i64,
}

/// One list of participants, by ISPB; all of them unless it says otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ParticipantRun {
    /// Only those behind this one.
    pub after: Option<Ispb>,
    /// Only those that the hub talks to in this way.
    pub protocol: Option<Protocol>,
    /// How many at most.
    pub rows: Option<i64>,
}

/// What the hub knows, outside any transaction.
#[async_trait]
pub trait TransfersReads: Send + Sync {
    /// The transfers that are known of `ids`, in any order.
    async fn transfers(&self, ids: &[EndToEndId]) -> Result<Vec<Transfer>, StoreError>;

    /// The transfers of each run, newest first: one answer for each, in their order.
    async fn runs(&self, runs: &[TransferRun]) -> Result<Vec<Vec<Transfer>>, StoreError>;

    /// The participants of each run, by ISPB: one answer for each, in their order.
    async fn participants(
        &self,
        runs: &[ParticipantRun],
    ) -> Result<Vec<Vec<Participant>>, StoreError>;

    /// The participants that are known of `ispbs`, in any order.
    async fn participants_of(&self, ispbs: &[Ispb]) -> Result<Vec<Participant>, StoreError>;

    /// All positions, by ISPB.
    async fn positions(&self) -> Result<Vec<Position>, StoreError>;

    /// What operators decided of those of `ids` that they decided, in any order.
    async fn resolutions(&self, ids: &[EndToEndId]) -> Result<Vec<SavedResolution>, StoreError>;

    /// The orders that are known of `ids`, in any order.
    async fn orders(&self, ids: &[OrderId]) -> Result<Vec<KnownOrder>, StoreError>;

    /// The positions of those of `ispbs` that take part, by ISPB.
    async fn positions_of(&self, ispbs: &[Ispb]) -> Result<Vec<Position>, StoreError>;
}

/// The topics of the banks.
#[async_trait]
pub trait BankTopics: Send + Sync {
    /// Creates the topics of these banks that are missing, each as its protocol has them.
    async fn ensure(&self, banks: &[Participant]) -> Result<(), StoreError>;

    /// Creates those of these topics of banks' programs that are missing.
    async fn ensure_outside(&self, topics: &[String]) -> Result<(), StoreError>;

    /// Those of these topics of banks' programs that are there.
    async fn outside(&self, topics: &[String]) -> Result<Vec<String>, StoreError>;
}

/// Where the banks speak of a transfer in our own events.
pub trait Placement: Send + Sync {
    /// The partition that what is said of the transfer lands on.
    fn origin(&self, id: &EndToEndId) -> i32;
}

/// Word of changes of transfers, as they appear in the log.
pub trait ChangeFeed: Send + Sync {
    /// Changes from now on.
    fn watch(&self) -> Box<dyn ChangeWatch>;
}

/// One listener.
#[async_trait]
pub trait ChangeWatch: Send {
    /// Returns when the transfer changed, or may have. `false` when the process is stopping.
    async fn changed(&mut self, id: &EndToEndId) -> bool;
}

/// What the log says of transfers.
#[derive(Clone, Debug)]
pub enum News {
    /// A transfer entered a state.
    Told(Arc<TransferView>),
    /// Something was said that this listener did not hear.
    Missed,
}

/// News of all transfers, as they appear in the log.
#[async_trait]
pub trait NewsFeed: Send + Sync {
    /// News from now on: the log is listened to when this returns.
    async fn follow(&self) -> Box<dyn NewsWatch>;
}

/// One listener to the news.
#[async_trait]
pub trait NewsWatch: Send {
    /// The next news; none when the process is stopping.
    async fn next(&mut self) -> Option<News>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::{at, order};

    #[test]
    fn places_read_back_and_nothing_else_is_one() {
        let place = TransferPlace { registered_at: at(1), end_to_end_id: order(1).end_to_end_id };
        assert_eq!(TransferPlace::of_token(&place.token()), Ok(Some(place)));
        let bank = ParticipantPlace(order(1).payer.ispb);
        assert_eq!(ParticipantPlace::of_token(&bank.token()), Ok(Some(bank)));
        for wrong in ["", "/", "1", "x/y", "1/E1", "-1/x"] {
            assert_eq!(TransferPlace::read(wrong), None, "{wrong}");
            assert_eq!(ParticipantPlace::read(wrong), None, "{wrong}");
        }
    }
}
