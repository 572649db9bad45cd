//! A log to be founded: keys, documents, and the files that a ledger is started with.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use record::{
    Body, Directory, DocumentKind, GenesisDocument, IdentityKeys, Kind, Period, PeriodEvent, Sequence, SignedDocument,
    SignedEntry, Timestamp, Unsigned, WriterGrant, WriterSigningKey,
};
use service::durable;
use service::secret::Credential;
use tlog::Hash;
use tlog::note::{SigningKey, VerifierKey};
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
    /// Genesis, directory, registry, begin of the period.
    pub(crate) founding: Vec<Submission>,
}

pub(crate) fn now() -> Timestamp {
    Timestamp(
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs()),
    )
}

fn key(seed: u8) -> WriterSigningKey {
    WriterSigningKey::from_seed([seed; 32])
}

pub(crate) fn broker(number: u8) -> WriterSigningKey {
    key(FIRST_BROKER + number)
}

pub(crate) fn log_key() -> Result<SigningKey> {
    Ok(SigningKey::for_notes(ORIGIN.parse()?, &[42; 32]))
}

pub(crate) fn witness_key() -> Result<SigningKey> {
    Ok(SigningKey::for_cosignatures("witness.example".parse()?, &[43; 32]))
}

impl World {
    /// Writes everything that `ledger serve` needs into `directory`. The policy's witness listens at `witness`.
    pub(crate) fn new(directory: &Path, witness: &str) -> Result<Self> {
        let policy = format!(
            "log {}\nwitness w {} {witness}\nquorum w\n",
            log_key()?.verifier_key()?,
            witness_key()?.verifier_key()?
        );
        Self::with_policy(directory, &policy)
    }

    /// As [`World::new`], without a witness.
    pub(crate) fn unwitnessed(directory: &Path) -> Result<Self> {
        Self::with_policy(directory, &format!("log {}\nquorum none\n", log_key()?.verifier_key()?))
    }

    fn with_policy(directory: &Path, policy: &str) -> Result<Self> {
        let (directory, log_key, credential) = (directory.to_path_buf(), log_key()?, Credential::from_bytes([77; 32]));
        let (genesis, documents) = documents(&log_key)?;
        let founding = founding(&documents)?;
        std::fs::create_dir_all(&directory)?;
        std::fs::write(directory.join("trust.policy"), policy)?;
        durable::create_private(&directory.join("log.key"), log_key.to_private_text().as_bytes())?;
        durable::create_private(&directory.join("writer.key"), hex::encode([LEDGER; 32]).as_bytes())?;
        let config = serde_json::json!({
            "data": "data",
            "origin": genesis.origin,
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

fn documents(log_key: &SigningKey) -> Result<(GenesisDocument, [Vec<u8>; 3])> {
    let grant = |name: String, key: WriterSigningKey, kinds: &[Kind]| WriterGrant {
        name,
        key: key.public(),
        kinds: kinds.into(),
    };
    let mut writers: Vec<_> = (0..BROKERS)
        .map(|number| {
            grant(
                format!("broker-{number}"),
                broker(number),
                &[Kind::Intent, Kind::Outcome],
            )
        })
        .collect();
    writers.push(grant("identity".into(), key(IDENTITY), &[Kind::Period]));
    writers.push(grant("ledger".into(), key(LEDGER), &[Kind::Map]));
    let directory = Directory {
        version: 1,
        valid_from: Timestamp(0),
        writers,
        participants: Vec::new(),
        identity: IdentityKeys {
            signing: key(IDENTITY).public(),
            sealing: [8; 32],
        },
        supervision: [9; 32],
    };
    let directory = directory.sign(&key(AUTHORITY))?;
    let registry = SignedDocument::sign(vec![0xa0], &key(AUTHORITY));
    let genesis = GenesisDocument {
        origin: ORIGIN.into(),
        log_keys: vec![log_key.verifier_key()?.to_string()],
        authorities: vec![key(AUTHORITY).public()],
        operator: key(OPERATOR).public(),
        directory: directory.digest(),
        registry: registry.digest(),
    };
    let documents = [
        genesis.to_bytes(),
        directory.bytes().to_vec(),
        registry.bytes().to_vec(),
    ];
    Ok((genesis, documents))
}

fn founding(documents: &[Vec<u8>; 3]) -> Result<Vec<Submission>> {
    let kinds = [DocumentKind::Genesis, DocumentKind::Directory, DocumentKind::Registry];
    let mut submissions = Vec::new();
    let mut pen = Pen::new(key(OPERATOR));
    for (kind, bytes) in kinds.into_iter().zip(documents) {
        let digest = Hash::of(bytes);
        submissions.push(Submission {
            entry: pen.write(Body::Document { kind, digest })?,
            record: None,
            document: Some(bytes.clone()),
        });
    }
    let begin = Body::Period {
        period: PERIOD,
        event: PeriodEvent::Begin {
            vrf_key: [9; 32],
            start: Timestamp(now().0 - 1000),
        },
    };
    submissions.push(Submission {
        entry: Pen::new(key(IDENTITY)).write(begin)?,
        record: None,
        document: None,
    });
    Ok(submissions)
}

/// A writer's chain.
#[derive(Clone)]
pub(crate) struct Pen {
    pub(crate) key: WriterSigningKey,
    pub(crate) sequence: Sequence,
    pub(crate) previous: Hash,
}

impl Pen {
    pub(crate) fn new(key: WriterSigningKey) -> Self {
        Self {
            key,
            sequence: Sequence::FIRST,
            previous: Hash([0; 32]),
        }
    }

    /// The next entry of the chain.
    pub(crate) fn write(&mut self, body: Body) -> Result<SignedEntry> {
        let entry = self.key.sign(Unsigned {
            sequence: self.sequence,
            previous: self.previous,
            time: now(),
            body,
        })?;
        self.sequence = self.sequence.next();
        self.previous = entry.leaf_hash();
        Ok(entry)
    }
}
