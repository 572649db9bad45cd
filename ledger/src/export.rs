//! `ledger export`: writes the whole log as static files in the tlog-tiles layout, also while the ledger runs.
//!
//! ```text
//! checkpoint            the newest checkpoint that meets the witness policy
//! checkpoints/<size>    every checkpoint published up to that size, as `GET /checkpoints/…` returns it
//! tile/…                the tiles and bundles of a tree of that size, including partial ones
//! documents/<hex>       the documents that the entries name, and the operations of their change sets
//! records/<index>       with `records`: the sealed records that are not erased
//! ```
//!
//! The root of the tiles is compared with the checkpoint before anything is written. The export is written to a
//! temporary directory next to the target, and renamed when it is complete.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use record::SignedEntry;
use tlog::Hash;
use tlog::checkpoint::{Checkpoint, CheckpointError};
use tlog::merkle::Size;
use tlog::note::Note;
use tlog::tile::{Bundle, BundleError, Tile, decode_bundle};
use trust::TrustKind;

use crate::engine::edge::{Edge, TILE_WIDTH};
use crate::engine::rows::Rows;
use crate::rules::founding::stored_set;
use crate::server::find_store;
use crate::store::postgres::{PostgresConfig, PostgresStore};
use crate::store::rocks::RocksStore;
use crate::store::{Column, StoreError};

const MAX_ATTEMPTS: u32 = 3;

/// Why the log was not exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The directory has no store.
    #[error("there is no ledger's store in {0}")]
    NoStore(PathBuf),
    /// The target is not a new or empty directory.
    #[error("{0} exists and is not an empty directory; export into a new one")]
    Target(PathBuf),
    /// The log has no published checkpoint yet.
    #[error("the log has no checkpoint that meets its witness policy yet; try again when its witnesses have answered")]
    NoCheckpoint,
    /// The published checkpoint cannot be read.
    #[error("the published checkpoint cannot be read: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// The store is inconsistent.
    #[error("the stored log is damaged: {0}")]
    Damaged(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file cannot be written.
    #[error("cannot write the export: {0}")]
    Io(#[from] io::Error),
}

/// The extent of an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// Number of entries.
    pub size: u64,
    /// Root of the tree.
    pub root: Hash,
    /// Number of published checkpoints.
    pub checkpoints: u64,
    /// Number of documents.
    pub documents: u64,
    /// Number of records.
    pub records: u64,
}

/// Exports the log in the data directory `data` into the new or empty directory `to`.
///
/// # Errors
/// [`ExportError`]. Nothing remains in `to` then.
pub fn export(data: &Path, to: &Path, records: bool) -> Result<Exported, ExportError> {
    let directory = find_store(data).ok_or_else(|| ExportError::NoStore(data.to_path_buf()))?;
    // If the writer replaces files while they are opened, the reader may see a mixed state. The export checks what it
    // reads, and the next attempt sees a newer state.
    let mut attempt = 1;
    loop {
        let exported = RocksStore::open_read_only(&directory).map_err(ExportError::from);
        match exported.and_then(|store| export_rows(&Rows::new(Arc::new(store)), to, records)) {
            Err(ExportError::Damaged(_) | ExportError::Store(_)) if attempt < MAX_ATTEMPTS => attempt += 1,
            done => return done,
        }
    }
}

/// Exports the log in a database, as it was when the database was opened, into the new or empty directory `to`.
///
/// # Errors
/// [`ExportError`]. Nothing remains in `to` then.
pub fn export_database(config: &PostgresConfig, to: &Path, records: bool) -> Result<Exported, ExportError> {
    refuse_used_target(to)?;
    let store = PostgresStore::open_read_only(config)?;
    export_rows(&Rows::new(Arc::new(store)), to, records)
}

/// Exports the log in `rows`.
pub(crate) fn export_rows(rows: &Rows, to: &Path, records: bool) -> Result<Exported, ExportError> {
    refuse_used_target(to)?;
    let (note, checkpoint) = newest_checkpoint(rows)?;
    let mut aside = to.as_os_str().to_os_string();
    aside.push(format!(".tmp-{}", std::process::id()));
    let aside = PathBuf::from(aside);
    let mut directory = Directory(&aside);
    let mut log = LogFiles::new(rows, &mut directory, records);
    let written = fs::create_dir_all(&aside)
        .map_err(ExportError::from)
        .and_then(|()| log.write(0, checkpoint.size))
        .and_then(|()| log.files.put("checkpoint", note.into_bytes()))
        .and_then(|()| Ok(fs::rename(&aside, to)?));
    if let Err(error) = written {
        // The incomplete export is useless. The original error matters more than a failure to remove it.
        let _ = fs::remove_dir_all(&aside);
        return Err(error);
    }
    Ok(Exported {
        size: checkpoint.size.get(),
        root: checkpoint.root,
        checkpoints: log.checkpoints,
        documents: log.documents,
        records: log.kept_records,
    })
}

fn refuse_used_target(to: &Path) -> Result<(), ExportError> {
    let usable = match fs::read_dir(to) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    };
    if usable {
        Ok(())
    } else {
        Err(ExportError::Target(to.to_path_buf()))
    }
}

