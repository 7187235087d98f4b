//! docker-compose.yml and the Dockerfile say what the settings say: held by tests, since nothing
//! else would notice a renamed variable.

use std::collections::BTreeSet;

use clap::{Command, CommandFactory as _};
use serde_yaml_ng::Value;

use crate::cli::Cli;
use crate::config::ContextName;

fn file(name: &str) -> String {
    std::fs::read_to_string(format!("{}/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn compose() -> Value {
    serde_yaml_ng::from_str(&file("docker-compose.yml")).unwrap()
}

/// Every variable that some command reads.
fn variables(command: &Command, found: &mut BTreeSet<String>) {
    let named = command.get_arguments().filter_map(|argument| argument.get_env());
    found.extend(named.map(|name| name.to_string_lossy().into_owned()));
    for inner in command.get_subcommands() {
        variables(inner, found);
    }
}

fn known_variables() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    variables(&Cli::command(), &mut found);
    found.extend(ContextName::ALL.map(|context| context.database_variable().to_owned()));
    found
}

/// The default of a setting of a command.
fn default_of(command: &str, variable: &str) -> String {
    let root = Cli::command();
    let command = root.find_subcommand(command).unwrap();
    let mut arguments = command.get_arguments();
    let argument = arguments.find(|argument| argument.get_env() == Some(variable.as_ref()));
    argument.unwrap().get_default_values()[0].to_string_lossy().into_owned()
}

/// The default port of a `codepix serve` address, e.g. of `CODEPIX_GRPC_ADDRESS`.
fn default_port(variable: &str) -> String {
    default_of("serve", variable).rsplit_once(':').unwrap().1.to_owned()
}

const ADDRESSES: [&str; 4] = [
    "CODEPIX_GRPC_ADDRESS",
    "CODEPIX_HTTP_ADDRESS",
    "CODEPIX_INTERNAL_ADDRESS",
    "CODEPIX_BALANCES_ADDRESS",
];

#[test]
fn every_variable_of_the_compose_file_is_a_setting() {
    let compose = compose();
    let environment = compose["services"]["codepix"]["environment"].as_mapping().unwrap();
    let known = known_variables();
    assert!(environment.len() >= ADDRESSES.len());
    for (name, _) in environment {
        let name = name.as_str().unwrap();
        assert!(known.contains(name), "{name} is no setting of any command");
    }
}

#[test]
fn ports_are_the_defaults_and_published_on_loopback_only() {
    let compose = compose();
    let service = &compose["services"]["codepix"];
    let published: Vec<&str> =
        service["ports"].as_sequence().unwrap().iter().map(|port| port.as_str().unwrap()).collect();
    let exposed = file("Dockerfile");
    let exposed = exposed.lines().find(|line| line.starts_with("EXPOSE")).unwrap();
    for variable in ADDRESSES {
        let port = default_port(variable);
        let inside = service["environment"][variable].as_str().unwrap();
        assert_eq!(inside, format!("0.0.0.0:{port}"));
        assert!(published.contains(&format!("127.0.0.1:{port}:{port}").as_str()), "{port}");
        assert!(exposed.split_whitespace().any(|word| word == port), "{port} is not exposed");
    }
    for (name, variable) in [("postgres", "CODEPIX_POSTGRES_PORT"), ("kafka", "CODEPIX_KAFKA_PORT")]
    {
        let port = default_of("up", variable);
        for published in compose["services"][name]["ports"].as_sequence().unwrap() {
            let published = published.as_str().unwrap();
            assert!(published.starts_with(&format!("127.0.0.1:{port}:")), "{name}: {published}");
        }
    }
}

#[test]
fn kafka_is_of_the_line_that_the_built_in_one_is_of() {
    let image = compose()["services"]["kafka"]["image"].as_str().unwrap().to_owned();
    let line = |version: &str| version.rsplit_once('.').map(|(line, _patch)| line.to_owned());
    let pom = file("deploy/embedded/pom.xml");
    let built_in = pom.split("<kafka.version>").nth(1).unwrap().split('<').next().unwrap();
    assert_eq!(line(image.strip_prefix("apache/kafka:").unwrap()), line(built_in));
}

#[test]
fn the_hub_finds_its_servers_where_the_compose_file_puts_them() {
    let compose = compose();
    let environment = &compose["services"]["codepix"]["environment"];
    let postgres = &compose["services"]["postgres"]["environment"];
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let url = format!(
        "postgres://{}:{}@postgres:5432/{}",
        text(&postgres["POSTGRES_USER"]),
        text(&postgres["POSTGRES_PASSWORD"]),
        text(&postgres["POSTGRES_DB"])
    );
    assert_eq!(text(&environment["DATABASE_URL"]), url);
    let kafka = &compose["services"]["kafka"]["environment"];
    let brokers = text(&environment["KAFKA_BROKERS"]);
    let advertised = text(&kafka["KAFKA_ADVERTISED_LISTENERS"]);
    assert!(advertised.contains(&format!("INTERNAL://{brokers}")), "{advertised}");
    // Contexts create their topics with their settings; a broker that makes them up would not.
    assert_eq!(text(&kafka["KAFKA_AUTO_CREATE_TOPICS_ENABLE"]), "false");
}

#[test]
fn the_catalogue_is_there_for_those_who_ask_and_where_events_link_to() {
    let compose = compose();
    let catalogue = &compose["services"]["catalogue"];
    assert_eq!(catalogue["profiles"][0], "docs", "nobody else builds it");
    let mut root = Cli::command();
    let tail = root.find_subcommand_mut("events").unwrap().find_subcommand("tail").unwrap();
    let mut arguments = tail.get_arguments();
    let url = arguments.find(|it| it.get_env() == Some("CODEPIX_CATALOGUE_URL".as_ref())).unwrap();
    let url = url.get_default_values()[0].to_string_lossy().into_owned();
    let (_, port) = url.rsplit_once(':').unwrap();
    assert_eq!(catalogue["ports"][0], format!("127.0.0.1:{port}:{port}").as_str());
    let recipe = file("eventcatalog/Dockerfile");
    assert!(recipe.contains(&format!("EXPOSE {port}\n")));
    // The image serves with what `./codepix catalog serve` serves with.
    let packages: serde_json::Value =
        serde_json::from_str(&file("eventcatalog/package.json")).unwrap();
    let sirv = packages["dependencies"]["sirv-cli"].as_str().unwrap().to_owned();
    assert!(recipe.contains(&format!("sirv-cli@{sirv}\n")), "{sirv}");
}

#[test]
fn the_composed_hub_begins_with_the_fixtures_that_the_http_file_names() {
    let compose = compose();
    let environment = &compose["services"]["codepix"]["environment"];
    assert_eq!(environment["CODEPIX_DEMO_DATA"].as_str(), Some("true"));
    let banks = "CODEPIX_CLASSIC_BANKS";
    let passed = format!("${{{banks}:-}}");
    assert_eq!(environment[banks].as_str(), Some(passed.as_str()), "as whoever starts it has it");
    assert_eq!(environment["CODEPIX_WALLET_CORE"].as_str(), None, "it is on unless it is off");
    assert_eq!(default_of("serve", "CODEPIX_WALLET_CORE"), "true");
    let requests = file("api/client.http");
    for variable in ["CODEPIX_HTTP_ADDRESS", "CODEPIX_INTERNAL_ADDRESS", "CODEPIX_BALANCES_ADDRESS"]
    {
        let address = format!("http://localhost:{}", default_port(variable));
        assert!(requests.contains(&address), "{address} is not in api/client.http");
    }
    let [bank, ..] = crate::demo_data::ACCOUNTS;
    assert!(requests.contains(bank.account_id));
}

#[test]
fn every_command_and_setting_says_what_it_is() {
    let mut root = Cli::command();
    root.build();
    root.debug_assert();
}
