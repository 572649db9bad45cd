//! Sets up a small, founded log for tests.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use fixtures::{Documented, Founders, grant};
use record::{
    Body, Commitment, DocumentKind, GenesisDocument, Kind, Label, LabelledKind, NewestSets, Period, SignedEntry,
    SigningKey, Timestamp,
};
use service::ManualClock;
use service::clock::{CheckedClock, Confirmation};
use service::secret::Credential;
use tlog::Hash;
use tlog::merkle::Index;
use tlog::note::SignerKey;
use tlog::policy::Policy;
use trust::{ChangeSet, Operation, SignedChangeSet, TrustKind, TrustState};

use super::{RawSubmission, Refusal};
use crate::engine::publication::QuorumLossPolicy;
use crate::engine::{Limits, Outcome, Signer, SubmitError};
use crate::http::Shared;
use crate::rules;
use crate::server::{Setup, start};
use crate::store::Store;

pub(crate) const ORIGIN: &str = "log.example/test";
pub(crate) const NOW: u64 = 1_800_000_000;

/// The entries with the first change sets.
pub(crate) fn first_sets() -> NewestSets {
    NewestSets {
        directory: Index::from(1_u32),
        registerlandkarte: Index::from(2_u32),
    }
}

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed([seed; 32])
}

/// The keys, documents, clock and settings of a test log.
pub(crate) struct World {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) state: TrustState,
    pub(crate) genesis: GenesisDocument,
    pub(crate) founding: Vec<Documented>,
    pub(crate) operator: fixtures::TestWriter,
    pub(crate) map_after: Duration,
    pub(crate) limits: Limits,
    pub(crate) policy: Option<Policy>,
    pub(crate) on_failure: QuorumLossPolicy,
}

/// A writer with its chain and its own time.
#[derive(Clone)]
pub(crate) struct TimedWriter {
    pub(crate) chain: fixtures::TestWriter,
    pub(crate) time: u64,
}

impl TimedWriter {
    pub(crate) fn new(seed: u8) -> Self {
        Self {
            chain: fixtures::TestWriter::new(key(seed)),
            time: NOW,
        }
    }

    /// An entry that continues the chain, without advancing the chain.
    pub(crate) fn draft(&self, body: Body) -> SignedEntry {
        self.chain.draft(Timestamp(self.time), body).unwrap()
    }

    /// The next entry of the chain; advances the chain.
    pub(crate) fn write(&mut self, body: Body) -> SignedEntry {
        self.chain.write(Timestamp(self.time), body).unwrap()
    }
}

/// Seeds of the writers.
pub(crate) const OPERATOR: u8 = 1;
pub(crate) const AUTHORITY: u8 = 2;
pub(crate) const BROKER: u8 = 3;
pub(crate) const IDENTITY: u8 = 4;
pub(crate) const LEDGER: u8 = 5;
pub(crate) const STRANGER: u8 = 6;

pub(crate) fn record(label: u8) -> Vec<u8> {
    vec![label; 100]
}

pub(crate) fn labelled(kind: LabelledKind, period: u32, label: u8, refers: Option<u64>) -> Body {
    Body::Labelled {
        kind,
        period: Period(period),
        label: Label(Hash::of(&[label]).0),
        commitment: Commitment(Hash::of(&record(label))),
        refers: refers.map(|index| Index::new(index).unwrap()),
    }
}

/// The outcome or preview of the entry `refers` of period 1, whose intent has the label `of`; it commits to the record
/// for `mark`.
pub(crate) fn following(kind: LabelledKind, of: u8, mark: u8, refers: u64) -> Body {
    let mut body = labelled(kind, 1, mark, Some(refers));
    if let Body::Labelled { label, .. } = &mut body {
        *label = following_label(kind, of);
    }
    body
}

pub(crate) fn following_label(kind: LabelledKind, of: u8) -> Label {
    record::label::of_phase(&Label(Hash::of(&[of]).0), kind.phase())
}

pub(crate) fn intent(label: u8) -> Body {
    labelled(LabelledKind::Intent, 1, label, None)
}

pub(crate) fn begin(period: u32, start: u64) -> Body {
    fixtures::begin(Period(period), Timestamp(start))
}

/// A submission of the entry, with the record for `label` if the entry commits to one.
pub(crate) fn raw(entry: &SignedEntry, label: u8) -> RawSubmission {
    let record = entry.entry().body.commitment().map(|_| Bytes::from(record(label)));
    RawSubmission {
        leaf: Bytes::copy_from_slice(entry.bytes()),
        record,
        document: None,
    }
}

fn with_document(entry: &SignedEntry, document: &[u8]) -> RawSubmission {
    let document = Some(Bytes::copy_from_slice(document));
    RawSubmission {
        leaf: Bytes::copy_from_slice(entry.bytes()),
        record: None,
        document,
    }
}

pub(crate) fn log_key() -> SignerKey {
    SignerKey::for_notes(ORIGIN.parse().unwrap(), &[42; 32])
}

pub(crate) fn credential() -> Credential {
    Credential::from_bytes([77; 32])
}

