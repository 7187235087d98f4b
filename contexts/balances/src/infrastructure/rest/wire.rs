//! The JSON of the answers.

use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use shared_kernel::application::Page;
use shared_kernel::domain::{AccountId, EndToEndId, Ispb, Money, Timestamp, Violation};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::application::ports::StatementLine;
use crate::domain::{AccountVersion, Counterparty, SeenBalance};

/// Money as a JSON number with exactly two decimals, written digit by digit and never a float.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Number(Money);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let digits = RawValue::from_string(self.0.to_string()).map_err(S::Error::custom)?;
        digits.serialize(serializer)
    }
}

impl PartialSchema for Number {
    fn schema() -> RefOr<Schema> {
        let about = "Brazilian reals, with two decimals: read the digits, not a float.";
        ObjectBuilder::new()
            .schema_type(Type::Number)
            .description(Some(about))
            .examples(serde_json::from_str::<serde_json::Value>("1234.50"))
            .into()
    }
}

impl ToSchema for Number {
    fn name() -> std::borrow::Cow<'static, str> {
        "Money".into()
    }
}

/// What an account has, or had at an instant.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "Wallet Core calls it so")]
pub(super) struct Balance {
    /// The account.
    #[schema(value_type = String, format = "uuid")]
    account_id: AccountId,
    /// What it has, held amounts included.
    balance: Number,
    /// What the owner may spend.
    available: Number,
    /// What transfers under way have set aside.
    held: Number,
    /// Available and held.
    total: Number,
    /// Version of the account that these amounts belong to; each of its events adds 1. Null where
    /// the amounts are the word of a program beside the hub.
    #[schema(minimum = 1)]
    version: Option<i64>,
    /// When the bank changed the account to that version, or the latest time before where its clock
    /// stood back; or when that program said so.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    /// Whether no bank of the hub knows the account.
    external: bool,
}

impl Balance {
    pub(super) fn new(seen: &SeenBalance) -> Self {
        let SeenBalance { account_id, standing, external } = seen;
        let funds = standing.funds();
        let total = Number(funds.total());
        Self {
            account_id: *account_id,
            balance: total,
            available: Number(funds.available()),
            held: Number(funds.held()),
            total,
            version: standing.version().map(AccountVersion::number),
            updated_at: standing.since(),
            external: *external,
        }
    }
}

/// The balances that were asked for.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Balances {
    /// Those that there are, in the order of the question.
    pub(super) balances: Vec<Balance>,
    /// The accounts that have none to show, each with its reason.
    pub(super) absent: Vec<Absent>,
}

/// An account without a balance to show.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Absent {
    /// The account.
    #[schema(value_type = String, format = "uuid")]
    account_id: AccountId,
    /// The stable code of the reason.
    #[schema(example = "balance_unknown")]
    code: &'static str,
    /// The reason as a sentence.
    detail: String,
}

impl Absent {
    pub(super) fn new(account_id: AccountId, broken: &Violation) -> Self {
        Self { account_id, code: broken.code(), detail: broken.message().to_owned() }
    }
}

/// A page of a statement, newest first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Statement {
    /// The account.
    #[schema(value_type = String, format = "uuid")]
    account_id: AccountId,
    /// What moved its money.
    lines: Vec<Line>,
    /// For `after`, to read on; null on the last page.
    next: Option<String>,
}

/// Money that came or went.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct Line {
    /// Version of the account after it.
    version: i64,
    /// When it happened, by the bank's clock; where that stood back, the latest time before.
    #[schema(value_type = String, format = DateTime)]
    occurred_at: Timestamp,
    /// `deposit`, `withdrawal`, `transfer_sent`, `transfer_received`, `book_transfer_sent` or
    /// `book_transfer_received`.
    #[schema(example = "transfer_sent")]
    kind: &'static str,
    /// `credit` or `debit`.
    #[schema(example = "debit")]
    direction: &'static str,
    /// How much.
    amount: Number,
    /// What the account had after it, held amounts included.
    balance: Number,
    /// Who stood on the other side; null for cash.
    counterparty: Option<OtherSide>,
    /// The transfer that moved it; null for cash.
    #[schema(value_type = Option<String>)]
    end_to_end_id: Option<EndToEndId>,
    /// The key that was paid to, of a transfer through the hub.
    payee_key: Option<String>,
    /// What the payer wrote; may be empty.
    description: String,
}

/// Who stood on the other side of a movement, as far as it is known.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct OtherSide {
    /// Their name.
    name: Option<String>,
    /// Their bank.
    #[schema(value_type = Option<String>)]
    ispb: Option<Ispb>,
    /// Their account.
    #[schema(value_type = Option<String>, format = "uuid")]
    account_id: Option<AccountId>,
}

impl From<Counterparty> for Option<OtherSide> {
    fn from(other: Counterparty) -> Self {
        let known = other != Counterparty::default();
        let Counterparty { ispb, account_id, name } = other;
        known.then_some(OtherSide { name, ispb, account_id })
    }
}

impl From<StatementLine> for Line {
    fn from(line: StatementLine) -> Self {
        let StatementLine { state, movement, payee_key } = line;
        Self {
            version: state.version.number(),
            occurred_at: state.occurred_at,
            kind: movement.kind.as_str(),
            direction: movement.kind.direction().as_str(),
            amount: Number(movement.amount.money()),
            balance: Number(state.funds.total()),
            counterparty: movement.counterparty.into(),
            end_to_end_id: movement.end_to_end_id,
            payee_key,
            description: movement.description,
        }
    }
}

impl Statement {
    pub(super) fn new(account_id: AccountId, page: Page<StatementLine>) -> Self {
        use shared_kernel::application::Place;
        let next = page.next(StatementLine::place).map(|place| place.token());
        let lines = page.rows.into_iter().map(Line::from).collect();
        Self { account_id, lines, next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::{account, event};
    use crate::domain::{ExternalState, Standing};

    #[test]
    fn a_balance_is_in_wallet_cores_shape_first_and_its_numbers_are_exact() {
        let mut state = event(1, 3).state;
        let centavos = Money::from_centavos;
        state.funds =
            crate::domain::Funds::new(centavos(9_007_199_254_740_993), centavos(90)).unwrap();
        let standing = Standing::Banked(state);
        let seen = SeenBalance { account_id: account(1), standing, external: false };
        let json = serde_json::to_string(&Balance::new(&seen)).unwrap();
        let expected = "{\"account_id\":\"00000000-0000-0000-0000-000000000001\",\
            \"balance\":90071992547410.83,\"available\":90071992547409.93,\"held\":0.90,\
            \"total\":90071992547410.83,\"version\":3,\
            \"updated_at\":\"1970-01-01T00:00:00.000003Z\",\"external\":false}";
        assert_eq!(json, expected);
    }

    #[test]
    fn the_word_of_another_program_has_no_version() {
        let said = ExternalState {
            balance: Money::from_centavos(9_000),
            said_at: Timestamp::EPOCH,
            place: Some((0, 7)),
        };
        let standing = Standing::External(said);
        let seen = SeenBalance { account_id: account(1), standing, external: true };
        let json = serde_json::to_string(&Balance::new(&seen)).unwrap();
        let expected = "{\"account_id\":\"00000000-0000-0000-0000-000000000001\",\
            \"balance\":90.00,\"available\":90.00,\"held\":0.00,\"total\":90.00,\
            \"version\":null,\"updated_at\":\"1970-01-01T00:00:00.000000Z\",\"external\":true}";
        assert_eq!(json, expected);
    }
}
