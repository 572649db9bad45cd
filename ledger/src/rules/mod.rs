//! The rules that an entry of the exchange (design §4) must satisfy when it is recorded.
//!
//! [`SubmissionChecker`] checks each submission by itself, in parallel. [`Rules`] then checks it against the log, in
//! order. `Rules` keeps founding documents, chains, periods, labels and open intents in memory; it derives them from
//! the store at start, and only recorded entries change them.
//!
//! The sequencer applies these rules in this order:
//!
//! 1. If the log already has an entry with the same bytes, the answer is that entry's index, however old it is.
//! 2. The entry itself must be valid: the writer's right, the time, the document, the period, the label, the reference.
//! 3. The entry must continue its writer's chain.
//!
//! The ledger writes `map` entries itself, at most `map_after` after any other entry. They pass through the same stage
//! and commit.

mod chains;
pub(crate) mod check;
#[cfg(test)]
mod clock_tests;
#[cfg(test)]
mod durability_tests;
pub mod findings;
pub(crate) mod following;
#[cfg(test)]
mod following_tests;
pub(crate) mod founding;
#[cfg(test)]
mod founding_tests;
mod keys;
mod labels;
#[cfg(test)]
mod lifecycle_tests;
mod loading;
mod periods;
#[cfg(test)]
mod rebuild_tests;
pub mod refusal;
mod reject;
pub(crate) mod sets;
pub(crate) mod shared_history;
pub mod submission;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod times;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use record::{
    Body, Entry, Kind, Label, LabelledKind, Period, PeriodEvent, ReferenceKind, SignedEntry, SigningKey, Timestamp,
    Unsigned, WriterId,
};
use tlog::Hash;
use tlog::merkle::Index;

use crate::engine::rows::Rows;
use crate::engine::{Admission, Outcome, Stage};
use crate::failpoints::{self, Point};
use crate::store::{Batch, Column, Store, StoreError};
pub use chains::WriterHead;
use chains::{Chains, ExistingEntry};
use founding::{DocumentChange, Founding};
pub use keys::WriterKeys;
use labels::Labels;
use loading::{closed_intent, load_intents, load_periods, read_entry};
use periods::Periods;
pub use refusal::Refusal;
use reject::Reject;
use shared_history::SharedHistory;
use submission::Document;
pub use submission::{RawSubmission, Submission, SubmissionChecker};
pub use times::RulesClock;
use times::Times;

/// How often the sequencer checks whether its clock is right again, while a `map` entry waits for that.
const CLOCK_POLL_INTERVAL: Duration = Duration::from_millis(200);
/// How often the sequencer checks whether a map has been rebuilt.
const REBUILD_POLL_INTERVAL: Duration = Duration::from_millis(50);

/// The configured parameters of the rules.
pub struct RulesConfig {
    /// Leaf hash of entry 0.
    pub genesis: Hash,
    /// The log's origin.
    pub origin: String,
    /// The ledger's own writer key, for `map` entries.
    pub writer: SigningKey,
    /// The largest allowed difference between an entry's time and the ledger's clock, in seconds.
    pub skew: u64,
    /// The delay between an entry and the `map` entry that covers it.
    pub map_after: Duration,
}

/// The rules, with the state of the log that they depend on.
pub struct Rules {
    settings: RulesConfig,
    times: Times,
    founding: Founding,
    chains: Chains,
    periods: Periods,
    labels: Labels,
    /// Period and label of each intent without an outcome, by index.
    open_intents: HashMap<u64, (Period, Label)>,
    /// When the oldest entry was recorded that no `map` entry covers yet.
    unmapped_since: Option<Instant>,
}

