//! What may be ordered.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, Object, Result, SimpleObject};
use shared_kernel::application::Ids;
use shared_kernel::domain::{AccountId, Violation};
use shared_kernel::infrastructure::graphql::{DateTime, Ispb, TaxId, caller, trace};

use super::account::Account;
use super::key::{PixKey, PixKeyKind};
use super::schema::failed;
use crate::application::{EnrolOrder, KeyOrder, PixKeys, RemovalOrder, WantedKey};
use crate::domain::{self, AccountDetails, AccountFields};

/// The root of orders.
#[derive(Clone, Copy, Debug)]
pub struct Mutation;

/// A key that an account is to have.
#[derive(InputObject)]
pub(super) struct RegisterPixKeyInput {
    /// Unique per bank: the same request again is answered with the first key.
    request_id: String,
    /// What kind of key it is.
    kind: PixKeyKind,
    /// The key, in canonical form; absent for an `EVP`, which the directory makes.
    #[graphql(default)]
    key: String,
    /// The account that it is to name.
    account_id: ID,
}

impl TryFrom<RegisterPixKeyInput> for KeyOrder {
    type Error = Violation;

    fn try_from(input: RegisterPixKeyInput) -> Result<Self, Violation> {
        Ok(Self {
            wanted: WantedKey::parse(input.kind.into(), &input.key)?,
            account_id: AccountId::parse(&input.account_id)?,
            request_id: input.request_id,
        })
    }
}

/// What came of a registration.
#[derive(SimpleObject)]
pub(super) struct RegisterPixKeyPayload {
    /// The key as it is registered.
    pix_key: PixKey,
}

/// Why a key is removed (DICT API 2.12, `deleteEntry`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::RemovalReason")]
pub(super) enum PixKeyRemovalReason {
    /// The owner asked for it.
    UserRequested,
    /// The account was closed.
    AccountClosure,
    /// Bank and directory did not agree.
    Reconciliation,
    /// The key served a fraud.
    Fraud,
}

/// A key that an account is to have no more.
#[derive(InputObject)]
pub(super) struct RemovePixKeyInput {
    /// Unique per bank: the same request again is answered as the first.
    request_id: String,
    /// The key, in canonical form.
    key: String,
    /// The account that has it.
    account_id: ID,
    /// Why; `USER_REQUESTED` when absent.
    reason: Option<PixKeyRemovalReason>,
}

impl TryFrom<RemovePixKeyInput> for RemovalOrder {
    type Error = Violation;

    fn try_from(input: RemovePixKeyInput) -> Result<Self, Violation> {
        let reason = input.reason.unwrap_or(PixKeyRemovalReason::UserRequested);
        Ok(Self {
            key: domain::PixKey::infer(&input.key)?,
            account_id: AccountId::parse(&input.account_id)?,
            reason: reason.into(),
            request_id: input.request_id,
        })
    }
}

/// What came of a removal.
#[derive(SimpleObject)]
pub(super) struct RemovePixKeyPayload {
    /// The key, which names nothing any more.
    key: String,
    /// When it was removed.
    removed_at: DateTime,
}

/// An account whose books are kept outside of this hub.
#[derive(InputObject)]
pub(super) struct EnrolAccountInput {
    /// Its id everywhere: a UUID.
    account_id: ID,
    /// The bank that keeps it.
    ispb: Ispb,
    /// Its branch, at most 4 digits; may be absent.
    #[graphql(default)]
    branch: String,
    /// Its number, check digit included.
    number: String,
    /// Name of its owner.
    owner_name: String,
    /// CPF or CNPJ of its owner.
    owner_tax_id: TaxId,
}

impl TryFrom<EnrolAccountInput> for EnrolOrder {
    type Error = Violation;

    fn try_from(input: EnrolAccountInput) -> Result<Self, Violation> {
        let (Ispb(ispb), TaxId(tax_id)) = (input.ispb, input.owner_tax_id);
        Ok(Self {
            account_id: AccountId::parse(&input.account_id)?,
            ispb,
            details: AccountDetails::parse(AccountFields {
                branch: &input.branch,
                number: &input.number,
                owner_name: &input.owner_name,
                owner_tax_id: tax_id.as_str(),
            })?,
        })
    }
}

/// What came of an enrolment.
#[derive(SimpleObject)]
pub(super) struct EnrolAccountPayload {
    /// The account as the directory lists it.
    account: Account,
}

/// What may be done. A refused command has changed nothing, and is null by itself.
#[Object]
impl Mutation {
    /// Registers a key for an account. What is registered by the same `requestId` before is
    /// answered again; with other content it is refused (`idempotency_key_reused`).
    async fn register_pix_key(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The key.")] input: RegisterPixKeyInput,
    ) -> Result<Option<RegisterPixKeyPayload>> {
        let (caller, desk) = (caller(context)?, &context.data::<PixKeys>()?.desk);
        let trace = trace(context, &**context.data::<Arc<dyn Ids>>()?);
        let order = KeyOrder::try_from(input).map_err(failed)?;
        let entry = desk.register_key(&caller, trace, order).await.map_err(failed)?;
        Ok(Some(RegisterPixKeyPayload { pix_key: entry.into() }))
    }

    /// Removes a key of an account.
    async fn remove_pix_key(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The key.")] input: RemovePixKeyInput,
    ) -> Result<Option<RemovePixKeyPayload>> {
        let (caller, desk) = (caller(context)?, &context.data::<PixKeys>()?.desk);
        let trace = trace(context, &**context.data::<Arc<dyn Ids>>()?);
        let order = RemovalOrder::try_from(input).map_err(failed)?;
        let removal = desk.remove_key(&caller, trace, order).await.map_err(failed)?;
        let key = removal.key.as_str().to_owned();
        Ok(Some(RemovePixKeyPayload { key, removed_at: removal.removed_at.into() }))
    }

    /// Adds an account whose books are kept outside of this hub (operators only). The same again
    /// changes nothing.
    async fn enrol_account(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The account.")] input: EnrolAccountInput,
    ) -> Result<Option<EnrolAccountPayload>> {
        let (caller, desk) = (caller(context)?, &context.data::<PixKeys>()?.desk);
        caller.must_be_operator().map_err(failed)?;
        let order = EnrolOrder::try_from(input).map_err(failed)?;
        let account = desk.enrol_account(&caller, order).await.map_err(failed)?;
        Ok(Some(EnrolAccountPayload { account: account.into() }))
    }
}
