//! What a seed decides before the run: how many banks, which processes, what goes wrong how often.
//!
//! Every seed draws its own mixture ("swarm testing"): some runs crash all the time and never lose
//! a connection, others the reverse, and one in twenty has no fault at all. A mixture that is the
//! same for all hides what only one kind of fault, undisturbed by the others, can bring about.

use std::time::Duration;

use shared_kernel::domain::Ispb;

use crate::random::Random;
use crate::trace::{clock, count, span};

/// Which contexts a process runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    PixKeys,
    Transfers,
    Banking,
    Balances,
}

impl Role {
    pub(crate) const ALL: [Self; 4] =
        [Self::PixKeys, Self::Transfers, Self::Banking, Self::Balances];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::PixKeys => "keys",
            Self::Transfers => "hub",
            Self::Banking => "banks",
            Self::Balances => "balances",
        }
    }
}

/// A process: its name and what it runs.
#[derive(Clone, Debug)]
pub(crate) struct HostPlan {
    pub(crate) name: String,
    pub(crate) roles: Vec<Role>,
}

/// How often things go wrong while they may: times in a million, at every occasion.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rates {
    /// A process dies at a named point: around commits, writes to the log, removals, offsets.
    pub(crate) crash: u32,
    /// A statement fails.
    pub(crate) statement: u32,
    /// The answer to a commit is lost: it may have happened.
    pub(crate) commit: u32,
    /// A write to the log fails after any part of it.
    pub(crate) write: u32,
    /// The log refuses a record, as one that it will never take, for minutes.
    pub(crate) refuse: u32,
    /// The same of a hand-over.
    pub(crate) withhold: u32,
    /// A poll fails.
    pub(crate) poll: u32,
    /// A partition shows its newest records later.
    pub(crate) lag: u32,
    /// A call over the network, or its answer, is lost.
    pub(crate) call: u32,
    /// The directory names a former owner of an account.
    pub(crate) stale: u32,
    /// Something takes a thousand times as long.
    pub(crate) slow: u32,
    /// A sound record ends in the dead letters, because handling it panics or is refused.
    pub(crate) curse: u32,
    /// An acceptance reaches the log just before its deadline; where clocks are wrong by little.
    pub(crate) tardy: u32,
}

/// How long it takes on average until the next of each comes; `None`: never.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Troubles {
    /// A process is killed.
    pub(crate) kill: Option<Duration>,
    /// A process stands still, and comes back as a zombie.
    pub(crate) pause: Option<Duration>,
    /// A process is stopped gracefully and started again.
    pub(crate) restart: Option<Duration>,
    /// The database restarts: all its sessions are gone.
    pub(crate) database: Option<Duration>,
    /// The broker is away.
    pub(crate) broker: Option<Duration>,
    /// The line between a process and the log is dead, and neither end says so.
    pub(crate) line: Option<Duration>,
    /// Groups rebalance.
    pub(crate) rebalance: Option<Duration>,
    /// A clock jumps.
    pub(crate) clock: Option<Duration>,
    /// Somebody writes nonsense to the topics.
    pub(crate) poison: Option<Duration>,
    /// A record is written again, long after.
    pub(crate) repeat: Option<Duration>,
    /// An operator redrives the dead letters while everything goes on.
    pub(crate) redrive: Option<Duration>,
}

/// What customers do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    pub(crate) banks: u64,
    pub(crate) accounts_per_bank: u64,
    pub(crate) customers: u64,
    pub(crate) orders_per_customer: u64,
    /// Longest pause between two orders of a customer.
    pub(crate) pause: Duration,
    /// There are keys of every kind, and owners with accounts at several banks.
    pub(crate) has_all_keys: bool,
    /// Some customers want just what is on their account, or just what it may send.
    pub(crate) has_exact_amounts: bool,
    /// There is a bank that speaks as ours do and keeps its books elsewhere. Who reads for all
    /// banks would take it for one of ours.
    pub(crate) has_bank_elsewhere: bool,
}

/// Banks whose programs are not ours.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Classic {
    pub(crate) banks: u64,
    pub(crate) accounts_per_bank: u64,
    /// Orders of each bank.
    pub(crate) orders: u64,
    pub(crate) habits: Habits,
}

