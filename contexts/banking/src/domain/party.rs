//! Who pays whom: a side of a transfer as every bank and the hub name it.

use serde::{Deserialize, Serialize};
use shared_kernel::domain::{AccountId, Amount, EndToEndId, Ispb, TaxId, Timestamp};

/// One side of a transfer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// The bank.
    pub ispb: Ispb,
    /// The account at that bank.
    pub account_id: AccountId,
    /// The owner's name.
    pub owner_name: String,
    /// The owner's tax id.
    pub owner_tax_id: TaxId,
}

/// A transfer as both of its banks know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// Its identifier, made by the payer's bank.
    pub end_to_end_id: EndToEndId,
    /// Who pays.
    pub payer: Party,
    /// Who is paid.
    pub payee: Party,
    /// The key that was paid to.
    pub payee_key: String,
    /// The same as it was registered, where the payer's bank knows that to be otherwise.
    pub payee_key_registered_as: Option<String>,
    /// How much.
    pub amount: Amount,
    /// What the payer wrote; may be empty.
    pub description: String,
    /// When it was ordered: the payer's bank's time at that bank, the hub's at the payee's.
    pub ordered_at: Timestamp,
    /// When it expires unless it is settled: that bank's own reckoning, the hub's decides.
    pub deadline: Timestamp,
}

impl Payment {
    /// Whether another message names the same payment: same id, sides' accounts and amount.
    pub fn is_same_as(&self, other: &Self) -> bool {
        let sides = |payment: &Self| {
            let Self { payer, payee, .. } = payment;
            (payer.ispb, payer.account_id, payee.ispb, payee.account_id)
        };
        self.end_to_end_id == other.end_to_end_id
            && self.amount == other.amount
            && sides(self) == sides(other)
    }
}
