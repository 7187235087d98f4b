//! Asks the directory over the network, even inside the monolith.

use std::time::Duration;

use async_trait::async_trait;
use futures::{StreamExt, TryStreamExt};
use shared_kernel::application::{StoreError, TraceParent};
use shared_kernel::domain::{AccountId, Ispb, TaxId, Violation};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};

use super::proto::pix_keys::pix_keys_service_client::PixKeysServiceClient;
use super::proto::pix_keys::{Account, Entry, FindAccountRequest, FindKeyRequest};
use crate::application::directory::{FoundKey, KeyAnswer, KeyQuestion, OrderDirectory};
use crate::domain::{OwnerName, Party, PayeeKey};

/// How long one question may take.
pub(in crate::infrastructure) const DEADLINE: Duration = Duration::from_secs(2);
/// Questions under way at a time: the directory answers those together that come together.
pub(in crate::infrastructure) const IN_FLIGHT_MAX: usize = 64;

/// A client of the directory; it connects when first used and again when it must.
#[derive(Clone, Debug)]
pub struct DirectoryClient {
    client: PixKeysServiceClient<Channel>,
    token: Option<MetadataValue<Ascii>>,
}

impl DirectoryClient {
    /// A client of the directory at `url`.
    ///
    /// # Errors
    /// A sentence when the URL or the token is malformed.
    pub fn new(url: &str, token: Option<&str>) -> Result<Self, String> {
        let endpoint = Endpoint::from_shared(url.to_owned()).map_err(|error| error.to_string())?;
        let channel = endpoint
            .timeout(DEADLINE)
            .connect_timeout(DEADLINE)
            .tcp_nodelay(true)
            .http2_adaptive_window(true)
            .keep_alive_while_idle(true)
            .http2_keep_alive_interval(Duration::from_secs(20))
            .connect_lazy();
        let bearer = |token: &str| format!("Bearer {token}").parse();
        let token = token.map(bearer).transpose();
        let token = token.map_err(|_malformed| "the token is no header value".to_owned())?;
        Ok(Self { client: PixKeysServiceClient::new(channel), token })
    }

    fn request<T>(&self, message: T, trace: &TraceParent) -> Request<T> {
        let mut request = Request::new(message);
        if let Some(token) = &self.token {
            request.metadata_mut().insert("authorization", token.clone());
        }
        if let Ok(trace) = trace.as_str().parse() {
            request.metadata_mut().insert("traceparent", trace);
        }
        request
    }

    async fn account(
        &self,
        id: AccountId,
        trace: &TraceParent,
    ) -> Result<Option<Party>, StoreError> {
        let message = FindAccountRequest { account_id: id.to_string() };
        match self.client.clone().find_account(self.request(message, trace)).await {
            Ok(response) => found(response.into_inner().account).map(Some),
            Err(status) if status.code() == Code::NotFound => Ok(None),
            Err(status) => Err(unavailable(&status)),
        }
    }

    async fn key(&self, question: &KeyQuestion) -> Result<KeyAnswer, StoreError> {
        let message = FindKeyRequest {
            key: question.key.clone(),
            requester_ispb: question.requester.to_string(),
            payer_tax_id: question.payer_tax_id.as_str().to_owned(),
            end_to_end_id: question.end_to_end_id.to_string(),
        };
        match self.client.clone().find_key(self.request(message, &question.trace)).await {
            Ok(response) => found_key(response.into_inner().entry).map(|found| Ok(Some(found))),
            Err(status) => refusal(&status),
        }
    }
}

#[async_trait]
impl OrderDirectory for DirectoryClient {
    async fn accounts(
        &self,
        ids: &[AccountId],
        trace: &TraceParent,
    ) -> Result<Vec<Party>, StoreError> {
        let asked = ids.iter().map(|id| self.account(*id, trace)).collect::<Vec<_>>();
        let answers = futures::stream::iter(asked).buffered(IN_FLIGHT_MAX);
        let answers: Vec<Option<Party>> = answers.try_collect().await?;
        Ok(answers.into_iter().flatten().collect())
    }

    async fn keys(&self, questions: &[KeyQuestion]) -> Result<Vec<KeyAnswer>, StoreError> {
        let asked = questions.iter().map(|question| self.key(question)).collect::<Vec<_>>();
        futures::stream::iter(asked).buffered(IN_FLIGHT_MAX).try_collect().await
    }
}

/// The account that the directory found. One without an owner is shown so to strangers: the token
/// is not an operator's.
fn found(account: Option<Account>) -> Result<Party, StoreError> {
    let party = |account: Account| {
        Some(Party {
            ispb: Ispb::parse(&account.ispb).ok()?,
            account_id: AccountId::parse(&account.account_id).ok()?,
            owner_name: OwnerName::parse(&account.owner_name).ok()?,
            owner_tax_id: TaxId::parse(&account.owner_tax_id).ok()?,
        })
    };
    account.and_then(party).ok_or_else(|| {
        let sentence = "the directory does not show whose an account is: the hub's token \
                        (PIX_KEYS_TOKEN) must be an operator's";
        StoreError::Unavailable(sentence.to_owned())
    })
}

/// The key that the directory found. One that does not say how it was written was written as it is.
fn found_key(entry: Option<Entry>) -> Result<FoundKey, StoreError> {
    let Entry { key, registered_as, account, .. } = entry.unwrap_or_default();
    let owner = found(account)?;
    let written = if registered_as.is_empty() { &key } else { &registered_as };
    let registered_as = PayeeKey::parse(written).map_err(|broken| {
        StoreError::Unavailable(format!("the directory shows no key: {}", broken.code()))
    })?;
    Ok(FoundKey { owner, registered_as })
}

fn unavailable(status: &Status) -> StoreError {
    StoreError::Unavailable(format!("the directory: {}: {}", status.code(), status.message()))
}

/// What a failed question about a key means.
fn refusal(status: &Status) -> Result<KeyAnswer, StoreError> {
    match status.code() {
        // What is no key is nobody's.
        Code::NotFound | Code::InvalidArgument => Ok(Ok(None)),
        Code::FailedPrecondition => {
            let sentence = status.message().to_owned();
            Ok(Err(Violation::failed_precondition("key_lookup_refused", "pix_key_to", sentence)))
        }
        Code::ResourceExhausted
        | Code::Ok
        | Code::Cancelled
        | Code::Unknown
        | Code::DeadlineExceeded
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unimplemented
        | Code::Internal
        | Code::Unavailable
        | Code::DataLoss
        | Code::Unauthenticated => Err(unavailable(status)),
    }
}
