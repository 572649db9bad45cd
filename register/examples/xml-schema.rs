//! Prints the XML schema of a register's evidence: `cargo run -p register --example xml-schema -- SCHEMA`.

use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(schema) = std::env::args_os().nth(1).map(PathBuf::from) else {
        output::stderr!("usage: xml-schema SCHEMA");
        return ExitCode::from(2);
    };
    match register::xml_schema::of_file(&schema) {
        Ok(text) => match output::stdout!("{}", text.trim_end()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        },
        Err(error) => {
            output::stderr!("{error}");
            ExitCode::FAILURE
        }
    }
}
