//! Lists of this context: what is asked for, and behind which row a page begins.

use std::future::Future;

use shared_kernel::application::{Caller, Page, PageSize, Period, Place, StoreError};
use shared_kernel::domain::{AccountId, EndToEndId, Ispb, Timestamp};

use super::ports::Outcome;
use super::views::{AccountView, Direction, HoldView, ShownState, StatementLine, TransferView};
use crate::domain::AccountStatus;

/// Where an account stands among those of its bank: oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountPlace {
    /// When it was opened.
    pub opened_at: Timestamp,
    /// Its id.
    pub id: AccountId,
}

/// Where a transfer, or its hold, stands among those of an account: newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransferPlace {
    /// When it was ordered.
    pub requested_at: Timestamp,
    /// Its id.
    pub id: EndToEndId,
}

/// Where a posting stands among those of an account, newest first: the account's version after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PostingPlace(pub i64);

fn write(at: Timestamp, id: &impl ToString) -> String {
    format!("{}.{}", at.micros(), id.to_string())
}

fn read(text: &str) -> Option<(Timestamp, &str)> {
    let (micros, id) = text.split_once('.')?;
    Some((Timestamp::from_micros(micros.parse().ok()?).ok()?, id))
}

impl Place for AccountPlace {
    fn write(&self) -> String {
        write(self.opened_at, &self.id)
    }

    fn read(text: &str) -> Option<Self> {
        let (opened_at, id) = read(text)?;
        Some(Self { opened_at, id: AccountId::parse(id).ok()? })
    }
}

impl Place for TransferPlace {
    fn write(&self) -> String {
        write(self.requested_at, &self.id)
    }

    fn read(text: &str) -> Option<Self> {
        let (requested_at, id) = read(text)?;
        Some(Self { requested_at, id: EndToEndId::parse(id).ok()? })
    }
}

impl Place for PostingPlace {
    fn write(&self) -> String {
        self.0.to_string()
    }

    fn read(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }
}

impl From<&AccountView> for AccountPlace {
    fn from(account: &AccountView) -> Self {
        Self { opened_at: account.opened_at, id: account.id }
    }
}

impl From<&TransferView> for TransferPlace {
    fn from(transfer: &TransferView) -> Self {
        Self { requested_at: transfer.requested_at, id: transfer.end_to_end_id }
    }
}

impl From<&HoldView> for TransferPlace {
    fn from(hold: &HoldView) -> Self {
        Self { requested_at: hold.since, id: hold.end_to_end_id }
    }
}

impl From<&StatementLine> for PostingPlace {
    fn from(line: &StatementLine) -> Self {
        Self(line.version)
    }
}

/// An account at its bank. What belongs to it is looked for at that bank alone, so who may see
/// the bank may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AccountAt {
    /// The bank.
    pub ispb: Ispb,
    /// The account.
    pub id: AccountId,
}

impl From<&AccountView> for AccountAt {
    fn from(account: &AccountView) -> Self {
        Self { ispb: account.ispb, id: account.id }
    }
}

/// Accounts of a bank.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AccountsOf {
    /// The bank.
    pub ispb: Ispb,
    /// Only those of this status.
    pub status: Option<AccountStatus>,
}

impl From<Ispb> for AccountsOf {
    fn from(ispb: Ispb) -> Self {
        Self { ispb, status: None }
    }
}

/// Transfers of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TransfersOf {
    /// The account.
    pub at: AccountAt,
    /// Only those that go this way.
    pub direction: Option<Direction>,
    /// Only those in this state.
    pub state: Option<ShownState>,
    /// Only those that were ordered in this part of time.
    pub period: Period,
}

impl From<AccountAt> for TransfersOf {
    fn from(at: AccountAt) -> Self {
        Self { at, direction: None, state: None, period: Period::default() }
    }
}

impl TransfersOf {
    /// Whether a transfer of the account is among them.
    pub fn holds(&self, view: &TransferView) -> bool {
        self.direction.is_none_or(|direction| direction == view.direction)
            && self.state.is_none_or(|state| state == view.state)
            && self.period.holds(view.requested_at)
    }
}

