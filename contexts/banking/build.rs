//! Compiles the gRPC protocols, own and the directory's, when the adapters are built.

#[cfg(feature = "infrastructure")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    const ROOT: &str = "../../proto";
    const OWN: &str = "codepix/banking/v1/banking.proto";
    const DIRECTORY: &str = "codepix/pix_keys/v1/pix_keys.proto";

    println!("cargo::rerun-if-changed={ROOT}/{OWN}");
    println!("cargo::rerun-if-changed={ROOT}/{DIRECTORY}");
    let mut compiler = protox::Compiler::new([ROOT])?;
    compiler.include_imports(true).include_source_info(true).open_file(OWN)?;
    let folder = std::env::var("OUT_DIR")?;
    std::fs::write(format!("{folder}/banking.bin"), compiler.encode_file_descriptor_set())?;
    tonic_prost_build::configure().compile_fds(compiler.file_descriptor_set())?;

    let mut compiler = protox::Compiler::new([ROOT])?;
    compiler.include_imports(true).open_file(DIRECTORY)?;
    tonic_prost_build::configure().compile_fds(compiler.file_descriptor_set())?;
    Ok(())
}

#[cfg(not(feature = "infrastructure"))]
fn main() {}
