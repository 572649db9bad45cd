//! Compares the entries, one after another, with the rows that belong to them, for `ledger check`.

use std::collections::{BTreeMap, HashMap, HashSet};

use record::{Body, Kind, Label, LabelledKind, Period, ReferenceKind, SignedEntry, WriterId};
use tlog::Hash;
use tlog::map::Value;
use tlog::merkle::Index;
use trust::{SignedHeader, TrustKind, Version};

use super::chains::{self, WriterHead};
use super::findings::Findings;
use super::loading::load_intents;
use super::{labels, sets};
use crate::engine::rows::Rows;
use crate::store::{Column, Store, StoreError, count};

/// The rows that the store must have for the entries read so far.
#[derive(Default)]
pub(crate) struct Attachments {
    heads: HashMap<WriterId, WriterHead>,
    open_intents: BTreeMap<u64, (Period, Label)>,
    documents: HashSet<Hash>,
    /// The number of change sets of each kind.
    sets: BTreeMap<TrustKind, Version>,
    maps: u64,
    entries: u64,
    latest_time: u64,
    labels: u64,
    records: u64,
}

impl Attachments {
    /// The number of sealed records in the store.
    pub(crate) fn records(&self) -> u64 {
        self.records
    }

    /// Checks the rows of the next entry.
    pub(crate) fn entry(
        &mut self,
        index: u64,
        signed: &SignedEntry,
        store: &dyn Store,
        findings: &mut Findings,
    ) -> Result<(), StoreError> {
        self.entries += 1;
        self.latest_time = self.latest_time.max(signed.entry().time.0);
        self.chain(index, signed, store, findings)?;
        let body = &signed.entry().body;
        if let Some((period, label)) = body.map_key() {
            self.labels += 1;
            let value = Index::new(index).ok().map(|index| Value {
                index,
                leaf: signed.leaf_hash(),
            });
            let row = store.get(Column::Labels, &labels::key(period, &label))?;
            if row.as_deref() != value.map(Value::to_bytes).as_ref().map(<[u8; 40]>::as_slice) {
                findings.add(format!(
                    "the row of the label of entry {index} is missing or names another entry"
                ));
            }
        }
        if let Some(commitment) = body.commitment() {
            match store.get(Column::Records, &index.to_be_bytes())? {
                None => findings.add(format!("the record of entry {index} is missing")),
                Some(record) => {
                    self.records += 1;
                    if Hash::of(&record) != commitment.0 {
                        findings.add(format!(
                            "the record of entry {index} does not match the entry's commitment"
                        ));
                    }
                }
            }
        }
        if let Some(digest) = body.document() {
            let document = store.get(Column::Documents, &digest.0)?;
            if document.map(|document| Hash::of(&document)) != Some(digest) {
                findings.add(format!(
                    "the document of entry {index} is missing or has another digest"
                ));
            }
            self.documents.insert(digest);
        }
        self.pointers(index, body, store, findings)?;
        self.update_state(index, body, findings);
        Ok(())
    }

    /// Checks the rows of change sets and `map` entries, and the operations that a set's header names.
    fn pointers(
        &mut self,
        index: u64,
        body: &Body,
        store: &dyn Store,
        findings: &mut Findings,
    ) -> Result<(), StoreError> {
        if body.kind() == Kind::Map {
            self.maps += 1;
            if store.get(Column::Maps, &index.to_be_bytes())?.is_none() {
                findings.add(format!("the row of the map entry {index} is missing"));
            }
        }
        let (Some(kind), Some(digest)) = (TrustKind::of_entry(body.kind()), body.document()) else {
            return Ok(());
        };
        let version = self.sets.entry(kind).or_insert(Version::EMPTY);
        *version = version.next().unwrap_or(*version);
        if sets::entry_of(store, kind, *version)? != Some(index) {
            findings.add(format!(
                "the row of version {version} of the {kind} does not lead to entry {index}"
            ));
        }
        let header = store.get(Column::Documents, &digest.0)?;
        let Some(header) = header.and_then(|bytes| SignedHeader::parse(&bytes).ok()) else {
            findings.add(format!(
                "the document of entry {index} is not the header of a change set"
            ));
            return Ok(());
        };
        let operations = header.header().operations;
        let document = store.get(Column::Documents, &operations.0)?;
        if document.map(|document| Hash::of(&document)) != Some(operations) {
            findings.add(format!(
                "the operations of the change set in entry {index} are missing or have another digest"
            ));
        }
        self.documents.insert(operations);
        Ok(())
    }

