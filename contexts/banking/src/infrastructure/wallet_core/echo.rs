//! What Wallet Core's readers are told: its messages, byte for byte in its shape.
//!
//! No key and no headers, as it sends them. The records have no time of their own: they get that
//! of their outbox row, which stays the same on a resend.

use serde::Serialize;
use serde_json::value::RawValue;
use shared_kernel::application::OutboundRecord;
use shared_kernel::domain::{Ispb, Money};

use super::WalletCoreTopics;
use crate::application::ports::{Echo, Traced};
use crate::domain::{AccountEvent, AccountFact, BookSide, Booked};

/// Tells of every transfer within Wallet Core's bank.
#[derive(Clone, Debug)]
pub struct WalletCoreEcho {
    ispb: Ispb,
    transactions: String,
    balances: String,
}

impl WalletCoreEcho {
    /// Tells of the transfers of this bank on these topics; the prefix stands before their names.
    pub fn new(ispb: Ispb, topics: &WalletCoreTopics, prefix: &str) -> Self {
        let named = |name: &str| format!("{prefix}{name}");
        let (transactions, balances) = (named(&topics.transactions), named(&topics.balances));
        Self { ispb, transactions, balances }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Message<T> {
    name: &'static str,
    payload: T,
}

#[derive(Serialize)]
struct TransactionCreated {
    id: String,
    account_id_from: String,
    account_id_to: String,
    amount: Box<RawValue>,
}

#[derive(Serialize)]
struct BalanceUpdated {
    account_id_from: String,
    account_id_to: String,
    balance_account_id_from: Box<RawValue>,
    balance_account_id_to: Box<RawValue>,
}

/// Money as that program writes it: a number without zeros at its end, digit by digit and never
/// through a float.
pub(super) fn number(money: Money) -> Option<Box<RawValue>> {
    let text = money.to_string();
    let short = text.trim_end_matches('0').trim_end_matches('.');
    RawValue::from_string(short.to_owned()).ok()
}

/// One side of a transfer within the bank.
fn side(event: &AccountEvent, ispb: Ispb, side: BookSide) -> Option<&Booked> {
    match &event.fact {
        AccountFact::Booked(booked) if event.ispb == ispb && booked.side == side => Some(booked),
        _ => None,
    }
}

impl Echo for WalletCoreEcho {
    fn of(&self, events: &[Traced<AccountEvent>]) -> Vec<OutboundRecord> {
        // Both sides of a transfer are recorded one after the other, the debit first.
        let pairs = events.iter().zip(events.iter().skip(1));
        let told = |(from, to): (&Traced<AccountEvent>, &Traced<AccountEvent>)| {
            let (from, to) = (&from.value, &to.value);
            let debit = side(from, self.ispb, BookSide::Debit)?;
            let credit = side(to, self.ispb, BookSide::Credit)?;
            (debit.end_to_end_id == credit.end_to_end_id).then_some(())?;
            self.messages(from, debit, to)
        };
        pairs.filter_map(told).flatten().collect()
    }
}

impl WalletCoreEcho {
    fn messages(
        &self,
        from: &AccountEvent,
        debit: &Booked,
        to: &AccountEvent,
    ) -> Option<[OutboundRecord; 2]> {
        let (payer, payee) = (from.account_id.to_string(), to.account_id.to_string());
        let transaction = Message {
            name: "TransactionCreated",
            payload: TransactionCreated {
                id: debit.entry_id.to_string(),
                account_id_from: payer.clone(),
                account_id_to: payee.clone(),
                amount: number(debit.amount.money())?,
            },
        };
        let balance = Message {
            name: "BalanceUpdated",
            payload: BalanceUpdated {
                account_id_from: payer,
                account_id_to: payee,
                balance_account_id_from: number(from.funds.balance)?,
                balance_account_id_to: number(to.funds.balance)?,
            },
        };
        let record = |topic: &String, payload: Vec<u8>| OutboundRecord {
            topics: vec![topic.clone()],
            key: None,
            headers: Vec::new(),
            payload: Some(payload),
            time: None,
        };
        Some([
            record(&self.transactions, serde_json::to_vec(&transaction).ok()?),
            record(&self.balances, serde_json::to_vec(&balance).ok()?),
        ])
    }
}

#[cfg(test)]
mod tests {
    use shared_kernel::application::TraceParent;
    use shared_kernel::testing::CountedIds;

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
        WalletCoreEcho::new(ispb(BANK_A), &WalletCoreTopics::default(), "test.")
    }

    fn texts(records: &[OutboundRecord]) -> Vec<(&str, String)> {
        let text = |record: &OutboundRecord| {
            String::from_utf8(record.payload.clone().unwrap_or_default()).unwrap()
        };
        records.iter().map(|record| (record.topics[0].as_str(), text(record))).collect()
    }

    #[test]
    fn a_transfer_is_told_in_the_exact_shape_of_that_program() {
        let (mut john, mut jane) = (account(BANK_A, 1, 10_000), account(BANK_A, 2, 10_050));
        let records = echo().of(&booked(&mut john, &mut jane, 1_000));
        let (from, to) = (john.state().id, jane.state().id);
        let id = entry(1);
        let expected = [
            (
                "test.transactions",
                format!(
                    "{{\"Name\":\"TransactionCreated\",\"Payload\":{{\"id\":\"{id}\",\
                     \"account_id_from\":\"{from}\",\"account_id_to\":\"{to}\",\
                     \"amount\":10}}}}"
                ),
            ),
            (
                "test.balances",
                format!(
                    "{{\"Name\":\"BalanceUpdated\",\"Payload\":{{\
                     \"account_id_from\":\"{from}\",\"account_id_to\":\"{to}\",\
                     \"balance_account_id_from\":90,\"balance_account_id_to\":110.5}}}}"
                ),
            ),
        ];
        assert_eq!(texts(&records), expected);
        assert!(records.iter().all(|it| it.key.is_none() && it.headers.is_empty()));
        assert!(records.iter().all(|it| it.time.is_none()), "the row's time is theirs");
    }

    #[test]
    fn each_transfer_of_a_batch_is_told_with_the_balances_after_it() {
        let (mut john, mut jane) = (account(BANK_A, 1, 100), account(BANK_A, 2, 0));
        let first = booked(&mut john, &mut jane, 70);
        let second = booked(&mut jane, &mut john, 20);
        let records = echo().of(&[first, second].concat());
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
        assert_eq!(echo().of(&booked(&mut ana, &mut bia, 70)), [], "of another bank");
        let deposit = account(BANK_A, 1, 0).deposit(amount(1), entry(1), noon()).unwrap();
        assert_eq!(echo().of(&[traced(deposit)]), []);
        assert_eq!(echo().of(&[]), []);
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
