//! The hub's store.

use std::collections::BTreeMap;

use async_trait::async_trait;
use shared_kernel::application::{Published, StoreError, TraceParent};
use shared_kernel::domain::{BankCode, EndToEndId, Ispb, Money, Timestamp};
use transfers::application::hand_over::HandOver;
use transfers::application::outside::{KnownOrder, OrderRefusal};
use transfers::application::ports::{
    Change, DueTransfer, Horizon, ParticipantRun, Resend, SavedAcknowledgement, SavedParticipant,
    SavedResolution, SavedTransfer, TransferRun, TransfersReads, TransfersStore,
    TransfersTransaction,
};
use transfers::domain::{
    CreditTiming, OrderId, Participant, Position, PositionMove, Side, Transfer, TransferState,
};
use transfers::infrastructure::kafka::published::{participant_event, transfer_event};

use super::{at_most, because, not_listed};
use crate::checks::{Admitting, Debt, Oracle, Pace};
use crate::planted::{self, Bug};
use crate::store::{OpenTransaction, Row, Session, Tables, all, find};

/// What the sweepers keep beside a transfer that is not final.
#[derive(Clone)]
struct Open {
    origin: i32,
    trace: TraceParent,
    resend_at: Option<Timestamp>,
    resends: u32,
}

/// The hub's rows.
#[derive(Default)]
pub(crate) struct TransfersTables {
    pub(crate) transfers: BTreeMap<EndToEndId, Transfer>,
    open: BTreeMap<EndToEndId, Option<Open>>,
    participants: BTreeMap<Ispb, Participant>,
    codes: BTreeMap<String, Ispb>,
    pub(crate) positions: BTreeMap<Ispb, Position>,
    /// Orders by the ids of the programs of banks.
    pub(crate) orders: BTreeMap<OrderId, KnownOrder>,
    /// Hand-overs that wait, by the numbers of their rows.
    pub(crate) hand_overs: BTreeMap<u64, HandOver>,
    pub(crate) resolutions: BTreeMap<EndToEndId, SavedResolution>,
    /// The limits that a transaction has read: they may change before it is committed.
    limits_read: BTreeMap<Ispb, Option<Money>>,
    /// Enrolments of a transaction, in order.
    enrolled: Vec<Participant>,
}

impl TransfersTables {
    /// What a bank owes before a transaction, with everything that it reserves and owes more
    /// meanwhile.
    fn owed(&self, own: &Self, ispb: Ispb) -> i64 {
        let owes = |it: &Position| it.reserved.centavos() - it.amount.centavos();
        let more = own.transfers.values().filter(|it| {
            let was_known = self.transfers.contains_key(&it.order().end_to_end_id);
            it.bank(Side::Payer) == ispb && it.reserves() != was_known
        });
        let more: i64 = more.map(|it| it.order().amount.centavos()).sum();
        self.positions.get(&ispb).map_or(0, owes) + more
    }

    /// Confirmations are repeated when they are due, and not before.
    fn repeats(&self, own: &Self, oracle: &Oracle) -> Result<(), String> {
        let times = |it: &Open| it.resend_at.map(|at| (it.resends, at));
        for (id, open) in &own.open {
            let Some(after) = open.as_ref().and_then(times) else { continue };
            let Some(transfer) = find(&self.transfers, &own.transfers, id) else { continue };
            let Some(before) = self.open.get(id).and_then(|it| times(it.as_ref()?)) else {
                oracle.confirms_first(transfer, after)?;
                continue;
            };
            let is_information = !transfer.has_report(Side::Payer)
                && transfer.ends().timing(Side::Payer) == CreditTiming::OnDelivery;
            let pace = if is_information { Pace::Information } else { Pace::Hub };
            oracle.slows_down(format_args!("the confirmation of {id}"), pace, (before, after))?;
        }
        Ok(())
    }

