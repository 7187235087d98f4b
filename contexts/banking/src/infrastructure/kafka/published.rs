//! The public words of this context. They only grow: what breaks a reader is a new type `.v2`.

use schemars::{JsonSchema, Schema, schema_for};
use serde::Serialize;
use shared_kernel::domain::{
    AccountId, Amount, EndToEndId, Ispb, Money, ReasonCode, TaxId, Timestamp,
};

use super::{ACCOUNTS, TRANSFERS};
use crate::domain::EntryId;

/// An event that others read.
pub trait PublicEvent: Serialize {
    /// `ce_type`.
    const TYPE: &'static str;
}

/// An event type with its topic and the schema of its body.
#[derive(Debug)]
pub struct PublishedType {
    /// `ce_type`.
    pub event_type: &'static str,
    /// Its topic.
    pub topic: &'static str,
    /// Schema of the JSON body.
    pub schema: Schema,
}

/// Every event type that the banks publish.
pub fn published_types() -> Vec<PublishedType> {
    account_types().into_iter().chain(transfer_types()).collect()
}

/// What every event of an account carries.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AccountV1 {
    /// The account.
    pub account_id: AccountId,
    /// Its bank.
    pub ispb: Ispb,
    /// Balance less held, after the event.
    pub available: Money,
    /// Sum of the open holds, after the event.
    pub held: Money,
    /// When it happened.
    pub occurred_at: Timestamp,
}

/// Limits of an account.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct LimitsV1 {
    /// Most that one transfer may move; null for no limit.
    pub per_transfer: Option<Money>,
    /// Most that a day in Brasília may move; null for no limit.
    pub per_day: Option<Money>,
}

/// One side of a transfer.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PartyV1 {
    /// The bank.
    pub ispb: Ispb,
    /// The account at that bank.
    pub account_id: AccountId,
    /// The owner's name.
    pub owner_name: String,
    /// The owner's tax id.
    pub owner_tax_id: TaxId,
}

