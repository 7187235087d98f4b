//! The store of the directory.

use std::collections::BTreeMap;

use async_trait::async_trait;
use pix_keys::application::ports::{EntryChange, ListedAccount};
use pix_keys::application::{
    AccountView, DirectoryReads, DirectoryStore, DirectoryTransaction, EntryView,
};
use pix_keys::domain::{Account, Entry, Participant, PixKey};
use pix_keys::infrastructure::kafka::published::published;
use shared_kernel::application::{Published, StoreError};
use shared_kernel::domain::{AccountId, Ispb};

use crate::checks::Oracle;
use crate::planted::{self, Bug};
use crate::store::{OpenTransaction, Row, Session, Tables, all, find};

/// The directory's rows.
#[derive(Default)]
pub(crate) struct DirectoryTables {
    pub(crate) accounts: BTreeMap<AccountId, Account>,
    pub(crate) entries: BTreeMap<PixKey, Entry>,
    pub(crate) participants: BTreeMap<Ispb, Participant>,
}

impl DirectoryTables {
    fn view(&self, entry: &Entry) -> Option<EntryView> {
        let account = self.accounts.get(&entry.holding()?.account_id)?.clone();
        let participant = self.participants.get(&account.ispb()).cloned();
        EntryView::of(entry, &ListedAccount { account, participant })
    }
}

impl Tables for DirectoryTables {
    const SCHEMA: &'static str = "pix_keys";

    fn examine(&self, own: &Self, oracle: &mut Oracle) -> Result<(), String> {
        for (key, after) in &own.entries {
            oracle.entry(self.entries.get(key), after)?;
        }
        for (id, after) in &own.accounts {
            oracle.listed(self.accounts.get(id), after)?;
        }
        Ok(())
    }

    fn absorb(&mut self, own: Self) {
        self.accounts.extend(own.accounts);
        self.entries.extend(own.entries);
        self.participants.extend(own.participants);
    }

    fn marks(&self) -> usize {
        self.entries.len()
    }

    fn tell(&self, own: &Self) -> Vec<String> {
        let entry = |entry: &Entry| {
            let key = entry.key().as_str();
            match entry.holding() {
                Some(held) => format!("directory: {key} names account {}", held.account_id),
                None => format!("directory: {key} names nobody"),
            }
        };
        own.entries.values().map(entry).collect()
    }
}

type Directory = OpenTransaction<DirectoryTables>;

#[async_trait]
impl DirectoryStore for Session<DirectoryTables> {
    async fn begin(&self) -> Result<Box<dyn DirectoryTransaction>, StoreError> {
        Ok(self.open().await?)
    }
}

#[async_trait]
impl DirectoryTransaction for Directory {
    async fn lock_accounts(&mut self, ids: &[AccountId]) -> Result<Vec<ListedAccount>, StoreError> {
        let found = self.lock_rows("account", ids, |it| &it.accounts).await?;
        Ok(self.see(|committed, own| {
            let listed = |account: Account| {
                let known = find(&committed.participants, &own.participants, &account.ispb());
                ListedAccount { participant: known.cloned(), account }
            };
            found.into_iter().map(listed).collect()
        }))
    }

    async fn lock_entries(&mut self, keys: &[PixKey]) -> Result<Vec<Entry>, StoreError> {
        let found = self.lock_rows("entry", keys, |it| &it.entries).await?;
        Ok(planted::entries(self.session.world(), found))
    }

    async fn lock_entries_of(&mut self, accounts: &[AccountId]) -> Result<Vec<Entry>, StoreError> {
        let is_theirs =
            |entry: &Entry| entry.holding().is_some_and(|held| accounts.contains(&held.account_id));
        let keys: Vec<PixKey> = self.see(|committed, own| {
            let theirs = all(&committed.entries, &own.entries).filter(|(_, it)| is_theirs(it));
            theirs.map(|(key, _)| key.clone()).collect()
        });
        let mut found = self.lock_rows("entry", &keys, |it| &it.entries).await?;
        found.retain(is_theirs);
        Ok(found)
    }

    async fn keys_held(
        &mut self,
        accounts: &[AccountId],
    ) -> Result<Vec<(AccountId, usize)>, StoreError> {
        self.statement().await?;
        let held = self.see(|committed, own| {
            let held = |id: &AccountId| {
                let theirs = all(&committed.entries, &own.entries)
                    .filter(|(_, it)| it.holding().is_some_and(|held| held.account_id == *id));
                (*id, theirs.count())
            };
            accounts.iter().map(held).filter(|(_, count)| *count > 0).collect()
        });
        Ok(planted::keys_held(self.session.world(), held))
    }

