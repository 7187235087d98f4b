//! Keys by their texts, for the banks that keep the accounts they name: no lookups, which every
//! bank may make, but each says for whom.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use shared_kernel::application::{ApplicationError, Caller};

use crate::application::{DirectoryReads, EntryView};
use crate::domain::PixKey;

/// Reads keys.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct GetKeys {
    reads: Arc<dyn DirectoryReads>,
}

impl GetKeys {
    /// The query over what is committed.
    pub fn new(reads: Arc<dyn DirectoryReads>) -> Self {
        Self { reads }
    }

    /// What each key names, in the order of `asked`: nothing for a key that is not registered, or
    /// that names an account of another bank than the caller's.
    ///
    /// # Errors
    /// [`ApplicationError::Unavailable`].
    pub async fn execute(
        &self,
        asked: &[(Caller, PixKey)],
    ) -> Result<Vec<Option<EntryView>>, ApplicationError> {
        let keys: BTreeSet<&PixKey> = asked.iter().map(|(_, key)| key).collect();
        let keys: Vec<PixKey> = keys.into_iter().cloned().collect();
        let known = self.reads.entries(&keys).await?;
        let known: HashMap<&PixKey, &EntryView> =
            known.iter().map(|entry| (&entry.key, entry)).collect();
        let seen = |(caller, key): &(Caller, PixKey)| {
            let entry = known.get(key).copied()?;
            caller.may_act_for(&entry.account.ispb).ok().map(|()| entry.clone())
        };
        Ok(asked.iter().map(seen).collect())
    }
}

#[cfg(test)]
mod tests {
    use shared_kernel::domain::Ispb;

    use super::*;
    use crate::application::memory::{entry_view, key};
    use crate::application::ports::MockDirectoryReads;

    #[tokio::test]
    async fn a_key_is_shown_to_the_bank_that_it_leads_to() {
        let mut reads = MockDirectoryReads::new();
        reads.expect_entries().times(1).returning(|keys| {
            assert_eq!(keys.len(), 2);
            Ok(vec![entry_view(&key("a@x"))])
        });
        let bank = |ispb: &str| Caller::Bank(Ispb::parse(ispb).unwrap());
        let asked = [
            (Caller::Operator, key("a@x")),
            (bank("00000001"), key("a@x")),
            (bank("00000002"), key("a@x")),
            (Caller::Operator, key("b@x")),
        ];
        let found = GetKeys::new(Arc::new(reads)).execute(&asked).await.unwrap();
        let seen: Vec<bool> = found.iter().map(Option::is_some).collect();
        assert_eq!(seen, [true, true, false, false]);
    }
}