/// What these programs do, and the operator who looks after them: times in a million, as long as
/// things may go wrong.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Habits {
    /// A program is away, at each of its looks.
    pub(crate) away: u32,
    /// It is back, and begins at the end of its topic.
    pub(crate) at_latest: u32,
    /// It cannot read what it is to credit.
    pub(crate) misses: u32,
    /// It never confirms, or never completes.
    pub(crate) silent: u32,
    /// It confirms late, perhaps after an operator's decision.
    pub(crate) late: u32,
    /// It says again what it has said.
    pub(crate) repeat: u32,
    /// It says that an order is completed when it orders.
    pub(crate) hasty: u32,
    /// Two orders have one id.
    pub(crate) same_id: u32,
    /// The operator decides wrongly.
    pub(crate) mistaken: u32,
}

/// Everything that a seed decides before the run.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) hosts: Vec<HostPlan>,
    /// Each bank is read by a group of its own, as processes narrowed to one bank do.
    pub(crate) are_banks_apart: bool,
    pub(crate) shards: u16,
    pub(crate) partitions: i32,
    pub(crate) batch_max: usize,
    pub(crate) idle_wait: Duration,
    pub(crate) rates: Rates,
    pub(crate) troubles: Troubles,
    /// Nothing goes wrong at all.
    pub(crate) is_calm: bool,
    /// Largest error of a process's clock against true time.
    pub(crate) skew: Duration,
    /// By how much a clock is fast or slow at most: microseconds in a second.
    pub(crate) drift: u64,
    pub(crate) load: Load,
    pub(crate) classic: Classic,
    /// Hand-overs of one transaction of the log.
    pub(crate) hand_overs_max: i64,
    /// Banks, accounts and keys are founded before anything goes wrong.
    pub(crate) is_founded_in_peace: bool,
    /// For so long things go wrong.
    pub(crate) faults: Duration,
    /// The time of the day at which it begins.
    pub(crate) begins: Duration,
}

/// Longest time that a process that was killed stays down.
pub(crate) const DOWN_MAX: Duration = Duration::from_secs(200);
/// Quiet must be reached so long after the faults have stopped: the longest interval between two
/// repeats (10 minutes), twice, with time to answer.
pub(crate) const QUIET_WITHIN: Duration = Duration::from_mins(25);

/// Clocks that are wrong by so much at most agree within the grace of deadlines.
const CLOSE: Duration = Duration::from_millis(280);

impl Plan {
    pub(crate) fn of(seed: u64) -> Self {
        let random = Random::of(seed, 3);
        let is_calm = random.below(20) == 0;
        let (programs, hours) = (Random::of(seed, 5), Random::of(seed, 6));
        let plan = Self {
            hosts: hosts(&random),
            are_banks_apart: random.below(4) == 0,
            shards: u16::try_from(random.between(1, 3)).unwrap_or(1),
            partitions: i32::try_from(random.between(1, 4)).unwrap_or(1),
            batch_max: random.one_of(&[2, 5, 20, 1_000]).unwrap_or(20),
            idle_wait: Duration::from_millis(random.one_of(&[400, 1_000, 2_000]).unwrap_or(1_000)),
            is_calm,
            rates: if is_calm { Rates::default() } else { rates(&random) },
            troubles: if is_calm { Troubles::default() } else { troubles(&random) },
            skew: if is_calm {
                Duration::ZERO
            } else {
                let skews = [0, 0, 0, 280, 280, 2_000, 30_000];
                Duration::from_millis(random.one_of(&skews).unwrap_or(0))
            },
            load: Load {
                banks: random.between(2, 3),
                accounts_per_bank: random.between(1, 3),
                customers: random.between(1, 6),
                orders_per_customer: random.between(3, 12),
                pause: Duration::from_millis(random.one_of(&[50, 2_000, 15_000]).unwrap_or(50)),
                has_all_keys: Random::of(seed, 8).below(3) == 0,
                has_exact_amounts: Random::of(seed, 9).below(3) == 0,
                has_bank_elsewhere: Random::of(seed, 11).below(2) == 0,
            },
            classic: classic(&programs, is_calm),
            hand_overs_max: programs.one_of(&[1, 2, 256]).unwrap_or(256),
            is_founded_in_peace: random.below(4) > 0,
            faults: Duration::from_secs(random.between(20, 110)),
            begins: begins(&hours),
            drift: hours
                .one_of(&[0, 0, 0, 0, 0, 100, 2_000, 20_000])
                .filter(|_| !is_calm)
                .unwrap_or(0),
        };
        plan.in_balance()
    }

