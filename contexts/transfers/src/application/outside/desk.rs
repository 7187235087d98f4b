//! Takes orders and confirmations of bank programs in.
//!
//! An order is known by its id alone, because confirmations name nothing else; the directory is
//! asked only about those that are new. A refusal reaches the payer's bank in a sentence; what
//! names no bank that could be told, or contradicts what is known, is set aside without a word: an
//! error under the id of a transfer that is under way would be a lie about that one.
//!
//! Round trips for a batch of any size: one read of orders, one of participants, those of
//! [`Clearing`], at most one write of refusals; the directory is asked twice, the broker once where
//! a bank of ours is named.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use futures::future::try_join;
use shared_kernel::application::{Clock, Ids, Refusal, StoreError, TraceParent};
use shared_kernel::domain::{AccountId, Amount, Digest, EndToEndId, Ispb, Violation};

use super::key::canonical;
use super::{HeardOutside, KnownOrder, OrderOutcome, OrderRefusal, OutsideMessage, OutsideOrder};
use crate::application::clearing::Clearing;
use crate::application::directory::{FoundKey, KeyAnswer, KeyQuestion, OrderDirectory};
use crate::application::message::{
    BankMessage, Heard, Received, Reference, TransferAccepted, TransferRequested,
    TransferRequestedAgain, TransferSettled,
};
use crate::application::ports::{BankTopics, Placement, TransfersTransaction};
use crate::domain::{
    CreditTiming, Description, Order, OrderId, Participant, Party, PayeeKey, Protocol,
};

/// What a bank hears of a key that nobody has.
const NO_KEY: &str = "no key was found";

/// What the program of a bank hears whose books are here by now.
const NATIVE_BY_NOW: &str = "the books of this bank are kept by the hub, and it does not order so";

/// What the desk needs.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct OrderPorts {
    /// Whose accounts and keys are.
    pub directory: Arc<dyn OrderDirectory>,
    /// Where banks speak of a transfer.
    pub placement: Arc<dyn Placement>,
    /// Which programs can be told.
    pub topics: Arc<dyn BankTopics>,
    /// The hub's clock.
    pub clock: Arc<dyn Clock>,
    /// Ids of transfers.
    pub ids: Arc<dyn Ids>,
}

/// Takes batches in.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct OrderDesk {
    ports: OrderPorts,
    clearing: Clearing,
}

/// A new order that passed every check that needs no other's word.
struct Checked {
    amount: Amount,
    description: Description,
    payee_key: PayeeKey,
    payer: Party,
    end_to_end_id: EndToEndId,
}

/// An order by its id and its payer's account.
type OrderOf = (OrderId, AccountId);

/// What a batch is judged by.
#[derive(Default)]
struct Knowledge {
    orders: HashMap<OrderId, KnownOrder>,
    accounts: HashMap<AccountId, Party>,
    participants: HashMap<Ispb, Participant>,
    /// New orders: checked, with the directory's word on their keys, or refused in a sentence.
    /// Several banks may order under one id, and no order takes the check of another.
    judged: HashMap<OrderOf, Result<(Checked, KeyAnswer), String>>,
    /// Topics of the banks.
    topics: HashMap<Ispb, String>,
    /// Banks whose books are here by now, and whose programs can be told so.
    reachable: BTreeSet<Ispb>,
}

/// What follows from a batch.
#[derive(Default)]
struct Outcome {
    received: Vec<Received>,
    refused: Vec<OrderRefusal>,
    set_aside: Vec<Refusal>,
}

impl OrderDesk {
    /// A desk before `clearing`.
    pub const fn new(ports: OrderPorts, clearing: Clearing) -> Self {
        Self { ports, clearing }
    }

