//! Authenticated roots of earlier tree sizes, computed from tiles that are fetched when they are missing.
//!
//! `tlog` reads tiles synchronously and does no I/O. The computation therefore runs over the cached tiles. When one
//! is missing, it is fetched and the computation starts again: a few rounds of microseconds each. Tiles in the cache
//! are not trusted; each run authenticates the tiles that it uses against the signed root.

use std::collections::HashMap;

use tlog::Hash;
use tlog::checkpoint::Checkpoint;
use tlog::merkle::{self, Size};
use tlog::tile::{AuthenticatedTiles, AuthenticationError, Tile, TileSource};

use crate::api::{ApiError, LedgerApi};

/// The most tiles in the cache, of 8 kB each.
const MAX_CACHED: usize = 1024;

/// Tiles as the ledger has sent them.
#[derive(Debug, Default)]
pub(crate) struct TileCache {
    tiles: HashMap<Tile, Vec<u8>>,
}

/// Why an earlier root cannot be computed. Neither error proves anything against the log; both are retryable.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum RootError {
    #[error(transparent)]
    Api(#[from] ApiError),
    #[error("the ledger's tiles do not belong to the tree that it signed: {0}")]
    Unauthentic(String),
}

/// A tile is not in the cache.
#[derive(Debug, thiserror::Error)]
#[error("not in the cache")]
pub(crate) struct Missing(Tile);

impl TileSource for &TileCache {
    type Error = Missing;

    fn tile(&mut self, tile: Tile) -> Result<Vec<u8>, Missing> {
        self.tiles.get(&tile).cloned().ok_or(Missing(tile))
    }
}

/// Returns the root of the first `size` entries of `checkpoint`'s tree. `checkpoint` must be verified and not smaller
/// than `size`. If the log has signed another root for `size`, it has forked.
pub(crate) async fn root_at(
    api: &dyn LedgerApi,
    cache: &mut TileCache,
    checkpoint: &Checkpoint,
    size: Size,
) -> Result<Hash, RootError> {
    if size == checkpoint.size {
        return Ok(checkpoint.root);
    }
    loop {
        let computed = {
            let mut reader = AuthenticatedTiles::new(&*cache, checkpoint.size, checkpoint.root);
            merkle::root(&mut reader, size)
        };
        match computed {
            Ok(root) => return Ok(root),
            Err(AuthenticationError::Source(Missing(tile))) => {
                let bytes = api.tile(tile).await?;
                cache.make_room();
                cache.tiles.insert(tile, bytes);
            }
            Err(error) => {
                // One of the cached tiles is wrong, but it is not known which one.
                cache.tiles.clear();
                return Err(RootError::Unauthentic(error.to_string()));
            }
        }
    }
}

impl TileCache {
    /// Drops partial tiles, which belong to one tree size only.
    pub(crate) fn drop_partial(&mut self) {
        self.tiles.retain(|tile, _| tile.is_full());
    }

    fn make_room(&mut self) {
        if self.tiles.len() >= MAX_CACHED {
            self.tiles.clear();
        }
    }
}
