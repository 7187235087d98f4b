//! The public words of this context. They only grow: what breaks a reader is a new type `.v2`.

use schemars::JsonSchema;
use serde::Serialize;
use shared_kernel::application::catalogue::{Channel, Retention};
use shared_kernel::domain::{
    AccountId, Amount, EndToEndId, Ispb, Money, ReasonCode, TaxId, Timestamp,
};

use super::examples;
use crate::domain::EntryId;
use crate::infrastructure::wallet_core::published::{
    ACCOUNTS as WALLET_ACCOUNTS, BALANCES, TRANSACTIONS, WalletAccountCreated,
    WalletBalanceUpdated, WalletTransactionCreated,
};

/// `ce_source` of the banks' events.
pub const SOURCE: &str = "/codepix/banking";
/// What happens on accounts.
pub const ACCOUNTS: Channel = Channel::new("codepix.banking.accounts", "id of the account");
/// What banks tell the hub.
pub const TRANSFERS: Channel =
    Channel::new("codepix.banking.transfers", "EndToEndId of the transfer").kept(Retention::Days30);

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

/// An account was opened.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AccountOpenedV1 {
    /// The account, empty.
    #[serde(flatten)]
    pub account: AccountV1,
    /// Branch of the bank.
    pub branch: String,
    /// Number within the branch.
    pub number: String,
    /// The owner's name.
    pub owner_name: String,
    /// The owner's tax id.
    pub owner_tax_id: TaxId,
    /// What it may send.
    pub limits: LimitsV1,
}

/// No new debits, no new acceptances.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AccountBlockedV1 {
    /// The account.
    #[serde(flatten)]
    pub account: AccountV1,
}

/// The account is active again.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AccountUnblockedV1 {
    /// The account.
    #[serde(flatten)]
    pub account: AccountV1,
}

/// The account is closed for good.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AccountClosedV1 {
    /// The account, empty.
    #[serde(flatten)]
    pub account: AccountV1,
}

/// The account may send other amounts.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AccountLimitsChangedV1 {
    /// The account.
    #[serde(flatten)]
    pub account: AccountV1,
    /// What it may send.
    pub limits: LimitsV1,
}

/// Cash came in.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AmountDepositedV1 {
    /// The account after it.
    #[serde(flatten)]
    pub account: AccountV1,
    /// Ledger entry.
    pub entry_id: EntryId,
    /// How much.
    pub amount: Amount,
}

/// Cash went out.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AmountWithdrawnV1 {
    /// The account after it.
    #[serde(flatten)]
    pub account: AccountV1,
    /// Ledger entry.
    pub entry_id: EntryId,
    /// How much.
    pub amount: Amount,
}

/// An ordered transfer holds its amount.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AmountHeldV1 {
    /// The account after it.
    #[serde(flatten)]
    pub account: AccountV1,
    /// The transfer.
    pub end_to_end_id: EndToEndId,
    /// How much.
    pub amount: Amount,
    /// The key that is paid to.
    pub payee_key: String,
    /// The payee.
    pub counterparty_name: String,
    /// The payee's bank.
    pub counterparty_ispb: Ispb,
    /// What the payer wrote; may be empty.
    pub description: String,
}

/// A transfer did not happen: its hold is gone.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct HoldReleasedV1 {
    /// The account after it.
    #[serde(flatten)]
    pub account: AccountV1,
    /// The transfer.
    pub end_to_end_id: EndToEndId,
    /// How much.
    pub amount: Amount,
    /// Why: ISO 20022 code.
    pub reason_code: ReasonCode,
}

/// A hold became a debit: the transfer is settled.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AccountDebitedV1 {
    /// The account after it.
    #[serde(flatten)]
    pub account: AccountV1,
    /// The transfer.
    pub end_to_end_id: EndToEndId,
    /// Ledger entry.
    pub entry_id: EntryId,
    /// How much.
    pub amount: Amount,
    /// The payee's bank.
    pub counterparty_ispb: Ispb,
    /// The payee.
    pub counterparty_name: String,
    /// What the payer wrote; may be empty.
    pub description: String,
}

/// A settled transfer was credited.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AccountCreditedV1 {
    /// The account after it.
    #[serde(flatten)]
    pub account: AccountV1,
    /// The transfer.
    pub end_to_end_id: EndToEndId,
    /// Ledger entry.
    pub entry_id: EntryId,
    /// How much.
    pub amount: Amount,
    /// The payer's bank.
    pub counterparty_ispb: Ispb,
    /// The payer.
    pub counterparty_name: String,
    /// What the payer wrote; may be empty.
    pub description: String,
}

/// One side of a transfer within the bank; each account has an event of its own.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct BookTransferCompletedV1 {
    /// The account after it.
    #[serde(flatten)]
    pub account: AccountV1,
    /// The transfer.
    pub end_to_end_id: EndToEndId,
    /// Ledger entry.
    pub entry_id: EntryId,
    /// Which side this account is.
    pub side: SideV1,
    /// How much.
    pub amount: Amount,
    /// The other account.
    pub counterparty_account_id: AccountId,
    /// Its owner.
    pub counterparty_name: String,
    /// What the payer wrote; may be empty.
    pub description: String,
}

