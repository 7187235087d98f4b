//! What customers asked for against what was done: who pays, how much, to which key, and whose key
//! that is. Neither side is taken from the code under test: what was asked is what the customer
//! wrote, and whose a key is was noted when the city was founded, or at each registration.

use std::collections::{BTreeMap, BTreeSet};

use banking::application::command::{PayAccount, RequestTransfer};
use banking::application::views::{BookedView, Direction, TransferView};
use banking::domain::{Account, Payment};
use pix_keys::domain::PixKey;
use shared_kernel::domain::{AccountId, Amount, EndToEndId, TaxId};
use transfers::domain::Order;

use super::past::Holder;
use super::{Finding, Oracle, must};
use crate::contexts::banking::BankingTables;
use crate::words::{Words, money};

/// Whose keys are and were.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Keys that were registered once, before customers came, and that nobody registers again.
    founded: BTreeMap<String, AccountId>,
    /// Every account that ever had a key.
    holders: BTreeMap<String, BTreeSet<AccountId>>,
    /// Whose accounts are, as they were opened.
    owners: BTreeMap<AccountId, TaxId>,
    /// How often each account was given each key, and was rid of it.
    registered: Times,
    removed: Times,
}

impl Names {
    /// Whose an account is.
    pub(super) fn owner(&self, account: &AccountId) -> Option<TaxId> {
        self.owners.get(account).copied()
    }

    /// Every account that ever had a key.
    pub(super) fn ever(&self, key: &str) -> Vec<AccountId> {
        self.holders.get(key).into_iter().flatten().copied().collect()
    }
}

/// How often something happened to a key and an account.
type Times = BTreeMap<(PixKey, AccountId), usize>;

/// What is compared of an order and of what was made of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Intent {
    pub(crate) payer: AccountId,
    pub(crate) amount: i64,
    pub(crate) key: String,
    pub(crate) description: String,
}

impl Words for Intent {
    fn words(&self) -> String {
        let Self { payer, amount, key, description } = self;
        let to = if key.is_empty() { String::new() } else { format!(" to {key}") };
        format!("{} from {payer}{to} for {description}", money(*amount))
    }
}

impl Intent {
    fn of_customer(asked: &RequestTransfer) -> Self {
        Self {
            payer: asked.on.account_id,
            amount: asked.amount.centavos(),
            key: asked.payee_key.as_str().to_owned(),
            description: asked.description.as_str().to_owned(),
        }
    }

    fn of_bank(payment: &Payment) -> Self {
        Self {
            payer: payment.payer.account_id,
            amount: payment.amount.centavos(),
            key: payment.payee_key.clone(),
            description: payment.description.clone(),
        }
    }

    pub(super) fn of_hub(order: &Order) -> Self {
        Self {
            payer: order.payer.account_id,
            amount: order.amount.centavos(),
            key: order.payee_key.as_str().to_owned(),
            description: order.description.as_str().to_owned(),
        }
    }
}

impl Oracle {
    /// A key is registered that nobody will ever register again.
    pub(crate) fn founded(&mut self, key: &PixKey, account: AccountId) {
        self.names.founded.insert(key.as_str().to_owned(), account);
    }

    /// An account is somebody's.
    pub(crate) fn belongs(&mut self, account: AccountId, owner: TaxId) {
        self.names.owners.insert(account, owner);
    }

    /// A key names another account than before, or none.
    pub(super) fn changes(&mut self, key: &PixKey, (old, new): (Option<Holder>, Option<Holder>)) {
        self.past.names(key, new);
        let (was, now) = (old.map(|it| it.account), new.map(|it| it.account));
        if let Some(account) = was.filter(|_| now != was) {
            *self.names.removed.entry((key.clone(), account)).or_insert(0) += 1;
        }
        if let Some(account) = now.filter(|_| now != was) {
            *self.names.registered.entry((key.clone(), account)).or_insert(0) += 1;
            self.names.holders.entry(key.as_str().to_owned()).or_default().insert(account);
        }
    }

    /// Keys were registered for whom their clients were told, as often as they were, and nobody was
    /// rid of a key but by an order of its own, or when it was closed.
    pub(super) fn keys_changed(
        &self,
        (registered, removed): (&Times, &Times),
        is_closed: impl Fn(&AccountId) -> bool,
    ) -> Finding {
        must(*registered == self.names.registered, || {
            let made = &self.names.registered;
            let wrong = made.iter().filter(|it| registered.get(it.0) != Some(it.1));
            let wrong: BTreeMap<_, usize> = wrong.map(|(of, times)| (of, *times)).collect();
            let never: Vec<_> = registered.keys().filter(|it| !made.contains_key(*it)).collect();
            let (wrong, never) = (wrong.words(), never.words());
            format!("keys registered otherwise than clients were told: {wrong}; never: {never}")
        })?;
        let all: BTreeSet<_> = removed.keys().chain(self.names.removed.keys()).collect();
        for of in all {
            let (key, account) = (of.0.as_str(), of.1);
            let times = |them: &Times| them.get(of).copied().unwrap_or(0);
            let (told, made) = (times(removed), times(&self.names.removed));
            must(told == made || (told < made && is_closed(&account)), || {
                format!("{account} was rid of {key} {made} times, and asked for it {told} times")
            })?;
        }
        Ok(())
    }

