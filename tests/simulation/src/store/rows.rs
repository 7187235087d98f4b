//! What statements have in common: finding a row, locking rows in order, adding a unique one.

use std::collections::BTreeMap;
use std::hash::Hash;

use shared_kernel::application::StoreError;

use super::{OpenTransaction, Row, Tables};

/// A row as a transaction sees it: its own, or the committed one.
pub(crate) fn find<'a, K: Ord, V>(
    committed: &'a BTreeMap<K, V>,
    own: &'a BTreeMap<K, V>,
    key: &K,
) -> Option<&'a V> {
    own.get(key).or_else(|| committed.get(key))
}

/// Every row as a transaction sees it.
pub(crate) fn all<'a, K: Ord, V>(
    committed: &'a BTreeMap<K, V>,
    own: &'a BTreeMap<K, V>,
) -> impl Iterator<Item = (&'a K, &'a V)> {
    committed.iter().filter(|(key, _)| !own.contains_key(key)).chain(own.iter())
}

impl<T: Tables> OpenTransaction<T> {
    /// `SELECT … WHERE key = ANY(keys) ORDER BY key FOR UPDATE`: what is there when it begins is
    /// locked in order, then read as it is by then.
    pub(crate) async fn lock_rows<K, V>(
        &mut self,
        table: &'static str,
        keys: &[K],
        of: fn(&T) -> &BTreeMap<K, V>,
    ) -> Result<Vec<V>, StoreError>
    where
        K: Ord + Clone + Hash + Send + Sync,
        V: Clone + Send,
    {
        self.statement().await?;
        let mut keys = keys.to_vec();
        keys.sort();
        keys.dedup();
        self.see(|committed, own| {
            keys.retain(|key| find(of(committed), of(own), key).is_some());
        });
        self.lock(keys.iter().map(|key| Row::of(table, key)).collect::<Vec<_>>()).await?;
        Ok(self.see(|committed, own| {
            keys.iter().filter_map(|key| find(of(committed), of(own), key).cloned()).collect()
        }))
    }

    /// `INSERT … ON CONFLICT DO NOTHING`: waits for whoever adds the same, then leaves what is
    /// there.
    pub(crate) async fn add_rows<K, V>(
        &mut self,
        table: &'static str,
        rows: Vec<(K, V)>,
        of: fn(&T) -> &BTreeMap<K, V>,
        own: fn(&mut T) -> &mut BTreeMap<K, V>,
    ) -> Result<(), StoreError>
    where
        K: Ord + Clone + Hash + Send + Sync,
        V: Send,
    {
        self.statement().await?;
        for (key, row) in rows {
            self.lock([Row::of(table, &key)]).await?;
            if self.see(|committed, own| find(of(committed), of(own), &key).is_none()) {
                self.write(|_, tables| own(tables).insert(key, row));
            }
        }
        Ok(())
    }

    /// Adds rows in the order given; waits for whoever adds the same.
    ///
    /// # Errors
    /// Conflict, for a row that is there.
    pub(crate) async fn insert_rows<K, V>(
        &mut self,
        table: &'static str,
        rows: Vec<(K, V)>,
        of: fn(&T) -> &BTreeMap<K, V>,
        own: fn(&mut T) -> &mut BTreeMap<K, V>,
    ) -> Result<(), StoreError>
    where
        K: Ord + Clone + Hash + Send + Sync,
        V: Send,
    {
        for (key, row) in rows {
            self.lock([Row::of(table, &key)]).await?;
            let is_taken = self.see(|committed, own| find(of(committed), of(own), &key).is_some());
            if is_taken {
                let taken = StoreError::Conflict(format!("duplicate key: {table}"));
                return Err(self.abort(taken));
            }
            self.write(|_, tables| own(tables).insert(key, row));
        }
        Ok(())
    }
}
