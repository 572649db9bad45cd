//! The demonstration's set-up: keys, signed documents, the first entries, and a configuration file per compartment.
//!
//! Only a few secrets are stored, each in the directory of its compartment, and only once per data directory. Every
//! start recomputes the documents from them. The result is always the same, because Ed25519 is deterministic and the
//! time of the first start is stored. An interrupted set-up can therefore be repeated.
//!
//! ```text
//! DIR/operator/          operator's key, both authorities' keys, first start            (outside every compartment)
//! DIR/supervision/       the key that supervision parts are sealed to                   (outside every compartment)
//! DIR/trust.policy       log key, witnesses, quorum
//! DIR/<compartment>/     its keys, its state, its config.json
//! ```

mod configure;
mod documents;
mod registers;
mod secrets;
mod services;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use ledger_client::Anchored;
use ledger_client::api::{HttpLedger, LedgerApi as _};
use ledger_client::bootstrap::{Bootstrap, BootstrapError};
use ledger_client::publish::publish;
use ledger_client::trust::Trust;
use record::Timestamp;
use tlog::Hash;
use tlog::policy::Policy;
use trust::{ComponentState, Operation, TrustKind, Value};

pub(crate) use configure::{WRITING, configure};
use documents::Documents;
use secrets::Secrets;

use crate::world::{Participant, WITNESSES, World};

/// How long the log may take to accept the first entries, and to publish them.
const LOG_TIMEOUT: Duration = Duration::from_secs(30);

/// A data directory that has been set up.
pub(crate) struct Setup {
    data: PathBuf,
    secrets: Secrets,
    bootstrap: Bootstrap,
}

impl Setup {
    /// Reads what exists and creates what is missing.
    pub(crate) fn open_or_create(data: &Path, world: &World) -> Result<Self> {
        let secrets = Secrets::open_or_create(data, world)?;
        let documents = Documents::sign(&secrets, world)?;
        let bootstrap = Bootstrap::new(
            &secrets.operator,
            &documents.genesis,
            &documents.directory,
            &documents.registerlandkarte,
            secrets.beginning,
        )?;
        Ok(Self {
            data: data.to_path_buf(),
            secrets,
            bootstrap,
        })
    }

    /// Path of the trust policy.
    pub(crate) fn policy_path(&self) -> PathBuf {
        self.data.join("trust.policy")
    }

    /// The hash of the genesis entry. Together with the policy it is the trust root.
    pub(crate) fn genesis_hash(&self) -> Hash {
        self.bootstrap.genesis_hash()
    }

    /// Verifier keys of the log and the witnesses, by name.
    pub(crate) fn verifier_keys(&self) -> Result<std::collections::BTreeMap<String, String>> {
        let mut keys = std::collections::BTreeMap::new();
        keys.insert("log".to_owned(), self.secrets.log.verifier_key()?.to_string());
        for (name, key) in WITNESSES.iter().zip(&self.secrets.witnesses) {
            keys.insert((*name).to_owned(), key.verifier_key()?.to_string());
        }
        Ok(keys)
    }

    /// Suspends a component: a change set that both authorities sign, published with the operator's key.
    pub(crate) async fn suspend(
        &self,
        ledger: &str,
        participant: &Participant,
        reason: &str,
        time: Timestamp,
    ) -> Result<()> {
        let (api, trust) = (HttpLedger::new(ledger)?, self.trust()?);
        let anchored = Anchored::fetch(&api, &trust).await?;
        let state = anchored.history.state();
        let component = state.directory().component(&participant.id);
        let mut component = component.context("the directory lists the component")?.clone();
        component.state = ComponentState::Suspended;
        let put = Operation::put(&Value::Component(Box::new(component)))?;
        let set = state.propose(TrustKind::Directory, time, reason.parse()?, vec![put])?;
        let [first, second] = &self.secrets.authorities;
        let set = set.sign(&[first, second])?;
        publish(&api, &trust, &self.secrets.operator, &set, time).await?;
        Ok(())
    }

    /// What readers of the log trust.
    pub(crate) fn trust(&self) -> Result<Trust> {
        let policy = std::fs::read(self.policy_path())?;
        Ok(Trust {
            policy: Policy::parse(&policy)?,
            genesis: self.genesis_hash(),
        })
    }

    /// Appends the first entries unless they are in the log.
    pub(crate) async fn begin_log(&self, ledger: &str) -> Result<()> {
        let (api, trust) = (HttpLedger::new(ledger)?, self.trust()?);
        let since = std::time::Instant::now();
        loop {
            match self.bootstrap.append(&api, &trust).await {
                Err(BootstrapError::NotYet(_)) if since.elapsed() < LOG_TIMEOUT => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                done => return done.context("cannot append the first entries"),
            }
        }
    }

    /// Waits until the witnesses have cosigned a checkpoint that covers the current log.
    pub(crate) async fn published(&self, ledger: &str) -> Result<()> {
        let (api, trust) = (HttpLedger::new(ledger)?, self.trust()?);
        let size = trust.checkpoint(api.head().await?)?.checkpoint().size;
        let since = std::time::Instant::now();
        while since.elapsed() < LOG_TIMEOUT {
            if let Ok(bytes) = api.checkpoint().await {
                let published = trust.checkpoint(bytes)?;
                if published.quorum() && published.checkpoint().size >= size {
                    return Ok(());
                }
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        bail!("the witnesses have not cosigned the log within {LOG_TIMEOUT:?}")
    }
}
