//! The parts of a request, read with the sentence that says what was expected.

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query};
use serde::Deserialize;
use shared_kernel::application::{PageSize, Place};
use shared_kernel::domain::{AccountId, Timestamp, Violation};
use shared_kernel::infrastructure::rest::Problem;

use crate::application::ports::LinePlace;
use crate::application::query::StatementQuestion;
use crate::domain::AccountVersion;

/// Most accounts of one list.
const IDS_MAX: usize = 200;

/// What may be asked of a balance.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BalanceParameters {
    at: Option<String>,
    min_version: Option<String>,
}

/// What may be asked of several balances.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListParameters {
    ids: Option<String>,
    at: Option<String>,
}

/// What may be asked of a statement.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StatementParameters {
    first: Option<String>,
    after: Option<String>,
    from: Option<String>,
    to: Option<String>,
    min_version: Option<String>,
}

/// The parameters behind the question mark.
pub(super) fn parameters<T>(query: Result<Query<T>, QueryRejection>) -> Result<T, Problem> {
    query.map(|Query(parameters)| parameters).map_err(|rejected| {
        let message = format!("the parameters are unreadable: {}", rejected.body_text());
        Violation::invalid("query_shape", "query", message).into()
    })
}

/// The account of a path.
pub(super) fn account(path: Result<Path<String>, PathRejection>) -> Result<AccountId, Problem> {
    // What is no text is no account either.
    let text = path.map(|Path(text)| text).unwrap_or_default();
    Ok(AccountId::parse(&text)?)
}

/// An instant. A plus that was not escaped arrives as a blank.
fn instant(text: Option<&String>, field: &'static str) -> Result<Option<Timestamp>, Violation> {
    let read = |text: &String| Timestamp::parse(&text.replace(' ', "+"));
    text.map(read).transpose().map_err(|broken| broken.on(field))
}

fn version(text: Option<&String>) -> Result<Option<AccountVersion>, Violation> {
    let Some(text) = text else { return Ok(None) };
    let number: i64 = text.parse().map_err(|_not_a_number| {
        let message = "a version is a whole number, 1 or more, such as 7";
        Violation::invalid("account_version_shape", "min_version", message)
    })?;
    AccountVersion::new(number).map(Some).map_err(|broken| broken.on("min_version"))
}

impl BalanceParameters {
    pub(super) fn at(&self) -> Result<Option<Timestamp>, Problem> {
        Ok(instant(self.at.as_ref(), "at")?)
    }

    pub(super) fn min_version(&self) -> Result<Option<AccountVersion>, Problem> {
        Ok(version(self.min_version.as_ref())?)
    }
}

impl ListParameters {
    pub(super) fn at(&self) -> Result<Option<Timestamp>, Problem> {
        Ok(instant(self.at.as_ref(), "at")?)
    }

    /// The accounts, each once, in the order of the question.
    pub(super) fn accounts(&self) -> Result<Vec<AccountId>, Problem> {
        let text = self.ids.as_deref().unwrap_or_default();
        let ids = text.split(',').map(str::trim).filter(|id| !id.is_empty());
        let mut accounts = Vec::new();
        for id in ids {
            let account = AccountId::parse(id).map_err(|broken| broken.on("ids"))?;
            if !accounts.contains(&account) {
                accounts.push(account);
            }
        }
        if accounts.is_empty() || accounts.len() > IDS_MAX {
            let message = format!("name 1 to {IDS_MAX} accounts: ids=<id>,<id>");
            return Err(Violation::invalid("ids_count", "ids", message).into());
        }
        Ok(accounts)
    }
}

impl StatementParameters {
    pub(super) fn min_version(&self) -> Result<Option<AccountVersion>, Problem> {
        Ok(version(self.min_version.as_ref())?)
    }

    pub(super) fn question(&self, account_id: AccountId) -> Result<StatementQuestion, Problem> {
        let first = self.first.as_deref().unwrap_or("0");
        let size = first.parse().unwrap_or(-1);
        let after = self.after.as_deref().unwrap_or_default();
        Ok(StatementQuestion {
            account_id,
            from: instant(self.from.as_ref(), "from")?,
            to: instant(self.to.as_ref(), "to")?,
            direction: None,
            size: PageSize::asked(size).map_err(|broken| broken.on("first"))?,
            after: LinePlace::of_token(after).map_err(|broken| broken.on("after"))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::account as account_of;

    #[test]
    fn an_instant_is_read_with_its_offset_escaped_or_not() {
        let at = |written: &str| {
            let asked = BalanceParameters { at: Some(written.to_owned()), min_version: None };
            asked.at().unwrap().unwrap().to_string()
        };
        let expected = "2026-11-20T15:00:00.000000Z";
        assert_eq!(at("2026-11-20T12:00:00-03:00"), expected);
        assert_eq!(at("2026-11-20T16:00:00+01:00"), expected);
        assert_eq!(at("2026-11-20T16:00:00 01:00"), expected);
    }

    #[test]
    fn accounts_are_named_once_and_bounded() {
        let ids = |ids: &[u128]| {
            let written: Vec<String> = ids.iter().map(|id| account_of(*id).to_string()).collect();
            ListParameters { ids: Some(written.join(",")), at: None }.accounts()
        };
        assert_eq!(ids(&[2, 1, 2]).unwrap(), [account_of(2), account_of(1)]);
        let many: Vec<u128> = (0..201).collect();
        assert!(ids(&many).is_err() && ids(&[]).is_err());
        assert!(ids(&many[..200]).is_ok());
        assert!(ListParameters::default().accounts().is_err());
    }
}
