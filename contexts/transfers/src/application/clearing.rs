//! Clearing: a batch of bank messages becomes what happened to transfers and positions.
//!
//! Round trips for a batch of any size: one read of transfers (locked by id), one of participants,
//! one of positions where a limit counts, at most two writes of transfers and one of positions.

use std::collections::BTreeSet;
use std::sync::Arc;

use shared_kernel::application::{Clock, Refusal, StoreError};
use shared_kernel::domain::{EndToEndId, Ispb, Violation};

use crate::application::desk::Desk;
use crate::application::message::{BankMessage, Heard, Received};
use crate::application::ports::TransfersTransaction;
use crate::application::reaction::{
    OnTransferAccepted, OnTransferRefused, OnTransferRequested, OnTransferRequestedAgain,
    OnTransferSettledByPayee, OnTransferSettledByPayer,
};
use crate::application::settings::TransfersSettings;
use crate::domain::{CreditTiming, Participant, Protocol, Side, Transfer};

/// Clears batches of bank messages.
#[derive(Clone)]
pub struct Clearing {
    clock: Arc<dyn Clock>,
    settings: TransfersSettings,
}

impl std::fmt::Debug for Clearing {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Clearing").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Clearing {
    /// Clearing by the hub's clock.
    pub fn new(clock: Arc<dyn Clock>, settings: TransfersSettings) -> Self {
        Self { clock, settings }
    }

    /// The hub's settings.
    pub(crate) const fn settings(&self) -> &TransfersSettings {
        &self.settings
    }

    /// Folds the messages in order and saves what follows from them. Messages that no honest bank
    /// sends are named in the answer; the others take effect.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not do it; nothing happened then.
    pub async fn clear(
        &self,
        transaction: &mut dyn TransfersTransaction,
        batch: Vec<Received>,
    ) -> Result<Vec<Refusal>, StoreError> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let mut desk = self.set_up(transaction, &batch).await?;
        let mut refusals = Vec::new();
        for Received { index, heard, message } in batch {
            let heard_of = check_voice(&message, &heard, &desk);
            let outcome = heard_of.and_then(|()| dispatch(message, &heard, &mut desk));
            if let Err(violation) = outcome {
                refusals.push(refusal(index, &violation));
            }
        }
        let (saved, moves) = desk.clear();
        if !saved.is_empty() {
            transaction.save_transfers(saved).await?;
        }
        if !moves.is_empty() {
            transaction.move_positions(&moves).await?;
        }
        Ok(refusals)
    }

    /// Loads everything that the batch is about.
    async fn set_up(
        &self,
        transaction: &mut dyn TransfersTransaction,
        batch: &[Received],
    ) -> Result<Desk, StoreError> {
        let ids: BTreeSet<EndToEndId> =
            batch.iter().map(|received| received.message.end_to_end_id()).collect();
        let ids: Vec<EndToEndId> = ids.into_iter().collect();
        let transfers = transaction.load_transfers(&ids).await?;
        let banks = banks(batch, &transfers);
        let participants = transaction.load_participants(&banks).await?;
        let limited: Vec<Ispb> =
            participants.iter().filter(|bank| has_limit(bank)).map(|bank| bank.ispb).collect();
        let mut desk = Desk::new(self.clock.now(), self.settings, transfers, participants);
        let counts = |received: &Received| {
            is_order(&received.message) && limited.contains(&received.message.sender())
        };
        if batch.iter().any(counts) {
            // All of them, so that every transaction takes these locks in one order.
            desk.put_positions(transaction.lock_positions(&banks).await?);
        }
        Ok(desk)
    }
}

const fn has_limit(bank: &Participant) -> bool {
    bank.position_limit.is_some()
}

/// Every bank that the batch or its transfers name, by ISPB.
fn banks(batch: &[Received], transfers: &[Transfer]) -> Vec<Ispb> {
    let ends = transfers
        .iter()
        .flat_map(|transfer| [Side::Payer, Side::Payee].map(|side| transfer.bank(side)));
    let named = batch.iter().flat_map(|received| {
        std::iter::once(received.message.sender()).chain(received.message.ordered_payee())
    });
    let banks: BTreeSet<Ispb> = ends.chain(named).collect();
    banks.into_iter().collect()
}

