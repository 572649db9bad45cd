//! The file `checkpoints.redb`: noted heads, the last cosigned checkpoint, and the reason why the watch has stopped.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use redb::{ReadTransaction, ReadableTable, TableDefinition};
use store::{TableError, TableFile};
use tlog::Hash;
use tlog::merkle::Size;

const RELIED: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("relied");
const SETTLED: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("settled");
const STOPPED: TableDefinition<'_, u64, &str> = TableDefinition::new("stopped");
const FILE: &str = "checkpoints.redb";

/// The root of a noted head, and since when it is relied upon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Relied {
    pub(super) root: Hash,
    /// POSIX seconds.
    pub(super) since: u64,
    /// By the steady clock of this process, for which a head that was read from the file begins now.
    pub(super) noted: Duration,
}

/// The content of the file.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) relied: BTreeMap<u64, Relied>,
    pub(super) settled: Option<(Size, Hash)>,
    pub(super) stopped: Option<Arc<str>>,
}

pub(super) struct CheckpointFile {
    file: TableFile,
}

impl CheckpointFile {
    /// Opens or creates the file in `directory` and reads it.
    pub(super) fn open(directory: &Path, steady: Duration) -> Result<(Self, Known), TableError> {
        let file = TableFile::open(&directory.join(FILE))?;
        let known = read(&file.begin_read()?, steady)?;
        Ok((Self { file }, known))
    }

    pub(super) fn note(&self, new: &BTreeMap<u64, Relied>) -> Result<(), TableError> {
        self.file.write(|transaction| {
            let mut table = transaction.open_table(RELIED)?;
            for (size, relied) in new {
                let row = [relied.root.0.as_slice(), &relied.since.to_be_bytes()].concat();
                table.insert(size, row.as_slice())?;
            }
            Ok(())
        })
    }

    pub(super) fn settle(&self, newest: (Size, Hash), covered: &[(Size, Hash)]) -> Result<(), TableError> {
        self.file.write(|transaction| {
            let mut table = transaction.open_table(RELIED)?;
            for (size, _) in covered {
                table.remove(size.get())?;
            }
            let mut table = transaction.open_table(SETTLED)?;
            table.retain(|_, _| false)?;
            table.insert(newest.0.get(), newest.1.0.as_slice())?;
            Ok(())
        })
    }

    pub(super) fn stop(&self, reason: &str) -> Result<(), TableError> {
        self.file.write(|transaction| {
            transaction.open_table(STOPPED)?.insert(0, reason)?;
            Ok(())
        })
    }
}

fn read(transaction: &ReadTransaction, steady: Duration) -> Result<Known, TableError> {
    let mut known = Known::default();
    // The first note creates the tables.
    match transaction.open_table(RELIED) {
        Ok(table) => {
            for row in table.iter()? {
                let (size, row) = row?;
                let relied = parse_relied(row.value(), steady).ok_or_else(|| damaged("relied"))?;
                known.relied.insert(size.value(), relied);
            }
        }
        Err(redb::TableError::TableDoesNotExist(_)) => {}
        Err(error) => return Err(error.into()),
    }
    match transaction.open_table(SETTLED) {
        Ok(table) => {
            if let Some((size, root)) = table.last()? {
                let size = Size::new(size.value()).map_err(|_| damaged("settled"))?;
                let root = Hash::try_from(root.value()).map_err(|_| damaged("settled"))?;
                known.settled = Some((size, root));
            }
        }
        Err(redb::TableError::TableDoesNotExist(_)) => {}
        Err(error) => return Err(error.into()),
    }
    match transaction.open_table(STOPPED) {
        Ok(table) => known.stopped = table.get(0)?.map(|reason| reason.value().into()),
        Err(redb::TableError::TableDoesNotExist(_)) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(known)
}

fn parse_relied(row: &[u8], noted: Duration) -> Option<Relied> {
    let (root, since) = row.split_first_chunk::<32>()?;
    let since = since.try_into().map(u64::from_be_bytes).ok()?;
    Some(Relied {
        root: Hash(*root),
        since,
        noted,
    })
}

fn damaged(table: &'static str) -> TableError {
    TableError::Damaged {
        table,
        reason: "it does not have the expected form".into(),
    }
}
