//! The proof that the log has only grown since a browser last saw it, made from the ledger's tiles.
//!
//! `tlog` reads tiles synchronously. So the computation runs over the tiles that have been fetched; when one is
//! missing, it is fetched and the computation starts again. Nothing is kept: a proof needs a few dozen tiles at most.

use std::collections::HashMap;

use citizen_ui::proof::statement::Consistency;
use ledger_client::LedgerApi;
use tlog::checkpoint::Checkpoint;
use tlog::merkle::{GenerateError, Size, consistency_proof};
use tlog::tile::{AuthenticatedTiles, AuthenticationError, Tile, TileSource};

/// The most tiles that one proof fetches. A tree of 2^32 entries needs fewer.
const MAX_TILES: usize = 64;

struct Fetched(HashMap<Tile, Vec<u8>>);

/// A tile that has not been fetched.
#[derive(Debug, thiserror::Error)]
#[error("a tile has not been fetched")]
struct Missing(Tile);

impl TileSource for &Fetched {
    type Error = Missing;

    fn tile(&mut self, tile: Tile) -> Result<Vec<u8>, Missing> {
        self.0.get(&tile).cloned().ok_or(Missing(tile))
    }
}

/// The proof from the first `from` entries to `to`. `None` if there is none: `from` is 0 or not smaller, or the ledger
/// does not send tiles that belong to the checkpoint.
pub(crate) async fn prove(api: &dyn LedgerApi, from: u64, to: &Checkpoint) -> Option<Consistency> {
    let from = Size::new(from).ok().filter(|from| from.get() > 0 && *from < to.size)?;
    let mut fetched = Fetched(HashMap::new());
    loop {
        let proof = consistency_proof(&mut AuthenticatedTiles::new(&fetched, to.size, to.root), from, to.size);
        match proof {
            Ok(hashes) => return Some(Consistency { hashes }),
            Err(GenerateError::Read(AuthenticationError::Source(Missing(tile)))) if fetched.0.len() < MAX_TILES => {
                fetched.0.insert(tile, api.tile(tile).await.ok()?);
            }
            Err(_) => return None,
        }
    }
}