impl Rules {
    /// Loads the state from the log's rows, and fills `keys` with the keys of the writers.
    pub fn load(
        rows: &Rows,
        settings: RulesConfig,
        keys: Arc<WriterKeys>,
        clock: RulesClock,
    ) -> Result<Self, StoreError> {
        let (origin, ledger) = (settings.origin.clone(), settings.writer.id());
        let founding = Founding::load(rows, settings.genesis, origin, ledger, keys)?;
        let store: &dyn Store = rows.store().as_ref();
        let head = rows.head()?.map_or(0, |head| head.size);
        let mut labels = Labels::default();
        let periods = load_periods(rows, &mut labels)?;
        for period in periods.open() {
            labels.rebuild(rows.store(), period, head)?;
        }
        let last = head.checked_sub(1).map(|last| read_entry(rows, last)).transpose()?;
        // After a crash, the last entry may lack its map entry.
        let unmapped = last
            .flatten()
            .is_some_and(|entry| entry.entry().body.kind() != Kind::Map);
        Ok(Self {
            founding,
            chains: Chains::load(rows)?,
            periods,
            labels,
            open_intents: load_intents(store)?,
            unmapped_since: unmapped.then(Instant::now),
            times: Times::load(rows, clock, settings.skew)?,
            settings,
        })
    }

    /// The history of the change sets, for the request handlers.
    pub(crate) fn history(&self) -> Arc<SharedHistory> {
        self.founding.shared()
    }

    /// Applies the three rules in their order; returns the entry's index.
    fn check_and_record(&mut self, submission: &Submission, stage: &mut Stage<'_>) -> Result<u64, Reject> {
        let entry = submission.entry.entry();
        let found = self.chains.find(entry, &submission.entry.leaf_hash(), stage)?;
        if let Some(ExistingEntry::Same(index)) = found {
            return Ok(index);
        }
        let change = self.check_entry(submission, stage)?;
        if let Some(ExistingEntry::Other(index)) = found {
            return Err(Refusal::sequence_used(entry.sequence.0, index).into());
        }
        self.chains.check(entry)?;
        Ok(self.record(submission, change, stage)?)
    }

    /// Rule 2: checks the entry itself, without its chain.
    fn check_entry(&mut self, submission: &Submission, stage: &Stage<'_>) -> Result<DocumentChange, Reject> {
        let entry = submission.entry.entry();
        self.founding.check_right(entry)?;
        self.times.check(entry.time.0)?;
        if let Some(key) = entry.body.map_key()
            && let Some(index) = self.labels.find(stage.rows().store().as_ref(), key.0, &key.1)?
        {
            return Err(Refusal::label_used(index).into());
        }
        match &entry.body {
            Body::Map { .. } => Err(Refusal::right("map entries are written by the ledger alone").into()),
            Body::Document { .. } => {
                let index = Index::new(stage.next_index()).map_err(StoreError::from)?;
                Ok(self.founding.check_document(submission, index)?)
            }
            Body::Denial { .. } => Ok(DocumentChange::None),
            Body::Period { period, event } => {
                self.check_period(*period, event, entry.time)?;
                Ok(DocumentChange::None)
            }
            Body::Labelled {
                kind,
                period,
                label,
                refers,
                ..
            } => {
                self.periods.check_label(*kind, *period, entry.time)?;
                self.check_reference(*kind, (*period, *label), *refers, stage)?;
                Ok(DocumentChange::None)
            }
            Body::Reference { kind, refers } => {
                self.check_other(*kind, *refers, stage)?;
                Ok(DocumentChange::None)
            }
        }
    }

    fn check_period(&mut self, period: Period, event: &PeriodEvent, time: Timestamp) -> Result<(), Refusal> {
        if matches!(event, PeriodEvent::Final { .. }) && !self.labels.all_rebuilt() {
            return Err(Refusal::rebuilding());
        }
        // A writer's time may be ahead of the ledger's. What ends or destroys a period needs the witnesses' time too.
        let now = match event {
            PeriodEvent::Begin { .. } => self.times.now()?,
            PeriodEvent::Final { .. } | PeriodEvent::Destroyed => self.times.agreed()?.seconds(),
        };
        let time = time.min(Timestamp(now));
        let has_open_intents = || self.open_intents.values().any(|(of, _)| *of == period);
        let root = || self.labels.root(period);
        self.periods.check_event(period, event, time, root, has_open_intents)
    }

