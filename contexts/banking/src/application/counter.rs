//! The counter where accounts are opened: numbers, customers, and what this batch opened.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use shared_kernel::application::StoreError;
use shared_kernel::domain::{AccountId, Ispb, TaxId, Violation};

use super::account_command::not_hosted;
use super::books::Books;
use super::command::OpenAccount;
use super::ports::{BankDesk, NumberedAccount, OpenTransaction};
use crate::domain::{Account, AccountNumber, Branch, Customer, OwnerName};

/// Numbers that are looked at together for a free one, beyond those that are wanted.
const NUMBERS_AHEAD: usize = 64;

/// What a batch of openings knows.
pub(crate) struct Counter {
    desks: BTreeMap<Ispb, BankDesk>,
    taken: BTreeSet<NumberedAccount>,
    customers: BTreeMap<(Ispb, TaxId), OwnerName>,
    opened: HashMap<AccountId, Account>,
}

impl Counter {
    /// Loads desks, customers and taken numbers, one read each.
    pub(crate) async fn load(
        transaction: &mut OpenTransaction,
        commands: &[(OpenAccount, ())],
    ) -> Result<Self, StoreError> {
        let banks: BTreeSet<Ispb> = commands.iter().map(|(command, ())| command.ispb).collect();
        let banks: Vec<Ispb> = banks.into_iter().collect();
        let desks = transaction.desks(&banks).await?;
        let desks: BTreeMap<Ispb, BankDesk> =
            desks.into_iter().map(|desk| (desk.ispb, desk)).collect();
        let owners: BTreeSet<(Ispb, TaxId)> =
            commands.iter().map(|(command, ())| (command.ispb, command.owner_tax_id)).collect();
        let owners: Vec<(Ispb, TaxId)> = owners.into_iter().collect();
        let known = transaction.customers(&owners).await?;
        let customers = known.into_iter().map(|it| ((it.ispb, it.tax_id), it.name)).collect();
        let places = places(&desks, commands);
        let taken = transaction.taken_numbers(&places).await?.into_iter().collect();
        Ok(Self { desks, taken, customers, opened: HashMap::new() })
    }

    /// An account that exists, or was opened by an earlier command of the batch.
    pub(crate) fn account<'a>(&'a self, books: &'a Books, id: AccountId) -> Option<&'a Account> {
        self.opened.get(&id).or_else(|| books.account(id))
    }

    /// This batch opened it.
    pub(crate) fn opened(&mut self, account: Account) {
        self.opened.insert(account.state().id, account);
    }

    /// Branch and number of a new account: those that were chosen, or the next free number.
    ///
    /// # Errors
    /// `bank_not_hosted`, `account_number_taken`; `account_numbers_busy` when every number that
    /// was looked at is taken.
    pub(crate) fn place(
        &mut self,
        command: &OpenAccount,
    ) -> Result<(Branch, AccountNumber), Violation> {
        let ispb = command.ispb;
        let desk = self.desks.get_mut(&ispb).filter(|desk| desk.hosted);
        let desk = desk.ok_or_else(|| not_hosted(ispb))?;
        let branch = command.branch.clone().unwrap_or_else(Branch::main);
        if let Some(number) = command.number.clone() {
            if !self.taken.insert((ispb, branch.clone(), number.clone())) {
                let message = "an account of this branch has this number";
                return Err(Violation::already_exists("account_number_taken", "number", message));
            }
            return Ok((branch, number));
        }
        for _ in 0..=NUMBERS_AHEAD {
            let number = AccountNumber::counted(desk.next_number);
            desk.next_number = desk.next_number.saturating_add(1);
            if self.taken.insert((ispb, branch.clone(), number.clone())) {
                return Ok((branch, number));
            }
        }
        let message = "too many numbers in a row are taken; try again";
        Err(Violation::aborted("account_numbers_busy", "number", message))
    }

    /// The name under which the bank knows the owner, who is a new customer if it knows none.
    pub(crate) fn customer(&mut self, books: &mut Books, command: &OpenAccount) -> OwnerName {
        let (ispb, tax_id) = (command.ispb, command.owner_tax_id);
        let name = command.owner_name.clone();
        self.customers
            .entry((ispb, tax_id))
            .or_insert_with(|| {
                books.welcome(Customer { ispb, tax_id, name: name.clone() });
                name
            })
            .clone()
    }

    /// Keeps how far each bank has counted.
    pub(crate) fn close(self, books: &mut Books) {
        if !self.opened.is_empty() {
            for desk in self.desks.into_values() {
                books.next_number(desk.ispb, desk.next_number);
            }
        }
    }
}

/// Every place that a command of the batch may get.
fn places(
    desks: &BTreeMap<Ispb, BankDesk>,
    commands: &[(OpenAccount, ())],
) -> Vec<NumberedAccount> {
    let branches: BTreeSet<(Ispb, Branch)> = commands
        .iter()
        .map(|(command, ())| (command.ispb, command.branch.clone().unwrap_or_else(Branch::main)))
        .collect();
    let ahead = i64::try_from(NUMBERS_AHEAD.saturating_add(commands.len())).unwrap_or(i64::MAX);
    let counted = branches.into_iter().flat_map(|(ispb, branch)| {
        let next = desks.get(&ispb).map_or(0, |desk| desk.next_number);
        let numbers = (next..next.saturating_add(ahead)).map(AccountNumber::counted);
        numbers.map(move |number| (ispb, branch.clone(), number))
    });
    let chosen = commands.iter().filter_map(|(command, ())| {
        let branch = command.branch.clone().unwrap_or_else(Branch::main);
        Some((command.ispb, branch, command.number.clone()?))
    });
    counted.chain(chosen).collect()
}
