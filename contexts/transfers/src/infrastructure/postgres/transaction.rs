//! The hub's transaction over one session. Each port is one statement, whatever the number of
//! rows; saving transfers is at most two (new ones, changed ones).

use std::collections::BTreeMap;

use async_trait::async_trait;
use diesel::pg::data_types::PgTimestamp;
use diesel::sql_types::{
    Array, BigInt, Binary, Bool, Integer, Nullable, Text, Timestamptz, Uuid as Id,
};
use diesel_async::RunQueryDsl;
use shared_kernel::application::{Published, StoreError};
use shared_kernel::domain::{BankCode, EndToEndId, Ispb, Money, Timestamp};
use shared_kernel::infrastructure::postgres::session::Sessions;
use shared_kernel::infrastructure::postgres::statement::Bind;
use shared_kernel::infrastructure::postgres::{PgSession, instant, statement, store_error};

use super::columns::{BornColumns, StandingColumns};
use super::rows::{DueRow, ParticipantRow, PositionRow, TransferRow, read};
use super::{outside, sql};
use crate::application::outside::{KnownOrder, OrderRefusal};
use crate::application::ports::{
    Change, DueTransfer, Horizon, Resend, SavedAcknowledgement, SavedParticipant, SavedResolution,
    SavedTransfer, TransfersStore, TransfersTransaction,
};
use crate::domain::{OrderId, Participant, ParticipantEvent, Position, PositionMove, Transfer};
use crate::infrastructure::kafka::published::{participant_event, transfer_event};

#[async_trait]
impl TransfersStore for Sessions {
    async fn begin(&self) -> Result<Box<dyn TransfersTransaction>, StoreError> {
        Ok(Self::begin(self).await?)
    }
}

#[async_trait]
impl TransfersTransaction for PgSession {
    async fn load_transfers(&mut self, ids: &[EndToEndId]) -> Result<Vec<Transfer>, StoreError> {
        let ids: Vec<&str> = ids.iter().map(EndToEndId::as_str).collect();
        let rows: Vec<TransferRow> = statement(sql::LOAD)
            .bind::<Array<Text>, _>(ids)
            .load(self.connection())
            .await
            .map_err(store_error)?;
        read(rows, TransferRow::transfer)
    }

    async fn load_participants(&mut self, ispbs: &[Ispb]) -> Result<Vec<Participant>, StoreError> {
        let rows: Vec<ParticipantRow> = statement(sql::LOAD_PARTICIPANTS)
            .bind::<Array<Text>, _>(texts(ispbs))
            .load(self.connection())
            .await
            .map_err(store_error)?;
        read(rows, ParticipantRow::participant)
    }

    async fn lock_positions(&mut self, ispbs: &[Ispb]) -> Result<Vec<Position>, StoreError> {
        let rows: Vec<PositionRow> = statement(sql::LOCK_POSITIONS)
            .bind::<Array<Text>, _>(texts(ispbs))
            .load(self.connection())
            .await
            .map_err(store_error)?;
        read(rows, PositionRow::position)
    }

    async fn save_transfers(&mut self, saved: Vec<SavedTransfer>) -> Result<(), StoreError> {
        let (mut born, mut moved) = (BornColumns::default(), StandingColumns::default());
        for saved in &saved {
            match &saved.change {
                Change::Born(birth) => born.push(saved, birth),
                Change::Moved => moved.push(saved),
                Change::None => {}
            }
        }
        if !born.standing.ids.is_empty() {
            insert(self, born).await?;
        }
        if !moved.ids.is_empty() {
            update(self, moved).await?;
        }
        outside::write(self, &saved).await?;
        let event = |saved: &SavedTransfer| {
            let events = saved.notices.iter().map(|notice| transfer_event(&saved.transfer, notice));
            events.collect::<Vec<_>>()
        };
        let events: Result<Vec<Published>, StoreError> = saved.iter().flat_map(event).collect();
        self.publish(events?);
        Ok(())
    }

    async fn move_positions(&mut self, moves: &[PositionMove]) -> Result<(), StoreError> {
        let ispbs: Vec<&str> = moves.iter().map(|step| step.ispb.as_str()).collect();
        let amounts: Vec<i64> = moves.iter().map(|step| step.amount.centavos()).collect();
        let reserved: Vec<i64> = moves.iter().map(|step| step.reserved.centavos()).collect();
        let moved = statement(sql::MOVE)
            .bind::<Array<Text>, _>(ispbs)
            .bind::<Array<BigInt>, _>(amounts)
            .bind::<Array<BigInt>, _>(reserved)
            .execute(self.connection())
            .await
            .map_err(store_error)?;
        all_of(moved, moves.len(), "a position")
    }

