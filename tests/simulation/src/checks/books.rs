//! The banks: every centavo has its entry, every hold its transfer, every step its reason.

use std::collections::BTreeMap;

use banking::domain::{
    Account, AccountStatus, IncomingStatus, IncomingTransfer, InternalAccount, Leg, OutgoingStatus,
    OutgoingTransfer, Payment,
};
use shared_kernel::domain::{AccountId, Amount, Day, EndToEndId, Ispb, ReasonCode};
use transfers::domain::TransferState;

use super::reasons::{Pace, answers, side};
use super::{Finding, Oracle, must};
use crate::contexts::at_most;
use crate::contexts::banking::{BankingTables, EntryKey};
use crate::store::{all, find};
use crate::words::{Words as _, money};

/// What a commit must have done, from its transfers, to be compared with what it did.
#[derive(Default)]
struct Expected {
    /// Entries of transfers between banks: reference, leg and account to centavos.
    entries: BTreeMap<(String, Leg, AccountId), i64>,
    /// By how much the held amount of each account changes.
    held: BTreeMap<AccountId, i64>,
}

impl Expected {
    fn entry(&mut self, id: EndToEndId, leg: Leg, account: AccountId, centavos: i64) {
        self.entries.insert((id.to_string(), leg, account), centavos);
    }

    fn hold(&mut self, account: AccountId, centavos: i64) {
        *self.held.entry(account).or_insert(0) += centavos;
    }
}

impl Oracle {
    /// A payment that a bank of ours has ordered.
    pub(crate) fn payment(&self, id: &EndToEndId) -> Option<Payment> {
        self.payers.get(id).map(|(_, payment)| payment.clone())
    }

    /// A transaction of the banks is committed.
    pub(crate) fn books(&mut self, before: &BankingTables, own: &BankingTables) -> Finding {
        let mut expected = Expected::default();
        for (id, (after, _)) in &own.outgoing {
            let known = before.outgoing.get(id).map(|(side, _)| side);
            self.payer_side(known, after, &mut expected)?;
        }
        for (id, (after, _)) in &own.incoming {
            let known = before.incoming.get(id).map(|(side, _)| side);
            self.payee_side((known, after), (before, own), &mut expected)?;
        }
        for (id, book) in &own.booked {
            must(!before.booked.contains_key(id), || format!("{id} is booked twice"))?;
            self.pays_the_key(&book.payment)?;
            self.makes(&book.payment);
            let amount = book.payment.amount.centavos();
            expected.entry(*id, Leg::Book, book.payment.payer.account_id, -amount);
            expected.entry(*id, Leg::Book, book.payment.payee.account_id, amount);
        }
        entries(before, own, &expected)?;
        accounts(before, own, &expected)?;
        self.events(own)?;
        self.learns(own);
        self.closed(before, own)?;
        begun(before, own)
    }

    /// A payment is made.
    fn makes(&mut self, payment: &Payment) {
        let at = self.past.tick();
        self.past.made.insert(payment.end_to_end_id, (at, payment.payee.account_id));
    }

    /// The banks learn whom keys name.
    fn learns(&mut self, own: &BankingTables) {
        for (key, change) in &own.keys {
            let at = self.past.tick();
            let owner = change.owner.as_ref().map(|it| it.account_id);
            self.past.known.entry(key.clone()).or_default().note(at, owner);
        }
    }

    /// An account that expects a credit is not closed.
    fn closed(&self, before: &BankingTables, own: &BankingTables) -> Finding {
        let is_closed = |account: &Account| account.state().status == AccountStatus::Closed;
        for (id, _) in own.accounts.iter().filter(|(_, after)| is_closed(after)) {
            let was_closed = before.accounts.get(id).is_some_and(is_closed);
            let mut expected = self.payees.iter().filter(|(_, (state, account, _))| {
                account == id && *state == IncomingStatus::Expected
            });
            let expected = expected.next().map(|(expected, _)| expected);
            must(was_closed || expected.is_none(), || {
                format!("account {id} is closed, and expects the credit of {}", expected.words())
            })?;
        }
        Ok(())
    }

