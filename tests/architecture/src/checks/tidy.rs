//! A9: what no formatter holds: width, length, notes to oneself, paths of one's own machine.
//!
//! A line that fits two windows is read side by side; a file that is too long has two subjects; a
//! `mod.rs` lists and does not do, so that one always knows where the code is. A note to do
//! something later is an issue or it is nothing. A path of a machine works on that machine alone.

use std::ffi::OsStr;
use std::path::Path;

use crate::{Finding, House, Result};

const RULE: &str = "A9";
/// Columns of a line of Rust.
const COLUMNS_MAX: usize = 100;
/// Lines of a Rust file, itself excluded.
const FILE_LINES_END: usize = 600;
/// Lines of a `mod.rs` in a layer, itself excluded.
const MOD_LINES_END: usize = 60;
/// Notes to oneself, put together so that this line is none.
const NOTES: &[&str] =
    &[concat!("FIX", "ME"), concat!("TO", "DO"), concat!("XX", "X"), concat!("db", "g!")];
/// Files that people write code and settings in.
const SOURCES: &[&str] = &["rs", "sql", "proto", "toml", "sh"];
/// Files that are read as text for paths of a machine.
const TEXTS: &[&str] =
    &["rs", "sql", "proto", "toml", "sh", "md", "mdx", "yml", "yaml", "json", "xml", "graphql"];
/// Folders at the root of a machine that belong to its user.
const OWN_FOLDERS: &[&str] = &["home", "work", "root", "Users", "workspace", "workspaces"];
/// What lies in such a folder by convention, on every machine that has it.
const SHARED: &[&str] = &["linuxbrew/"];

/// Every file that is not tidy.
pub fn check(house: &House) -> Result<Vec<Finding>> {
    let layered = house.layered()?;
    let mut found = Vec::new();
    for path in house.files("")? {
        let extension = path.extension().and_then(OsStr::to_str).unwrap_or_default();
        let is_script = extension.is_empty() && is_script(&path);
        if !TEXTS.contains(&extension) && !is_script {
            continue;
        }
        let text = house.read(&path)?;
        found.extend(machine_paths(&path, &text));
        if SOURCES.contains(&extension) || is_script {
            found.extend(notes(&path, &text));
        }
        if extension == "rs" {
            let in_layer = layered.iter().any(|folder| is_in_layer(&path, folder));
            found.extend(wide_lines(&path, &text));
            found.extend(long_file(&path, &text, in_layer));
        }
    }
    Ok(found)
}

/// Scripts without an extension: the entry of the repository and those of the CI.
fn is_script(path: &Path) -> bool {
    path == Path::new("codepix") || path.starts_with(".ci") || path.ends_with("Dockerfile")
}

fn is_in_layer(path: &Path, folder: &Path) -> bool {
    let layers = ["domain", "application", "infrastructure"];
    layers.iter().any(|layer| path.starts_with(folder.join("src").join(layer)))
}

fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    (1..).zip(text.lines())
}

fn wide_lines(path: &Path, text: &str) -> Vec<Finding> {
    let wide = numbered(text).filter(|(_, line)| line.chars().count() > COLUMNS_MAX);
    wide.map(|(at, line)| {
        let what = format!("{} columns, {COLUMNS_MAX} are allowed", line.chars().count());
        Finding::new(RULE, path, at, what).remedy("break the line")
    })
    .collect()
}

fn long_file(path: &Path, text: &str, in_layer: bool) -> Option<Finding> {
    let is_mod = in_layer && path.file_name() == Some(OsStr::new("mod.rs"));
    let (end, remedy) = if is_mod {
        (MOD_LINES_END, "a mod.rs lists its modules; move the code into one of them")
    } else {
        (FILE_LINES_END, "split it by subject")
    };
    let count = text.lines().count();
    let what = format!("{count} lines, under {end} are allowed");
    (count >= end).then(|| Finding::new(RULE, path, 0, what).remedy(remedy))
}

fn notes(path: &Path, text: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    for (at, line) in numbered(text) {
        for note in NOTES.iter().filter(|note| has_word(line, note)) {
            let what = format!("a note to oneself: {note}");
            let remedy = "do it now, or open an issue";
            found.push(Finding::new(RULE, path, at, what).remedy(remedy));
        }
    }
    found
}

fn has_word(line: &str, word: &str) -> bool {
    let is_part = |sign: char| sign.is_alphanumeric() || sign == '_';
    line.match_indices(word).any(|(at, _)| {
        let (before, from) = line.split_at(at);
        let after = from.strip_prefix(word).unwrap_or_default();
        !before.ends_with(is_part) && !after.starts_with(is_part)
    })
}

fn machine_paths(path: &Path, text: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    for (at, line) in numbered(text) {
        for folder in OWN_FOLDERS.iter().filter(|folder| begins_path(line, folder)) {
            let what = format!("a path of one machine, under its folder `{folder}`");
            let remedy = "make it relative, a setting, or a temporary folder";
            found.push(Finding::new(RULE, path, at, what).remedy(remedy));
        }
    }
    found
}

fn begins_path(line: &str, folder: &str) -> bool {
    let start = format!("/{folder}/");
    let inside = |sign: char| sign.is_alphanumeric() || "./_-$}*{)>~".contains(sign);
    line.match_indices(&start).any(|(at, _)| {
        let (before, from) = line.split_at(at);
        let after = from.strip_prefix(&start).unwrap_or_default();
        let is_shared = SHARED.iter().any(|shared| after.starts_with(shared));
        !before.ends_with(inside) && !is_shared
    })
}
