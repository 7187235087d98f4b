//! Notes that what was credited after an operator had resolved it as refused is settled between the
//! banks. Nothing moves here: the transfer stays rejected, and is a finding no longer.
//!
//! A repeat is as good as the first; the latest words stand.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use shared_kernel::application::command::CommandIdentity;
use shared_kernel::application::{ApplicationError, BatchCommand, Caller, Clock, StoreError};
use shared_kernel::domain::{EndToEndId, Violation};

use super::resolve_transfer::is_reason;
use crate::application::desk::transfer_unknown;
use crate::application::ports::{
    Acknowledgement, SavedAcknowledgement, TransfersStore, TransfersTransaction,
};
use crate::domain::Transfer;

/// The order of an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcknowledgeCredit {
    /// Who asks.
    pub caller: Caller,
    /// Which transfer.
    pub end_to_end_id: EndToEndId,
    /// How the banks settled it; kept for those who look later.
    pub reason: String,
}

impl AcknowledgeCredit {
    fn check(&self) -> Result<(), Violation> {
        self.caller.must_be_operator()?;
        if is_reason(&self.reason) {
            return Ok(());
        }
        let message = "say in 1 to 500 characters how the banks settled it between them";
        Err(Violation::invalid("acknowledgement_reason_shape", "reason", message))
    }
}

/// Decides acknowledgements.
pub struct AcknowledgeCreditHandler {
    store: Arc<dyn TransfersStore>,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for AcknowledgeCreditHandler {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("AcknowledgeCreditHandler").finish_non_exhaustive()
    }
}

impl AcknowledgeCreditHandler {
    /// A handler over the hub's store.
    pub fn new(store: Arc<dyn TransfersStore>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock }
    }
}

#[async_trait]
impl BatchCommand for AcknowledgeCreditHandler {
    type Command = AcknowledgeCredit;
    type Prepared = ();
    type Answer = ();
    type Transaction = dyn TransfersTransaction;

    const OPERATION: &'static str = "acknowledge_credit";

    fn identity(&self, _command: &AcknowledgeCredit) -> Option<CommandIdentity> {
        None
    }

    async fn prepare(&self, commands: &[AcknowledgeCredit]) -> Vec<Result<(), ApplicationError>> {
        commands.iter().map(|command| command.check().map_err(Into::into)).collect()
    }

    async fn begin(&self) -> Result<Box<dyn TransfersTransaction>, StoreError> {
        self.store.begin().await
    }

    async fn decide(
        &self,
        transaction: &mut Self::Transaction,
        commands: &[(AcknowledgeCredit, ())],
    ) -> Result<Vec<Result<(), Violation>>, StoreError> {
        let mut ids: Vec<EndToEndId> =
            commands.iter().map(|(command, ())| command.end_to_end_id).collect();
        ids.sort_unstable();
        ids.dedup();
        let known = transaction.load_transfers(&ids).await?;
        let of = |id: &EndToEndId| known.iter().find(|it| it.order().end_to_end_id == *id);
        let now = self.clock.now();
        let mut kept: BTreeMap<EndToEndId, SavedAcknowledgement> = BTreeMap::new();
        let mut answers = Vec::new();
        for (AcknowledgeCredit { end_to_end_id: id, reason, .. }, ()) in commands {
            let answer =
                of(id).ok_or_else(|| transfer_unknown(id)).and_then(Transfer::must_be_contradicted);
            if answer.is_ok() {
                let acknowledgement = Acknowledgement { reason: reason.trim().to_owned(), at: now };
                kept.insert(*id, SavedAcknowledgement { end_to_end_id: *id, acknowledgement });
            }
            answers.push(answer);
        }
        if !kept.is_empty() {
            let kept: Vec<SavedAcknowledgement> = kept.into_values().collect();
            transaction.save_acknowledgements(&kept).await?;
        }
        Ok(answers)
    }
}

#[cfg(test)]
mod tests {
    use shared_kernel::application::BatchExecutor;
    use shared_kernel::application::command::CommandRunner;
    use shared_kernel::application::observer::Silent;
    use shared_kernel::testing::FixedClock;

