//! Pages and registry.

use contracts::flows::{self, FLOWS};
use contracts::page::Page;
use contracts::{outside, prose, site};
use shared_kernel::application::catalogue::Producer;

use crate::support::{code, committed, names, none};

const HELD: &str = "domains/Banking/services/BankingService/events/AmountHeld";

#[test]
fn what_is_committed_is_what_the_code_says() {
    none(&site::stale(&code(), &committed()).unwrap());
}

#[test]
fn a_file_that_differs_is_named() {
    let (code, whole) = (code(), committed());
    for file in ["schema.json", "example.json"] {
        let mut tree = whole.clone();
        tree.put(&format!("{HELD}/{file}"), "{}\n");
        let stale = site::stale(&code, &tree);
        // A frozen schema that is not itself is told as a broken promise or as stale: by name,
        // both.
        let said = stale.unwrap_or_else(|error| vec![error.to_string()]);
        names(&said, &["AmountHeld"]);
    }
    for (file, from, to) in [
        ("channels/codepix.transfers/index.mdx", "| partitions | 8 |", "| partitions | 9 |"),
        (
            "domains/Balances/services/BalancesService/index.mdx",
            "- id: AmountHeld",
            "- id: AmountGone",
        ),
        ("domains/Banking/services/BankingService/schema.graphql", "Account", "Konto"),
        ("domains/Balances/ubiquitous-language.mdx", "version", "edition"),
        ("public/asyncapi.json", "3.0.0", "2.6.0"),
    ] {
        let mut tree = whole.clone();
        let text = tree.get(file).unwrap().replacen(from, to, 1);
        assert_ne!(Some(text.as_str()), tree.get(file), "{file} has no {from:?}");
        tree.put(file, text);
        names(&site::stale(&code, &tree).unwrap(), &[file, "cargo xtask catalog"]);
    }
}

#[test]
fn a_page_that_is_gone_is_missed() {
    let mut tree = committed();
    tree.remove(&format!("{HELD}/index.mdx"));
    names(&site::stale(&code(), &tree).unwrap(), &[HELD, "cargo xtask catalog"]);
    let missing = prose::faults(&code(), &tree).unwrap_err().to_string();
    assert!(missing.contains("AmountHeld") && missing.contains("write its prose"), "{missing}");
}

#[test]
fn people_say_why_and_what_they_name_exists() {
    none(&prose::faults(&code(), &committed()).unwrap());
    none(&prose::homeless(&committed()));
}

#[test]
fn silence_strangers_and_dead_links_are_found() {
    let (code, whole) = (code(), committed());
    let page = format!("{HELD}/index.mdx");
    let edited = |from: &str, to: &str| {
        let mut tree = whole.clone();
        let text = tree.get(&page).unwrap().replacen(from, to, 1);
        assert_ne!(Some(text.as_str()), tree.get(&page), "{from:?}");
        tree.put(&page, text);
        prose::faults(&code, &tree).unwrap()
    };
    names(
        &edited("## What may happen twice", "## What may happen"),
        &["AmountHeld", "nothing is written", "twice"],
    );
    names(
        &edited("/docs/events/TransferRequested/", "/docs/events/TransferAsked/"),
        &["TransferAsked", "not there"],
    );
    names(&edited("- banks\n", "- nobody\n"), &["nobody", "not there"]);
    let mut tree = whole.clone();
    let text = tree.get(&page).unwrap().to_owned();
    tree.put("domains/Banking/services/BankingService/events/AmountLost/index.mdx", text);
    names(&prose::faults(&code, &tree).unwrap(), &["AmountLost", "no registry"]);
    let flow = "domains/CodePix/flows/TransferExpired/index.mdx";
    let mut tree = whole.clone();
    let text = tree.get(flow).unwrap().replacen("id: HoldReleased", "id: HoldLost", 1);
    tree.put(flow, text);
    names(&prose::faults(&code, &tree).unwrap(), &["TransferExpired", "HoldLost"]);
    let mut tree = whole.clone();
    let store = "domains/Transfers/services/TransfersService/containers/transfers/index.mdx";
    tree.remove(store);
    names(&prose::homeless(&tree), &[store]);
}

