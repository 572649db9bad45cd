//! A log that everything is set up for: keys, documents, rules.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use ledger::engine::rows::Rows;
use ledger::engine::{Limits, Log, Signer, Snapshot, open};
use ledger::rules::{Checker, Keys, Raw, Rules, Settings};
use ledger::store::rocks::RocksStore;
use record::{
    Body, Directory, DocumentKind, GenesisDocument, IdentityKeys, Kind, Period, PeriodEvent, Sequence, SignedDocument,
    SignedEntry, Timestamp, Unsigned, WriterGrant, WriterSigningKey,
};
use service::{Clock, SystemClock};
use tlog::Hash;
use tlog::note::SigningKey;

use super::Failure;

const ORIGIN: &str = "log.example/inproc";
const LEDGER: u8 = 1;
const OPERATOR: u8 = 2;
const AUTHORITY: u8 = 3;
const IDENTITY: u8 = 4;
const FIRST_BROKER: u8 = 10;

fn key(seed: u8) -> WriterSigningKey {
    WriterSigningKey::from_seed([seed; 32])
}

/// A writer with its chain.
pub(crate) struct Pen {
    pub(crate) key: WriterSigningKey,
    pub(crate) sequence: Sequence,
    pub(crate) previous: Hash,
}

impl Pen {
    fn new(seed: u8) -> Self {
        Self {
            key: key(seed),
            sequence: Sequence::FIRST,
            previous: Hash([0; 32]),
        }
    }

    pub(crate) fn broker(number: u8) -> Self {
        Self::new(FIRST_BROKER + number)
    }

    pub(crate) fn write(&mut self, body: Body) -> Result<SignedEntry, Failure> {
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

fn now() -> Timestamp {
    Timestamp(SystemClock.now())
}

pub(crate) fn raw(entry: SignedEntry, record: Option<Bytes>, document: Option<Bytes>) -> Raw {
    Raw {
        leaf: entry.into_bytes().into(),
        record,
        document,
    }
}

/// Log and checker, as a server has them.
pub(crate) struct Running {
    pub(crate) log: Log<Rules>,
    pub(crate) checker: Checker,
}

/// The documents that the log begins with. They do not depend on the time, so a restart makes the same ones.
pub(crate) struct World {
    documents: [Vec<u8>; 3],
}

impl World {
    pub(crate) fn new(writers: u8) -> Result<Self, Failure> {
        let grant = |name: String, seed, kinds: &[Kind]| WriterGrant {
            name,
            key: key(seed).public(),
            kinds: kinds.into(),
        };
        let mut grants = vec![
            grant("ledger".into(), LEDGER, &[Kind::Map]),
            grant("identity".into(), IDENTITY, &[Kind::Period]),
        ];
        for number in 0..writers {
            let seed = FIRST_BROKER + number;
            grants.push(grant(format!("broker {number}"), seed, &[Kind::Intent, Kind::Outcome]));
        }
        let directory = Directory {
            version: 1,
            valid_from: Timestamp(1),
            writers: grants,
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
            log_keys: vec![log_key()?.verifier_key()?.to_string()],
            authorities: vec![key(AUTHORITY).public()],
            operator: key(OPERATOR).public(),
            directory: directory.digest(),
            registry: registry.digest(),
        };
        Ok(Self {
            documents: [
                genesis.to_bytes(),
                directory.bytes().to_vec(),
                registry.bytes().to_vec(),
            ],
        })
    }

    /// Opens the store in a directory, making it if there is none.
    pub(crate) fn open(data: &Path) -> Result<(Rows, Signer, Arc<Snapshot>), Failure> {
        std::fs::create_dir_all(data)?;
        let rows = Rows::new(Arc::new(RocksStore::open(data)?));
        let signer = Signer::new(log_key()?)?;
        let opened = open(&rows, &signer)?;
        Ok((rows, signer, opened))
    }

    /// Starts the log with the ledger's own rules. `genesis` is the leaf hash of its first entry.
    pub(crate) fn start(data: &Path, genesis: Option<Hash>, founding: &[Raw]) -> Result<Running, Failure> {
        let (rows, signer, opened) = Self::open(data)?;
        let first = || founding.first().map(|raw| tlog::merkle::leaf_hash(&raw.leaf));
        let genesis = genesis.or_else(first).ok_or("there is no genesis entry")?;
        let keys = Arc::new(Keys::default());
        let settings = Settings {
            genesis,
            origin: ORIGIN.into(),
            writer: key(LEDGER),
            skew: 300,
            map_after: Duration::from_millis(800),
        };
        let rules = Rules::load(&rows, settings, keys.clone(), SystemClock::shared())?;
        let log = Log::start(rows, signer, opened, rules, Limits::default())?;
        Ok(Running {
            log,
            checker: Checker { genesis, keys },
        })
    }

    /// Genesis, directory, registry, and the begin of period 1.
    pub(crate) fn founding(&self) -> Result<Vec<Raw>, Failure> {
        let mut operator = Pen::new(OPERATOR);
        let mut raws = Vec::new();
        let kinds = [DocumentKind::Genesis, DocumentKind::Directory, DocumentKind::Registry];
        for (kind, document) in kinds.into_iter().zip(&self.documents) {
            let digest = Hash::of(document);
            let entry = operator.write(Body::Document { kind, digest })?;
            raws.push(raw(entry, None, Some(document.clone().into())));
        }
        let begin = Body::Period {
            period: Period(1),
            event: PeriodEvent::Begin {
                vrf_key: [9; 32],
                start: Timestamp(now().0 - 1000),
            },
        };
        raws.push(raw(Pen::new(IDENTITY).write(begin)?, None, None));
        Ok(raws)
    }
}

fn log_key() -> Result<SigningKey, Failure> {
    Ok(SigningKey::for_notes(ORIGIN.parse()?, &[42; 32]))
}
