//! A process: the same use cases, reactions, relays and sweepers as `infrastructure/start.rs` of
//! each context wires, over simulated ports.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use balances::infrastructure::kafka::{
    ACCOUNTS_TOPIC, AccountsConsumer, TRANSFERS_TOPIC, TransfersConsumer,
};
use banking::application::account_command::AccountDesk;
use banking::application::command::{OpenAccountDesk, PayAccountDesk, RequestTransferDesk};
use banking::application::directory::{Patience, PatientDirectory};
use banking::application::hub::HubReactions;
use banking::application::ports::{BankingPorts, NoEcho};
use banking::application::reaction::OnParticipantEnrolled;
use banking::application::reminder::Reminder;
use banking::infrastructure::kafka::consumer::BankingConsumer;
use pix_keys::application::command::{EnrolAccountHandler, RegisterKeyHandler, RemoveKeyHandler};
use pix_keys::application::query::{
    FindAccountExecutor, FindAccountQueue, FindKeyExecutor, FindKeyQueue,
};
use pix_keys::application::{Desk, DeskPorts};
use pix_keys::infrastructure::kafka::{DirectoryConsumer, inbound as directory};
use shared_kernel::application::batcher::{BatchExecutor, BatchLimits, Batcher, batcher};
use shared_kernel::application::command::{BatchCommand, CommandRunner};
use shared_kernel::application::consumer::{BatchHandler, ConsumerPorts, ConsumerSettings};
use shared_kernel::application::observer::Silent;
use shared_kernel::application::relay::{Relay, RelayPorts, RelaySettings};
use shared_kernel::application::stop::{StopHandle, StopSignal, stop_pair};
use shared_kernel::application::sweeper::{Sweep, sweep_until_stopped};
use shared_kernel::application::{Clock, Consumer, Ids, Progress};
use shared_kernel::domain::Ispb;
use tokio::sync::Notify;
use transfers::application::hand_over::{Courier, CourierPorts, CourierSettings};
use transfers::application::marked_line::MarkedLine;
use transfers::application::outside::{OrderDesk, OrderPorts};
use transfers::application::{
    AcknowledgeCreditHandler, Clearing, EnrolParticipantHandler, ExpireOverdue,
    RepeatConfirmations, ResolveTransferHandler, TransfersSettings,
};
use transfers::infrastructure::classic::consumer::{self as classic, OutsideMessages};
use transfers::infrastructure::classic::published::{CONFIRMATIONS, ORDERS};
use transfers::infrastructure::kafka::consumer::BankMessages;
use transfers::infrastructure::kafka::inbound::BANK_MESSAGES;

use crate::city::City;
use crate::contexts::transfers::TransfersTables;
use crate::executor::NodeId;
use crate::facade::{BanksFacade, HubFacade, KeysFacade};
use crate::handler::Watched;
use crate::log::{HandOverLine, Places, Reader, Topics, Writer};
use crate::network::Line;
use crate::plan::Role;
use crate::planted;
use crate::store::{Database, Session, Signal, Tables};
use crate::world::{MachineClock, SeededIds};

pub(crate) use crate::facade::Facades;

/// How long the payee's bank has to accept.
const TRANSFER_DEADLINE: Duration = Duration::from_secs(40);

/// What a process is made of.
pub(crate) struct Wiring<'a> {
    pub(crate) city: &'a Arc<City>,
    pub(crate) node: NodeId,
    pub(crate) clock: MachineClock,
    pub(crate) roles: &'a [Role],
}

/// Counts what still runs, for a graceful stop.
#[derive(Clone, Default)]
pub(crate) struct Idle {
    work: Arc<AtomicUsize>,
    relays: Arc<AtomicUsize>,
    ended: Arc<Notify>,
}

impl Idle {
    async fn wait(&self, count: &AtomicUsize) {
        while count.load(Ordering::Relaxed) > 0 {
            self.ended.notified().await;
        }
    }

    /// Returns when consumers, commands and sweepers have ended.
    pub(crate) async fn work(&mut self) {
        self.wait(&self.work).await;
    }

    /// Returns when the relays have ended.
    pub(crate) async fn relays(&mut self) {
        self.wait(&self.relays).await;
    }
}

/// A process that runs.
pub(crate) struct Process {
    pub(crate) node: NodeId,
    pub(crate) facades: Facades,
    stop_work: StopHandle,
    stop_relays: Option<StopHandle>,
    idle: Idle,
}

