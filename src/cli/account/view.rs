//! Accounts as they are printed.

use serde::Serialize;
use shared_kernel::domain::{Money, Timestamp};

use crate::cli::output::{
    Align, Cell, Fields, Paint, Shown, Table, Tone, instant, label, moment, optional_money,
};
use crate::client::{banking, pix_keys};

/// An account at a bank of this hub.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct AccountView {
    account_id: String,
    ispb: String,
    branch: String,
    number: String,
    owner_name: String,
    owner_tax_id: String,
    status: String,
    available: Money,
    held: Money,
    balance: Money,
    limit_per_transfer: Option<Money>,
    limit_per_day: Option<Money>,
    opened_at: Option<Timestamp>,
    version: i64,
}

impl From<banking::Account> for AccountView {
    fn from(account: banking::Account) -> Self {
        let status = label(account.status().as_str_name(), "ACCOUNT_STATUS");
        Self {
            status,
            opened_at: instant(account.opened_at.as_ref()),
            account_id: account.account_id,
            ispb: account.ispb,
            branch: account.branch,
            number: account.number,
            owner_name: account.owner_name,
            owner_tax_id: account.owner_tax_id,
            available: Money::from_centavos(account.available_centavos),
            held: Money::from_centavos(account.held_centavos),
            balance: Money::from_centavos(account.balance_centavos),
            limit_per_transfer: account.limit_per_transfer_centavos.map(Money::from_centavos),
            limit_per_day: account.limit_per_day_centavos.map(Money::from_centavos),
            version: account.version,
        }
    }
}

/// The colour of a status.
fn status_cell(status: &str) -> Cell {
    let tone = match status {
        "active" => Tone::Good,
        "blocked" => Tone::Open,
        _ => Tone::Faint,
    };
    Cell::new(tone, status)
}

impl Shown for AccountView {
    fn text(&self, paint: Paint) -> String {
        let limit = |limit: Option<Money>| optional_money(limit.map(Money::centavos));
        Fields::new()
            .field("account", Cell::new(Tone::Strong, self.account_id.as_str()))
            .field("bank", self.ispb.as_str())
            .field("branch", self.branch.as_str())
            .field("number", self.number.as_str())
            .field("owner", self.owner_name.as_str())
            .field("tax id", self.owner_tax_id.as_str())
            .field("status", status_cell(&self.status))
            .field("available", Cell::new(Tone::Strong, self.available.in_english()))
            .field("held", self.held.in_english())
            .field("balance", self.balance.in_english())
            .field("limit per transfer", limit(self.limit_per_transfer))
            .field("limit per day", limit(self.limit_per_day))
            .field("opened", moment(self.opened_at))
            .render(paint)
    }
}

/// Many accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct AccountList {
    pub(super) accounts: Vec<AccountView>,
}

impl Shown for AccountList {
    fn text(&self, paint: Paint) -> String {
        let columns = [
            ("ACCOUNT", Align::Left),
            ("BANK", Align::Left),
            ("BRANCH", Align::Left),
            ("NUMBER", Align::Left),
            ("OWNER", Align::Left),
            ("STATUS", Align::Left),
            ("AVAILABLE", Align::Right),
            ("HELD", Align::Right),
        ];
        let mut table = Table::new(columns, "no accounts");
        for account in &self.accounts {
            table.row([
                account.account_id.as_str().into(),
                account.ispb.as_str().into(),
                account.branch.as_str().into(),
                account.number.as_str().into(),
                account.owner_name.as_str().into(),
                status_cell(&account.status),
                account.available.in_english().into(),
                account.held.in_english().into(),
            ]);
        }
        table.render(paint)
    }
}

/// An account as the directory knows it, its books being elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct EnrolledAccount {
    account_id: String,
    ispb: String,
    bank_code: String,
    bank_name: String,
    branch: String,
    number: String,
    owner_name: String,
    owner_tax_id: String,
    status: String,
}

impl From<pix_keys::Account> for EnrolledAccount {
    fn from(account: pix_keys::Account) -> Self {
        let status = label(account.status().as_str_name(), "ACCOUNT_STATUS");
        Self {
            status,
            account_id: account.account_id,
            ispb: account.ispb,
            bank_code: account.bank_code,
            bank_name: account.bank_name,
            branch: account.branch,
            number: account.number,
            owner_name: account.owner_name,
            owner_tax_id: account.owner_tax_id,
        }
    }
}

impl Shown for EnrolledAccount {
    fn text(&self, paint: Paint) -> String {
        Fields::new()
            .field("account", Cell::new(Tone::Strong, self.account_id.as_str()))
            .field("bank", format!("{} ({} {})", self.ispb, self.bank_code, self.bank_name))
            .field("branch", self.branch.as_str())
            .field("number", self.number.as_str())
            .field("owner", self.owner_name.as_str())
            .field("tax id", self.owner_tax_id.as_str())
            .field("status", status_cell(&self.status))
            .render(paint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> AccountView {
        AccountView::from(banking::Account {
            account_id: "6e4635ce-88d1-4e58-9597-d13fc446ee47".to_owned(),
            ispb: "00000001".to_owned(),
            number: "1111".to_owned(),
            owner_name: "User BBX 1".to_owned(),
            status: banking::AccountStatus::Active.into(),
            available_centavos: 123_456,
            held_centavos: 100,
            balance_centavos: 123_556,
            limit_per_day_centavos: Some(5_000),
            ..banking::Account::default()
        })
    }

    #[test]
    fn an_account_is_shown_with_written_amounts() {
        let text = account().text(Paint::new(false));
        assert!(text.contains("available           BRL 1,234.56"), "{text}");
        assert!(text.contains("limit per transfer  none"), "{text}");
        assert!(text.contains("status              active"), "{text}");
    }

    #[test]
    fn money_in_json_is_a_decimal_text() {
        let json = serde_json::to_value(account()).unwrap();
        assert_eq!(json["available"]["amount"], "1234.56");
        assert_eq!(json["limit_per_day"]["currency"], "BRL");
        assert_eq!(json["limit_per_transfer"], serde_json::Value::Null);
    }

    #[test]
    fn a_list_has_a_row_for_each_account() {
        let list = AccountList { accounts: vec![account(), account()] };
        let text = list.text(Paint::new(false));
        assert_eq!(text.lines().count(), 3);
        assert!(text.lines().next().unwrap().ends_with("HELD"), "{text}");
    }
}