    /// What the hub knew when it decided on a new order.
    fn admitting(&self, own: &Self, order: &Transfer) -> Admitting {
        let payer = order.bank(Side::Payer);
        Admitting {
            has_payee: own.limits_read.contains_key(&order.bank(Side::Payee)),
            limit: own.limits_read.get(&payer).copied().flatten(),
            owes: self.owed(own, payer),
        }
    }
}

impl Tables for TransfersTables {
    const SCHEMA: &'static str = "transfers";

    fn examine(&self, own: &Self, oracle: &mut Oracle) -> Result<(), String> {
        let mut settled: BTreeMap<Ispb, i64> = BTreeMap::new();
        let mut debts: BTreeMap<Ispb, Debt> = BTreeMap::new();
        let limit = |ispb: &Ispb| {
            let now = || self.participants.get(ispb).and_then(|bank| bank.position_limit);
            own.limits_read.get(ispb).copied().unwrap_or_else(now)
        };
        let is_settled = |it: &Transfer| it.standing().confirmed_at.is_some();
        let waits = |id: &EndToEndId| self.hand_overs.values().any(|it| it.end_to_end_id == *id);
        oracle.resolved(own.resolutions.values(), waits)?;
        for (id, kept) in &own.resolutions {
            let is_alone = own.transfers.is_empty() && own.positions.is_empty();
            oracle.acknowledged(self.resolutions.get(id), kept, is_alone)?;
        }
        for bank in &own.enrolled {
            oracle.enrolled(bank)?;
        }
        self.repeats(own, oracle)?;
        oracle.handed_over(&own.transfers, own.hand_overs.values(), |id| {
            self.transfers.contains_key(id)
        })?;
        for (id, after) in &own.transfers {
            let before = self.transfers.get(id);
            oracle.transfer(before, after)?;
            if before.is_none() {
                oracle.decided_by_hub(after, self.admitting(own, after))?;
            }
            let payer = after.bank(Side::Payer);
            if payer == after.bank(Side::Payee) {
                continue;
            }
            let debt = debts.entry(payer).or_default();
            if before.is_none() && after.standing().state == TransferState::Pending {
                debt.admits(after, limit(&payer))?;
            }
            if is_settled(after) && !before.is_some_and(is_settled) {
                let amount = after.order().amount.centavos();
                debt.settles(after);
                *settled.entry(after.bank(Side::Payer)).or_insert(0) -= amount;
                *settled.entry(after.bank(Side::Payee)).or_insert(0) += amount;
            }
        }
        for (ispb, position) in &own.positions {
            let debt = debts.remove(ispb).unwrap_or_default();
            debt.is_within(limit(ispb), self.positions.get(ispb), position)?;
        }
        Oracle::positions(&self.positions, &own.positions, &settled)
    }

    fn absorb(&mut self, own: Self) {
        self.transfers.extend(own.transfers);
        self.open.extend(own.open);
        self.participants.extend(own.participants);
        self.codes.extend(own.codes);
        self.positions.extend(own.positions);
        self.orders.extend(own.orders);
        self.hand_overs.extend(own.hand_overs);
        self.resolutions.extend(own.resolutions);
    }

    fn marks(&self) -> usize {
        let decided = self.hand_overs.len() + self.resolutions.len();
        self.transfers.len() + self.participants.len() + decided
    }

