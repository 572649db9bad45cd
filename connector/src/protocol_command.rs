//! `connector protocol`: searches, shows and exports the authority's own protocol, also beside the running connector.

use std::io::Read as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use connector::protocol::{Exported, Filter, ProtocolReader};
use ledger_client::Trust;
use record::{Idnr, LegalDay, Outcome};
use uuid::Uuid;

#[derive(Args)]
pub(crate) struct Protocol {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List exchanges, one a line: time, number, result, consumer, provider, evidence type, purpose, reference, proof.
    Search {
        #[command(flatten)]
        protocol: Location,
        #[command(flatten)]
        filter: FilterArguments,
    },
    /// Show one exchange with its receipts (JSON).
    Show {
        #[command(flatten)]
        protocol: Location,
        /// The exchange.
        exchange: Uuid,
        /// Show the IDNr too.
        #[arg(long)]
        with_person: bool,
    },
    /// Print exchanges with their receipts, one JSON document a line.
    Export {
        #[command(flatten)]
        protocol: Location,
        #[command(flatten)]
        filter: FilterArguments,
        /// Export the IDNr too.
        #[arg(long)]
        with_person: bool,
    },
}

#[derive(Args)]
struct Location {
    /// The connector's configuration file.
    #[arg(long)]
    config: PathBuf,
}

#[derive(Args)]
struct FilterArguments {
    /// The exchange.
    #[arg(long)]
    exchange: Option<Uuid>,
    /// The first day, such as 2026-11-30, in Germany.
    #[arg(long)]
    from: Option<LegalDay>,
    /// The last day.
    #[arg(long)]
    to: Option<LegalDay>,
    /// How the exchange ended.
    #[arg(long)]
    result: Option<ResultArgument>,
    /// Only exchanges that used the IDNr that standard input has. It is not an argument, because others can read those.
    #[arg(long)]
    person: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum ResultArgument {
    Delivered,
    NothingFound,
    Refused,
    Failed,
    TimedOut,
}

impl From<ResultArgument> for Outcome {
    fn from(result: ResultArgument) -> Self {
        match result {
            ResultArgument::Delivered => Self::Delivered,
            ResultArgument::NothingFound => Self::NothingFound,
            ResultArgument::Refused => Self::Refused,
            ResultArgument::Failed => Self::Failed,
            ResultArgument::TimedOut => Self::TimedOut,
        }
    }
}

impl FilterArguments {
    fn filter(self) -> Result<Filter, String> {
        let idnr = if self.person { Some(read_idnr()?) } else { None };
        Ok(Filter {
            exchange: self.exchange,
            from: self.from,
            to: self.to,
            result: self.result.map(Outcome::from),
            idnr,
        })
    }
}

fn read_idnr() -> Result<String, String> {
    let mut text = String::new();
    let read = std::io::stdin().take(64).read_to_string(&mut text);
    read.map_err(|error| error.to_string())?;
    let idnr = Idnr::try_from(text.trim().to_owned());
    let idnr = idnr.map_err(|_| "standard input has no IDNr".to_owned())?;
    Ok(idnr.expose().to_owned())
}

/// Runs a command. Exit code 0: everything that was printed is sound. 1: something is not. 2: usage.
pub(crate) fn run(arguments: Protocol) -> ExitCode {
    match arguments.command.run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            output::stderr!("connector: {error}");
            ExitCode::from(2)
        }
    }
}

impl Command {
    fn run(self) -> Result<bool, String> {
        match self {
            Self::Search { protocol, filter } => {
                each(&protocol, &filter.filter()?, false, |exported| Ok(exported.line()))
            }
            Self::Show {
                protocol,
                exchange,
                with_person,
            } => {
                let filter = Filter {
                    exchange: Some(exchange),
                    ..Filter::default()
                };
                each(&protocol, &filter, with_person, |exported| {
                    serde_json::to_string_pretty(exported).map_err(|error| error.to_string())
                })
            }
            Self::Export {
                protocol,
                filter,
                with_person,
            } => each(&protocol, &filter.filter()?, with_person, |exported| {
                serde_json::to_string(exported).map_err(|error| error.to_string())
            }),
        }
    }
}

/// Prints each exchange that fits. Returns whether all are sound and every line could be read.
fn each(
    location: &Location,
    filter: &Filter,
    person: bool,
    text: impl Fn(&Exported) -> Result<String, String>,
) -> Result<bool, String> {
    let loaded: Result<connector::Config, _> = service::config::load(&location.config);
    let config = loaded.map_err(|error| error.to_string())?;
    let config = config.resolved(&service::config::base(&location.config));
    let trust = Trust::load(&config.policy, &config.genesis).map_err(|error| error.to_string())?;
    let reader = ProtocolReader::open(&config.data).map_err(|error| error.to_string())?;
    let (mut sound, mut failed) = (true, None);
    let unread = reader.each(filter, |entry| {
        let exported = Exported::of(entry, &trust, person);
        sound &= exported.is_sound();
        let printed = text(&exported).and_then(|text| output::stdout!("{text}").map_err(|error| error.to_string()));
        if let Err(error) = printed {
            failed.get_or_insert(error);
        }
    });
    for error in unread.map_err(|error| error.to_string())? {
        output::stderr!("connector: {error}");
        sound = false;
    }
    failed.map_or(Ok(sound), Err)
}