    async fn lock_overdue(
        &mut self,
        horizons: &[Horizon],
        limit: u16,
    ) -> Result<Vec<DueTransfer>, StoreError> {
        let origins: Vec<i32> = horizons.iter().map(|horizon| horizon.origin).collect();
        let before: Vec<PgTimestamp> =
            horizons.iter().map(|horizon| instant(horizon.before)).collect();
        let rows: Vec<DueRow> = statement(sql::OVERDUE)
            .bind::<Array<Integer>, _>(origins)
            .bind::<Array<Timestamptz>, _>(before)
            .bind::<BigInt, _>(i64::from(limit))
            .load(self.connection())
            .await
            .map_err(store_error)?;
        read(rows, DueRow::due)
    }

    async fn lock_unreported(
        &mut self,
        now: Timestamp,
        limit: u16,
    ) -> Result<Vec<DueTransfer>, StoreError> {
        let rows: Vec<DueRow> = statement(sql::UNREPORTED)
            .bind::<Timestamptz, _>(instant(now))
            .bind::<BigInt, _>(i64::from(limit))
            .load(self.connection())
            .await
            .map_err(store_error)?;
        read(rows, DueRow::due)
    }

    async fn schedule_resends(&mut self, resends: &[Resend]) -> Result<(), StoreError> {
        let ids: Vec<&str> = resends.iter().map(|resend| resend.end_to_end_id.as_str()).collect();
        let times: Vec<PgTimestamp> = resends.iter().map(|resend| instant(resend.at)).collect();
        let counts: Vec<i32> = resends
            .iter()
            .map(|resend| i32::try_from(resend.resends).unwrap_or(i32::MAX))
            .collect();
        let scheduled = statement(sql::RESEND)
            .bind::<Array<Text>, _>(ids)
            .bind::<Array<Timestamptz>, _>(times)
            .bind::<Array<Integer>, _>(counts)
            .execute(self.connection())
            .await
            .map_err(store_error)?;
        all_of(scheduled, resends.len(), "an open transfer")
    }

    async fn lock_enrolled(
        &mut self,
        ispbs: &[Ispb],
        codes: &[BankCode],
    ) -> Result<Vec<Participant>, StoreError> {
        let codes: Vec<&str> = codes.iter().map(BankCode::as_str).collect();
        let rows: Vec<ParticipantRow> = statement(sql::LOCK_ENROLLED)
            .bind::<Array<Text>, _>(texts(ispbs))
            .bind::<Array<Text>, _>(codes)
            .load(self.connection())
            .await
            .map_err(store_error)?;
        read(rows, ParticipantRow::participant)
    }

    async fn save_participants(&mut self, saved: &[SavedParticipant]) -> Result<(), StoreError> {
        // A bank that is enrolled and changed in one batch is written once, as it is in the end.
        let mut last: BTreeMap<Ispb, (bool, &Participant)> = BTreeMap::new();
        for SavedParticipant { participant, event, .. } in saved {
            let entry = last.entry(participant.ispb).or_insert((false, participant));
            *entry = (entry.0 || *event == ParticipantEvent::Enrolled, participant);
        }
        let rows = |new: bool| -> Vec<&Participant> {
            last.values().filter(|(is_new, _)| *is_new == new).map(|(_, bank)| *bank).collect()
        };
        let steps =
            [(sql::INSERT_PARTICIPANTS, rows(true)), (sql::UPDATE_PARTICIPANTS, rows(false))];
        for (text, banks) in steps {
            if !banks.is_empty() {
                write_participants(self, text, &banks).await?;
            }
        }
        let events: Result<Vec<Published>, StoreError> =
            saved.iter().map(participant_event).collect();
        self.publish(events?);
        Ok(())
    }

    async fn with_open_transfers(&mut self, ispbs: &[Ispb]) -> Result<Vec<Ispb>, StoreError> {
        outside::with_open_transfers(self, ispbs).await
    }

    async fn load_orders(&mut self, ids: &[OrderId]) -> Result<Vec<KnownOrder>, StoreError> {
        outside::load_orders(self.connection(), ids).await
    }

    async fn refuse_orders(&mut self, refusals: &[OrderRefusal]) -> Result<(), StoreError> {
        outside::refuse_orders(self, refusals).await
    }

    async fn waiting_hand_overs(
        &mut self,
        ids: &[EndToEndId],
    ) -> Result<Vec<EndToEndId>, StoreError> {
        outside::waiting_hand_overs(self, ids).await
    }

    async fn save_resolutions(&mut self, saved: &[SavedResolution]) -> Result<(), StoreError> {
        outside::save_resolutions(self, saved).await
    }

    async fn save_acknowledgements(
        &mut self,
        saved: &[SavedAcknowledgement],
    ) -> Result<(), StoreError> {
        outside::save_acknowledgements(self, saved).await
    }
}

pub(super) fn texts(ispbs: &[Ispb]) -> Vec<&str> {
    ispbs.iter().map(Ispb::as_str).collect()
}

/// Every row that was read under its lock must be there to be written.
pub(super) fn all_of(written: usize, wanted: usize, what: &str) -> Result<(), StoreError> {
    if written == wanted {
        return Ok(());
    }
    Err(StoreError::Rejected(format!("{what} is missing: {written} of {wanted} were there")))
}

