//! The read API of a log (c2sp.org/tlog-tiles): tiles of hashes and bundles of entries, as static files.
//!
//! ```text
//! tile/<L>/<N>[.p/<W>]           W (256 when full) hashes of 32 bytes
//! tile/entries/<N>[.p/<W>]       W (256 when full) entries, each  u16 length ‖ bytes
//! ```
//!
//! * TT-1 L is decimal from 0 to 63; N is split into groups of three digits, each but the last prefixed with `x` (5 →
//!   `005`, 1234067 → `x001/x234/067`); W is decimal from 1 to 255. A path that is not in canonical form does not
//!   exist.
//! * TT-4 a full tile has 256 hashes. Hash `i` of level 0 is leaf hash `256·N + i`; hash `i` of level L ≥ 1 is the
//!   root of the *full* tile `256·N + i` of level L − 1. So tile level L holds the tree's nodes of level `8·L`.
//! * TT-5 at its right edge, the tree of size s has a partial tile of `floor(s / 256^L) mod 256` hashes at each level
//!   where this number is not 0. Partial tiles are never hashed into the level above.
//! * TT-7 entries have at most 65 535 bytes, and the leaf hash of entry i is hash i of level 0.
//!
//! Tiles come from an untrusted server. [`AuthenticatedTiles`] verifies them against a checkpoint's root before it
//! returns a hash.

mod authenticated;
mod bundle;
mod hashes;
mod layout;
mod path;

pub use authenticated::{AuthenticatedTiles, AuthenticationError, TileSource};
pub use bundle::{BundleError, decode_bundle, encode_bundle};
pub use hashes::{NodePosition, TileHashes, TileLengthError};
pub use layout::{Bundle, Tile, TileError, bundles_for_size, tiles_for_size};
pub use path::{PathError, Resource};

/// Number of hashes in a full tile, and of entries in a full bundle.
pub const FULL_WIDTH: u16 = 256;
