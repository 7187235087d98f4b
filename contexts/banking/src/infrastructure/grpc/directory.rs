//! Asks the directory of keys over the network, even inside the monolith.

use std::time::Duration;

use async_trait::async_trait;
use shared_kernel::domain::{AccountId, Ispb, TaxId, Violation};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};

use super::pix_keys::pix_keys_service_client::PixKeysServiceClient;
use super::pix_keys::{Account, Entry, FindKeyRequest};
use crate::application::directory::{FoundKey, KeyDirectory, KeyQuestion, LookupError};
use crate::domain::Party;

/// How long one attempt may take.
const DEADLINE: Duration = Duration::from_secs(2);

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

    fn request(&self, question: &KeyQuestion) -> Request<FindKeyRequest> {
        let mut request = Request::new(FindKeyRequest {
            key: question.key.clone(),
            requester_ispb: question.requester.to_string(),
            payer_tax_id: question.payer_tax_id.as_str().to_owned(),
            end_to_end_id: question.end_to_end_id.to_string(),
        });
        if let Some(token) = &self.token {
            request.metadata_mut().insert("authorization", token.clone());
        }
        if let Ok(trace) = question.trace.as_str().parse() {
            request.metadata_mut().insert("traceparent", trace);
        }
        request
    }
}

#[async_trait]
impl KeyDirectory for DirectoryClient {
    async fn find(&self, question: &KeyQuestion) -> Result<Option<FoundKey>, LookupError> {
        let answer = self.client.clone().find_key(self.request(question)).await;
        match answer {
            Ok(response) => {
                let found = response.into_inner().entry.and_then(|it| found(it, &question.key));
                found
                    .map(Some)
                    .ok_or_else(|| LookupError::Unavailable("its answer is unreadable".to_owned()))
            }
            Err(status) => refusal(&status).map(|()| None),
        }
    }
}

/// The key that the directory found. One that does not say how it was written was written as it is.
fn found(entry: Entry, written: &str) -> Option<FoundKey> {
    let owner = party(&entry.account?)?;
    let registered_as = Some(entry.registered_as).filter(|it| !it.is_empty() && it != written);
    Some(FoundKey { owner, registered_as })
}

fn party(account: &Account) -> Option<Party> {
    Some(Party {
        ispb: Ispb::parse(&account.ispb).ok()?,
        account_id: AccountId::parse(&account.account_id).ok()?,
        owner_name: account.owner_name.clone(),
        owner_tax_id: TaxId::parse(&account.owner_tax_id).ok()?,
    })
}

/// What a failed question means; `Ok` when nobody has the key.
fn refusal(status: &Status) -> Result<(), LookupError> {
    let sentence = status.message().to_owned();
    match status.code() {
        Code::NotFound => Ok(()),
        Code::InvalidArgument => {
            Err(Violation::invalid("payee_key_invalid", "payee_key", sentence).into())
        }
        Code::ResourceExhausted => {
            let code = "key_lookups_exhausted";
            Err(Violation::resource_exhausted(code, "payee_key", sentence).into())
        }
        Code::FailedPrecondition => {
            let code = "key_lookup_refused";
            Err(Violation::failed_precondition(code, "payee_key", sentence).into())
        }
        Code::Ok
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
        | Code::Unauthenticated => {
            Err(LookupError::Unavailable(format!("{}: {sentence}", status.code())))
        }
    }
}
