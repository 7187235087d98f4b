//! Settings of a hub process: flags, else environment variables, else defaults; checked once.

use std::collections::BTreeSet;
use std::fmt::{self, Display, Formatter};
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use balances::infrastructure::WalletCoreTopics;
use banking::domain::BankColors;
use clap::{ArgAction, Args, ValueEnum};
use pix_keys::infrastructure::ClassicPackage;
use shared_kernel::domain::Ispb;
use shared_kernel::infrastructure::grpc::Callers;
use shared_kernel::infrastructure::kafka::KafkaSettings;
use shared_kernel::infrastructure::postgres::DatabaseSettings;
use transfers::infrastructure::classic::topics::ClassicTopics;

use crate::demo_data;
use crate::graph::GraphArguments;

/// Most connections of one context to its database.
pub(crate) const CONNECTIONS_MAX: usize = 12;

/// A bounded context of the hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum ContextName {
    /// The directory of Pix keys.
    PixKeys,
    /// The hub: transfers between banks.
    Transfers,
    /// The banks: accounts and ledgers.
    Banking,
    /// The read side: balances.
    Balances,
}

impl ContextName {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::PixKeys, Self::Transfers, Self::Banking, Self::Balances];

    /// As it is written on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PixKeys => "pix-keys",
            Self::Transfers => "transfers",
            Self::Banking => "banking",
            Self::Balances => "balances",
        }
    }

    /// The variable that gives this context a database of its own.
    pub fn database_variable(self) -> &'static str {
        match self {
            Self::PixKeys => "DATABASE_URL_PIX_KEYS",
            Self::Transfers => "DATABASE_URL_TRANSFERS",
            Self::Banking => "DATABASE_URL_BANKING",
            Self::Balances => "DATABASE_URL_BALANCES",
        }
    }
}

/// Replicas of a topic on a Kafka that others run: one may die, and two still have everything.
const REPLICATION: i32 = 3;

/// Where a hub's stores and brokers are. Shared by every command that talks to them directly.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Servers")]
pub struct ServerArguments {
    /// `PostgreSQL` of all contexts; `DATABASE_URL_<CONTEXT>` gives one its own.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// Kafka brokers, `host:port,host:port`.
    #[arg(long, env = "KAFKA_BROKERS")]
    pub kafka_brokers: Option<String>,
    /// Put before every topic and group name.
    #[arg(long, env = "CODEPIX_TOPIC_PREFIX", default_value = "")]
    pub topic_prefix: String,
    /// Replicas of topics that the hub creates; 2 or more asks for two in sync. [default: 3, and 1
    /// on the Kafka that this program starts]
    #[arg(long, env = "CODEPIX_KAFKA_REPLICATION")]
    pub kafka_replication: Option<i32>,
    /// Topic on which Wallet Core tells of balances.
    #[arg(long, env = "CODEPIX_WALLET_CORE_BALANCES_TOPIC", default_value = "balances")]
    pub wallet_core_balances_topic: String,
    /// Topic on which Wallet Core tells of accounts.
    #[arg(long, env = "CODEPIX_WALLET_CORE_ACCOUNTS_TOPIC", default_value = "accounts")]
    pub wallet_core_accounts_topic: String,
    /// Further librdkafka properties, `name=value`.
    #[arg(long = "kafka-property", env = "CODEPIX_KAFKA_PROPERTIES", value_delimiter = ',',
        value_parser = property)]
    pub kafka_properties: Vec<(String, String)>,
}

fn property(text: &str) -> Result<(String, String), String> {
    text.split_once('=')
        .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
        .ok_or_else(|| "a property is written name=value".to_owned())
}

impl ServerArguments {
    /// What the environment says and the defaults.
    pub fn from_environment() -> Self {
        let named = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        Self {
            database_url: named("DATABASE_URL"),
            kafka_brokers: named("KAFKA_BROKERS"),
            topic_prefix: named("CODEPIX_TOPIC_PREFIX").unwrap_or_default(),
            kafka_replication: None,
            wallet_core_balances_topic: "balances".into(),
            wallet_core_accounts_topic: "accounts".into(),
            kafka_properties: Vec::new(),
        }
    }

