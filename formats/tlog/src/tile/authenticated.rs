//! Reads tree nodes from the tiles of an untrusted server.
//!
//! The root of a tree is the fold of its complete subtrees, one for each set bit of the size. The subtrees of the bits
//! 8·L … 8·L+7 are exactly the contents of the partial tile of level L. So the partial tiles together hash to the
//! root, and they are authentic when they do. Every other tile is full, and its root is a hash in the tile above, which
//! is authenticated first.
//!
//! A proof computed from unauthenticated tiles would fail when it is verified. A hash that is used or stored in another
//! way has no such check, so this reader returns authentic hashes only.

use std::collections::{BTreeMap, VecDeque};

use super::FULL_WIDTH;
use super::hashes::{NodePosition, TileHashes, TileLengthError};
use super::layout::Tile;
use crate::Hash;
use crate::merkle::{EMPTY_ROOT, HashReader, Size, node_hash};

/// The number of cached full tiles: half a megabyte.
const CACHED_TILES: usize = 64;

/// A source of tiles.
pub trait TileSource {
    /// Why a tile is not available.
    type Error;

    /// Returns the bytes of a tile, exactly as wide as requested. For a partial tile, a server may have only the full
    /// tile left (TT-6): the source then returns the first hashes of the full tile.
    ///
    /// # Errors
    /// When the tile is not available.
    fn tile(&mut self, tile: Tile) -> Result<Vec<u8>, Self::Error>;
}

impl<S: TileSource + ?Sized> TileSource for &mut S {
    type Error = S::Error;

    fn tile(&mut self, tile: Tile) -> Result<Vec<u8>, Self::Error> {
        (**self).tile(tile)
    }
}

/// Why a node or a tile is not returned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthenticationError<E> {
    /// The source failed; a retry may succeed.
    #[error("a tile cannot be read: {0}")]
    Source(E),
    /// The tile has a wrong length, so the source is wrong.
    #[error(transparent)]
    Length(TileLengthError),
    /// The tile does not hash to the value in the tile above, so the source is wrong.
    #[error("{0} does not belong to the tree: its hash is not in the level above")]
    Tile(Tile),
    /// The partial tiles do not hash to the root: one of them is wrong, or the root belongs to another tree.
    #[error("the tiles at the right edge do not hash to the root of the tree of {0} entries")]
    Root(Size),
    /// The tree has no such complete node or tile.
    #[error("the tree has no complete node {index} at level {level}")]
    OutOfTree {
        /// Level of the node, or of the tile.
        level: u8,
        /// Index of the node or tile.
        index: u64,
    },
}

/// Reads the nodes and tiles of the tree with a given size and root, and refuses all others.
#[derive(Debug)]
pub struct AuthenticatedTiles<S> {
    source: S,
    size: Size,
    root: Hash,
    /// The partial tiles by level, after they were found to hash to the root.
    edge: Option<BTreeMap<u8, TileHashes>>,
    /// Authentic full tiles by level and index.
    full: BTreeMap<(u8, u64), TileHashes>,
    /// The order in which full tiles were cached; the oldest is dropped first.
    order: VecDeque<(u8, u64)>,
}

impl<S: TileSource> AuthenticatedTiles<S> {
    /// Makes a reader of the tree of `size` with `root`, both from a verified checkpoint. This fetches nothing.
    #[must_use]
    pub const fn new(source: S, size: Size, root: Hash) -> Self {
        Self {
            source,
            size,
            root,
            edge: None,
            full: BTreeMap::new(),
            order: VecDeque::new(),
        }
    }

    /// Size of the tree.
    #[must_use]
    pub const fn size(&self) -> Size {
        self.size
    }

    /// Returns the source.
    #[must_use]
    pub fn into_source(self) -> S {
        self.source
    }

    /// Returns the authentic tile `index` of `level`, as wide as it is in the tree.
    ///
    /// # Errors
    /// [`AuthenticationError`] when the tree has no such tile, the source fails, or the tile is not authentic.
    pub fn tile(&mut self, level: u8, index: u64) -> Result<&TileHashes, AuthenticationError<S::Error>> {
        let out_of_tree = AuthenticationError::OutOfTree { level, index };
        let tile = Tile::of_tree(level, index, self.size).ok_or(out_of_tree)?;
        self.load_edge()?;
        if tile.is_full() {
            self.load_full(level, index)?;
        }
        let edge = self.edge.as_ref().and_then(|edge| edge.get(&level));
        let found = if tile.is_full() {
            self.full.get(&(level, index))
        } else {
            edge
        };
        found.ok_or(AuthenticationError::OutOfTree { level, index })
    }

