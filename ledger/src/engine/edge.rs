//! The right edge of the tree, in memory: all nodes of the tiles that are not full yet.
//!
//! For each tree level `h` (0 is the leaf hashes), the edge has the complete nodes from the start of the rightmost
//! tile. For every eight levels these are at most 256 hashes and their interior nodes, 16 KiB in all, whatever the size
//! of the tree. The edge grows during a batch. The receipts of the batch are computed from it without hashing an
//! interior node again, and [`Edge::trimmed`] returns the edge that the next batch starts with.
//!
//! Invariant: level `h` of the tree has `size >> h` nodes. The edge has the nodes `first..size >> h` of them, and
//! `first` is the number of nodes in full tiles at the last trim.

use tlog::Hash;
use tlog::merkle::{EMPTY_ROOT, node_hash};

/// Height of a tile (tlog-tiles): eight tree levels.
pub const TILE_HEIGHT: u32 = 8;
/// Hashes in a full tile.
pub const TILE_WIDTH: u64 = 256;

/// The right edge of a tree.
#[derive(Clone, Debug, Default)]
pub struct Edge {
    size: u64,
    levels: Vec<Level>,
}

#[derive(Clone, Debug, Default)]
struct Level {
    first: u64,
    hashes: Vec<Hash>,
}

/// A tile that a batch has changed: its coordinates and all its hashes.
pub struct ChangedTile<'a> {
    /// Tile level.
    pub level: u8,
    /// Number of the tile within its level.
    pub index: u64,
    /// Its 1 to 256 hashes.
    pub hashes: &'a [Hash],
}

impl Edge {
    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Loads the edge of a stored tree. `tile(level, index, width)` reads the first `width` hashes of a tile.
    pub fn load<E>(size: u64, mut tile: impl FnMut(u8, u64, u16) -> Result<Vec<Hash>, E>) -> Result<Self, E> {
        let mut edge = Self {
            size,
            levels: Vec::new(),
        };
        let mut level = 0u8;
        let mut nodes = size;
        while nodes > 0 {
            let (index, width) = (nodes / TILE_WIDTH, nodes % TILE_WIDTH);
            let hashes = if width == 0 {
                Vec::new()
            } else {
                tile(level, index, width as u16)?
            };
            edge.push_interiors(Level {
                first: index * TILE_WIDTH,
                hashes,
            });
            nodes /= TILE_WIDTH;
            level += 1;
        }
        Ok(edge)
    }

    fn push_interiors(&mut self, lowest: Level) {
        let mut level = lowest;
        for _ in 0..TILE_HEIGHT {
            let above = Level {
                first: level.first / 2,
                hashes: level
                    .hashes
                    .chunks_exact(2)
                    .map(|pair| node_hash(&pair[0], &pair[1]))
                    .collect(),
            };
            self.levels.push(std::mem::replace(&mut level, above));
        }
    }

    /// Adds a leaf.
    pub fn append(&mut self, leaf: Hash) {
        let mut index = self.size;
        let mut hash = leaf;
        self.size += 1;
        for height in 0.. {
            if self.levels.len() == height {
                self.levels.push(Level::default());
            }
            let level = &mut self.levels[height];
            level.hashes.push(hash);
            if index.is_multiple_of(2) {
                return;
            }
            // Tiles begin at even nodes, so the edge has the left sibling, too.
            let left = level.hashes[level.hashes.len() - 2];
            hash = node_hash(&left, &hash);
            index /= 2;
        }
    }

    /// A complete node; `None` if the edge does not have it.
    pub fn node(&self, height: u8, index: u64) -> Option<Hash> {
        let level = self.levels.get(usize::from(height))?;
        let offset = usize::try_from(index.checked_sub(level.first)?).ok()?;
        level.hashes.get(offset).copied()
    }

    /// The root of the tree.
    pub fn root(&self) -> Hash {
        self.remainders().last().copied().flatten().unwrap_or(EMPTY_ROOT)
    }

    /// For each height `h` from 0 upwards, the root over the last `size mod 2^h` leaves; `None` if that is no leaf. The
    /// last element is the root of the tree.
    ///
    /// These roots combine the complete subtrees of the size's binary form from the right. They are the only incomplete
    /// nodes that a proof in this tree can contain.
    pub fn remainders(&self) -> Vec<Option<Hash>> {
        let mut remainders = vec![None];
        let mut remainder = None;
        for (height, level) in self.levels.iter().enumerate() {
            if self.size >> height & 1 == 1
                && let Some(left) = level.hashes.last()
            {
                remainder = Some(remainder.map_or(*left, |right| node_hash(left, &right)));
            }
            remainders.push(remainder);
        }
        remainders
    }