/// Refuses what is said in another protocol than the bank speaks, or spoke when the transfer
/// began: whoever says it is another. A new order in our own events passes: its bank may have
/// written it before its protocol changed, and holds the amount until it is answered.
fn check_voice(message: &BankMessage, heard: &Heard, desk: &Desk) -> Result<(), Violation> {
    let sender = message.sender();
    let spoken = match desk.transfer(&message.end_to_end_id()) {
        Some(known) => match known.ends().timing(message.side()) {
            CreditTiming::OnConfirmation => Some(Protocol::Native),
            CreditTiming::OnDelivery => Some(Protocol::Classic),
        },
        None if is_order(message) && heard.voice == Protocol::Native => None,
        None => desk.participant(sender).map(|bank| bank.protocol),
    };
    if spoken.is_none_or(|spoken| spoken == heard.voice) {
        return Ok(());
    }
    Err(Violation::permission_denied(
        "sender_of_another_protocol",
        "ispb",
        format!("bank {sender} does not speak {} in this transfer", heard.voice.as_str()),
    ))
}

const fn is_order(message: &BankMessage) -> bool {
    matches!(message, BankMessage::Requested(_))
}

fn dispatch(message: BankMessage, heard: &Heard, desk: &mut Desk) -> Result<(), Violation> {
    match message {
        BankMessage::Requested(message) => OnTransferRequested::react(*message, heard, desk),
        BankMessage::RequestedAgain(message) => {
            OnTransferRequestedAgain::react(message, heard, desk)
        }
        BankMessage::Accepted(message) => OnTransferAccepted::react(message, heard, desk),
        BankMessage::Refused(message) => OnTransferRefused::react(message, heard, desk),
        BankMessage::SettledByPayee(message) => {
            OnTransferSettledByPayee::react(message, heard, desk)
        }
        BankMessage::SettledByPayer(message) => {
            OnTransferSettledByPayer::react(message, heard, desk)
        }
    }
}

fn refusal(index: usize, violation: &Violation) -> Refusal {
    let reason = violation.message().to_owned();
    Refusal { index, code: violation.code().to_owned(), reason }
}

#[cfg(test)]
mod tests {
    use shared_kernel::domain::{EndToEndId, Money};

    use crate::application::testing::{Bench, accepted, requested, settled};
    use crate::domain::testing::{PAYEE_BANK, PAYER_BANK, at, ispb, native, order};
    use crate::domain::{Participant, Side};

    #[tokio::test]
    async fn a_batch_costs_the_same_whatever_its_size() {
        for size in [1, 200] {
            let position_limit = Some(Money::from_centavos(i64::MAX / 2));
            let limited = Participant { position_limit, ..native(PAYER_BANK) };
            let bench = Bench::with([limited, native(PAYEE_BANK)]);
            let said = (1..=size).flat_map(|number| {
                [requested(order(number)), accepted(number), settled(number, Side::Payee)]
            });
            assert!(bench.hear(0, said.collect()).await.is_empty());
            let calls = bench.store.tables().calls.clone();
            assert_eq!(calls.len(), 5, "{calls:?}");
            assert!(calls.values().all(|count| *count == 1), "{calls:?}");
        }
    }

    #[tokio::test]
    async fn positions_are_locked_only_where_a_limit_counts() {
        let bench = Bench::new();
        bench.hear(0, vec![requested(order(1)), accepted(1)]).await;
        assert!(!bench.store.tables().calls.contains_key("lock_positions"));
    }

    #[tokio::test]
    async fn a_refused_message_takes_nothing_with_it() {
        let bench = Bench::new();
        let mut foreign = order(2);
        foreign.end_to_end_id = EndToEndId::new(ispb("00000009"), at(0), 1);
        let said = vec![requested(order(1)), requested(foreign), accepted(1), accepted(9)];
        let expected = ["end_to_end_id_of_another_bank", "transfer_unknown"];
        assert_eq!(bench.hear(0, said).await, expected);
        assert_eq!(bench.positions(), (-100, 100, 0));
    }

    #[tokio::test]
    async fn nothing_to_clear_asks_for_nothing() {
        let bench = Bench::new();
        assert!(bench.hear(0, vec![]).await.is_empty());
        assert!(bench.store.tables().calls.is_empty());
    }
}