    /// Settings of every Kafka client.
    ///
    /// # Errors
    /// When no brokers are named.
    pub fn kafka(&self) -> anyhow::Result<KafkaSettings> {
        let Some(brokers) = self.kafka_brokers.clone() else {
            anyhow::bail!("no Kafka is named: set KAFKA_BROKERS, or start with `codepix up`");
        };
        Ok(KafkaSettings {
            brokers,
            topic_prefix: self.topic_prefix.clone(),
            replication: self.kafka_replication.unwrap_or(REPLICATION),
            properties: self.kafka_properties.clone(),
        })
    }

    /// The topics of Wallet Core that Balances listens to.
    pub fn wallet_core(&self) -> WalletCoreTopics {
        WalletCoreTopics {
            balances: self.wallet_core_balances_topic.clone(),
            accounts: self.wallet_core_accounts_topic.clone(),
        }
    }

    /// The database of one context.
    ///
    /// # Errors
    /// When none is named.
    pub fn database(&self, context: ContextName) -> anyhow::Result<DatabaseSettings> {
        let own = std::env::var(context.database_variable()).ok().filter(|url| !url.is_empty());
        let Some(url) = own.or_else(|| self.database_url.clone()) else {
            anyhow::bail!(
                "no PostgreSQL is named for {}: set DATABASE_URL or {}, or start with `codepix up`",
                context.as_str(),
                context.database_variable()
            );
        };
        Ok(DatabaseSettings { url, connections_max: CONNECTIONS_MAX })
    }
}

/// What a hub serves and how.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Hub")]
pub struct HubArguments {
    /// Contexts of this process.
    #[arg(long, env = "CODEPIX_CONTEXTS", value_delimiter = ',', value_enum,
        default_values_t = ContextName::ALL)]
    pub contexts: Vec<ContextName>,
    /// gRPC: native services, health, reflection.
    #[arg(long, env = "CODEPIX_GRPC_ADDRESS", default_value = "127.0.0.1:50051")]
    pub grpc_address: SocketAddr,
    /// HTTP: the graph with its playground, health.
    #[arg(long, env = "CODEPIX_HTTP_ADDRESS", default_value = "127.0.0.1:8080")]
    pub http_address: SocketAddr,
    /// Internal HTTP: metrics, subgraphs.
    #[arg(long, env = "CODEPIX_INTERNAL_ADDRESS", default_value = "127.0.0.1:8081")]
    pub internal_address: SocketAddr,
    /// Balances over HTTP, in the shape of Wallet Core's service.
    #[arg(long, env = "CODEPIX_BALANCES_ADDRESS", default_value = "127.0.0.1:3003")]
    pub balances_address: SocketAddr,
    /// Directory that Banking and Transfers ask; this process's own when it is not set.
    #[arg(long, env = "PIX_KEYS_URL")]
    pub pix_keys_url: Option<String>,
    /// Token that Banking and Transfers show to the directory; an operator's for Transfers.
    #[arg(long, env = "PIX_KEYS_TOKEN", hide_env_values = true)]
    pub pix_keys_token: Option<String>,
    /// Hosts only these banks (ISPB); every native bank when it is not set.
    #[arg(long = "bank", env = "CODEPIX_BANKS", value_delimiter = ',', value_parser = ispb)]
    pub banks: Vec<Ispb>,
    /// Colours that banks are shown in, of headers and of accents: `ispb=#rrggbb/#rrggbb`, with
    /// commas between; others have colours of their own.
    #[arg(id = "bank_colors", long = "bank-colors", env = "CODEPIX_BANK_COLORS",
        default_value = "", hide_default_value = true, value_parser = bank_colors)]
    pub bank_colors: BankColors,
    /// How long the payee's bank may take to accept a transfer, e.g. 40s or 500ms.
    #[arg(long, env = "CODEPIX_TRANSFER_DEADLINE", default_value = "40s", value_parser = duration)]
    pub transfer_deadline: Duration,
    /// Who may call: `operator=<token>,<ispb>=<token>`. Not needed on loopback.
    #[arg(long, env = "CODEPIX_TOKENS", hide_env_values = true)]
    pub tokens: Option<String>,
    /// Serves addresses beyond loopback without tokens. Anyone who reaches them is the operator.
    #[arg(long, env = "CODEPIX_INSECURE")]
    pub insecure: bool,
    /// Outbox shards of each context, the same in all its processes; changes only while its outbox
    /// is empty and none of them runs.
    #[arg(long, env = "CODEPIX_OUTBOX_SHARDS", default_value_t = 1,
        value_parser = clap::value_parser!(u16).range(1..=64))]
    pub outbox_shards: u16,
    /// Wallet Core's protocol: its HTTP API as a bank of its own, and its topics.
    #[arg(long, env = "CODEPIX_WALLET_CORE", default_value_t = true, action = ArgAction::Set,
        value_name = "BOOL")]
    pub wallet_core: bool,
    /// Topic on which Wallet Core's bank tells of transactions.
    #[arg(long, env = "CODEPIX_WALLET_CORE_TRANSACTIONS_TOPIC", default_value = "transactions")]
    pub wallet_core_transactions_topic: String,
    /// Whether the hub begins with demo data; each command says so in words of its own.
    #[arg(skip)]
    pub demo_data: bool,
    /// The joined graph.
    #[command(flatten)]
    pub graph: GraphArguments,
    /// Bank programs that are not ours.
    #[command(flatten)]
    pub classic: ClassicArguments,
}

