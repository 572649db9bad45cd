//! A cache of full tiles with their interior nodes.
//!
//! A proof needs nodes between the stored levels, which are roots of parts of a tile; computing all of them for a tile
//! takes 255 hashes. The nodes of a full tile never change, so the cache keeps them together, up to a bound, and a
//! proof from cached tiles needs no hashing. Tiles above the leaf level are 1/256 of all tiles and part of every proof,
//! so in practice they stay cached.
//!
//! Tiles that are not full yet are in the [`super::edge`] and never in this cache.

use std::sync::Arc;

use quick_cache::sync::Cache;
use tlog::Hash;
use tlog::merkle::node_hash;

use super::edge::{TILE_HEIGHT, TILE_WIDTH};
use super::rows::Rows;
use crate::store::StoreError;

const TILE_LEN: usize = TILE_WIDTH as usize;
/// The most cached tiles; at 16 KiB each, they take 32 MiB.
const MAX_CACHED_TILES: usize = 2048;

/// All nodes of a full tile except its root: 256 hashes, then their 128 parents, and so on down to 2.
struct TileNodes(Box<[Hash]>);

impl TileNodes {
    fn of(hashes: Vec<Hash>) -> Self {
        let mut nodes = hashes;
        nodes.reserve_exact(TILE_LEN);
        let mut at = 0;
        while at + 2 < nodes.len() {
            nodes.push(node_hash(&nodes[at], &nodes[at + 1]));
            at += 2;
        }
        Self(nodes.into_boxed_slice())
    }

    /// Node `index` at `height` (0 to 7) above the tile's hashes.
    fn get(&self, height: u32, index: usize) -> Option<Hash> {
        self.0.get(2 * TILE_LEN - ((2 * TILE_LEN) >> height) + index).copied()
    }
}

/// The cached tiles of one log.
pub struct TileCache {
    rows: Rows,
    known: Cache<(u8, u64), Arc<TileNodes>>,
}

impl TileCache {
    /// An empty cache of the tiles in `rows`.
    pub fn new(rows: Rows) -> Self {
        Self {
            rows,
            known: Cache::new(MAX_CACHED_TILES),
        }
    }

    /// A node of the tree; it must be in a full tile.
    pub fn node(&self, height: u8, index: u64) -> Result<Hash, StoreError> {
        let (level, inside) = (height / TILE_HEIGHT as u8, u32::from(height) % TILE_HEIGHT);
        let tile = (level, index >> (TILE_HEIGHT - inside));
        let within = (index % (TILE_WIDTH >> inside)) as usize;
        let nodes = match self.known.get(&tile) {
            Some(nodes) => nodes,
            None => self.read(tile)?,
        };
        nodes
            .get(inside, within)
            .ok_or_else(|| StoreError::Damaged(format!("a tile has no node {index} of height {height}")))
    }

    fn read(&self, (level, index): (u8, u64)) -> Result<Arc<TileNodes>, StoreError> {
        let hashes = self.rows.tile_hashes(level, index, TILE_WIDTH as u16)?;
        let nodes = Arc::new(TileNodes::of(hashes));
        self.known.insert((level, index), nodes.clone());
        Ok(nodes)
    }
}
