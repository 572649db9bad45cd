//! The keys, documents and rules of the measured log.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use fixtures::{Founders, Founding, TestWriter, begin, grant};
use ledger::engine::rows::Rows;
use ledger::engine::{Limits, SequencedLog, Signer, Snapshot, open};
use ledger::rules::{RawSubmission, Rules, RulesClock, RulesConfig, SubmissionChecker, WriterKeys};
use ledger::store::rocks::RocksStore;
use record::{Kind, Period, SignedEntry, SigningKey, Timestamp};
use service::clock::{CheckedClock, Confirmation, WitnessTime};
use service::{Clock as _, SystemClock};
use tlog::Hash;
use tlog::note::SignerKey;

use super::figures::Failure;
use super::options::Arguments;

const ORIGIN: &str = "log.example/inproc";
const LEDGER: u8 = 1;
const OPERATOR: u8 = 2;
const AUTHORITY: u8 = 3;
const IDENTITY: u8 = 4;
const FIRST_BROKER: u8 = 10;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed([seed; 32])
}

/// A broker with its chain.
pub(crate) fn broker(number: u8) -> TestWriter {
    TestWriter::new(key(FIRST_BROKER + number))
}

pub(crate) fn now() -> Timestamp {
    Timestamp(SystemClock.now())
}

pub(crate) fn raw(entry: SignedEntry, record: Option<Bytes>, document: Option<Bytes>) -> RawSubmission {
    RawSubmission {
        leaf: entry.into_bytes().into(),
        record,
        document,
    }
}

/// A running log with its submission checker, like in a server.
pub(crate) struct Running {
    pub(crate) log: SequencedLog<Rules>,
    pub(crate) checker: SubmissionChecker,
}

/// The documents that the log begins with. They do not depend on the time, so a restart creates the same documents.
pub(crate) struct World {
    founding: Founding,
}

impl World {
    pub(crate) fn new(writers: u8) -> Result<Self, Failure> {
        let mut grants = vec![
            grant("ledger", &key(LEDGER), &[Kind::Map]),
            grant("identity", &key(IDENTITY), &[Kind::Period]),
        ];
        for number in 0..writers {
            let (name, kinds) = (format!("broker-{number}"), [Kind::Intent, Kind::Outcome]);
            grants.push(grant(&name, &broker(number).key, &kinds));
        }
        let founders = Founders {
            origin: ORIGIN,
            log: &log_key()?,
            operator: &key(OPERATOR),
            authority: &key(AUTHORITY),
            identity: &key(IDENTITY),
        };
        Ok(Self {
            founding: founders.found(grants, Timestamp(1))?,
        })
    }

    /// Opens the store in a directory; creates it if there is none.
    pub(crate) fn open(data: &Path) -> Result<(Rows, Signer, Arc<Snapshot>), Failure> {
        let rows = Rows::new(Arc::new(RocksStore::open(data)?));
        let signer = Signer::new(log_key()?)?;
        let opened = open(&rows, &signer)?;
        Ok((rows, signer, opened))
    }

    /// Opens the log that the stage `write` has left.
    pub(crate) fn written(arguments: &Arguments) -> Result<(Rows, Signer, Arc<Snapshot>), Failure> {
        let data = arguments.data.display();
        if !arguments.data.is_dir() {
            return Err(format!("{data} is not there: run the stage write first").into());
        }
        let opened = Self::open(&arguments.data)?;
        let (size, entries) = (opened.2.head.size, arguments.entries);
        if size < entries {
            return Err(format!(
                "{data} has {size} entries, fewer than --entries {entries}: run the stage write with the same --entries"
            )
            .into());
        }
        Ok(opened)
    }

    /// Starts the log with the ledger's own rules. `genesis` is the leaf hash of its first entry.
    pub(crate) fn start(data: &Path, genesis: Option<Hash>, founding: &[RawSubmission]) -> Result<Running, Failure> {
        let (rows, signer, opened) = Self::open(data)?;
        let first = || founding.first().map(|raw| tlog::merkle::leaf_hash(&raw.leaf));
        let genesis = genesis.or_else(first).ok_or("there is no genesis entry")?;
        let keys = Arc::new(WriterKeys::default());
        let settings = RulesConfig {
            genesis,
            origin: ORIGIN.into(),
            writer: key(LEDGER),
            skew: 300,
            map_after: Duration::from_millis(800),
        };
        let clock = RulesClock {
            clock: CheckedClock::new(SystemClock::shared(), Confirmation::After(Duration::MAX)),
            witness_time: Box::new(|| WitnessTime::NotRequired),
        };
        let rules = Rules::load(&rows, settings, keys.clone(), clock)?;
        let log = SequencedLog::start(rows, signer, opened, rules, Limits::default())?;
        Ok(Running {
            log,
            checker: SubmissionChecker { genesis, keys },
        })
    }

    /// Submissions of genesis, directory, registry, and the beginning of period 1.
    pub(crate) fn founding(&self) -> Result<Vec<RawSubmission>, Failure> {
        let (entries, _) = self.founding.entries(now())?;
        let documents = entries.into_iter();
        let mut raws: Vec<_> = documents
            .map(|(entry, document)| raw(entry, None, Some(document.into())))
            .collect();
        let begin = begin(Period(1), Timestamp(now().0 - 1000));
        raws.push(raw(TestWriter::new(key(IDENTITY)).write(now(), begin)?, None, None));
        Ok(raws)
    }
}

fn log_key() -> Result<SignerKey, Failure> {
    Ok(SignerKey::for_notes(ORIGIN.parse()?, &[42; 32]))
}
