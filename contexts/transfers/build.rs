//! Compiles the hub's proto, for the gRPC adapter alone.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    #[cfg(feature = "infrastructure")]
    protos::compile()?;
    Ok(())
}

#[cfg(feature = "infrastructure")]
mod protos {
    use std::error::Error;
    use std::path::PathBuf;

    const ROOT: &str = "../../proto";
    const FILE: &str = "codepix/transfers/v1/transfers.proto";
    const DIRECTORY: &str = "codepix/pix_keys/v1/pix_keys.proto";

    pub(crate) fn compile() -> Result<(), Box<dyn Error>> {
        println!("cargo::rerun-if-changed={ROOT}/{FILE}");
        let mut compiler = protox::Compiler::new([ROOT])?;
        compiler.include_imports(true).include_source_info(true).open_file(FILE)?;
        let descriptors = compiler.file_descriptor_set();
        let folder = PathBuf::from(std::env::var("OUT_DIR")?);
        std::fs::write(folder.join("transfers.bin"), compiler.encode_file_descriptor_set())?;
        tonic_prost_build::configure().compile_fds(descriptors)?;

        println!("cargo::rerun-if-changed={ROOT}/{DIRECTORY}");
        let mut compiler = protox::Compiler::new([ROOT])?;
        compiler.include_imports(true).open_file(DIRECTORY)?;
        tonic_prost_build::configure().compile_fds(compiler.file_descriptor_set())?;
        Ok(())
    }
}