/// Whether money came or went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PostingDirection {
    /// It came.
    Credit,
    /// It went.
    Debit,
}

/// Ledger entries of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PostingsOf {
    /// The account.
    pub at: AccountAt,
    /// Only those that go this way.
    pub direction: Option<PostingDirection>,
}

impl From<AccountAt> for PostingsOf {
    fn from(at: AccountAt) -> Self {
        Self { at, direction: None }
    }
}

/// The part of a list that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Part<K, P> {
    /// Whose list.
    pub of: K,
    /// How many rows.
    pub size: PageSize,
    /// Behind which row; none for the first page.
    pub after: Option<P>,
}

impl<K, P> Part<K, P> {
    /// The same part of another list.
    pub fn narrowed<L>(self, of: impl FnOnce(K) -> L) -> Part<L, P> {
        Part { of: of(self.of), size: self.size, after: self.after }
    }
}

/// What is kept at one bank.
pub(crate) trait AtBank {
    /// Which.
    fn ispb(&self) -> Ispb;
}

impl AtBank for AccountsOf {
    fn ispb(&self) -> Ispb {
        self.ispb
    }
}

impl AtBank for TransfersOf {
    fn ispb(&self) -> Ispb {
        self.at.ispb
    }
}

impl AtBank for PostingsOf {
    fn ispb(&self) -> Ispb {
        self.at.ispb
    }
}

impl AtBank for AccountAt {
    fn ispb(&self) -> Ispb {
        self.ispb
    }
}

