//! Examples of what the banks publish, for the catalogue and the contract tests: Maria's account at
//! bank 001 from its opening to its closing, and both sides of her transfer to João at bank 002.
//! The domain decides each, and the code that tells all tells it.

use std::time::Duration;

use shared_kernel::application::Published;
use shared_kernel::application::catalogue::{ExampleError, example_trace};
use shared_kernel::domain::{
    AccountId, Amount, EndToEndId, Ispb, Money, ReasonCode, TaxId, Timestamp, Violation,
};

use super::publish::{of_account, of_transfer};
use crate::application::ports::{Echo as _, Traced};
use crate::domain::{
    Account, AccountEvent, AccountNumber, Branch, EntryId, HubMessage, IncomingTransfer, Limits,
    Opening, OutgoingTransfer, OwnerName, Party, Payment,
};

use crate::infrastructure::wallet_core::published::{
    ACCOUNTS as WALLET_ACCOUNTS, WalletAccountCreated,
};
use crate::infrastructure::wallet_core::{WalletCoreEcho, WalletCoreTopics};

type Example = Result<Published, ExampleError>;

const ENTRY: &str = "0193487f-7a00-7c55-8b1a-5d2f0c9a4e21";

/// So many milliseconds after Maria has ordered her transfer.
fn at(millis: u64) -> Result<Timestamp, Violation> {
    let ordered = Timestamp::parse("2026-11-20T12:00:00Z")?;
    Ok(ordered.saturating_add(Duration::from_millis(millis)))
}

fn opening(ispb: &str, account: &str, owner: (&str, &str)) -> Result<Opening, Violation> {
    Ok(Opening {
        id: AccountId::parse(account)?,
        ispb: Ispb::parse(ispb)?,
        branch: Branch::main(),
        number: AccountNumber::parse("1111")?,
        owner_name: OwnerName::parse(owner.0)?,
        owner_tax_id: TaxId::parse(owner.1)?,
    })
}

fn maria() -> Result<(Account, AccountEvent), Violation> {
    let owner = ("Maria Silva", "52998224725");
    Ok(Account::open(opening("00000001", "6e4635ce-88d1-4e58-9597-d13fc446ee47", owner)?, at(0)?))
}

fn party(ispb: &str, account: &str, owner: (&str, &str)) -> Result<Party, Violation> {
    Ok(Account::open(opening(ispb, account, owner)?, at(0)?).0.party())
}

/// Maria pays João, who is at another bank, or Ana, who is at hers.
fn payment(payee: Party, key: &str, centavos: i64) -> Result<Payment, Violation> {
    let payer = maria()?.0.party();
    Ok(Payment {
        end_to_end_id: EndToEndId::new(payer.ispb, at(0)?, 1),
        payer,
        payee,
        payee_key: key.to_owned(),
        payee_key_registered_as: None,
        amount: Amount::from_centavos(centavos)?,
        description: "rent".to_owned(),
        ordered_at: at(0)?,
        deadline: at(40_000)?,
    })
}

fn to_joao() -> Result<Payment, Violation> {
    let owner = ("João Souza", "11144477735");
    let joao = party("00000002", "103cc632-78e7-4476-ab63-d5ad3a562d26", owner)?;
    payment(joao, "joao@example.com", 10_000)
}

fn to_ana() -> Result<Payment, Violation> {
    let owner = ("Ana Lima", "12345678909");
    let ana = party("00000001", "51a720b2-5144-4d7f-921d-57023b1e24c1", owner)?;
    Ok(Payment {
        end_to_end_id: EndToEndId::new(ana.ispb, at(0)?, 2),
        ..payment(ana, "ana@example.com", 2_500)?
    })
}

/// João pays Maria back.
fn from_joao() -> Result<Payment, Violation> {
    let paid = to_joao()?;
    Ok(Payment {
        end_to_end_id: EndToEndId::new(paid.payee.ispb, at(0)?, 3),
        payee_key: "maria@example.com".to_owned(),
        payer: paid.payee,
        payee: paid.payer,
        amount: Amount::from_centavos(2_500)?,
        description: "half of it back".to_owned(),
        ..to_ana()?
    })
}

/// A step of an account's life.
type Decision<'a> = Box<dyn Fn(&Account) -> Result<Option<AccountEvent>, ExampleError> + 'a>;

