//! What resolvers of one moment ask for is read together: one read for each sort of thing, however
//! many entities ask. Nothing is kept for the next request.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::Result;
use async_graphql::connection::Connection;
use async_graphql::dataloader::{DataLoader, Loader};
use shared_kernel::application::{ApplicationError, Caller, Page, Period, Place};
use shared_kernel::domain::{EndToEndId, Ispb};
use shared_kernel::infrastructure::graphql::{
    DateTime, LOADER_DELAY, Window, connection, start_batch, violation_error,
};

use super::transfer::Transfer;
use crate::application::ports::{SavedResolution, TransferPlace};
use crate::application::query::{Found, Listed};
use crate::application::{
    FindTransfer, GetParticipants, GetPositions, GetResolution, GetTransfers, ListParticipants,
    ListTransfers, ParticipantList, TransferList, TransferName, Transfers,
};
use crate::domain::{self, Participant, Position};

/// The part of a list that was asked for, and whether it is not the first.
pub(super) fn window<P: Place>(
    first: Option<i32>,
    after: Option<&str>,
) -> Result<(Window<P>, bool)> {
    let window = Window::asked(first, after).map_err(|broken| violation_error(&broken))?;
    let is_behind = window.after.is_some();
    Ok((window, is_behind))
}

/// The part of time that was asked for.
pub(super) fn period(from: Option<DateTime>, to: Option<DateTime>) -> Result<Period> {
    let at = |moment: Option<DateTime>| moment.map(|DateTime(at)| at);
    Period::asked(at(from), at(to)).map_err(|broken| violation_error(&broken))
}

/// A page of transfers.
pub(super) fn listed(
    page: Page<domain::Transfer>,
    is_behind: bool,
) -> Connection<String, Transfer> {
    let place = |transfer: &domain::Transfer| TransferPlace::from(transfer);
    connection(page, is_behind, place, |transfer| Transfer::from(&transfer))
}

/// What there is to load.
pub(super) struct Loaders {
    names: DataLoader<NameLoader>,
    transfers: DataLoader<TransferLoader>,
    lists: DataLoader<ListLoader>,
    participants: DataLoader<ParticipantLoader>,
    participant_lists: DataLoader<ParticipantListLoader>,
    positions: DataLoader<PositionLoader>,
    resolutions: DataLoader<ResolutionLoader>,
}

impl Loaders {
    pub(super) fn new(facade: &Arc<Transfers>) -> Self {
        Self {
            names: loader(NameLoader(facade.find_transfer.clone())),
            transfers: loader(TransferLoader(facade.get_transfers.clone())),
            lists: loader(ListLoader(facade.list_transfers.clone())),
            participants: loader(ParticipantLoader(facade.get_participants.clone())),
            participant_lists: loader(ParticipantListLoader(facade.list_participants.clone())),
            positions: loader(PositionLoader(facade.get_positions.clone())),
            resolutions: loader(ResolutionLoader(facade.get_resolution.clone())),
        }
    }

    /// The id of a transfer, by its own or by that of its order. Whoever knows the one already
    /// waits for those who ask by the other, so that all transfers are read together.
    pub(super) async fn find(
        &self,
        asked: (Caller, TransferName),
    ) -> Result<Option<EndToEndId>, ApplicationError> {
        Ok(self.names.load_one(asked).await?.transpose()?)
    }

    /// A transfer, if it is there and its caller may see it.
    pub(super) async fn transfer(
        &self,
        asked: (Caller, EndToEndId),
    ) -> Result<Option<Arc<domain::Transfer>>, ApplicationError> {
        self.transfers.load_one(asked).await
    }

    /// A page of a list.
    pub(super) async fn list(
        &self,
        list: TransferList,
    ) -> Result<Page<domain::Transfer>, ApplicationError> {
        let listed = self.lists.load_one(list).await?;
        let page = listed.unwrap_or_else(|| Ok(Page { rows: Vec::new(), more: false }));
        Ok(page?)
    }

    /// A bank, if it takes part.
    pub(super) async fn participant(
        &self,
        ispb: Ispb,
    ) -> Result<Option<Participant>, ApplicationError> {
        self.participants.load_one(ispb).await
    }

    /// A page of banks.
    pub(super) async fn participants(
        &self,
        list: ParticipantList,
    ) -> Result<Page<Participant>, ApplicationError> {
        let listed = self.participant_lists.load_one(list).await?;
        Ok(listed.unwrap_or(Page { rows: Vec::new(), more: false }))
    }

