//! Wires the directory: store, queues, desk, consumer, services.

use std::sync::Arc;

use shared_kernel::application::{BatchCommand, Batcher};
use shared_kernel::domain::AccountId;
use shared_kernel::infrastructure::kafka::Subscription;
use shared_kernel::infrastructure::{ContextSettings, ContextStart, StartError, Worker};

use super::classic::{ClassicPackage, ClassicService};
use super::graphql::{self, GraphSchema};
use super::grpc::PixKeysServices;
use super::kafka::{DirectoryConsumer, READER};
use super::plan::plan;
use super::postgres::{Auditor, PgDirectory};
use crate::application::command::{EnrolAccountHandler, RegisterKeyHandler, RemoveKeyHandler};
use crate::application::query::{FindAccountExecutor, FindKeyExecutor};
use crate::application::{Desk, DeskPorts, DirectoryReads, DirectoryStore, PixKeys};

/// The directory's own settings.
#[derive(Clone, Debug)]
pub struct PixKeysSettings {
    /// Batches of one kind of command that may be decided at a time.
    pub command_workers: usize,
    /// Batches of lookups that may be read at a time.
    pub lookup_workers: usize,
    /// Packages under which the classic service is served.
    pub classic_packages: Vec<ClassicPackage>,
    /// Accounts whose owners came with demo data.
    pub made_up_owners: Vec<AccountId>,
}

impl Default for PixKeysSettings {
    fn default() -> Self {
        Self {
            command_workers: 2,
            lookup_workers: 2,
            classic_packages: ClassicPackage::defaults(),
            made_up_owners: Vec::new(),
        }
    }
}

/// The directory, ready to serve once its workers run.
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct Running {
    /// Its gRPC services.
    pub services: PixKeysServices,
    /// The same for programs that speak the classic protocol.
    pub classic: ClassicService,
    /// Its part of the graph.
    pub graph: GraphSchema,
    /// Its use cases.
    pub facade: PixKeys,
    /// What `codepix doctor` asks.
    pub auditor: Auditor,
    /// Its loops.
    pub workers: Vec<Worker>,
}

/// Migrates the schema, creates the topics and wires everything.
///
/// # Errors
/// [`StartError`] when the database or the log does not answer.
pub async fn start(
    settings: &ContextSettings,
    own: PixKeysSettings,
) -> Result<Running, StartError> {
    let mut context = ContextStart::begin(settings, plan()).await?;
    let directory = Arc::new(PgDirectory::new(context.sessions.clone()));
    let auditor = Auditor::new(context.sessions.database.clone());
    let facade = wire(&mut context, Arc::clone(&directory), &own);
    let (clock, ids) = (Arc::clone(&context.clock), Arc::clone(&context.ids));
    let consumer = DirectoryConsumer::new(directory, clock, Arc::clone(&ids));
    context.consumer(&Subscription::of(&READER), Arc::new(consumer))?;
    let graph = graphql::schema(&facade, Arc::clone(&ids));
    let callers = || Arc::clone(&context.callers);
    let services = PixKeysServices::new(facade.clone(), callers(), Arc::clone(&ids));
    let classic = ClassicService::new(facade.clone(), callers(), ids, &own);
    Ok(Running { services, classic, graph, facade, auditor, workers: context.finish() })
}

fn command<U: BatchCommand>(
    context: &mut ContextStart,
    own: &PixKeysSettings,
    use_case: U,
) -> Batcher<U::Command, U::Answer> {
    context.command(Arc::new(use_case), own.command_workers)
}

fn wire(context: &mut ContextStart, directory: Arc<PgDirectory>, own: &PixKeysSettings) -> PixKeys {
    let reads: Arc<dyn DirectoryReads> = directory.clone();
    let store: Arc<dyn DirectoryStore> = directory;
    let (clock, ids) = (Arc::clone(&context.clock), Arc::clone(&context.ids));
    let keys = Arc::new(FindKeyExecutor::new(Arc::clone(&reads)));
    let accounts = Arc::new(FindAccountExecutor::new(Arc::clone(&reads)));
    let find_key = context.batches("find_key", keys, own.lookup_workers);
    let find_account = context.batches("find_account", accounts, own.lookup_workers);
    let registers = RegisterKeyHandler::new(Arc::clone(&store), Arc::clone(&clock), ids);
    let removes = RemoveKeyHandler::new(Arc::clone(&store), Arc::clone(&clock));
    let desk = Desk::new(DeskPorts {
        reads: Arc::clone(&reads),
        clock,
        find_account: find_account.clone(),
        register_key: command(context, own, registers),
        remove_key: command(context, own, removes),
        enrol_account: command(context, own, EnrolAccountHandler::new(store)),
    });
    PixKeys::new(desk, find_key, find_account, &reads)
}