impl World {
    pub(crate) fn new() -> Self {
        let broker = [Kind::Intent, Kind::Outcome, Kind::Denial, Kind::Preview, Kind::Lost];
        let identity = [Kind::Period, Kind::Void, Kind::Inspection];
        let writers = vec![
            grant("broker", &key(BROKER), &broker),
            grant("identity", &key(IDENTITY), &identity),
            grant("ledger", &key(LEDGER), &[Kind::Map]),
        ];
        let founders = Founders {
            origin: ORIGIN,
            log: &log_key(),
            operator: &key(OPERATOR),
            authority: &key(AUTHORITY),
            identity: &key(IDENTITY),
        };
        let founded = founders.found(writers, Timestamp(NOW)).unwrap();
        let (founding, operator) = founded.entries(Timestamp(NOW)).unwrap();
        Self {
            clock: ManualClock::new(NOW),
            state: founded.history.state().clone(),
            genesis: founded.genesis,
            founding,
            operator,
            map_after: Duration::from_secs(3600),
            limits: Limits::default(),
            policy: None,
            on_failure: QuorumLossPolicy::default(),
        }
    }

    /// Submissions of genesis, directory and registry.
    pub(crate) fn founding(&self) -> Vec<RawSubmission> {
        let entries = self.founding.iter();
        entries
            .map(|(entry, document)| with_document(entry, document))
            .collect()
    }

    /// The operator, whose chain continues after the founding entries.
    pub(crate) fn operator(&self) -> TimedWriter {
        TimedWriter {
            chain: self.operator.clone(),
            time: NOW,
        }
    }

    /// A submission of a document entry by this writer.
    pub(crate) fn document(writer: &mut TimedWriter, kind: DocumentKind, document: &[u8]) -> RawSubmission {
        let entry = writer.write(Body::Document {
            kind,
            digest: Hash::of(document),
        });
        with_document(&entry, document)
    }

    /// A submission of an entry by this writer that carries a change set, which need not be valid.
    pub(crate) fn set(writer: &mut TimedWriter, set: &SignedChangeSet) -> RawSubmission {
        let entry = writer.write(Body::Document {
            kind: set.header().kind.document_kind(),
            digest: set.signed().digest(),
        });
        with_document(&entry, &set.to_bytes())
    }

    /// The set that makes the next version of a state, not signed.
    pub(crate) fn draft(state: &TrustState, kind: TrustKind, operations: Vec<Operation>) -> ChangeSet {
        let reason = "Änderung".parse().unwrap();
        state.propose(kind, Timestamp(NOW), reason, operations).unwrap()
    }

    pub(crate) fn setup(&self, store: Arc<dyn Store>) -> Setup {
        Setup {
            store,
            signer: Signer::new(log_key()).unwrap(),
            rules: rules::RulesConfig {
                genesis: self.founding[0].0.leaf_hash(),
                origin: ORIGIN.into(),
                writer: key(LEDGER),
                skew: 300,
                map_after: self.map_after,
            },
            policy: self.policy.clone(),
            on_failure: self.on_failure,
            writing_entrance: false,
            records_credentials: vec![credential().digest()],
            limits: self.limits,
            clock: CheckedClock::new(self.clock.clone(), Confirmation::After(Duration::MAX)),
            confirmed_at_start: false,
            followed: None,
        }
    }

    pub(crate) fn start(&self, store: Arc<dyn Store>) -> Arc<Shared> {
        start(self.setup(store)).unwrap()
    }

    /// Starts a log of four entries: it is founded, and identity has begun period 1. Returns the log and identity's
    /// writer.
    pub(crate) async fn started(&self, store: Arc<dyn Store>) -> (Arc<Shared>, TimedWriter) {
        let shared = self.start(store);
        assert_eq!(submit(&shared, self.founding()).await, [Ok(0), Ok(1), Ok(2)]);
        let mut identity = TimedWriter::new(IDENTITY);
        let period = identity.write(begin(1, NOW - 86_400));
        assert_eq!(submit(&shared, vec![raw(&period, 0)]).await, [Ok(3)]);
        (shared, identity)
    }
}

/// The outcome of one submission: its index, or the slug of its refusal with the index of the stored entry.
pub(crate) type TestOutcome = Result<u64, (String, Option<u64>)>;

fn refused_outcome(refusal: Refusal) -> TestOutcome {
    Err((refusal.code.slug().to_owned(), refusal.stored))
}

pub(crate) fn refused(slug: &str) -> TestOutcome {
    Err((slug.into(), None))
}

/// Checks and submits as a request handler does.
pub(crate) async fn try_submit(shared: &Shared, raws: Vec<RawSubmission>) -> Result<Vec<TestOutcome>, SubmitError> {
    let founder = shared.checker.founder(&raws);
    let checked = shared.checker.check(raws, founder.as_ref());
    let (mut good, mut slots) = (Vec::new(), Vec::new());
    for checked in checked {
        slots.push(match checked {
            Ok(submission) => {
                good.push(Arc::new(submission));
                None
            }
            Err(refusal) => Some(refused_outcome(refusal)),
        });
    }
    let mut outcomes = shared
        .log
        .submit(good, 1)
        .await?
        .outcomes
        .into_iter()
        .map(|outcome| match outcome {
            Outcome::Recorded(index) => Ok(index),
            Outcome::Refused(refusal) => refused_outcome(refusal),
        });
    Ok(slots
        .into_iter()
        .map(|slot| slot.unwrap_or_else(|| outcomes.next().unwrap()))
        .collect())
}

pub(crate) async fn submit(shared: &Shared, raws: Vec<RawSubmission>) -> Vec<TestOutcome> {
    try_submit(shared, raws).await.unwrap()
}

/// Submits one entry, with the record for `label` if the entry commits to one.
pub(crate) async fn submit_one(shared: &Shared, entry: &SignedEntry, label: u8) -> TestOutcome {
    submit(shared, vec![raw(entry, label)]).await.remove(0)
}