    fn tell(&self, own: &Self) -> Vec<String> {
        let transfer = |(id, after): (&EndToEndId, &Transfer)| {
            let state = |it: &Transfer| it.standing().state;
            let before = self.transfers.get(id).map(state);
            let (payer, payee) = (after.bank(Side::Payer), after.bank(Side::Payee));
            let amount = after.order().amount.money();
            let (now, why) = (state(after), because(after.standing().reason));
            match before {
                None => format!("hub: {id} is new, {amount} from {payer} to {payee}: {now}{why}"),
                Some(before) if before != now => {
                    format!("hub: {id} goes from {before} to {now}{why}")
                }
                Some(_) if after.standing().contradicted_at.is_some() => {
                    format!("hub: {id} stays {now}, and its payee's bank has credited")
                }
                Some(_) if now == TransferState::Pending => format!("hub: {id} is overdue"),
                Some(_) => format!("hub: {id} stays {now}, one bank has reported"),
            }
        };
        let bank = |bank: &Participant| {
            let (ispb, limit) = (bank.ispb, at_most(bank.position_limit));
            format!("hub: bank {ispb} takes part, and may owe {limit}")
        };
        let banks = own.participants.values().map(bank);
        let hand_overs = own.hand_overs.values();
        let hand_overs = hand_overs
            .map(|it| format!("hub: {} waits to be handed over to {}", it.end_to_end_id, it.topic));
        let resolutions = own.resolutions.values().map(|it| {
            let (id, was) = (it.end_to_end_id, it.resolution.as_str());
            match &it.acknowledged {
                None => format!("hub: {id} is resolved as {was}"),
                Some(note) => format!("hub: {id}, resolved as {was}, is noted as {}", note.reason),
            }
        });
        let repeated = own.open.iter().filter_map(|(id, open)| {
            let known = self.open.get(id)?.as_ref()?.resends;
            let times = open.as_ref().map(|it| it.resends).filter(|times| *times > known)?;
            Some(format!("hub: {id} lacks a report, its banks are told again: reminder {times}"))
        });
        let transfers = own.transfers.iter().map(transfer);
        transfers.chain(banks).chain(hand_overs).chain(resolutions).chain(repeated).collect()
    }
}

pub(super) type Hub = OpenTransaction<TransfersTables>;

#[async_trait]
impl TransfersStore for Session<TransfersTables> {
    async fn begin(&self) -> Result<Box<dyn TransfersTransaction>, StoreError> {
        Ok(self.open().await?)
    }
}

/// Rows that must have been there.
fn missing(what: &str) -> StoreError {
    StoreError::Rejected(format!("{what} is missing"))
}

impl Hub {
    async fn insert(&mut self, saved: &SavedTransfer) -> Result<(), StoreError> {
        let Change::Born(birth) = &saved.change else { return Ok(()) };
        let id = saved.transfer.order().end_to_end_id;
        let row = vec![(id, saved.transfer.clone())];
        self.insert_rows("transfer", row, |it| &it.transfers, |it| &mut it.transfers).await?;
        self.know_born(&saved.transfer, birth).await?;
        let open = Open {
            origin: birth.origin,
            trace: birth.trace.clone(),
            resend_at: saved.resend_at,
            resends: 0,
        };
        let is_final = saved.transfer.standing().state.is_final();
        self.write(|_, own| own.open.insert(id, (!is_final).then_some(open)));
        Ok(())
    }

    fn update(&mut self, saved: &SavedTransfer) -> Result<(), StoreError> {
        let transfer = saved.transfer.clone();
        let id = transfer.order().end_to_end_id;
        let is_there =
            self.see(|committed, own| find(&committed.transfers, &own.transfers, &id).is_some());
        if !is_there {
            return Err(self.abort(missing("a transfer")));
        }
        self.write(|committed, own| {
            let mut open = find(&committed.open, &own.open, &id).cloned().flatten();
            if transfer.standing().state.is_final() {
                open = None;
            } else if let (Some(open), Some(at)) = (&mut open, saved.resend_at) {
                open.resend_at = Some(at);
            }
            own.open.insert(id, open);
            own.transfers.insert(id, transfer);
        });
        Ok(())
    }

