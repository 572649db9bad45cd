//! `landkarte check`.

use std::path::PathBuf;

use super::outcome::{Failure, Verdict, tables};

#[derive(Debug, clap::Args)]
pub(crate) struct Check {
    /// Files, or folders with files that end with .toml or .csv; together they are one Registerlandkarte
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

impl Check {
    pub(crate) fn run(self) -> Result<Verdict, Failure> {
        let Some(tables) = tables(&self.files)? else {
            return Ok(Verdict::Bad);
        };
        output::stdout!(
            "no errors: {} classes, {} registers, {} evidence types, {} norms, {} permissions, {} bodies, {} instances",
            tables.classes.len(),
            tables.registers.len(),
            tables.evidence.len(),
            tables.norms.len(),
            tables.permissions.len(),
            tables.bodies.len(),
            tables.instances.len()
        )?;
        Ok(Verdict::Good)
    }
}
