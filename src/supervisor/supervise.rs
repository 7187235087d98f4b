//! The supervisor: brings both servers up, keeps them up, and ends when nobody needs them.

use std::path::PathBuf;
use std::time::Duration;

use rustix::process::Signal;

use super::SupervisorError;
use super::child::{self, Launch};
use super::clock::Moment;
use super::config::{Endpoints, ServersConfig};
use super::error::io_error;
use super::files;
use super::interrupt::Interrupt;
use super::java;
use super::kafka::{self, KafkaPorts};
use super::lock::{self, NoLease, SupervisorLock};
use super::maven;
use super::orphan;
use super::paths::Layout;
use super::ports::{ChosenPort, PortSetting, choose_port};
use super::postgres;
use super::server::Server;
use super::state::{Published, Reporter};
use super::user::ServerUser;

/// How often a starting server is asked.
const STARTING: Duration = Duration::from_millis(40);
/// How often running ones are looked after.
const WATCHING: Duration = Duration::from_millis(200);
/// How often leases are counted.
const COUNTING: Duration = Duration::from_secs(1);

const POSTGRES_PORT: PortSetting = PortSetting {
    server: "PostgreSQL",
    flag: "--postgres-port",
    variable: "CODEPIX_POSTGRES_PORT",
};
const KAFKA_PORT: PortSetting =
    PortSetting { server: "Kafka", flag: "--kafka-port", variable: "CODEPIX_KAFKA_PORT" };
const KAFKA_CONTROLLER_PORT: PortSetting = PortSetting {
    server: "Kafka's controller",
    flag: "--kafka-controller-port",
    variable: "CODEPIX_KAFKA_CONTROLLER_PORT",
};

/// What every part of a start needs.
#[derive(Debug)]
pub(super) struct Context<'a> {
    /// What was asked for.
    pub(super) config: &'a ServersConfig,
    /// Where everything lies.
    pub(super) layout: &'a Layout,
    /// Ends waits.
    pub(super) interrupt: &'a Interrupt,
    /// Hears what happens.
    pub(super) reporter: &'a Reporter,
    /// Whom the servers run as.
    pub(super) user: Option<ServerUser>,
    ours: PathBuf,
}

impl Context<'_> {
    /// What all launches have in common; program, arguments and log are still to be set.
    pub(super) fn launch(&self) -> Launch {
        Launch {
            ours: self.ours.clone(),
            program: PathBuf::new(),
            arguments: Vec::new(),
            folder: self.layout.root().to_path_buf(),
            log: self.layout.log("tools"),
            user: self.user.clone(),
            death_signal: Signal::KILL,
            watchdog: self.config.watchdog,
        }
    }
}

/// Runs the servers of one data folder until a signal comes, nobody has used them for long enough,
/// or the folder is deleted. Call it from a thread that lives as long as the process.
pub(super) fn supervise(config: &ServersConfig) -> Result<(), SupervisorError> {
    let layout = Layout::prepare(&config.data_dir)?;
    let lock = SupervisorLock::take(&layout)?;
    let interrupt = Interrupt::listen().map_err(io_error("hear signals in", layout.root()))?;
    let reporter = Reporter::new(&layout);
    match serve(config, &layout, &lock, (&interrupt, &reporter)) {
        Ok(_) => {
            if config.delete_at_end && lock.is_in_place() {
                layout.delete()?;
            }
            Ok(())
        }
        // Whoever says so deletes by itself, however long that takes: it waits only so long for us.
        Err(SupervisorError::Interrupted) => Ok(()),
        // The hub that waits reads it there, so nothing is deleted.
        Err(error) => {
            reporter.failed(&error);
            Err(error)
        }
    }
}

fn serve(
    config: &ServersConfig,
    layout: &Layout,
    lock: &SupervisorLock,
    (interrupt, reporter): (&Interrupt, &Reporter),
) -> Result<Option<NoLease>, SupervisorError> {
    let user = ServerUser::detect();
    if let Some(user) = &user
        && user.blocked_at(layout.root()).is_some()
    {
        return Err(SupervisorError::NotOurs {
            path: layout.root().to_path_buf(),
            reason: "the user of the servers, who is not root, cannot reach it; choose another \
                     folder with CODEPIX_DATA_DIR",
        });
    }
    let ours = child::our_program(config.program.as_deref())?;
    let context = Context { config, layout, interrupt, reporter, user, ours };
    files::delete(&layout.endpoints())?;
    let mut servers = Servers::default();
    let outcome =
        servers.bring_up(&context).and_then(|published| servers.watch(&context, lock, published));
    let deleted = files::delete(&layout.endpoints());
    servers.stop();
    outcome.and_then(|no_lease| deleted.map(|()| no_lease))
}

/// PostgreSQL, then Kafka; stopped the other way round.
#[derive(Debug, Default)]
struct Servers {
    started: Vec<Server>,
}

impl Servers {
    fn bring_up(&mut self, context: &Context<'_>) -> Result<Published, SupervisorError> {
        let postgres = postgres::installation(context)?;
        let java = java::find(context.user.as_ref())?;
        let kafka = kafka::Installation { java, jars: maven::kafka_jars(context)? };
        for trace in [postgres::trace(context), kafka::trace(context)] {
            orphan::end(&trace, context.interrupt, context.reporter)?;
        }
        let ports = Ports::choose(context.config)?;

        postgres::prepare(context, &postgres)?;
        let plan = postgres::plan(context, &postgres, ports.postgres);
        self.start(context, plan)?;
        kafka::prepare(context, &kafka, ports.kafka)?;
        let plan = kafka::plan(context, &kafka, ports.kafka);
        self.start(context, plan)?;
        while !self.are_up()? {
            context.interrupt.pause(STARTING)?;
        }
        let published = self.published(&ports)?;
        published.write(context.layout)?;
        tracing::info!("PostgreSQL and Kafka are up");
        Ok(published)
    }

