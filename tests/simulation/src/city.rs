//! The whole hub: its databases, its log, its processes, and how they come and go.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::select;
use shared_kernel::domain::Ispb;
use transfers::application::marked_line::DELIVERED;
use transfers::infrastructure::classic::published::{CONFIRMATIONS, ORDERS};

use crate::contexts::balances::BalancesTables;
use crate::contexts::banking::BankingTables;
use crate::contexts::pix_keys::DirectoryTables;
use crate::contexts::transfers::TransfersTables;
use crate::executor::{NodeId, WORLD};
use crate::log::Log;
use crate::plan::{DOWN_MAX, HostPlan, Role};
use crate::process::{Facades, Process, Wiring};
use crate::programs::Program;
use crate::store::{Database, Server};
use crate::trace::span;
use crate::workload::Journal;
use crate::world::{MachineClock, World};

/// Topics that are made before anything runs, as contexts make them when they start.
const TOPICS: [&str; 5] = [
    "codepix.transfers",
    "codepix.transfers.participants",
    "codepix.pix-keys",
    "codepix.banking.accounts",
    "codepix.banking.transfers",
];

/// Topics that are made too where banks have programs of other people.
const TOPICS_OF_PROGRAMS: [&str; 2] = [ORDERS.address, CONFIRMATIONS.address];

/// A machine: its clock outlives its processes.
struct Machine {
    plan: HostPlan,
    clock: MachineClock,
    running: Option<Process>,
    is_still: bool,
}

/// Everything that is simulated.
pub(crate) struct City {
    pub(crate) world: Arc<World>,
    pub(crate) log: Arc<Log>,
    pub(crate) server: Arc<Server>,
    pub(crate) transfers: Database<TransfersTables>,
    pub(crate) banking: Database<BankingTables>,
    pub(crate) pix_keys: Database<DirectoryTables>,
    pub(crate) balances: Database<BalancesTables>,
    pub(crate) journal: Mutex<Journal>,
    programs: Mutex<BTreeMap<Ispb, Program>>,
    machines: Mutex<BTreeMap<String, Machine>>,
}

impl City {
    pub(crate) fn new(world: &Arc<World>) -> Arc<Self> {
        let server = Arc::new(Server::default());
        let log = Log::new(world);
        for topic in TOPICS {
            log.create(topic, world.plan.partitions);
        }
        if world.plan.classic.banks > 0 {
            for topic in TOPICS_OF_PROGRAMS {
                log.create(topic, world.plan.partitions);
            }
            log.create(DELIVERED, 1);
        }
        let machine = |plan: &HostPlan| {
            let clock = MachineClock::new(world);
            let machine = Machine { plan: plan.clone(), clock, running: None, is_still: false };
            (plan.name.clone(), machine)
        };
        Arc::new(Self {
            transfers: Database::new(world, &server),
            banking: Database::new(world, &server),
            pix_keys: Database::new(world, &server),
            balances: Database::new(world, &server),
            journal: Mutex::default(),
            programs: Mutex::default(),
            machines: Mutex::new(world.plan.hosts.iter().map(machine).collect()),
            world: Arc::clone(world),
            log,
            server,
        })
    }

    fn machines(&self) -> MutexGuard<'_, BTreeMap<String, Machine>> {
        self.machines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn journal(&self) -> MutexGuard<'_, Journal> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The programs of other banks, by their banks.
    pub(crate) fn programs(&self) -> MutexGuard<'_, BTreeMap<Ispb, Program>> {
        self.programs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs every process, and runs it again when it has died.
    pub(crate) fn open(self: &Arc<Self>) {
        let names: Vec<String> = self.machines().keys().cloned().collect();
        for name in names {
            let city = Arc::clone(self);
            self.world.executor.spawn(WORLD, async move { city.keep(&name).await });
        }
    }

    async fn keep(self: Arc<Self>, name: &str) {
        loop {
            let Some((plan, clock)) =
                self.machines().get(name).map(|it| (it.plan.clone(), it.clock.clone()))
            else {
                return;
            };
            let (node, died) = self.world.born(name);
            self.world.say(node, "start", || format!("starts; its clock is {}", clock.words()));
            let process = Process::start(&Wiring { city: &self, node, clock, roles: &plan.roles });
            if let Some(machine) = self.machines().get_mut(name) {
                machine.running = Some(process);
            }
            if died.await.is_err() {
                return;
            }
            if let Some(machine) = self.machines().get_mut(name) {
                machine.running = None;
                machine.is_still = false;
            }
            let most = if self.world.is_faulty() { DOWN_MAX } else { Duration::from_secs(1) };
            let scales = [most / 200, most / 20, most];
            let most = self.world.chance.one_of(&scales).unwrap_or(most);
            let down = self.world.chance.time(Duration::from_millis(50), most);
            self.world.tell(node, || format!("is down for {}", span(down)));
            self.world.executor.sleep(down).await;
        }
    }

    /// A process of that role, chosen by chance.
    pub(crate) fn pick(&self, role: Role) -> Option<(NodeId, Facades)> {
        let machines = self.machines();
        let fitting = machines.values().filter(|machine| machine.plan.roles.contains(&role));
        let running: Vec<&Process> = fitting.filter_map(|it| it.running.as_ref()).collect();
        let process = running.get(self.world.chance.place(running.len()))?;
        Some((process.node, process.facades.clone()))
    }

    /// Any process that runs.
    fn any(&self) -> Option<(String, NodeId)> {
        let machines = self.machines();
        let running = machines.iter().filter(|(_, machine)| !machine.is_still);
        let running: Vec<(String, NodeId)> = running
            .filter_map(|(name, machine)| Some((name.clone(), machine.running.as_ref()?.node)))
            .collect();
        running.get(self.world.chance.place(running.len())).cloned()
    }