/// The classic protocol of existing bank programs.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Existing bank programs")]
pub struct ClassicArguments {
    /// gRPC packages under which `PixService` is served, `package` or `package=what a failed lookup
    /// says`, with commas between.
    #[arg(id = "classic_packages", long = "classic-packages", env = "CODEPIX_CLASSIC_PACKAGES",
        default_value_t = ClassicPackages::default())]
    pub packages: ClassicPackages,
    /// Fixture banks whose books are outside, by their codes with commas between; read when they
    /// are first enrolled.
    #[arg(id = "classic_banks", long = "classic-banks", env = "CODEPIX_CLASSIC_BANKS",
        value_parser = ClassicBanks::parse)]
    pub banks: Option<ClassicBanks>,
    /// Topic on which programs order transfers.
    #[arg(long, env = "CODEPIX_CLASSIC_ORDERS_TOPIC", default_value = "transactions",
        value_parser = topic)]
    pub classic_orders_topic: String,
    /// Topic on which programs confirm.
    #[arg(long, env = "CODEPIX_CLASSIC_CONFIRMATIONS_TOPIC",
        default_value = "transaction_confirmation", value_parser = topic)]
    pub classic_confirmations_topic: String,
    /// What the topic of each program's bank begins with; the bank's code follows.
    #[arg(long, env = "CODEPIX_CLASSIC_BANK_TOPICS", default_value = "bank", value_parser = topic)]
    pub classic_bank_topics: String,
}

/// Packages of `PixService`, each once: two routes of one name cannot be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassicPackages(pub Vec<ClassicPackage>);

impl Default for ClassicPackages {
    fn default() -> Self {
        Self(ClassicPackage::defaults())
    }
}

impl FromStr for ClassicPackages {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let packages: Result<Vec<ClassicPackage>, String> =
            text.split(',').map(str::parse).collect();
        let packages = packages?;
        let mut services = BTreeSet::new();
        if let Some(again) = packages.iter().find(|package| !services.insert(package.service())) {
            return Err(format!("{} is there twice: name each package once", again.service()));
        }
        Ok(Self(packages))
    }
}

impl Display for ClassicPackages {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let packages: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        formatter.write_str(&packages.join(","))
    }
}

/// Fixture banks whose books are to be outside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClassicBanks(Vec<&'static str>);

