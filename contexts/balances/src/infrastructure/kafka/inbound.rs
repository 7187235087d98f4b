//! Others' events, and of them only what this context needs.

use serde::Deserialize;
use shared_kernel::application::catalogue::Reader;
use shared_kernel::application::envelope::read_payload;
use shared_kernel::application::{Envelope, InboundRecord, Unreadable};
use shared_kernel::domain::{AccountId, Amount, EndToEndId, Ispb, Money, Timestamp, Violation};

use crate::domain::{
    AccountEvent, AccountState, AccountVersion, Counterparty, Funds, Movement, MovementKind, Party,
    TransferParties,
};
use crate::infrastructure::kafka::live;
use crate::infrastructure::wallet_core::words;

/// Every change of every account, keyed by account.
pub const ACCOUNTS_TOPIC: &str = "codepix.banking.accounts";
/// Every change of every transfer, keyed by `EndToEndId`.
pub const TRANSFERS_TOPIC: &str = "codepix.transfers";

/// What Wallet Core tells of balances; the name is a setting.
pub(crate) const WALLET_BALANCES: &str = "balances";
/// What it tells of accounts; the name is a setting.
pub(crate) const WALLET_ACCOUNTS: &str = "accounts";

/// Who publishes on a topic, and what every type of event there begins with.
struct Publisher {
    source: &'static str,
    types: &'static str,
}

const BANKING: Publisher = Publisher { source: "/codepix/banking", types: "codepix.banking." };
const HUB: Publisher = Publisher { source: "/codepix/transfers", types: "codepix.transfers." };

/// The one event that names the owner.
const OPENED: &str = "codepix.banking.AccountOpened.v1";
const DEPOSITED: &str = "codepix.banking.AmountDeposited.v1";
const WITHDRAWN: &str = "codepix.banking.AmountWithdrawn.v1";
const DEBITED: &str = "codepix.banking.AccountDebited.v1";
const CREDITED: &str = "codepix.banking.AccountCredited.v1";
const BOOKED: &str = "codepix.banking.BookTransferCompleted.v1";

/// The consumer group of accounts.
pub(crate) const ACCOUNTS_GROUP: &str = "codepix.balances";
/// The consumer group of transfers: a group of its own, so that a statement never waits for names.
pub(crate) const TRANSFERS_GROUP: &str = "codepix.balances.transfers";
/// The consumer group of Wallet Core's topics.
pub(crate) const WALLET_CORE_GROUP: &str = "codepix.balances.wallet-core";

/// What this context makes of a record: every event of an account states its balance and every
/// event of a transfer its parties, those too that were invented later.
pub const READERS: &[Reader] = &[ACCOUNTS, TRANSFERS, WALLET_CORE, live::READER];

/// The projection of accounts.
pub(crate) const ACCOUNTS: Reader = Reader {
    context: "balances",
    consumer: ACCOUNTS_GROUP,
    channels: &[ACCOUNTS_TOPIC],
    knows: &[OPENED, DEPOSITED, WITHDRAWN, DEBITED, CREDITED, BOOKED],
    read: |record| account_event(record).map(|_event| true),
};
/// The projection of transfers.
pub(crate) const TRANSFERS: Reader = Reader {
    context: "balances",
    consumer: TRANSFERS_GROUP,
    channels: &[TRANSFERS_TOPIC],
    knows: &[],
    read: |record| transfer_event(record).map(|_parties| true),
};
/// The projection of what Wallet Core says, on topics of their usual names.
pub(crate) const WALLET_CORE: Reader = Reader {
    context: "balances",
    consumer: WALLET_CORE_GROUP,
    channels: &[WALLET_BALANCES, WALLET_ACCOUNTS],
    knows: &["codepix.banking.WalletBalanceUpdated.v1", "codepix.banking.WalletAccountCreated.v1"],
    read: |record| words(record, WALLET_ACCOUNTS).map(|words| !words.is_empty()),
};

/// What every event of an account states, whatever happened; types that this context has never
/// heard of too.
#[derive(Clone, Debug, Deserialize)]
pub struct AccountStated {
    /// Which account.
    pub account_id: AccountId,
    /// Its bank.
    pub ispb: Ispb,
    /// What its owner may spend since.
    pub available: Money,
    /// What transfers under way have set aside since.
    pub held: Money,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// Its owner; only the opening says it.
    #[serde(default)]
    pub owner_name: Option<String>,
}

/// Cash that came in or went out.
#[derive(Clone, Debug, Deserialize)]
pub struct CashMoved {
    /// How much.
    pub amount: Amount,
}

/// A settled transfer, on one of its sides.
#[derive(Clone, Debug, Deserialize)]
pub struct TransferPosted {
    /// Which.
    pub end_to_end_id: EndToEndId,
    /// How much.
    pub amount: Amount,
    /// The bank of the other side.
    pub counterparty_ispb: Ispb,
    /// Who that is.
    pub counterparty_name: String,
    /// What the payer wrote; may be empty.
    pub description: String,
}

/// A transfer within the bank, on one of its sides.
#[derive(Clone, Debug, Deserialize)]
pub struct BookTransferPosted {
    /// Which.
    pub end_to_end_id: EndToEndId,
    /// How much.
    pub amount: Amount,
    /// Which side.
    pub side: PostedSide,
    /// The account of the other side.
    pub counterparty_account_id: AccountId,
    /// Who that is.
    pub counterparty_name: String,
    /// What the payer wrote; may be empty.
    pub description: String,
}

/// A side of a transfer within the bank.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PostedSide {
    /// The payer's.
    Debit,
    /// The payee's.
    Credit,
}

