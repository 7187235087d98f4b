//! What the directory knows of accounts that banks keep: their keys, and how it lists them.

use async_graphql::connection::Connection;
use async_graphql::{Context, Enum, ID, Object, Result, SimpleObject};
use shared_kernel::application::Page;
use shared_kernel::domain::AccountId;
use shared_kernel::infrastructure::graphql::{TaxId, Window, caller, connection};

use super::key::{Bank, PixKey, PixKeyKind};
use super::loaders::Loaders;
use super::schema::failed;
use crate::application::ports::KeyPlace;
use crate::application::{AccountView, EntryView, ShownAccount};
use crate::domain;

/// Whether an account takes part, as its bank last told the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::AccountStatus")]
pub(super) enum AccountListingStatus {
    /// It may get keys and be paid.
    Active,
    /// It keeps its keys and gets no new ones.
    Blocked,
    /// It has no keys and never again will.
    Closed,
}

/// What the directory knows of an account, as its bank told it or an operator enrolled it. To
/// another bank's token that does not come by a key, its bank alone.
#[derive(Clone, SimpleObject)]
pub(super) struct AccountListing {
    /// The bank that keeps it; null where the hub does not answer for it.
    bank: Option<Bank>,
    /// Its branch; may be empty. Null to another bank.
    branch: Option<String>,
    /// Its number, check digit included. Null to another bank.
    number: Option<String>,
    /// Name of its owner. Null to another bank.
    owner_name: Option<String>,
    /// CPF or CNPJ of its owner. Null to another bank.
    owner_tax_id: Option<TaxId>,
    /// Whether it takes part. Null to another bank.
    status: Option<AccountListingStatus>,
}

impl From<AccountView> for AccountListing {
    fn from(account: AccountView) -> Self {
        Self {
            bank: Some(account.ispb.into()),
            branch: Some(account.branch),
            number: Some(account.number),
            owner_name: Some(account.owner_name.as_str().to_owned()),
            owner_tax_id: Some(account.owner_tax_id.into()),
            status: Some(account.status.into()),
        }
    }
}

impl From<ShownAccount> for AccountListing {
    fn from(shown: ShownAccount) -> Self {
        match shown {
            ShownAccount::Own(account) => account.into(),
            ShownAccount::Foreign { ispb, .. } => Self {
                bank: Some(ispb.into()),
                branch: None,
                number: None,
                owner_name: None,
                owner_tax_id: None,
                status: None,
            },
        }
    }
}

// Banking's.
#[derive(Clone)]
pub(super) struct Account {
    id: AccountId,
    /// Known with a key of it, or from its list; looked up otherwise.
    shown: Option<ShownAccount>,
}

impl Account {
    /// The account of that id, whoever keeps it.
    pub(super) const fn new(id: AccountId) -> Self {
        Self { id, shown: None }
    }
}

impl From<AccountView> for Account {
    fn from(view: AccountView) -> Self {
        Self { id: view.account_id, shown: Some(ShownAccount::Own(view)) }
    }
}

/// An account of that id as a caller is shown it; none where the directory does not list it.
pub(super) async fn listed(context: &Context<'_>, id: AccountId) -> Result<Option<Account>> {
    let caller = caller(context)?;
    let found = context.data::<Loaders>()?.account(id).await.map_err(failed)?;
    let shown = found.map(|account| ShownAccount::to(&caller, account));
    Ok(shown.map(|shown| Account { id, shown: Some(shown) }))
}

/// The part of an account's keys that is asked for; an account has few.
fn page(
    keys: Vec<EntryView>,
    kind: Option<domain::PixKeyKind>,
    window: &Window<KeyPlace>,
) -> Page<EntryView> {
    let behind = |entry: &EntryView| window.after.is_none_or(|after| KeyPlace::from(entry) > after);
    let of_kind = |entry: &EntryView| kind.is_none_or(|kind| entry.key.kind() == kind);
    let keys = keys.into_iter().filter(|entry| behind(entry) && of_kind(entry));
    Page::cut(keys.collect(), window.size)
}

#[Object]
impl Account {
    async fn id(&self) -> ID {
        self.id.into()
    }

    /// The Pix keys that name this account, oldest first: for its own bank and operators.
    async fn keys(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many: 1 to 200; 50 when absent.")] first: Option<i32>,
        #[graphql(desc = "Those behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Only those of this kind.")] kind: Option<PixKeyKind>,
    ) -> Result<Option<Connection<String, PixKey>>> {
        let window = Window::asked(first, after.as_deref()).map_err(failed)?;
        let asked = (caller(context)?, self.id);
        let Some(keys) = context.data::<Loaders>()?.keys_of(asked).await.map_err(failed)? else {
            return Ok(None);
        };
        let page = page(keys, kind.map(Into::into), &window);
        let place = |entry: &EntryView| KeyPlace::from(entry);
        Ok(Some(connection(page, window.after.is_some(), place, PixKey::from)))
    }

    /// What the directory knows of it; null when it was neither opened nor enrolled.
    async fn listing(&self, context: &Context<'_>) -> Result<Option<AccountListing>> {
        if let Some(shown) = &self.shown {
            return Ok(Some(shown.clone().into()));
        }
        let found = listed(context, self.id).await?;
        Ok(found.and_then(|account| account.shown).map(AccountListing::from))
    }
}
