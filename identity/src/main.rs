//! The command line: runs identity ([`service::program`]), imports its population, and backs up and restores its state.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use identity::backup::{Contents, backup, restore};
use identity::fill::{Fill, Filled, fill};
use identity::persons::base_data::BaseDataPermission;
use identity::persons::import::import;
use identity::persons::population::Population;
use service::rows::MAX_REPORTED;
use service::{Shutdown, SystemClock, config, program};

#[derive(Parser)]
#[command(version, about = "Identity: finds the person, evaluates labels, keeps day keys")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run identity.
    Serve(program::Serve),
    /// Replace the population by the persons of a file. A running identity uses them from its next start.
    ///
    /// Faulty rows are set aside and listed by their number in the file. The exit code is 0 if the file was imported,
    /// also without them.
    Import {
        /// Identity's configuration file, which names the store and says whether test numbers are valid.
        #[arg(long)]
        config: PathBuf,
        /// A JSON array of persons, one a row.
        file: PathBuf,
    },
    /// Find the IDNr of every row of a register (Erstbefüllung), and say how good the register's data are.
    ///
    /// The result has personal data and is for the register alone. The report has none. An interrupted fill is
    /// continued by the same command. Identity must not be running, because it holds the population.
    Fill {
        /// Identity's configuration file, which names the population.
        #[arg(long)]
        config: PathBuf,
        /// What the register may have besides the IDNr: {"permission": "…", "base_data": ["family_name", …]}.
        #[arg(long)]
        permission: PathBuf,
        /// The file to write: one JSON object for each row.
        #[arg(long)]
        result: PathBuf,
        /// The file for the report on the register's data (JSON).
        #[arg(long)]
        report: PathBuf,
        /// The register's rows, a JSON array.
        rows: PathBuf,
    },
    /// Copy the state, with its secrets wrapped, to a new file. Identity must not be running.
    Backup {
        /// Identity's data directory.
        #[arg(long)]
        data: PathBuf,
        /// The file to create. It must not exist.
        #[arg(long)]
        to: PathBuf,
    },
    /// Restore a backup into a data directory that has no state.
    Restore {
        /// The backup file.
        #[arg(long)]
        from: PathBuf,
        /// Identity's data directory. Restore its wrapping keys and day keys from their replica first.
        #[arg(long)]
        data: PathBuf,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Serve(arguments) => {
            program::serve(arguments, async |config: identity::Config, base, listener, shutdown| {
                identity::run(config.resolved(base), listener, shutdown, SystemClock::shared()).await
            })
            .await
        }
        Command::Import { config, file } => ended(import_file(&config, &file)),
        Command::Fill {
            config,
            permission,
            result,
            report,
            rows,
        } => ended(fill_register(&config, &permission, (&rows, &result, &report))),
        Command::Backup { data, to } => ended(backup(&data, &to).map(|contents| report("backed up", &contents))),
        Command::Restore { from, data } => ended(restore(&from, &data).map(|contents| report("restored", &contents))),
    }
}

fn import_file(config: &Path, file: &Path) -> Result<io::Result<()>, Box<dyn std::error::Error>> {
    let settings = config::load::<identity::Config>(config)?.resolved(&config::base(config));
    let imported = import(file, &settings.persons, settings.test_numbers)?;
    let (_, first) = Population::open(&settings.persons)?.set_aside(MAX_REPORTED)?;
    for row in &first {
        output::stderr!("identity: set aside: {row}");
    }
    if imported.set_aside > first.len() as u64 {
        output::stderr!(
            "identity: {} more rows are set aside",
            imported.set_aside - first.len() as u64
        );
    }
    let (persons, set_aside) = (imported.persons, imported.set_aside);
    Ok(output::stdout!(
        "imported: {persons} persons; {set_aside} rows are set aside"
    ))
}

fn fill_register(
    config: &Path,
    permission: &Path,
    (rows, result, report): (&Path, &Path, &Path),
) -> Result<io::Result<()>, Box<dyn std::error::Error>> {
    let settings = config::load::<identity::Config>(config)?.resolved(&config::base(config));
    let permission: BaseDataPermission = config::load(permission)?;
    let shutdown = Shutdown::on_signals()?;
    let options = Fill {
        rows,
        result,
        permission: &permission,
        test_numbers: settings.test_numbers,
    };
    let population = Population::open(&settings.persons)?;
    match tokio::task::block_in_place(|| fill(&population, &options, || shutdown.is_triggered()))? {
        Filled::Interrupted(rows) => Err(format!("interrupted after {rows} rows: run the same command again").into()),
        Filled::Done(quality) => {
            let mut json = serde_json::to_vec_pretty(&quality)?;
            json.push(b'\n');
            service::durable::write_atomic(report, &json)?;
            let (found, faulty) = (quality.found, quality.faulty);
            Ok(output::stdout!(
                "filled: {found} rows have an IDNr; {faulty} rows are faulty; report: {}",
                report.display()
            ))
        }
    }
}

fn report(done: &str, contents: &Contents) -> io::Result<()> {
    output::stdout!("{done}: {} periods with a secret", contents.living.len())?;
    for period in &contents.without_key {
        output::stdout!(
            "the wrapping key of period {} is missing: restore the folder of wrapping keys from its replica",
            period.0
        )?;
    }
    Ok(())
}

fn ended<E: std::fmt::Display>(result: Result<io::Result<()>, E>) -> ExitCode {
    let result = match result {
        Ok(reported) => reported.map_err(|error| format!("done, but the report cannot be written: {error}")),
        Err(error) => Err(error.to_string()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::stderr!("identity: {error}");
            ExitCode::FAILURE
        }
    }
}
