//! An account: who owns it, what is on it, what is held.
//!
//! Invariants: held is never negative, and what is available (balance less held) neither. Each
//! event is one step of the version, and none happened before the one that it follows.

use serde::{Deserialize, Serialize};
use shared_kernel::domain::{
    AccountId, Amount, Ispb, Money, ReasonCode, TaxId, Timestamp, Violation,
};

use super::{
    AccountEvent, AccountFact, AccountNumber, BookSide, Booked, Branch, EntryId, Held, Limits,
    Moved, OwnerName, Party, Payment, Spent,
};

/// What may happen on an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountStatus {
    /// Everything.
    Active,
    /// No new debits and no new credits; what was begun ends as it would have.
    Blocked,
    /// Nothing, ever again.
    Closed,
}

/// The money of an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Funds {
    /// Sum of the ledger entries.
    pub balance: Money,
    /// Sum of the open holds.
    pub held: Money,
}

impl Funds {
    /// Balance less held.
    pub fn available(self) -> Money {
        // Held lies between zero and the balance: the difference exists.
        self.balance.checked_sub(self.held).unwrap_or(Money::ZERO)
    }

    fn check(self) -> Result<Self, Violation> {
        if self.held.is_negative() || self.balance.checked_sub(self.held)?.is_negative() {
            return Err(insufficient_funds());
        }
        Ok(self)
    }
}

/// All that is known of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountState {
    /// Its id, the same in ledger, directory and protocols.
    pub id: AccountId,
    /// Its bank.
    pub ispb: Ispb,
    /// Its branch.
    pub branch: Branch,
    /// Its number within the branch.
    pub number: AccountNumber,
    /// Its owner.
    pub owner_name: OwnerName,
    /// Its owner's tax id.
    pub owner_tax_id: TaxId,
    /// What may happen on it.
    pub status: AccountStatus,
    /// Its money.
    pub funds: Funds,
    /// What it may send.
    pub limits: Limits,
    /// What it has sent on its last day of sending.
    pub spent: Spent,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When its newest event happened.
    pub changed_at: Timestamp,
    /// Number of its events.
    pub version: i64,
}

/// What a new account is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// Its id.
    pub id: AccountId,
    /// Its bank.
    pub ispb: Ispb,
    /// Its branch.
    pub branch: Branch,
    /// Its number.
    pub number: AccountNumber,
    /// Its owner.
    pub owner_name: OwnerName,
    /// Its owner's tax id.
    pub owner_tax_id: TaxId,
}

/// A customer's account at a bank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account(AccountState);

impl Account {
    /// An account that exists already.
    pub const fn restore(state: AccountState) -> Self {
        Self(state)
    }

    /// All that is known of it.
    pub const fn state(&self) -> &AccountState {
        &self.0
    }

    /// Opens an account: active, empty, without limits.
    pub fn open(opening: Opening, now: Timestamp) -> (Self, AccountEvent) {
        let Opening { id, ispb, branch, number, owner_name, owner_tax_id } = opening;
        let limits = Limits::default();
        let account = Self(AccountState {
            id,
            ispb,
            branch,
            number,
            owner_name,
            owner_tax_id,
            status: AccountStatus::Active,
            funds: Funds::default(),
            limits,
            spent: Spent::nothing(now.brazil_day()),
            opened_at: now,
            changed_at: now,
            version: 1,
        });
        let AccountState { branch, number, owner_name, .. } = account.0.clone();
        let fact = AccountFact::Opened { branch, number, owner_name, owner_tax_id, limits };
        let event = AccountEvent { version: 1, ..account.event(fact, now) };
        (account, event)
    }

    /// The account as one side of a transfer.
    pub fn party(&self) -> Party {
        Party {
            ispb: self.0.ispb,
            account_id: self.0.id,
            owner_name: self.0.owner_name.as_str().to_owned(),
            owner_tax_id: self.0.owner_tax_id,
        }
    }

    /// Cash to account.
    ///
    /// # Errors
    /// `account_blocked`, `account_closed`, `money_overflow`.
    pub fn deposit(
        &self,
        amount: Amount,
        entry_id: EntryId,
        now: Timestamp,
    ) -> Result<AccountEvent, Violation> {
        self.must_be_active()?;
        let funds = self.credited(amount)?;
        Ok(self.moved(funds, AccountFact::Deposited { entry_id, amount }, now))
    }

