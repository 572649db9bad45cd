//! The contents of a tile, and the position of a tree node in it.

use super::FULL_WIDTH;
use super::layout::Tile;
use crate::Hash;
use crate::merkle::node_hash;

/// The hashes of a tile, which prove nothing by themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TileHashes(Vec<Hash>);

/// The file does not have the length of its tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{tile} has {expected} bytes, not {found}", expected = tile.byte_length())]
pub struct TileLengthError {
    /// The tile.
    pub tile: Tile,
    /// Length of the file in bytes.
    pub found: usize,
}

/// The position of a complete tree node: it is the root of `count` consecutive hashes (a power of two) of a tile,
/// starting with hash `first`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodePosition {
    /// Level of the tile.
    pub tile_level: u8,
    /// Index of the tile.
    pub tile_index: u64,
    /// First hash, 0 to 255.
    pub first: u16,
    /// Number of hashes: 1, 2, 4 … 128.
    pub count: u16,
}

impl NodePosition {
    /// Finds the node `index` of tree level `level`.
    #[must_use]
    pub fn of(level: u8, index: u64) -> Self {
        let within = level % 8;
        // The low 8 − within bits of the index are the node's position in its tile.
        let mask = (1_u64 << (8 - within)) - 1;
        let [low, ..] = (index & mask).to_le_bytes();
        Self {
            tile_level: level / 8,
            tile_index: index >> (8 - within),
            first: u16::from(low) << within,
            count: 1 << within,
        }
    }
}

impl TileHashes {
    /// Parses the file of a tile.
    ///
    /// # Errors
    /// [`TileLengthError`] when the file does not have the length of the tile.
    pub fn parse(tile: Tile, bytes: &[u8]) -> Result<Self, TileLengthError> {
        let found = bytes.len();
        if found != tile.byte_length() {
            return Err(TileLengthError { tile, found });
        }
        let (hashes, _) = bytes.as_chunks::<32>();
        Ok(Self(hashes.iter().copied().map(Hash).collect()))
    }

    /// The hashes.
    #[must_use]
    pub fn hashes(&self) -> &[Hash] {
        &self.0
    }

    /// The hash at a position, or `None` beyond the tile's width.
    #[must_use]
    pub fn get(&self, at: u16) -> Option<Hash> {
        self.0.get(usize::from(at)).copied()
    }

    /// The node over `count` hashes (a power of two) from `first` on; `None` when the tile does not have all of them.
    #[must_use]
    pub fn node(&self, first: u16, count: u16) -> Option<Hash> {
        let first = usize::from(first);
        let hashes = self.0.get(first..first.checked_add(usize::from(count))?)?;
        if !count.is_power_of_two() {
            return None;
        }
        Some(perfect_root(hashes))
    }

    /// The root of a full tile, which is a hash of the level above; `None` for a partial tile.
    #[must_use]
    pub fn root(&self) -> Option<Hash> {
        self.node(0, FULL_WIDTH)
    }
}

/// Root over 1 to 256 hashes, whose number is a power of two.
fn perfect_root(hashes: &[Hash]) -> Hash {
    let mut row = [Hash([0; 32]); FULL_WIDTH as usize];
    let mut width = hashes.len();
    row[..width].copy_from_slice(hashes);
    while width > 1 {
        width /= 2;
        for at in 0..width {
            row[at] = node_hash(&row[2 * at], &row[2 * at + 1]);
        }
    }
    row[0]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::merkle::{HashReader as _, MemoryTree, leaf_hash};

    #[test]
    fn nodes_are_found_in_tiles() {
        let mut tree = MemoryTree::new();
        for n in 0..2000_u32 {
            tree.append(leaf_hash(&n.to_be_bytes())).unwrap();
        }
        for (level, index) in [(0, 0), (0, 1999), (1, 999), (3, 77), (7, 14), (8, 6), (9, 2), (10, 0)] {
            let at = NodePosition::of(level, index);
            let tile = Tile::of_tree(at.tile_level, at.tile_index, tree.size()).unwrap();
            let mut bytes = Vec::new();
            for hash in 0..u64::from(tile.width()) {
                let hash = tree.read(8 * tile.level(), 256 * tile.index() + hash).unwrap();
                bytes.extend(hash.0);
            }
            let hashes = TileHashes::parse(tile, &bytes).unwrap();
            assert_eq!(
                hashes.node(at.first, at.count),
                tree.read(level, index).ok(),
                "{level} {index}"
            );
        }
    }

    #[test]
    fn a_file_of_another_length_is_refused() {
        let tile = Tile::new(0, 0, 2).unwrap();
        assert!(TileHashes::parse(tile, &[0; 63]).is_err() && TileHashes::parse(tile, &[0; 96]).is_err());
        let hashes = TileHashes::parse(tile, &[7; 64]).unwrap();
        assert_eq!(hashes.get(1), Some(Hash([7; 32])));
        assert_eq!(hashes.get(2), None);
        assert_eq!(hashes.node(1, 2), None);
        assert_eq!(hashes.node(0, 0), None);
        assert_eq!(hashes.root(), None);
    }
}
