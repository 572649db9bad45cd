//! `verifier audit` and `verifier map`.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};
use proof::bundle::{self, Bundle};
use proof::opening::Opening;
use service::secret::{Credential, SecretError};
use service::text_file;
use verifier::audit::{self, Access, Contact, OpenedExchange, Options, Progress, Source, TOLERANCE};

use super::outcome::{Failure, Verdict, print_json};
use super::trust::{TrustArguments, usage as usage_of};

#[derive(Debug, clap::Args)]
pub(crate) struct Audit {
    /// URL of a ledger, or directory of an export
    #[arg(long, value_name = "URL-OR-DIR")]
    log: String,
    #[command(flatten)]
    trust: TrustArguments,
    /// Check every sealed record against its commitment
    #[arg(long)]
    records: bool,
    /// An opening or a bundle, whose exchanges are judged by what was in force at their intents; may be repeated
    #[arg(long, value_name = "FILE")]
    opened: Vec<PathBuf>,
    /// File with the credential for records at a URL (64 hexadecimal digits)
    #[arg(long, value_name = "FILE")]
    credential: Option<PathBuf>,
    /// How the log's operator can reach you: an email address or a URL, sent in the User-Agent of each request
    #[arg(long, value_name = "CONTACT")]
    contact: Option<Contact>,
    /// Continue where the audit that saved this file ended, and save the new state there
    #[arg(long, value_name = "FILE")]
    resume: Option<PathBuf>,
    /// Allowed difference between two clocks, seconds
    #[arg(long, value_name = "SECONDS", default_value_t = TOLERANCE)]
    tolerance: u64,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

/// Which part of the report is printed as text.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Show {
    Everything,
    Maps,
}

impl Audit {
    pub(crate) async fn run(self, show: Show) -> Result<Verdict, Failure> {
        let credential = match &self.credential {
            Some(path) => Some(credential(path)?),
            None => None,
        };
        let mut opened = Vec::new();
        for path in &self.opened {
            opened.extend(exchanges(path, &self.trust)?);
        }
        let options = Options {
            policy: self.trust.policy()?,
            genesis: self.trust.genesis,
            records: self.records,
            allow_unwitnessed: self.trust.allow_unwitnessed,
            tolerance: self.tolerance,
            opened,
            resume: self.resume,
        };
        let access = Access {
            credential,
            contact: self.contact,
            wait: true,
        };
        let source = Source::new(&self.log, access)?;
        let bar = TerminalProgress::new();
        let report = audit::audit(&source, &options, &bar).await;
        bar.0.finish_and_clear();
        let report = report?;
        match show {
            _ if self.json => print_json(&report)?,
            Show::Everything => output::stdout!("{report}")?,
            Show::Maps => {
                output::stdout!("{}", report.maps())?;
                for finding in &report.findings {
                    output::stdout!("FINDING {finding}")?;
                }
            }
        }
        Ok(if report.sound {
            Verdict::Sound
        } else {
            Verdict::NotSound
        })
    }
}

/// The exchanges in an opening or a bundle. A file that is not sound says nothing about the log, so it is a usage
/// error.
fn exchanges(path: &Path, trust: &TrustArguments) -> Result<Vec<OpenedExchange>, Failure> {
    let policy = trust.policy()?;
    let bytes = std::fs::read(path).map_err(|error| usage_of(path, error))?;
    let genesis = trust.genesis.as_ref();
    if bytes.starts_with(bundle::FORMAT) {
        let complete = Bundle::parse(&bytes).and_then(|bundle| bundle.verify(&policy, genesis));
        return complete
            .map(|complete| OpenedExchange::of_bundle(&complete))
            .map_err(|error| usage_of(path, error));
    }
    let proved = Opening::parse(&bytes).and_then(|opening| opening.verify(&policy, genesis));
    proved
        .map(|proved| OpenedExchange::of_opening(&proved).into_iter().collect())
        .map_err(|error| usage_of(path, error))
}

/// Reads the credential. A file that others can read causes only a warning: refusing it would not undo the exposure.
fn credential(path: &Path) -> Result<Credential, Failure> {
    let usage = |error: SecretError| Failure::Usage(error.to_string());
    match Credential::read(path) {
        Err(SecretError::Exposed(exposed)) => {
            output::stderr!("verifier: {exposed}");
            let bytes = text_file::read_lines(path).map_err(|error| usage_of(path, error))?;
            let text = String::from_utf8(bytes).unwrap_or_default();
            Credential::from_hex(text.trim_end_matches('\n')).ok_or_else(|| usage(SecretError::Malformed(path.into())))
        }
        other => other.map_err(usage),
    }
}

/// Shows the progress on a terminal, and nothing elsewhere.
struct TerminalProgress(ProgressBar);

impl TerminalProgress {
    fn new() -> TerminalProgress {
        if !std::io::stderr().is_terminal() {
            return TerminalProgress(ProgressBar::hidden());
        }
        let bar = ProgressBar::new(0);
        if let Ok(style) = ProgressStyle::with_template("{bar:32} {human_pos}/{human_len} entries, {per_sec}, {eta}") {
            bar.set_style(style);
        }
        TerminalProgress(bar)
    }
}

impl Progress for TerminalProgress {
    fn at(&self, entries: u64, of: u64) {
        self.0.set_length(of);
        self.0.set_position(entries);
    }
}