    /// Kills any process.
    pub(crate) fn kill(&self) {
        if let Some((_, node)) = self.any() {
            self.world.say(node, "kill", || "FAULT: killed at any moment".to_owned());
            self.world.reach("killed at any time");
            self.world.kill(node);
        }
    }

    /// Any process stands still for that time; the log notices, and gives its partitions away.
    pub(crate) async fn pause(&self, time: Duration) {
        let Some((name, node)) = self.any() else { return };
        self.world.say(node, "pause", || format!("FAULT: stands still for {}", span(time)));
        self.world.executor.pause(node);
        if let Some(machine) = self.machines().get_mut(&name) {
            machine.is_still = true;
        }
        let noticed = Duration::from_secs(6);
        self.world.executor.sleep(time.min(noticed)).await;
        // All may have been mended meanwhile, and who goes on stays a member.
        if time > noticed && self.stands_still(&name, node) {
            self.log.expel(node);
            self.world.reach("expelled while it stands still");
            self.world.executor.sleep(time.saturating_sub(noticed)).await;
        }
        self.resume(&name, node);
    }

    fn stands_still(&self, name: &str, node: NodeId) -> bool {
        self.machines().get(name).is_some_and(|machine| {
            machine.is_still && machine.running.as_ref().is_some_and(|it| it.node == node)
        })
    }

    /// Any process's line to the log is dead for that time.
    pub(crate) async fn cut_off(&self, time: Duration) {
        let Some((_, node)) = self.any() else { return };
        self.world.say(node, "line", || {
            format!("FAULT: its line to the log is dead for {}, without a word", span(time))
        });
        self.log.cut_off(node);
        let noticed = Duration::from_secs(6);
        self.world.executor.sleep(time.min(noticed)).await;
        if time > noticed {
            self.log.expel(node);
            self.log.give_up(node);
            self.world.executor.sleep(time.saturating_sub(noticed)).await;
        }
        self.world.tell(node, || "its line to the log works again".to_owned());
        self.log.reconnect(node);
        self.log.forgive(node);
    }

    fn resume(&self, name: &str, node: NodeId) {
        if !self.stands_still(name, node) {
            return;
        }
        if let Some(machine) = self.machines().get_mut(name) {
            machine.is_still = false;
            self.world.say(node, "resume", || "goes on where it stood".to_owned());
            self.world.executor.resume(node);
            self.log.forgive(node);
        }
    }

    /// Any process is asked to end, and given time to.
    pub(crate) async fn restart(&self) {
        let Some((name, node)) = self.any() else { return };
        let stop = self.machines().get_mut(&name).and_then(|it| it.running.as_mut()?.stop());
        let Some((relays, mut idle)) = stop else { return };
        self.world.say(node, "stop", || "FAULT: is asked to stop".to_owned());
        let patience = || Box::pin(self.world.executor.sleep(Duration::from_secs(30)));
        select(Box::pin(idle.work()), patience()).await;
        relays.stop();
        select(Box::pin(idle.relays()), patience()).await;
        self.world.say(node, "stop", || "has stopped".to_owned());
        self.world.reach("stopped gracefully");
        self.world.kill(node);
    }

    /// The database server restarts.
    pub(crate) async fn restart_database(&self, time: Duration) {
        self.world.say(WORLD, "database", || {
            format!("FAULT: the database is away for {}, and cuts all connections off", span(time))
        });
        self.server.down();
        self.transfers.cut_off();
        self.banking.cut_off();
        self.pix_keys.cut_off();
        self.balances.cut_off();
        self.world.executor.sleep(time).await;
        self.tell_end("the database is back");
        self.server.up();
    }

    /// An outage ends, unless all was mended before.
    fn tell_end(&self, line: &str) {
        if self.world.is_faulty() {
            self.world.tell(WORLD, || line.to_owned());
        }
    }

    /// The log is away.
    pub(crate) async fn restart_broker(&self, time: Duration) {
        self.world.say(WORLD, "broker", || format!("FAULT: the log is away for {}", span(time)));
        self.log.down();
        self.world.executor.sleep(time).await;
        self.tell_end("the log is back");
        self.log.up();
    }

    /// A clock jumps: a machine's, or the broker's.
    pub(crate) fn jump(&self) {
        let machines = self.machines();
        let clocks = machines.iter().map(|(name, machine)| (name.as_str(), &machine.clock));
        let clocks: Vec<(&str, &MachineClock)> = clocks.collect();
        let chosen = clocks.get(self.world.chance.place(clocks.len() + 1)).copied();
        let (whose, clock) = chosen.unwrap_or_else(|| ("the broker", self.log.clock()));
        let jumps = clock.jump();
        self.world.say(WORLD, "clock", || format!("FAULT: the clock of {whose} {jumps}"));
    }

    /// Nothing goes wrong any more: everything is up, and every clock is right.
    pub(crate) fn mend(&self) {
        self.world.say(WORLD, "mend", || {
            "from now on nothing goes wrong: all is back, and clocks are right".to_owned()
        });
        self.world.end_faults();
        self.server.up();
        self.log.up();
        self.log.clock().mend();
        let mut still = Vec::new();
        for (name, machine) in &*self.machines() {
            machine.clock.mend();
            still.extend(machine.running.as_ref().map(|it| (name.clone(), it.node)));
        }
        for (name, node) in still {
            self.resume(&name, node);
        }
    }
}
