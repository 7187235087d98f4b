//! Ends an overdue transfer by an operator's word, after asking the payee's bank. As refused only
//! what has left: a bank that has not been told yet will be, and then credits.
//!
//! Nothing is remembered for repeats: a second resolution finds the transfer not overdue.

use std::sync::Arc;

use async_trait::async_trait;
use shared_kernel::application::command::CommandIdentity;
use shared_kernel::application::{
    ApplicationError, BatchCommand, Caller, Clock, StoreError, TraceParent,
};
use shared_kernel::domain::{EndToEndId, Ispb, Violation};

use crate::application::desk::Desk;
use crate::application::ports::{SavedResolution, TransfersStore, TransfersTransaction};
use crate::application::settings::TransfersSettings;
use crate::domain::{Resolution, Side, Transfer, TransferState};

/// Characters of the longest reason.
const REASON_LENGTH_MAX: usize = 500;

/// Whether an operator's words can be kept, and are any.
pub(super) fn is_reason(text: &str) -> bool {
    (1..=REASON_LENGTH_MAX).contains(&text.trim().chars().count()) && !text.contains('\0')
}

/// The order of an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolveTransfer {
    /// Who asks.
    pub caller: Caller,
    /// In which trace.
    pub trace: TraceParent,
    /// Which transfer.
    pub end_to_end_id: EndToEndId,
    /// As what.
    pub resolution: Resolution,
    /// How the operator knows; kept for those who look later.
    pub reason: String,
}

impl ResolveTransfer {
    fn check(&self) -> Result<(), Violation> {
        self.caller.must_be_operator()?;
        if is_reason(&self.reason) {
            return Ok(());
        }
        let message = "say in 1 to 500 characters how you know what the payee's bank did";
        Err(Violation::invalid("resolution_reason_shape", "reason", message))
    }
}

/// Decides resolutions.
pub struct ResolveTransferHandler {
    store: Arc<dyn TransfersStore>,
    clock: Arc<dyn Clock>,
    settings: TransfersSettings,
}

impl std::fmt::Debug for ResolveTransferHandler {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("ResolveTransferHandler").finish_non_exhaustive()
    }
}

impl ResolveTransferHandler {
    /// A handler over the hub's store.
    pub fn new(
        store: Arc<dyn TransfersStore>,
        clock: Arc<dyn Clock>,
        settings: TransfersSettings,
    ) -> Self {
        Self { store, clock, settings }
    }
}

fn banks(transfers: &[Transfer]) -> Vec<Ispb> {
    let ends = |transfer: &Transfer| [Side::Payer, Side::Payee].map(|side| transfer.bank(side));
    let mut banks: Vec<Ispb> = transfers.iter().flat_map(ends).collect();
    banks.sort_unstable();
    banks.dedup();
    banks
}

/// Decides one resolution; `waiting` are the transfers that were not handed over yet.
fn resolve(
    desk: &mut Desk,
    waiting: &[EndToEndId],
    command: &ResolveTransfer,
) -> Result<TransferState, Violation> {
    let id = &command.end_to_end_id;
    let event = desk.known(id)?.resolve(command.resolution, desk.now())?;
    if command.resolution == Resolution::Refused && waiting.contains(id) {
        return Err(Violation::failed_precondition(
            "hand_over_not_sent",
            "end_to_end_id",
            "the message to the payee's bank has not left yet, and the bank credits when it reads \
             it: wait until it has left, and ask the bank then",
        ));
    }
    desk.happen(id, event, &command.trace)?;
    Ok(desk.known(id)?.standing().state)
}

#[async_trait]
impl BatchCommand for ResolveTransferHandler {
    type Command = ResolveTransfer;
    type Prepared = ();
    type Answer = TransferState;
    type Transaction = dyn TransfersTransaction;

    const OPERATION: &'static str = "resolve_transfer";

    fn identity(&self, _command: &ResolveTransfer) -> Option<CommandIdentity> {
        None
    }

    async fn prepare(&self, commands: &[ResolveTransfer]) -> Vec<Result<(), ApplicationError>> {
        commands.iter().map(|command| command.check().map_err(Into::into)).collect()
    }

    async fn begin(&self) -> Result<Box<dyn TransfersTransaction>, StoreError> {
        self.store.begin().await
    }

    async fn decide(
        &self,
        transaction: &mut Self::Transaction,
        commands: &[(ResolveTransfer, ())],
    ) -> Result<Vec<Result<TransferState, Violation>>, StoreError> {
        let mut ids: Vec<EndToEndId> =
            commands.iter().map(|(command, ())| command.end_to_end_id).collect();
        ids.sort_unstable();
        ids.dedup();
        let transfers = transaction.load_transfers(&ids).await?;
        let participants = transaction.load_participants(&banks(&transfers)).await?;
        let waiting = transaction.waiting_hand_overs(&ids).await?;
        let now = self.clock.now();
        let mut desk = Desk::new(now, self.settings, transfers, participants);
        let mut kept = Vec::new();
        let mut answers = Vec::new();
        for (command, ()) in commands {
            let answer = resolve(&mut desk, &waiting, command);
            if answer.is_ok() {
                kept.push(SavedResolution {
                    end_to_end_id: command.end_to_end_id,
                    resolution: command.resolution,
                    reason: command.reason.trim().to_owned(),
                    at: now,
                    acknowledged: None,
                });
            }
            answers.push(answer);
        }
        let (saved, moves) = desk.clear();
        if !saved.is_empty() {
            transaction.save_transfers(saved).await?;
            transaction.save_resolutions(&kept).await?;
        }
        if !moves.is_empty() {
            transaction.move_positions(&moves).await?;
        }
        Ok(answers)
    }
}

