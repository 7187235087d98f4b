//! The desk: what one transaction works on. Messages are folded over it in memory, in order; what
//! changed leaves it in one piece.

use std::collections::{BTreeMap, HashMap};

use shared_kernel::application::TraceParent;
use shared_kernel::domain::{Digest, EndToEndId, Ispb, Timestamp, Violation};

use crate::application::message::{Heard, Reference};
use crate::application::ports::{Audience, Birth, Change, Letter, Notice, SavedTransfer, Word};
use crate::application::settings::TransfersSettings;
use crate::domain::{
    Admission, CreditTiming, Ends, Order, OrderId, Participant, PayeeKey, Position, PositionMove,
    Protocol, Side, Terms, Transfer, TransferEvent, TransferState,
};

/// One transfer in work.
#[derive(Debug)]
struct Case {
    transfer: Transfer,
    change: Change,
    resend_at: Option<Timestamp>,
    notices: Vec<Notice>,
    letters: Vec<Letter>,
    /// The payee's key as it was registered, of a new transfer.
    registered_as: Option<PayeeKey>,
}

impl Case {
    fn loaded(transfer: Transfer) -> Self {
        Self {
            transfer,
            change: Change::None,
            resend_at: None,
            notices: Vec::new(),
            letters: Vec::new(),
            registered_as: None,
        }
    }
}

/// An order that the hub has not seen before.
#[derive(Debug)]
pub struct NewOrder {
    /// What is ordered.
    pub order: Order,
    /// Its fingerprint.
    pub digest: Digest,
    /// The payee's key as it was registered, where that is known to be otherwise than ordered.
    pub registered_as: Option<PayeeKey>,
    /// What its bank calls it.
    pub reference: Option<Reference>,
}

/// What a transaction works on.
#[derive(Debug)]
pub struct Desk {
    now: Timestamp,
    settings: TransfersSettings,
    cases: HashMap<EndToEndId, Case>,
    participants: HashMap<Ispb, Participant>,
    positions: HashMap<Ispb, Position>,
    moves: BTreeMap<Ispb, PositionMove>,
}

/// The hub has no such transfer, or none that is shown to whoever asks.
pub(super) fn transfer_unknown(id: &EndToEndId) -> Violation {
    let message = format!("the hub has no transfer {id}");
    Violation::not_found("transfer_unknown", "end_to_end_id", message)
}

impl Desk {
    /// A desk with the transfers and participants that were loaded.
    pub fn new(
        now: Timestamp,
        settings: TransfersSettings,
        transfers: impl IntoIterator<Item = Transfer>,
        participants: impl IntoIterator<Item = Participant>,
    ) -> Self {
        let case = |transfer: Transfer| (transfer.order().end_to_end_id, Case::loaded(transfer));
        Self {
            now,
            settings,
            cases: transfers.into_iter().map(case).collect(),
            participants: participants.into_iter().map(|bank| (bank.ispb, bank)).collect(),
            positions: HashMap::new(),
            moves: BTreeMap::new(),
        }
    }

    /// Puts locked positions on the desk.
    pub fn put_positions(&mut self, positions: impl IntoIterator<Item = Position>) {
        self.positions.extend(positions.into_iter().map(|position| (position.ispb, position)));
    }

    /// The moment of this transaction.
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// A transfer, if the hub knows it.
    pub fn transfer(&self, id: &EndToEndId) -> Option<&Transfer> {
        self.cases.get(id).map(|case| &case.transfer)
    }

    /// A transfer that a bank speaks of.
    ///
    /// # Errors
    /// `transfer_unknown`.
    pub fn known(&self, id: &EndToEndId) -> Result<&Transfer, Violation> {
        self.transfer(id).ok_or_else(|| transfer_unknown(id))
    }

    /// A bank, if it takes part.
    pub fn participant(&self, ispb: Ispb) -> Option<&Participant> {
        self.participants.get(&ispb)
    }

    /// The position of a bank, as the messages so far left it. Only those under a limit are
    /// loaded.
    pub fn position(&self, ispb: Ispb) -> Position {
        self.positions.get(&ispb).copied().unwrap_or(Position::opening(ispb))
    }

