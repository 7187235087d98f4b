//! A statement as it is printed.

use serde::Serialize;
use shared_kernel::domain::{Money, Timestamp};

use crate::cli::output::{Align, Cell, Paint, Shown, Table, Tone, instant, moment, text_or_dash};
use crate::client::banking;

/// One ledger entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct EntryView {
    entry_id: String,
    amount: Money,
    balance_after: Money,
    kind: String,
    end_to_end_id: String,
    counterparty_name: String,
    description: String,
    posted_at: Option<Timestamp>,
}

impl From<banking::StatementEntry> for EntryView {
    fn from(entry: banking::StatementEntry) -> Self {
        Self {
            posted_at: instant(entry.posted_at.as_ref()),
            entry_id: entry.entry_id,
            amount: Money::from_centavos(entry.amount_centavos),
            balance_after: Money::from_centavos(entry.balance_after_centavos),
            kind: entry.kind,
            end_to_end_id: entry.end_to_end_id,
            counterparty_name: entry.counterparty_name,
            description: entry.description,
        }
    }
}

/// The entries of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct StatementView {
    pub(super) account_id: String,
    pub(super) entries: Vec<EntryView>,
}

impl Shown for StatementView {
    fn text(&self, paint: Paint) -> String {
        let columns = [
            ("POSTED", Align::Left),
            ("KIND", Align::Left),
            ("AMOUNT", Align::Right),
            ("BALANCE", Align::Right),
            ("WITH", Align::Left),
            ("DESCRIPTION", Align::Left),
            ("TRANSFER", Align::Left),
        ];
        let mut table = Table::new(columns, "no entries");
        for entry in &self.entries {
            let tone = if entry.amount.is_negative() { Tone::Bad } else { Tone::Good };
            table.row([
                moment(entry.posted_at).into(),
                entry.kind.replace('_', " ").into(),
                Cell::new(tone, entry.amount.in_english()),
                entry.balance_after.in_english().into(),
                text_or_dash(&entry.counterparty_name).into(),
                text_or_dash(&entry.description).into(),
                Cell::new(Tone::Faint, text_or_dash(&entry.end_to_end_id)),
            ]);
        }
        table.render(paint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debits_are_negative_and_kinds_are_words() {
        let entry = banking::StatementEntry {
            amount_centavos: -1_000,
            balance_after_centavos: 99_000,
            kind: "transfer_debit".to_owned(),
            ..banking::StatementEntry::default()
        };
        let view = StatementView { account_id: String::new(), entries: vec![entry.into()] };
        let text = view.text(Paint::new(false));
        assert!(text.contains("transfer debit  -BRL 10.00  BRL 990.00"), "{text}");
    }
}