    /// Who is paid is whose key it is: for ever, or at some time.
    pub(super) fn is_named(&self, id: EndToEndId, key: &str, payee: AccountId) -> Finding {
        let holders = self.names.holders.get(key);
        let is_right = match self.names.founded.get(key) {
            Some(owner) => *owner == payee,
            None => holders.is_some_and(|them| them.contains(&payee)),
        };
        must(is_right, || {
            let holders = holders.map_or_else(|| "nobody's".to_owned(), Words::words);
            format!("{id} goes to {payee}, and the key {key} was never its, but {holders}")
        })
    }

    /// A bank of ours orders or books a payment. One without a key names an account.
    pub(super) fn pays_the_key(&self, payment: &Payment) -> Finding {
        if payment.payee_key.is_empty() {
            return Ok(());
        }
        self.is_named(payment.end_to_end_id, &payment.payee_key, payment.payee.account_id)
    }

    /// The hub's order is the one that the payer's bank holds the amount for.
    pub(super) fn is_as_held(&self, order: &Order) -> Finding {
        let id = order.end_to_end_id;
        let held = self.payers.get(&id).map(|(_, payment)| payment);
        let held = held.or_else(|| self.elsewhere.get(&id));
        let is_same = held.is_some_and(|payment| {
            Intent::of_bank(payment) == Intent::of_hub(order)
                && payment.payee.account_id == order.payee.account_id
                && payment.payer.ispb == order.payer.ispb
                && payment.payee.ispb == order.payee.ispb
        });
        must(is_same, || {
            format!("the hub has {}; its payer's bank has {}", order.words(), held.words())
        })
    }
}

/// A payment that was accepted is the one that was asked for, in what the customer is told and in
/// what the bank did. Says who was paid.
pub(super) fn as_asked(
    asked: &RequestTransfer,
    told: &TransferView,
    banks: &BankingTables,
) -> Result<(AccountId, Amount), String> {
    let id = told.end_to_end_id;
    let payment = match told.direction {
        Direction::Book => banks.booked.get(&id).map(|book| &book.payment),
        Direction::Outgoing => banks.outgoing.get(&id).map(|(side, _)| &side.state().payment),
        Direction::Incoming => None,
    };
    let Some(payment) = payment else { return Err(format!("{id} was accepted and not made")) };
    let (wanted, made) = (Intent::of_customer(asked), Intent::of_bank(payment));
    must(wanted == made, || {
        format!("{id} was ordered as {}, and is {}", wanted.words(), made.words())
    })?;
    let shown = Intent {
        payer: told.account_id,
        amount: told.amount.centavos(),
        key: told.payee_key.clone(),
        description: told.description.clone(),
    };
    must(wanted == shown, || {
        format!("{id} was ordered as {}, and is told as {}", wanted.words(), shown.words())
    })?;
    names_payee(told, payment)?;
    Ok((payment.payee.account_id, payment.amount))
}

/// The other side is shown as it is: its bank, its name, and its account within a bank.
pub(super) fn names_payee(told: &TransferView, payment: &Payment) -> Finding {
    let Payment { payee, .. } = payment;
    let account = (told.direction == Direction::Book).then_some(payee.account_id);
    let shown = (told.counterparty_ispb, told.counterparty_name.as_str());
    let is_right =
        shown == (payee.ispb, payee.owner_name.as_str()) && told.counterparty_account_id == account;
    must(is_right, || format!("the payer is told {}, and pays {}", told.words(), payee.words()))
}

/// Who is paid has the name and the bank that its account was opened with.
pub(super) fn is_known_as(payment: &Payment, banks: &BankingTables) -> Finding {
    let Payment { payer, payee, .. } = payment;
    for side in [payer, payee] {
        // Accounts of other banks are not here.
        let Some(account) = banks.accounts.get(&side.account_id).map(Account::state) else {
            continue;
        };
        let is_right = account.ispb == side.ispb && account.owner_name.as_str() == side.owner_name;
        must(is_right, || {
            let (id, named, owner) = (payment.end_to_end_id, side.words(), &account.owner_name);
            format!("{id} names {named}, whose owner is {} at {}", owner.as_str(), account.ispb)
        })?;
    }
    Ok(())
}

/// A payment to an account that was accepted is the one that was asked for.
pub(super) fn as_named(asked: &PayAccount, told: &BookedView, banks: &BankingTables) -> Finding {
    let id = told.end_to_end_id;
    let payment = banks.booked.get(&id).map(|book| &book.payment);
    let Some(payment) = payment else { return Err(format!("{id} was accepted and not made")) };
    let wanted = Intent {
        payer: asked.on.account_id,
        amount: asked.amount.centavos(),
        key: String::new(),
        description: asked.description.as_str().to_owned(),
    };
    let made = Intent::of_bank(payment);
    let payee = (asked.payee_account_id, payment.payee.account_id);
    must(wanted == made && payee.0 == payee.1, || {
        let (wanted, made) = (wanted.words(), made.words());
        format!("{id} was ordered as {wanted} to {}, and is {made} to {}", payee.0, payee.1)
    })?;
    let shown = (told.payer_account_id, told.payee_account_id, told.amount);
    must(shown == (wanted.payer, payee.0, asked.amount), || {
        format!("{id} was ordered as {}, and is told as {}", wanted.words(), told.words())
    })
}