    fn start(
        &mut self,
        context: &Context<'_>,
        plan: super::server::ServerPlan,
    ) -> Result<(), SupervisorError> {
        let (server, version, port) = (plan.trace.server, &plan.version, plan.port);
        context.reporter.step(&format!("starting {server} {version} on port {port}"));
        self.started.push(Server::start(plan)?);
        Ok(())
    }

    fn are_up(&mut self) -> Result<bool, SupervisorError> {
        let mut all = true;
        for server in &mut self.started {
            all &= server.is_up()?;
        }
        Ok(all)
    }

    fn published(&self, ports: &Ports) -> Result<Published, SupervisorError> {
        let [postgres, kafka] = self.started.as_slice() else {
            return Err(SupervisorError::Interrupted);
        };
        Ok(Published {
            endpoints: Endpoints {
                database_url: postgres::url(ports.postgres),
                kafka_brokers: kafka::brokers(ports.kafka.broker),
            },
            supervisor: std::process::id(),
            postgres: postgres.published(),
            kafka: kafka.published(),
            kafka_controller_port: ports.kafka.controller,
            notices: ports.notices.clone(),
        })
    }

    /// Until there is a reason to end. The proof that nobody uses the servers is handed on and
    /// held until they are down: a hub that comes meanwhile waits, and then starts new ones.
    fn watch(
        &mut self,
        context: &Context<'_>,
        lock: &SupervisorLock,
        mut published: Published,
    ) -> Result<Option<NoLease>, SupervisorError> {
        let idle = Duration::from_secs(context.config.idle_seconds);
        let mut used = Moment::now();
        let mut counted = Moment::now();
        loop {
            context.interrupt.pause(WATCHING)?;
            if self.tend(&mut published) {
                published.write(context.layout)?;
            }
            if counted.elapsed() < COUNTING {
                continue;
            }
            counted = Moment::now();
            if !lock.is_in_place() {
                tracing::warn!("the data folder was deleted: ending");
                return Ok(None);
            }
            match lock::no_lease(context.layout)? {
                None => used = Moment::now(),
                Some(proof) if used.elapsed() >= idle => {
                    tracing::info!(?idle, "nobody uses the servers: ending");
                    return Ok(Some(proof));
                }
                Some(_) => {}
            }
        }
    }

    /// Restarts what died; true if something came back, whose process id is then published.
    fn tend(&mut self, published: &mut Published) -> bool {
        let mut back = false;
        for server in &mut self.started {
            back |= server.tend();
        }
        if let [postgres, kafka] = self.started.as_slice() {
            published.postgres = postgres.published();
            published.kafka = kafka.published();
        }
        back
    }

    fn stop(&mut self) {
        while let Some(mut server) = self.started.pop() {
            server.stop();
        }
    }
}

/// The ports of one run.
#[derive(Debug)]
struct Ports {
    postgres: u16,
    kafka: KafkaPorts,
    notices: Vec<String>,
}

impl Ports {
    fn choose(config: &ServersConfig) -> Result<Self, SupervisorError> {
        let postgres = choose_port(POSTGRES_PORT, config.postgres_port, &[])?;
        let broker = choose_port(KAFKA_PORT, config.kafka_port, &[postgres.port])?;
        let taken = [postgres.port, broker.port];
        let controller = choose_port(KAFKA_CONTROLLER_PORT, config.kafka_controller_port, &taken)?;
        let kafka = KafkaPorts { broker: broker.port, controller: controller.port };
        let notice = |chosen: &ChosenPort| chosen.notice.clone();
        let notices = [&postgres, &broker, &controller].into_iter().filter_map(notice).collect();
        Ok(Self { postgres: postgres.port, kafka, notices })
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};

    use super::super::ports::PortChoice;
    use super::*;

    #[test]
    fn three_different_ports_are_chosen() {
        let config = ServersConfig::new(PathBuf::from("/data")).on_free_ports();
        let ports = Ports::choose(&config).unwrap();
        assert_ne!(ports.postgres, ports.kafka.broker);
        assert_ne!(ports.postgres, ports.kafka.controller);
        assert_ne!(ports.kafka.broker, ports.kafka.controller);
        assert!(ports.notices.is_empty());
    }

    #[test]
    fn a_default_that_is_busy_is_said() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let busy = listener.local_addr().unwrap().port();
        let config = ServersConfig::new(PathBuf::from("/data")).on_free_ports();
        let config = ServersConfig { kafka_port: PortChoice::WantedOrFree(busy), ..config };
        let ports = Ports::choose(&config).unwrap();
        let said = format!("Kafka: wanted port {busy}, took {}", ports.kafka.broker);
        assert_eq!(ports.notices, [said]);
        let config = ServersConfig { kafka_port: PortChoice::Wanted(busy), ..config };
        let error = Ports::choose(&config).unwrap_err();
        assert!(error.to_string().contains("--kafka-port or CODEPIX_KAFKA_PORT"));
    }
}
