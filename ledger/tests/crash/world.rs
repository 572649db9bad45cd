//! The keys, documents and files of a log that is to be founded.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use fixtures::witness::Witness;
use fixtures::{Founders, TestWriter, begin, grant};
use record::{Kind, Period, SignedEntry, SigningKey, Timestamp};
use service::durable;
use service::secret::Credential;
use tlog::note::{SignerKey, VerifierKey};
use tlog::policy::Policy;

pub(crate) const ORIGIN: &str = "log.example/crash";
/// The period that all labels belong to.
pub(crate) const PERIOD: Period = Period(1);

/// How many brokers write at once.
pub(crate) const BROKERS: u8 = 3;
const OPERATOR: u8 = 1;
const AUTHORITY: u8 = 2;
const IDENTITY: u8 = 3;
const LEDGER: u8 = 4;
const FIRST_BROKER: u8 = 10;

/// A submission: leaf, sealed record, document.
#[derive(Clone)]
pub(crate) struct Submission {
    pub(crate) entry: SignedEntry,
    pub(crate) record: Option<Vec<u8>>,
    pub(crate) document: Option<Vec<u8>>,
}

/// The log's files and keys.
pub(crate) struct World {
    pub(crate) directory: PathBuf,
    pub(crate) policy: Policy,
    pub(crate) log_key: VerifierKey,
    pub(crate) credential: Credential,
    /// Genesis, directory, registry, and the beginning of the period.
    pub(crate) founding: Vec<Submission>,
}

pub(crate) fn now() -> Timestamp {
    Timestamp(
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs()),
    )
}

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed([seed; 32])
}

pub(crate) fn broker(number: u8) -> SigningKey {
    key(FIRST_BROKER + number)
}

pub(crate) fn log_key() -> Result<SignerKey> {
    Ok(SignerKey::for_notes(ORIGIN.parse()?, &[42; 32]))
}

/// The log's witness, which lives as long as the test's runtime.
pub(crate) async fn start_witness() -> Result<Arc<Witness>> {
    Witness::start(ORIGIN, log_key()?.verifier_key()?, witness_key()?).await
}

fn witness_key() -> Result<SignerKey> {
    Ok(SignerKey::for_cosignatures("witness.example".parse()?, &[43; 32]))
}

impl World {
    /// Writes the files that `ledger serve` needs into `directory`. `witness` is the URL of the policy's witness, and
    /// `store` the configuration of the store.
    pub(crate) fn new(directory: &Path, witness: &str, store: &serde_json::Value) -> Result<Self> {
        let policy = format!(
            "log {}\nwitness w {} {witness}\nquorum w\n",
            log_key()?.verifier_key()?,
            witness_key()?.verifier_key()?
        );
        Self::with_policy(directory, &policy, store)
    }

    /// As [`World::new`], without a witness.
    pub(crate) fn unwitnessed(directory: &Path) -> Result<Self> {
        let policy = format!("log {}\nquorum none\n", log_key()?.verifier_key()?);
        Self::with_policy(directory, &policy, &serde_json::json!({"engine": "rocks"}))
    }

    /// The same ledger with another store, with a configuration of its own in `directory`.
    pub(crate) fn in_store(&self, directory: &Path, store: &serde_json::Value) -> Result<Self> {
        std::fs::create_dir_all(directory)?;
        for name in ["trust.policy", "log.key", "writer.key"] {
            std::fs::copy(self.directory.join(name), directory.join(name))?;
        }
        let mut config: serde_json::Value = serde_json::from_slice(&std::fs::read(self.config())?)?;
        config["store"] = store.clone();
        std::fs::write(directory.join("config.json"), config.to_string())?;
        Ok(Self {
            policy: self.policy.clone(),
            log_key: self.log_key.clone(),
            directory: directory.to_path_buf(),
            credential: Credential::from_bytes([77; 32]),
            founding: self.founding.clone(),
        })
    }

    /// A ledger of the same log, whose writers reach it at `address`, with a configuration of its own in `directory`.
    pub(crate) fn reached_at(&self, directory: &Path, store: &serde_json::Value, address: &str) -> Result<Self> {
        let world = self.in_store(directory, store)?;
        let mut config: serde_json::Value = serde_json::from_slice(&std::fs::read(world.config())?)?;
        config["address"] = address.into();
        std::fs::write(world.config(), config.to_string())?;
        Ok(world)
    }

    /// The configuration of the ledger.
    pub(crate) fn config(&self) -> PathBuf {
        self.directory.join("config.json")
    }

    fn with_policy(directory: &Path, policy: &str, store: &serde_json::Value) -> Result<Self> {
        let (directory, log_key, credential) = (directory.to_path_buf(), log_key()?, Credential::from_bytes([77; 32]));
        let founding = founding(&log_key)?;
        std::fs::create_dir_all(&directory)?;
        std::fs::write(directory.join("trust.policy"), policy)?;
        durable::create_private(&directory.join("log.key"), log_key.to_private_text().as_bytes())?;
        durable::create_private(&directory.join("writer.key"), hex::encode([LEDGER; 32]).as_bytes())?;
        let config = serde_json::json!({
            "data": "data",
            "store": store,
            "origin": ORIGIN,
            "log_keys": [{ "file": "log.key" }],
            "writer_key": "writer.key",
            "policy": "trust.policy",
            "genesis": founding[0].entry.leaf_hash().to_string(),
            "records_credentials": [hex::encode(credential.digest().0)],
            "map_after_ms": 15,
            "witness_interval_ms": 5,
            "witness_refresh_seconds": 1,
        });
        std::fs::write(directory.join("config.json"), config.to_string())?;
        Ok(Self {
            policy: Policy::parse(policy.as_bytes())?,
            log_key: log_key.verifier_key()?,
            directory,
            credential,
            founding,
        })
    }
}

fn founding(log_key: &SignerKey) -> Result<Vec<Submission>> {
    let mut writers = vec![
        grant("identity", &key(IDENTITY), &[Kind::Period]),
        grant("ledger", &key(LEDGER), &[Kind::Map]),
    ];
    for number in 0..BROKERS {
        let (name, kinds) = (format!("broker-{number}"), [Kind::Intent, Kind::Outcome]);
        writers.push(grant(&name, &broker(number), &kinds));
    }
    let founders = Founders {
        origin: ORIGIN,
        log: log_key,
        operator: &key(OPERATOR),
        authority: &key(AUTHORITY),
        identity: &key(IDENTITY),
    };
    let (documents, _) = founders.found(writers, Timestamp(0))?.entries(now())?;
    let begin = begin(PERIOD, Timestamp(now().0 - 1000));
    let begin = (TestWriter::new(key(IDENTITY)).write(now(), begin)?, None);
    let documents = documents.into_iter().map(|(entry, document)| (entry, Some(document)));
    Ok(documents
        .chain([begin])
        .map(|(entry, document)| Submission {
            entry,
            record: None,
            document,
        })
        .collect())
}
