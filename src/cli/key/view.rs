//! Keys as they are printed.

use serde::Serialize;
use shared_kernel::domain::{TaxId, Timestamp};

use crate::cli::output::{Align, Cell, Fields, Paint, Shown, Table, Tone, instant, label, moment};
use crate::client::pix_keys;

/// A key and whom it belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct EntryView {
    entry_id: String,
    kind: String,
    key: String,
    account_id: String,
    ispb: String,
    bank_code: String,
    bank_name: String,
    branch: String,
    number: String,
    owner_name: String,
    owner_tax_id: String,
    account_status: String,
    created_at: Option<Timestamp>,
    owned_since: Option<Timestamp>,
}

impl From<pix_keys::Entry> for EntryView {
    fn from(entry: pix_keys::Entry) -> Self {
        let kind = label(entry.kind().as_str_name(), "PIX_KEY_KIND");
        let account = entry.account.unwrap_or_default();
        Self {
            kind,
            account_status: label(account.status().as_str_name(), "ACCOUNT_STATUS"),
            created_at: instant(entry.created_at.as_ref()),
            owned_since: instant(entry.owned_since.as_ref()),
            entry_id: entry.entry_id,
            key: entry.key,
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

impl Shown for EntryView {
    fn text(&self, paint: Paint) -> String {
        // A payer is shown a part of the payee's CPF, as in every bank's app.
        let tax_id = TaxId::parse(&self.owner_tax_id)
            .map_or_else(|_shape| self.owner_tax_id.clone(), |id| id.masked());
        Fields::new()
            .field("key", Cell::new(Tone::Strong, self.key.as_str()))
            .field("kind", self.kind.as_str())
            .field("owner", Cell::new(Tone::Strong, self.owner_name.as_str()))
            .field("tax id", tax_id)
            .field("bank", format!("{} ({} {})", self.ispb, self.bank_code, self.bank_name))
            .field("account", self.account_id.as_str())
            .field("branch", self.branch.as_str())
            .field("number", self.number.as_str())
            .field("status", self.account_status.as_str())
            .field("created", moment(self.created_at))
            .render(paint)
    }
}

/// The keys of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct EntryList {
    pub(super) keys: Vec<EntryView>,
}

impl Shown for EntryList {
    fn text(&self, paint: Paint) -> String {
        let columns = [("KEY", Align::Left), ("KIND", Align::Left), ("CREATED", Align::Left)];
        let mut table = Table::new(columns, "no keys");
        for entry in &self.keys {
            table.row([
                entry.key.as_str().into(),
                entry.kind.as_str().into(),
                moment(entry.created_at).into(),
            ]);
        }
        table.render(paint)
    }
}

/// A key that is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct RemovedKey {
    key: String,
    removed_at: Option<Timestamp>,
}

impl From<pix_keys::RemoveKeyResponse> for RemovedKey {
    fn from(answer: pix_keys::RemoveKeyResponse) -> Self {
        Self { removed_at: instant(answer.removed_at.as_ref()), key: answer.key }
    }
}

impl Shown for RemovedKey {
    fn text(&self, paint: Paint) -> String {
        Fields::new()
            .field("key", self.key.as_str())
            .field("removed", moment(self.removed_at))
            .render(paint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_see_a_part_of_the_tax_id_and_programs_all_of_it() {
        let entry = pix_keys::Entry {
            key: "ana@example.com".to_owned(),
            kind: pix_keys::PixKeyKind::Email.into(),
            account: Some(pix_keys::Account {
                owner_tax_id: "52998224725".to_owned(),
                ..pix_keys::Account::default()
            }),
            ..pix_keys::Entry::default()
        };
        let view = EntryView::from(entry);
        let text = view.text(Paint::new(false));
        assert!(text.contains("***.982.247-**") && !text.contains("52998224725"), "{text}");
        assert!(text.contains("kind     email"), "{text}");
        assert_eq!(serde_json::to_value(&view).unwrap()["owner_tax_id"], "52998224725");
    }
}