    /// Checks what a labelled entry refers to, and that its label follows from its intent's label. The entry's format
    /// already ensures that `intent` and `void` refer to nothing, and `outcome` and `preview` to an entry.
    fn check_reference(
        &self,
        kind: LabelledKind,
        (period, label): (Period, Label),
        refers: Option<Index>,
        stage: &Stage<'_>,
    ) -> Result<(), Reject> {
        let Some(refers) = refers.map(Index::get) else {
            return Ok(());
        };
        let open_intent = self.open_intents.get(&refers).copied();
        let intent = match kind {
            LabelledKind::Outcome => open_intent
                .ok_or_else(|| Refusal::refers(format!("entry {refers} is not an intent without outcome")))?,
            LabelledKind::Preview => {
                let intent = match open_intent {
                    Some(intent) => Some(intent),
                    None => closed_intent(stage.rows(), refers)?,
                };
                intent.ok_or_else(|| Refusal::refers(format!("entry {refers} is not an intent")))?
            }
            _ if refers < stage.next_index() => return Ok(()),
            _ => return Err(Refusal::refers(format!("there is no entry {refers}")).into()),
        };
        if intent.0 != period {
            return Err(Refusal::refers("the intent belongs to another period").into());
        }
        if record::label::of_phase(&intent.1, kind.phase()) != label {
            return Err(Refusal::refers("the label does not follow from that of the intent").into());
        }
        Ok(())
    }

    fn check_other(&self, kind: ReferenceKind, refers: Index, stage: &Stage<'_>) -> Result<(), Refusal> {
        let refers = refers.get();
        match kind {
            ReferenceKind::Lost if !self.open_intents.contains_key(&refers) => Err(Refusal::refers(format!(
                "entry {refers} is not an intent without outcome"
            ))),
            _ if refers >= stage.next_index() => Err(Refusal::refers(format!("there is no entry {refers}"))),
            // An exchange that is given up cannot be closed otherwise any more.
            ReferenceKind::Lost => self.times.agreed().map(drop),
            _ => Ok(()),
        }
    }

    /// Stages an admitted entry with its record, document and index rows; returns its index.
    fn record(
        &mut self,
        submission: &Submission,
        change: DocumentChange,
        stage: &mut Stage<'_>,
    ) -> Result<u64, StoreError> {
        let signed = &submission.entry;
        let entry = signed.entry();
        let index = stage.append(signed.bytes(), signed.leaf_hash());
        let batch = stage.batch();
        if let Some(record) = &submission.record {
            batch.put(Column::Records, &index.to_be_bytes(), record);
        }
        if let (Some(digest), Some(document)) = (entry.body.document(), &submission.document) {
            match document {
                Document::Plain(bytes) => batch.put(Column::Documents, &digest.0, bytes),
                Document::Set(set) => {
                    batch.put(Column::Documents, &digest.0, set.signed().bytes());
                    batch.put(Column::Documents, &set.header().operations.0, set.operations().bytes());
                }
            }
        }
        self.apply(signed, change, index, batch)?;
        Ok(index)
    }

    /// Adds a recorded entry to the state that later entries are checked against, and its index rows to the batch.
    fn apply(
        &mut self,
        signed: &SignedEntry,
        change: DocumentChange,
        index: u64,
        batch: &mut Batch,
    ) -> Result<(), StoreError> {
        let (entry, leaf) = (signed.entry(), signed.leaf_hash());
        let sequence = entry.sequence.0;
        self.chains.add(entry.writer, WriterHead { sequence, leaf, index });
        if let Some(key) = entry.body.map_key() {
            self.labels.add(key, index, leaf, batch)?;
        }
        self.founding.apply(change, index, batch)?;
        if entry.body.kind() == Kind::Map {
            sets::put_map(batch, index);
        }
        self.update_state(entry, index, batch);
        Ok(())
    }

