//! An account as the directory knows it: told by its bank, or enrolled by an operator.
//!
//! What a bank tells may come twice, late or out of order, so each piece of news carries the
//! version of the account after it, and a lower version changes nothing. News of an account that
//! was never opened here is kept too: the opening may still come, redriven from dead letters, and
//! then finds the state that it missed.

use shared_kernel::domain::{AccountId, Ispb, Violation};

use super::error::{account_id_taken, account_of_another_bank};
use super::{AccountDetails, AccountStatus};

/// Version of an account that an operator enrolled: anything that a bank tells is newer.
const ENROLLED: i64 = 0;

/// What a bank tells of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountNews {
    /// Which account.
    pub account_id: AccountId,
    /// The bank that tells.
    pub ispb: Ispb,
    /// Version of the account after this.
    pub version: i64,
    /// What happened.
    pub fact: AccountFact,
}

/// What can happen to an account, as far as the directory cares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountFact {
    /// It was opened.
    Opened(AccountDetails),
    /// It was blocked.
    Blocked,
    /// It is active again.
    Unblocked,
    /// It was closed, for ever.
    Closed,
}

/// An account of some bank. Its bank never changes, and neither does its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    id: AccountId,
    ispb: Ispb,
    details: Option<AccountDetails>,
    status: AccountStatus,
    version: i64,
}

impl Account {
    /// An account whose books are kept outside of this hub.
    pub const fn enrolled(id: AccountId, ispb: Ispb, details: AccountDetails) -> Self {
        let status = AccountStatus::Active;
        Self { id, ispb, details: Some(details), status, version: ENROLLED }
    }

    /// An account that was not known before this news.
    pub fn first_told(news: AccountNews) -> Self {
        let AccountNews { account_id: id, ispb, version, fact } = news;
        let (details, status) = match fact {
            AccountFact::Opened(details) => (Some(details), AccountStatus::Active),
            AccountFact::Unblocked => (None, AccountStatus::Active),
            AccountFact::Blocked => (None, AccountStatus::Blocked),
            AccountFact::Closed => (None, AccountStatus::Closed),
        };
        Self { id, ispb, details, status, version }
    }

    /// An account as it was stored.
    pub const fn stored(
        (id, ispb): (AccountId, Ispb),
        details: Option<AccountDetails>,
        status: AccountStatus,
        version: i64,
    ) -> Self {
        Self { id, ispb, details, status, version }
    }

    /// Takes news in. True when something changed.
    ///
    /// # Errors
    /// `account_of_another_bank`, or `account_id_taken` when the news is of an opening for
    /// another owner. Nothing changes then.
    pub fn hear(&mut self, news: AccountNews) -> Result<bool, Violation> {
        if news.ispb != self.ispb {
            return Err(account_of_another_bank());
        }
        let is_newer = news.version > self.version;
        let status = match news.fact {
            AccountFact::Opened(details) => {
                let missed = self.details.is_none();
                if !missed && !is_newer {
                    return Ok(false);
                }
                let owner = |details: &AccountDetails| details.owner.tax_id;
                if self.details.as_ref().is_some_and(|known| owner(known) != owner(&details)) {
                    return Err(account_id_taken());
                }
                self.details = Some(details);
                if !is_newer {
                    return Ok(true);
                }
                AccountStatus::Active
            }
            AccountFact::Unblocked => AccountStatus::Active,
            AccountFact::Blocked => AccountStatus::Blocked,
            AccountFact::Closed => AccountStatus::Closed,
        };
        if is_newer {
            // Closed is final: what is newer still moves the version and nothing else.
            self.status = self.status.then(status);
            self.version = news.version;
        }
        Ok(is_newer)
    }

    /// Answers an enrolment of an account that exists.
    ///
    /// # Errors
    /// `account_id_taken` unless it has this very content.
    pub fn enrol_again(&self, ispb: Ispb, details: &AccountDetails) -> Result<(), Violation> {
        let is_same = self.ispb == ispb && self.details.as_ref() == Some(details);
        if is_same { Ok(()) } else { Err(account_id_taken()) }
    }

    /// Its id.
    pub const fn id(&self) -> AccountId {
        self.id
    }

    /// Its bank.
    pub const fn ispb(&self) -> Ispb {
        self.ispb
    }

    /// What is known of it; nothing while its opening has not come.
    pub const fn details(&self) -> Option<&AccountDetails> {
        self.details.as_ref()
    }

    /// Its state.
    pub const fn status(&self) -> AccountStatus {
        self.status
    }

    /// Version of the last news that was taken in.
    pub const fn version(&self) -> i64 {
        self.version
    }
}