impl Process {
    /// Starts everything that its roles need.
    pub(crate) fn start(wiring: &Wiring<'_>) -> Self {
        let (stop_work, work) = stop_pair();
        let (stop_relays, relays) = stop_pair();
        let (idle, node) = (Idle::default(), wiring.node);
        let shop = Shop {
            city: Arc::clone(wiring.city),
            node,
            clock: Arc::new(wiring.clock.clone()),
            ids: Arc::new(SeededIds::new(&wiring.city.world)),
            work,
            relays,
            idle: idle.clone(),
        };
        let mut facades = Facades::default();
        for role in wiring.roles {
            match role {
                Role::PixKeys => facades.keys = Some(shop.keys()),
                Role::Transfers => facades.hub = Some(shop.hub()),
                Role::Banking => facades.banks = Some(shop.banks()),
                Role::Balances => shop.balances(),
            }
        }
        Self { node, facades, stop_work, stop_relays: Some(stop_relays), idle }
    }

    /// Asks everything but the relays to end; once.
    pub(crate) fn stop(&mut self) -> Option<(StopHandle, Idle)> {
        let relays = self.stop_relays.take()?;
        self.stop_work.stop();
        Some((relays, self.idle.clone()))
    }
}

/// Wires one process.
struct Shop {
    city: Arc<City>,
    node: NodeId,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    work: StopSignal,
    relays: StopSignal,
    idle: Idle,
}

impl Shop {
    fn spawn(&self, is_relay: bool, run: impl Future<Output = ()> + Send + 'static) {
        let idle = self.idle.clone();
        let count = Arc::clone(if is_relay { &idle.relays } else { &idle.work });
        count.fetch_add(1, Ordering::Relaxed);
        self.city.world.executor.spawn(self.node, async move {
            run.await;
            count.fetch_sub(1, Ordering::Relaxed);
            idle.ended.notify_waiters();
            idle.ended.notify_one();
        });
    }

    /// Access to a schema, with the relays of its outbox.
    fn session<T: Tables>(&self, database: &Database<T>, source: &'static str) -> Session<T> {
        let session = Session {
            database: database.clone(),
            node: self.node,
            source,
            clock: Arc::clone(&self.clock),
            ids: Arc::clone(&self.ids),
            signal: Signal::default(),
        };
        let plan = &self.city.world.plan;
        for shard in 0..plan.shards {
            let ports = RelayPorts {
                outbox: Arc::new(session.clone()),
                log: Arc::new(Writer::new(&self.city.log, self.node)),
                clock: Arc::clone(&self.clock),
                observer: Arc::new(Silent),
            };
            let settings = RelaySettings {
                idle_wait: plan.idle_wait,
                lead_wait: plan.idle_wait,
                ..RelaySettings::default()
            };
            self.spawn(true, Relay::new(shard, ports, settings).run(self.relays.clone()));
        }
        session
    }

    fn command<U: BatchCommand, T: Tables>(
        &self,
        session: &Session<T>,
        use_case: U,
        workers: usize,
    ) -> Batcher<U::Command, U::Answer> {
        let book = Arc::new(session.clone());
        let runner = CommandRunner::new(Arc::new(use_case), book, Arc::new(Silent));
        self.batches(runner, workers)
    }

    fn batches<E: BatchExecutor>(
        &self,
        executor: E,
        workers: usize,
    ) -> Batcher<E::Request, E::Answer> {
        let (queue, workers) = batcher(Arc::new(executor), BatchLimits::default(), workers);
        for worker in workers {
            self.spawn(false, worker.run(self.work.clone()));
        }
        queue
    }

    fn consumer<H, T>(
        &self,
        session: &Session<T>,
        (name, topics): (&str, &[&str]),
        handler: H,
    ) -> Arc<Progress>
    where
        H: BatchHandler + 'static,
        T: Tables,
    {
        let topics: Vec<String> = topics.iter().map(|topic| (*topic).to_owned()).collect();
        let progress = Arc::new(Progress::default());
        let ports = ConsumerPorts {
            reader: Box::new(Reader::join(&self.city.log, name, &topics, self.node)),
            offsets: Arc::new(session.clone()),
            clock: Arc::clone(&self.clock),
            observer: Arc::new(Silent),
            progress: Arc::clone(&progress),
        };
        let plan = &self.city.world.plan;
        let settings = ConsumerSettings {
            batch_max: plan.batch_max,
            poll_wait: plan.idle_wait.max(Duration::from_millis(250)),
            ..ConsumerSettings::new(name)
        };
        let handler = Watched::new(&self.city.world, self.node, name, handler);
        let consumer = Consumer::new(settings, ports, Arc::new(handler));
        let (world, name) = (Arc::clone(&self.city.world), name.to_owned());
        let run = consumer.run(self.work.clone());
        self.spawn(false, async move {
            if let Err(error) = run.await {
                world.fail(format!("the consumer {name} gave up: {error}"));
            }
        });
        progress
    }

