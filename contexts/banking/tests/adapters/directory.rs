//! The client of the directory, against a server of the same protocol.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use banking::application::directory::{FoundKey, KeyDirectory, KeyQuestion, LookupError};
use banking::domain::Party;
use banking::infrastructure::grpc::DirectoryClient;
use banking::infrastructure::grpc::pix_keys::pix_keys_service_server::{
    PixKeysService, PixKeysServiceServer,
};
use banking::infrastructure::grpc::pix_keys::{self as proto, Account, Entry};
use shared_kernel::domain::EndToEndId;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;
use tonic::{Request, Response, Status};

use crate::world::{BANK_A, cpf, ispb, trace};

/// A directory that answers what it was told, and keeps the questions.
#[derive(Clone, Default)]
pub(crate) struct Keys {
    pub(crate) owners: Arc<Mutex<HashMap<String, Party>>>,
    failures: Arc<Mutex<HashMap<String, Status>>>,
    asked: Arc<Mutex<Vec<(proto::FindKeyRequest, tonic::metadata::MetadataMap)>>>,
}

impl Keys {
    /// Serves on a free port.
    pub(crate) async fn serve(&self) -> SocketAddr {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = Server::builder().add_service(PixKeysServiceServer::new(self.clone()));
        tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        address
    }
}

fn unused<T>() -> Result<Response<T>, Status> {
    Err(Status::unimplemented("not in this test"))
}

#[tonic::async_trait]
impl PixKeysService for Keys {
    async fn find_key(
        &self,
        request: Request<proto::FindKeyRequest>,
    ) -> Result<Response<proto::FindKeyResponse>, Status> {
        let metadata = request.metadata().clone();
        let asked = request.into_inner();
        self.asked.lock().unwrap().push((asked.clone(), metadata));
        if let Some(status) = self.failures.lock().unwrap().get(&asked.key) {
            return Err(status.clone());
        }
        let owner = self.owners.lock().unwrap().get(&asked.key).cloned();
        let owner = owner.ok_or_else(|| Status::not_found("no such key"))?;
        let account = Account {
            account_id: owner.account_id.to_string(),
            ispb: owner.ispb.to_string(),
            owner_name: owner.owner_name,
            owner_tax_id: owner.owner_tax_id.as_str().to_owned(),
            ..Account::default()
        };
        let registered_as = asked.key.to_uppercase();
        let account = Some(account);
        let entry = Entry { key: asked.key, account, registered_as, ..Entry::default() };
        Ok(Response::new(proto::FindKeyResponse { entry: Some(entry) }))
    }

    async fn register_key(
        &self,
        _request: Request<proto::RegisterKeyRequest>,
    ) -> Result<Response<proto::RegisterKeyResponse>, Status> {
        unused()
    }

    async fn list_keys(
        &self,
        _request: Request<proto::ListKeysRequest>,
    ) -> Result<Response<proto::ListKeysResponse>, Status> {
        unused()
    }

    async fn remove_key(
        &self,
        _request: Request<proto::RemoveKeyRequest>,
    ) -> Result<Response<proto::RemoveKeyResponse>, Status> {
        unused()
    }

    async fn find_account(
        &self,
        _request: Request<proto::FindAccountRequest>,
    ) -> Result<Response<proto::FindAccountResponse>, Status> {
        unused()
    }

    async fn enrol_account(
        &self,
        _request: Request<proto::EnrolAccountRequest>,
    ) -> Result<Response<proto::EnrolAccountResponse>, Status> {
        unused()
    }
}

fn question(key: &str) -> KeyQuestion {
    KeyQuestion {
        key: key.to_owned(),
        requester: ispb(BANK_A),
        payer_tax_id: cpf(1),
        end_to_end_id: EndToEndId::parse("E0000000120261120120000000000001").unwrap(),
        trace: trace(),
    }
}

fn ana() -> Party {
    Party {
        ispb: ispb("00000002"),
        account_id: "103cc632-78e7-4476-ab63-d5ad3a562d26".parse().unwrap(),
        owner_name: "Ana".into(),
        owner_tax_id: cpf(2),
    }
}

#[tokio::test]
async fn the_directory_is_asked_with_bank_payer_payment_token_and_trace() {
    let keys = Keys::default();
    keys.owners.lock().unwrap().insert("ana@example.com".into(), ana());
    let url = format!("http://{}", keys.serve().await);
    let client = DirectoryClient::new(&url, Some("secret-of-16-bytes")).unwrap();
    let asked = question("ana@example.com");
    let registered_as = Some("ANA@EXAMPLE.COM".to_owned());
    assert_eq!(client.find(&asked).await, Ok(Some(FoundKey { owner: ana(), registered_as })));
    let questions = keys.asked.lock().unwrap().clone();
    let (request, metadata) = &questions[0];
    assert_eq!(request.requester_ispb, BANK_A);
    assert_eq!(request.payer_tax_id, cpf(1).as_str());
    assert_eq!(request.end_to_end_id, asked.end_to_end_id.as_str());
    assert_eq!(metadata.get("authorization").unwrap(), "Bearer secret-of-16-bytes");
    assert_eq!(metadata.get("traceparent").unwrap(), asked.trace.as_str());
}

#[tokio::test]
async fn each_failure_has_its_meaning() {
    let keys = Keys::default();
    let code = |status: Status| {
        keys.failures.lock().unwrap().insert("bad".into(), status);
    };
    let url = format!("http://{}", keys.serve().await);
    let client = DirectoryClient::new(&url, None).unwrap();
    assert_eq!(client.find(&question("unknown")).await, Ok(None));
    for (status, expected) in [
        (Status::invalid_argument("write it otherwise"), "payee_key_invalid"),
        (Status::resource_exhausted("slow down"), "key_lookups_exhausted"),
        (Status::failed_precondition("not you"), "key_lookup_refused"),
    ] {
        code(status);
        match client.find(&question("bad")).await {
            Err(LookupError::Refused(violation)) => assert_eq!(violation.code(), expected),
            other => panic!("{other:?}"),
        }
    }
    for status in
        [Status::unavailable("down"), Status::internal("?"), Status::permission_denied("")]
    {
        code(status);
        let answer = client.find(&question("bad")).await;
        assert!(matches!(answer, Err(LookupError::Unavailable(_))), "{answer:?}");
    }
}

#[tokio::test]
async fn a_directory_that_is_not_there_is_unavailable_and_found_when_it_comes() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let client = DirectoryClient::new(&format!("http://{address}"), None).unwrap();
    let answer = client.find(&question("ana@example.com")).await;
    assert!(matches!(answer, Err(LookupError::Unavailable(_))), "{answer:?}");
    let keys = Keys::default();
    keys.owners.lock().unwrap().insert("ana@example.com".into(), ana());
    let listener = tokio::net::TcpListener::bind(address).await.unwrap();
    let server = Server::builder().add_service(PixKeysServiceServer::new(keys));
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    shared_kernel::testing::eventually(async || client.find(&question("ana@example.com")).await)
        .await;
}

#[test]
fn a_malformed_address_or_token_is_said_at_once() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _inside = runtime.enter();
    assert!(DirectoryClient::new("not a url", None).is_err());
    assert!(DirectoryClient::new("http://127.0.0.1:1", Some("line\nbreak")).is_err());
}