    fn payer_side(
        &mut self,
        before: Option<&OutgoingTransfer>,
        after: &OutgoingTransfer,
        expected: &mut Expected,
    ) -> Finding {
        use OutgoingStatus::{Expired, Rejected, Requested, Settled};
        let state = after.state();
        let (id, payer) = (state.payment.end_to_end_id, &state.payment.payer);
        let amount = state.payment.amount;
        let was = before.map(|side| side.state().status);
        if let Some(before) = before {
            must(before.state().payment == state.payment, || format!("{id} changed its content"))?;
        }
        let hub = self.hub.get(&id).copied();
        let is_settled = matches!(hub, Some(TransferState::Confirmed | TransferState::Completed));
        let wrong = |what: &str| format!("the payer's side of {id} {what}; {}", at_hub(hub));
        match (was, state.status) {
            (None, Requested) => {
                self.pays_the_key(&state.payment)?;
                self.holds_for(&state.payment)?;
                let first = (state.resends, state.resend_at);
                Self::asks_first(&side(id, "payer"), &state.payment, first)?;
                self.makes(&state.payment);
                expected.hold(payer.account_id, amount.centavos());
            }
            (Some(Requested), Requested) => {
                let was = before.map(|it| (it.state().resends, it.state().resend_at));
                let (what, now) = (side(id, "payer"), (state.resends, state.resend_at));
                self.slows_down(what, Pace::Bank, (was.unwrap_or(now), now))?;
            }
            (Some(Requested), Settled) => {
                must(is_settled, || wrong("is debited without settlement"))?;
                expected.hold(payer.account_id, -amount.centavos());
                let settlement = InternalAccount::Settlement.id(payer.ispb);
                expected.entry(id, Leg::Payer, payer.account_id, -amount.centavos());
                expected.entry(id, Leg::Payer, settlement, amount.centavos());
            }
            (Some(Requested), Rejected) => {
                let is_rejected = hub == Some(TransferState::Rejected);
                must(is_rejected, || wrong("is released as rejected"))?;
                expected.hold(payer.account_id, -amount.centavos());
            }
            (Some(Requested), Expired) => {
                let is_expired = hub == Some(TransferState::Expired);
                must(is_expired, || wrong("is released as expired"))?;
                expected.hold(payer.account_id, -amount.centavos());
            }
            (was, now) => {
                let (was, now) = (was.words(), now.words());
                return Err(wrong(&format!("goes from {was} to {now}")));
            }
        }
        if was != Some(state.status) {
            let reason = state.reason.map_or("", ReasonCode::code);
            self.reach(format!("payer's bank: {} {reason}", state.status.as_str()).trim_end());
        }
        let known = self.payers.entry(id);
        known.or_insert_with(|| (state.status, state.payment.clone())).0 = state.status;
        Ok(())
    }

    fn payee_side(
        &mut self,
        (before, after): (Option<&IncomingTransfer>, &IncomingTransfer),
        (books, own): (&BankingTables, &BankingTables),
        expected: &mut Expected,
    ) -> Finding {
        use IncomingStatus::{Cancelled, Credited, Expected as Awaited, Refused, Unapplied};
        let state = after.state();
        let (id, payee) = (state.payment.end_to_end_id, &state.payment.payee);
        let amount = state.payment.amount;
        let was = before.map(|side| side.state().status);
        if let Some(before) = before {
            must(before.state().payment == state.payment, || format!("{id} changed its content"))?;
        }
        let hub = self.hub.get(&id).copied();
        let is_settled = matches!(hub, Some(TransferState::Confirmed | TransferState::Completed));
        let wrong = |what: &str| format!("the payee's side of {id} {what}; {}", at_hub(hub));
        let settlement = InternalAccount::Settlement.id(payee.ispb);
        match (was, state.status) {
            (None, Awaited | Refused) => {
                must(hub.is_some(), || wrong("answers a question that the hub never asked"))?;
                let account = find(&books.accounts, &own.accounts, &payee.account_id);
                answers(&state.payment, account, state.reason)?;
                self.has_times(&state.payment)?;
                let first = (state.resends, state.resend_at);
                Self::asks_first(&side(id, "payee"), &state.payment, first)?;
                self.expects(payee.account_id, isize::from(state.status == Awaited));
            }
            (Some(Awaited), Awaited) => {
                let was = before.map(|it| (it.state().resends, it.state().resend_at));
                let (what, now) = (side(id, "payee"), (state.resends, state.resend_at));
                self.slows_down(what, Pace::Bank, (was.unwrap_or(now), now))?;
            }
            (Some(Awaited), Credited) => {
                must(is_settled, || wrong("is credited without settlement"))?;
                expected.entry(id, Leg::Payee, payee.account_id, amount.centavos());
                expected.entry(id, Leg::Payee, settlement, -amount.centavos());
            }
            // No sound run comes here: the hub settles only what the payee's bank has accepted, an
            // account that expects a credit is not closed, its bank and owner never change, and no
            // balance comes near to what a number holds. Whoever breaks one of these is looked at.
            (Some(Awaited), Unapplied) => {
                must(is_settled, || wrong("is unapplied without settlement"))?;
                let account = books.accounts.get(&payee.account_id).map(Account::state);
                let can_take = account.is_some_and(|it| it.status != AccountStatus::Closed);
                must(!can_take, || wrong("is kept from an account that can take it"))?;
                let unapplied = InternalAccount::UnappliedCredits.id(payee.ispb);
                expected.entry(id, Leg::Payee, unapplied, amount.centavos());
                expected.entry(id, Leg::Payee, settlement, -amount.centavos());
            }
            (None | Some(Awaited), Cancelled) => {
                let failed = matches!(hub, Some(TransferState::Rejected | TransferState::Expired));
                must(failed, || wrong("is cancelled"))?;
            }
            (None, Credited | Unapplied) => {
                return Err(wrong("is credited, and no credit was expected"));
            }
            (was, now) => {
                let (was, now) = (was.words(), now.words());
                return Err(wrong(&format!("goes from {was} to {now}")));
            }
        }
        if was != Some(state.status) {
            let reason = state.reason.map_or("", ReasonCode::code);
            self.reach(format!("payee's bank: {} {reason}", state.status.as_str()).trim_end());
        }
        if was == Some(Awaited) && state.status != Awaited {
            self.expects(payee.account_id, -1);
        }
        self.payees.insert(id, (state.status, payee.account_id, state.reason));
        Ok(())
    }
}