/// Declares the event types of a topic: struct, public name, and the list of schemas.
macro_rules! events {
    ($list:ident on $topic:ident, $($(#[$meta:meta])* $type:ident = $name:literal {
        $($(#[$field_meta:meta])* $field:ident: $field_type:ty,)*
    })+) => {
        $(
            $(#[$meta])*
            #[derive(Clone, Debug, Serialize, JsonSchema)]
            pub struct $type {
                $($(#[$field_meta])* pub $field: $field_type,)*
            }

            impl PublicEvent for $type {
                const TYPE: &'static str = concat!("codepix.banking.", $name, ".v1");
            }
        )+

        fn $list() -> Vec<PublishedType> {
            vec![$(PublishedType {
                event_type: $type::TYPE,
                topic: $topic,
                schema: schema_for!($type),
            },)+]
        }
    };
}

events! { account_types on ACCOUNTS,
    /// An account was opened.
    AccountOpenedV1 = "AccountOpened" {
        /// The account, empty.
        #[serde(flatten)]
        account: AccountV1,
        /// Branch of the bank.
        branch: String,
        /// Number within the branch.
        number: String,
        /// The owner's name.
        owner_name: String,
        /// The owner's tax id.
        owner_tax_id: TaxId,
        /// What it may send.
        limits: LimitsV1,
    }
    /// No new debits, no new acceptances.
    AccountBlockedV1 = "AccountBlocked" {
        /// The account.
        #[serde(flatten)]
        account: AccountV1,
    }
    /// The account is active again.
    AccountUnblockedV1 = "AccountUnblocked" {
        /// The account.
        #[serde(flatten)]
        account: AccountV1,
    }
    /// The account is closed for good.
    AccountClosedV1 = "AccountClosed" {
        /// The account, empty.
        #[serde(flatten)]
        account: AccountV1,
    }
    /// The account may send other amounts.
    AccountLimitsChangedV1 = "AccountLimitsChanged" {
        /// The account.
        #[serde(flatten)]
        account: AccountV1,
        /// What it may send.
        limits: LimitsV1,
    }
    /// Cash came in.
    AmountDepositedV1 = "AmountDeposited" {
        /// The account after it.
        #[serde(flatten)]
        account: AccountV1,
        /// Ledger entry.
        entry_id: EntryId,
        /// How much.
        amount: Amount,
    }
    /// Cash went out.
    AmountWithdrawnV1 = "AmountWithdrawn" {
        /// The account after it.
        #[serde(flatten)]
        account: AccountV1,
        /// Ledger entry.
        entry_id: EntryId,
        /// How much.
        amount: Amount,
    }
    /// An ordered transfer holds its amount.
    AmountHeldV1 = "AmountHeld" {
        /// The account after it.
        #[serde(flatten)]
        account: AccountV1,
        /// The transfer.
        end_to_end_id: EndToEndId,
        /// How much.
        amount: Amount,
        /// The key that is paid to.
        payee_key: String,
        /// The payee.
        counterparty_name: String,
        /// The payee's bank.
        counterparty_ispb: Ispb,
        /// What the payer wrote; may be empty.
        description: String,
    }
    /// A transfer did not happen: its hold is gone.
    HoldReleasedV1 = "HoldReleased" {
        /// The account after it.
        #[serde(flatten)]
        account: AccountV1,
        /// The transfer.
        end_to_end_id: EndToEndId,
        /// How much.
        amount: Amount,
        /// Why: ISO 20022 code.
        reason_code: ReasonCode,
    }
    /// A hold became a debit: the transfer is settled.
    AccountDebitedV1 = "AccountDebited" {
        /// The account after it.
        #[serde(flatten)]
        account: AccountV1,
        /// The transfer.
        end_to_end_id: EndToEndId,
        /// Ledger entry.
        entry_id: EntryId,
        /// How much.
        amount: Amount,
        /// The payee's bank.
        counterparty_ispb: Ispb,
        /// The payee.
        counterparty_name: String,
        /// What the payer wrote; may be empty.
        description: String,
    }
    /// A settled transfer was credited.
    AccountCreditedV1 = "AccountCredited" {
        /// The account after it.
        #[serde(flatten)]
        account: AccountV1,
        /// The transfer.
        end_to_end_id: EndToEndId,
        /// Ledger entry.
        entry_id: EntryId,
        /// How much.
        amount: Amount,
        /// The payer's bank.
        counterparty_ispb: Ispb,
        /// The payer.
        counterparty_name: String,
        /// What the payer wrote; may be empty.
        description: String,
    }
    /// One side of a transfer within the bank; each account has an event of its own.
    BookTransferCompletedV1 = "BookTransferCompleted" {
        /// The account after it.
        #[serde(flatten)]
        account: AccountV1,
        /// The transfer.
        end_to_end_id: EndToEndId,
        /// Ledger entry.
        entry_id: EntryId,
        /// Which side this account is.
        side: SideV1,
        /// How much.
        amount: Amount,
        /// The other account.
        counterparty_account_id: AccountId,
        /// Its owner.
        counterparty_name: String,
        /// What the payer wrote; may be empty.
        description: String,
    }
}

events! { transfer_types on TRANSFERS,
    /// The payer's bank orders a transfer; its amount is held. Repeated until the hub answers.
    TransferRequestedV1 = "TransferRequested" {
        /// The transfer.
        end_to_end_id: EndToEndId,
        /// The sender: the payer's bank.
        ispb: Ispb,
        /// Who pays.
        payer: PartyV1,
        /// Who is paid.
        payee: PartyV1,
        /// The key that is paid to.
        payee_key: String,
        /// How much.
        amount: Amount,
        /// What the payer wrote; may be empty.
        description: String,
        /// When, by the payer's bank's clock.
        requested_at: Timestamp,
    }
    /// The payee's bank will credit the transfer once it is settled.
    TransferAcceptedV1 = "TransferAccepted" {
        /// The transfer.
        end_to_end_id: EndToEndId,
        /// The sender: the payee's bank.
        ispb: Ispb,
        /// The account that will be credited.
        account_id: AccountId,
        /// When, by the payee's bank's clock.
        accepted_at: Timestamp,
    }
    /// The payee's bank will not credit the transfer.
    TransferRefusedV1 = "TransferRefused" {
        /// The transfer.
        end_to_end_id: EndToEndId,
        /// The sender: the payee's bank.
        ispb: Ispb,
        /// Why not: ISO 20022 code.
        reason_code: ReasonCode,
        /// When, by the payee's bank's clock.
        refused_at: Timestamp,
    }
    /// The payee's bank has posted the transfer.
    TransferSettledByPayeeV1 = "TransferSettledByPayee" {
        /// The transfer.
        end_to_end_id: EndToEndId,
        /// The sender: the payee's bank.
        ispb: Ispb,
        /// The payee's account.
        account_id: AccountId,
        /// True when the account could not take it and the bank keeps it in unapplied credits.
        unapplied: bool,
        /// When, by the payee's bank's clock.
        settled_at: Timestamp,
    }
    /// The payer's bank has posted the transfer.
    TransferSettledByPayerV1 = "TransferSettledByPayer" {
        /// The transfer.
        end_to_end_id: EndToEndId,
        /// The sender: the payer's bank.
        ispb: Ispb,
        /// The payer's account.
        account_id: AccountId,
        /// When, by the payer's bank's clock.
        settled_at: Timestamp,
    }
}

/// A side of a transfer within the bank.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SideV1 {
    /// The payer's.
    Debit,
    /// The payee's.
    Credit,
}
