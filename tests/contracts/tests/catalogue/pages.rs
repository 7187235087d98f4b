//! Pages and registry.

use contracts::page::Page;
use contracts::{prose, site};
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

#[test]
fn the_flows_that_every_team_asks_for_are_there() {
    let tree = committed();
    for flow in [
        "TransferCompleted",
        "TransferRefused",
        "TransferExpired",
        "LateAcceptance",
        "KeyRegistered",
        "BalanceReplay",
        "WalletCore",
    ] {
        let path = format!("domains/CodePix/flows/{flow}/index.mdx");
        assert!(tree.get(&path).is_some(), "{path} is not there");
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
    assert_eq!(wallet.ids("sends"), ["WalletAccountCreated"]);
    assert_eq!(wallet.ids("receives"), ["WalletTransactionCreated", "WalletBalanceUpdated"]);
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
