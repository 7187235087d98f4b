//! Kafka: its settings, its folder and how its server is run.
//!
//! One process is broker and controller (`KRaft`). Its folder is named relative to the process's
//! current folder, for Kafka would split a path at a comma. A cluster id is made with the folder,
//! so that consumers notice when their offsets belong to another log.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::Signal;

use super::SupervisorError;
use super::child::Launch;
use super::error::io_error;
use super::files;
use super::orphan::Trace;
use super::probe;
use super::server::ServerPlan;
use super::supervise::Context;
use super::user;

/// The version in `pom.xml`.
pub(super) const KAFKA_VERSION: &str = "4.1.2";
/// Recovery of a log after kill -9 included.
const READY_LIMIT: Duration = Duration::from_mins(3);
const STOP: [(Signal, Duration); 1] = [(Signal::TERM, Duration::from_secs(20))];
/// Up soon and small: C1 alone, one collector thread, ending rather than limping without memory.
const JVM: [&str; 6] = [
    "-Xms64m",
    "-Xmx512m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:+ExitOnOutOfMemoryError",
    "-Djava.awt.headless=true",
];

/// Kafka's two ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct KafkaPorts {
    /// For clients.
    pub(super) broker: u16,
    /// For its own controller.
    pub(super) controller: u16,
}

/// The programs that run Kafka.
#[derive(Debug, Clone)]
pub(super) struct Installation {
    /// Java.
    pub(super) java: PathBuf,
    /// The folder of the jars.
    pub(super) jars: PathBuf,
}

/// Where the server answers.
pub(super) fn brokers(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

/// Writes the settings for these ports and makes the folder if there is none.
pub(super) fn prepare(
    context: &Context<'_>,
    installation: &Installation,
    ports: KafkaPorts,
) -> Result<(), SupervisorError> {
    let layout = context.layout;
    let user = context.user.as_ref();
    let temporary = layout.kafka_tmp();
    files::delete(&temporary)?;
    files::create_folders(&temporary)?;
    user::hand_over(user, &temporary)?;
    let folder = layout.kafka();
    if folder.exists() {
        user::hand_over(user, &folder)?;
    } else {
        context.reporter.step("first start: formatting Kafka's folder");
        let new = layout.kafka_new();
        files::delete(&new)?;
        files::create_folders(&new)?;
        user::hand_over(user, &new)?;
        write_properties(context, ports, &new)?;
        format(context, installation)?;
        fs::rename(&new, &folder).map_err(io_error("put in place", &folder))?;
    }
    write_properties(context, ports, &folder)
}

fn format(context: &Context<'_>, installation: &Installation) -> Result<(), SupervisorError> {
    let mut arguments = java_arguments(context, installation);
    let settings = context.layout.kafka_properties().into_os_string();
    let id = cluster_id(&random_bytes()?);
    arguments.extend(["kafka.tools.StorageTool", "format", "-t", &id, "-c"].map(OsString::from));
    arguments.push(settings);
    let tool = Launch {
        program: installation.java.clone(),
        arguments,
        log: context.layout.log("kafka"),
        death_signal: Signal::KILL,
        ..context.launch()
    };
    tool.run("formatting Kafka's folder", context.interrupt)
}

/// How a server that outlived its supervisor is found.
pub(super) fn trace(context: &Context<'_>) -> Trace {
    Trace {
        server: "Kafka",
        pid_file: context.layout.kafka_pid(),
        identity: identity(context),
        stop: &STOP,
        log: context.layout.log("kafka"),
    }
}

/// How the server is run; its settings are in the file that [`prepare`] wrote.
pub(super) fn plan(
    context: &Context<'_>,
    installation: &Installation,
    ports: KafkaPorts,
) -> ServerPlan {
    let trace = trace(context);
    let mut arguments = java_arguments(context, installation);
    arguments.extend(["kafka.Kafka".into(), context.layout.kafka_properties().into_os_string()]);
    ServerPlan {
        version: KAFKA_VERSION.to_owned(),
        port: ports.broker,
        launch: Launch {
            program: installation.java.clone(),
            arguments,
            log: trace.log.clone(),
            death_signal: Signal::TERM,
            ..context.launch()
        },
        trace,
        we_write_pid_file: true,
        answers: probe::kafka_answers,
        ready_within: READY_LIMIT,
    }
}

/// The folder of the jars is on the class path too: log4j finds its settings there.
fn java_arguments(context: &Context<'_>, installation: &Installation) -> Vec<OsString> {
    let mut arguments = JVM.map(OsString::from).to_vec();
    let mut temporary = OsString::from("-Djava.io.tmpdir=");
    temporary.push(context.layout.kafka_tmp());
    let mut classes = installation.jars.join("*").into_os_string();
    classes.push(":");
    classes.push(&installation.jars);
    arguments.extend([temporary, identity(context), "-cp".into(), classes]);
    arguments
}

fn identity(context: &Context<'_>) -> OsString {
    let mut identity = OsString::from("-Dcodepix.data=");
    identity.push(context.layout.root());
    identity
}

fn write_properties(
    context: &Context<'_>,
    ports: KafkaPorts,
    folder: &Path,
) -> Result<(), SupervisorError> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let text = properties(ports, &name);
    files::write_atomically(&context.layout.kafka_properties(), text.as_bytes())
}