#[cfg(test)]
mod tests {
    use shared_kernel::application::BatchExecutor;
    use shared_kernel::application::command::CommandRunner;
    use shared_kernel::application::observer::Silent;
    use shared_kernel::domain::ReasonCode;
    use shared_kernel::testing::FixedClock;

    use super::*;
    use crate::application::ports::Word;
    use crate::application::testing::{Bench, NoBook, delivered, ordered, trace};
    use crate::domain::testing::{PAYEE_BANK, PAYER_BANK, classic, order};

    fn command(resolution: Resolution) -> ResolveTransfer {
        ResolveTransfer {
            caller: Caller::Operator,
            trace: trace(4),
            end_to_end_id: order(1).end_to_end_id,
            resolution,
            reason: "their operator said so on the phone".into(),
        }
    }

    async fn overdue() -> Bench {
        let bench = Bench::with([classic(PAYER_BANK), classic(PAYEE_BANK)]);
        bench.hear_classic(0, vec![ordered(order(1))]).await;
        bench.passes_deadlines(41).await;
        bench.told();
        bench.letters();
        bench.store.tables().hand_overs.clear();
        bench
    }

    async fn resolve(
        bench: &Bench,
        command: ResolveTransfer,
    ) -> Result<TransferState, ApplicationError> {
        let clock: Arc<dyn Clock> = Arc::<FixedClock>::clone(&bench.clock);
        let settings = TransfersSettings::default();
        let handler = ResolveTransferHandler::new(Arc::new(bench.store.clone()), clock, settings);
        let runner = CommandRunner::new(Arc::new(handler), Arc::new(NoBook), Arc::new(Silent));
        runner.execute(vec![command]).await.pop().unwrap()
    }

    fn code(outcome: Result<TransferState, ApplicationError>) -> &'static str {
        match outcome {
            Err(ApplicationError::Refused(violation)) => violation.code(),
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn as_credited_it_settles_and_the_payer_hears_it() {
        let bench = overdue().await;
        let state = resolve(&bench, command(Resolution::Credited)).await.unwrap();
        assert_eq!(state, TransferState::Confirmed);
        assert_eq!(bench.positions(), (-100, 100, 0));
        assert_eq!(bench.letters(), [(Side::Payer, Word::Settled)]);
        assert_eq!(bench.store.tables().resolutions.len(), 1);
        bench.hear_classic(50, vec![delivered(1)]).await;
        assert_eq!((bench.letters(), bench.positions()), (vec![], (-100, 100, 0)));
    }

    #[tokio::test]
    async fn as_refused_the_payer_hears_it_and_a_later_credit_is_noted() {
        let bench = overdue().await;
        resolve(&bench, command(Resolution::Refused)).await.unwrap();
        let stored = bench.store.stored(&order(1).end_to_end_id).unwrap();
        let standing = stored.standing();
        assert_eq!(
            (standing.state, standing.reason),
            (TransferState::Rejected, Some(ReasonCode::Ed05))
        );
        assert_eq!(bench.letters(), [(Side::Payer, Word::Failed)]);
        bench.told();
        bench.hear_classic(60, vec![delivered(1)]).await;
        assert_eq!((bench.told(), bench.letters()), (vec![], vec![]));
        assert_eq!((bench.state(1), bench.positions()), (TransferState::Rejected, (0, 0, 0)));
        let stored = bench.store.stored(&order(1).end_to_end_id).unwrap();
        assert!(stored.standing().contradicted_at.is_some());
    }

    #[tokio::test]
    async fn what_has_not_left_yet_is_not_refused_because_it_would_be_credited_all_the_same() {
        let bench = overdue().await;
        let id = order(1).end_to_end_id;
        bench.store.tables().hand_overs.insert(id);
        let refused = resolve(&bench, command(Resolution::Refused)).await;
        assert_eq!(code(refused), "hand_over_not_sent");
        assert_eq!((bench.state(1), bench.letters()), (TransferState::Pending, vec![]));
        let state = resolve(&bench, command(Resolution::Credited)).await.unwrap();
        assert_eq!(state, TransferState::Confirmed);
    }

    #[tokio::test]
    async fn only_once_only_by_operators_and_with_a_reason() {
        let bench = overdue().await;
        let bank = Caller::Bank(order(1).payer.ispb);
        let refused = ResolveTransfer { caller: bank, ..command(Resolution::Refused) };
        assert_eq!(code(resolve(&bench, refused).await), "operator_only");
        let silent = ResolveTransfer { reason: "  ".into(), ..command(Resolution::Refused) };
        assert_eq!(code(resolve(&bench, silent).await), "resolution_reason_shape");
        resolve(&bench, command(Resolution::Refused)).await.unwrap();
        let again = resolve(&bench, command(Resolution::Credited)).await;
        assert_eq!(code(again), "transfer_not_overdue");
        let mut unknown = command(Resolution::Refused);
        unknown.end_to_end_id = order(2).end_to_end_id;
        assert_eq!(code(resolve(&bench, unknown).await), "transfer_unknown");
    }
}