    /// Transfers that are due, by id, without those that others hold.
    async fn due(
        &mut self,
        limit: u16,
        state: TransferState,
        is_due: impl Fn(&Transfer, &Open) -> bool + Send,
    ) -> Result<Vec<DueTransfer>, StoreError> {
        self.statement().await?;
        let mut due: Vec<(Timestamp, EndToEndId)> = self.see(|committed, own| {
            let open = all(&committed.open, &own.open);
            let due = open.filter_map(|(id, open)| {
                let transfer = find(&committed.transfers, &own.transfers, id)?;
                let due = is_due(transfer, open.as_ref()?);
                due.then(|| (transfer.terms().deadline, *id))
            });
            due.collect()
        });
        due.sort();
        due.truncate(usize::from(limit));
        let mut ids: Vec<EndToEndId> = due.into_iter().map(|(_, id)| id).collect();
        ids.sort();
        ids.retain(|id| self.grab(Row::of("transfer", id)));
        Ok(self.see(|committed, own| {
            let row = |id: &EndToEndId| {
                let transfer = find(&committed.transfers, &own.transfers, id)?.clone();
                let Open { trace, resends, .. } = find(&committed.open, &own.open, id)?.clone()?;
                let fits = transfer.standing().state == state;
                fits.then_some(DueTransfer { transfer, trace, resends })
            };
            ids.iter().filter_map(row).collect()
        }))
    }
}

#[async_trait]
impl TransfersTransaction for Hub {
    async fn load_transfers(&mut self, ids: &[EndToEndId]) -> Result<Vec<Transfer>, StoreError> {
        let found = self.lock_rows("transfer", ids, |it| &it.transfers).await?;
        Ok(planted::loaded(self.session.world(), found))
    }

    async fn load_participants(&mut self, ispbs: &[Ispb]) -> Result<Vec<Participant>, StoreError> {
        self.statement().await?;
        let found: Vec<Participant> = self.see(|committed, own| {
            let known = |ispb| find(&committed.participants, &own.participants, ispb).cloned();
            ispbs.iter().filter_map(known).collect()
        });
        let limits = found.iter().map(|bank| (bank.ispb, bank.position_limit));
        self.write(|_, own| own.limits_read.extend(limits));
        Ok(found)
    }

    async fn lock_positions(&mut self, ispbs: &[Ispb]) -> Result<Vec<Position>, StoreError> {
        let found = self.lock_rows("position", ispbs, |it| &it.positions).await?;
        Ok(planted::positions(self.session.world(), found))
    }

    async fn save_transfers(&mut self, saved: Vec<SavedTransfer>) -> Result<(), StoreError> {
        let saved = planted::saved(self.session.world(), saved);
        if saved.iter().any(|it| matches!(it.change, Change::Born(_))) {
            self.statement().await?;
        }
        for saved in &saved {
            self.insert(saved).await?;
        }
        if saved.iter().any(|it| it.change == Change::Moved) {
            self.statement().await?;
        }
        for saved in saved.iter().filter(|it| it.change == Change::Moved) {
            self.update(saved)?;
        }
        self.write_letters(&saved).await?;
        let events = saved.iter().flat_map(|saved| {
            saved.notices.iter().map(|notice| transfer_event(&saved.transfer, notice))
        });
        let events: Result<Vec<Published>, StoreError> = events.collect();
        let events = planted::notices(self.session.world(), events?);
        self.publish(events);
        Ok(())
    }

    async fn move_positions(&mut self, moves: &[PositionMove]) -> Result<(), StoreError> {
        let moves = planted::moved(self.session.world(), moves);
        let ispbs: Vec<Ispb> = moves.iter().map(|step| step.ispb).collect();
        let found = self.lock_rows("position", &ispbs, |it| &it.positions).await?;
        if found.len() != moves.len() {
            return Err(self.abort(missing("a position")));
        }
        for step in &moves {
            let mut position = found.iter().find(|it| it.ispb == step.ispb).copied();
            let moved = position.as_mut().map(|position| position.shift(step));
            let refused = |reason: &str| StoreError::Rejected(reason.to_owned());
            match (position, moved) {
                (Some(position), Some(Ok(()))) if !position.reserved.is_negative() => {
                    self.write(|_, own| own.positions.insert(step.ispb, position));
                }
                _ => return Err(self.abort(refused("position_reserved_check"))),
            }
        }
        Ok(())
    }

    async fn lock_overdue(
        &mut self,
        horizons: &[Horizon],
        limit: u16,
    ) -> Result<Vec<DueTransfer>, StoreError> {
        let horizons = horizons.to_vec();
        self.due(limit, TransferState::Pending, move |transfer, open| {
            let deadline = transfer.terms().deadline;
            let passed = |it: &Horizon| it.origin == open.origin && deadline < it.before;
            let is_waiting = open.resend_at.is_none() && transfer.standing().overdue_at.is_none();
            is_waiting && horizons.iter().any(passed)
        })
        .await
    }