/// What every event of a transfer states.
#[derive(Clone, Debug, Deserialize)]
pub struct TransferStated {
    /// Which transfer.
    pub end_to_end_id: EndToEndId,
    /// Who pays.
    pub payer: PartyStated,
    /// Who is paid.
    pub payee: PartyStated,
    /// The key that was paid to.
    pub payee_key: String,
}

/// One side of a transfer.
#[derive(Clone, Debug, Deserialize)]
pub struct PartyStated {
    /// Its bank.
    pub ispb: Ispb,
    /// Its account there.
    pub account_id: AccountId,
    /// Who owns the account.
    pub owner_name: String,
}

/// The envelope of a record that its publisher may have written.
fn envelope_of(record: &InboundRecord, publisher: &Publisher) -> Result<Envelope, Unreadable> {
    let envelope = Envelope::read(record)?;
    if envelope.source == publisher.source && envelope.event_type.starts_with(publisher.types) {
        return Ok(envelope);
    }
    let sentence =
        format!("{} of {} does not belong on this topic", envelope.event_type, envelope.source);
    Err(Unreadable::new("event_misdirected", sentence))
}

/// Refuses an envelope that is about something else than its body.
fn about(envelope: &Envelope, what: &str, id: &str) -> Result<(), Unreadable> {
    if envelope.subject == id {
        return Ok(());
    }
    let sentence =
        format!("the envelope is about {:?}, the body about {what} {id}", envelope.subject);
    Err(Unreadable::new("event_subject", sentence))
}

/// Reads a record as an event of an account.
///
/// # Errors
/// `event_misdirected` for an event of another context, `payload_json` and `envelope_header` for
/// what is no event, `event_subject` when the envelope and the body name different accounts, and
/// the codes of values that no account can have.
pub(crate) fn account_event(record: &InboundRecord) -> Result<AccountEvent, Unreadable> {
    let envelope = envelope_of(record, &BANKING)?;
    let stated: AccountStated = read_payload(record)?;
    about(&envelope, "account", &stated.account_id.to_string())?;
    let opened = envelope.event_type == OPENED;
    if opened && stated.owner_name.is_none() {
        return Err(Unreadable::new("payload_json", "the body lacks owner_name"));
    }
    let state = AccountState {
        version: AccountVersion::new(envelope.aggregate_version)
            .map_err(|broken| unfit(&broken))?,
        funds: Funds::new(stated.available, stated.held).map_err(|broken| unfit(&broken))?,
        occurred_at: stated.occurred_at,
    };
    Ok(AccountEvent {
        account_id: stated.account_id,
        ispb: stated.ispb,
        owner_name: stated.owner_name.filter(|_| opened),
        state,
        movement: movement(record, &envelope.event_type, stated.ispb)?,
    })
}

/// The money that an event moved. Types that this context has never heard of state balances and
/// move nothing that a statement could name.
fn movement(
    record: &InboundRecord,
    event_type: &str,
    own_bank: Ispb,
) -> Result<Option<Movement>, Unreadable> {
    let moved = match event_type {
        DEPOSITED => cash(record, MovementKind::Deposit)?,
        WITHDRAWN => cash(record, MovementKind::Withdrawal)?,
        DEBITED => transfer(record, MovementKind::TransferSent)?,
        CREDITED => transfer(record, MovementKind::TransferReceived)?,
        BOOKED => book_transfer(record, own_bank)?,
        _ => return Ok(None),
    };
    Ok(Some(moved))
}

fn cash(record: &InboundRecord, kind: MovementKind) -> Result<Movement, Unreadable> {
    let CashMoved { amount } = read_payload(record)?;
    let (counterparty, description) = (Counterparty::default(), String::new());
    Ok(Movement { kind, amount, end_to_end_id: None, counterparty, description })
}

fn transfer(record: &InboundRecord, kind: MovementKind) -> Result<Movement, Unreadable> {
    let posted: TransferPosted = read_payload(record)?;
    Ok(Movement {
        kind,
        amount: posted.amount,
        end_to_end_id: Some(posted.end_to_end_id),
        counterparty: Counterparty {
            ispb: Some(posted.counterparty_ispb),
            account_id: None,
            name: Some(posted.counterparty_name),
        },
        description: posted.description,
    })
}

fn book_transfer(record: &InboundRecord, own_bank: Ispb) -> Result<Movement, Unreadable> {
    let posted: BookTransferPosted = read_payload(record)?;
    Ok(Movement {
        kind: match posted.side {
            PostedSide::Debit => MovementKind::BookTransferSent,
            PostedSide::Credit => MovementKind::BookTransferReceived,
        },
        amount: posted.amount,
        end_to_end_id: Some(posted.end_to_end_id),
        counterparty: Counterparty {
            ispb: Some(own_bank),
            account_id: Some(posted.counterparty_account_id),
            name: Some(posted.counterparty_name),
        },
        description: posted.description,
    })
}

/// Reads a record as an event of a transfer, whatever happened to it.
///
/// # Errors
/// As [`account_event`].
pub(crate) fn transfer_event(record: &InboundRecord) -> Result<TransferParties, Unreadable> {
    let envelope = envelope_of(record, &HUB)?;
    let TransferStated { end_to_end_id, payer, payee, payee_key } = read_payload(record)?;
    about(&envelope, "transfer", end_to_end_id.as_str())?;
    let party =
        |PartyStated { ispb, account_id, owner_name }| Party { ispb, account_id, owner_name };
    Ok(TransferParties { end_to_end_id, payer: party(payer), payee: party(payee), payee_key })
}

fn unfit(broken: &Violation) -> Unreadable {
    Unreadable::new(broken.code(), broken.message())
}
