//! Values in words, for findings and the story: who reads what is wrong has not written the code.
//! Amounts are told as they are written, ids as they are, states and reasons by their names.

use std::collections::{BTreeMap, BTreeSet};

use balances::domain::{AccountBalance, TransferParties};
use banking::application::views::{AccountView, BookedView, ShownState, TransferView};
use banking::domain::{
    Account, AccountState, AccountStatus, Funds, IncomingStatus, Limits, OutgoingStatus, Party,
    Payment,
};
use shared_kernel::domain::{AccountId, Amount, EndToEndId, Ispb, Money, ReasonCode};
use transfers::application::ports::SavedResolution;
use transfers::domain::{Order, OrderId, Resolution, TransferState};

use crate::contexts::{at_most, because};

/// What can be put into a sentence.
pub(crate) trait Words {
    /// It in words.
    fn words(&self) -> String;
}

impl Words for str {
    fn words(&self) -> String {
        self.to_owned()
    }
}

impl Words for String {
    fn words(&self) -> String {
        self.clone()
    }
}

/// What has its words already.
macro_rules! worded {
    ($($type:ty: $words:expr,)+) => {
        $(impl Words for $type {
            fn words(&self) -> String {
                let words: fn(&Self) -> _ = $words;
                words(self).to_string()
            }
        })+
    };
}

worded! {
    AccountId: |it| *it,
    Amount: |it| *it,
    EndToEndId: |it| *it,
    IncomingStatus: |it| it.as_str(),
    Ispb: |it| *it,
    Money: |it| *it,
    OrderId: |it| *it,
    OutgoingStatus: |it| it.as_str(),
    Resolution: |it| it.as_str(),
    TransferState: |it| it.as_str(),
    pix_keys::domain::AccountStatus: |it| it.as_str(),
}

impl<T: Words + ?Sized> Words for &T {
    fn words(&self) -> String {
        (**self).words()
    }
}

impl<T: Words> Words for Option<T> {
    fn words(&self) -> String {
        self.as_ref().map_or_else(|| "nothing".to_owned(), Words::words)
    }
}

/// One after the other.
fn listed<T: Words>(them: impl Iterator<Item = T>) -> String {
    let all: Vec<String> = them.map(|it| it.words()).collect();
    if all.is_empty() { "nothing".to_owned() } else { all.join(", ") }
}

impl<T: Words> Words for [T] {
    fn words(&self) -> String {
        listed(self.iter())
    }
}

impl<T: Words> Words for Vec<T> {
    fn words(&self) -> String {
        self.as_slice().words()
    }
}

impl<T: Words> Words for BTreeSet<T> {
    fn words(&self) -> String {
        listed(self.iter())
    }
}

/// How often there is each.
impl<K: Words> Words for BTreeMap<K, usize> {
    fn words(&self) -> String {
        let times = |(it, times): (&K, &usize)| format!("{} {times} times", it.words());
        listed(self.iter().map(times))
    }
}

/// A key of an account.
impl Words for (pix_keys::domain::PixKey, AccountId) {
    fn words(&self) -> String {
        format!("{} of {}", self.0.as_str(), self.1)
    }
}

impl Words for ReasonCode {
    fn words(&self) -> String {
        format!("{} ({})", self.code(), self.sentence_en())
    }
}

impl Words for AccountStatus {
    fn words(&self) -> String {
        let word = match self {
            Self::Active => "active",
            Self::Blocked => "blocked",
            Self::Closed => "closed",
        };
        word.to_owned()
    }
}

impl Words for ShownState {
    fn words(&self) -> String {
        let word = match self {
            Self::Requested => "requested",
            Self::Settled => "settled",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
        };
        word.to_owned()
    }
}

/// A state, and why.
impl<S: Words> Words for (S, Option<ReasonCode>) {
    fn words(&self) -> String {
        let why = because(self.1);
        format!("{}{why}", self.0.words())
    }
}

impl Words for Funds {
    fn words(&self) -> String {
        format!("{}, {} of it held", self.balance, self.held)
    }
}

impl Words for Limits {
    fn words(&self) -> String {
        if *self == Self::default() {
            return "without limits".to_owned();
        }
        format!("a transfer {}, a day {}", at_most(self.per_transfer), at_most(self.per_day))
    }
}

impl Words for AccountState {
    fn words(&self) -> String {
        let Self { id, ispb, funds, status, limits, version, .. } = self;
        let (funds, status, limits) = (funds.words(), status.words(), limits.words());
        format!("account {id} of {ispb}: {funds}, {status}, {limits}, version {version}")
    }
}

impl Words for Account {
    fn words(&self) -> String {
        self.state().words()
    }
}

impl Words for AccountView {
    fn words(&self) -> String {
        let Self { id, ispb, status, limits, version, balance, held, .. } = self;
        let funds = Funds { balance: *balance, held: *held }.words();
        let (status, limits) = (status.words(), limits.words());
        format!("account {id} of {ispb}: {funds}, {status}, {limits}, version {version}")
    }
}

