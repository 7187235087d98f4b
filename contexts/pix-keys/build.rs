//! Compiles the context's gRPC protocol, when its adapters are built.

#[cfg(feature = "infrastructure")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    const ROOT: &str = "../../proto";
    const CLASSIC: &str = "codepix_classic/pix_service.proto";
    const PROTOCOL: &str = "codepix/pix_keys/v1/pix_keys.proto";

    println!("cargo::rerun-if-changed={ROOT}/{PROTOCOL}");
    let mut compiler = protox::Compiler::new([ROOT])?;
    compiler.include_imports(true).include_source_info(true).open_file(PROTOCOL)?;
    let folder = std::env::var("OUT_DIR")?;
    std::fs::write(format!("{folder}/pix_keys.bin"), compiler.encode_file_descriptor_set())?;
    tonic_prost_build::configure().compile_fds(compiler.file_descriptor_set())?;

    println!("cargo::rerun-if-changed={ROOT}/{CLASSIC}");
    let mut compiler = protox::Compiler::new([ROOT])?;
    compiler.include_imports(true).include_source_info(true).open_file(CLASSIC)?;
    std::fs::write(format!("{folder}/classic.bin"), compiler.encode_file_descriptor_set())?;
    tonic_prost_build::configure().compile_fds(compiler.file_descriptor_set())?;
    Ok(())
}

#[cfg(not(feature = "infrastructure"))]
fn main() {}
