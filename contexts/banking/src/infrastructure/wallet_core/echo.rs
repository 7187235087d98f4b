//! What Wallet Core's readers are told: its messages, byte for byte in its shape.
//!
//! No key and no envelope, as it sends them. The records' time is that of their outbox row, which
//! stays the same on a resend.

use serde_json::value::RawValue;
use shared_kernel::application::{Published, StoreError};
use shared_kernel::domain::{Ispb, Money};

use super::WalletCoreTopics;
use super::published::{
    BALANCES, TRANSACTIONS, WalletBalanceUpdated, WalletBalances, WalletTransaction,
    WalletTransactionCreated,
};
use crate::application::ports::{Echo, Traced};
use crate::domain::{AccountEvent, AccountFact, BookSide, Booked};

/// Tells of every transfer within Wallet Core's bank.
#[derive(Clone, Debug)]
pub struct WalletCoreEcho {
    ispb: Ispb,
    topics: WalletCoreTopics,
}

impl WalletCoreEcho {
    /// Tells of the transfers of this bank on these topics.
    pub const fn new(ispb: Ispb, topics: WalletCoreTopics) -> Self {
        Self { ispb, topics }
    }
}

/// Money as that program writes it: a number without zeros at its end, digit by digit and never
/// through a float.
pub(super) fn number(money: Money) -> Result<Box<RawValue>, StoreError> {
    let text = money.to_string();
    let short = text.trim_end_matches('0').trim_end_matches('.');
    RawValue::from_string(short.to_owned())
        .map_err(|error| StoreError::Rejected(format!("{text} is no JSON number: {error}")))
}

/// One side of a transfer within the bank.
fn side(event: &AccountEvent, ispb: Ispb, side: BookSide) -> Option<&Booked> {
    let AccountFact::Booked(booked) = &event.fact else { return None };
    (event.ispb == ispb && booked.side == side).then_some(booked)
}

impl Echo for WalletCoreEcho {
    fn of(&self, events: &[Traced<AccountEvent>]) -> Result<Vec<Published>, StoreError> {
        // Both sides of a transfer are recorded one after the other, the debit first.
        let pairs = events.iter().zip(events.iter().skip(1));
        let mut told = Vec::new();
        for (from, to) in pairs {
            let debit = side(&from.value, self.ispb, BookSide::Debit);
            let credit = side(&to.value, self.ispb, BookSide::Credit);
            let (Some(debit), Some(credit)) = (debit, credit) else { continue };
            if debit.end_to_end_id == credit.end_to_end_id {
                told.extend(messages(&self.topics, from, debit, &to.value)?);
            }
        }
        Ok(told)
    }
}

/// The two messages of one transfer.
pub(crate) fn messages(
    topics: &WalletCoreTopics,
    payer: &Traced<AccountEvent>,
    debit: &Booked,
    to: &AccountEvent,
) -> Result<[Published; 2], StoreError> {
    let Traced { value: from, trace } = payer;
    let (account_id_from, account_id_to) = (from.account_id.to_string(), to.account_id.to_string());
    let transaction = WalletTransactionCreated {
        name: "TransactionCreated",
        payload: WalletTransaction {
            id: debit.entry_id.to_string(),
            account_id_from: account_id_from.clone(),
            account_id_to: account_id_to.clone(),
            amount: number(debit.amount.money())?,
        },
    };
    let balance = WalletBalanceUpdated {
        name: "BalanceUpdated",
        payload: WalletBalances {
            account_id_from,
            account_id_to,
            balance_account_id_from: number(from.funds.balance)?,
            balance_account_id_to: number(to.funds.balance)?,
        },
    };
    let transactions = vec![TRANSACTIONS.topic_named(&topics.transactions)];
    let balances = vec![BALANCES.topic_named(&topics.balances)];
    Ok([
        Published::of(&transaction, transactions, String::new(), 0, trace.clone())?,
        Published::of(&balance, balances, String::new(), 0, trace.clone())?,
    ])
}

#[cfg(test)]
mod tests {
    use shared_kernel::application::TraceParent;
    use shared_kernel::testing::CountedIds;
    use uuid::Uuid;

    use super::*;
    use crate::domain::Account;
    use crate::domain::samples::{BANK_A, BANK_B, account, amount, entry, ispb, noon, payment};

