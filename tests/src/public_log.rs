//! The public log, read as everybody can read it: its entries, its tree, and the maps before any entry.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use record::{Body, Kind, NewestSets, Period, PeriodEvent, SignedEntry};
use tlog::checkpoint::Checkpoint;
use tlog::map::{Map, Value};
use tlog::merkle::{Index, MemoryTree, Size, Subtree, leaf_hash, subtree_hash};
use tlog::note::Note;
use tlog::tile::{bundles_for_size, decode_bundle, encode_bundle, tiles_for_size};

use crate::http;

/// Number of tree levels in a tile.
const TILE_HEIGHT: u8 = 8;

/// The maps of all periods, map 0 among them.
pub type Maps = BTreeMap<Period, Map>;

/// All entries of a log, up to a checkpoint.
#[derive(Clone)]
pub struct PublicLog {
    /// The entries' bytes.
    pub leaves: Vec<Vec<u8>>,
}

impl PublicLog {
    /// Reads a running ledger up to its head.
    pub fn of_ledger(url: &str) -> Result<Self> {
        let client = http()?;
        let get = |path: &str| {
            let answer = client.get(format!("{url}/{path}")).send()?;
            ensure!(answer.status() == 200, "{path}: {}", answer.status());
            Ok(answer.bytes()?.to_vec())
        };
        Self::read(&get("head")?, get)
    }

    /// Reads an export.
    pub fn of_export(folder: &Path) -> Result<Self> {
        let get = |path: &str| std::fs::read(folder.join(path)).with_context(|| path.to_owned());
        Self::read(&get("checkpoint")?, get)
    }

    fn read(head: &[u8], get: impl Fn(&str) -> Result<Vec<u8>>) -> Result<Self> {
        let mut leaves = Vec::new();
        for bundle in bundles_for_size(claimed(head)?.size) {
            let bytes = get(&bundle.to_string())?;
            leaves.extend(decode_bundle(&bytes, bundle.width())?.into_iter().map(<[u8]>::to_vec));
        }
        Ok(Self { leaves })
    }

    /// The entries with the newest change sets among the first `size` entries.
    pub fn newest_before(&self, size: u64) -> Result<NewestSets> {
        let mut newest = (None, None);
        for index in 0..size {
            match self.entry(index)?.entry().body.kind() {
                Kind::Directory => newest.0 = Some(Index::new(index)?),
                Kind::Registry => newest.1 = Some(Index::new(index)?),
                _ => {}
            }
        }
        Ok(NewestSets {
            directory: newest.0.context("a directory")?,
            registerlandkarte: newest.1.context("a Registerlandkarte")?,
        })
    }

    /// Writes the log into an export's folder, under `checkpoint`.
    pub fn write(&self, folder: &Path, checkpoint: &[u8]) -> Result<()> {
        let write = |path: String, bytes: &[u8]| {
            let path = folder.join(path);
            std::fs::create_dir_all(path.parent().context("a folder")?)?;
            Ok::<_, anyhow::Error>(std::fs::write(path, bytes)?)
        };
        write("checkpoint".to_owned(), checkpoint)?;
        let size = Size::new(self.leaves.len() as u64)?;
        let mut tree = self.tree(size)?;
        for tile in tiles_for_size(size) {
            let mut bytes = Vec::new();
            for at in 0..u64::from(tile.width()) {
                let height = tile.level() * TILE_HEIGHT;
                let first = (tile.index() * 256 + at) << height;
                let hash = subtree_hash(&mut tree, Subtree::new(first, first + (1 << height))?)?;
                bytes.extend_from_slice(&hash.0);
            }
            write(tile.to_string(), &bytes)?;
        }
        for bundle in bundles_for_size(size) {
            let from = usize::try_from(bundle.index() * 256)?;
            let entries = &self.leaves[from..from + usize::from(bundle.width())];
            write(bundle.to_string(), &encode_bundle(entries)?)?;
        }
        Ok(())
    }

    /// An entry.
    pub fn entry(&self, index: u64) -> Result<SignedEntry> {
        let leaf = self.leaves.get(usize::try_from(index)?);
        Ok(SignedEntry::parse(leaf.context("no such entry")?.clone())?)
    }

    /// How many entries of a kind there are.
    pub fn count(&self, kind: Kind) -> Result<usize> {
        let mut count = 0;
        for index in 0..self.leaves.len() as u64 {
            count += usize::from(self.entry(index)?.entry().body.kind() == kind);
        }
        Ok(count)
    }

    /// The tree of the first `size` entries.
    pub fn tree(&self, size: Size) -> Result<MemoryTree> {
        let mut tree = MemoryTree::new();
        for leaf in self.leaves.iter().take(usize::try_from(size.get())?) {
            tree.append(leaf_hash(leaf))?;
        }
        ensure!(tree.size() == size, "the log has no {size} entries");
        Ok(tree)
    }

    /// The maps over all entries before `index`. For a label that was used twice they have the first entry.
    pub fn maps_before(&self, index: u64) -> Result<Maps> {
        let mut maps = Maps::from([(Period::MAP0, Map::new())]);
        for at in 0..index {
            let entry = self.entry(at)?;
            let body = &entry.entry().body;
            if let Body::Period {
                period,
                event: PeriodEvent::Begin { .. },
            } = body
            {
                maps.entry(*period).or_default();
            }
            if let Some((period, label)) = body.map_key() {
                let value = Value {
                    index: Index::new(at)?,
                    leaf: entry.leaf_hash(),
                };
                let _ = maps.entry(period).or_default().insert(label.0, value);
            }
        }
        Ok(maps)
    }
}

/// Parses the checkpoint of a note without verifying its signatures.
pub fn claimed(note: &[u8]) -> Result<Checkpoint> {
    Ok(Note::parse(note)?.text.parse()?)
}