    /// Updates the state that later entries are checked against.
    fn update_state(&mut self, entry: &Entry, index: u64, batch: &mut Batch) {
        self.times.add(entry.time.0);
        match &entry.body {
            Body::Labelled {
                kind: LabelledKind::Intent,
                period,
                label,
                ..
            } => {
                self.open_intents.insert(index, (*period, *label));
                batch.put(Column::Intents, &index.to_be_bytes(), &labels::key(*period, label));
            }
            Body::Labelled {
                kind: LabelledKind::Outcome,
                refers: Some(intent),
                ..
            }
            | Body::Reference {
                kind: ReferenceKind::Lost,
                refers: intent,
            } => {
                self.open_intents.remove(&intent.get());
                batch.delete(Column::Intents, &intent.get().to_be_bytes());
            }
            Body::Period { period, event } => {
                self.periods.apply(*period, event);
                match event {
                    PeriodEvent::Begin { .. } => self.labels.open(*period),
                    PeriodEvent::Final { .. } => self.labels.close(*period),
                    PeriodEvent::Destroyed => {}
                }
            }
            _ => {}
        }
        if entry.body.kind() == Kind::Map {
            self.unmapped_since = None;
        } else {
            self.unmapped_since.get_or_insert_with(Instant::now);
        }
    }

    fn stage_map_entry(&mut self, now: u64, stage: &mut Stage<'_>) -> Result<(), StoreError> {
        let Some(newest) = self.founding.newest() else {
            return Ok(());
        };
        let writer = self.settings.writer.id();
        let (sequence, previous) = self.chains.next(&writer);
        let unsigned = Unsigned {
            sequence,
            previous,
            time: Timestamp(now),
            body: Body::Map {
                roots: self.labels.roots(),
                newest,
            },
        };
        let entry = self
            .settings
            .writer
            .sign(unsigned)
            .map_err(|error| StoreError::failed("a map entry cannot be signed", error))?;
        let submission = Submission {
            entry,
            record: None,
            document: None,
        };
        self.record(&submission, DocumentChange::None, stage)?;
        failpoints::reach(Point::MapEntry);
        Ok(())
    }

    /// When the next `map` entry is due; `None` if no entry waits for one, or if the ledger may not write it.
    fn map_due(&self) -> Option<Instant> {
        let may = || self.founding.may_write(&self.settings.writer.id(), Kind::Map);
        let since = self.unmapped_since.filter(|_| may())?;
        Some(since + self.settings.map_after)
    }
}

impl Admission for Rules {
    type Submission = Arc<Submission>;
    type Rejection = Refusal;
    type Writer = WriterId;

    fn writer(submission: &Arc<Submission>) -> WriterId {
        submission.entry.entry().writer
    }

    fn admit(&mut self, submission: Arc<Submission>, stage: &mut Stage<'_>) -> Result<Outcome<Refusal>, StoreError> {
        match self.check_and_record(&submission, stage) {
            Ok(index) => Ok(Outcome::Recorded(index)),
            Err(Reject::Refused(refusal)) => Ok(Outcome::Refused(refusal)),
            Err(Reject::Store(error)) => Err(error),
        }
    }

    fn prefetch<'a>(&self, submissions: impl Iterator<Item = &'a Arc<Submission>>) {
        let keys: Vec<_> = submissions
            .filter_map(|submission| submission.entry.entry().body.map_key())
            .collect();
        self.labels.prefetch(&keys);
    }

    fn due(&self) -> Option<Instant> {
        if !self.labels.all_rebuilt() {
            return Some(Instant::now() + REBUILD_POLL_INTERVAL);
        }
        match self.map_due() {
            Some(_) if self.times.now().is_err() => Some(Instant::now() + CLOCK_POLL_INTERVAL),
            due => due,
        }
    }

    fn finish(&mut self, stage: &mut Stage<'_>) -> Result<(), StoreError> {
        let due = self.labels.finish_rebuilds()? && self.map_due().is_some_and(|due| due <= Instant::now());
        // With a wrong time the `map` entry would make the log unsound. It waits until the clock is right.
        if due && let Ok(now) = self.times.now() {
            self.stage_map_entry(now, stage)?;
        }
        self.times.stage(stage.batch());
        self.chains.stage(stage.batch());
        Ok(())
    }

    fn committed(&mut self, idle: bool) {
        self.chains.committed();
        if idle && self.labels.all_rebuilt() {
            // Hashes the changed parts of the maps now, so that the next map entry is cheap.
            self.labels.roots();
        }
    }
}
