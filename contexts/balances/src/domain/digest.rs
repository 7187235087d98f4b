//! The fingerprint of a read side: equal exactly where the content is.
//!
//! An account's digest is a chain over its history in the order of versions, closed by its
//! balance; that of the whole side is a chain over its accounts, then its transfers, then what
//! other programs said, each in the order of their ids. Neither the order nor the repetition of
//! events, neither batches nor the time of a rebuild enter it. Memory is constant, whatever the
//! length of a history.

use shared_kernel::domain::{AccountId, Digest, Timestamp};

use super::{
    AccountBalance, AccountState, Counterparty, ExternalAccount, ExternalBalance, Movement, Party,
    RecordPlace, TransferParties,
};

/// Digests one account, entry by entry.
#[derive(Clone, Copy, Debug)]
pub struct AccountDigester(Digest);

impl AccountDigester {
    /// Begins with an account whose history has not been looked at.
    pub fn new(account: AccountId) -> Self {
        Self(Digest::of(&[b"account", account.uuid().as_bytes()]))
    }

    /// Takes in the next entry of its history, which is in force since `effective_at`; entries come
    /// in the order of their versions.
    pub fn take(
        &mut self,
        state: &AccountState,
        effective_at: Timestamp,
        movement: Option<&Movement>,
    ) {
        let state = [&state_bytes(state)[..], &effective_at.micros().to_be_bytes()].concat();
        let chain = self.0;
        self.0 = match movement {
            None => Digest::of(&[chain.as_bytes(), &state]),
            Some(Movement { kind, amount, end_to_end_id, counterparty, description }) => {
                let Counterparty { ispb, account_id, name } = counterparty;
                Digest::of(&[
                    chain.as_bytes(),
                    &state,
                    kind.as_str().as_bytes(),
                    &amount.centavos().to_be_bytes(),
                    end_to_end_id.as_ref().map_or(&[][..], |id| id.as_str().as_bytes()),
                    ispb.as_ref().map_or(&[][..], |ispb| ispb.as_str().as_bytes()),
                    account_id.map(|id| id.uuid().into_bytes()).as_ref().map_or(&[], |it| &it[..]),
                    &[u8::from(name.is_some())],
                    name.as_deref().unwrap_or_default().as_bytes(),
                    description.as_bytes(),
                ])
            }
        };
    }

    /// Closes the chain with the balance that stands over the history.
    pub fn close(self, balance: &AccountBalance) -> Digest {
        let gaps = balance.missing().ranges();
        let gaps: Vec<u8> = gaps
            .flat_map(|range| [range.start().to_be_bytes(), range.end().to_be_bytes()])
            .flatten()
            .collect();
        Digest::of(&[
            self.0.as_bytes(),
            balance.ispb().as_str().as_bytes(),
            &[u8::from(balance.owner_name().is_some())],
            balance.owner_name().unwrap_or_default().as_bytes(),
            &state_bytes(balance.state()),
            &gaps,
        ])
    }
}

fn state_bytes(state: &AccountState) -> [u8; 32] {
    let parts = [
        state.version.number(),
        state.funds.available().centavos(),
        state.funds.held().centavos(),
        state.occurred_at.micros(),
    ];
    let mut bytes = [0; 32];
    for (place, part) in bytes.chunks_exact_mut(8).zip(parts) {
        place.copy_from_slice(&part.to_be_bytes());
    }
    bytes
}

/// Digests a whole read side: its accounts, then its transfers, then the accounts that other
/// programs have opened and what they said of balances, each in the order of ids and places.
#[derive(Clone, Copy, Debug)]
pub struct SideDigester(Digest);

impl Default for SideDigester {
    fn default() -> Self {
        Self(Digest::of(&[b"balances"]))
    }
}

impl SideDigester {
    /// Takes in the next account.
    pub fn account(&mut self, account: AccountId, digest: &Digest) {
        let id = account.uuid();
        self.0 = Digest::of(&[self.0.as_bytes(), b"account", id.as_bytes(), digest.as_bytes()]);
    }

    /// Takes in the next transfer.
    pub fn transfer(&mut self, transfer: &TransferParties) {
        let TransferParties { end_to_end_id, payer, payee, payee_key } = transfer;
        let party = |party: &Party| {
            let Party { ispb, account_id, owner_name } = party;
            Digest::of(&[
                ispb.as_str().as_bytes(),
                account_id.uuid().as_bytes(),
                owner_name.as_bytes(),
            ])
        };
        self.0 = Digest::of(&[
            self.0.as_bytes(),
            b"transfer",
            end_to_end_id.as_str().as_bytes(),
            party(payer).as_bytes(),
            party(payee).as_bytes(),
            payee_key.as_bytes(),
        ]);
    }

    /// Takes in the next account that another program has opened.
    pub fn external_account(&mut self, opened: &ExternalAccount) {
        let ExternalAccount { account_id, since } = opened;
        let (id, since) = (account_id.uuid(), since.micros().to_be_bytes());
        let parts: [&[u8]; 4] = [self.0.as_bytes(), b"external account", id.as_bytes(), &since];
        self.0 = Digest::of(&parts);
    }