impl ClassicBanks {
    /// Reads codes with commas between; nothing is no bank.
    ///
    /// # Errors
    /// A sentence that names the fixture banks.
    pub fn parse(text: &str) -> Result<Self, String> {
        let codes = text.split(',').map(str::trim).filter(|code| !code.is_empty());
        let fixture = |code: &str| {
            let bank = demo_data::BANKS.iter().find(|bank| bank.code == code);
            bank.map(|bank| bank.code).ok_or_else(|| {
                let known = demo_data::BANKS.map(|bank| bank.code).join(" and ");
                format!(
                    "{code:?} is no fixture bank, and those are {known}: enrol any other with \
                     `codepix bank enrol --protocol classic`"
                )
            })
        };
        codes.map(fixture).collect::<Result<Vec<_>, _>>().map(Self)
    }

    /// Whether the bank of this code is among them.
    pub fn contains(&self, code: &str) -> bool {
        self.0.contains(&code)
    }

    /// No bank was named.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl ClassicArguments {
    /// The rule that orders, confirmations and what banks are told have topics of their own: no
    /// reader could tell them apart on one.
    ///
    /// # Errors
    /// When two of the three names are one.
    pub fn check(&self) -> anyhow::Result<()> {
        let names = [
            ("CODEPIX_CLASSIC_ORDERS_TOPIC", &self.classic_orders_topic),
            ("CODEPIX_CLASSIC_CONFIRMATIONS_TOPIC", &self.classic_confirmations_topic),
            ("CODEPIX_CLASSIC_BANK_TOPICS", &self.classic_bank_topics),
        ];
        for (index, (first, name)) in names.iter().enumerate() {
            if let Some((second, _)) =
                names.iter().skip(index.saturating_add(1)).find(|(_, it)| it == name)
            {
                anyhow::bail!("{first} and {second} are both {name:?}: give each its own name");
            }
        }
        Ok(())
    }

    /// The topics that programs write to.
    pub fn topics(&self) -> ClassicTopics {
        ClassicTopics {
            orders: self.classic_orders_topic.clone(),
            confirmations: self.classic_confirmations_topic.clone(),
        }
    }

    /// The beginning of the banks' topics; there is one in a process.
    pub fn bank_topics(&self) -> &'static str {
        Box::leak(self.classic_bank_topics.clone().into_boxed_str())
    }
}

fn topic(text: &str) -> Result<String, String> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if (1..=200).contains(&text.len()) && text.bytes().all(fits) {
        return Ok(text.to_owned());
    }
    Err("a topic has 1 to 200 letters, digits, dots, underscores and hyphens".to_owned())
}

fn ispb(text: &str) -> Result<Ispb, String> {
    Ispb::parse(text).map_err(|refusal| refusal.to_string())
}

fn bank_colors(text: &str) -> Result<BankColors, String> {
    BankColors::parse(text).map_err(|refusal| refusal.to_string())
}

/// Reads `40s`, `500ms`, `2m` or plain seconds.
///
/// # Errors
/// A sentence that shows the forms.
pub fn duration(text: &str) -> Result<Duration, String> {
    let split = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let number: u64 = number
        .parse()
        .map_err(|_digits| "a duration is written 500ms, 40s, 2m or 1h".to_owned())?;
    let millis = match unit.trim() {
        "ms" => 1,
        "" | "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        other => return Err(format!("unknown unit {other:?}: write 500ms, 40s, 2m or 1h")),
    };
    number
        .checked_mul(millis)
        .filter(|millis| *millis > 0)
        .map(Duration::from_millis)
        .ok_or_else(|| "a duration is longer than nothing and shorter than for ever".to_owned())
}