    fn sweeper(&self, name: &'static str, every: Duration, job: impl Sweep + 'static) {
        let (clock, stop) = (Arc::clone(&self.clock), self.work.clone());
        self.spawn(false, sweep_until_stopped(name, Arc::new(job), every, clock, stop));
    }

    fn hub(&self) -> HubFacade {
        let session = self.session(&self.city.transfers, "/codepix/transfers");
        let own = TransfersSettings {
            transfer_deadline: TRANSFER_DEADLINE,
            ..TransfersSettings::default()
        };
        let store = || Arc::new(session.clone());
        let clearing = Clearing::new(Arc::clone(&self.clock), own);
        let handler = BankMessages::new(store(), clearing, Arc::clone(&self.ids));
        let topics = ("codepix.transfers", [BANK_MESSAGES]);
        let progress = self.consumer(&session, (topics.0, &topics.1), handler);
        let progress = planted::progress(&self.city.world, progress, &self.clock);
        let expire = ExpireOverdue::new(store(), progress, Arc::clone(&self.clock), own);
        self.sweeper("deadlines", own.sweep_every, expire);
        let repeat = RepeatConfirmations::new(store(), Arc::clone(&self.clock), own);
        self.sweeper("missing reports", own.sweep_every, repeat);
        let topics = Arc::new(Topics(Arc::clone(&self.city.log)));
        let enrol = EnrolParticipantHandler::new(store(), topics, Arc::clone(&self.clock));
        let resolve = ResolveTransferHandler::new(store(), Arc::clone(&self.clock), own);
        let has_programs = self.city.world.plan.classic.banks > 0;
        if has_programs {
            self.serve_programs(&session, own);
        }
        let acknowledge = || AcknowledgeCreditHandler::new(store(), Arc::clone(&self.clock));
        let acknowledge = has_programs.then(acknowledge);
        HubFacade {
            enrol_participant: self.command(&session, enrol, 1),
            resolve_transfer: self.command(&session, resolve, 1),
            acknowledge_credit: acknowledge.map(|it| self.command(&session, it, 1)),
        }
    }

    /// The consumer of what bank programs write, and the courier of hand-overs.
    fn serve_programs(&self, session: &Session<TransfersTables>, own: TransfersSettings) {
        let city = &self.city;
        let ports = OrderPorts {
            directory: Arc::new(Line { city: Arc::clone(city), node: self.node }),
            placement: Arc::new(Places(city.world.plan.partitions)),
            topics: Arc::new(Topics(Arc::clone(&city.log))),
            clock: Arc::clone(&self.clock),
            ids: Arc::clone(&self.ids),
        };
        let desk = OrderDesk::new(ports, Clearing::new(Arc::clone(&self.clock), own));
        let heard = [
            (classic::ORDERS_CONSUMER, ORDERS.address),
            (classic::CONFIRMATIONS_CONSUMER, CONFIRMATIONS.address),
        ];
        for (consumer, topic) in heard {
            let (store, ids) = (Arc::new(session.clone()), Arc::clone(&self.ids));
            let confirmations = CONFIRMATIONS.address.into();
            let handler = OutsideMessages::new(store, desk.clone(), ids, confirmations);
            self.consumer(session, (consumer, &[topic]), handler);
        }
        let line = MarkedLine::new(Box::new(HandOverLine::new(&city.log, self.node)));
        let plan = &city.world.plan;
        let settings = CourierSettings {
            idle_wait: plan.idle_wait,
            lead_wait: plan.idle_wait,
            batch_max: plan.hand_overs_max,
        };
        let ports = CourierPorts {
            hand_overs: Arc::new(session.clone()),
            line: Box::new(line),
            topics: Arc::new(Topics(Arc::clone(&city.log))),
            clock: Arc::clone(&self.clock),
        };
        let courier = Courier::new(0, ports, settings);
        self.spawn(true, courier.run(self.relays.clone()));
    }