    async fn lock_unreported(
        &mut self,
        now: Timestamp,
        limit: u16,
    ) -> Result<Vec<DueTransfer>, StoreError> {
        let is_silent = self.session.world().has(Bug::NoRepeatedConfirmations);
        let limit = if is_silent { 0 } else { limit };
        self.due(limit, TransferState::Confirmed, move |_, open| {
            open.resend_at.is_some_and(|at| at <= now)
        })
        .await
    }

    async fn schedule_resends(&mut self, resends: &[Resend]) -> Result<(), StoreError> {
        self.statement().await?;
        for Resend { end_to_end_id, at, resends } in resends {
            let is_written = self.write(|committed, own| {
                let open = find(&committed.open, &own.open, end_to_end_id).cloned().flatten();
                let open =
                    open.map(|open| Open { resend_at: Some(*at), resends: *resends, ..open });
                let is_there = open.is_some();
                own.open.insert(*end_to_end_id, open);
                is_there
            });
            if !is_written {
                return Err(self.abort(missing("an open transfer")));
            }
        }
        Ok(())
    }

    async fn lock_enrolled(
        &mut self,
        ispbs: &[Ispb],
        codes: &[BankCode],
    ) -> Result<Vec<Participant>, StoreError> {
        let mut wanted = ispbs.to_vec();
        self.see(|committed, own| {
            let coded = |code: &BankCode| {
                find(&committed.codes, &own.codes, &code.as_str().to_owned()).copied()
            };
            wanted.extend(codes.iter().filter_map(coded));
        });
        self.lock_rows("participant", &wanted, |it| &it.participants).await
    }

    async fn save_participants(&mut self, saved: &[SavedParticipant]) -> Result<(), StoreError> {
        self.statement().await?;
        let known = |ispb: &Ispb| {
            self.see(|committed, own| {
                find(&committed.participants, &own.participants, ispb).cloned()
            })
        };
        let saved = planted::enrolments(self.session.world(), saved, known);
        self.write(|_, own| own.enrolled.extend(saved.iter().map(|it| it.participant.clone())));
        for SavedParticipant { participant, .. } in &saved {
            let ispb = participant.ispb;
            let is_new = self.see(|committed, own| {
                find(&committed.participants, &own.participants, &ispb).is_none()
            });
            if is_new {
                let row = vec![(ispb, participant.clone())];
                self.insert_rows(
                    "participant",
                    row,
                    |it| &it.participants,
                    |it| &mut it.participants,
                )
                .await?;
                let code = vec![(participant.code.as_str().to_owned(), ispb)];
                self.insert_rows("code", code, |it| &it.codes, |it| &mut it.codes).await?;
                self.write(|_, own| own.positions.insert(ispb, Position::opening(ispb)));
            } else {
                self.write(|_, own| own.participants.insert(ispb, participant.clone()));
            }
        }
        let events: Result<Vec<Published>, StoreError> =
            saved.iter().map(participant_event).collect();
        self.publish(events?);
        Ok(())
    }

    async fn with_open_transfers(&mut self, ispbs: &[Ispb]) -> Result<Vec<Ispb>, StoreError> {
        self.statement().await?;
        Ok(self.see(|committed, own| {
            let open: Vec<EndToEndId> = all(&committed.open, &own.open)
                .filter(|(_, open)| open.is_some())
                .map(|(id, _)| *id)
                .collect();
            let ends = |id: &EndToEndId| {
                let transfer = find(&committed.transfers, &own.transfers, id)?;
                Some([Side::Payer, Side::Payee].map(|side| transfer.bank(side)))
            };
            let busy: Vec<Ispb> = open.iter().filter_map(ends).flatten().collect();
            ispbs.iter().copied().filter(|ispb| busy.contains(ispb)).collect()
        }))
    }