    /// Where programs of other people take part, there is less of the rest: a seed costs about as
    /// much as any other.
    fn in_balance(mut self) -> Self {
        self.load.has_bank_elsewhere &= self.are_banks_apart;
        if self.skew.is_zero() || self.skew > CLOSE {
            self.rates.tardy = 0;
        }
        if self.classic.banks > 0 {
            self.load.banks -= 1;
            self.load.customers = self.load.customers.div_ceil(2);
        }
        self
    }
}

impl Plan {
    /// The banks that are hosted here.
    pub(crate) fn banks(&self) -> impl Iterator<Item = Ispb> {
        (1..=self.load.banks).filter_map(|number| Ispb::parse(&format!("{number:08}")).ok())
    }
}

impl Plan {
    /// The plan in words, a line for each subject.
    pub(crate) fn words(&self) -> Vec<String> {
        let Load { banks, accounts_per_bank, customers, orders_per_customer, pause, .. } =
            self.load;
        let hosts: Vec<&str> = self.hosts.iter().map(|host| host.name.as_str()).collect();
        let Rates { crash, statement, commit, write, refuse, withhold, .. } = self.rates;
        let Rates { poll, lag, call, stale, slow, curse, tardy, .. } = self.rates;
        let rates = [
            ("crash", crash),
            ("failed statement", statement),
            ("lost commit", commit),
            ("failed write", write),
            ("refused record", refuse),
            ("refused hand-over", withhold),
            ("failed poll", poll),
            ("late record", lag),
            ("lost call", call),
            ("former owner", stale),
            ("slow step", slow),
            ("cursed record", curse),
            ("late acceptance", tardy),
        ];
        let rates = rates.iter().filter(|(_, times)| *times > 0);
        let rates: Vec<String> = rates.map(|(name, times)| format!("{name} {times}")).collect();
        let troubles = self.troubles.named().into_iter();
        let troubles: Vec<String> = troubles
            .filter_map(|(name, every)| Some(format!("{name} {} s", every?.as_secs())))
            .collect();
        let mut words = vec![
            format!("processes: {}", hosts.join(", ")),
            format!(
                "{} with {} each; {} with {} each, at most {} apart",
                many(banks, "bank", "banks"),
                many(accounts_per_bank, "account", "accounts"),
                many(customers, "customer", "customers"),
                many(orders_per_customer, "order", "orders"),
                span(pause)
            ),
            format!(
                "{}, {} of the outbox, batches of {} at most; clocks are wrong by up to {}, and \
                 fast or slow by up to {} in a million",
                many(u64::try_from(self.partitions).unwrap_or(0), "partition", "partitions"),
                many(self.shards.into(), "shard", "shards"),
                self.batch_max,
                span(self.skew),
                self.drift
            ),
            format!("out of a million occasions: {}", or_nothing(&rates)),
            format!("on average every: {}", or_nothing(&troubles)),
            format!(
                "begins at {} o'clock; things go wrong for {}{}",
                clock(u64::try_from(self.begins.as_micros()).unwrap_or(0)),
                span(self.faults),
                if self.is_founded_in_peace { ", once all is founded" } else { "" }
            ),
        ];
        if self.load.has_all_keys {
            words.push("keys of every kind, and owners with accounts at several banks".to_owned());
        }
        if self.load.has_exact_amounts {
            words.push("some send or take just what they have or may".to_owned());
        }
        if self.load.has_bank_elsewhere {
            words.push("a bank that keeps its books elsewhere orders what is refused".to_owned());
        }
        words.extend(self.classic.words());
        words
    }
}

impl Classic {
    fn words(&self) -> Option<String> {
        let Self { banks, accounts_per_bank, orders, habits } = self;
        (*banks > 0).then(|| {
            format!(
                "{} with programs of other people, {} and {} each; out of a million occasions: {}",
                many(*banks, "bank", "banks"),
                many(*accounts_per_bank, "account", "accounts"),
                many(*orders, "order", "orders"),
                habits.words()
            )
        })
    }
}

