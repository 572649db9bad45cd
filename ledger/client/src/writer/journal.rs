//! The writer's journal: what must survive a crash so that the chain continues without a gap and no entry is written
//! twice.
//!
//! One redb file, three tables:
//!
//! ```text
//! pending    sequence u64 → CBOR [leaf bstr, record bstr / null, document bstr / null]   signed, no receipt yet
//! confirmed  0 → CBOR [sequence, leaf hash, index]                                       last entry with a receipt
//! writer     0 → SHA-256 of the writer's public key                                      whose chain it is
//! ```
//!
//! A writer whose key has been replaced begins a new chain. It does so only when no entry under the old key waits for
//! its receipt ([`JournalError::OtherKey`]).
//!
//! *Invariant*: the writer sends bytes only after a commit with them has returned; redb syncs each commit. A commit
//! replaces the whole content, so that the file always has one consistent chain: `confirmed`, then `pending` without
//! gaps. The writer notes the receipts of a batch with the commit of the next batch, or at once when idle. After a
//! crash in between, it only sends the same bytes once more.

use std::path::Path;

use record::{Sequence, SignedEntry, WriterId};
use redb::{ReadableTable, TableDefinition};
use serde::{Deserialize, Serialize};
use serde_bytes::{ByteBuf, Bytes};
use store::{TableError, TableFile};
use tlog::Hash;
use tlog::merkle::Index;

use crate::api::{Submission, WriterHead};

const PENDING: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("pending");
const CONFIRMED: TableDefinition<'_, u8, &[u8]> = TableDefinition::new("confirmed");
const WRITER: TableDefinition<'_, u8, &[u8]> = TableDefinition::new("writer");
const FILE: &str = "writer.redb";

/// Why the journal cannot be read or written. Fatal, because nothing may be sent without it.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Disk full, no permission, file damaged, or opened by another process.
    #[error("the writer's journal: {0}")]
    Store(#[from] TableError),
    /// The file can be read, but its content is not valid.
    #[error("the writer's journal is damaged: {0}")]
    Damaged(String),
    /// Entries that another key has signed have no receipt yet. They would be lost.
    #[error(
        "{0} entries that the writer's previous key has signed have no receipt yet: put that key back, start once, and \
         replace it when the journal is empty"
    )]
    OtherKey(usize),
}

/// The content of the journal.
#[derive(Debug, Default)]
pub(super) struct Content {
    pub(super) confirmed: Option<WriterHead>,
    pub(super) pending: Vec<(SignedEntry, Submission)>,
}

#[derive(Serialize, Deserialize)]
struct PendingRow(ByteBuf, Option<ByteBuf>, Option<ByteBuf>);

#[derive(Serialize, Deserialize)]
struct ConfirmedRow(u64, ByteBuf, u64);

pub(super) struct Journal {
    file: TableFile,
}

impl Journal {
    /// Opens or creates the journal of a writer in `directory` and reads it.
    pub(super) fn open(directory: &Path, writer: &WriterId) -> Result<(Self, Content), JournalError> {
        let file = TableFile::open(&directory.join(FILE))?;
        let journal = Self { file };
        let content = journal.read()?;
        if journal.writer()?.is_some_and(|known| known == writer.0.0) {
            return Ok((journal, content));
        }
        if !content.pending.is_empty() {
            return Err(JournalError::OtherKey(content.pending.len()));
        }
        journal.begin(writer)?;
        Ok((journal, Content::default()))
    }

    /// The key id of the writer whose chain the journal has.
    fn writer(&self) -> Result<Option<Vec<u8>>, JournalError> {
        let transaction = self.file.begin_read()?;
        match transaction.open_table(WRITER) {
            Ok(table) => Ok(table.get(0).map_err(TableError::from)?.map(|id| id.value().to_vec())),
            Err(redb::TableError::TableDoesNotExist(_)) => Ok(None),
            Err(error) => Err(TableError::from(error).into()),
        }
    }

    /// Begins the chain of a writer.
    fn begin(&self, writer: &WriterId) -> Result<(), JournalError> {
        let begun: Result<(), TableError> = self.file.write(|transaction| {
            transaction.open_table(CONFIRMED)?.retain(|_, _| false)?;
            transaction.open_table(PENDING)?;
            transaction.open_table(WRITER)?.insert(0, writer.0.0.as_slice())?;
            Ok(())
        });
        Ok(begun?)
    }