impl HubArguments {
    /// The callers of this process, after the rule that an address beyond loopback needs tokens.
    ///
    /// # Errors
    /// When tokens are malformed, or missing where they are needed.
    pub fn callers(&self) -> anyhow::Result<Callers> {
        let callers = match self.tokens.as_deref().filter(|text| !text.trim().is_empty()) {
            Some(text) => Callers::parse(text)?,
            None => Callers::default(),
        };
        let open = |address: &SocketAddr| !is_loopback(address.ip());
        if callers.is_open() && !self.insecure {
            let listeners = [
                ("--grpc-address (CODEPIX_GRPC_ADDRESS)", &self.grpc_address),
                ("--http-address (CODEPIX_HTTP_ADDRESS)", &self.http_address),
                ("--internal-address (CODEPIX_INTERNAL_ADDRESS)", &self.internal_address),
                ("--balances-address (CODEPIX_BALANCES_ADDRESS)", &self.balances_address),
            ];
            if let Some((name, address)) = listeners.iter().find(|(_, address)| open(address)) {
                anyhow::bail!(
                    "{name} is {address}, which others can reach: configure CODEPIX_TOKENS, or \
                     pass --insecure to serve it without"
                );
            }
        }
        Ok(callers)
    }

    /// Who may read metrics: everyone on loopback, the operator where tokens are asked for and
    /// others reach the address.
    pub fn callers_of_metrics(&self, callers: &Arc<Callers>) -> Option<Arc<Callers>> {
        let asks = !callers.is_open() && !is_loopback(self.internal_address.ip());
        asks.then(|| Arc::clone(callers))
    }

    /// The directory that Banking and Transfers ask, when it is not this process's own.
    ///
    /// # Errors
    /// When this process has one of them, no directory, and none is named.
    pub fn remote_directory(&self) -> anyhow::Result<Option<&str>> {
        let named = self.pix_keys_url.as_deref().filter(|url| !url.is_empty());
        let has = |context: &ContextName| self.contexts.contains(context);
        let asking = [ContextName::Banking, ContextName::Transfers].into_iter().find(has);
        let Some(asking) = asking.filter(|_| named.is_none() && !has(&ContextName::PixKeys)) else {
            return Ok(named);
        };
        let asking = asking.as_str();
        anyhow::bail!(
            "this process runs {asking} without pix-keys, and {asking} asks the directory: set \
             PIX_KEYS_URL (--pix-keys-url) to the gRPC address of a process that runs it, such as \
             http://127.0.0.1:50051"
        );
    }
}

