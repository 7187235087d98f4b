//! `codepix`: an instant-payment hub with its banks in one binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    codepix::cli::main()
}