    /// Takes the messages in, in order. Those that nobody can be told about are named in the
    /// answer; the others take effect.
    ///
    /// # Errors
    /// [`StoreError`] when store or directory do not answer; nothing happened then.
    pub async fn take(
        &self,
        transaction: &mut dyn TransfersTransaction,
        batch: Vec<HeardOutside>,
    ) -> Result<Vec<Refusal>, StoreError> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let mut knowledge = self.learn(transaction, &batch).await?;
        let mut outcome = Outcome::default();
        for heard in batch {
            let index = heard.index;
            if let Err(violation) = self.judge(heard, &mut knowledge, &mut outcome) {
                let (code, reason) = (violation.code().to_owned(), violation.message().to_owned());
                outcome.set_aside.push(Refusal { index, code, reason });
            }
        }
        if !outcome.refused.is_empty() {
            transaction.refuse_orders(&outcome.refused).await?;
        }
        let mut refusals = self.clearing.clear(transaction, outcome.received).await?;
        refusals.extend(outcome.set_aside);
        Ok(refusals)
    }

    /// Loads and asks everything that the batch is about.
    async fn learn(
        &self,
        transaction: &mut dyn TransfersTransaction,
        batch: &[HeardOutside],
    ) -> Result<Knowledge, StoreError> {
        let ids: BTreeSet<OrderId> = batch.iter().map(|heard| heard.message.order_id()).collect();
        let ids: Vec<OrderId> = ids.into_iter().collect();
        let mut knowledge = Knowledge::default();
        for known in transaction.load_orders(&ids).await? {
            knowledge.orders.insert(known.order_id, known);
        }
        let orders: Vec<(&OutsideOrder, &TraceParent)> = batch.iter().filter_map(order).collect();
        let asked: BTreeSet<AccountId> = orders
            .iter()
            .filter(|(order, _)| !knowledge.is_of_its_account(order))
            .map(|(order, _)| order.account_id)
            .collect();
        if let Some((_, trace)) = orders.first().filter(|_| !asked.is_empty()) {
            let asked: Vec<AccountId> = asked.into_iter().collect();
            let accounts = self.ports.directory.accounts(&asked, trace).await?;
            knowledge.accounts = accounts.into_iter().map(|it| (it.account_id, it)).collect();
        }
        let known = knowledge.orders.values().map(|known| known.bank);
        let banks: BTreeSet<Ispb> =
            knowledge.accounts.values().map(|account| account.ispb).chain(known).collect();
        let banks: Vec<Ispb> = banks.into_iter().collect();
        let participants = transaction.load_participants(&banks).await?;
        let settings = self.clearing.settings();
        let topic = |bank: &Participant| (bank.ispb, settings.outside_topic(&bank.code));
        knowledge.topics = participants.iter().map(topic).collect();
        let payers = knowledge.payers(&orders);
        knowledge.participants = participants.into_iter().map(|bank| (bank.ispb, bank)).collect();
        let (checked, questions) = self.check_new(&orders, &mut knowledge);
        // Side by side: the transaction is open meanwhile.
        let reachable = self.reachable(&payers, &knowledge);
        let (reachable, answers) = try_join(reachable, self.answers(&questions)).await?;
        knowledge.reachable = reachable;
        let judged = checked.into_iter().zip(answers);
        knowledge.judged.extend(judged.map(|((of, new), answer)| (of, Ok((new, answer)))));
        Ok(knowledge)
    }

    /// Those of the payers' banks whose books are here that have a topic of a program all the same.
    async fn reachable(
        &self,
        payers: &BTreeSet<Ispb>,
        knowledge: &Knowledge,
    ) -> Result<BTreeSet<Ispb>, StoreError> {
        let here = payers.iter().copied().filter(|bank| knowledge.is_here(*bank));
        let here: HashMap<&String, Ispb> =
            here.filter_map(|bank| Some((knowledge.topics.get(&bank)?, bank))).collect();
        if here.is_empty() {
            return Ok(BTreeSet::new());
        }
        let asked: Vec<String> = here.keys().map(|topic| (*topic).clone()).collect();
        let found = self.ports.topics.outside(&asked).await?;
        Ok(found.iter().filter_map(|topic| here.get(topic).copied()).collect())
    }

    /// Whose the keys are.
    async fn answers(&self, questions: &[KeyQuestion]) -> Result<Vec<KeyAnswer>, StoreError> {
        if questions.is_empty() {
            return Ok(Vec::new());
        }
        self.ports.directory.keys(questions).await
    }

    /// Checks the new orders: those that pass, each with what to ask of its key.
    fn check_new(
        &self,
        orders: &[(&OutsideOrder, &TraceParent)],
        knowledge: &mut Knowledge,
    ) -> (Vec<(OrderOf, Checked)>, Vec<KeyQuestion>) {
        let mut checked = Vec::new();
        let mut questions = Vec::new();
        let mut seen = BTreeSet::new();
        for (order, trace) in orders {
            let id = order.order_id;
            let is_new = !knowledge.orders.contains_key(&id) && !seen.contains(&id);
            let Some(payer) = knowledge.accounts.get(&order.account_id).filter(|_| is_new) else {
                continue;
            };
            if !knowledge.is_outside(payer.ispb) {
                continue;
            }
            // Later ones under this id are repeats of this one, or of another bank.
            seen.insert(id);
            match self.check(order, payer) {
                Ok(new) => {
                    questions.push(KeyQuestion {
                        key: canonical(&order.kind, &order.key),
                        requester: new.payer.ispb,
                        payer_tax_id: new.payer.owner_tax_id,
                        end_to_end_id: new.end_to_end_id,
                        trace: (*trace).clone(),
                    });
                    checked.push(((id, order.account_id), new));
                }
                Err(broken) => {
                    let refused = Err(broken.message().to_owned());
                    knowledge.judged.insert((id, order.account_id), refused);
                }
            }
        }
        (checked, questions)
    }

    fn check(&self, order: &OutsideOrder, payer: &Party) -> Result<Checked, Violation> {
        let entropy = self.ports.ids.entropy();
        Ok(Checked {
            amount: Amount::from_json_number(&order.amount)?,
            description: Description::parse(&order.description)?,
            payee_key: PayeeKey::parse(&order.key)?,
            payer: payer.clone(),
            end_to_end_id: EndToEndId::new(payer.ispb, self.ports.clock.now(), entropy),
        })
    }

    /// Decides one message on what is known and on those before it.
    fn judge(
        &self,
        heard: HeardOutside,
        knowledge: &mut Knowledge,
        outcome: &mut Outcome,
    ) -> Result<(), Violation> {
        let HeardOutside { index, at, trace, message } = heard;
        let message = match message {
            OutsideMessage::Order(order) => {
                if knowledge.orders.contains_key(&order.order_id) {
                    knowledge.repeated(&order, &trace, outcome)?
                } else {
                    knowledge.new_order(&order, &trace, outcome)?
                }
            }
            OutsideMessage::Credited(id) => {
                knowledge.signal(id, |_payer, end_to_end_id, payee| {
                    BankMessage::Accepted(TransferAccepted { sender: payee, end_to_end_id })
                })?
            }
            OutsideMessage::Completed(id) => {
                knowledge.signal(id, |payer, end_to_end_id, _payee| {
                    BankMessage::SettledByPayer(TransferSettled { sender: payer, end_to_end_id })
                })?
            }
        };
        let Some(message) = message else { return Ok(()) };
        let origin = self.ports.placement.origin(&message.end_to_end_id());
        let heard = Heard { at, origin, voice: Protocol::Classic, trace };
        outcome.received.push(Received { index, heard, message });
        Ok(())
    }
}