/// Everything that may happen to an account, in an order in which it may.
fn life() -> Result<Vec<AccountEvent>, ExampleError> {
    let (mut account, opened) = maria()?;
    let (paid, booked, back) = (to_joao()?, to_ana()?, from_joao()?);
    let entry = EntryId::parse(ENTRY)?;
    let (amount, rest) = (Amount::from_centavos(100_000)?, Amount::from_centavos(90_000)?);
    let limits =
        Limits::new(Some(Money::from_centavos(50_000)), Some(Money::from_centavos(200_000)))?;
    let steps: Vec<Decision<'_>> = vec![
        Box::new(|it| Ok(Some(it.deposit(amount, entry, at(10)?)?))),
        Box::new(|it| Ok(it.set_limits(limits, at(20)?)?)),
        Box::new(|it| Ok(Some(it.hold(&paid, at(30)?)?))),
        Box::new(|it| Ok(Some(it.release(&paid, ReasonCode::Ab03, at(40_000)?)?))),
        Box::new(|it| Ok(Some(it.hold(&paid, at(30)?)?))),
        Box::new(|it| Ok(Some(it.debit(&paid, entry, at(300)?)?))),
        Box::new(|it| Ok(Some(it.credit(&back, entry, at(400)?).map_err(ReasonCode::code)?))),
        Box::new(|it| Ok(Some(it.book_debit(&booked, entry, at(500)?)?))),
        Box::new(|it| Ok(Some(it.withdraw(rest, entry, at(600)?)?))),
        Box::new(|it| Ok(it.block(at(700)?)?)),
        Box::new(|it| Ok(it.unblock(at(800)?)?)),
        Box::new(|it| Ok(it.close(0, at(900)?)?)),
    ];
    let mut events = vec![opened];
    for step in steps {
        let event = step(&account)?.ok_or("a step of the example changes nothing")?;
        account.apply(&event);
        events.push(event);
    }
    Ok(events)
}

/// The first event of that name in Maria's life.
fn of_life(name: &str) -> Example {
    for value in life()? {
        let published = of_account(Traced { value, trace: example_trace()? })?;
        if published.entry().name == name {
            return Ok(published);
        }
    }
    Err(format!("{name} does not happen to the account of the examples").into())
}

/// Examples of accounts, each picked out of the one life.
macro_rules! of_accounts {
    ($($function:ident: $name:literal;)+) => {
        $(pub(super) fn $function() -> Example {
            of_life($name)
        })+
    };
}

of_accounts! {
    account_opened: "AccountOpened";
    account_blocked: "AccountBlocked";
    account_unblocked: "AccountUnblocked";
    account_closed: "AccountClosed";
    account_limits_changed: "AccountLimitsChanged";
    amount_deposited: "AmountDeposited";
    amount_withdrawn: "AmountWithdrawn";
    amount_held: "AmountHeld";
    hold_released: "HoldReleased";
    account_debited: "AccountDebited";
    account_credited: "AccountCredited";
    book_transfer_completed: "BookTransferCompleted";
}

fn told(message: Option<HubMessage>) -> Example {
    let value = message.ok_or("the bank of the example has nothing to tell")?;
    Ok(of_transfer(Traced { value, trace: example_trace()? })?)
}

pub(super) fn transfer_requested() -> Example {
    told(Some(OutgoingTransfer::request(to_joao()?).order()))
}

pub(super) fn transfer_accepted() -> Example {
    told(IncomingTransfer::answer(to_joao()?, None, at(180)?).reply())
}

pub(super) fn transfer_refused() -> Example {
    told(IncomingTransfer::answer(to_joao()?, Some(ReasonCode::Ac06), at(180)?).reply())
}

pub(super) fn transfer_settled_by_payee() -> Example {
    let mut incoming = IncomingTransfer::answer(to_joao()?, None, at(180)?);
    let posted = incoming.settle(None, at(290)?)?.ok_or("it is not settled")?;
    incoming.apply(&posted);
    told(incoming.report())
}

pub(super) fn transfer_settled_by_payer() -> Example {
    let mut outgoing = OutgoingTransfer::request(to_joao()?);
    let posted = outgoing.settle(at(300)?)?.ok_or("it is not settled")?;
    outgoing.apply(&posted);
    told(outgoing.report())
}

/// Both messages of a transfer of Maria's to Ana, were they clients of Wallet Core.
fn wallet() -> Result<[Published; 2], ExampleError> {
    let (mut maria, _) = maria()?;
    let entry = EntryId::parse(ENTRY)?;
    maria.apply(&maria.deposit(Amount::from_centavos(10_000)?, entry, at(10)?)?);
    let payment = to_ana()?;
    let debit = maria.book_debit(&payment, entry, at(500)?)?;
    let owner = ("Ana Lima", "12345678909");
    let (ana, _) =
        Account::open(opening("00000001", "51a720b2-5144-4d7f-921d-57023b1e24c1", owner)?, at(0)?);
    let credit = ana.book_credit(&payment, entry, at(500)?)?;
    let echo = WalletCoreEcho::new(payment.payer.ispb, WalletCoreTopics::default());
    let trace = example_trace()?;
    let events = [debit, credit].map(|value| Traced { value, trace: trace.clone() });
    let told = echo.of(&events)?;
    told.try_into().map_err(|_other| "a transfer has two messages".into())
}

pub(super) fn wallet_transaction_created() -> Example {
    let [transaction, _] = wallet()?;
    Ok(transaction)
}

pub(super) fn wallet_balance_updated() -> Example {
    let [_, balance] = wallet()?;
    Ok(balance)
}

pub(super) fn wallet_account_created() -> Example {
    let body = WalletAccountCreated {
        name: "AccountCreated",
        payload: "912ca3ff-59d4-4640-acd8-76eb1faf0dbe".to_owned(),
    };
    Ok(Published::of(&body, vec![WALLET_ACCOUNTS.topic()], String::new(), 0, example_trace()?)?)
}
