//! Wires the context: schema, topics, consumers, command queues, sweeper, services.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use shared_kernel::application::StoreError;
use shared_kernel::application::log::LogError;
use shared_kernel::domain::{Ispb, Violation};
use shared_kernel::infrastructure::context::{
    ContextPlan, ContextSettings, ContextStart, Stage, StartError, Worker,
};
use shared_kernel::infrastructure::kafka::{Retention, Subscription, TopicPlan};

use super::graphql::{GraphSchema, schema};
use super::grpc::{BankingServices, DirectoryClient};
use super::kafka::consumer::{self, BANK_TOPICS, BankingConsumer};
use super::kafka::published::SOURCE;
use super::kafka::{BANK_PREFIX, BANKS, READERS, topics};
use super::postgres::{MIGRATIONS, SCHEMA, paint};
use super::wallet_core::{self, Fixtures, WalletCoreEcho, WalletCoreSettings};
use super::watch::{self, TransferWatches};
use crate::application::Banking;
use crate::application::account_command::AccountDesk;
use crate::application::banks::{AccountBankReader, AccountBanks};
use crate::application::command::{
    OpenAccountDesk, PayAccountDesk, RegisterClientDesk, RequestTransferDesk,
};
use crate::application::directory::{Patience, PatientDirectory};
use crate::application::hub::HubReactions;
use crate::application::ports::{BankingPorts, Echo, NoEcho};
use crate::application::query::{
    GetAccount, GetBank, GetClient, GetStatement, GetTransfer, ListAccounts, ListBanks, ListHolds,
    ListTransfers,
};
use crate::application::reaction::OnParticipantEnrolled;
use crate::application::reminder::Reminder;
use crate::domain::BankColors;

const NAME: &str = "banking";
/// How often overdue holds and expected credits are looked for.
const REMIND_EVERY: Duration = Duration::from_secs(1);

/// What this context is told beside the settings of every context.
#[derive(Clone)]
pub struct BankingSettings {
    /// The only banks of this process; empty: all native ones.
    pub banks: Vec<Ispb>,
    /// How long a hold may wait for the hub by the bank's own clock.
    pub transfer_deadline: Duration,
    /// `http://host:port` of the directory of keys.
    pub pix_keys_url: String,
    /// Bearer token for the directory, where it asks for one.
    pub pix_keys_token: Option<String>,
    /// The banks' colours.
    pub colors: BankColors,
    /// Workers on the queue of transfers: while one waits for the disk, the next collects.
    pub transfer_workers: usize,
    /// Wallet Core's protocol; none where it is not spoken.
    pub wallet_core: Option<WalletCoreSettings>,
}

impl std::fmt::Debug for BankingSettings {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("BankingSettings")
            .field("banks", &self.banks)
            .field("transfer_deadline", &self.transfer_deadline)
            .field("pix_keys_url", &self.pix_keys_url)
            .field("transfer_workers", &self.transfer_workers)
            .field("wallet_core", &self.wallet_core)
            .finish_non_exhaustive()
    }
}

impl BankingSettings {
    /// The usual settings over a directory.
    pub fn new(pix_keys_url: impl Into<String>) -> Self {
        Self {
            banks: Vec::new(),
            transfer_deadline: Duration::from_secs(40),
            pix_keys_url: pix_keys_url.into(),
            pix_keys_token: None,
            colors: BankColors::default(),
            transfer_workers: 2,
            wallet_core: None,
        }
    }
}

/// The context at work.
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct Running {
    /// Its gRPC services.
    pub services: BankingServices,
    /// Its subgraph.
    pub graph: GraphSchema,
    /// Its use cases.
    pub facade: Arc<Banking>,
    /// Transfers that are followed.
    pub watches: TransferWatches,
    /// Wallet Core's HTTP API, where its protocol is spoken.
    pub wallet_core: Option<Router>,
    /// Its loops.
    pub workers: Vec<Worker>,
}

/// Starts the context.
///
/// # Errors
/// [`StartError`] names what does not answer.
pub async fn start(
    settings: &ContextSettings,
    own: BankingSettings,
) -> Result<Running, StartError> {
    let fatal = |error: String| StartError::Log { context: NAME, error: LogError::Fatal(error) };
    let refused = |broken: Violation| fatal(broken.message().to_owned());
    let directory = DirectoryClient::new(&own.pix_keys_url, own.pix_keys_token.as_deref())
        .map_err(|error| fatal(format!("PIX_KEYS_URL: {error}")))?;
    let plan = ContextPlan {
        name: NAME,
        schema: SCHEMA,
        source: SOURCE,
        migrations: MIGRATIONS,
        topics: all_topics(&own),
        readers: READERS,
    };
    let mut start = ContextStart::begin(settings, plan).await?;
    let store = |error: StoreError| StartError::Store { context: NAME, error };
    paint(&start.sessions, &own.banks, &own.colors).await.map_err(store)?;
    let directory =
        PatientDirectory::new(Arc::new(directory), start.clock.clone(), Patience::default());
    let ports = BankingPorts {
        store: Arc::new(start.sessions.clone()),
        reads: Arc::new(start.sessions.clone()),
        directory: Arc::new(directory),
        banks: own.banks.iter().copied().collect(),
        clock: start.clock.clone(),
        ids: start.ids.clone(),
        echo: echo(&own).map_err(refused)?,
    };
    consumers(&mut start, &ports, &own)?;
    start.sweeper("reminder", REMIND_EVERY, Arc::new(Reminder(ports.clone())));
    let facade = Arc::new(facade(&mut start, &ports, &own));
    let changes = start.tail(&watch::READER)?;
    let (clock, stop) = (start.clock.clone(), settings.stop_work.clone());
    let watches = TransferWatches::new(&facade, changes, clock, stop);
    let callers = Arc::clone(&start.callers);
    let services =
        BankingServices::new(Arc::clone(&facade), watches.clone(), callers, start.ids.clone());
    let graph = schema(&facade, &watches, start.ids.clone());
    let wallet_core = own.wallet_core.as_ref();
    let wallet_core = wallet_core.map(|own| speak_wallet_core(&mut start, settings, own, &facade));
    let wallet_core = wallet_core.transpose().map_err(refused)?;
    Ok(Running { services, graph, facade, watches, wallet_core, workers: start.finish() })
}

