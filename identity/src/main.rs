//! The command line: runs identity ([`service::program`]), imports its population, and backs up and restores its state.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use identity::backup::{Contents, backup, restore};
use identity::fill::order::{Order, OrderFolder, OrderName, Outcome};
use identity::persons::import::import;
use identity::persons::population::Population;
use record::ParticipantId;
use registerlandkarte::BaseDatum;
use service::rows::MAX_REPORTED;
use service::{Shutdown, SystemClock, config, program};
use text::Reference;

/// How often the command looks whether identity has done the order.
const POLL_INTERVAL: Duration = Duration::from_millis(200);

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
    /// Writes the order into identity's directory and waits until the running identity has done it. Each person whose
    /// number the register gets has an entry in the log before. The result has personal data and is for the register
    /// alone. The report has none. The same command waits for the same order again.
    Fill(FillArguments),
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

#[derive(clap::Args)]
struct FillArguments {
    /// Identity's configuration file, which names its directory.
    #[arg(long)]
    config: PathBuf,
    /// A name for the order: its files are in `fills/NAME` in identity's directory.
    #[arg(long)]
    name: OrderName,
    /// The register's component in the directory, which receives the numbers.
    #[arg(long)]
    receiver: ParticipantId,
    /// The purpose code by which the Registerlandkarte permits it.
    #[arg(long, default_value = "registermodernisierung")]
    purpose: Reference,
    /// What the register receives besides the IDNr, separated by commas: family_name, given_name, date_of_birth,
    /// postal_code, place.
    #[arg(long, value_delimiter = ',')]
    base_data: Vec<BaseDatum>,
    /// Print the report on the register's data as JSON.
    #[arg(long)]
    json: bool,
    /// The register's rows, a JSON array.
    rows: PathBuf,
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
        Command::Fill(arguments) => ended(fill_register(arguments).await),
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

/// Places the order and waits for its outcome.
async fn fill_register(arguments: FillArguments) -> Result<io::Result<()>, Box<dyn std::error::Error>> {
    let config = &arguments.config;
    let settings = config::load::<identity::Config>(config)?.resolved(&config::base(config));
    let order = Order {
        receiver: arguments.receiver,
        purpose: arguments.purpose,
        base_data: arguments.base_data.into_iter().collect(),
    };
    let folder = OrderFolder::of(&settings.data, &arguments.name);
    folder.place(&order, &arguments.rows)?;
    let shutdown = Shutdown::on_signals()?;
    let outcome = loop {
        if let Some(outcome) = folder.outcome()? {
            break outcome;
        }
        tokio::select! {
            () = tokio::time::sleep(POLL_INTERVAL) => {}
            () = shutdown.wait() => return Err("identity continues with the order: run the same command to wait for it".into()),
        }
    };
    match outcome {
        Outcome::Refused(reason) => Err(format!("the order {} is refused: {reason}", arguments.name).into()),
        Outcome::Done(quality) if arguments.json => Ok(output::stdout!("{}", serde_json::to_string_pretty(&quality)?)),
        Outcome::Done(quality) => Ok(output::stdout!(
            "filled: {} rows have an IDNr; {} rows are faulty; result: {}",
            quality.found,
            quality.faulty,
            folder.result().display()
        )),
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