    /// Takes in the next word of another program.
    pub fn external_balance(&mut self, said: &ExternalBalance) {
        let RecordPlace { recorded_at, partition, offset } = said.place;
        let id = said.account_id.uuid();
        self.0 = Digest::of(&[
            self.0.as_bytes(),
            b"external balance",
            id.as_bytes(),
            &recorded_at.micros().to_be_bytes(),
            &partition.to_be_bytes(),
            &offset.to_be_bytes(),
            &said.balance().centavos().to_be_bytes(),
        ]);
    }

    /// The digest of all that was taken in.
    pub const fn digest(&self) -> Digest {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use shared_kernel::domain::{Amount, Ispb, Money};
    use uuid::Uuid;

    use super::*;
    use crate::domain::testing::{account, event, movement};
    use crate::domain::{AccountEvent, MissingVersions};

    fn digest(events: &[AccountEvent]) -> Digest {
        digest_since(events, events[0].state.occurred_at)
    }

    fn digest_since(events: &[AccountEvent], effective_at: Timestamp) -> Digest {
        let mut digester = AccountDigester::new(events[0].account_id);
        let mut balance = AccountBalance::begin(&events[0]);
        for event in events {
            digester.take(&event.state, effective_at, event.movement.as_ref());
            balance.apply(event).unwrap();
        }
        digester.close(&balance)
    }

    #[test]
    fn every_part_of_the_content_counts() {
        let changes: [fn(&mut AccountEvent); 10] = [
            |it| it.account_id = account(9),
            |it| it.ispb = Ispb::parse("99999999").unwrap(),
            |it| it.owner_name = None,
            |it| it.state.occurred_at = Timestamp::EPOCH,
            |it| it.state.funds = event(1, 2).state.funds,
            |it| it.movement = None,
            |it| it.movement.as_mut().unwrap().amount = Amount::from_centavos(2).unwrap(),
            |it| it.movement.as_mut().unwrap().description = "other".into(),
            |it| it.movement.as_mut().unwrap().counterparty.name = Some(String::new()),
            |it| it.movement.as_mut().unwrap().counterparty.account_id = Some(account(9)),
        ];
        let whole = AccountEvent { movement: Some(movement(1)), ..event(1, 1) };
        let later = whole.state.occurred_at.saturating_add(Duration::from_micros(1));
        let mut digests = vec![
            digest(std::slice::from_ref(&whole)),
            digest_since(std::slice::from_ref(&whole), later),
        ];
        for change in changes {
            let mut changed = whole.clone();
            change(&mut changed);
            digests.push(digest(&[changed]));
        }
        digests.sort_unstable();
        digests.dedup();
        assert_eq!(digests.len(), changes.len() + 2);
    }

    #[test]
    fn a_gap_counts() {
        let digester = AccountDigester::new(account(1));
        let balance = |missing| {
            let newest = event(1, 3);
            AccountBalance::restore(&newest, newest.state.occurred_at, missing)
        };
        let whole = balance(MissingVersions::default());
        let torn = balance(MissingVersions::from_ranges([2..=2]));
        assert_ne!(digester.close(&whole), digester.close(&torn));
    }

    #[test]
    fn every_part_of_another_programs_word_counts() {
        let place = |micros, partition, offset| RecordPlace {
            recorded_at: Timestamp::from_micros(micros).unwrap(),
            partition,
            offset,
        };
        let said = |number, centavos, place| {
            let balance = Money::from_centavos(centavos);
            let mut side = SideDigester::default();
            side.external_balance(&ExternalBalance::new(account(number), balance, place).unwrap());
            side.digest()
        };
        let opened = |micros| {
            let since = Timestamp::from_micros(micros).unwrap();
            let mut side = SideDigester::default();
            side.external_account(&ExternalAccount { account_id: account(1), since });
            side.digest()
        };
        let mut digests = vec![
            SideDigester::default().digest(),
            said(1, 1, place(1, 1, 1)),
            said(2, 1, place(1, 1, 1)),
            said(1, 2, place(1, 1, 1)),
            said(1, 1, place(2, 1, 1)),
            said(1, 1, place(1, 2, 1)),
            said(1, 1, place(1, 1, 2)),
            opened(1),
            opened(2),
        ];
        digests.sort_unstable();
        digests.dedup();
        assert_eq!(digests.len(), 9);
    }

    #[test]
    fn accounts_and_transfers_are_told_apart() {
        let party = Party {
            ispb: Ispb::parse("00000001").unwrap(),
            account_id: AccountId::from_uuid(Uuid::from_u128(1)),
            owner_name: "Ana".into(),
        };
        let transfer = TransferParties {
            end_to_end_id: movement(1).end_to_end_id.unwrap(),
            payer: party.clone(),
            payee: party,
            payee_key: String::new(),
        };
        let nothing = SideDigester::default();
        let (mut one, mut other) = (nothing, nothing);
        one.account(account(1), &Digest::of(&[]));
        other.transfer(&transfer);
        let mut digests = [nothing.digest(), one.digest(), other.digest()].to_vec();
        digests.dedup();
        assert_eq!(digests.len(), 3);
    }
}