    /// Fetches the partial tiles and checks them against the root.
    fn load_edge(&mut self) -> Result<(), AuthenticationError<S::Error>> {
        if self.edge.is_some() {
            return Ok(());
        }
        let mut edge = BTreeMap::new();
        let mut root = None;
        // The lowest level contains the rightmost subtrees, so this folds from right to left.
        for level in 0..8 {
            let count = self.size.get() >> (8 * u32::from(level));
            let Some(tile) = Tile::of_tree(level, count / u64::from(FULL_WIDTH), self.size) else {
                continue;
            };
            let hashes = self.fetch(tile)?;
            root = Some(fold(&hashes, root));
            edge.insert(level, hashes);
        }
        if root.unwrap_or(EMPTY_ROOT) != self.root {
            return Err(AuthenticationError::Root(self.size));
        }
        self.edge = Some(edge);
        Ok(())
    }

    /// Loads a full tile into the cache, and before it all tiles between it and the first authentic tile above.
    fn load_full(&mut self, level: u8, index: u64) -> Result<(), AuthenticationError<S::Error>> {
        let mut missing = Vec::new();
        let (mut at_level, mut at_index) = (level, index);
        let mut expected = loop {
            if self.full.contains_key(&(at_level, at_index)) {
                break None;
            }
            missing.push((at_level, at_index));
            let [within, ..] = at_index.to_le_bytes();
            let (parent_level, parent_index) = (at_level + 1, at_index >> 8);
            let parent = Tile::of_tree(parent_level, parent_index, self.size);
            if !parent.is_some_and(Tile::is_full) {
                let edge = self.edge.as_ref().and_then(|edge| edge.get(&parent_level));
                break edge.and_then(|edge| edge.get(u16::from(within)));
            }
            (at_level, at_index) = (parent_level, parent_index);
        };
        while let Some((level, index)) = missing.pop() {
            let tile = Tile::full(level, index);
            let [within, ..] = index.to_le_bytes();
            let parent = self.full.get(&(level + 1, index >> 8));
            let wanted = expected.take().or_else(|| parent?.get(u16::from(within)));
            let hashes = self.fetch(tile)?;
            if wanted.is_none() || hashes.root() != wanted {
                return Err(AuthenticationError::Tile(tile));
            }
            self.keep((level, index), hashes);
        }
        Ok(())
    }

    fn fetch(&mut self, tile: Tile) -> Result<TileHashes, AuthenticationError<S::Error>> {
        let bytes = self.source.tile(tile).map_err(AuthenticationError::Source)?;
        TileHashes::parse(tile, &bytes).map_err(AuthenticationError::Length)
    }

    /// Caches an authentic tile. At most 8 are needed at once, so dropping the oldest never drops a parent just loaded.
    fn keep(&mut self, key: (u8, u64), hashes: TileHashes) {
        if self.order.len() == CACHED_TILES
            && let Some(oldest) = self.order.pop_front()
        {
            self.full.remove(&oldest);
        }
        self.order.push_back(key);
        self.full.insert(key, hashes);
    }
}

/// Folds the complete subtrees of a partial tile, from right to left, onto the hash of everything to their right.
fn fold(hashes: &TileHashes, right: Option<Hash>) -> Hash {
    let mut end = hashes.hashes().len();
    let mut root = right;
    while end > 0 {
        // The lowest set bit of the remaining width is the width of the rightmost complete subtree.
        let count = 1 << end.trailing_zeros();
        end -= count;
        let (first, count) = (u16::try_from(end).unwrap_or(0), u16::try_from(count).unwrap_or(0));
        if let Some(node) = hashes.node(first, count) {
            root = Some(root.map_or(node, |right| node_hash(&node, &right)));
        }
    }
    root.unwrap_or(EMPTY_ROOT)
}

impl<S: TileSource> HashReader for AuthenticatedTiles<S> {
    type Error = AuthenticationError<S::Error>;

    fn read(&mut self, level: u8, index: u64) -> Result<Hash, Self::Error> {
        let at = NodePosition::of(level, index);
        let out_of_tree = AuthenticationError::OutOfTree { level, index };
        let complete = index
            .checked_add(1)
            .is_some_and(|next| level < 63 && next <= self.size.get() >> level);
        if !complete {
            return Err(out_of_tree);
        }
        let tile = self.tile(at.tile_level, at.tile_index)?;
        tile.node(at.first, at.count).ok_or(out_of_tree)
    }
}