/// `server.properties` for a folder below the current one. The session timeout stays Kafka's own,
/// 9 s: with less, a disk that is busy for seconds shuts the only broker out. The cleaner's buffer,
/// 128 MB by default, lies on the heap, and besides Kafka's own topics only the small one of
/// hand-overs is compacted.
fn properties(ports: KafkaPorts, folder: &str) -> String {
    let KafkaPorts { broker, controller } = ports;
    format!(
        "# Written by codepix at every start.\n\
         process.roles=broker,controller\n\
         node.id=1\n\
         controller.quorum.voters=1@127.0.0.1:{controller}\n\
         listeners=PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}\n\
         advertised.listeners=PLAINTEXT://127.0.0.1:{broker}\n\
         controller.listener.names=CONTROLLER\n\
         inter.broker.listener.name=PLAINTEXT\n\
         log.dirs={folder}\n\
         auto.create.topics.enable=false\n\
         num.partitions=3\n\
         default.replication.factor=1\n\
         min.insync.replicas=1\n\
         offsets.topic.replication.factor=1\n\
         offsets.topic.num.partitions=4\n\
         transaction.state.log.replication.factor=1\n\
         transaction.state.log.min.isr=1\n\
         transaction.state.log.num.partitions=4\n\
         share.coordinator.state.topic.replication.factor=1\n\
         share.coordinator.state.topic.min.isr=1\n\
         log.cleaner.dedupe.buffer.size=16777216\n\
         group.initial.rebalance.delay.ms=0\n"
    )
}

fn random_bytes() -> Result<[u8; 16], SupervisorError> {
    let source = Path::new("/dev/urandom");
    let mut bytes = [0; 16];
    let read = File::open(source).and_then(|mut file| file.read_exact(&mut bytes));
    read.map_err(io_error("read", source))?;
    Ok(bytes)
}

/// 128 bits as Kafka writes them: URL-safe base64 without padding. The first character is kept
/// from being a dash, which the format tool would take for an option.
fn cluster_id(bytes: &[u8; 16]) -> String {
    const DIGITS: [u8; 64] = *b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const FIRST_BIT: u128 = 1 << 127;
    let number = u128::from_be_bytes(*bytes) & !FIRST_BIT;
    let sixes = (0..22_u32).map(|index| {
        let shift = 122_u32.checked_sub(index.saturating_mul(6));
        let six = shift.map_or(number << 4, |shift| number >> shift) & 0x3f;
        usize::try_from(six).ok().and_then(|six| DIGITS.get(six)).copied().unwrap_or(b'A')
    });
    sixes.map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PORTS: KafkaPorts = KafkaPorts { broker: 9092, controller: 9093 };

    #[test]
    fn settings_name_both_ports_and_the_folder() {
        let text = properties(PORTS, "kafka.new");
        let value = |key: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
            line.unwrap_or_default().to_owned()
        };
        assert_eq!(value("listeners"), "PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093");
        assert_eq!(value("advertised.listeners"), "PLAINTEXT://127.0.0.1:9092");
        assert_eq!(value("controller.quorum.voters"), "1@127.0.0.1:9093");
        assert_eq!(value("log.dirs"), "kafka.new");
        assert_eq!(value("auto.create.topics.enable"), "false");
        assert_eq!(value("offsets.topic.num.partitions"), "4");
        assert!(!text.contains("timestamp.type"));
        assert!(text.lines().all(|line| line.starts_with('#') || line.contains('=')));
    }

    #[test]
    fn cluster_ids_are_base64() {
        assert_eq!(cluster_id(&[0; 16]), "AAAAAAAAAAAAAAAAAAAAAA");
        let bytes = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
        assert_eq!(cluster_id(&bytes), "AAECAwQFBgcICQoLDA0ODw");
        assert_eq!(cluster_id(&[0xff; 16]), "f____________________w");
        assert!(!cluster_id(&[0xfb; 16]).starts_with('-'));
        assert_ne!(random_bytes().unwrap(), random_bytes().unwrap());
    }
}
