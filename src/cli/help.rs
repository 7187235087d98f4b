//! What every command must tell about itself.

use clap::{Command, Subcommand};

/// The commands and arguments of `C` that say nothing about themselves.
pub(super) fn undocumented<C: Subcommand>() -> Vec<String> {
    let mut root = C::augment_subcommands(Command::new("codepix"));
    root.build();
    let mut silent = Vec::new();
    for command in root.get_subcommands() {
        inspect(command, "codepix", &mut silent);
    }
    silent
}

fn inspect(command: &Command, above: &str, silent: &mut Vec<String>) {
    let path = format!("{above} {}", command.get_name());
    if command.get_name() == "help" {
        return;
    }
    if command.get_about().is_none() {
        silent.push(path.clone());
    }
    for argument in command.get_arguments() {
        if argument.get_help().is_none() {
            silent.push(format!("{path} {}", argument.get_id()));
        }
    }
    for inner in command.get_subcommands() {
        inspect(inner, &path, silent);
    }
}

/// The help of `codepix <name>` as a person sees it.
pub(super) fn help_of<C: Subcommand>(name: &str) -> String {
    let mut root = C::augment_subcommands(Command::new("codepix"));
    root.build();
    let command = root.find_subcommand_mut(name);
    command.map(|command| command.render_long_help().to_string()).unwrap_or_default()
}