    async fn participants(&mut self, ispbs: &[Ispb]) -> Result<Vec<Participant>, StoreError> {
        self.statement().await?;
        Ok(self.see(|committed, own| {
            let known = |ispb| find(&committed.participants, &own.participants, ispb).cloned();
            ispbs.iter().filter_map(known).collect()
        }))
    }

    async fn add_accounts(&mut self, accounts: &[Account]) -> Result<(), StoreError> {
        self.statement().await?;
        let rows = accounts.iter().map(|account| (account.id(), account.clone())).collect();
        self.insert_rows("account", rows, |it| &it.accounts, |it| &mut it.accounts).await
    }

    async fn update_accounts(&mut self, accounts: &[Account]) -> Result<(), StoreError> {
        self.statement().await?;
        let rows = accounts.iter().map(|account| (account.id(), account.clone()));
        self.write(|_, own| own.accounts.extend(rows));
        Ok(())
    }

    async fn save_entries(&mut self, changes: &[EntryChange]) -> Result<(), StoreError> {
        self.statement().await?;
        let is_unique = !self.session.world().has(Bug::KeysWithoutUniqueness);
        for EntryChange { entry, .. } in changes {
            let key = entry.key().clone();
            if entry.version() == 1 && is_unique {
                let row = vec![(key, entry.clone())];
                self.insert_rows("entry", row, |it| &it.entries, |it| &mut it.entries).await?;
                continue;
            }
            self.lock([Row::of("entry", &key)]).await?;
            let known = self.see(|committed, own| {
                find(&committed.entries, &own.entries, &key).map_or(0, Entry::version)
            });
            if known + 1 != entry.version() && is_unique {
                let changed = StoreError::Conflict("a key changed meanwhile".into());
                return Err(self.abort(changed));
            }
            self.write(|_, own| own.entries.insert(key, entry.clone()));
        }
        let events: Result<Vec<Published>, StoreError> = changes.iter().map(published).collect();
        self.publish(events?);
        Ok(())
    }

    async fn respell(&mut self, entries: &[Entry]) -> Result<(), StoreError> {
        self.statement().await?;
        let rows = entries.iter().map(|entry| (entry.key().clone(), entry.clone()));
        self.write(|_, own| own.entries.extend(rows));
        Ok(())
    }

    async fn save_participants(&mut self, participants: &[Participant]) -> Result<(), StoreError> {
        self.statement().await?;
        for participant in participants {
            self.lock([Row::of("participant", &participant.ispb)]).await?;
            self.write(|committed, own| {
                let known = find(&committed.participants, &own.participants, &participant.ispb);
                if participant.is_news_to(known) {
                    own.participants.insert(participant.ispb, participant.clone());
                }
            });
        }
        Ok(())
    }
}

#[async_trait]
impl DirectoryReads for Session<DirectoryTables> {
    async fn entries(&self, keys: &[PixKey]) -> Result<Vec<EntryView>, StoreError> {
        let mut keys = keys.to_vec();
        keys.sort();
        self.read(|tables| {
            let known = keys.iter().filter_map(|key| tables.entries.get(key));
            known.filter_map(|entry| tables.view(entry)).collect()
        })
        .await
    }

    async fn look_up(&self, keys: &[PixKey]) -> Result<Vec<EntryView>, StoreError> {
        self.entries(keys).await
    }

    async fn entries_of(&self, accounts: &[AccountId]) -> Result<Vec<EntryView>, StoreError> {
        self.read(|tables| {
            let theirs = tables.entries.values().filter_map(|entry| tables.view(entry));
            theirs.filter(|view| accounts.contains(&view.account.account_id)).collect()
        })
        .await
    }

    async fn accounts(&self, ids: &[AccountId]) -> Result<Vec<AccountView>, StoreError> {
        let mut ids = ids.to_vec();
        ids.sort();
        self.read(|tables| {
            let view = |id| {
                let account = tables.accounts.get(id)?.clone();
                let participant = tables.participants.get(&account.ispb()).cloned();
                AccountView::of(&ListedAccount { account, participant })
            };
            ids.iter().filter_map(view).collect()
        })
        .await
    }

    async fn has_participant(&self, ispb: Ispb) -> Result<bool, StoreError> {
        self.read(|tables| tables.participants.contains_key(&ispb)).await
    }
}