/// The newest checkpoint that meets the witness policy, as it is stored. Its root is that of the stored tiles.
pub(crate) fn newest_checkpoint(rows: &Rows) -> Result<(String, Checkpoint), ExportError> {
    let note = if rows.requires_quorum()? {
        rows.published()?
    } else {
        rows.checkpoint()?
    };
    let note = note.ok_or(ExportError::NoCheckpoint)?;
    let checkpoint = parse_checkpoint(note.as_bytes())?;
    if root_at(rows, checkpoint.size)? != checkpoint.root {
        return Err(ExportError::Damaged(
            "the root of its tiles differs from the root of its checkpoint".into(),
        ));
    }
    Ok((note, checkpoint))
}

/// The text of a checkpoint; its signatures are not verified.
pub(crate) fn parse_checkpoint(note: &[u8]) -> Result<Checkpoint, CheckpointError> {
    Note::parse(note).map_err(CheckpointError::from)?.text.parse()
}

/// The root of the tree when it had this size.
pub(crate) fn root_at(rows: &Rows, size: Size) -> Result<Hash, StoreError> {
    let tile = |level, index, width| rows.tile_hashes(level, index, width);
    Ok(Edge::load(size.get(), tile)?.root())
}

/// Where the files of a log go.
pub(crate) trait Files {
    /// Stores a file.
    fn put(&mut self, name: &str, bytes: Vec<u8>) -> Result<(), ExportError>;
}

/// Files below a directory.
struct Directory<'a>(&'a Path);

impl Files for Directory<'_> {
    fn put(&mut self, name: &str, bytes: Vec<u8>) -> Result<(), ExportError> {
        let path = self.0.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        Ok(fs::write(path, bytes)?)
    }
}

/// Writes a log as static files.
pub(crate) struct LogFiles<'a, F> {
    rows: &'a Rows,
    files: &'a mut F,
    records: bool,
    checkpoints: u64,
    documents: u64,
    kept_records: u64,
}

impl<'a, F: Files> LogFiles<'a, F> {
    /// Files of the log in `rows`, with `records` also its sealed records.
    pub(crate) fn new(rows: &'a Rows, files: &'a mut F, records: bool) -> Self {
        Self {
            rows,
            files,
            records,
            checkpoints: 0,
            documents: 0,
            kept_records: 0,
        }
    }

    /// Writes all files of a tree of this size but its checkpoint, except those that a tree of size `from` has
    /// complete.
    pub(crate) fn write(&mut self, from: u64, size: Size) -> Result<(), ExportError> {
        self.tiles(from, size)?;
        for index in from / TILE_WIDTH..size.get().div_ceil(TILE_WIDTH) {
            let Some(bundle) = Bundle::of_tree(index, size) else {
                continue;
            };
            let bytes = self.rows.bundle(index, bundle.width())?;
            let bytes = bytes.ok_or_else(|| ExportError::Damaged(format!("bundle {index} is missing")))?;
            self.attachments(index * TILE_WIDTH, &bytes, bundle.width())?;
            self.files.put(&bundle.to_string(), bytes)?;
        }
        self.history(from, size)
    }

    fn history(&mut self, mut from: u64, size: Size) -> Result<(), ExportError> {
        while let Some((of, note)) = self.rows.checkpoint_from(from)?.filter(|(of, _)| *of <= size.get()) {
            self.files.put(&format!("checkpoints/{of}"), note.into_bytes())?;
            self.checkpoints += 1;
            from = of + 1;
        }
        Ok(())
    }

    fn tiles(&mut self, from: u64, size: Size) -> Result<(), ExportError> {
        for level in 0..8u8 {
            let nodes = |size: u64| size >> (u32::from(level) * 8);
            for index in nodes(from) / TILE_WIDTH..nodes(size.get()).div_ceil(TILE_WIDTH) {
                let Some(tile) = Tile::of_tree(level, index, size) else {
                    continue;
                };
                let bytes = self.rows.tile(level, index, tile.width())?;
                let bytes = bytes.ok_or_else(|| ExportError::Damaged(format!("{tile} is missing")))?;
                self.files.put(&tile.to_string(), bytes)?;
            }
        }
        Ok(())
    }

    /// Writes the documents and records of a bundle's entries.
    fn attachments(&mut self, first: u64, bundle: &[u8], width: u16) -> Result<(), ExportError> {
        let entries =
            decode_bundle(bundle, width).map_err(|error: BundleError| ExportError::Damaged(error.to_string()))?;
        for (index, leaf) in (first..).zip(entries) {
            let entry =
                SignedEntry::parse(leaf).map_err(|error| ExportError::Damaged(format!("entry {index}: {error}")))?;
            let body = &entry.entry().body;
            if let Some(digest) = body.document() {
                let document = self.rows.store().get(Column::Documents, &digest.0)?;
                let document = document.ok_or_else(|| ExportError::Damaged(format!("document {digest} is missing")))?;
                self.document(&digest, &document)?;
                if TrustKind::of_entry(body.kind()).is_some() {
                    let (_, set) = stored_set(self.rows, index)?;
                    self.document(&set.header().operations, set.operations().bytes())?;
                }
            }
            if self.records
                && body.commitment().is_some()
                && let Some(record) = self.rows.store().get(Column::Records, &index.to_be_bytes())?
            {
                self.files.put(&format!("records/{index}"), record)?;
                self.kept_records += 1;
            }
        }
        Ok(())
    }

    fn document(&mut self, digest: &Hash, bytes: &[u8]) -> Result<(), ExportError> {
        self.documents += 1;
        self.files.put(&format!("documents/{digest}"), bytes.to_vec())
    }
}