/// Own topics, those of neighbours, those of the banks that this process is narrowed to, and those
/// of Wallet Core.
fn all_topics(own: &BankingSettings) -> Vec<TopicPlan> {
    let banks = own.banks.iter().map(|ispb| {
        TopicPlan::new(format!("{BANK_PREFIX}{ispb}"), Retention::Days30).partitions(2)
    });
    let wallet_core = own.wallet_core.iter().flat_map(|own| own.topics.plans());
    topics().into_iter().chain(banks).chain(wallet_core).collect()
}

/// Whom transfers within a bank are told beside our own readers.
fn echo(own: &BankingSettings) -> Result<Arc<dyn Echo>, Violation> {
    let Some(wallet_core) = &own.wallet_core else { return Ok(Arc::new(NoEcho)) };
    Ok(Arc::new(WalletCoreEcho::new(wallet_core::ispb()?, wallet_core.topics.clone())))
}

/// Wallet Core's HTTP API, and its fixtures where they are wanted.
fn speak_wallet_core(
    start: &mut ContextStart,
    settings: &ContextSettings,
    own: &WalletCoreSettings,
    facade: &Arc<Banking>,
) -> Result<Router, Violation> {
    let ispb = wallet_core::ispb()?;
    if own.fixtures {
        let (facade, clock, ids) = (Arc::clone(facade), start.clock.clone(), start.ids.clone());
        let fixtures = Fixtures { ispb, facade, clock, ids };
        let stop = settings.stop_work.clone();
        start.worker("wallet-core-fixtures", Stage::Work, async move {
            fixtures.run(stop).await;
            Ok(())
        });
    }
    let (callers, ids) = (Arc::clone(&start.callers), start.ids.clone());
    Ok(wallet_core::routes(ispb, Arc::clone(facade), callers, ids))
}

/// One consumer for all banks, or one for each bank that this process is narrowed to: each reads
/// its bank's topic by name, and banks and keys for itself.
fn consumers(
    start: &mut ContextStart,
    ports: &BankingPorts,
    own: &BankingSettings,
) -> Result<(), StartError> {
    let topic_prefix = start.kafka().topic_prefix.clone();
    let handler = |banks: BTreeSet<Ispb>| {
        Arc::new(BankingConsumer {
            store: ports.store.clone(),
            ids: ports.ids.clone(),
            topic_prefix: topic_prefix.clone(),
            participants: OnParticipantEnrolled { banks, colors: own.colors.clone() },
            hub: HubReactions::new(ports.clock.clone(), ports.ids.clone()),
        })
    };
    let of_banks = |topics: &str| Subscription::of(&consumer::READER).named(BANK_TOPICS, topics);
    let all = ports.banks.clone();
    if all.is_empty() {
        start.consumer(&of_banks(BANKS), handler(all))?;
        return Ok(());
    }
    for ispb in &all {
        let own = of_banks(&format!("{BANK_PREFIX}{ispb}")).apart(ispb);
        start.consumer(&own, handler(BTreeSet::from([*ispb])))?;
    }
    Ok(())
}

fn facade(start: &mut ContextStart, ports: &BankingPorts, own: &BankingSettings) -> Banking {
    let reads = || ports.reads.clone();
    let transfers = RequestTransferDesk::new(ports, own.transfer_deadline);
    let account_banks = Arc::new(AccountBankReader(reads()));
    Banking {
        open_account: start.command(Arc::new(OpenAccountDesk(ports.clone())), 1),
        deposit: start.command(Arc::new(AccountDesk::new(ports)), 1),
        withdraw: start.command(Arc::new(AccountDesk::new(ports)), 1),
        block_account: start.command(Arc::new(AccountDesk::new(ports)), 1),
        unblock_account: start.command(Arc::new(AccountDesk::new(ports)), 1),
        close_account: start.command(Arc::new(AccountDesk::new(ports)), 1),
        set_account_limits: start.command(Arc::new(AccountDesk::new(ports)), 1),
        request_transfer: start.command(Arc::new(transfers), own.transfer_workers),
        register_client: start.command(Arc::new(RegisterClientDesk(ports.clone())), 1),
        pay_account: start.command(Arc::new(PayAccountDesk(ports.clone())), own.transfer_workers),
        account_banks: AccountBanks::new(start.batches("account_bank", account_banks, 1)),
        list_banks: ListBanks(reads()),
        get_bank: GetBank(reads()),
        get_account: GetAccount(reads()),
        get_client: GetClient(reads()),
        list_accounts: ListAccounts(reads()),
        list_holds: ListHolds(reads()),
        get_transfer: GetTransfer(reads()),
        list_transfers: ListTransfers(reads()),
        get_statement: GetStatement(reads()),
    }
}
