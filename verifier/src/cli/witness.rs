//! `verifier witness`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use service::{Shutdown, SystemClock, text_file};
use tlog::Hash;
use tlog::checkpoint::Origin;
use tlog::log_list::ListedLog;
use verifier::audit::{Access, Contact, Source};
use verifier::witness::{self, Audit, Config};

use super::outcome::{Failure, Verdict};
use super::trust::usage;

#[derive(Debug, clap::Args)]
pub(crate) struct Witness {
    #[command(flatten)]
    addresses: service::program::Addresses,
    /// Directory of the last cosigned checkpoints
    #[arg(long, value_name = "DIR")]
    state: PathBuf,
    /// Private key (PRIVATE+KEY+…)
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Logs to cosign for, in the form of the witness network (logs/v0)
    #[arg(long, value_name = "FILE")]
    logs: PathBuf,
    /// Name of the witness; creates the key file if it is missing
    #[arg(long)]
    name: Option<String>,
    /// Audit the log at this URL before cosigning: every entry, every map recomputed. Needs --logs with one origin
    #[arg(long, value_name = "URL")]
    audit: Option<String>,
    /// How the audited log's operator can reach you: an email address or a URL, sent in the User-Agent
    #[arg(long, value_name = "CONTACT", requires = "audit")]
    contact: Option<Contact>,
    /// Hash of the genesis entry that the audited log must have, 64 hexadecimal digits
    #[arg(long, value_name = "HASH", requires = "audit")]
    genesis: Option<Hash>,
}

impl Witness {
    pub(crate) async fn run(self) -> Result<Verdict, Failure> {
        service::telemetry::init();
        let logs = text_file::read(&self.logs).map_err(|error| usage(&self.logs, error))?;
        let logs = tlog::log_list::parse(&logs).map_err(|error| usage(&self.logs, error))?;
        let audits = self.audits(&logs)?;
        let key = witness::load_or_create(&self.key, self.name.as_deref()).map_err(|error| usage(&self.key, error))?;
        let public = key.verifier_key().map_err(|error| usage(&self.key, error))?;
        let shutdown = Shutdown::on_signals().map_err(|error| Failure::Usage(error.to_string()))?;
        let listener = self.addresses.bind("witness", &shutdown).await;
        let listener = listener.map_err(|error| Failure::Unreachable(error.to_string()))?;
        let address = listener
            .local_addr()
            .map_err(|error| Failure::Unreachable(error.to_string()))?;
        output::stdout!("{public}")?;
        output::stdout!("listening on {address}")?;
        let config = Config {
            audits,
            state: self.state,
            key,
            logs,
            clock: SystemClock::shared(),
        };
        witness::run(config, listener, shutdown)
            .await
            .map_err(|error| Failure::Usage(error.to_string()))?;
        Ok(Verdict::Sound)
    }

    fn audits(&self, logs: &[ListedLog]) -> Result<BTreeMap<Origin, Audit>, Failure> {
        let Some(url) = &self.audit else {
            return Ok(BTreeMap::new());
        };
        let origins: BTreeSet<&Origin> = logs.iter().map(|log| &log.origin).collect();
        let (Some(origin), 1) = (origins.first(), origins.len()) else {
            return Err(usage(&self.logs, "--audit needs a list with exactly one log"));
        };
        let access = Access {
            contact: self.contact.clone(),
            ..Access::default()
        };
        let source = Source::new(url, access).map_err(|error| Failure::Usage(error.to_string()))?;
        let genesis = self.genesis;
        Ok(BTreeMap::from([((*origin).clone(), Audit { source, genesis })]))
    }
}