    /// Account to cash.
    ///
    /// # Errors
    /// `account_blocked`, `account_closed`, `insufficient_funds`.
    pub fn withdraw(
        &self,
        amount: Amount,
        entry_id: EntryId,
        now: Timestamp,
    ) -> Result<AccountEvent, Violation> {
        self.must_be_active()?;
        let balance = self.0.funds.balance.checked_sub(amount.money())?;
        let funds = Funds { balance, ..self.0.funds }.check()?;
        Ok(self.moved(funds, AccountFact::Withdrawn { entry_id, amount }, now))
    }

    /// Holds the amount of a transfer that leaves the bank.
    ///
    /// # Errors
    /// `account_blocked`, `account_closed`, `limit_per_transfer_exceeded`,
    /// `limit_per_day_exceeded`, `insufficient_funds`, `payer_is_payee`.
    pub fn hold(&self, payment: &Payment, now: Timestamp) -> Result<AccountEvent, Violation> {
        let spent = self.may_send(payment, now)?;
        let held = self.0.funds.held.checked_add(payment.amount.money())?;
        let funds = Funds { held, ..self.0.funds }.check()?;
        let fact = AccountFact::Held(Held {
            end_to_end_id: payment.end_to_end_id,
            amount: payment.amount,
            payee_key: payment.payee_key.clone(),
            counterparty_name: payment.payee.owner_name.clone(),
            counterparty_ispb: payment.payee.ispb,
            description: payment.description.clone(),
        });
        Ok(AccountEvent { spent, ..self.moved(funds, fact, now) })
    }

    /// Ends the hold of a transfer that did not happen. Asks for no status: a hold that was begun
    /// ends on a blocked account too.
    ///
    /// # Errors
    /// `hold_missing`: less is held than that.
    pub fn release(
        &self,
        payment: &Payment,
        reason: ReasonCode,
        now: Timestamp,
    ) -> Result<AccountEvent, Violation> {
        let funds = Funds { held: self.less_held(payment.amount)?, ..self.0.funds };
        let spent = self.0.spent.give_back(payment.amount, payment.ordered_at.brazil_day());
        let Payment { end_to_end_id, amount, .. } = *payment;
        let fact = AccountFact::Released { end_to_end_id, amount, reason };
        Ok(AccountEvent { spent, ..self.moved(funds, fact, now) })
    }

    /// Turns the hold of a settled transfer into a debit, whatever the status.
    ///
    /// # Errors
    /// `hold_missing`: less is held than that.
    pub fn debit(
        &self,
        payment: &Payment,
        entry_id: EntryId,
        now: Timestamp,
    ) -> Result<AccountEvent, Violation> {
        let held = self.less_held(payment.amount)?;
        let balance = self.0.funds.balance.checked_sub(payment.amount.money())?;
        let funds = Funds { balance, held }.check()?;
        let moved = moved_with(payment, &payment.payee, entry_id);
        Ok(self.moved(funds, AccountFact::Debited(moved), now))
    }

    /// Credits a settled transfer. Settled is final: a blocked account takes it too.
    ///
    /// # Errors
    /// The reason for which the account cannot take it; see [`Self::refusal`].
    pub fn credit(
        &self,
        payment: &Payment,
        entry_id: EntryId,
        now: Timestamp,
    ) -> Result<AccountEvent, ReasonCode> {
        match self.refusal(payment) {
            None | Some(ReasonCode::Ac06) => {}
            Some(reason) => return Err(reason),
        }
        let funds = self.credited(payment.amount).map_err(|_overflow| ReasonCode::Ac14)?;
        let moved = moved_with(payment, &payment.payer, entry_id);
        Ok(self.moved(funds, AccountFact::Credited(moved), now))
    }

    /// Why this account would not accept a transfer to its payee, if it would not: `AC03` (not
    /// this bank's), `AC07` (closed), `BE01` (another owner), `AC06` (blocked).
    pub fn refusal(&self, payment: &Payment) -> Option<ReasonCode> {
        if self.0.ispb != payment.payee.ispb {
            return Some(ReasonCode::Ac03);
        }
        if self.0.status == AccountStatus::Closed {
            return Some(ReasonCode::Ac07);
        }
        if self.0.owner_tax_id != payment.payee.owner_tax_id {
            return Some(ReasonCode::Be01);
        }
        (self.0.status == AccountStatus::Blocked).then_some(ReasonCode::Ac06)
    }

