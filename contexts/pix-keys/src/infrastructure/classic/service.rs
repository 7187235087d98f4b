//! The service, once, behind a route for each package.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request as HttpRequest;
use axum::http::Uri;
use axum::http::uri::PathAndQuery;
use axum::response::Response as HttpResponse;
use axum::routing::post;
use shared_kernel::application::{ApplicationError, Caller, Ids, TraceParent};
use shared_kernel::domain::{AccountId, Violation};
use shared_kernel::infrastructure::grpc::{Callers, request_context, status};
use tonic::codegen::Service as _;
use tonic::{Code, Request, Response, Status};
use tracing::Instrument as _;

use super::package::ClassicPackage;
use super::proto;
use super::proto::pix_service_server::{PixService, PixServiceServer};
use crate::application::command::Leniency;
use crate::application::query::FindKey;
use crate::application::{EntryView, PixKeys, ProgramKeyOrder};
use crate::domain::error::NO_KEY_WAS_FOUND;
use crate::domain::{PixKey, PixKeyKind, Spelling};
use crate::infrastructure::PixKeysSettings;

/// What a program of the package of this call compares the message of a failed lookup with.
#[derive(Clone)]
struct NotFound(Arc<str>);

/// The directory for programs that are not ours.
#[derive(Clone)]
pub struct ClassicService {
    pix_keys: PixKeys,
    callers: Arc<Callers>,
    ids: Arc<dyn Ids>,
    packages: Arc<[ClassicPackage]>,
    made_up_owners: Arc<[AccountId]>,
}

impl std::fmt::Debug for ClassicService {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("ClassicService")
            .field("packages", &self.packages)
            .finish_non_exhaustive()
    }
}

impl ClassicService {
    /// The service over these use cases, under the packages of the settings.
    pub fn new(
        pix_keys: PixKeys,
        callers: Arc<Callers>,
        ids: Arc<dyn Ids>,
        own: &PixKeysSettings,
    ) -> Self {
        let packages = own.classic_packages.clone().into();
        let made_up_owners = own.made_up_owners.clone().into();
        Self { pix_keys, callers, ids, packages, made_up_owners }
    }

    /// The packages under which it is served.
    pub fn packages(&self) -> &[ClassicPackage] {
        &self.packages
    }

    /// A route for each package; all lead here.
    pub fn routes(&self) -> Router {
        let server = PixServiceServer::new(self.clone());
        let route = |routes: Router, package: &ClassicPackage| {
            let (server, text) = (server.clone(), NotFound(package.not_found().into()));
            let answer = move |request: HttpRequest| answer(server, text, request);
            let path = format!("/{}/{{method}}", package.service());
            routes.route(&path, post(answer))
        };
        self.packages.iter().fold(Router::new(), route)
    }

    fn context<T>(&self, request: &Request<T>) -> Result<(Caller, TraceParent), Status> {
        request_context(request, &self.callers, self.ids.as_ref())
            .map_err(|broken| status(&broken.into()))
    }
}

/// Calls the service under its own name.
async fn answer(
    mut server: PixServiceServer<ClassicService>,
    text: NotFound,
    mut request: HttpRequest,
) -> HttpResponse {
    let method = request.uri().path().rsplit('/').next().unwrap_or_default();
    let own = format!("/codepix_classic.PixService/{method}");
    // Of what a path could be, the rest of a path is one.
    *request.uri_mut() = own.parse::<PathAndQuery>().map_or_else(|_| Uri::default(), Uri::from);
    request.extensions_mut().insert(text);
    match server.call(request).await {
        Ok(response) => response.map(axum::body::Body::new),
        Err(never) => match never {},
    }
}

/// A key as programs write it. A kind that is unknown says nothing about the key.
fn key(kind: &str, text: &str) -> Result<PixKey, Violation> {
    match PixKeyKind::lenient(kind.trim()) {
        Ok(kind) => PixKey::lenient(kind, text),
        Err(_unknown) => PixKey::infer(text.trim()),
    }
}

/// A failed call with the sentence alone as its message: programs show or compare it.
fn failed(error: &ApplicationError) -> Status {
    status(error)
}

fn info(entry: EntryView) -> proto::PixKeyInfo {
    let created_at = entry.created_at.to_string();
    // The program that registered it looks it up by this text; any other finds it by any.
    let key = entry.registered_as().to_owned();
    let account = entry.account;
    let (bank_id, bank_name) =
        account.bank.map(|bank| (bank.code.to_string(), bank.name)).unwrap_or_default();
    proto::PixKeyInfo {
        id: entry.entry_id.to_string(),
        kind: entry.key.kind().as_str().to_owned(),
        key,
        account: Some(proto::Account {
            account_id: account.account_id.to_string(),
            account_number: account.number,
            bank_id,
            bank_name,
            owner_name: account.owner_name.as_str().to_owned(),
            // The directory does not know when an account was opened; a date that parses is better
            // than none for programs that read one.
            created_at: created_at.clone(),
        }),
        created_at,
    }
}

#[tonic::async_trait]
impl PixService for ClassicService {
    async fn register_pix_key(
        &self,
        request: Request<proto::PixKeyRegistration>,
    ) -> Result<Response<proto::PixKeyCreatedResult>, Status> {
        let (caller, trace) = self.context(&request)?;
        let proto::PixKeyRegistration { kind, key: text, account_id } = request.into_inner();
        let refused = |broken: Violation| failed(&broken.into());
        let key = PixKeyKind::lenient(kind.trim())
            .and_then(|kind| PixKey::lenient(kind, &text))
            .map_err(refused)?;
        let account_id = AccountId::parse(account_id.trim()).map_err(refused)?;
        let leniency = Leniency { owner_is_made_up: self.made_up_owners.contains(&account_id) };
        let span = tracing::info_span!("pix_keys", operation = "register_for_program", %trace);
        let desk = &self.pix_keys.desk;
        let spelling = Spelling::of(&text, &key).map_err(refused)?;
        let order = ProgramKeyOrder { account_id, key, spelling };
        let entry = desk.register_for_program(&caller, trace, order, leniency);
        let entry = entry.instrument(span).await.map_err(|error| failed(&error))?;
        Ok(Response::new(proto::PixKeyCreatedResult {
            id: entry.entry_id.to_string(),
            status: "created".to_owned(),
            error: String::new(),
        }))
    }

    async fn find(
        &self,
        request: Request<proto::PixKey>,
    ) -> Result<Response<proto::PixKeyInfo>, Status> {
        let (_caller, trace) = self.context(&request)?;
        let text = request.extensions().get::<NotFound>().cloned();
        let not_found = || {
            let text = text.as_ref().map_or(NO_KEY_WAS_FOUND, |text| &text.0);
            Status::new(Code::NotFound, text)
        };
        // What is no key is nobody's.
        let asked = request.get_ref();
        let key = key(&asked.kind, &asked.key).map_err(|_broken| not_found())?;
        let span = tracing::info_span!("pix_keys", operation = "find_by_program", %trace);
        let found = self.pix_keys.find_key.submit(FindKey::by_program(key)).instrument(span).await;
        match found {
            Ok(entry) => Ok(Response::new(info(entry))),
            Err(error) if error.to_string() == NO_KEY_WAS_FOUND => Err(not_found()),
            Err(error) => Err(failed(&error)),
        }
    }
}