    /// Stores a new order as it was admitted or refused.
    ///
    /// # Errors
    /// `money_overflow`.
    pub fn register(
        &mut self,
        new: NewOrder,
        admission: Admission,
        heard: &Heard,
    ) -> Result<(), Violation> {
        let NewOrder { order, digest, registered_as, reference } = new;
        let deadline = self.now.saturating_add(self.settings.transfer_deadline);
        let terms = Terms { registered_at: self.now, deadline };
        let (id, ends) = (order.end_to_end_id, self.ends(&order, reference, heard.voice));
        let (transfer, event) = Transfer::register(order, digest, terms, ends, admission);
        self.shift(transfer.moves(event))?;
        let mut case = Case { registered_as, ..Case::loaded(transfer) };
        let content = reference.map(|reference| reference.content);
        let (origin, trace) = (heard.origin, heard.trace.clone());
        case.change = Change::Born(Birth { origin, trace, content });
        self.cases.insert(id, case);
        self.tell(&id, self.audience_of(&id, event), &heard.trace);
        self.write_of(&id, event, &heard.trace);
        Ok(())
    }

    /// How the banks of a new order take part in it: the payer's as it spoke, even where it speaks
    /// otherwise by now. Banks that are unknown take no part at all.
    fn ends(&self, order: &Order, reference: Option<Reference>, voice: Protocol) -> Ends {
        let payer = voice.credit_timing();
        let payee = self.participant(order.payee.ispb);
        let payee = payee.map_or(CreditTiming::OnConfirmation, Participant::credit_timing);
        let chosen = reference.map(|reference| reference.order_id);
        let made = || OrderId::of(&order.end_to_end_id);
        let order_id = chosen.or_else(|| (payee == CreditTiming::OnDelivery).then(made));
        Ends { payer, payee, order_id }
    }

    /// Something happened to a transfer: positions, state and notices follow.
    ///
    /// # Errors
    /// `money_overflow`: nothing happened.
    pub fn happen(
        &mut self,
        id: &EndToEndId,
        event: TransferEvent,
        trace: &TraceParent,
    ) -> Result<(), Violation> {
        let moves = self.known(id)?.moves(event);
        self.shift(moves)?;
        let resend_at = self.now.saturating_add(self.settings.report_wait);
        if let Some(case) = self.cases.get_mut(id) {
            case.transfer.apply(event);
            if case.change == Change::None {
                case.change = Change::Moved;
            }
            if matches!(event, TransferEvent::Confirmed { .. }) {
                case.resend_at = Some(resend_at);
            }
        }
        if event.is_published() {
            self.tell(id, self.audience_of(id, event), trace);
            self.write_of(id, event, trace);
        }
        Ok(())
    }

    /// Tells the bank at one end, alone, where the transfer stands.
    pub fn answer(&mut self, id: &EndToEndId, side: Side, trace: &TraceParent) {
        let to = |end| end == side && self.listens(id, end);
        let audience = Audience { everyone: false, payer: to(Side::Payer), payee: to(Side::Payee) };
        self.tell(id, audience, trace);
    }

    /// Answers a repeated order: the payer's bank learns where the transfer stands; while it is
    /// pending, the payee's bank is asked again, unless it has the transfer already.
    pub fn answer_order(&mut self, id: &EndToEndId, trace: &TraceParent) {
        let pending = self
            .transfer(id)
            .is_some_and(|transfer| transfer.standing().state == TransferState::Pending);
        let audience = Audience {
            everyone: false,
            payer: self.listens(id, Side::Payer),
            payee: pending && self.listens(id, Side::Payee),
        };
        self.tell(id, audience, trace);
        let word = self.transfer(id).and_then(|transfer| match transfer.standing().state {
            TransferState::Pending => None,
            TransferState::Confirmed | TransferState::Completed => Some(Word::Settled),
            TransferState::Rejected | TransferState::Expired => Some(Word::Failed),
        });
        if let Some(word) = word {
            self.write(id, Side::Payer, word, trace);
        }
    }

    /// Tells the banks that have not reported, and nobody else, that the transfer is confirmed.
    /// With `debited_before`, a payer's bank too for which that is information only.
    pub fn remind(&mut self, id: &EndToEndId, debited_before: bool, trace: &TraceParent) {
        let silent = |side| {
            let open = self.transfer(id).is_some_and(|transfer| !transfer.has_report(side));
            open && self.listens(id, side)
        };
        let audience =
            Audience { everyone: false, payer: silent(Side::Payer), payee: silent(Side::Payee) };
        self.tell(id, audience, trace);
        if debited_before && self.transfer(id).is_some_and(|it| !it.has_report(Side::Payer)) {
            self.write(id, Side::Payer, Word::Settled, trace);
        }
    }

