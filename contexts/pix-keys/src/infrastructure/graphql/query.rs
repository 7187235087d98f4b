//! What may be asked.

use async_graphql::{Context, ID, Object, Result};
use shared_kernel::application::ApplicationError;
use shared_kernel::domain::{AccountId, Kind};
use shared_kernel::infrastructure::graphql::{EndToEndId, Ispb, TaxId, caller, entity};

use super::account::{Account, listed};
use super::key::PixKey;
use super::loaders::Loaders;
use super::schema::failed;
use crate::application::PixKeys;
use crate::application::query::FindKey;
use crate::domain;

/// The root of questions.
#[derive(Clone, Copy, Debug)]
pub struct Query;

/// What may be asked. Nothing changes by it, and what fails is null by itself.
#[Object]
impl Query {
    #[graphql(entity)]
    async fn find_pix_key_by_id(&self, context: &Context<'_>, id: ID) -> Option<PixKey> {
        let key = domain::PixKey::infer(&id).ok()?;
        let found = async {
            let asked = (caller(context)?, key);
            context.data::<Loaders>()?.key(asked).await.map_err(failed)
        };
        entity(context, found.await).map(PixKey::from)
    }

    #[graphql(entity)]
    async fn find_account_by_id(&self, id: ID) -> Option<Account> {
        AccountId::parse(&id).ok().map(Account::new)
    }

    /// An account that the directory lists, whoever keeps its books; null where it was neither
    /// opened nor enrolled.
    async fn listed_account(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Its UUID.")] id: ID,
    ) -> Result<Option<Account>> {
        let id = AccountId::parse(&id).map_err(|broken| failed(broken.on("id")))?;
        listed(context, id).await
    }

    /// Looks a key up, as every bank may for its payers; null when no key was found.
    #[expect(clippy::too_many_arguments, reason = "a field has the arguments that it has")]
    async fn pix_key(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The key, in canonical form.")] key: String,
        #[graphql(desc = "The bank that asks; needed unless the caller's token names it.")]
        requester_ispb: Option<Ispb>,
        #[graphql(desc = "CPF or CNPJ of the payer; absent outside of a payment.")]
        payer_tax_id: Option<TaxId>,
        #[graphql(desc = "The payment that the question is for; absent outside of one.")]
        end_to_end_id: Option<EndToEndId>,
    ) -> Result<Option<PixKey>> {
        let caller = caller(context)?;
        // What is said of a payment must be well formed, and decides nothing.
        let (payment, names_payer) =
            (end_to_end_id.map(|EndToEndId(id)| id), payer_tax_id.is_some());
        tracing::debug!(?payment, names_payer, "a key is looked up");
        let key = domain::PixKey::infer(&key).map_err(failed)?;
        let requester = requester_ispb.map(|Ispb(ispb)| ispb);
        let lookup = FindKey::asked(&caller, requester, key).map_err(failed)?;
        match context.data::<PixKeys>()?.find_key.submit(lookup).await {
            Ok(entry) => Ok(Some(entry.into())),
            Err(ApplicationError::Refused(broken)) if broken.kind() == Kind::NotFound => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }
}