/// Where a transfer is at the hub.
fn at_hub(state: Option<TransferState>) -> String {
    match state {
        None => "the hub does not know it".to_owned(),
        Some(state) => format!("at the hub it is {state}"),
    }
}

/// An entry, in words.
fn entry_words((reference, leg, account): &EntryKey) -> String {
    format!("the {} entry of {reference} on account {account}", leg.as_str())
}

/// Entries sum to zero in each bank, are made once, and are exactly those that transfers need.
fn entries(before: &BankingTables, own: &BankingTables, expected: &Expected) -> Finding {
    let mut sums: BTreeMap<Ispb, i64> = BTreeMap::new();
    let mut wanted = expected.entries.clone();
    for (key, (ispb, amount)) in &own.entries {
        must(!before.entries.contains_key(key), || {
            format!("{} is posted twice", entry_words(key))
        })?;
        *sums.entry(*ispb).or_insert(0) += amount.centavos();
        if matches!(key.1, Leg::Deposit | Leg::Withdrawal) {
            let is_banks_own =
                before.internal.contains_key(&key.2) || own.internal.contains_key(&key.2);
            let is_cash = key.2 == InternalAccount::Cash.id(*ispb);
            must(is_cash || !is_banks_own, || {
                format!("{} is no cash of bank {ispb}", entry_words(key))
            })?;
        }
        if matches!(key.1, Leg::Payer | Leg::Payee | Leg::Book) {
            let needed = wanted.remove(key);
            must(needed == Some(amount.centavos()), || {
                let (entry, due) = (entry_words(key), needed.map(money).words());
                format!("{entry} is posted with {amount}, and {due} was due")
            })?;
        }
    }
    let missing = wanted.keys().next();
    must(missing.is_none(), || {
        format!("{} is due and not posted", missing.map(entry_words).words())
    })?;
    let unbalanced = sums.iter().find(|(_, sum)| **sum != 0);
    unbalanced.map_or(Ok(()), |(ispb, sum)| {
        Err(format!("the ledger of bank {ispb} is out of balance by {}", money(*sum)))
    })
}

/// Balances follow entries, held amounts follow holds, nothing is below zero.
fn accounts(before: &BankingTables, own: &BankingTables, expected: &Expected) -> Finding {
    let mut gained: BTreeMap<AccountId, i64> = BTreeMap::new();
    for ((_, _, account), (_, amount)) in &own.entries {
        *gained.entry(*account).or_insert(0) += amount.centavos();
    }
    for (id, after) in &own.accounts {
        let known = before.accounts.get(id);
        account(known, after)?;
        let was = known.map(|it| it.state().funds).unwrap_or_default();
        let now = after.state().funds;
        let balance = now.balance.centavos() - was.balance.centavos();
        let entries = gained.remove(id).unwrap_or(0);
        must(balance == entries, || {
            let (balance, entries) = (money(balance), money(entries));
            format!("the balance of account {id} moves by {balance}, its entries by {entries}")
        })?;
        let held = now.held.centavos() - was.held.centavos();
        let holds = expected.held.get(id).copied().unwrap_or(0);
        must(held == holds, || {
            let (held, holds) = (money(held), money(holds));
            format!("what account {id} holds moves by {held}, its transfers by {holds}")
        })?;
    }
    for (id, (_, _, after)) in &own.internal {
        let was = before.internal.get(id).map_or(0, |(_, _, balance)| balance.centavos());
        let moved = after.centavos() - was;
        let entries = gained.remove(id).unwrap_or(0);
        must(moved == entries, || {
            let (moved, entries) = (money(moved), money(entries));
            format!("the bank's own account {id} moves by {moved}, its entries by {entries}")
        })?;
    }
    let lost = gained.iter().find(|(_, amount)| **amount != 0);
    if let Some((id, amount)) = lost {
        let amount = money(*amount);
        return Err(format!("{amount} is posted to account {id}, which stays as it was"));
    }
    let is_written = |id: &AccountId| own.accounts.contains_key(id);
    let loose = expected.held.iter().find(|(id, held)| **held != 0 && !is_written(id));
    loose.map_or(Ok(()), |(id, held)| {
        let held = money(*held);
        Err(format!("what account {id} holds changes by {held}, and the account stays as it was"))
    })
}