    /// What changed or is told, by id, and how positions move.
    pub fn clear(self) -> (Vec<SavedTransfer>, Vec<PositionMove>) {
        let touched = |case: &Case| {
            case.change != Change::None || !case.notices.is_empty() || !case.letters.is_empty()
        };
        let mut saved: Vec<SavedTransfer> = self
            .cases
            .into_values()
            .filter(touched)
            .map(|Case { transfer, change, resend_at, notices, letters, .. }| SavedTransfer {
                transfer,
                change,
                resend_at,
                notices,
                letters,
            })
            .collect();
        saved.sort_unstable_by_key(|saved| saved.transfer.order().end_to_end_id);
        let moves = self.moves.into_values().filter(|step| !step.is_none()).collect();
        (saved, moves)
    }

    /// Whether the bank at one end hears of this transfer in our own events: as it did when the
    /// transfer was registered, whatever it has become since.
    fn listens(&self, id: &EndToEndId, side: Side) -> bool {
        self.transfer(id).is_some_and(|transfer| {
            let is_native = transfer.ends().timing(side) == CreditTiming::OnConfirmation;
            is_native && self.participant(transfer.bank(side)).is_some()
        })
    }

    /// Who hears of an event when it happens: the question goes to the payee's bank, everything
    /// else to the payer's and, once it was asked, to the payee's.
    fn audience_of(&self, id: &EndToEndId, event: TransferEvent) -> Audience {
        let told = self.transfer(id).is_some_and(|transfer| transfer.standing().payee_told);
        Audience {
            everyone: true,
            payer: event != TransferEvent::Registered && self.listens(id, Side::Payer),
            payee: told && self.listens(id, Side::Payee),
        }
    }

    /// What banks that credit on delivery are told of an event when it happens.
    fn write_of(&mut self, id: &EndToEndId, event: TransferEvent, trace: &TraceParent) {
        let (side, word) = match event {
            TransferEvent::Registered => (Side::Payee, Word::Credit),
            TransferEvent::Confirmed { .. } => (Side::Payer, Word::Settled),
            TransferEvent::Rejected { .. } | TransferEvent::Expired { .. } => {
                (Side::Payer, Word::Failed)
            }
            TransferEvent::Overdue { .. }
            | TransferEvent::Contradicted { .. }
            | TransferEvent::Reported { .. }
            | TransferEvent::Completed { .. }
            | TransferEvent::CompletedAlone { .. } => return,
        };
        self.write(id, side, word, trace);
    }

    /// A word to the bank at one end, if it credits on delivery in this transfer.
    fn write(&mut self, id: &EndToEndId, to: Side, word: Word, trace: &TraceParent) {
        let Some(case) = self.cases.get_mut(id) else { return };
        if case.transfer.ends().timing(to) != CreditTiming::OnDelivery {
            return;
        }
        let Some(bank) = self.participants.get(&case.transfer.bank(to)) else { return };
        let topic = self.settings.outside_topic(&bank.code);
        let standing = *case.transfer.standing();
        let ordered = &case.transfer.order().payee_key;
        let payee_key = match word {
            // Its program looks for the key that it has registered.
            Word::Credit => case.registered_as.as_ref().unwrap_or(ordered).clone(),
            Word::Settled | Word::Failed => ordered.clone(),
        };
        let trace = trace.clone();
        case.letters.push(Letter { to, topic, word, payee_key, standing, trace });
    }

    fn tell(&mut self, id: &EndToEndId, audience: Audience, trace: &TraceParent) {
        if audience.is_empty() {
            return;
        }
        if let Some(case) = self.cases.get_mut(id) {
            let standing = *case.transfer.standing();
            case.notices.push(Notice { standing, audience, trace: trace.clone() });
        }
    }

    /// Moves both positions or none.
    fn shift(&mut self, moves: [PositionMove; 2]) -> Result<(), Violation> {
        let staged = moves.map(|step| {
            let known = self.moves.get(&step.ispb).copied();
            let mut joined = known.unwrap_or(PositionMove::none(step.ispb));
            let mut position = self.positions.get(&step.ispb).copied();
            joined.join(&step)?;
            position.as_mut().map_or(Ok(()), |position| position.shift(&step))?;
            Ok((joined, position))
        });
        let [payer, payee] = staged;
        for (joined, position) in [payer?, payee?] {
            self.moves.insert(joined.ispb, joined);
            self.positions.extend(position.map(|position| (position.ispb, position)));
        }
        Ok(())
    }
}
