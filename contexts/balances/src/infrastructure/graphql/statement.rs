//! Lines of a statement.

use async_graphql::connection::{Connection, ConnectionNameType, Edge, EdgeNameType, EmptyFields};
use async_graphql::{Enum, OutputType, SimpleObject};
use shared_kernel::application::Page;
use shared_kernel::infrastructure::graphql::{DateTime, Money, connection};

use super::account::Account;
use super::stubs::{Bank, PixKey, Transfer};
use crate::application::ports::StatementLine as Line;
use crate::domain;

/// How money moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::MovementKind")]
pub(super) enum StatementLineKind {
    /// Cash came in.
    Deposit,
    /// Cash went out.
    Withdrawal,
    /// A settled transfer to another bank left.
    TransferSent,
    /// A settled transfer of another bank arrived.
    TransferReceived,
    /// A transfer within the bank left.
    BookTransferSent,
    /// A transfer within the bank arrived.
    BookTransferReceived,
}

/// Whether money came or went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::Direction")]
pub(super) enum StatementLineDirection {
    /// It came.
    Credit,
    /// It went.
    Debit,
}

/// Who stood on the other side of a movement, as far as it is known.
#[derive(SimpleObject)]
pub(super) struct StatementCounterparty {
    /// Their name.
    name: Option<String>,
    /// Their bank.
    bank: Option<Bank>,
    /// Their account; of a transfer through the hub, once the hub has told who it is.
    account: Option<Account>,
}

/// Money that came to the account or went from it.
#[derive(SimpleObject)]
pub(super) struct StatementLine {
    /// Version of the account after it.
    version: i64,
    /// When it happened, by the bank's clock; where that stood back, the latest time before.
    occurred_at: DateTime,
    /// How the money moved.
    kind: StatementLineKind,
    /// Whether it came or went.
    direction: StatementLineDirection,
    /// How much.
    amount: Money,
    /// What the account had after it, held amounts included.
    balance: Money,
    /// Who stood on the other side; cash has nobody there.
    counterparty: Option<StatementCounterparty>,
    /// The transfer that moved it; null for cash and for what stayed inside the bank.
    transfer: Option<Transfer>,
    /// The key that was paid to; null where there was none.
    payee_key: Option<PixKey>,
    /// What the payer wrote; may be empty.
    description: String,
}

impl From<Line> for StatementLine {
    fn from(line: Line) -> Self {
        let transfer = line.hub_transfer().map(Transfer::from);
        let Line { state, movement, payee_key } = line;
        let domain::Counterparty { ispb, account_id, name } = movement.counterparty;
        let known = ispb.is_some() || account_id.is_some() || name.is_some();
        let counterparty = known.then(|| StatementCounterparty {
            name,
            bank: ispb.map(Bank::from),
            account: account_id.map(Account::new),
        });
        Self {
            version: state.version.number(),
            occurred_at: state.occurred_at.into(),
            kind: movement.kind.into(),
            direction: movement.kind.direction().into(),
            amount: movement.amount.into(),
            balance: state.funds.total().into(),
            counterparty,
            transfer,
            payee_key: payee_key.map(PixKey::new),
            description: movement.description,
        }
    }
}

/// The name of a statement as a connection.
pub(super) struct StatementName;

impl ConnectionNameType for StatementName {
    fn type_name<T: OutputType>() -> String {
        "StatementConnection".to_owned()
    }
}

impl EdgeNameType for StatementName {
    fn type_name<T: OutputType>() -> String {
        "StatementEdge".to_owned()
    }
}

/// A page of a statement.
pub(super) type Statement =
    Connection<String, StatementLine, EmptyFields, EmptyFields, StatementName, StatementName>;

/// Lines with their cursors.
pub(super) fn statement(page: Page<Line>, after: bool) -> Statement {
    let shown = connection(page, after, Line::place, StatementLine::from);
    let mut named = Connection::new(shown.has_previous_page, shown.has_next_page);
    named.edges.extend(shown.edges.into_iter().map(|edge| Edge::new(edge.cursor, edge.node)));
    named
}