/// A page for each part whose caller may see it, all by one read: a list of rows for each part.
pub(crate) async fn pages<K, P, T, R>(
    asked: &[(Caller, Part<K, P>)],
    read: impl FnOnce(Vec<Part<K, P>>) -> R,
) -> Vec<Outcome<Page<T>>>
where
    K: AtBank + Clone,
    P: Clone,
    R: Future<Output = Result<Vec<Vec<T>>, StoreError>>,
{
    let admitted = |(caller, part): &(Caller, Part<K, P>)| caller.may_act_for(&part.of.ispb());
    let parts: Vec<Part<K, P>> =
        asked.iter().filter(|it| admitted(it).is_ok()).map(|(_, part)| part.clone()).collect();
    let lists = if parts.is_empty() { Ok(Vec::new()) } else { read(parts).await };
    let mut lists = lists.map(Vec::into_iter);
    let page = |it: &(Caller, Part<K, P>)| {
        admitted(it)?;
        let rows = lists.as_mut().map_err(|error| error.clone())?.next().unwrap_or_default();
        Ok(Page::cut(rows, it.1.size))
    };
    asked.iter().map(page).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::ports::MockBankingReads;
    use crate::application::query::{GetAccount, GetTransfer, ListAccounts, ListTransfers};
    use crate::application::stage::{Stage, code};
    use crate::domain::samples::{BANK_A, BANK_B, account, account_id, ispb};

    fn part<K, P>(of: K, size: i64, after: Option<P>) -> Part<K, P> {
        Part { of, size: PageSize::asked(size).unwrap(), after }
    }

    #[test]
    fn a_place_is_read_as_it_was_written() {
        let at = Timestamp::from_micros(1_795_176_000_000_123).unwrap();
        let place = AccountPlace { opened_at: at, id: account_id(7) };
        assert_eq!(AccountPlace::of_token(&place.token()), Ok(Some(place)));
        let id = EndToEndId::parse("E0000000120261120120000000000001").unwrap();
        let place = TransferPlace { requested_at: at, id };
        assert_eq!(TransferPlace::of_token(&place.token()), Ok(Some(place)));
        assert_eq!(PostingPlace::of_token(&PostingPlace(7).token()), Ok(Some(PostingPlace(7))));
    }

    #[test]
    fn a_foreign_place_is_refused() {
        for text in ["x", "1", "1.x", "x.103cc632-78e7-4476-ab63-d5ad3a562d26", "1.E1", "7 "] {
            assert_eq!(AccountPlace::read(text), None, "{text}");
            assert_eq!(TransferPlace::read(text), None, "{text}");
        }
        assert_eq!(PostingPlace::read("7 "), None);
        assert_eq!(AccountPlace::of_token("x").unwrap_err().code(), "page_token_shape");
    }

    #[tokio::test]
    async fn a_bank_sees_its_own_accounts_and_transfers_alone() {
        let stage = Stage::new().await;
        let ana = stage.account(BANK_A, 1, 1_000).await;
        stage.account(BANK_B, 2, 0).await;
        let transfer = stage.pay(&ana, 2, 300).await.unwrap();
        let id = transfer.end_to_end_id;
        let (own, other) = (Caller::Bank(ispb(BANK_A)), Caller::Bank(ispb(BANK_B)));
        let get = GetTransfer(stage.ports.reads.clone());
        assert_eq!(get.execute(own, id, ana.account_id).await, Ok(transfer));
        let denied = "caller_may_not_act_for_bank";
        let hidden = "account_not_found";
        assert_eq!(code(get.execute(other, id, ana.account_id).await), hidden);
        let accounts = ListAccounts(stage.ports.reads.clone());
        let of_bank = part(ispb(BANK_A), 0, None);
        assert_eq!(code(accounts.execute(other, of_bank).await), denied);
        assert_eq!(accounts.execute(own, of_bank).await.unwrap().rows.len(), 1);
        let account = GetAccount(stage.ports.reads.clone());
        assert_eq!(code(account.execute(own, account_id(77)).await), "account_not_found");
        assert_eq!(code(account.execute(other, ana.account_id).await), hidden);
    }

    #[tokio::test]
    async fn parts_of_many_callers_are_one_read_and_the_refused_are_not_in_it() {
        let mut reads = MockBankingReads::new();
        let rows = vec![account(BANK_A, 1, 0), account(BANK_A, 2, 0)];
        reads
            .expect_accounts_of()
            .withf(|parts| parts.iter().all(|it| it.of.ispb == ispb(BANK_A)) && parts.len() == 2)
            .times(1)
            .return_const(Ok(vec![rows, Vec::new()]));
        let list = ListAccounts(std::sync::Arc::new(reads));
        let (own, other) = (Caller::Bank(ispb(BANK_A)), Caller::Bank(ispb(BANK_B)));
        let of = AccountsOf::from(ispb(BANK_A));
        let (short, long) = (part(of, 1, None), part(of, 9, None));
        let answers = list.batch(&[(own, short), (other, short), (Caller::Operator, long)]).await;
        let page = answers[0].as_ref().unwrap();
        assert_eq!((page.rows.len(), page.more), (1, true));
        assert_eq!(code(answers[1].clone()), "caller_may_not_act_for_bank");
        assert_eq!(answers[2].as_ref().unwrap().rows, []);
    }

    #[tokio::test]
    async fn a_store_that_does_not_answer_fails_every_part() {
        let mut reads = MockBankingReads::new();
        let down = StoreError::Unavailable("down".into());
        reads.expect_accounts_of().return_const(Err(down.clone()));
        let list = ListAccounts(std::sync::Arc::new(reads));
        let asked = (Caller::Operator, part(AccountsOf::from(ispb(BANK_A)), 0, None));
        let answers = list.batch(&[asked, asked]).await;
        assert_eq!(answers, vec![Err(down.clone().into()), Err(down.into())]);
    }

    #[tokio::test]
    async fn pages_of_transfers_follow_one_another_without_gap() {
        let stage = Stage::new().await;
        let ana = stage.account(BANK_A, 1, 1_000).await;
        stage.account(BANK_B, 2, 0).await;
        stage.account(BANK_A, 3, 0).await;
        for owner in [2, 3, 2, 3, 2] {
            stage.pay(&ana, owner, 10).await.unwrap();
        }
        let list = ListTransfers(stage.ports.reads.clone());
        let all = list.execute(Caller::Operator, part(ana.account_id, 0, None)).await.unwrap();
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let asked = part(ana.account_id, 2, after);
            let page = list.execute(Caller::Operator, asked).await.unwrap();
            after = page.next(|row| TransferPlace::from(row));
            seen.extend(page.rows);
            if after.is_none() {
                break;
            }
        }
        assert_eq!((all.rows.len(), all.more), (5, false));
        assert_eq!(seen, all.rows);
    }
}