    use super::*;
    use crate::application::command::{ResolveTransfer, ResolveTransferHandler};
    use crate::application::settings::TransfersSettings;
    use crate::application::testing::{Bench, NoBook, delivered, ordered, trace};
    use crate::domain::testing::{PAYEE_BANK, PAYER_BANK, classic, order};
    use crate::domain::{Resolution, TransferState};

    fn command(reason: &str) -> AcknowledgeCredit {
        AcknowledgeCredit {
            caller: Caller::Operator,
            end_to_end_id: order(1).end_to_end_id,
            reason: reason.into(),
        }
    }

    async fn acknowledge(bench: &Bench, commands: Vec<AcknowledgeCredit>) -> Vec<&'static str> {
        let clock: Arc<dyn Clock> = Arc::<FixedClock>::clone(&bench.clock);
        let handler = AcknowledgeCreditHandler::new(Arc::new(bench.store.clone()), clock);
        let runner = CommandRunner::new(Arc::new(handler), Arc::new(NoBook), Arc::new(Silent));
        let code = |answer| match answer {
            Ok(()) => "ok",
            Err(ApplicationError::Refused(violation)) => Violation::code(&violation),
            Err(ApplicationError::Unavailable(_)) => "unavailable",
        };
        runner.execute(commands).await.into_iter().map(code).collect()
    }

    /// A transfer that was resolved as refused.
    async fn refused() -> Bench {
        let bench = Bench::with([classic(PAYER_BANK), classic(PAYEE_BANK)]);
        bench.hear_classic(0, vec![ordered(order(1))]).await;
        bench.passes_deadlines(41).await;
        bench.store.tables().hand_overs.clear();
        let clock: Arc<dyn Clock> = Arc::<FixedClock>::clone(&bench.clock);
        let store = Arc::new(bench.store.clone());
        let handler = ResolveTransferHandler::new(store, clock, TransfersSettings::default());
        let runner = CommandRunner::new(Arc::new(handler), Arc::new(NoBook), Arc::new(Silent));
        let command = ResolveTransfer {
            caller: Caller::Operator,
            trace: trace(4),
            end_to_end_id: order(1).end_to_end_id,
            resolution: Resolution::Refused,
            reason: "they did not know it".into(),
        };
        runner.execute(vec![command]).await.pop().unwrap().unwrap();
        bench
    }

    #[tokio::test]
    async fn only_what_was_credited_after_a_refusal_is_acknowledged_and_nothing_moves() {
        let bench = refused().await;
        assert_eq!(
            acknowledge(&bench, vec![command("paid back")]).await,
            ["transfer_not_contradicted"]
        );
        bench.hear_classic(60, vec![delivered(1)]).await;
        bench.told();
        bench.letters();
        let twice = vec![command("first words"), command(" paid back on Monday ")];
        assert_eq!(acknowledge(&bench, twice).await, ["ok", "ok"]);
        let kept = bench.store.tables().resolutions[0].acknowledged.clone().unwrap();
        assert_eq!(kept.reason, "paid back on Monday");
        assert_eq!((bench.told(), bench.letters()), (vec![], vec![]));
        assert_eq!((bench.state(1), bench.positions()), (TransferState::Rejected, (0, 0, 0)));
    }

    #[tokio::test]
    async fn only_operators_with_a_reason_and_of_a_transfer_that_is_known() {
        let bench = refused().await;
        bench.hear_classic(60, vec![delivered(1)]).await;
        let bank = Caller::Bank(order(1).payer.ispb);
        let commands = vec![
            AcknowledgeCredit { caller: bank, ..command("x") },
            command(" "),
            command(&"x".repeat(501)),
            AcknowledgeCredit { end_to_end_id: order(2).end_to_end_id, ..command("x") },
        ];
        let shape = "acknowledgement_reason_shape";
        let expected = ["operator_only", shape, shape, "transfer_unknown"];
        assert_eq!(acknowledge(&bench, commands).await, expected);
        assert_eq!(bench.store.tables().resolutions[0].acknowledged, None);
    }
}