/// What is found in the prose after one page was changed.
fn edited(path: &str, from: &str, to: &str) -> Vec<String> {
    let mut tree = committed();
    let text = tree.get(path).unwrap().replacen(from, to, 1);
    assert_ne!(Some(text.as_str()), tree.get(path), "{path} has no {from:?}");
    tree.put(path, text);
    prose::faults(&code(), &tree).unwrap()
}

#[test]
fn a_flow_that_is_gone_or_names_an_old_version_is_found() {
    let mut tree = committed();
    for flow in FLOWS {
        let path = format!("{}/index.mdx", flows::folder(flow));
        let text = tree.remove(&path).unwrap();
        names(&flows::faults(&tree).unwrap(), &[&path, "not there"]);
        tree.put(&path, text);
    }
    let flow = "domains/CodePix/flows/TransferCompleted/index.mdx";
    let step = |version: &str| format!("id: TransferPending\n    version: {version}");
    let code = code();
    let event = code.events.iter().find(|event| event.entry.name == "TransferPending").unwrap();
    let (is, old) = (event.entry.version, "1.0.0");
    let found = edited(flow, &step(is), &step(old));
    names(&found, &[flow, "TransferPending 1.0.0", &format!("{is} by now")]);
    let service = |version: &str| format!("id: TransfersService\n    version: {version}");
    names(&edited(flow, &service("1.0.0"), &service("2.0.0")), &[flow, "TransfersService 2.0.0"]);
}

#[test]
fn a_step_from_who_does_not_send_or_to_who_does_not_receive_is_found() {
    let flow = "domains/CodePix/flows/TransferExpired/index.mdx";
    let found = edited(flow, "id: TransfersService", "id: PixKeysService");
    names(&found, &[flow, "from PixKeysService to TransferPending", "does not send"]);
    names(&found, &[flow, "from TransferRequested to PixKeysService", "does not receive"]);
    let flow = "domains/CodePix/flows/TransferCompleted/index.mdx";
    let found = edited(flow, "id: AccountCredited\n", "id: PixKeyRemoved\n");
    names(&found, &[flow, "from TransferConfirmed to PixKeyRemoved", "no service"]);
}

#[test]
fn a_domain_that_lists_too_little_or_too_much_is_found() {
    let hub = "domains/CodePix/index.mdx";
    names(&edited(hub, "- id: Balances\n", ""), &[hub, "does not list Balances of its domains"]);
    let banking = "domains/Banking/index.mdx";
    let found = edited(banking, "- id: BankingService\n", "");
    names(&found, &[banking, "does not list BankingService of its services"]);
    let found =
        edited(banking, "- id: BankingService\n", "- id: BankingService\n- id: BankPrograms\n");
    names(&found, &[banking, "lists BankPrograms, which is none of its services"]);
    let found = edited(banking, "- id: Posting\n", "");
    names(&found, &[banking, "does not list Posting of its entities"]);
}

#[test]
fn pages_of_what_nothing_lists_are_found() {
    let (code, whole) = (code(), committed());
    for (like, stranger) in [
        ("domains/Banking", "domains/Lending"),
        ("domains/Banking/services/BankingService", "domains/Banking/services/LendingService"),
        (
            "domains/Banking/services/BankingService/containers/banking",
            "domains/Banking/services/BankingService/containers/lending",
        ),
        ("domains/Banking/entities/Account", "domains/Banking/entities/Loan"),
        ("domains/CodePix/flows/WalletCore", "domains/CodePix/flows/LoanGranted"),
    ] {
        let mut tree = whole.clone();
        tree.put(
            &format!("{stranger}/index.mdx"),
            whole.get(&format!("{like}/index.mdx")).unwrap(),
        );
        let found = prose::faults(&code, &tree).unwrap();
        names(&found, &[stranger, "nothing lists"]);
        names(&found, &[stranger, "in another's folder"]);
    }
}

