//! A participant was enrolled or changed: a native one is a bank that is hosted here.

use std::collections::{BTreeMap, BTreeSet};

use shared_kernel::application::StoreError;
use shared_kernel::domain::{BankCode, Ispb};

use crate::application::ports::{BankChange, OpenTransaction};
use crate::domain::{Bank, BankColors};

/// A participant as its event describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Participant {
    /// Its ISPB.
    pub ispb: Ispb,
    /// Its short code.
    pub code: BankCode,
    /// Its name.
    pub name: String,
    /// Whether its books are kept by Banking.
    pub native: bool,
    /// Version of the participant.
    pub version: i64,
}

/// Keeps the banks that are hosted here, with their own accounts.
#[derive(Clone, Debug, Default)]
pub struct OnParticipantEnrolled {
    /// The only banks of this process; all native ones when empty.
    pub banks: BTreeSet<Ispb>,
    /// The banks' colours.
    pub colors: BankColors,
}

impl OnParticipantEnrolled {
    /// Applies the newest of each participant. A classic one that was never native is no bank of
    /// ours; one that becomes classic rests.
    ///
    /// # Errors
    /// The store's.
    pub async fn apply(
        &self,
        transaction: &mut OpenTransaction,
        participants: Vec<Participant>,
    ) -> Result<(), StoreError> {
        let mut newest: BTreeMap<Ispb, Participant> = BTreeMap::new();
        for participant in participants {
            let hosted = self.banks.is_empty() || self.banks.contains(&participant.ispb);
            let known = newest.get(&participant.ispb).map(|known| known.version);
            if hosted && known.is_none_or(|known| known < participant.version) {
                newest.insert(participant.ispb, participant);
            }
        }
        let changes: Vec<BankChange> =
            newest.into_values().map(|participant| self.change(participant)).collect();
        if changes.is_empty() { Ok(()) } else { transaction.save_banks(&changes).await }
    }

    fn change(&self, participant: Participant) -> BankChange {
        let Participant { ispb, code, name, native, version } = participant;
        let colors = self.colors.of(ispb);
        BankChange { bank: Bank { ispb, code, name, colors, hosted: native }, version }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::ports::BankingStore;
    use crate::application::stage::Stage;
    use crate::domain::samples::{BANK_A, BANK_B, ispb};

    fn participant(bank: &str, name: &str, version: i64) -> Participant {
        let code = BankCode::parse("001").unwrap();
        Participant { ispb: ispb(bank), code, name: name.into(), native: true, version }
    }

    async fn apply(stage: &Stage, reaction: OnParticipantEnrolled, batch: Vec<Participant>) {
        let mut transaction = stage.memory.begin().await.unwrap();
        reaction.apply(&mut *transaction, batch).await.unwrap();
        transaction.commit().await.unwrap();
    }

    #[tokio::test]
    async fn the_newest_of_a_batch_wins_in_whatever_order() {
        let stage = Stage::new().await;
        let batch = vec![participant(BANK_A, "Newer", 3), participant(BANK_A, "Older", 2)];
        apply(&stage, OnParticipantEnrolled::default(), batch).await;
        assert_eq!(stage.memory.tables().banks[&ispb(BANK_A)].0.name, "Newer");
    }

    #[tokio::test]
    async fn a_process_for_one_bank_keeps_that_bank_in_its_colours() {
        let stage = Stage::new().await;
        let colors = BankColors::parse(&format!("{BANK_B}=#000000/#ffffff")).unwrap();
        let own = colors.of(ispb(BANK_B));
        let reaction = OnParticipantEnrolled { banks: BTreeSet::from([ispb(BANK_B)]), colors };
        let batch = vec![participant(BANK_A, "Other", 2), participant(BANK_B, "Own", 2)];
        apply(&stage, reaction, batch).await;
        let banks = stage.memory.tables().banks;
        assert_eq!(banks[&ispb(BANK_A)].1, 1, "untouched");
        assert_eq!(banks[&ispb(BANK_B)].0.colors, own);
    }
}
