//! `landkarte export` and `landkarte import`.

use std::path::{Path, PathBuf};

use landkarte::NOTICE;
use landkarte::{write, xdatenfelder};
use registerlandkarte::{EvidenceTypeId, RegisterTypeId, Table, Tables};

use super::outcome::{Failure, Verdict, print_json, tables};

#[derive(Debug, clap::Args)]
pub(crate) struct Export {
    #[command(subcommand)]
    format: Format,
}

#[derive(Debug, clap::Subcommand)]
enum Format {
    /// One CSV file for each table
    Csv {
        /// Files, or folders with files
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// The folder to write to
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
    },
    /// One JSON document, on standard output
    Json {
        /// Files, or folders with files
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
}

impl Export {
    pub(crate) fn run(self) -> Result<Verdict, Failure> {
        match self.format {
            Format::Csv { files, to } => {
                let Some(tables) = tables(&files)? else {
                    return Ok(Verdict::Bad);
                };
                for table in Table::ALL {
                    write_file(&to, &format!("{}.csv", table.name()), &write::csv(table, &tables)?)?;
                }
                write_file(&to, "NOTICE.txt", &format!("{NOTICE}\n"))?;
            }
            Format::Json { files } => {
                let Some(tables) = tables(&files)? else {
                    return Ok(Verdict::Bad);
                };
                print_json(&write::json(&tables))?;
            }
        }
        Ok(Verdict::Good)
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct Import {
    #[command(subcommand)]
    format: ImportFormat,
}

#[derive(Debug, clap::Subcommand)]
enum ImportFormat {
    /// CSV files that are called after their tables
    Csv {
        /// Files, or folders with files
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// The folder to write to
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
    },
    /// A data schema or group of fields of FIM (XDatenfelder 2 or 3): prints a type of evidence as TOML
    Xdatenfelder {
        /// The file
        file: PathBuf,
        /// The id of the type of evidence
        #[arg(long)]
        id: EvidenceTypeId,
        /// The type of register that has the data
        #[arg(long)]
        register: RegisterTypeId,
    },
}

impl Import {
    pub(crate) fn run(self) -> Result<Verdict, Failure> {
        let (files, to) = match self.format {
            ImportFormat::Csv { files, to } => (files, to),
            ImportFormat::Xdatenfelder { file, id, register } => return print_evidence(&file, id, register),
        };
        let Some(tables) = tables(&files)? else {
            return Ok(Verdict::Bad);
        };
        for table in Table::ALL {
            // Bodies and components are many rows of one form, so they stay CSV.
            match table {
                Table::Body | Table::Instance => {
                    write_file(&to, &format!("{}.csv", table.name()), &write::csv(table, &tables)?)?;
                }
                _ => write_file(&to, &format!("{}.toml", table.name()), &write::toml(table, &tables))?,
            }
        }
        Ok(Verdict::Good)
    }
}

fn print_evidence(file: &Path, id: EvidenceTypeId, register: RegisterTypeId) -> Result<Verdict, Failure> {
    let text = std::fs::read_to_string(file);
    let text = text.map_err(|error| Failure::Usage(format!("{}: {error}", file.display())))?;
    match xdatenfelder::evidence(&text, id, register) {
        Ok(evidence) => {
            let tables = Tables {
                evidence: vec![evidence],
                ..Tables::default()
            };
            output::stdout!("{}", write::toml(Table::Evidence, &tables).trim_end())?;
            Ok(Verdict::Good)
        }
        Err(error) => {
            output::stderr!("{}: {error}", file.display());
            Ok(Verdict::Bad)
        }
    }
}

fn write_file(folder: &Path, name: &str, text: &str) -> Result<(), Failure> {
    let failed = |path: &Path, error| Failure::Write(path.display().to_string(), error);
    std::fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    let path = folder.join(name);
    std::fs::write(&path, text).map_err(|error| failed(&path, error))
}
