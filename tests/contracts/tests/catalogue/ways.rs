//! Ways to the log and from it: through the registries and the readers, and no other.
//!
//! The compiler holds what is `Published`, and a context starts consumers of its readers alone.
//! What could go around both is looked for in the text of the contexts and of the program.

use std::path::Path;

use crate::support::{names, none};

/// A file that goes its own way, and why it may.
type Exception = (&'static str, &'static str);

/// A rule for the text of files.
struct Rule {
    /// Where it holds.
    folders: &'static [&'static str],
    /// What no line may name.
    words: &'static [&'static str],
    /// Who may.
    exceptions: &'static [Exception],
    /// What to do instead.
    remedy: &'static str,
}

/// Records are made of what is `Published`, saved with the change, and sent by the relay.
const WRITERS: Rule = Rule {
    folders: &["contexts", "src"],
    words: &[
        "OutboundRecord",
        "KafkaWriter",
        "TransactionalWriter",
        "rdkafka::producer",
        "FutureProducer",
        "BaseProducer",
        "ThreadedProducer",
    ],
    exceptions: &[
        (
            "contexts/transfers/src/application/marked_line.rs",
            "makes the records of a hand-over and its mark, which are in the registry",
        ),
        (
            "contexts/transfers/src/infrastructure/classic/line.rs",
            "hand-overs leave with their marks in a transaction of the log, so that programs that \
             credit each time they are told are told once; both are in the registry",
        ),
        ("src/compose.rs", "makes the process's one producer, which relays are given"),
        ("src/cli/dlq/redrive.rs", "puts dead letters back as they were, to the byte"),
        ("src/cli/dlq/run.rs", "connects the writer of what is put back"),
        ("src/cli/dlq/letter.rs", "its tests read what is put back"),
        ("src/cli/bench/replay.rs", "fills topics of its own, which it deletes"),
        ("src/cli/bench/replay_events.rs", "makes the records of those topics"),
    ],
    remedy: "list it in events! and save it with the change that it tells",
};

/// Records are read by the readers that the catalogue knows.
const READERS: Rule = Rule {
    folders: &["contexts"],
    words: &[
        "KafkaReader",
        "KafkaScan",
        "Tail::new",
        "rdkafka::consumer",
        "StreamConsumer",
        "BaseConsumer",
    ],
    exceptions: &[
        (
            "contexts/transfers/src/infrastructure/classic/line.rs",
            "reads its own marks as a whole; its reader is in READERS",
        ),
        (
            "contexts/balances/src/infrastructure/replay/rebuild.rs",
            "reads again what the context's consumers read, with their handlers",
        ),
    ],
    remedy: "make it a Reader in READERS and start it by ContextStart",
};

/// Registries are written by `events!` alone.
const REGISTRIES: Rule = Rule {
    folders: &["contexts", "src"],
    words: &["Event for ", "Registry for "],
    exceptions: &[],
    remedy: "list it in events! instead",
};

impl Rule {
    /// The lines of a text that break it.
    fn broken_by<'a>(&self, text: &'a str) -> Vec<&'a str> {
        let code = text.lines().map(str::trim).filter(|line| !line.starts_with("//"));
        code.filter(|line| self.words.iter().any(|word| names_it(line, word))).collect()
    }

    /// What breaks it in a house of these files; each in a sentence.
    fn faults(&self, files: &[(String, String)]) -> Vec<String> {
        let mut found = Vec::new();
        let is_exception = |path: &str| self.exceptions.iter().any(|(known, _)| *known == path);
        for (path, text) in files.iter().filter(|(path, _)| !is_exception(path)) {
            let say =
                |line: &str| format!("{path} goes around the catalogue: {line}: {}", self.remedy);
            found.extend(self.broken_by(text).into_iter().map(say));
        }
        for (path, reason) in self.exceptions {
            let own = files.iter().find(|(known, _)| known == path);
            if own.is_none_or(|(_, text)| self.broken_by(text).is_empty()) {
                found.push(format!("{path} needs no exception any more ({reason}): take it out"));
            }
        }
        found
    }

    /// The files for which it holds.
    fn files(&self) -> Vec<(String, String)> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut files = Vec::new();
        let mut folders: Vec<_> = self.folders.iter().map(|folder| root.join(folder)).collect();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let from_root = path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
                if path.is_dir() {
                    folders.push(path);
                } else if Path::new(&from_root).extension().is_some_and(|it| it == "rs")
                    && is_code_of_the_product(&from_root)
                {
                    files.push((from_root, std::fs::read_to_string(&path).unwrap()));
                }
            }
        }
        files
    }
}

/// `src/…` and `contexts/<name>/src/…`: tests beside them may write what they want.
fn is_code_of_the_product(path: &str) -> bool {
    path.split('/').nth(if path.starts_with("contexts/") { 2 } else { 0 }) == Some("src")
}

/// Whether a line names a word; one that ends in a space only as what an `impl` is of.
fn names_it(line: &str, word: &str) -> bool {
    let Some((before, _)) = line.split_once(word) else { return false };
    !word.ends_with(' ') || (line.starts_with("impl") && before.ends_with([' ', ':']))
}

#[test]
fn nothing_is_published_or_consumed_that_the_catalogue_does_not_know() {
    for rule in [WRITERS, READERS, REGISTRIES] {
        let files = rule.files();
        assert!(files.len() > 100, "{}", files.len());
        none(&rule.faults(&files));
    }
}

/// What a rule finds in one file that breaks it.
fn found(rule: &Rule, line: &str) -> Vec<String> {
    let path = "contexts/probe/src/infrastructure/secret.rs".to_owned();
    let mut files: Vec<_> = rule
        .exceptions
        .iter()
        .map(|(path, _)| ((*path).to_owned(), rule.words.join("\n")))
        .collect();
    none(&rule.faults(&files));
    files.push((path, format!("//! A {} in words.\n\n{line}\n", rule.words.join(" "))));
    rule.faults(&files)
}

#[test]
fn a_way_around_is_found() {
    for line in [
        "let record = OutboundRecord { topics, key, headers, payload, time };",
        "use shared_kernel::infrastructure::kafka::KafkaWriter;",
        "    writer: TransactionalWriter,",
        "use rdkafka::producer::{FutureProducer, FutureRecord};",
    ] {
        names(&found(&WRITERS, line), &["secret.rs", line.trim(), "list it in events!"]);
    }
    for line in [
        "let reader = KafkaReader::join(&kafka, \"secret\", &topics)?;",
        "let tail = Tail::new(&kafka, \"codepix.transfers\", listeners);",
        "    consumer: StreamConsumer,",
    ] {
        names(&found(&READERS, line), &["secret.rs", line.trim(), "a Reader in READERS"]);
    }
    for line in [
        "impl Event for Secret {",
        "impl shared_kernel::application::catalogue::Registry for Mine {",
    ] {
        names(&found(&REGISTRIES, line), &["secret.rs", line, "events!"]);
    }
    none(&found(&REGISTRIES, "impl From<AccountEvent> for Thing {"));
    none(&found(&WRITERS, "let record = published.into_record(prefix, source, id, at);"));
}

#[test]
fn an_exception_that_nobody_needs_is_named() {
    names(&WRITERS.faults(&[]), &["line.rs", "take it out"]);
}