fn order(heard: &HeardOutside) -> Option<(&OutsideOrder, &TraceParent)> {
    match &heard.message {
        OutsideMessage::Order(order) => Some((order, &heard.trace)),
        OutsideMessage::Credited(_) | OutsideMessage::Completed(_) => None,
    }
}

/// Its books are kept by a bank of ours, not by a program.
fn is_here(bank: &Participant) -> bool {
    bank.credit_timing() == CreditTiming::OnConfirmation
}

fn unknown_order(id: OrderId) -> Violation {
    let message = format!("no order {id} was ever registered");
    Violation::not_found("order_unknown", "id", message)
}

fn other_content(id: OrderId) -> Violation {
    let message = format!("order {id} was given before with other content");
    Violation::already_exists("order_content_differs", "id", message)
}

impl Knowledge {
    fn is_of_its_account(&self, order: &OutsideOrder) -> bool {
        let known = self.orders.get(&order.order_id);
        known.is_some_and(|known| known.account_id == order.account_id)
    }

    fn is_here(&self, bank: Ispb) -> bool {
        self.participants.get(&bank).is_some_and(is_here)
    }

    /// Its program keeps its books, and orders.
    fn is_outside(&self, bank: Ispb) -> bool {
        self.participants.get(&bank).is_some_and(|bank| !is_here(bank))
    }

    /// The banks of these orders, and those that used their ids before.
    fn payers(&self, orders: &[(&OutsideOrder, &TraceParent)]) -> BTreeSet<Ispb> {
        let accounts = orders.iter().filter_map(|(order, _)| self.accounts.get(&order.account_id));
        let known = orders.iter().filter_map(|(order, _)| self.orders.get(&order.order_id));
        accounts.map(|account| account.ispb).chain(known.map(|known| known.bank)).collect()
    }

    /// The bank of an account, where its program can be told of its order.
    fn bank_of(&self, account: AccountId) -> Result<&Participant, Violation> {
        let known = self.accounts.get(&account).ok_or_else(|| {
            let message = format!("the directory knows no account {account}");
            Violation::not_found("payer_account_unknown", "account_id", message)
        })?;
        self.tellable(known.ispb)
    }

    /// A bank, where its program can be told of an order.
    fn tellable(&self, bank: Ispb) -> Result<&Participant, Violation> {
        let bank = self.participants.get(&bank).ok_or_else(|| {
            let message = format!("bank {bank} orders a transfer and is not enrolled");
            Violation::not_found("payer_bank_unknown", "account_id", message)
        })?;
        if !self.is_here(bank.ispb) || self.reachable.contains(&bank.ispb) {
            return Ok(bank);
        }
        Err(Violation::permission_denied(
            "sender_of_another_protocol",
            "account_id",
            format!("bank {} keeps its books here and does not order so", bank.ispb),
        ))
    }

