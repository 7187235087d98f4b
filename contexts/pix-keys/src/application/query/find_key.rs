//! Resolves keys to their accounts: all lookups that wait are answered by one query.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use async_trait::async_trait;
use shared_kernel::application::{ApplicationError, BatchExecutor, Batcher, Caller};
use shared_kernel::domain::{Ispb, Violation};

use crate::application::{DirectoryReads, EntryView};
use crate::domain::{PixKey, error};

/// Where lookups are handed in.
pub type FindKeyQueue = Batcher<FindKey, EntryView>;

/// One lookup, by a caller that may make it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindKey {
    key: PixKey,
}

impl FindKey {
    /// A lookup by a program that does not say for which bank it asks.
    pub const fn by_program(key: PixKey) -> Self {
        Self { key }
    }

    /// A lookup of `key` on behalf of the participant `requester`. Every bank may look up every
    /// key, but must say who it is; a bank's token says it.
    ///
    /// # Errors
    /// `requester_ispb_missing`, or `caller_may_not_act_for_bank` for another bank's token.
    pub fn asked(caller: &Caller, requester: Option<Ispb>, key: PixKey) -> Result<Self, Violation> {
        match (caller, requester) {
            (Caller::Operator, None) => Err(error::requester_missing()),
            (Caller::Bank(_), None) => Ok(Self { key }),
            (Caller::Operator | Caller::Bank(_), Some(requester)) => {
                let allowed = caller.may_act_for(&requester);
                allowed.map_err(|broken| broken.on("requester_ispb"))?;
                Ok(Self { key })
            }
        }
    }
}

/// Answers lookups; one query for all that it is given.
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct FindKeyExecutor {
    reads: Arc<dyn DirectoryReads>,
}

impl FindKeyExecutor {
    /// An executor over what is committed.
    pub fn new(reads: Arc<dyn DirectoryReads>) -> Self {
        Self { reads }
    }
}

#[async_trait]
impl BatchExecutor for FindKeyExecutor {
    type Request = FindKey;
    type Answer = EntryView;

    async fn execute(&self, lookups: Vec<FindKey>) -> Vec<Result<EntryView, ApplicationError>> {
        let wanted: HashSet<PixKey> = lookups.iter().map(|lookup| lookup.key.clone()).collect();
        let wanted: Vec<PixKey> = wanted.into_iter().collect();
        let found = match self.reads.look_up(&wanted).await {
            Ok(found) => found,
            Err(error) => {
                let failed = ApplicationError::from(error);
                return lookups.iter().map(|_| Err(failed.clone())).collect();
            }
        };
        let found: HashMap<&PixKey, &EntryView> =
            found.iter().map(|entry| (&entry.key, entry)).collect();
        let answer = |lookup: &FindKey| {
            let entry = found.get(&lookup.key).map(|entry| (*entry).clone());
            entry.ok_or_else(|| error::key_not_found().into())
        };
        lookups.iter().map(answer).collect()
    }
}

#[cfg(test)]
mod tests {
    use shared_kernel::application::StoreError;

    use super::*;
    use crate::application::memory::{entry_view, key};
    use crate::application::ports::MockDirectoryReads;

    fn ispb(text: &str) -> Ispb {
        Ispb::parse(text).unwrap()
    }

    fn lookup(text: &str) -> FindKey {
        FindKey { key: key(text) }
    }

    #[test]
    fn a_bank_asks_for_itself_and_an_operator_says_for_whom() {
        let bank = Caller::Bank(ispb("00000001"));
        let ask = |caller: &Caller, requester: Option<&str>| {
            FindKey::asked(caller, requester.map(ispb), key("maria@example.com"))
        };
        assert_eq!(ask(&bank, None), Ok(lookup("maria@example.com")));
        assert_eq!(ask(&bank, Some("00000001")), Ok(lookup("maria@example.com")));
        assert_eq!(ask(&Caller::Operator, Some("00000002")), Ok(lookup("maria@example.com")));
        let broken = ask(&Caller::Operator, None).unwrap_err();
        assert_eq!((broken.code(), broken.field()), ("requester_ispb_missing", "requester_ispb"));
        let broken = ask(&bank, Some("00000002")).unwrap_err();
        assert_eq!(
            (broken.code(), broken.field()),
            ("caller_may_not_act_for_bank", "requester_ispb")
        );
    }

    #[tokio::test]
    async fn many_lookups_are_one_query_and_each_gets_its_own_answer() {
        let mut reads = MockDirectoryReads::new();
        reads.expect_look_up().times(1).returning(|keys| {
            assert_eq!(keys.len(), 100);
            Ok(keys.iter().filter(|key| key.as_str() != "7@x").map(entry_view).collect())
        });
        let lookups: Vec<FindKey> =
            (0..500).map(|number| lookup(&format!("{}@x", number % 100))).collect();
        let answers = FindKeyExecutor::new(Arc::new(reads)).execute(lookups.clone()).await;
        assert_eq!(answers.len(), 500);
        for (asked, answer) in lookups.iter().zip(answers) {
            match answer {
                Ok(entry) => assert_eq!(entry.key, asked.key),
                Err(refused) => {
                    assert_eq!(asked.key.as_str(), "7@x");
                    assert_eq!(refused.to_string(), "no key was found");
                }
            }
        }
    }

    #[tokio::test]
    async fn a_store_that_does_not_answer_is_no_missing_key() {
        let mut reads = MockDirectoryReads::new();
        reads.expect_look_up().returning(|_| Err(StoreError::Unavailable("down".into())));
        let answers =
            FindKeyExecutor::new(Arc::new(reads)).execute(vec![lookup("a@x"), lookup("b@x")]).await;
        let down = |answer: &Result<_, _>| matches!(answer, Err(ApplicationError::Unavailable(_)));
        assert_eq!(answers.iter().filter(|answer| down(answer)).count(), 2);
    }
}