impl Words for AccountBalance {
    fn words(&self) -> String {
        let (id, funds, version) = (self.account_id(), self.funds(), self.version().number());
        let owner = self.owner_name().unwrap_or("nobody");
        let missing =
            if self.missing().is_empty() { "" } else { ", and misses some of its events" };
        let (total, held) = (funds.total(), funds.held());
        format!("account {id} of {owner}: {total}, {held} of it held, version {version}{missing}")
    }
}

impl Words for Party {
    fn words(&self) -> String {
        let Self { ispb, account_id, owner_name, owner_tax_id } = self;
        format!("{account_id} of {owner_name}, {}, at {ispb}", owner_tax_id.as_str())
    }
}

impl Words for Payment {
    fn words(&self) -> String {
        let Self { end_to_end_id: id, amount, payer, payee, payee_key, description, .. } = self;
        let (from, to) = (payer.words(), payee.words());
        let to_key = if payee_key.is_empty() { String::new() } else { format!(" by {payee_key}") };
        format!("{id}: {amount} from {from} to {to}{to_key} for {description}")
    }
}

impl Words for Order {
    fn words(&self) -> String {
        let Self { end_to_end_id: id, payer, payee, payee_key, amount, description } = self;
        let side = |it: &transfers::domain::Party| {
            let (owner, tax_id) = (it.owner_name.as_str(), it.owner_tax_id.as_str());
            format!("{} of {owner}, {tax_id}, at {}", it.account_id, it.ispb)
        };
        let (from, to) = (side(payer), side(payee));
        let (key, why) = (payee_key.as_str(), description.as_str());
        format!("{id}: {amount} from {from} to {to} by {key} for {why}")
    }
}

impl Words for TransferView {
    fn words(&self) -> String {
        let Self { end_to_end_id: id, account_id, amount, payee_key, description, .. } = self;
        let account = self.counterparty_account_id.map(|it| format!("{it} of "));
        let (account, state) = (account.unwrap_or_default(), (self.state, self.reason).words());
        let (other, bank) = (&self.counterparty_name, self.counterparty_ispb);
        format!(
            "{id}: {amount} of {account_id}, with {account}{other} at {bank}, by {payee_key} for \
             {description}: {state}"
        )
    }
}

impl Words for BookedView {
    fn words(&self) -> String {
        let Self { end_to_end_id: id, payer_account_id: from, payee_account_id: to, .. } = self;
        format!("{id}: {} from {from} to {to}", self.amount)
    }
}

impl Words for TransferParties {
    fn words(&self) -> String {
        let (payer, payee) = (self.payer.account_id, self.payee.account_id);
        format!("{}: from {payer} to {payee}", self.end_to_end_id)
    }
}

impl Words for SavedResolution {
    fn words(&self) -> String {
        let Self { end_to_end_id: id, resolution, reason, acknowledged, .. } = self;
        let noted = acknowledged.as_ref().map(|it| format!(", noted: {}", it.reason));
        let noted = noted.unwrap_or_default();
        format!("{id} is resolved as {} for {reason}{noted}", resolution.as_str())
    }
}

/// What a bank owes, or is owed if that is less than nothing: a debt or a claim.
pub(crate) fn owes(centavos: i64) -> String {
    let amount = money(centavos.saturating_abs());
    if centavos < 0 { format!("is owed {amount}") } else { format!("owes {amount}") }
}

/// Centavos as an amount.
pub(crate) const fn money(centavos: i64) -> Money {
    Money::from_centavos(centavos)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;

    #[test]
    fn values_are_told_as_people_say_them() {
        let none: Option<Money> = None;
        assert_eq!(none.words(), "nothing");
        assert_eq!(Some(money(1_234)).words(), "12.34");
        assert_eq!([money(1), money(-20)].as_slice().words(), "0.01, -0.20");
        assert_eq!(BTreeMap::from([("a", 2)]).words(), "a 2 times");
        assert_eq!((ShownState::Settled, None).words(), "settled");
        let refused = (IncomingStatus::Refused, Some(ReasonCode::Ac06)).words();
        assert!(refused.starts_with("refused (AC06: "), "{refused}");
        assert_eq!([owes(-5), owes(5)], ["is owed 0.05", "owes 0.05"]);
        let limits = Limits { per_transfer: Some(money(500)), per_day: None };
        assert_eq!(limits.words(), "a transfer up to 5.00, a day without limit");
    }

    /// All files of the simulator.
    fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, found);
            } else {
                found.push(path);
            }
        }
    }

    /// Most findings have never been made: what they would say is read here.
    #[test]
    fn no_text_is_made_of_what_only_programmers_can_read() {
        let mut files = Vec::new();
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
        assert!(files.len() > 20, "{files:?}");
        let marks = [":?}", ":#?}"];
        for file in files {
            let text = fs::read_to_string(&file).unwrap();
            let told = text.split("#[cfg(test)]").next().unwrap_or_default();
            let mut lines =
                told.lines().filter(|line| marks.iter().any(|mark| line.contains(mark)));
            // Bugs are asked for by the names of their variants.
            let found = lines.find(|line| !line.contains("format!(\"{self:?}\").chars()"));
            assert_eq!(found, None, "{}", file.display());
        }
    }
}