    fn read(&self) -> Result<Content, JournalError> {
        let transaction = self.file.begin_read()?;
        let mut content = Content::default();
        match transaction.open_table(CONFIRMED) {
            Ok(table) => {
                if let Some(row) = table.get(0).map_err(TableError::from)? {
                    content.confirmed = Some(parse_confirmed(row.value())?);
                }
            }
            Err(redb::TableError::TableDoesNotExist(_)) => return Ok(content),
            Err(error) => return Err(TableError::from(error).into()),
        }
        let table = transaction.open_table(PENDING).map_err(TableError::from)?;
        let first = content.confirmed.map_or(0, |head| head.sequence.0 + 1);
        for (next, row) in (first..).zip(table.iter().map_err(TableError::from)?) {
            let (sequence, row) = row.map_err(TableError::from)?;
            let (entry, submission) = parse_pending(row.value())?;
            if sequence.value() != next || entry.entry().sequence != Sequence(next) {
                return Err(JournalError::Damaged(format!("entry {next} of the chain is missing")));
            }
            content.pending.push((entry, submission));
        }
        Ok(content)
    }

    /// Replaces the content; it is on disk on return.
    pub(super) fn commit(
        &self,
        confirmed: Option<WriterHead>,
        pending: &[(Sequence, Vec<u8>)],
    ) -> Result<(), JournalError> {
        let replaced: Result<(), TableError> = self.file.write(|transaction| {
            let mut table = transaction.open_table(CONFIRMED)?;
            if let Some(head) = confirmed {
                let leaf_hash = ByteBuf::from(head.leaf_hash.0);
                let row = ConfirmedRow(head.sequence.0, leaf_hash, head.index.get());
                table.insert(0, record::cbor::to_vec(&row).as_slice())?;
            }
            let mut table = transaction.open_table(PENDING)?;
            table.retain(|_, _| false)?;
            for (sequence, row) in pending {
                table.insert(sequence.0, row.as_slice())?;
            }
            Ok(())
        });
        Ok(replaced?)
    }
}

/// The `pending` row of an entry.
pub(super) fn pending_row(leaf: &[u8], record: Option<&[u8]>, document: Option<&[u8]>) -> Vec<u8> {
    record::cbor::to_vec(&(Bytes::new(leaf), record.map(Bytes::new), document.map(Bytes::new)))
}

fn parse_pending(row: &[u8]) -> Result<(SignedEntry, Submission), JournalError> {
    let PendingRow(leaf, record, document) = record::cbor::from_slice(row).map_err(damaged)?;
    let submission = Submission {
        leaf: leaf.into_vec(),
        record: record.map(ByteBuf::into_vec),
        document: document.map(ByteBuf::into_vec),
    };
    Ok((
        SignedEntry::parse(submission.leaf.clone()).map_err(damaged)?,
        submission,
    ))
}

fn parse_confirmed(row: &[u8]) -> Result<WriterHead, JournalError> {
    let ConfirmedRow(sequence, leaf_hash, index) = record::cbor::from_slice(row).map_err(damaged)?;
    Ok(WriterHead {
        sequence: Sequence(sequence),
        leaf_hash: Hash::try_from(leaf_hash.as_ref()).map_err(damaged)?,
        index: Index::new(index).map_err(damaged)?,
    })
}

fn damaged(error: impl std::fmt::Display) -> JournalError {
    JournalError::Damaged(error.to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use record::{Body, Commitment, SigningKey, Timestamp, Unsigned};

    use super::*;

    #[test]
    fn another_key_begins_a_chain_when_no_entry_waits_for_a_receipt() {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path().join("state");
        let keys = [1, 2].map(|seed| SigningKey::from_seed([seed; 32]));
        let entry = keys[0].sign(Unsigned {
            sequence: Sequence::FIRST,
            previous: Hash([0; 32]),
            time: Timestamp(1),
            body: Body::Denial {
                commitment: Commitment(Hash([3; 32])),
            },
        });
        let row = pending_row(entry.unwrap().bytes(), Some(b"record"), None);
        let head = WriterHead {
            sequence: Sequence::FIRST,
            leaf_hash: Hash([4; 32]),
            index: Index::ZERO,
        };
        let open = |key: &SigningKey| Journal::open(&directory, &key.id());

        let (journal, _) = open(&keys[0]).unwrap();
        journal.commit(None, &[(Sequence::FIRST, row)]).unwrap();
        drop(journal);
        let refused = open(&keys[1]).err().expect("an entry waits");
        assert!(matches!(refused, JournalError::OtherKey(1)), "{refused}");

        let (journal, content) = open(&keys[0]).unwrap();
        assert_eq!(content.pending.len(), 1, "the refused start has changed nothing");
        journal.commit(Some(head), &[]).unwrap();
        drop(journal);
        let (journal, content) = open(&keys[1]).unwrap();
        assert!(content.confirmed.is_none() && content.pending.is_empty());
        drop(journal);
        let (_, content) = open(&keys[1]).unwrap();
        assert!(content.confirmed.is_none());
    }
}