async fn insert(session: &mut PgSession, born: BornColumns<'_>) -> Result<(), StoreError> {
    let BornColumns { standing, payer, payee, .. } = born;
    statement(sql::INSERT)
        .bind::<Array<Text>, _>(standing.ids)
        .bind::<Array<Text>, _>(standing.states)
        .bind::<Array<Nullable<Text>>, _>(standing.reasons)
        .bind::<Array<Nullable<Timestamptz>>, _>(standing.confirmed)
        .bind::<Array<Nullable<Timestamptz>>, _>(standing.finished)
        .bind::<Array<Bool>, _>(standing.payer_reported)
        .bind::<Array<Bool>, _>(standing.payee_reported)
        .bind::<Array<BigInt>, _>(standing.versions)
        .bind::<Array<Nullable<Timestamptz>>, _>(standing.resend_at)
        .bind::<Array<Text>, _>(payer.ispbs)
        .bind::<Array<Id>, _>(payer.accounts)
        .bind::<Array<Text>, _>(payer.names)
        .bind::<Array<Text>, _>(payer.tax_ids)
        .bind::<Array<Text>, _>(payee.ispbs)
        .bind::<Array<Id>, _>(payee.accounts)
        .bind::<Array<Text>, _>(payee.names)
        .bind::<Array<Text>, _>(payee.tax_ids)
        .bind::<Array<Binary>, _>(born.digests)
        .bind::<Array<BigInt>, _>(born.amounts)
        .bind::<Array<Text>, _>(born.keys)
        .bind::<Array<Text>, _>(born.descriptions)
        .bind::<Array<Timestamptz>, _>(born.registered)
        .bind::<Array<Timestamptz>, _>(born.deadlines)
        .bind::<Array<Bool>, _>(born.reserves)
        .bind::<Array<Bool>, _>(born.payee_told)
        .bind::<Array<Integer>, _>(born.origins)
        .bind::<Array<Text>, _>(born.traces)
        .bind::<Array<Text>, _>(born.payer_credits)
        .bind::<Array<Text>, _>(born.payee_credits)
        .bind::<Array<Nullable<Id>>, _>(born.order_ids)
        .bind::<Array<Nullable<Binary>>, _>(born.contents)
        .execute(session.connection())
        .await
        .map(drop)
        .map_err(store_error)
}

async fn update(session: &mut PgSession, moved: StandingColumns<'_>) -> Result<(), StoreError> {
    let wanted = moved.ids.len();
    let written = statement(sql::UPDATE)
        .bind::<Array<Text>, _>(moved.ids)
        .bind::<Array<Text>, _>(moved.states)
        .bind::<Array<Nullable<Text>>, _>(moved.reasons)
        .bind::<Array<Nullable<Timestamptz>>, _>(moved.confirmed)
        .bind::<Array<Nullable<Timestamptz>>, _>(moved.finished)
        .bind::<Array<Bool>, _>(moved.payer_reported)
        .bind::<Array<Bool>, _>(moved.payee_reported)
        .bind::<Array<BigInt>, _>(moved.versions)
        .bind::<Array<Nullable<Timestamptz>>, _>(moved.resend_at)
        .bind::<Array<Nullable<Timestamptz>>, _>(moved.overdue)
        .bind::<Array<Nullable<Timestamptz>>, _>(moved.contradicted)
        .execute(session.connection())
        .await
        .map_err(store_error)?;
    all_of(written, wanted, "a transfer")
}

async fn write_participants(
    session: &mut PgSession,
    text: &'static str,
    banks: &[&Participant],
) -> Result<(), StoreError> {
    let column =
        |of: fn(&Participant) -> &str| -> Vec<&str> { banks.iter().map(|bank| of(bank)).collect() };
    let limits: Vec<Option<i64>> =
        banks.iter().map(|bank| bank.position_limit.map(Money::centavos)).collect();
    let enrolled: Vec<PgTimestamp> = banks.iter().map(|bank| instant(bank.enrolled_at)).collect();
    let versions: Vec<i64> = banks.iter().map(|bank| bank.version).collect();
    let written = statement(text)
        .bind::<Array<Text>, _>(column(|bank| bank.ispb.as_str()))
        .bind::<Array<Text>, _>(column(|bank| bank.code.as_str()))
        .bind::<Array<Text>, _>(column(|bank| bank.name.as_str()))
        .bind::<Array<Text>, _>(column(|bank| bank.protocol.as_str()))
        .bind::<Array<Text>, _>(column(|bank| bank.status.as_str()))
        .bind::<Array<Nullable<BigInt>>, _>(limits)
        .bind::<Array<Timestamptz>, _>(enrolled)
        .bind::<Array<BigInt>, _>(versions)
        .execute(session.connection())
        .await
        .map_err(store_error)?;
    all_of(written, banks.len(), "a participant")
}