/// The payer's bank orders a transfer; its amount is held. Repeated until the hub answers.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct TransferRequestedV1 {
    /// The transfer.
    pub end_to_end_id: EndToEndId,
    /// The sender: the payer's bank.
    pub ispb: Ispb,
    /// Who pays.
    pub payer: PartyV1,
    /// Who is paid.
    pub payee: PartyV1,
    /// The key that is paid to.
    pub payee_key: String,
    /// The same as the payee registered it, where that is otherwise; null where it is not.
    pub payee_key_registered_as: Option<String>,
    /// How much.
    pub amount: Amount,
    /// What the payer wrote; may be empty.
    pub description: String,
    /// When, by the payer's bank's clock.
    pub requested_at: Timestamp,
}

/// The payee's bank will credit the transfer once it is settled.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct TransferAcceptedV1 {
    /// The transfer.
    pub end_to_end_id: EndToEndId,
    /// The sender: the payee's bank.
    pub ispb: Ispb,
    /// The account that will be credited.
    pub account_id: AccountId,
    /// When, by the payee's bank's clock.
    pub accepted_at: Timestamp,
}

/// The payee's bank will not credit the transfer.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct TransferRefusedV1 {
    /// The transfer.
    pub end_to_end_id: EndToEndId,
    /// The sender: the payee's bank.
    pub ispb: Ispb,
    /// Why not: ISO 20022 code.
    pub reason_code: ReasonCode,
    /// When, by the payee's bank's clock.
    pub refused_at: Timestamp,
}

/// The payee's bank has posted the transfer.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct TransferSettledByPayeeV1 {
    /// The transfer.
    pub end_to_end_id: EndToEndId,
    /// The sender: the payee's bank.
    pub ispb: Ispb,
    /// The payee's account.
    pub account_id: AccountId,
    /// True when the account could not take it and the bank keeps it in unapplied credits.
    pub unapplied: bool,
    /// When, by the payee's bank's clock.
    pub settled_at: Timestamp,
}

/// The payer's bank has posted the transfer.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct TransferSettledByPayerV1 {
    /// The transfer.
    pub end_to_end_id: EndToEndId,
    /// The sender: the payer's bank.
    pub ispb: Ispb,
    /// The payer's account.
    pub account_id: AccountId,
    /// When, by the payer's bank's clock.
    pub settled_at: Timestamp,
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

shared_kernel::events! {
    /// What the banks publish.
    pub registry Banks of "banking", source SOURCE, types "codepix.banking.";
    AccountOpenedV1 = "AccountOpened" (1, 0) on [ACCOUNTS], example examples::account_opened;
    AccountBlockedV1 = "AccountBlocked" (1, 0) on [ACCOUNTS], example examples::account_blocked;
    AccountUnblockedV1 = "AccountUnblocked" (1, 0) on [ACCOUNTS],
        example examples::account_unblocked;
    AccountClosedV1 = "AccountClosed" (1, 0) on [ACCOUNTS], example examples::account_closed;
    AccountLimitsChangedV1 = "AccountLimitsChanged" (1, 0) on [ACCOUNTS],
        example examples::account_limits_changed;
    AmountDepositedV1 = "AmountDeposited" (1, 0) on [ACCOUNTS], example examples::amount_deposited;
    AmountWithdrawnV1 = "AmountWithdrawn" (1, 0) on [ACCOUNTS], example examples::amount_withdrawn;
    AmountHeldV1 = "AmountHeld" (1, 0) on [ACCOUNTS], example examples::amount_held;
    HoldReleasedV1 = "HoldReleased" (1, 0) on [ACCOUNTS], example examples::hold_released;
    AccountDebitedV1 = "AccountDebited" (1, 0) on [ACCOUNTS], example examples::account_debited;
    AccountCreditedV1 = "AccountCredited" (1, 0) on [ACCOUNTS], example examples::account_credited;
    BookTransferCompletedV1 = "BookTransferCompleted" (1, 0) on [ACCOUNTS],
        example examples::book_transfer_completed;
    TransferRequestedV1 = "TransferRequested" (1, 1) on [TRANSFERS],
        example examples::transfer_requested;
    TransferAcceptedV1 = "TransferAccepted" (1, 0) on [TRANSFERS],
        example examples::transfer_accepted;
    TransferRefusedV1 = "TransferRefused" (1, 0) on [TRANSFERS], example examples::transfer_refused;
    TransferSettledByPayeeV1 = "TransferSettledByPayee" (1, 0) on [TRANSFERS],
        example examples::transfer_settled_by_payee;
    TransferSettledByPayerV1 = "TransferSettledByPayer" (1, 0) on [TRANSFERS],
        example examples::transfer_settled_by_payer;
    WalletTransactionCreated = "WalletTransactionCreated" (1, 0) on [TRANSACTIONS],
        example examples::wallet_transaction_created, foreign "Wallet Core";
    WalletBalanceUpdated = "WalletBalanceUpdated" (1, 0) on [BALANCES],
        example examples::wallet_balance_updated, foreign "Wallet Core";
    WalletAccountCreated = "WalletAccountCreated" (1, 0) on [WALLET_ACCOUNTS],
        example examples::wallet_account_created, foreign "Wallet Core" from "Wallet Core";
}