    fn chain(
        &mut self,
        index: u64,
        signed: &SignedEntry,
        store: &dyn Store,
        findings: &mut Findings,
    ) -> Result<(), StoreError> {
        let entry = signed.entry();
        let (sequence, previous) = self
            .heads
            .get(&entry.writer)
            .map_or((0, Hash([0; 32])), |head| (head.sequence + 1, head.leaf));
        if (entry.sequence.0, entry.previous) != (sequence, previous) {
            findings.add(format!("entry {index} does not continue its writer's chain"));
        }
        let head = WriterHead {
            sequence: entry.sequence.0,
            leaf: signed.leaf_hash(),
            index,
        };
        self.heads.insert(entry.writer, head);
        match chains::index(store, &entry.writer, entry.sequence.0) {
            Ok(found) if found == Some(index) => {}
            Ok(_) => findings.add(format!("the chain index does not lead to entry {index}")),
            Err(error) => findings.add(format!("the chain index does not lead to entry {index}: {error}")),
        }
        Ok(())
    }

    fn update_state(&mut self, index: u64, body: &Body, findings: &mut Findings) {
        match body {
            Body::Labelled {
                kind: LabelledKind::Intent,
                period,
                label,
                ..
            } => drop(self.open_intents.insert(index, (*period, *label))),
            Body::Labelled {
                kind: LabelledKind::Outcome,
                refers: Some(intent),
                ..
            }
            | Body::Reference {
                kind: ReferenceKind::Lost,
                refers: intent,
            } if self.open_intents.remove(&intent.get()).is_none() => {
                findings.add(format!(
                    "entry {index} closes {}, which is not an open intent",
                    intent.get()
                ));
            }
            _ => {}
        }
    }

    /// Checks the rows that depend on all entries, and that no row is left over.
    pub(crate) fn finish(&self, rows: &Rows, findings: &mut Findings) -> Result<(), StoreError> {
        let store = rows.store().as_ref();
        for (writer, head) in &self.heads {
            match WriterHead::read(rows, writer) {
                Ok(Some(row)) if row == *head => {}
                Ok(_) => findings.add(format!("the head of writer {} is not its newest entry", writer.0)),
                Err(error) => findings.add(error.to_string()),
            }
        }
        self.check_intents(store, findings);
        match rows.latest_time() {
            Ok(time) if time == self.latest_time => {}
            Ok(_) => findings.add("the latest time is not that of the entries".into()),
            Err(error) => findings.add(error.to_string()),
        }
        let chained = chains::count(store)?;
        if chained > self.entries {
            findings.add(format!(
                "the writers' chains have {chained} entries, but the log has {}",
                self.entries
            ));
        }
        for (column, demanded) in [
            (Column::Labels, self.labels),
            (Column::Records, self.records),
            (Column::Documents, self.documents.len() as u64),
            (
                Column::Sets,
                self.sets.values().map(|version| u64::from(version.0)).sum(),
            ),
            (Column::Maps, self.maps),
        ] {
            let stored = count(store, column)?;
            if stored > demanded {
                let surplus = stored - demanded;
                findings.add(format!("{surplus} rows of {} belong to no entry", column.name()));
            }
        }
        Ok(())
    }

    fn check_intents(&self, store: &dyn Store, findings: &mut Findings) {
        let stored: BTreeMap<u64, _> = match load_intents(store) {
            Ok(intents) => intents.into_iter().collect(),
            Err(error) => return findings.add(error.to_string()),
        };
        let differs = |(index, intent): (&u64, &_), other: &BTreeMap<u64, _>| other.get(index) != Some(intent);
        let wrong = self.open_intents.iter().find(|row| differs(*row, &stored));
        let wrong = wrong.or_else(|| stored.iter().find(|row| differs(*row, &self.open_intents)));
        if let Some((index, _)) = wrong {
            findings.add(format!(
                "the rows of open intents differ from the intents without outcome at entry {index}"
            ));
        }
    }
}
