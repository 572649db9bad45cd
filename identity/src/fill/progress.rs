//! How far a fill has come, durably, and which numbers it has found.

use std::path::Path;

use record::Idnr;
use redb::{TableDefinition, TableError as RedbTableError};
use serde::{Deserialize, Serialize};
use store::TableFile;
use text::RowError;

use super::result::RowResult;
use crate::committer::StoreError;

const DONE: TableDefinition<'_, u8, &[u8]> = TableDefinition::new("done");
const SEEN: TableDefinition<'_, &str, ()> = TableDefinition::new("seen");
/// The most faulty rows that the report names.
const MAX_NAMED: usize = 100;

/// What a register's data are like. It names rows by number, never persons.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quality {
    /// Rows with exactly one person, whose IDNr the result has.
    pub found: u64,
    /// Rows without a person.
    pub unknown: u64,
    /// Rows that fit several persons.
    pub ambiguous: u64,
    /// Rows whose own IDNr is another one.
    pub contradictory: u64,
    /// Rows about a person of an earlier row.
    pub doubled: u64,
    /// Rows that cannot be read.
    pub faulty: u64,
    /// The first faulty rows.
    pub faulty_rows: Vec<FaultyRow>,
}

/// A row that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultyRow {
    /// Number of the row in the file, from 1.
    pub row: u64,
    /// The field, or `row`.
    pub field: String,
    /// What is wrong with it.
    pub reason: String,
}

impl Quality {
    pub(super) fn add(&mut self, result: RowResult) {
        *match result {
            RowResult::Found => &mut self.found,
            RowResult::Unknown => &mut self.unknown,
            RowResult::Ambiguous => &mut self.ambiguous,
            RowResult::Contradictory => &mut self.contradictory,
            RowResult::Doubled => &mut self.doubled,
        } += 1;
    }

    pub(super) fn add_faulty(&mut self, row: u64, error: &RowError) {
        self.faulty += 1;
        if self.faulty_rows.len() < MAX_NAMED {
            self.faulty_rows.push(FaultyRow {
                row,
                field: error.field.to_string(),
                reason: error.reason.to_string(),
            });
        }
    }
}

/// How far a fill has come.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Done {
    /// Digest of what the results depend on.
    #[serde(with = "serde_bytes")]
    pub(super) input: [u8; 32],
    /// Rows that are done.
    pub(super) rows: u64,
    /// Length of the result in bytes.
    pub(super) length: u64,
    pub(super) quality: Quality,
}

impl Done {
    pub(super) fn new(input: [u8; 32]) -> Self {
        Self {
            input,
            rows: 0,
            length: 0,
            quality: Quality::default(),
        }
    }
}

/// The file of the progress.
pub(super) struct Progress(TableFile);

impl Progress {
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        Ok(Self(TableFile::open(path).map_err(StoreError::Failed)?))
    }

    /// How far an earlier run has come, if there was one.
    pub(super) fn begun(&self) -> Result<Option<Done>, StoreError> {
        let table = match self.0.begin_read().map_err(StoreError::Failed)?.open_table(DONE) {
            Err(RedbTableError::TableDoesNotExist(_)) => return Ok(None),
            table => table?,
        };
        let done = table.get(0)?.map(|done| record::cbor::from_slice(done.value()));
        done.transpose().map_err(|_| StoreError::Corrupt("done"))
    }

    /// Whether an earlier row was about this person.
    pub(super) fn seen(&self, idnr: &Idnr) -> Result<bool, StoreError> {
        match self.0.begin_read().map_err(StoreError::Failed)?.open_table(SEEN) {
            Err(RedbTableError::TableDoesNotExist(_)) => Ok(false),
            table => Ok(table?.get(idnr.expose())?.is_some()),
        }
    }

    /// Stores the progress with the numbers that were found since the last time. It is on disk on return.
    pub(super) fn save<'a>(&self, done: &Done, found: impl Iterator<Item = &'a Idnr>) -> Result<(), StoreError> {
        let transaction = self.0.begin_write().map_err(StoreError::Failed)?;
        {
            let mut seen = transaction.open_table(SEEN)?;
            for idnr in found {
                seen.insert(idnr.expose(), ())?;
            }
            let bytes = record::cbor::to_vec(done);
            transaction.open_table(DONE)?.insert(0, bytes.as_slice())?;
        }
        transaction.commit()?;
        Ok(())
    }
}