fn is_loopback(ip: IpAddr) -> bool {
    ip.is_loopback()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Probe {
        #[command(flatten)]
        hub: HubArguments,
    }

    fn hub(arguments: &[&str]) -> HubArguments {
        Probe::parse_from([&["probe"], arguments].concat()).hub
    }

    #[test]
    fn durations_are_read_with_their_unit() {
        let seconds = |text| duration(text).map(|read| read.as_millis());
        assert_eq!(seconds("40s"), Ok(40_000));
        assert_eq!(seconds("500ms"), Ok(500));
        assert_eq!(seconds("2m"), Ok(120_000));
        assert_eq!(seconds("3"), Ok(3_000));
        for text in ["", "s", "4x", "0s", "-1s", "99999999999999999999s"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    fn refused(arguments: &[&str]) -> String {
        let refused = Probe::try_parse_from([&["probe"], arguments].concat());
        refused.map(|_| ()).unwrap_err().to_string()
    }

    #[test]
    fn a_package_is_served_once() {
        let packages = |text| hub(&["--classic-packages", text]).classic.packages.0.len();
        assert_eq!(packages("a.b,c.d=nothing here"), 2);
        assert_eq!(hub(&[]).classic.packages, ClassicPackages::default());
        for twice in ["a.b,a.b", "a.b,c.d, a.b=other"] {
            let sentence = refused(&["--classic-packages", twice]);
            assert!(sentence.contains("a.b.PixService is there twice"), "{sentence}");
        }
        assert!(refused(&["--classic-packages", "a..b"]).contains("a package is written"));
    }

    #[test]
    fn colours_are_given_to_banks_by_their_ispb() {
        let primary = |arguments| hub(arguments).bank_colors.of(ispb("00000001").unwrap()).primary;
        let own = primary(&[]);
        assert_eq!(primary(&["--bank-colors", "00000001=#123456/#abcdef"]), "#123456");
        assert_eq!(primary(&["--bank-colors", "00000002=#123456/#abcdef"]), own);
        assert!(refused(&["--bank-colors", "00000001=red/blue"]).contains("write #0b5fff/#ffb000"));
    }

    #[test]
    fn fixture_banks_are_named_by_their_codes() {
        let banks = |text| hub(&["--classic-banks", text]).classic.banks.unwrap();
        assert!(hub(&[]).classic.banks.is_none());
        assert!(banks("").is_empty() && banks(" , ").is_empty());
        let both = banks(" 001,002 ");
        assert!(both.contains("001") && both.contains("002"));
        assert!(!banks("002").contains("001"));
        for unknown in ["003", "1", "001;002", "001,bbx"] {
            let sentence = refused(&["--classic-banks", unknown]);
            assert!(sentence.contains("those are 001 and 002"), "{sentence}");
        }
    }

    #[test]
    fn topics_of_bank_programs_have_names_of_their_own() {
        assert!(hub(&[]).classic.check().is_ok());
        let cases = [
            ("--classic-confirmations-topic", "transactions", "CODEPIX_CLASSIC_ORDERS_TOPIC"),
            ("--classic-bank-topics", "transactions", "CODEPIX_CLASSIC_ORDERS_TOPIC"),
            ("--classic-orders-topic", "bank", "CODEPIX_CLASSIC_BANK_TOPICS"),
            ("--classic-bank-topics", "transaction_confirmation", "CODEPIX_CLASSIC_CONFIRMATIONS"),
        ];
        for (option, name, other) in cases {
            let refused = hub(&[option, name]).classic.check().unwrap_err().to_string();
            assert!(refused.contains(other) && refused.contains(name), "{refused}");
        }
    }

    #[test]
    fn loopback_needs_no_token() {
        assert!(hub(&[]).callers().unwrap().is_open());
    }

    #[test]
    fn an_address_beyond_loopback_needs_tokens_or_insecure() {
        let open = ["--grpc-address", "0.0.0.0:50051"];
        assert!(hub(&open).callers().unwrap_err().to_string().contains("CODEPIX_GRPC_ADDRESS"));
        assert!(hub(&[&open[..], &["--insecure"]].concat()).callers().is_ok());
        let tokens = ["--tokens", "operator=0123456789abcdef"];
        assert!(!hub(&[&open[..], &tokens[..]].concat()).callers().unwrap().is_open());
    }

    #[test]
    fn metrics_ask_for_the_operator_where_others_reach_them_and_tokens_are_there() {
        let tokens = ["--tokens", "operator=0123456789abcdef"];
        let open = ["--internal-address", "0.0.0.0:8081"];
        let asks = |arguments: &[&str]| {
            let hub = hub(arguments);
            hub.callers_of_metrics(&Arc::new(hub.callers().unwrap())).is_some()
        };
        assert!(asks(&[tokens, open].concat()));
        assert!(!asks(&tokens), "loopback");
        assert!(!asks(&[&open[..], &["--insecure"]].concat()));
    }

    #[test]
    fn who_asks_the_directory_without_one_names_the_setting() {
        let alone = ["--contexts", "banking,transfers"];
        let refused = hub(&alone).remote_directory().unwrap_err().to_string();
        assert!(refused.contains("PIX_KEYS_URL"), "{refused}");
        let url = "http://127.0.0.1:1";
        let named = hub(&[&alone[..], &["--pix-keys-url", url]].concat());
        assert_eq!(named.remote_directory().unwrap(), Some(url));
        let alone = hub(&["--contexts", "transfers"]).remote_directory().unwrap_err().to_string();
        assert!(alone.contains("runs transfers without pix-keys"), "{alone}");
        for with_its_own in [&["--contexts", "banking,pix-keys"][..], &["--contexts", "balances"]] {
            assert_eq!(hub(with_its_own).remote_directory().unwrap(), None);
        }
    }
}
