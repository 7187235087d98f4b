//! Looking up: many at once are few queries, and only what is committed is found.

use std::sync::atomic::Ordering;

use futures::future::join_all;
use pix_keys::application::EntryView;
use pix_keys::application::query::{FindAccount, FindKey};
use pix_keys::domain::AccountStatus;
use shared_kernel::application::Caller;

use crate::harness::{
    ANA, BBX, CTER, Directory, MARIA, account_id, code, heard, ispb, key, opened, person,
};

fn lookup(text: &str) -> FindKey {
    FindKey::asked(&Caller::Operator, Some(ispb(CTER)), key(text)).unwrap()
}

#[tokio::test]
async fn five_hundred_lookups_at_once_are_few_queries() {
    let directory = Directory::fresh().await;
    let people = 1..=100_u32;
    directory.hear(people.map(|number| opened(number.into(), &person(number))).collect()).await;
    for number in 1..=100_u32 {
        let text = format!("p{number}@example.com");
        directory.register(&text, number.into(), &text).await.unwrap();
    }
    directory.queries.store(0, Ordering::SeqCst);
    let answers = join_all((1..=500_u32).map(|number| {
        let lookup = lookup(&format!("p{number}@example.com"));
        directory.pix_keys.find_key.submit(lookup)
    }))
    .await;
    // One thread: all of them wait before the first is served.
    assert_eq!(directory.queries.load(Ordering::SeqCst), 1);
    for (number, answer) in (1..=500_u32).zip(answers) {
        match answer {
            Ok(entry) => {
                assert_eq!(entry.key, key(&format!("p{number}@example.com")));
                assert_eq!(entry.account.account_id, account_id(number.into()));
                assert_eq!(entry.account.owner_tax_id.as_str(), person(number));
            }
            Err(refused) => {
                assert!(number > 100, "{number}: {refused}");
                assert_eq!(refused.to_string(), "no key was found");
            }
        }
    }
    directory.queries.store(0, Ordering::SeqCst);
    let answers = join_all((1..=300_u128).map(|number| {
        let account_id = account_id(number);
        directory.pix_keys.find_account.submit(FindAccount { account_id })
    }))
    .await;
    assert_eq!(directory.queries.load(Ordering::SeqCst), 1);
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 100);
}

#[tokio::test]
async fn an_account_is_found_in_every_state_once_it_is_opened() {
    use pix_keys::domain::AccountFact::{Blocked, Closed};

    let directory = Directory::fresh().await;
    let find = |number| {
        let lookup = FindAccount { account_id: account_id(number) };
        directory.pix_keys.find_account.submit(lookup)
    };
    directory.hear(vec![opened(1, MARIA), heard(2, 2, Blocked)]).await;
    let account = find(1).await.unwrap();
    assert_eq!((account.status, account.ispb), (AccountStatus::Active, ispb(BBX)));
    assert_eq!(account.bank.unwrap().name, "Bank 00000001");
    assert_eq!(code(&find(2).await), "account_not_found");
    directory.hear(vec![heard(1, 2, Blocked), opened(2, MARIA)]).await;
    assert_eq!(find(1).await.unwrap().status, AccountStatus::Blocked);
    assert_eq!(find(2).await.unwrap().status, AccountStatus::Blocked);
    directory.hear(vec![heard(1, 3, Closed)]).await;
    assert_eq!(find(1).await.unwrap().status, AccountStatus::Closed);
}

#[tokio::test]
async fn an_accounts_keys_are_listed_oldest_first() {
    let directory = Directory::fresh().await;
    directory.hear(vec![opened(1, MARIA)]).await;
    directory.hear(vec![opened(2, ANA)]).await;
    let asked = [1, 2].map(|number| (Caller::Operator, account_id(number)));
    let list = async || {
        let listed = directory.pix_keys.list_keys.execute(&asked).await.unwrap();
        let text = |entry: &EntryView| entry.key.as_str().to_owned();
        let texts = |keys: Vec<EntryView>| keys.iter().map(text).collect::<Vec<_>>();
        listed.into_iter().map(|keys| texts(keys.unwrap())).collect::<Vec<_>>()
    };
    assert_eq!(list().await, [[""; 0]; 2]);
    for text in ["z@x", "a@x", "m@x"] {
        directory.register(text, 1, text).await.unwrap();
    }
    directory.register("b@x", 2, "b@x").await.unwrap();
    directory.queries.store(0, Ordering::SeqCst);
    assert_eq!(list().await, [vec!["z@x", "a@x", "m@x"], vec!["b@x"]]);
    // The accounts, and the keys of all of them.
    assert_eq!(directory.queries.load(Ordering::SeqCst), 2);
}