impl Habits {
    fn words(&self) -> String {
        let Self { away, at_latest, misses, silent, late, repeat, hasty, same_id, mistaken } = self;
        let named = [
            ("away", away),
            ("begins at the end", at_latest),
            ("cannot read", misses),
            ("never confirms", silent),
            ("confirms late", late),
            ("says it again", repeat),
            ("says it too early", hasty),
            ("two orders of one id", same_id),
            ("operator errs", mistaken),
        ];
        let named = named.iter().filter(|(_, times)| **times > 0);
        let named: Vec<String> = named.map(|(name, times)| format!("{name} {times}")).collect();
        or_nothing(&named)
    }
}

/// A number of things.
fn many(number: u64, one: &str, many: &str) -> String {
    count(usize::try_from(number).unwrap_or(usize::MAX), one, many)
}

/// What may go wrong, in one line.
fn or_nothing(named: &[String]) -> String {
    if named.is_empty() { "nothing goes wrong".to_owned() } else { named.join(", ") }
}

impl Troubles {
    fn named(&self) -> [(&'static str, Option<Duration>); 11] {
        [
            ("kill", self.kill),
            ("pause", self.pause),
            ("restart", self.restart),
            ("database outage", self.database),
            ("log outage", self.broker),
            ("dead line", self.line),
            ("rebalance", self.rebalance),
            ("clock jump", self.clock),
            ("nonsense", self.poison),
            ("repeat", self.repeat),
            ("redrive", self.redrive),
        ]
    }
}

/// Midnight in Brasília, in universal time: a new day for the limits of accounts.
const MIDNIGHT: u64 = 3 * 3_600;

/// In one of three runs the day ends in Brasília while money moves.
fn begins(random: &Random) -> Duration {
    let seconds = match random.below(3) {
        0 => MIDNIGHT - random.between(5, 150),
        _ => random.below(86_400),
    };
    Duration::from_secs(seconds)
}

fn hosts(random: &Random) -> Vec<HostPlan> {
    let apart = random.below(3) == 0;
    let copies = random.between(1, 2);
    let mut hosts = Vec::new();
    for copy in 1..=copies {
        if apart {
            hosts.extend(Role::ALL.map(|role| HostPlan {
                name: format!("{}-{copy}", role.name()),
                roles: vec![role],
            }));
        } else {
            hosts.push(HostPlan { name: format!("codepix-{copy}"), roles: Role::ALL.to_vec() });
        }
    }
    hosts
}

fn classic(random: &Random, is_calm: bool) -> Classic {
    if random.below(5) > 1 {
        return Classic::default();
    }
    let rate = |often: u32| match random.below(4) {
        0 => 0,
        1 => often / 10,
        _ => often,
    };
    let habits = Habits {
        away: rate(20_000),
        at_latest: rate(300_000),
        misses: rate(100_000),
        silent: rate(200_000),
        late: rate(300_000),
        repeat: rate(300_000),
        hasty: rate(100_000),
        same_id: rate(150_000),
        mistaken: rate(300_000),
    };
    Classic {
        banks: random.between(1, 2),
        accounts_per_bank: random.between(1, 2),
        orders: random.between(2, 8),
        habits: if is_calm { Habits::default() } else { habits },
    }
}

fn rates(random: &Random) -> Rates {
    let rate = |often: u32| match random.below(4) {
        0 | 1 => 0,
        2 => often / 10,
        _ => often,
    };
    Rates {
        crash: rate(10_000),
        statement: rate(20_000),
        commit: rate(50_000),
        write: rate(80_000),
        poll: rate(30_000),
        lag: rate(400_000),
        call: rate(150_000),
        stale: rate(100_000),
        slow: rate(10_000),
        curse: rate(200_000),
        refuse: rate(3_000),
        withhold: rate(60_000),
        tardy: 500_000,
    }
}

fn troubles(random: &Random) -> Troubles {
    let every = |seconds: u64| {
        (random.below(3) == 0).then(|| Duration::from_secs(random.between(seconds, seconds * 4)))
    };
    Troubles {
        kill: every(15),
        pause: every(15),
        restart: every(20),
        database: every(20),
        broker: every(20),
        line: every(15),
        rebalance: every(5),
        clock: every(10),
        poison: every(4),
        repeat: every(2),
        redrive: every(10),
    }
}