    fn new_order(
        &mut self,
        order: &OutsideOrder,
        trace: &TraceParent,
        outcome: &mut Outcome,
    ) -> Result<Option<BankMessage>, Violation> {
        let bank = self.bank_of(order.account_id)?;
        let ispb = bank.ispb;
        let id = order.order_id;
        let judged = if self.is_here(ispb) {
            Err(NATIVE_BY_NOW.to_owned())
        } else {
            let judged = self.judged.remove(&(id, order.account_id));
            judged.ok_or_else(|| unknown_order(id))?
        };
        let content = order.content();
        let resolved = judged.and_then(|(checked, answer)| match answer {
            Ok(Some(found)) => Ok((checked, found)),
            Ok(None) => Err(NO_KEY.to_owned()),
            Err(refused) => Err(refused.message().to_owned()),
        });
        let (message, fate) = match resolved {
            Ok((checked, found)) => {
                let end_to_end_id = checked.end_to_end_id;
                let payee = found.owner.ispb;
                let fate = OrderOutcome::Transfer { end_to_end_id, payee };
                (Some(requested(checked, found, Reference { order_id: id, content })), fate)
            }
            Err(sentence) => {
                outcome.refused.push(OrderRefusal {
                    order: order.clone(),
                    bank: ispb,
                    topic: self.topic(ispb),
                    sentence: sentence.clone(),
                    remember: true,
                    trace: trace.clone(),
                });
                (None, OrderOutcome::Refused { sentence })
            }
        };
        self.remember(order, ispb, content, fate);
        Ok(message)
    }

    fn topic(&self, bank: Ispb) -> String {
        self.topics.get(&bank).cloned().unwrap_or_default()
    }

    fn remember(&mut self, order: &OutsideOrder, bank: Ispb, content: Digest, fate: OrderOutcome) {
        let known = KnownOrder {
            order_id: order.order_id,
            bank,
            account_id: order.account_id,
            content: Some(content),
            outcome: fate,
        };
        self.orders.insert(order.order_id, known);
    }

    /// An order whose id is known: a repeat, or another's.
    fn repeated(
        &self,
        order: &OutsideOrder,
        trace: &TraceParent,
        outcome: &mut Outcome,
    ) -> Result<Option<BankMessage>, Violation> {
        let id = order.order_id;
        let known = self.orders.get(&id).ok_or_else(|| unknown_order(id))?;
        let refused = |bank: &Participant, sentence: &str| OrderRefusal {
            order: order.clone(),
            bank: bank.ispb,
            topic: self.topic(bank.ispb),
            sentence: sentence.to_owned(),
            remember: false,
            trace: trace.clone(),
        };
        if !self.is_of_its_account(order) {
            let bank = self.bank_of(order.account_id)?;
            if bank.ispb == known.bank {
                return Err(other_content(id));
            }
            outcome.refused.push(refused(bank, "another bank has used the id of this order"));
            return Ok(None);
        }
        if known.content != Some(order.content()) {
            return Err(other_content(id));
        }
        match &known.outcome {
            OrderOutcome::Transfer { end_to_end_id, .. } => {
                let (sender, end_to_end_id) = (known.bank, *end_to_end_id);
                let again = TransferRequestedAgain { sender, end_to_end_id };
                Ok(Some(BankMessage::RequestedAgain(again)))
            }
            OrderOutcome::Refused { sentence } => {
                outcome.refused.push(refused(self.tellable(known.bank)?, sentence));
                Ok(None)
            }
        }
    }

    /// What a bank says of an order that became a transfer; which bank, its role says.
    fn signal(
        &self,
        id: OrderId,
        message: impl FnOnce(Ispb, EndToEndId, Ispb) -> BankMessage,
    ) -> Result<Option<BankMessage>, Violation> {
        let known = self.orders.get(&id).ok_or_else(|| unknown_order(id))?;
        match &known.outcome {
            OrderOutcome::Transfer { end_to_end_id, payee } => {
                Ok(Some(message(known.bank, *end_to_end_id, *payee)))
            }
            OrderOutcome::Refused { .. } => Err(unknown_order(id)),
        }
    }
}

/// The payer's bank keeps its own writing of the key; the payee's has that which it registered.
fn requested(checked: Checked, found: FoundKey, reference: Reference) -> BankMessage {
    let FoundKey { owner: payee, registered_as } = found;
    let Checked { amount, description, payee_key, payer, end_to_end_id } = checked;
    let sender = payer.ispb;
    let order = Order { end_to_end_id, payer, payee, payee_key, amount, description };
    let (registered_as, reference) = (Some(registered_as), Some(reference));
    BankMessage::Requested(Box::new(TransferRequested { sender, order, registered_as, reference }))
}
