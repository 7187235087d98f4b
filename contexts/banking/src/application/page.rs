//! Pages of lists: one row more than wanted is asked for, and tells whether there is a next page.

use shared_kernel::domain::Violation;

/// Rows of a page unless it says otherwise.
pub const PAGE_SIZE: i64 = 50;
/// Rows of the longest page.
pub const PAGE_SIZE_MAX: i64 = 200;

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T, C> {
    /// Its rows.
    pub rows: Vec<T>,
    /// Where the next page begins, if there is one.
    pub next: Option<C>,
}

/// Cuts a page out of `rows`, of which one more than `size` were asked for.
pub(crate) fn page<T, C>(mut rows: Vec<T>, size: i64, cursor: impl Fn(&T) -> C) -> Page<T, C> {
    let size = usize::try_from(size).unwrap_or_default();
    let more = rows.len() > size;
    rows.truncate(size);
    let next = rows.last().filter(|_| more).map(cursor);
    Page { rows, next }
}

/// The size that was asked for; 0 asks for the usual one.
///
/// # Errors
/// `page_size_range`.
pub(crate) fn bounded(size: i64) -> Result<i64, Violation> {
    match size {
        0 => Ok(PAGE_SIZE),
        1..=PAGE_SIZE_MAX => Ok(size),
        _ => {
            let message = format!("a page has 1 to {PAGE_SIZE_MAX} rows, or 0 for {PAGE_SIZE}");
            Err(Violation::invalid("page_size_range", "page_size", message))
        }
    }
}

#[cfg(test)]
mod tests {
    use shared_kernel::application::Caller;

    use super::*;
    use crate::application::query::{GetAccount, GetTransfer, ListAccounts, ListTransfers};
    use crate::application::stage::{Stage, code};
    use crate::domain::samples::{BANK_A, BANK_B, account_id, ispb};

    #[test]
    fn a_page_names_the_next_only_if_there_is_one() {
        assert_eq!(page(vec![1, 2, 3], 2, |row| *row), Page { rows: vec![1, 2], next: Some(2) });
        assert_eq!(page(vec![1, 2], 2, |row| *row), Page { rows: vec![1, 2], next: None });
    }

    #[test]
    fn a_page_that_is_too_long_is_refused() {
        assert_eq!([bounded(0), bounded(1), bounded(200)], [Ok(50), Ok(1), Ok(200)]);
        for size in [-1, 201, i64::MAX] {
            let broken = bounded(size).unwrap_err();
            assert_eq!((broken.code(), broken.field()), ("page_size_range", "page_size"));
        }
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
        assert_eq!(code(accounts.execute(other, ispb(BANK_A), None, 0).await), denied);
        assert_eq!(accounts.execute(own, ispb(BANK_A), None, 0).await.unwrap().rows.len(), 1);
        let account = GetAccount(stage.ports.reads.clone());
        assert_eq!(code(account.execute(own, account_id(77)).await), "account_not_found");
        assert_eq!(code(account.execute(other, ana.account_id).await), hidden);
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
        let all = list.execute(Caller::Operator, ana.account_id, None, 0).await.unwrap();
        let (mut seen, mut cursor) = (Vec::new(), None);
        loop {
            let page = list.execute(Caller::Operator, ana.account_id, cursor, 2).await.unwrap();
            seen.extend(page.rows);
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!((all.rows.len(), all.next), (5, None));
        assert_eq!(seen, all.rows);
    }
}
