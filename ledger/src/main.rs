//! The ledger's command line.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use ledger::Config;
use ledger::config::StoreConfig;
use ledger::publish::Bucket;
use ledger::store::postgres::PostgresConfig;
use record::SigningKey;
use service::{Shutdown, SystemClock, durable, secret};
use tlog::note::{KeyName, SignerKey};

#[derive(Parser)]
#[command(name = "ledger", version, about = "The transparency service of Einsicht")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the log.
    Serve(service::program::Serve),
    /// Write the whole log as static files, also while a ledger is running.
    Export(Export),
    /// Copy the log's static files, without records, to object storage, also while a ledger is running. What is there
    /// already is not written again.
    Publish(Publish),
    /// Copy the store into a new directory and check the copy, also while a ledger is running.
    Backup(Backup),
    /// Copy a backup into a data directory without a store, and check the copy.
    Restore(Restore),
    /// Move the log to another store, from RocksDB to PostgreSQL or back. No ledger may run meanwhile. Repeat the
    /// command if it was interrupted.
    Migrate(Migrate),
    /// Read the whole store and check that it is consistent, also while a ledger is running. Exit code 0: sound, 1: not
    /// sound, 3: no verdict, because the store could not be read or the result not be written.
    Check(Check),
    /// Create the log's key and the key for map entries; existing files are never overwritten.
    Keygen(Keygen),
    /// Print the verifier keys of the configured log keys as `log` lines of a policy.
    Keys(Keys),
}

#[derive(Args)]
struct Keys {
    /// Configuration file (JSON).
    #[arg(long)]
    config: PathBuf,
}

/// The store that a command reads.
#[derive(Args)]
#[group(required = true, multiple = false)]
struct Source {
    /// The ledger's data directory, or a backup.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Configuration file (JSON) of a ledger, whose store is read wherever it is.
    #[arg(long)]
    config: Option<PathBuf>,
}

/// Where a store is.
enum Location {
    Directory(PathBuf),
    Database(PostgresConfig),
}

impl Source {
    fn locate(&self) -> Result<Location, Failure> {
        if let Some(data) = &self.data {
            return Ok(Location::Directory(data.clone()));
        }
        let config = self.config.as_deref().ok_or("either --data or --config is needed")?;
        let config = load(config)?;
        Ok(match config.store {
            StoreConfig::Rocks => Location::Directory(config.data),
            StoreConfig::Postgres(database) => Location::Database(database),
        })
    }
}

#[derive(Args)]
struct Export {
    #[command(flatten)]
    source: Source,
    /// A new or empty directory.
    #[arg(long)]
    to: PathBuf,
    /// Export the sealed records, too.
    #[arg(long)]
    records: bool,
}

#[derive(Args)]
struct Publish {
    #[command(flatten)]
    source: Source,
    /// `s3://BUCKET/FOLDER` or `file:///FOLDER`. For S3 set `AWS_ENDPOINT`, `AWS_REGION`, `AWS_ACCESS_KEY_ID` and
    /// `AWS_SECRET_ACCESS_KEY`.
    #[arg(long)]
    to: String,
}

#[derive(Args)]
struct Backup {
    #[command(flatten)]
    source: Source,
    /// A directory without a store.
    #[arg(long)]
    to: PathBuf,
}

#[derive(Args)]
struct Restore {
    /// The directory of a backup.
    #[arg(long)]
    from: PathBuf,
    /// The ledger's data directory.
    #[arg(long)]
    data: PathBuf,
}

#[derive(Args)]
struct Migrate {
    /// Configuration file (JSON) of the ledger whose log is moved.
    #[arg(long)]
    from: PathBuf,
    /// Configuration file (JSON) of the same ledger with another `store` or `data`, which must be empty.
    #[arg(long)]
    to: PathBuf,
    /// Move the log from the second store back to the first. The log must have no new entry since it was moved.
    #[arg(long)]
    undo: bool,
}

#[derive(Args)]
struct Check {
    #[command(flatten)]
    source: Source,
}

#[derive(Args)]
struct Keygen {
    /// The log's origin, for example `log.example.org/einsicht`.
    #[arg(long)]
    origin: String,
    /// File for the log's key.
    #[arg(long)]
    log_key: PathBuf,
    /// File for the writer key's seed.
    #[arg(long)]
    writer_key: PathBuf,
}

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    service::telemetry::init();
    let _points = service::failpoints::init();
    let result = match Cli::parse().command {
        Command::Serve(serve) => run(&serve),
        Command::Export(export) => export_files(&export),
        Command::Publish(publish) => publish_files(&publish),
        Command::Backup(backup) => back_up(&backup),
        Command::Restore(restore) => restore_backup(&restore),
        Command::Migrate(migrate) => move_log(&migrate),
        Command::Check(check) => return check_store(&check),
        Command::Keygen(keygen) => generate_keys(&keygen),
        Command::Keys(keys) => print_keys(&keys),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::stderr!("ledger: {error}");
            ExitCode::FAILURE
        }
    }
}

fn load(path: &Path) -> Result<Config, Failure> {
    Ok(service::config::load::<Config>(path)?.resolved(&service::config::base(path)))
}

fn print_keys(keys: &Keys) -> Result<(), Failure> {
    for key in load(&keys.config)?.verifier_keys()? {
        output::stdout!("log {key}")?;
    }
    Ok(())
}