impl AccountStatus {
    /// The next state; a closed account stays closed.
    const fn then(self, next: Self) -> Self {
        match self {
            Self::Closed => Self::Closed,
            Self::Active | Self::Blocked => next,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use shared_kernel::domain::TaxId;

    use super::*;
    use crate::domain::{Owner, OwnerName};

    const ID: &str = "6e4635ce-88d1-4e58-9597-d13fc446ee47";

    fn ispb(text: &str) -> Ispb {
        Ispb::parse(text).unwrap()
    }

    fn details(tax_id: &str) -> AccountDetails {
        let owner = Owner {
            name: OwnerName::parse("Maria").unwrap(),
            tax_id: TaxId::parse(tax_id).unwrap(),
        };
        AccountDetails { branch: "0001".into(), number: "1111".into(), owner }
    }

    fn opened() -> AccountFact {
        AccountFact::Opened(details("12345678909"))
    }

    fn news(version: i64, fact: AccountFact) -> AccountNews {
        let account_id = AccountId::parse(ID).unwrap();
        AccountNews { account_id, ispb: ispb("00000001"), version, fact }
    }

    fn told(history: &[AccountNews]) -> Option<Account> {
        let mut account: Option<Account> = None;
        for news in history {
            match &mut account {
                Some(account) => drop(account.hear(news.clone()).unwrap()),
                None => account = Some(Account::first_told(news.clone())),
            }
        }
        account
    }

    /// Opening, then blocks and unblocks in turn, then perhaps the end; versions with gaps.
    fn history(blocks: usize, closes: bool) -> Vec<AccountNews> {
        let turns = [AccountFact::Blocked, AccountFact::Unblocked].into_iter().cycle().take(blocks);
        let facts = std::iter::once(opened()).chain(turns);
        facts
            .chain(closes.then_some(AccountFact::Closed))
            .zip((1..).step_by(3))
            .map(|(fact, version)| news(version, fact))
            .collect()
    }

    #[test]
    fn an_account_follows_what_its_bank_tells() {
        let mut account = Account::first_told(news(1, opened()));
        assert_eq!(account.status(), AccountStatus::Active);
        assert_eq!(account.details(), Some(&details("12345678909")));
        assert!(account.hear(news(2, AccountFact::Blocked)).unwrap());
        assert_eq!(account.status(), AccountStatus::Blocked);
        assert!(account.hear(news(5, AccountFact::Unblocked)).unwrap());
        assert_eq!((account.status(), account.version()), (AccountStatus::Active, 5));
        assert!(account.hear(news(6, AccountFact::Closed)).unwrap());
        assert_eq!(account.status(), AccountStatus::Closed);
    }

    #[test]
    fn old_news_and_repeats_change_nothing() {
        let account = told(&history(1, false)).unwrap();
        for old in [news(1, opened()), news(3, AccountFact::Unblocked), news(4, opened())] {
            let mut again = account.clone();
            assert!(!again.hear(old).unwrap());
            assert_eq!(again, account);
        }
    }

    #[test]
    fn a_closed_account_never_opens_again() {
        let mut account = told(&history(0, true)).unwrap();
        for (version, fact) in [(8, AccountFact::Unblocked), (9, opened())] {
            assert!(account.hear(news(version, fact)).unwrap());
            assert_eq!((account.status(), account.version()), (AccountStatus::Closed, version));
        }
    }

    #[test]
    fn an_opening_that_comes_last_finds_the_state_that_it_missed() {
        let mut account = Account::first_told(news(3, AccountFact::Closed));
        assert_eq!(account.details(), None);
        assert!(account.hear(news(1, opened())).unwrap());
        assert_eq!((account.status(), account.version()), (AccountStatus::Closed, 3));
        assert!(account.details().is_some());
    }

    #[test]
    fn another_bank_or_another_owner_is_refused() {
        let account = Account::enrolled(
            AccountId::parse(ID).unwrap(),
            ispb("00000001"),
            details("12345678909"),
        );
        let mut heard = account.clone();
        let stranger = AccountNews { ispb: ispb("00000002"), ..news(9, AccountFact::Closed) };
        assert_eq!(heard.hear(stranger).unwrap_err().code(), "account_of_another_bank");
        let other = news(9, AccountFact::Opened(details("52998224725")));
        assert_eq!(heard.hear(other).unwrap_err().code(), "account_id_taken");
        assert_eq!(heard, account);
    }

    #[test]
    fn a_bank_may_take_over_the_books_of_an_enrolled_account() {
        let id = AccountId::parse(ID).unwrap();
        let mut account = Account::enrolled(id, ispb("00000001"), details("12345678909"));
        let moved = AccountDetails { number: "9".into(), ..details("12345678909") };
        assert!(account.hear(news(1, AccountFact::Opened(moved.clone()))).unwrap());
        assert_eq!((account.details(), account.version()), (Some(&moved), 1));
    }

    #[test]
    fn enrolling_again_asks_for_the_very_same_content() {
        let id = AccountId::parse(ID).unwrap();
        let mine = details("12345678909");
        let account = Account::enrolled(id, ispb("00000001"), mine.clone());
        account.enrol_again(ispb("00000001"), &mine).unwrap();
        let renamed = AccountDetails {
            owner: Owner { name: OwnerName::parse("Ana").unwrap(), ..mine.owner.clone() },
            ..mine.clone()
        };
        let others = [
            (ispb("00000002"), mine.clone()),
            (ispb("00000001"), renamed),
            (ispb("00000001"), AccountDetails { branch: String::new(), ..mine.clone() }),
            (ispb("00000001"), AccountDetails { number: "2".into(), ..mine }),
        ];
        for (ispb, details) in others {
            let broken = account.enrol_again(ispb, &details).unwrap_err();
            assert_eq!(broken.code(), "account_id_taken");
        }
        let unopened = Account::first_told(news(2, AccountFact::Blocked));
        let broken = unopened.enrol_again(ispb("00000001"), &details("12345678909")).unwrap_err();
        assert_eq!(broken.code(), "account_id_taken");
    }

    proptest! {
        #[test]
        fn any_order_with_repeats_ends_where_the_right_order_does(
            blocks in 0_usize..5,
            closes: bool,
            order in prop::collection::vec(any::<prop::sample::Index>(), 0..30),
        ) {
            let history = history(blocks, closes);
            let straight = told(&history).unwrap();
            let shuffled: Vec<AccountNews> = order
                .iter()
                .map(|index| index.get(&history).clone())
                .chain(history.iter().rev().cloned())
                .collect();
            prop_assert_eq!(told(&shuffled).unwrap(), straight);
        }
    }
}
