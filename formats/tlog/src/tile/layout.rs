//! The tiles and bundles of a tree, and their paths.

use core::fmt;

use super::FULL_WIDTH;
use crate::merkle::Size;

/// A tile of hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    level: u8,
    index: u64,
    width: u16,
}

/// A bundle of entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bundle {
    index: u64,
    width: u16,
}

/// No tile or bundle has these numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a tile has a level from 0 to 63 and a width from 1 to 256")]
pub struct TileError;

impl Tile {
    /// The tile `index` of `level` (0 to 63) with `width` hashes (1 to 256).
    ///
    /// # Errors
    /// [`TileError`] when a number is out of range.
    pub fn new(level: u8, index: u64, width: u16) -> Result<Self, TileError> {
        if level <= 63 && (1..=FULL_WIDTH).contains(&width) {
            Ok(Self { level, index, width })
        } else {
            Err(TileError)
        }
    }

    /// The full tile `index` of `level`, which the caller knows to be at most 63.
    pub(super) const fn full(level: u8, index: u64) -> Self {
        Self {
            level,
            index,
            width: FULL_WIDTH,
        }
    }

    /// The tile `index` of `level`, as wide as it is in a tree of `size`; `None` when the tree has no such tile.
    #[must_use]
    pub fn of_tree(level: u8, index: u64, size: Size) -> Option<Self> {
        let width = width_at(index, nodes_at(level, size))?;
        Some(Self { level, index, width })
    }

    /// Level of the tile. Its hashes are the tree's nodes of level `8 · level`.
    #[must_use]
    pub const fn level(self) -> u8 {
        self.level
    }

    /// Index within the level.
    #[must_use]
    pub const fn index(self) -> u64 {
        self.index
    }

    /// Number of hashes, 1 to 256.
    #[must_use]
    pub const fn width(self) -> u16 {
        self.width
    }

    /// Whether the tile has all 256 hashes and so never changes.
    #[must_use]
    pub const fn is_full(self) -> bool {
        self.width == FULL_WIDTH
    }

    /// Length of the tile's file in bytes.
    #[must_use]
    pub fn byte_length(self) -> usize {
        usize::from(self.width) * crate::Hash::LEN
    }
}

impl Bundle {
    /// The bundle `index` with `width` entries (1 to 256).
    ///
    /// # Errors
    /// [`TileError`] for another width.
    pub fn new(index: u64, width: u16) -> Result<Self, TileError> {
        if (1..=FULL_WIDTH).contains(&width) {
            Ok(Self { index, width })
        } else {
            Err(TileError)
        }
    }

    /// The bundle `index`, as wide as it is in a tree of `size`; `None` when the tree has no such bundle.
    #[must_use]
    pub fn of_tree(index: u64, size: Size) -> Option<Self> {
        let width = width_at(index, size.get())?;
        Some(Self { index, width })
    }

    /// Index of the bundle. Its first entry is `256 · index`.
    #[must_use]
    pub const fn index(self) -> u64 {
        self.index
    }

    /// Number of entries, 1 to 256.
    #[must_use]
    pub const fn width(self) -> u16 {
        self.width
    }

    /// Whether the bundle has all 256 entries and so never changes.
    #[must_use]
    pub const fn is_full(self) -> bool {
        self.width == FULL_WIDTH
    }

    /// The tile of the entries' leaf hashes.
    #[must_use]
    pub const fn tile(self) -> Tile {
        Tile {
            level: 0,
            index: self.index,
            width: self.width,
        }
    }
}

/// Every tile of the tree of `size`, level by level. A complete copy of the tree has exactly these.
pub fn tiles_for_size(size: Size) -> impl Iterator<Item = Tile> {
    // Level 8 would hold nodes of 2^64 leaves.
    (0..8).flat_map(move |level| {
        let count = nodes_at(level, size).div_ceil(u64::from(FULL_WIDTH));
        (0..count).filter_map(move |index| Tile::of_tree(level, index, size))
    })
}

/// Every bundle of the tree of `size`.
pub fn bundles_for_size(size: Size) -> impl Iterator<Item = Bundle> {
    let count = size.get().div_ceil(u64::from(FULL_WIDTH));
    (0..count).filter_map(move |index| Bundle::of_tree(index, size))
}

/// Number of complete nodes at tile level `level`: floor(size / 256^level).
fn nodes_at(level: u8, size: Size) -> u64 {
    size.get().checked_shr(8 * u32::from(level)).unwrap_or(0)
}

fn width_at(index: u64, count: u64) -> Option<u16> {
    let left = count.checked_sub(index.checked_mul(u64::from(FULL_WIDTH))?)?;
    let width = u16::try_from(left).unwrap_or(FULL_WIDTH).min(FULL_WIDTH);
    (width > 0).then_some(width)
}

impl fmt::Display for Tile {
    /// Writes the path, `tile/…`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tile/{}/", self.level)?;
        write_index(f, self.index, self.width)
    }
}

impl fmt::Display for Bundle {
    /// Writes the path, `tile/entries/…`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("tile/entries/")?;
        write_index(f, self.index, self.width)
    }
}

/// Writes index and width: groups of three digits, each but the last prefixed with `x`.
fn write_index(f: &mut fmt::Formatter<'_>, index: u64, width: u16) -> fmt::Result {
    let digits = index.to_string();
    let groups = digits.len().div_ceil(3);
    let padded = format!("{index:0length$}", length = groups * 3);
    for at in 1..groups {
        write!(f, "x{}/", &padded[(at - 1) * 3..at * 3])?;
    }
    f.write_str(&padded[(groups - 1) * 3..])?;
    if width < FULL_WIDTH {
        write!(f, ".p/{width}")
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn paths(size: u32) -> Vec<String> {
        tiles_for_size(Size::from(size)).map(|tile| tile.to_string()).collect()
    }

    #[test]
    fn tt_5_tiles_of_a_size() {
        assert_eq!(paths(0), Vec::<String>::new());
        assert_eq!(paths(1), ["tile/0/000.p/1"]);
        assert_eq!(paths(256), ["tile/0/000", "tile/1/000.p/1"]);
        assert_eq!(paths(300), ["tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1"]);
        let many = paths(70_000);
        assert_eq!(many.len(), 273 + 1 + 2 + 1);
        assert_eq!(
            many[273..],
            ["tile/0/273.p/112", "tile/1/000", "tile/1/001.p/17", "tile/2/000.p/1"]
        );
        let bundles: Vec<_> = bundles_for_size(Size::from(300))
            .map(|bundle| bundle.to_string())
            .collect();
        assert_eq!(bundles, ["tile/entries/000", "tile/entries/001.p/44"]);
    }

    #[test]
    fn the_largest_tree_has_tiles_up_to_level_7() {
        let size = Size::new((1 << 63) - 1).unwrap();
        assert_eq!(Tile::of_tree(7, 0, size).map(Tile::width), Some(127));
        assert_eq!(Tile::of_tree(8, 0, size), None);
        assert_eq!(Tile::of_tree(63, 0, size), None);
        assert_eq!(Tile::of_tree(0, u64::MAX, size), None);
        assert_eq!(Tile::of_tree(0, (1 << 55) - 1, size).map(Tile::width), Some(255));
    }

    #[test]
    fn numbers_out_of_range_are_refused() {
        for (level, width) in [(64, 1), (0, 0), (0, 257)] {
            assert_eq!(Tile::new(level, 0, width), Err(TileError));
        }
        assert!(Bundle::new(0, 0).is_err() && Bundle::new(0, 257).is_err());
    }
}
