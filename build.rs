//! Client stubs of the protocols in `proto/`, compiled without an installed `protoc`, and the one
//! function of librdkafka that is replaced.

use std::error::Error;
use std::path::{Path, PathBuf};

/// Where the protocols are; imports are relative to it.
const ROOT: &str = "proto";

/// The protocols that the command line speaks.
const PROTOS: &[&str] = &[
    "proto/codepix/banking/v1/banking.proto",
    "proto/codepix/pix_keys/v1/pix_keys.proto",
    "proto/codepix/transfers/v1/transfers.proto",
];

/// What is linked in the place of a function of librdkafka, and why.
const LEADER_HINTS: &str = "src/kafka_leader_hints.c";

fn main() -> Result<(), Box<dyn Error>> {
    let descriptors = protox::compile(PROTOS, [ROOT])?;
    tonic_prost_build::configure()
        .build_client(true)
        .build_server(false)
        .compile_fds(descriptors)?;
    for path in PROTOS {
        println!("cargo::rerun-if-changed={path}");
    }
    println!("cargo::rustc-env=CODEPIX_PROFILE={}", profile());
    ignore_leader_hints()
}

/// Links [`LEADER_HINTS`] into the binary and its tests. Apple's linker cannot replace a function:
/// there librdkafka stays as it is.
fn ignore_leader_hints() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={LEADER_HINTS}");
    if std::env::var("CARGO_CFG_TARGET_OS")? != "linux" {
        return Ok(());
    }
    let objects = cc::Build::new().file(LEADER_HINTS).try_compile_intermediates()?;
    for kind in ["bins", "tests"] {
        println!("cargo::rustc-link-arg-{kind}=-Wl,--wrap=rd_kafka_metadata_update_op");
        for object in &objects {
            println!("cargo::rustc-link-arg-{kind}={}", object.display());
        }
    }
    Ok(())
}

/// The name of cargo's profile: the folder that holds the `build` folder of this script's output.
/// (`PROFILE` says only whether it descends from `dev` or `release`.)
fn profile() -> String {
    let out = std::env::var_os("OUT_DIR").map(PathBuf::from).unwrap_or_default();
    let folder = out.ancestors().nth(3).and_then(Path::file_name);
    folder.map_or_else(|| "unknown".to_owned(), |name| name.to_string_lossy().into_owned())
}
