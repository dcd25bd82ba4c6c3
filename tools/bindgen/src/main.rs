//! Writes the JavaScript half of the wasm bridge: `jobwright-bindgen INPUT.wasm OUT_DIR NAME`.
//!
//! A binary of our own rather than `wasm-bindgen-cli`, because its version then stands in Cargo.lock
//! beside `wasm-bindgen` itself, and because it compiles in a quarter of the time.

use std::process::ExitCode;

use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [input, out_dir, name] = arguments.as_slice() else {
        eprintln!("usage: jobwright-bindgen INPUT.wasm OUT_DIR NAME");
        return ExitCode::FAILURE;
    };
    match generate(input, out_dir, name) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("jobwright-bindgen: {input}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn generate(input: &str, out_dir: &str, name: &str) -> Result<(), Box<dyn std::error::Error>> {
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(input)
        .out_name(name)
        .web(true)?
        // Without it the glue holds `import.meta`, and bundlers look for an asset that is not there.
        .omit_default_module_path(true)
        .remove_name_section(true)
        .remove_producers_section(true)
        .typescript(true)
        .generate(out_dir)?;
    Ok(())
}