    /// The payer's side of a transfer within the bank.
    ///
    /// # Errors
    /// As [`Self::hold`].
    pub fn book_debit(
        &self,
        payment: &Payment,
        entry_id: EntryId,
        now: Timestamp,
    ) -> Result<AccountEvent, Violation> {
        let spent = self.may_send(payment, now)?;
        let balance = self.0.funds.balance.checked_sub(payment.amount.money())?;
        let funds = Funds { balance, ..self.0.funds }.check()?;
        let fact = booked(BookSide::Debit, payment, entry_id);
        Ok(AccountEvent { spent, ..self.moved(funds, fact, now) })
    }

    /// The payee's side of a transfer within the bank.
    ///
    /// # Errors
    /// `payee_account_unknown` (AC03), `payee_account_blocked` (AC06), `payee_account_closed`
    /// (AC07), `payee_tax_id_differs` (BE01), `money_overflow`.
    pub fn book_credit(
        &self,
        payment: &Payment,
        entry_id: EntryId,
        now: Timestamp,
    ) -> Result<AccountEvent, Violation> {
        if let Some(reason) = self.refusal(payment) {
            return Err(payee_refused(reason));
        }
        let funds = self.credited(payment.amount)?;
        Ok(self.moved(funds, booked(BookSide::Credit, payment, entry_id), now))
    }

    /// Stops new debits and acceptances. Nothing happens to a blocked account.
    ///
    /// # Errors
    /// `account_closed`.
    pub fn block(&self, now: Timestamp) -> Result<Option<AccountEvent>, Violation> {
        match self.0.status {
            AccountStatus::Active => Ok(Some(self.event(AccountFact::Blocked, now))),
            AccountStatus::Blocked => Ok(None),
            AccountStatus::Closed => Err(account_closed()),
        }
    }

    /// Makes it active again. Nothing happens to an active account.
    ///
    /// # Errors
    /// `account_closed`.
    pub fn unblock(&self, now: Timestamp) -> Result<Option<AccountEvent>, Violation> {
        match self.0.status {
            AccountStatus::Blocked => Ok(Some(self.event(AccountFact::Unblocked, now))),
            AccountStatus::Active => Ok(None),
            AccountStatus::Closed => Err(account_closed()),
        }
    }

    /// Closes an empty account, given how many credits it still expects. Nothing happens to a
    /// closed one.
    ///
    /// # Errors
    /// `account_has_open_transfers`, `account_not_empty`.
    pub fn close(
        &self,
        expected_credits: i64,
        now: Timestamp,
    ) -> Result<Option<AccountEvent>, Violation> {
        if self.0.status == AccountStatus::Closed {
            return Ok(None);
        }
        if !self.0.funds.held.is_zero() || expected_credits != 0 {
            let message =
                "the account has transfers that are not finished; try again once they are";
            return Err(refused("account_has_open_transfers", message));
        }
        if !self.0.funds.balance.is_zero() {
            let message = "the account is not empty: withdraw or transfer what is on it first";
            return Err(refused("account_not_empty", message));
        }
        Ok(Some(self.event(AccountFact::Closed, now)))
    }

    /// Sets its limits. Nothing happens if they are the same.
    ///
    /// # Errors
    /// `account_closed`.
    pub fn set_limits(
        &self,
        limits: Limits,
        now: Timestamp,
    ) -> Result<Option<AccountEvent>, Violation> {
        if self.0.status == AccountStatus::Closed {
            return Err(account_closed());
        }
        let changes = self.0.limits != limits;
        Ok(changes.then(|| self.event(AccountFact::LimitsChanged(limits), now)))
    }

    /// Becomes what the event says.
    pub fn apply(&mut self, event: &AccountEvent) {
        self.0.version = event.version;
        self.0.changed_at = event.occurred_at;
        self.0.funds = event.funds;
        self.0.spent = event.spent;
        match &event.fact {
            AccountFact::Blocked => self.0.status = AccountStatus::Blocked,
            AccountFact::Unblocked => self.0.status = AccountStatus::Active,
            AccountFact::Closed => self.0.status = AccountStatus::Closed,
            AccountFact::LimitsChanged(limits) => self.0.limits = *limits,
            AccountFact::Opened { .. }
            | AccountFact::Deposited { .. }
            | AccountFact::Withdrawn { .. }
            | AccountFact::Held(_)
            | AccountFact::Released { .. }
            | AccountFact::Debited(_)
            | AccountFact::Credited(_)
            | AccountFact::Booked(_) => {}
        }
    }

