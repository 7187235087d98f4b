//! Every command line that the documents show is one that the program takes.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Parser as _;

use crate::cli::Cli;

/// Commands of the script in front of the program.
const OF_THE_SCRIPT: [&str; 3] = ["catalog", "test", "tools"];

/// The documents for users, by their paths.
fn documents() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let pages = fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let pages = pages.filter(|path| path.extension().is_some_and(|end| end == "md"));
    let readmes = ["README.md", "README.pt-BR.md"].map(|name| root.join(name));
    pages.chain(readmes).collect()
}

/// Lines of shell blocks, continued ones as one.
fn lines(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut inside = false;
    let mut begun = String::new();
    for line in text.lines().map(str::trim) {
        if line.starts_with("```") {
            inside = line == "```sh";
        } else if inside {
            match line.strip_suffix('\\') {
                Some(part) => begun.push_str(part),
                None => found.push(std::mem::take(&mut begun) + line),
            }
        }
    }
    found
}

/// The words of a line, as a shell reads simple ones. What is to be filled in gets a value.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let (mut word, mut quoted, mut open) = (String::new(), false, false);
    let filled = fill_in(line);
    for character in filled.chars().chain([' ']) {
        match character {
            '"' => (quoted, open) = (!quoted, true),
            '#' if !quoted && word.is_empty() => break,
            ' ' if !quoted => {
                if open || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                open = false;
            }
            other => word.push(other),
        }
    }
    words
}

fn fill_in(line: &str) -> String {
    let mut filled = line.to_owned();
    while let Some((before, rest)) = filled.split_once('<') {
        let (named, after) = rest.split_once('>').unwrap();
        let value = if named.contains("uuid") {
            "6e4635ce-88d1-4e58-9597-d13fc446ee47"
        } else {
            "E0000000120261120123412345678901"
        };
        filled = format!("{before}{value}{after}");
    }
    filled
}

/// The words for the program, if the line is for it.
fn for_the_program(line: &str) -> Option<Vec<String>> {
    let mut words = words(line);
    let is_setting = |word: &String| {
        word.split_once('=').is_some_and(|(name, _)| {
            name.chars().all(|it| it.is_ascii_uppercase() || it.is_ascii_digit() || it == '_')
        })
    };
    words.drain(..words.iter().take_while(|word| is_setting(word)).count());
    let is_ours = matches!(words.first().map(String::as_str), Some("codepix" | "./codepix"));
    let of_the_script = words.get(1).is_some_and(|word| OF_THE_SCRIPT.contains(&word.as_str()));
    (is_ours && !of_the_script).then_some(words)
}

#[test]
fn every_line_is_taken() {
    let mut count = 0;
    for document in documents() {
        for line in lines(&fs::read_to_string(&document).unwrap()) {
            let Some(words) = for_the_program(&line) else { continue };
            let shown = words.join(" ");
            match Cli::try_parse_from(words) {
                Err(error) if !is_help(&error) => {
                    panic!("{}: {shown}\n{error}", document.display())
                }
                _ => count += 1,
            }
        }
    }
    assert!(count > 15, "only {count} lines were found");
}

fn is_help(error: &clap::Error) -> bool {
    matches!(
        error.kind(),
        clap::error::ErrorKind::DisplayHelp | clap::error::ErrorKind::DisplayVersion
    )
}

#[test]
fn lines_are_read_as_a_shell_reads_them() {
    let text = "```sh\nA=1 ./codepix account open \\\n  --name \"Ana Lima\" # a comment\n```\n\
                ```json\ncodepix nothing\n```\n./codepix nothing";
    let found: Vec<Vec<String>> = lines(text).iter().filter_map(|it| for_the_program(it)).collect();
    assert_eq!(found, [["./codepix", "account", "open", "--name", "Ana Lima"]]);
    assert_eq!(for_the_program("./codepix test --no-run"), None);
}