    fn traced(event: AccountEvent) -> Traced<AccountEvent> {
        Traced { value: event, trace: TraceParent::begin(&CountedIds::default()) }
    }

    /// Both events of a transfer within a bank.
    fn booked(
        payer: &mut Account,
        payee: &mut Account,
        centavos: i64,
    ) -> [Traced<AccountEvent>; 2] {
        let payment = payment(payer, payee, centavos);
        let debit = payer.book_debit(&payment, entry(1), noon()).unwrap();
        let credit = payee.book_credit(&payment, entry(2), noon()).unwrap();
        payer.apply(&debit);
        payee.apply(&credit);
        [debit, credit].map(traced)
    }

    fn echo() -> WalletCoreEcho {
        WalletCoreEcho::new(ispb(BANK_A), WalletCoreTopics::default())
    }

    fn texts(told: &[Published]) -> Vec<(&str, String)> {
        let text = |told: &Published| String::from_utf8(told.payload().to_vec()).unwrap();
        told.iter().map(|told| (told.topics().next().unwrap(), text(told))).collect()
    }

    fn told(events: &[Traced<AccountEvent>]) -> Vec<Published> {
        echo().of(events).unwrap()
    }

    #[test]
    fn a_transfer_is_told_in_the_exact_shape_of_that_program() {
        let (mut john, mut jane) = (account(BANK_A, 1, 10_000), account(BANK_A, 2, 10_050));
        let records = told(&booked(&mut john, &mut jane, 1_000));
        let (from, to) = (john.state().id, jane.state().id);
        let id = entry(1);
        let expected = [
            (
                "transactions",
                format!(
                    "{{\"Name\":\"TransactionCreated\",\"Payload\":{{\"id\":\"{id}\",\
                     \"account_id_from\":\"{from}\",\"account_id_to\":\"{to}\",\
                     \"amount\":10}}}}"
                ),
            ),
            (
                "balances",
                format!(
                    "{{\"Name\":\"BalanceUpdated\",\"Payload\":{{\
                     \"account_id_from\":\"{from}\",\"account_id_to\":\"{to}\",\
                     \"balance_account_id_from\":90,\"balance_account_id_to\":110.5}}}}"
                ),
            ),
        ];
        assert_eq!(texts(&records), expected);
        for told in records {
            let record = told.into_record("test.", "/", Uuid::nil(), noon());
            assert_eq!((record.key, record.time), (None, Some(noon())), "its time is its row's");
            let names: Vec<&str> = record.headers.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(names, ["traceparent"], "a trace disturbs nobody");
        }
    }

    #[test]
    fn each_transfer_of_a_batch_is_told_with_the_balances_after_it() {
        let (mut john, mut jane) = (account(BANK_A, 1, 100), account(BANK_A, 2, 0));
        let first = booked(&mut john, &mut jane, 70);
        let second = booked(&mut jane, &mut john, 20);
        let records = told(&[first, second].concat());
        let told = texts(&records);
        assert_eq!(told.len(), 4);
        assert!(
            told[1].1.contains("\"balance_account_id_from\":0.3,\"balance_account_id_to\":0.7")
        );
        assert!(
            told[3].1.contains("\"balance_account_id_from\":0.5,\"balance_account_id_to\":0.5")
        );
    }

    #[test]
    fn nothing_else_is_told() {
        let (mut ana, mut bia) = (account(BANK_B, 1, 100), account(BANK_B, 2, 0));
        assert!(told(&booked(&mut ana, &mut bia, 70)).is_empty(), "of another bank");
        let deposit = account(BANK_A, 1, 0).deposit(amount(1), entry(1), noon()).unwrap();
        assert!(told(&[traced(deposit)]).is_empty());
        assert!(told(&[]).is_empty());
    }

    #[test]
    fn numbers_are_short_and_exact() {
        let text = |centavos| number(Money::from_centavos(centavos)).unwrap().get().to_owned();
        assert_eq!(text(0), "0");
        assert_eq!(text(1), "0.01");
        assert_eq!(text(10_000), "100");
        assert_eq!(text(10_050), "100.5");
        assert_eq!(text(-5), "-0.05");
        assert_eq!(text(9_007_199_254_740_993), "90071992547409.93");
    }
}