    /// The tiles that have grown since the tree had `old` leaves. `old` must not be less than the size at the last
    /// trim.
    pub fn changed_tiles(&self, old: u64) -> Vec<ChangedTile<'_>> {
        let mut tiles = Vec::new();
        for (number, level) in self.levels.iter().step_by(TILE_HEIGHT as usize).enumerate() {
            let shift = number as u32 * TILE_HEIGHT;
            let (before, now) = (old >> shift, self.size >> shift);
            if before == now {
                break;
            }
            for index in before / TILE_WIDTH..now.div_ceil(TILE_WIDTH) {
                let start = (index * TILE_WIDTH - level.first) as usize;
                let end = level.hashes.len().min(start + TILE_WIDTH as usize);
                tiles.push(ChangedTile {
                    level: number as u8,
                    index,
                    hashes: &level.hashes[start..end],
                });
            }
        }
        tiles
    }

    /// The same edge without the tiles that are full.
    pub fn trimmed(&self) -> Self {
        let keep = |(height, level): (usize, &Level)| {
            let above = (height as u32 / TILE_HEIGHT + 1) * TILE_HEIGHT;
            // A shift by 64 would overflow; there are fewer than 2^63 leaves.
            let full_tiles = self.size.checked_shr(above).unwrap_or(0);
            let first = full_tiles << (above - height as u32);
            Level {
                first,
                hashes: level.hashes[(first - level.first) as usize..].to_vec(),
            }
        };
        Self {
            size: self.size,
            levels: self.levels.iter().enumerate().map(keep).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use tlog::merkle::{MemoryTree, leaf_hash};

    type Tiles = BTreeMap<(u8, u64), Vec<Hash>>;

    fn grow(edge: &mut Edge, tree: &mut MemoryTree, tiles: &mut Tiles, count: u64) {
        let old = edge.size();
        for _ in 0..count {
            let leaf = leaf_hash(&edge.size().to_be_bytes());
            edge.append(leaf);
            tree.append(leaf).unwrap();
        }
        for tile in edge.changed_tiles(old) {
            tiles.insert((tile.level, tile.index), tile.hashes.to_vec());
        }
    }

    fn check(edge: &Edge, tree: &mut MemoryTree, tiles: &Tiles) {
        use tlog::merkle::HashReader;
        assert_eq!(edge.root(), tree.root());
        let loaded = Edge::load(edge.size(), |level, index, width| {
            Ok::<_, ()>(tiles[&(level, index)][..usize::from(width)].to_vec())
        })
        .unwrap();
        assert_eq!(loaded.root(), tree.root());
        for height in 0..20u8 {
            for index in (edge.size() >> height).saturating_sub(600)..edge.size() >> height {
                let expected = tree.read(height, index).unwrap();
                assert!(edge.node(height, index).is_none_or(|hash| hash == expected));
                assert!(loaded.node(height, index).is_none_or(|hash| hash == expected));
            }
            // The edge has every node of a tile that is not full.
            let tile = u32::from(height) / TILE_HEIGHT + 1;
            let first = (edge.size() >> (tile * TILE_HEIGHT)) << (tile * TILE_HEIGHT - u32::from(height));
            for index in first..edge.size() >> height {
                assert!(edge.node(height, index).is_some() && loaded.node(height, index).is_some());
            }
        }
        for ((level, index), hashes) in tiles {
            for (offset, hash) in hashes.iter().enumerate() {
                assert_eq!(*hash, tree.read(level * 8, index * 256 + offset as u64).unwrap());
            }
        }
    }

    #[test]
    fn an_empty_edge_has_the_empty_root_and_no_tiles() {
        let edge = Edge::default();
        assert_eq!(edge.root(), EMPTY_ROOT);
        assert!(edge.changed_tiles(0).is_empty());
        assert_eq!(edge.trimmed().size(), 0);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn an_edge_agrees_with_the_whole_tree(batches in prop::collection::vec(1u64..700, 1..8), big in prop::bool::ANY) {
            let (mut edge, mut tree, mut tiles) = (Edge::default(), MemoryTree::new(), Tiles::new());
            if big {
                grow(&mut edge, &mut tree, &mut tiles, 65_400);
                edge = edge.trimmed();
            }
            for count in batches {
                grow(&mut edge, &mut tree, &mut tiles, count);
                check(&edge, &mut tree, &tiles);
                edge = edge.trimmed();
                check(&edge, &mut tree, &tiles);
            }
        }
    }
}
