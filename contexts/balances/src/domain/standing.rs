//! Whose word counts of an account: its bank's, or that of a program beside the hub.
//!
//! Such a program may speak of accounts that some bank of the hub knows too. Its word counts until
//! the bank has told of more than the opening and the opening balance: from then on the books are
//! there. So an account that both were given at their start follows that program until its money
//! is moved here.

use shared_kernel::domain::{AccountId, Ispb, Money, Timestamp};

use super::{AccountBalance, AccountState, AccountVersion, Funds, MovementKind};

/// What an account is since the newest word that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// As its bank says.
    Banked(AccountState),
    /// As a program beside the hub says.
    External(ExternalState),
}

/// What a program beside the hub says of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExternalState {
    /// What the account has; nothing of it is held.
    pub balance: Money,
    /// Time of the record.
    pub said_at: Timestamp,
    /// Partition and offset of the record; none where only the opening or a fixture is known.
    pub place: Option<(i32, i64)>,
}

impl ExternalState {
    /// Whether it may count of an account that a bank knows. An opening and a fixture say what an
    /// account begins with, and there its bank says that.
    pub const fn counts_beside_a_bank(&self) -> bool {
        self.place.is_some()
    }
}

/// What a bank says of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BankState {
    /// What the account is since the newest event.
    pub state: AccountState,
    /// How money moved in that event, if it did.
    pub movement: Option<MovementKind>,
}

impl BankState {
    /// Whether the bank has told of more than the opening and the opening balance, which is a
    /// deposit right after it.
    fn is_beyond_opening(&self) -> bool {
        match self.state.version.number() {
            1 => false,
            2 => self.movement != Some(MovementKind::Deposit),
            _ => true,
        }
    }
}

impl Standing {
    /// What counts of what both say; none when neither says anything.
    pub fn of(bank: Option<BankState>, external: Option<ExternalState>) -> Option<Self> {
        let Some(bank) = bank else { return external.map(Self::External) };
        let external = external.filter(ExternalState::counts_beside_a_bank);
        let external = external.filter(|_| !bank.is_beyond_opening());
        Some(external.map_or(Self::Banked(bank.state), Self::External))
    }

    /// The money.
    pub fn funds(&self) -> Funds {
        match self {
            Self::Banked(state) => state.funds,
            Self::External(said) => Funds::unheld(said.balance),
        }
    }

    /// Since when it is so, by the clock of who says it.
    pub const fn since(&self) -> Timestamp {
        match self {
            Self::Banked(state) => state.occurred_at,
            Self::External(said) => said.said_at,
        }
    }

    /// The version that the amounts belong to; other programs' words have none.
    pub const fn version(&self) -> Option<AccountVersion> {
        match self {
            Self::Banked(state) => Some(state.version),
            Self::External(_) => None,
        }
    }
}

/// An account as it is shown, now or at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeenBalance {
    /// Which account.
    pub account_id: AccountId,
    /// What it has, or had.
    pub standing: Standing,
    /// Whether no bank of the hub knows it.
    pub external: bool,
}

/// An account as it is known here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownBalance {
    account_id: AccountId,
    bank: Option<AccountBalance>,
    standing: Standing,
}

impl KnownBalance {
    /// An account of which its bank, a program beside the hub or both have spoken; `movement` is
    /// that of the bank's newest event.
    pub fn of(
        account_id: AccountId,
        bank: Option<(AccountBalance, Option<MovementKind>)>,
        external: Option<ExternalState>,
    ) -> Option<Self> {
        let said = bank.as_ref();
        let said = said.map(|(it, movement)| BankState { state: it.shown(), movement: *movement });
        let standing = Standing::of(said, external)?;
        Some(Self { account_id, bank: bank.map(|(balance, _)| balance), standing })
    }

    /// Which account.
    pub const fn account_id(&self) -> AccountId {
        self.account_id
    }

    /// Its bank, unless it is external.
    pub fn ispb(&self) -> Option<Ispb> {
        self.bank.as_ref().map(AccountBalance::ispb)
    }

    /// Its owner, once a bank's opening has arrived.
    pub fn owner_name(&self) -> Option<&str> {
        self.bank.as_ref().and_then(AccountBalance::owner_name)
    }

    /// The highest version that arrived of its bank.
    pub fn version(&self) -> Option<AccountVersion> {
        self.bank.as_ref().map(AccountBalance::version)
    }

    /// What counts.
    pub const fn standing(&self) -> &Standing {
        &self.standing
    }

    /// Its bank's side, unless it is external.
    pub const fn bank(&self) -> Option<&AccountBalance> {
        self.bank.as_ref()
    }

    /// Whether no bank of the hub knows it.
    pub const fn is_external(&self) -> bool {
        self.bank.is_none()
    }

    /// As it is shown.
    pub const fn seen(&self) -> SeenBalance {
        let external = self.is_external();
        SeenBalance { account_id: self.account_id, standing: self.standing, external }
    }
}

impl From<AccountBalance> for KnownBalance {
    fn from(bank: AccountBalance) -> Self {
        let standing = Standing::Banked(bank.shown());
        Self { account_id: bank.account_id(), bank: Some(bank), standing }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::{account, event};

    fn said(centavos: i64) -> ExternalState {
        let balance = Money::from_centavos(centavos);
        ExternalState { balance, said_at: Timestamp::EPOCH, place: Some((0, 7)) }
    }

    fn bank(version: i64, movement: Option<MovementKind>) -> BankState {
        BankState { state: event(1, version).state, movement }
    }

    #[test]
    fn a_bank_alone_is_believed() {
        let opened = bank(1, None);
        assert_eq!(Standing::of(Some(opened), None), Some(Standing::Banked(opened.state)));
        assert_eq!(Standing::of(None, None), None);
    }

    #[test]
    fn another_program_is_believed_until_the_bank_moves_money_of_its_own() {
        use MovementKind::{BookTransferReceived, Deposit};
        let external = |bank| match Standing::of(bank, Some(said(90))) {
            Some(Standing::External(told)) => told == said(90),
            Some(Standing::Banked(_)) | None => false,
        };
        assert!(external(None));
        assert!(external(Some(bank(1, None))), "the opening");
        assert!(external(Some(bank(2, Some(Deposit)))), "the opening balance");
        assert!(!external(Some(bank(2, Some(BookTransferReceived)))), "money of another account");
        assert!(!external(Some(bank(2, None))), "a block, say");
        assert!(!external(Some(bank(3, Some(Deposit)))), "a further deposit");
    }

    #[test]
    fn an_opening_and_a_fixture_never_take_a_bank_s_opening_balance_away() {
        let opening = ExternalState { place: None, ..said(0) };
        for version in 1..4 {
            let bank = bank(version, Some(MovementKind::Deposit));
            let standing = Standing::of(Some(bank), Some(opening));
            assert_eq!(standing, Some(Standing::Banked(bank.state)));
        }
        assert_eq!(Standing::of(None, Some(opening)), Some(Standing::External(opening)));
    }

    #[test]
    fn another_programs_word_has_an_amount_and_a_time_and_no_version() {
        let standing = Standing::External(said(90));
        let funds = standing.funds();
        let amounts = [funds.available(), funds.held(), funds.total()].map(Money::centavos);
        assert_eq!(amounts, [90, 0, 90]);
        assert_eq!((standing.version(), standing.since()), (None, Timestamp::EPOCH));
        let known = KnownBalance::of(account(1), None, Some(said(90))).unwrap();
        assert!(known.is_external() && known.ispb().is_none());
    }
}