    async fn load_orders(&mut self, ids: &[OrderId]) -> Result<Vec<KnownOrder>, StoreError> {
        self.known_orders(ids).await
    }

    async fn refuse_orders(&mut self, refusals: &[OrderRefusal]) -> Result<(), StoreError> {
        self.keep_refusals(refusals).await
    }

    async fn waiting_hand_overs(
        &mut self,
        ids: &[EndToEndId],
    ) -> Result<Vec<EndToEndId>, StoreError> {
        self.statement().await?;
        if self.session.world().has(Bug::RefusedBeforeItLeft) {
            return Ok(Vec::new());
        }
        Ok(self.see(|committed, _| {
            let waiting = committed.hand_overs.values().map(|it| it.end_to_end_id);
            waiting.filter(|id| ids.contains(id)).collect()
        }))
    }

    async fn save_resolutions(&mut self, saved: &[SavedResolution]) -> Result<(), StoreError> {
        let rows = saved.iter().map(|it| (it.end_to_end_id, it.clone())).collect();
        self.statement().await?;
        self.insert_rows("resolution", rows, |it| &it.resolutions, |it| &mut it.resolutions).await
    }

    async fn save_acknowledgements(
        &mut self,
        saved: &[SavedAcknowledgement],
    ) -> Result<(), StoreError> {
        self.statement().await?;
        if self.session.world().has(Bug::AcknowledgementForgotten) {
            return Ok(());
        }
        self.write(|committed, own| {
            for SavedAcknowledgement { end_to_end_id: id, acknowledgement } in saved {
                if let Some(kept) = find(&committed.resolutions, &own.resolutions, id).cloned() {
                    let acknowledged = Some(acknowledgement.clone());
                    own.resolutions.insert(*id, SavedResolution { acknowledged, ..kept });
                }
            }
        });
        Ok(())
    }
}

#[async_trait]
impl TransfersReads for Session<TransfersTables> {
    async fn transfers(&self, ids: &[EndToEndId]) -> Result<Vec<Transfer>, StoreError> {
        self.read(|it| ids.iter().filter_map(|id| it.transfers.get(id).cloned()).collect()).await
    }

    async fn runs(&self, _runs: &[TransferRun]) -> Result<Vec<Vec<Transfer>>, StoreError> {
        Err(not_listed())
    }

    async fn participants(
        &self,
        runs: &[ParticipantRun],
    ) -> Result<Vec<Vec<Participant>>, StoreError> {
        self.read(|tables| {
            let run = |run: &ParticipantRun| {
                let rows = run.rows.map_or(usize::MAX, |rows| usize::try_from(rows).unwrap_or(0));
                let behind = tables.participants.values().filter(|it| run.after < Some(it.ispb));
                let behind = behind.filter(|it| run.protocol.is_none_or(|of| of == it.protocol));
                behind.take(rows).cloned().collect()
            };
            runs.iter().map(run).collect()
        })
        .await
    }

    async fn participants_of(&self, ispbs: &[Ispb]) -> Result<Vec<Participant>, StoreError> {
        self.read(|it| ispbs.iter().filter_map(|of| it.participants.get(of).cloned()).collect())
            .await
    }

    async fn resolutions(&self, _ids: &[EndToEndId]) -> Result<Vec<SavedResolution>, StoreError> {
        Err(not_listed())
    }

    async fn orders(&self, ids: &[OrderId]) -> Result<Vec<KnownOrder>, StoreError> {
        self.read(|it| ids.iter().filter_map(|id| it.orders.get(id).cloned()).collect()).await
    }

    async fn positions(&self) -> Result<Vec<Position>, StoreError> {
        self.read(|tables| tables.positions.values().copied().collect()).await
    }

    async fn positions_of(&self, ispbs: &[Ispb]) -> Result<Vec<Position>, StoreError> {
        self.read(|tables| {
            tables.positions.values().filter(|it| ispbs.contains(&it.ispb)).copied().collect()
        })
        .await
    }
}
