//! A durable, signed state of the log, shared by all readers.

use std::sync::Arc;

use tlog::Hash;
use tlog::merkle::{EMPTY_ROOT, HashReader as _, Index, Size};

use super::edge::Edge;
use super::reader::TreeReader;
use super::rows::TreeHead;
use super::tiles::TileCache;
use crate::store::StoreError;

/// A durable head, its signed checkpoint, and the nodes that proofs are made from.
pub struct Snapshot {
    /// Size and root of the tree.
    pub head: TreeHead,
    /// The checkpoint, signed by the log's valid keys.
    pub note: String,
    /// The edge before it was trimmed. It has every node on the paths of the newest entries.
    pub edge: Edge,
    /// See [`Edge::remainders`].
    remainders: Vec<Option<Hash>>,
    /// The full tiles of the log.
    tiles: Arc<TileCache>,
}

impl Snapshot {
    /// A snapshot of the tree with this edge, whose head is durable and signed as `note`.
    pub fn new(note: String, edge: Edge, tiles: Arc<TileCache>) -> Self {
        let remainders = edge.remainders();
        let root = remainders.last().copied().flatten().unwrap_or(EMPTY_ROOT);
        let head = TreeHead {
            size: edge.size(),
            root,
        };
        Self {
            head,
            note,
            edge,
            remainders,
            tiles,
        }
    }

    /// The full tiles of the log.
    pub fn tiles(&self) -> &Arc<TileCache> {
        &self.tiles
    }

    /// The inclusion path of `index` in the tree of `size` leaves. `size` is at most the size of this snapshot.
    pub fn inclusion(&self, index: u64, size: u64) -> Result<Vec<Hash>, StoreError> {
        if index < size && size == self.head.size {
            return self.newest_inclusion(index);
        }
        self.reader().inclusion(Index::new(index)?, Size::new(size)?)
    }

    /// The proof of several entries, ascending, in the tree of `size` leaves. `size` is at most the size of this
    /// snapshot.
    pub fn inclusion_batch(&self, indices: &[Index], size: u64) -> Result<Vec<Hash>, StoreError> {
        self.reader().inclusion_batch(indices, Size::new(size)?)
    }

    /// The root of the first `size` leaves. `size` is at most the size of this snapshot.
    pub fn root(&self, size: u64) -> Result<Hash, StoreError> {
        self.reader().root(Size::new(size)?)
    }

    /// The consistency proof from `old` to `new` leaves. `new` is at most the size of this snapshot.
    pub fn consistency(&self, old: u64, new: u64) -> Result<Vec<Hash>, StoreError> {
        self.reader().consistency(Size::new(old)?, Size::new(new)?)
    }

    /// PATH(index) (RFC 6962 §2.1.1) in the whole tree. Its incomplete nodes are the remainders, so nothing is hashed.
    fn newest_inclusion(&self, index: u64) -> Result<Vec<Hash>, StoreError> {
        let mut reader = self.reader();
        let heights = u64::BITS - (self.head.size - 1).leading_zeros();
        let mut path = Vec::with_capacity(heights as usize);
        for height in 0..heights as u8 {
            let (sibling, complete) = (index >> height ^ 1, self.head.size >> height);
            if sibling < complete {
                path.push(reader.read(height, sibling)?);
            } else if sibling == complete {
                path.extend(self.remainders.get(usize::from(height)).copied().flatten());
            }
        }
        Ok(path)
    }

    fn reader(&self) -> TreeReader<'_> {
        TreeReader::new(&self.edge, &self.tiles)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::engine::rows::Rows;
    use crate::store::memory::MemoryStore;
    use crate::store::{Batch, Durability, Store};
    use tlog::merkle::{MemoryTree, inclusion_proof, leaf_hash};

    /// Compares every proof in trees around the sizes at which tiles fill, from untrimmed and trimmed edges.
    #[test]
    fn inclusion_paths_equal_those_of_the_whole_tree() {
        let store = Arc::new(MemoryStore::new());
        let rows = Rows::new(store.clone());
        let tiles = Arc::new(TileCache::new(rows));
        let (mut edge, mut tree) = (Edge::default(), MemoryTree::new());
        for size in [
            1u64, 2, 3, 7, 8, 200, 255, 256, 257, 511, 512, 700, 1025, 65_536, 65_793, 66_000,
        ] {
            let mut batch = Batch::default();
            let old = edge.size();
            for index in old..size {
                let leaf = leaf_hash(&index.to_be_bytes());
                edge.append(leaf);
                tree.append(leaf).unwrap();
            }
            for tile in edge.changed_tiles(old) {
                Rows::put_tile(&mut batch, tile.level, tile.index, tile.hashes);
            }
            store.write(&batch, Durability::Synced).unwrap();
            let trimmed = edge.trimmed();
            for edge in [edge, trimmed.clone()] {
                let snapshot = Snapshot::new(String::new(), edge, tiles.clone());
                assert_eq!(snapshot.head.root, tree.root());
                for index in (0..size).filter(|index| size < 2000 || index % 997 < 2 || index + 300 > size) {
                    let index_in = Index::new(index).unwrap();
                    for part in [size, size - (size - index) / 2] {
                        let expected = inclusion_proof(&mut tree, index_in, Size::new(part).unwrap()).unwrap();
                        assert_eq!(snapshot.inclusion(index, part).unwrap(), expected, "{index} of {part}");
                    }
                }
                assert!(snapshot.inclusion(size, size).is_err());
            }
            edge = trimmed;
        }
    }
}
