//! The log of one run: keys, founding documents and configuration in a directory, and the ledger as a child process.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use fixtures::postgres::{Cluster, DATABASE};
use fixtures::witness::Witness;
use fixtures::{Founders, grant};
use ledger_client::bootstrap::{Bootstrap, BootstrapError};
use ledger_client::{HttpLedger, Trust};
use record::{Kind, SigningKey, Timestamp, WriterId};
use service::clock::{Clock as _, SystemClock};
use tlog::note::SignerKey;

const ORIGIN: &str = "load.example/log";
/// Entries are signed before they are sent, and the ledger must not refuse them as too old.
const SKEW_SECONDS: u64 = 24 * 3600;

/// What a ledger has besides its own process.
pub(crate) struct Neighbours {
    /// A cluster with the log's database; without one the log is in RocksDB.
    pub(crate) cluster: Option<Cluster>,
    /// Whether the policy needs a witness, which runs in this process.
    pub(crate) witnessed: bool,
}

/// The files, keys and documents that are needed to start the ledger and write to it.
pub(crate) struct World {
    folder: PathBuf,
    trust: Trust,
    bootstrap: Bootstrap,
    /// The writer that begins the period.
    pub(crate) identity: SigningKey,
    /// The ledger's own writer, for `map` entries.
    pub(crate) map_writer: WriterId,
    /// The writers of the load.
    pub(crate) writers: Vec<SigningKey>,
}

impl World {
    /// Creates keys and documents, and writes the files that the ledger reads.
    pub(crate) async fn found(folder: &Path, writers: usize, neighbours: &Neighbours) -> Result<Self> {
        service::durable::create_private_directory(folder)?;
        let [log_seed, writer_seed] = [service::secret::random()?, service::secret::random()?];
        let log_key = SignerKey::for_notes(ORIGIN.parse()?, &log_seed);
        let [operator, authority, identity] = [fresh()?, fresh()?, fresh()?];
        let map_writer = SigningKey::from_seed(writer_seed);
        let writers = (0..writers).map(|_| fresh()).collect::<Result<Vec<_>>>()?;
        let mut grants = vec![
            grant("identity", &identity, &[Kind::Period]),
            grant("ledger", &map_writer, &[Kind::Map]),
        ];
        let load = writers.iter().enumerate();
        grants.extend(load.map(|(number, key)| grant(&format!("load-{number}"), key, &[Kind::Void])));
        let founders = Founders {
            origin: ORIGIN,
            log: &log_key,
            operator: &operator,
            authority: &authority,
            identity: &identity,
        };
        let founding = founders.found(grants, Timestamp(0))?;
        let [directory, registry] = &founding.sets;
        let bootstrap = Bootstrap::new(&operator, &founding.genesis, directory, registry, now())?;
        let policy = format!("log {}\nquorum none\n", log_key.verifier_key()?);
        let trust = Trust {
            policy: policy.parse()?,
            genesis: bootstrap.genesis_hash(),
        };
        let secret = |name: &str, text: &str| service::durable::create_private(&folder.join(name), text.as_bytes());
        secret("log.key", &log_key.to_private_text())?;
        secret("writer.seed", &hex::encode(writer_seed))?;
        let mut config = serde_json::json!({
            "data": "ledger", "origin": ORIGIN, "log_keys": [{"file": "log.key"}], "writer_key": "writer.seed",
            "genesis": trust.genesis.to_string(), "skew_seconds": SKEW_SECONDS,
        });
        if neighbours.witnessed {
            let key = SignerKey::for_cosignatures("witness.example".parse()?, &service::secret::random()?);
            let verifier = key.verifier_key()?;
            let url = Witness::start(ORIGIN, log_key.verifier_key()?, key).await?.url.clone();
            let policy = format!(
                "log {}\nwitness w {verifier} {url}\nquorum w\n",
                log_key.verifier_key()?
            );
            std::fs::write(folder.join("trust.policy"), policy)?;
            config["policy"] = "trust.policy".into();
        }
        if let Some(cluster) = &neighbours.cluster {
            config["store"] = serde_json::json!({
                "engine": "postgres", "hosts": cluster.hosts(), "database": DATABASE, "user": DATABASE,
            });
        }
        std::fs::write(folder.join("ledger.json"), config.to_string())?;
        Ok(Self {
            folder: folder.to_path_buf(),
            trust,
            bootstrap,
            identity,
            map_writer: map_writer.id(),
            writers,
        })
    }

    /// Starts the ledger.
    pub(crate) fn execute(&self, program: &Path) -> Result<LedgerChild> {
        // The port is free now, and the ledger binds it next.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let log = self.folder.join("ledger.log");
        let child = Command::new(program)
            .args(["serve", "--listen", &address.to_string(), "--config"])
            .arg(self.folder.join("ledger.json"))
            .env("RUST_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(&log)?)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        Ok(LedgerChild { child, address, log })
    }

    /// Starts the ledger, and begins the log.
    pub(crate) async fn start(&self, program: &Path) -> Result<LedgerChild> {
        let mut ledger = self.execute(program)?;
        let api = HttpLedger::new(&format!("http://{}", ledger.address))?;
        let deadline = Instant::now() + Duration::from_secs(120);
        loop {
            match self.bootstrap.append(&api, &self.trust).await {
                Ok(()) => return Ok(ledger),
                Err(BootstrapError::NotYet(_)) if Instant::now() < deadline => ledger.still_runs()?,
                Err(error) => return Err(error.into()),
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// The trust that receipts are verified with.
    pub(crate) fn trust(&self) -> &Trust {
        &self.trust
    }
}

/// The running ledger; killed when dropped.
pub(crate) struct LedgerChild {
    child: Child,
    pub(crate) address: SocketAddr,
    /// File with its log output.
    log: PathBuf,
}

impl LedgerChild {
    pub(crate) fn still_runs(&mut self) -> Result<()> {
        let Some(status) = self.child.try_wait()? else {
            return Ok(());
        };
        let output = std::fs::read_to_string(&self.log)?;
        bail!("the ledger ended with {status}: {}", output.trim())
    }
}

impl Drop for LedgerChild {
    fn drop(&mut self) {
        // It may already have exited, and there is no caller to report an error to.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn now() -> Timestamp {
    Timestamp(SystemClock.now())
}

fn fresh() -> Result<SigningKey> {
    Ok(SigningKey::from_seed(service::secret::random()?))
}