    /// A position, if it is there and its caller may see it.
    pub(super) async fn position(
        &self,
        asked: (Caller, Ispb),
    ) -> Result<Option<Position>, ApplicationError> {
        self.positions.load_one(asked).await
    }

    /// What an operator decided of a transfer, if one did and another asks.
    pub(super) async fn resolution(
        &self,
        asked: (Caller, EndToEndId),
    ) -> Result<Option<SavedResolution>, ApplicationError> {
        self.resolutions.load_one(asked).await
    }
}

fn loader<L>(loader: L) -> DataLoader<L> {
    DataLoader::new(loader, start_batch).delay(LOADER_DELAY)
}

/// Keys with what was found for them.
fn found<K: Copy + Eq + std::hash::Hash, V>(keys: &[K], values: Vec<Option<V>>) -> HashMap<K, V> {
    keys.iter().zip(values).filter_map(|(key, value)| Some((*key, value?))).collect()
}

struct NameLoader(FindTransfer);

impl Loader<(Caller, TransferName)> for NameLoader {
    type Value = Found;
    type Error = ApplicationError;

    async fn load(
        &self,
        keys: &[(Caller, TransferName)],
    ) -> Result<HashMap<(Caller, TransferName), Found>, ApplicationError> {
        let ids = self.0.batch(keys).await?;
        Ok(found(keys, ids.into_iter().map(Some).collect()))
    }
}

struct TransferLoader(GetTransfers);

impl Loader<(Caller, EndToEndId)> for TransferLoader {
    type Value = Arc<domain::Transfer>;
    type Error = ApplicationError;

    async fn load(
        &self,
        keys: &[(Caller, EndToEndId)],
    ) -> Result<HashMap<(Caller, EndToEndId), Self::Value>, ApplicationError> {
        let transfers = self.0.execute(keys).await?;
        Ok(found(keys, transfers.into_iter().map(|transfer| transfer.map(Arc::new)).collect()))
    }
}

struct ListLoader(ListTransfers);

impl Loader<TransferList> for ListLoader {
    type Value = Listed;
    type Error = ApplicationError;

    async fn load(
        &self,
        keys: &[TransferList],
    ) -> Result<HashMap<TransferList, Listed>, ApplicationError> {
        let pages = self.0.execute(keys).await?;
        Ok(found(keys, pages.into_iter().map(Some).collect()))
    }
}

struct ParticipantLoader(GetParticipants);

impl Loader<Ispb> for ParticipantLoader {
    type Value = Participant;
    type Error = ApplicationError;

    async fn load(&self, keys: &[Ispb]) -> Result<HashMap<Ispb, Participant>, ApplicationError> {
        let banks = self.0.execute(keys).await?;
        Ok(banks.into_iter().map(|bank| (bank.ispb, bank)).collect())
    }
}

struct ParticipantListLoader(ListParticipants);

impl Loader<ParticipantList> for ParticipantListLoader {
    type Value = Page<Participant>;
    type Error = ApplicationError;

    async fn load(
        &self,
        keys: &[ParticipantList],
    ) -> Result<HashMap<ParticipantList, Page<Participant>>, ApplicationError> {
        let pages = self.0.execute(keys).await?;
        Ok(found(keys, pages.into_iter().map(Some).collect()))
    }
}

struct PositionLoader(GetPositions);

impl Loader<(Caller, Ispb)> for PositionLoader {
    type Value = Position;
    type Error = ApplicationError;

    async fn load(
        &self,
        keys: &[(Caller, Ispb)],
    ) -> Result<HashMap<(Caller, Ispb), Position>, ApplicationError> {
        Ok(found(keys, self.0.execute(keys).await?))
    }
}

struct ResolutionLoader(GetResolution);

impl Loader<(Caller, EndToEndId)> for ResolutionLoader {
    type Value = SavedResolution;
    type Error = ApplicationError;

    async fn load(
        &self,
        keys: &[(Caller, EndToEndId)],
    ) -> Result<HashMap<(Caller, EndToEndId), SavedResolution>, ApplicationError> {
        let decided = self.0.batch(keys).await?.into_iter();
        let decided: HashMap<EndToEndId, SavedResolution> =
            decided.map(|saved| (saved.end_to_end_id, saved)).collect();
        let shown = keys.iter().filter(|(caller, _)| caller.must_be_operator().is_ok());
        Ok(shown.filter_map(|key| Some((*key, decided.get(&key.1)?.clone()))).collect())
    }
}