    /// When what happens now happens to this account. Clocks of several processes differ and may
    /// be set back; the time of an account never goes back, nor does the day that its limit counts.
    pub fn dated(&self, now: Timestamp) -> Timestamp {
        now.max(self.0.changed_at)
    }

    /// The next event, with the account's money as it is.
    fn event(&self, fact: AccountFact, now: Timestamp) -> AccountEvent {
        let AccountState { id, ispb, funds, spent, version, .. } = self.0;
        let version = version.saturating_add(1);
        let occurred_at = self.dated(now);
        AccountEvent { account_id: id, ispb, version, funds, spent, occurred_at, fact }
    }

    /// The next event, after which the account has these funds.
    fn moved(&self, funds: Funds, fact: AccountFact, now: Timestamp) -> AccountEvent {
        AccountEvent { funds, ..self.event(fact, now) }
    }

    fn must_be_active(&self) -> Result<(), Violation> {
        match self.0.status {
            AccountStatus::Active => Ok(()),
            AccountStatus::Blocked => Err(refused("account_blocked", "the account is blocked")),
            AccountStatus::Closed => Err(account_closed()),
        }
    }

    fn may_send(&self, payment: &Payment, now: Timestamp) -> Result<Spent, Violation> {
        self.must_be_active()?;
        if payment.payee.account_id == self.0.id {
            let message = "the key belongs to the paying account itself: choose another payee";
            return Err(Violation::invalid("payer_is_payee", "payee_key", message));
        }
        self.0.limits.spend(self.0.spent, payment.amount, self.dated(now).brazil_day())
    }

    fn credited(&self, amount: Amount) -> Result<Funds, Violation> {
        let balance = self.0.funds.balance.checked_add(amount.money())?;
        Ok(Funds { balance, ..self.0.funds })
    }

    fn less_held(&self, amount: Amount) -> Result<Money, Violation> {
        let held = self.0.funds.held.checked_sub(amount.money())?;
        if held.is_negative() {
            return Err(refused("hold_missing", "less is held than this transfer would end"));
        }
        Ok(held)
    }
}

fn moved_with(payment: &Payment, counterparty: &Party, entry_id: EntryId) -> Moved {
    Moved {
        end_to_end_id: payment.end_to_end_id,
        entry_id,
        amount: payment.amount,
        counterparty_ispb: counterparty.ispb,
        counterparty_name: counterparty.owner_name.clone(),
        description: payment.description.clone(),
    }
}

fn booked(side: BookSide, payment: &Payment, entry_id: EntryId) -> AccountFact {
    let counterparty = match side {
        BookSide::Debit => &payment.payee,
        BookSide::Credit => &payment.payer,
    };
    AccountFact::Booked(Booked {
        side,
        end_to_end_id: payment.end_to_end_id,
        entry_id,
        amount: payment.amount,
        counterparty_account_id: counterparty.account_id,
        counterparty_name: counterparty.owner_name.clone(),
        description: payment.description.clone(),
    })
}

fn refused(code: &'static str, message: &'static str) -> Violation {
    Violation::failed_precondition(code, "account_id", message)
}

fn account_closed() -> Violation {
    refused("account_closed", "the account is closed")
}

fn insufficient_funds() -> Violation {
    let message = "the amount is above what is available on the account";
    Violation::failed_precondition("insufficient_funds", "amount_centavos", message)
}

/// Why a payee of the same bank cannot be paid, with the code of the field.
fn payee_refused(reason: ReasonCode) -> Violation {
    let code = match reason.code() {
        "AC06" => "payee_account_blocked",
        "AC07" => "payee_account_closed",
        "BE01" => "payee_tax_id_differs",
        _ => "payee_account_unknown",
    };
    let message = format!("{} ({})", reason.sentence_en(), reason.code());
    Violation::failed_precondition(code, "payee_key", message)
}