    fn banks(&self) -> BanksFacade {
        use banking::infrastructure::SOURCE;
        use banking::infrastructure::kafka::{BANK_PREFIX, BANKS, PARTICIPANTS, PIX_KEYS};

        let session = self.session(&self.city.banking, SOURCE);
        let line = Line { city: Arc::clone(&self.city), node: self.node };
        let directory =
            PatientDirectory::new(Arc::new(line), Arc::clone(&self.clock), Patience::default());
        let ports = BankingPorts {
            store: Arc::new(session.clone()),
            reads: Arc::new(session.clone()),
            directory: Arc::new(directory),
            banks: BTreeSet::new(),
            clock: Arc::clone(&self.clock),
            ids: Arc::clone(&self.ids),
            echo: Arc::new(NoEcho),
        };
        let handler = |banks: BTreeSet<Ispb>| BankingConsumer {
            store: Arc::clone(&ports.store),
            ids: Arc::clone(&ports.ids),
            topic_prefix: String::new(),
            participants: OnParticipantEnrolled { banks, ..OnParticipantEnrolled::default() },
            hub: HubReactions::new(Arc::clone(&ports.clock), Arc::clone(&ports.ids)),
        };
        let plan = &self.city.world.plan;
        for ispb in plan.banks().filter(|_| plan.are_banks_apart) {
            let topic = format!("{BANK_PREFIX}{ispb}");
            self.city.log.create(&topic, 2);
            let group = format!("codepix.banking.{ispb}");
            let topics = [topic.as_str(), PARTICIPANTS, PIX_KEYS];
            self.consumer(&session, (&group, &topics), handler(BTreeSet::from([ispb])));
        }
        if !plan.are_banks_apart {
            let topics = [BANKS, PARTICIPANTS, PIX_KEYS];
            self.consumer(&session, ("codepix.banking", &topics), handler(BTreeSet::new()));
        }
        self.sweeper("reminder", Duration::from_secs(1), Reminder(ports.clone()));
        if let Some(job) = planted::impatient_banks(&self.city.world, &ports) {
            self.sweeper("impatience", Duration::from_secs(1), job);
        }
        let transfers = RequestTransferDesk::new(&ports, TRANSFER_DEADLINE);
        BanksFacade {
            open_account: self.command(&session, OpenAccountDesk(ports.clone()), 1),
            deposit: self.command(&session, AccountDesk::new(&ports), 1),
            withdraw: self.command(&session, AccountDesk::new(&ports), 1),
            block_account: self.command(&session, AccountDesk::new(&ports), 1),
            unblock_account: self.command(&session, AccountDesk::new(&ports), 1),
            close_account: self.command(&session, AccountDesk::new(&ports), 1),
            set_account_limits: self.command(&session, AccountDesk::new(&ports), 1),
            request_transfer: self.command(&session, transfers, 2),
            pay_account: self.command(&session, PayAccountDesk(ports.clone()), 1),
        }
    }

    fn keys(&self) -> KeysFacade {
        let session = self.session(&self.city.pix_keys, "/codepix/pix-keys");
        let store = || Arc::new(session.clone());
        let (clock, ids) = (|| Arc::clone(&self.clock), || Arc::clone(&self.ids));
        let find_key: FindKeyQueue = self.batches(FindKeyExecutor::new(store()), 2);
        let find_account: FindAccountQueue = self.batches(FindAccountExecutor::new(store()), 2);
        let registers = RegisterKeyHandler::new(store(), clock(), ids());
        let removes = RemoveKeyHandler::new(store(), clock());
        let desk = Desk::new(DeskPorts {
            reads: store(),
            clock: clock(),
            find_account: find_account.clone(),
            register_key: self.command(&session, registers, 2),
            remove_key: self.command(&session, removes, 2),
            enrol_account: self.command(&session, EnrolAccountHandler::new(store()), 2),
        });
        let handler = DirectoryConsumer::new(store(), clock(), ids());
        let topics = [directory::PARTICIPANTS_TOPIC, directory::ACCOUNTS_TOPIC];
        self.consumer(&session, ("codepix.pix-keys", &topics), handler);
        KeysFacade { desk, find_key, find_account }
    }

    fn balances(&self) {
        let session = self.session(&self.city.balances, "/codepix/balances");
        let store = || Arc::new(session.clone());
        let accounts = AccountsConsumer::new(store());
        self.consumer(&session, ("codepix.balances", &[ACCOUNTS_TOPIC]), accounts);
        let transfers = TransfersConsumer::new(store());
        self.consumer(&session, ("codepix.balances.transfers", &[TRANSFERS_TOPIC]), transfers);
    }
}
