//! The payer's bank orders again what it has ordered under an id of its own.

use shared_kernel::domain::Violation;

use crate::application::desk::Desk;
use crate::application::message::{Heard, TransferRequestedAgain};

/// Reaction to a repeated order that was known by its bank's id.
#[derive(Clone, Copy, Debug)]
pub struct OnTransferRequestedAgain;

impl OnTransferRequestedAgain {
    /// Answers where the transfer stands. Nothing changes.
    ///
    /// # Errors
    /// `transfer_unknown`.
    pub fn react(
        message: TransferRequestedAgain,
        heard: &Heard,
        desk: &mut Desk,
    ) -> Result<(), Violation> {
        let id = message.end_to_end_id;
        desk.known(&id)?;
        desk.answer_order(&id, &heard.trace);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::message::BankMessage;
    use crate::application::ports::Word;
    use crate::application::testing::{Bench, delivered, ordered};
    use crate::domain::Side;
    use crate::domain::testing::{PAYEE_BANK, PAYER_BANK, classic, ispb, order};

    fn again() -> BankMessage {
        let end_to_end_id = order(1).end_to_end_id;
        BankMessage::RequestedAgain(TransferRequestedAgain {
            sender: ispb(PAYER_BANK),
            end_to_end_id,
        })
    }

    #[tokio::test]
    async fn a_payees_bank_that_has_the_transfer_is_never_told_again() {
        let bench = Bench::with([classic(PAYER_BANK), classic(PAYEE_BANK)]);
        assert!(bench.hear_classic(0, vec![ordered(order(1)), again(), again()]).await.is_empty());
        assert_eq!(bench.letters(), [(Side::Payee, Word::Credit)]);
    }

    #[tokio::test]
    async fn a_repeat_after_the_end_is_answered_with_the_end() {
        let bench = Bench::with([classic(PAYER_BANK), classic(PAYEE_BANK)]);
        bench.hear_classic(0, vec![ordered(order(1)), delivered(1)]).await;
        bench.letters();
        bench.hear_classic(1, vec![again()]).await;
        assert_eq!(bench.letters(), [(Side::Payer, Word::Settled)]);
    }

    #[tokio::test]
    async fn an_unknown_transfer_is_set_aside() {
        let bench = Bench::with([classic(PAYER_BANK), classic(PAYEE_BANK)]);
        assert_eq!(bench.hear_classic(0, vec![again()]).await, ["transfer_unknown"]);
    }
}
