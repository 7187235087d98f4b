//! What a program beside the hub says of accounts, kept word by word.
//!
//! Nothing is decided here: which word counts is decided when it is asked for, so that neither the
//! order nor the repetition of messages changes anything.

use std::collections::BTreeMap;

use shared_kernel::application::StoreError;
use shared_kernel::domain::AccountId;

use crate::application::ports::BalancesTransaction;
use crate::domain::{ExternalAccount, ExternalBalance, RecordPlace};

/// Something that such a program said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExternalWord {
    /// An account has this much.
    Balance(ExternalBalance),
    /// There is a new account.
    Opened(ExternalAccount),
}

/// The reaction.
#[derive(Clone, Copy, Debug)]
pub struct OnExternalBalance;

impl OnExternalBalance {
    /// Keeps the words; of two of one account at one place the first stays, as it would if they
    /// came in two batches. At most two statements.
    ///
    /// # Errors
    /// As the store: nothing of the words has taken effect.
    pub async fn keep<T: BalancesTransaction + ?Sized>(
        transaction: &mut T,
        words: &[ExternalWord],
    ) -> Result<(), StoreError> {
        let mut said: BTreeMap<(AccountId, RecordPlace), ExternalBalance> = BTreeMap::new();
        let mut opened: BTreeMap<AccountId, ExternalAccount> = BTreeMap::new();
        for word in words {
            match *word {
                ExternalWord::Balance(word) => {
                    said.entry((word.account_id, word.place)).or_insert(word);
                }
                ExternalWord::Opened(word) => {
                    let known = opened.entry(word.account_id).or_insert(word);
                    known.since = known.since.min(word.since);
                }
            }
        }
        if !said.is_empty() {
            let said: Vec<ExternalBalance> = said.into_values().collect();
            transaction.append_external_balances(&said).await?;
        }
        if !opened.is_empty() {
            let opened: Vec<ExternalAccount> = opened.into_values().collect();
            transaction.open_external_accounts(&opened).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use shared_kernel::domain::{Money, Timestamp};

    use super::*;
    use crate::application::reaction::OnAccountEvent;
    use crate::application::testing::{InMemory, MockStore};
    use crate::domain::testing::{account, event};
    use crate::domain::{AccountEvent, Standing};

    fn place(millis: i64, partition: i32, offset: i64) -> RecordPlace {
        let recorded_at = Timestamp::from_millis(millis).unwrap();
        RecordPlace { recorded_at, partition, offset }
    }

    fn balance(number: u128, centavos: i64, place: RecordPlace) -> ExternalWord {
        let balance = Money::from_centavos(centavos);
        ExternalWord::Balance(ExternalBalance::new(account(number), balance, place).unwrap())
    }

    fn opened(number: u128, millis: i64) -> ExternalWord {
        let since = place(millis, 0, 0).recorded_at;
        ExternalWord::Opened(ExternalAccount { account_id: account(number), since })
    }

    async fn kept(words: &[ExternalWord]) -> InMemory {
        let mut store = InMemory::default();
        OnExternalBalance::keep(&mut store, words).await.unwrap();
        store
    }

    fn total(store: &InMemory, number: u128) -> i64 {
        store.known(account(number)).unwrap().standing().funds().total().centavos()
    }

    #[tokio::test]
    async fn the_newest_time_wins_whatever_came_last() {
        let words = [balance(1, 90, place(2, 0, 0)), balance(1, 100, place(1, 0, 1))];
        let store = kept(&words).await;
        assert_eq!(total(&store, 1), 90);
        let same_time = [balance(1, 7, place(3, 1, 0)), balance(1, 8, place(3, 0, 9))];
        assert_eq!(total(&kept(&same_time).await, 1), 7, "then the partition");
        let same_partition = [balance(1, 7, place(3, 0, 1)), balance(1, 8, place(3, 0, 0))];
        assert_eq!(total(&kept(&same_partition).await, 1), 7, "then the offset");
    }

    #[tokio::test]
    async fn an_opening_is_nothing_and_never_takes_a_balance_back() {
        let store = kept(&[opened(1, 5)]).await;
        assert_eq!(total(&store, 1), 0);
        let store = kept(&[balance(1, 90, place(2, 0, 0)), opened(1, 9), opened(1, 4)]).await;
        assert_eq!(total(&store, 1), 90);
        assert_eq!(store.external_accounts[&account(1)].since, place(4, 0, 0).recorded_at);
    }

    #[tokio::test]
    async fn a_batch_is_one_statement_of_each_kind_and_an_empty_one_is_none() {
        let mut store = MockStore::new();
        store.expect_append_external_balances().times(1).returning(|_| Ok(()));
        store.expect_open_external_accounts().times(1).returning(|_| Ok(()));
        let words = [balance(1, 1, place(1, 0, 0)), opened(2, 1), balance(2, 1, place(1, 0, 0))];
        OnExternalBalance::keep(&mut store, &words).await.unwrap();
        OnExternalBalance::keep(&mut MockStore::new(), &[]).await.unwrap();
    }

    #[derive(Clone, Copy, Debug)]
    enum Message {
        Bank(i64),
        Word(ExternalWord),
    }

    async fn after(messages: &[Message], cut: usize) -> InMemory {
        let mut store = InMemory::default();
        for batch in messages.chunks(cut) {
            let (mut events, mut words): (Vec<AccountEvent>, Vec<ExternalWord>) =
                Default::default();
            for message in batch {
                match message {
                    Message::Bank(version) => events.push(event(1, *version)),
                    Message::Word(word) => words.push(*word),
                }
            }
            OnAccountEvent::fold(&mut store, &events).await.unwrap();
            OnExternalBalance::keep(&mut store, &words).await.unwrap();
        }
        store
    }

    fn word() -> impl Strategy<Value = ExternalWord> {
        // Few times and places, so that ties are met.
        let said = (0_i64..4, 0_i32..3, 0_i64..6).prop_map(|(millis, partition, offset)| {
            // A place has one record, so its content follows from it.
            let last = i64::from(partition).saturating_mul(10).saturating_add(offset);
            let centavos = millis.saturating_mul(100).saturating_add(last);
            balance(1, centavos, place(millis, partition, offset))
        });
        let fixture = Just(balance(1, 77, place(0, -1, -1)));
        let opening = (0_i64..9).prop_map(|millis| opened(1, millis));
        prop_oneof![4 => said, 1 => opening, 1 => fixture]
    }

    proptest! {
        #[test]
        fn any_interleaving_repetition_and_cut_give_the_same_side(
            (messages, shuffled) in (prop::collection::vec(word(), 1..12), 0_i64..4)
                .prop_flat_map(|(words, newest)| {
                    let words = words.into_iter().map(Message::Word);
                    let all: Vec<Message> =
                        (1..=newest).map(Message::Bank).chain(words).collect();
                    let repeats = prop::collection::vec(
                        prop::sample::select(all.clone()), 0..12);
                    let shuffled = (Just(all.clone()), repeats).prop_flat_map(|(all, repeats)| {
                        Just([all, repeats].concat()).prop_shuffle()
                    });
                    (Just(all), shuffled)
                }),
            cut in 1_usize..8,
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let (one, other) = runtime.block_on(async {
                (after(&messages, messages.len()).await, after(&shuffled, cut).await)
            });
            prop_assert_eq!(one.known(account(1)), other.known(account(1)));
            prop_assert_eq!(one.digest(), other.digest());
        }

        #[test]
        fn the_words_count_until_the_bank_moves_money(
            words in prop::collection::vec(word(), 1..12), newest in 0_i64..5
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let bank = (1..=newest).map(Message::Bank);
            let messages: Vec<Message> =
                bank.chain(words.iter().copied().map(Message::Word)).collect();
            let store = runtime.block_on(after(&messages, 3));
            let known = store.known(account(1)).unwrap();
            let has_record = words.iter().any(|word| match word {
                ExternalWord::Balance(said) => said.place.partition >= 0,
                ExternalWord::Opened(_) => false,
            });
            // The second event of these accounts is a transfer that arrived; and an opening or a
            // fixture takes nothing from what a bank says.
            let counts = newest == 0 || (newest == 1 && has_record);
            prop_assert_eq!(matches!(known.standing(), Standing::External(_)), counts);
            if counts {
                let newest = words.iter().filter_map(|word| match word {
                    ExternalWord::Balance(said) => Some((said.place, said.balance())),
                    ExternalWord::Opened(_) => None,
                });
                let expected = newest.max().map_or(Money::ZERO, |(_, balance)| balance);
                prop_assert_eq!(known.standing().funds().total(), expected);
            }
        }
    }
}