#[test]
fn an_entity_that_is_known_by_or_refers_to_what_is_not_there_is_found() {
    let entity = "domains/Banking/entities/OutgoingTransfer/index.mdx";
    let found = edited(entity, "identifier: end_to_end_id", "identifier: number");
    names(&found, &[entity, "known by \"number\"", "none of its properties"]);
    for (from, to) in [
        ("references: Account", "references: Safe"),
        ("referencesIdentifier: id", "referencesIdentifier: number"),
    ] {
        names(&edited(entity, from, to), &[entity, "refers to", "not there"]);
    }
}

#[test]
fn a_version_that_nobody_promised_has_no_folder() {
    let (code, whole) = (code(), committed());
    let confirmed = "domains/Transfers/services/TransfersService/events/TransferConfirmed";
    let event = code.events.iter().find(|it| it.entry.name == "TransferConfirmed").unwrap();
    let current = format!("{confirmed}/versioned/{}", event.entry.version);
    let never = format!("{confirmed}/versioned/0.9.0");
    for stranger in [current, never, format!("{HELD}/versioned/1.0.0")] {
        let mut tree = whole.clone();
        tree.put(&format!("{stranger}/example.json"), "{}");
        names(&prose::faults(&code, &tree).unwrap(), &[&stranger, "never promised"]);
    }
}

#[test]
fn programs_that_are_not_ours_are_on_the_map() {
    let tree = site::generate(&code(), &committed()).unwrap();
    let page = |path: &str| Page::parse(tree.get(path).unwrap()).unwrap();
    let programs = page("domains/Transfers/services/BankPrograms/index.mdx");
    assert_eq!(programs.ids("sends"), ["BankProgramOrdered", "BankProgramConfirmed"]);
    assert_eq!(programs.ids("receives"), ["BankProgramTold"]);
    let link = "[Existing bank programs](/docs/services/BankPrograms/1.0.0)";
    let events = "domains/Transfers/services/TransfersService/events";
    for (event, row) in [
        ("BankProgramTold", format!("| {link} | its own | `bank<code>` |")),
        ("BankProgramOrdered", format!("| written by | {link} |")),
    ] {
        let made = page(&format!("{events}/{event}/index.mdx")).made.unwrap();
        assert!(made.contains(&row), "{event}: {row}");
    }
    let wallet = page("domains/Banking/services/WalletCoreProgram/index.mdx");
    let both = ["WalletTransactionCreated", "WalletBalanceUpdated"];
    assert_eq!(wallet.ids("sends"), [&both[..], &["WalletAccountCreated"]].concat());
    assert_eq!(wallet.ids("receives"), both);
    let banking = "domains/Banking/services/BankingService/events";
    let balances = page(&format!("{banking}/WalletBalanceUpdated/index.mdx")).made.unwrap();
    let row = "| written by | [Banking](/docs/services/BankingService/1.0.0); \
               [The original Wallet Core](/docs/services/WalletCoreProgram/1.0.0) |";
    assert!(balances.contains(row), "{balances}");
}

#[test]
fn what_a_program_is_said_to_write_beside_a_context_is_written_there() {
    let mut code = code();
    code.events.retain(|event| event.entry.name != "WalletBalanceUpdated");
    names(&outside::unknown(&code), &["The original Wallet Core", "WalletBalanceUpdated"]);
}

#[test]
fn an_event_that_comes_from_nowhere_and_a_program_without_a_domain_are_found() {
    let (mut code, whole) = (code(), committed());
    let mut tree = whole.clone();
    let domain = "domains/Transfers/index.mdx";
    let text = tree.get(domain).unwrap().replacen("- id: BankPrograms\n", "", 1);
    tree.put(domain, text);
    names(&prose::faults(&code, &tree).unwrap(), &[domain, "BankPrograms"]);
    let named = code.events.iter_mut().find(|event| event.entry.name == "BankProgramOrdered");
    named.unwrap().entry.producer = Producer::Outside("a stranger");
    names(&prose::faults(&code, &whole).unwrap(), &["BankProgramOrdered", "not on the map"]);
}