fn run(serve: &service::program::Serve) -> Result<(), Failure> {
    let config = load(&serve.config)?;
    tokio::runtime::Runtime::new()?.block_on(async {
        let shutdown = Shutdown::on_signals()?;
        let listener = serve.addresses.bind("ledger", &shutdown).await?;
        Ok(ledger::run(config, listener, shutdown, SystemClock::shared()).await?)
    })
}

fn export_files(export: &Export) -> Result<(), Failure> {
    let exported = match export.source.locate()? {
        Location::Directory(data) => ledger::export::export(&data, &export.to, export.records)?,
        Location::Database(database) => ledger::export::export_database(&database, &export.to, export.records)?,
    };
    output::stdout!("size      {}", exported.size)?;
    output::stdout!("root      {}", exported.root)?;
    output::stdout!("history   {} published checkpoints", exported.checkpoints)?;
    output::stdout!("documents {}", exported.documents)?;
    if export.records {
        output::stdout!("records   {}", exported.records)?;
    }
    Ok(())
}

fn publish_files(publish: &Publish) -> Result<(), Failure> {
    let (location, bucket) = (publish.source.locate()?, Bucket::open(&publish.to)?);
    let published = tokio::runtime::Runtime::new()?.block_on(async {
        match location {
            Location::Directory(data) => ledger::publish::publish(&data, &bucket).await,
            Location::Database(database) => ledger::publish::publish_database(&database, &bucket).await,
        }
    })?;
    output::stdout!("size      {}", published.size)?;
    output::stdout!("root      {}", published.root)?;
    output::stdout!(
        "objects   {} written, {} were there",
        published.written,
        published.present
    )?;
    Ok(())
}

fn back_up(backup: &Backup) -> Result<(), Failure> {
    let Location::Directory(data) = backup.source.locate()? else {
        return Err("back up a log in PostgreSQL with pgBackRest or pg_basebackup, and check a restored copy with `ledger check --config`".into());
    };
    print_report(&ledger::backup::copy(&data, &backup.to)?)?;
    output::stdout!(
        "The backup contains neither the log's key nor the writer key nor the policy: back them up separately."
    )?;
    Ok(())
}

fn restore_backup(restore: &Restore) -> Result<(), Failure> {
    let report = ledger::backup::copy(&restore.from, &restore.data)?;
    print_report(&report)?;
    output::stdout!(
        "It has the first {} entries. If a witness has seen more, the ledger will refuse to start: restore a newer backup.",
        report.size
    )?;
    Ok(())
}

fn move_log(migrate: &Migrate) -> Result<(), Failure> {
    let (from, to) = (load(&migrate.from)?, load(&migrate.to)?);
    // A closed pipe must not stop a move in its middle.
    let mut progress = |column: &str, rows: u64| drop(output::stdout!("{column:<12} {rows} rows"));
    let (head, serves, left) = if migrate.undo {
        let head = ledger::migrate::undo(&from, &to, &mut progress)?;
        (head, &migrate.from, &migrate.to)
    } else {
        let head = ledger::migrate::migrate(&from, &to, &mut progress)?;
        (head, &migrate.to, &migrate.from)
    };
    output::stdout!("size      {}", head.size)?;
    output::stdout!("root      {}", head.root)?;
    output::stdout!(
        "The log was moved. Start the ledger with {}; with {} it no longer starts.",
        serves.display(),
        left.display()
    )?;
    Ok(())
}

fn check_store(check: &Check) -> ExitCode {
    let report = check.source.locate().and_then(|location| {
        Ok(match location {
            Location::Directory(data) => ledger::check::check(&data)?,
            Location::Database(database) => ledger::check::check_database(&database)?,
        })
    });
    match report.and_then(|report| print_verdict(&report)) {
        Ok(code) => code,
        Err(error) => {
            output::stderr!("ledger: {error}");
            ExitCode::from(3)
        }
    }
}

fn print_verdict(report: &ledger::check::Report) -> Result<ExitCode, Failure> {
    print_report(report)?;
    let findings = &report.findings;
    for finding in findings.first_findings() {
        output::stdout!("NOT SOUND: {finding}")?;
    }
    output::stdout!("findings  {}", findings.count())?;
    if findings.count() == 0 {
        return Ok(ExitCode::SUCCESS);
    }
    output::stdout!(
        "Do not use this store: restore a backup that is at least as new as the witnesses' last checkpoint."
    )?;
    Ok(ExitCode::FAILURE)
}

fn print_report(report: &ledger::check::Report) -> std::io::Result<()> {
    output::stdout!("size      {}", report.size)?;
    output::stdout!("root      {}", report.root)?;
    output::stdout!("records   {}", report.records)
}

fn generate_keys(keygen: &Keygen) -> Result<(), Failure> {
    let name: KeyName = keygen.origin.parse()?;
    let key = SignerKey::for_notes(name, &secret::random()?);
    let text = format!("{}\n", key.to_private_text().as_str());
    create(&keygen.log_key, text.as_bytes())?;
    let writer = SigningKey::from_seed(secret::create_seed(&keygen.writer_key)?);
    output::stdout!("log key    {}", key.verifier_key()?)?;
    output::stdout!("writer key {}", hex::encode(writer.public().as_bytes()))?;
    Ok(())
}

fn create(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    durable::create_private(path, bytes).map_err(|error| format!("{}: {error}", path.display()).into())
}