/// What begins, begins on accounts that may: active ones, within their limits.
fn begun(before: &BankingTables, own: &BankingTables) -> Finding {
    let may = |id: AccountId, sends: Option<Amount>| {
        let account = find(&before.accounts, &own.accounts, &id).map(Account::state);
        let is_active = account.is_some_and(|it| it.status == AccountStatus::Active);
        must(is_active, || format!("something begins on {id}, which is not active"))?;
        let limit = account.and_then(|it| it.limits.per_transfer);
        let fits = limit.zip(sends).is_none_or(|(limit, sends)| sends.money() <= limit);
        must(fits, || {
            format!("account {id} sends {}, and may send {}", sends.words(), at_most(limit))
        })
    };
    let sends = |payment: &Payment| {
        let id = payment.payer.account_id;
        may(id, Some(payment.amount))?;
        let account = find(&before.accounts, &own.accounts, &id).map(Account::state);
        let Some(limit) = account.and_then(|it| it.limits.per_day) else { return Ok(()) };
        let day = payment.ordered_at.brazil_day();
        let sent = sent_on(id, day, before, own);
        must(sent <= limit.centavos(), || {
            let sent = money(sent);
            format!("account {id} sends {sent} on {day}, and may send {limit} a day")
        })
    };
    for (id, (side, _)) in &own.outgoing {
        if !before.outgoing.contains_key(id) {
            sends(&side.state().payment)?;
        }
    }
    for (id, (side, _)) in &own.incoming {
        let is_expected = side.state().status == IncomingStatus::Expected;
        if is_expected && !before.incoming.contains_key(id) {
            let payee = &side.state().payment.payee;
            may(payee.account_id, None)?;
            let account = find(&before.accounts, &own.accounts, &payee.account_id);
            let owner = account.map(|it| it.state().owner_tax_id);
            must(owner == Some(payee.owner_tax_id), || {
                format!("{id} is accepted for somebody else than the owner of its account")
            })?;
        }
    }
    for book in own.booked.values() {
        sends(&book.payment)?;
        may(book.payment.payee.account_id, None)?;
    }
    Ok(())
}

/// What an account has sent on a day, less what came back: counted from all of its payments.
fn sent_on(id: AccountId, day: Day, before: &BankingTables, own: &BankingTables) -> i64 {
    let counts = |payment: &Payment| {
        payment.payer.account_id == id && payment.ordered_at.brazil_day() == day
    };
    let outgoing = all(&before.outgoing, &own.outgoing).map(|(_, (side, _))| side.state());
    let outgoing = outgoing.filter(|side| match side.status {
        OutgoingStatus::Requested | OutgoingStatus::Settled => true,
        OutgoingStatus::Rejected | OutgoingStatus::Expired => false,
    });
    let booked = all(&before.booked, &own.booked).map(|(_, book)| &book.payment);
    let payments = outgoing.map(|side| &side.payment).chain(booked);
    payments.filter(|it| counts(it)).map(|payment| payment.amount.centavos()).sum()
}

fn account(before: Option<&Account>, after: &Account) -> Finding {
    let now = after.state();
    let id = now.id;
    must(!now.funds.held.is_negative(), || format!("{id} holds less than nothing"))?;
    let free = now.funds.balance.centavos() - now.funds.held.centavos();
    must(free >= 0, || format!("account {id} has {} available, below zero", money(free)))?;
    if now.status == AccountStatus::Closed {
        must(now.funds.balance.is_zero() && now.funds.held.is_zero(), || {
            format!("{id} is closed with money on it")
        })?;
    }
    let Some(was) = before.map(Account::state) else { return Ok(()) };
    must(now.version > was.version, || {
        format!("the version of account {id} goes from {} to {}", was.version, now.version)
    })?;
    let is_closed = was.status == AccountStatus::Closed;
    must(!is_closed, || format!("{id} was closed and changes"))?;
    must((was.ispb, was.owner_tax_id) == (now.ispb, now.owner_tax_id), || {
        format!("{id} changes its bank or owner")
    })
}
