//! Parses canonical paths (TT-1).

use core::fmt;
use core::str::FromStr;

use super::FULL_WIDTH;
use super::layout::{Bundle, Tile};
use crate::encoding;

/// The resource that a path below `tile/` names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Resource {
    /// A tile of hashes.
    Tile(Tile),
    /// A bundle of entries.
    Bundle(Bundle),
}

/// No resource has this path. A server answers 404 (TT-11: never 400, so that static hosting is possible).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the canonical path of a tile or an entry bundle")]
pub struct PathError;

impl fmt::Display for Resource {
    /// Writes the path, `tile/…`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tile(tile) => tile.fmt(f),
            Self::Bundle(bundle) => bundle.fmt(f),
        }
    }
}

impl FromStr for Resource {
    type Err = PathError;

    /// Parses a path relative to the log's prefix, without a slash before `tile/`.
    fn from_str(path: &str) -> Result<Self, Self::Err> {
        let parsed = parse(path).ok_or(PathError)?;
        // SPEC (TT-1): parse, encode again, compare.
        if parsed.to_string() == path {
            Ok(parsed)
        } else {
            Err(PathError)
        }
    }
}

fn parse(path: &str) -> Option<Resource> {
    let (kind, rest) = path.strip_prefix("tile/")?.split_once('/')?;
    let (index, width) = match rest.split_once(".p/") {
        Some((index, width)) => (index, number(width).filter(|width| *width < FULL_WIDTH)?),
        None => (rest, FULL_WIDTH),
    };
    let index = parse_index(index)?;
    if kind == "entries" {
        Bundle::new(index, width).ok().map(Resource::Bundle)
    } else {
        Tile::new(number(kind)?, index, width).ok().map(Resource::Tile)
    }
}

fn number<N: TryFrom<u64>>(text: &str) -> Option<N> {
    encoding::from_decimal(text).ok()?.try_into().ok()
}

/// Parses the digit groups; the caller compares the result with the canonical form.
fn parse_index(text: &str) -> Option<u64> {
    text.split('/').try_fold(0_u64, |index, group| {
        let digits = group.strip_prefix('x').unwrap_or(group);
        if digits.len() != 3 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        index.checked_mul(1000)?.checked_add(digits.parse().ok()?)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn tt_1_canonical_paths() {
        let cases = [
            ("tile/0/005", 0, 5, 256),
            ("tile/0/273.p/112", 0, 273, 112),
            ("tile/1/x001/234", 1, 1234, 256),
            ("tile/63/x001/x234/067.p/255", 63, 1_234_067, 255),
            ("tile/0/x001/000", 0, 1000, 256),
            ("tile/0/x018/x446/x744/x073/x709/x551/615", 0, u64::MAX, 256),
        ];
        for (path, level, index, width) in cases {
            let tile = Tile::new(level, index, width).unwrap();
            assert_eq!(tile.to_string(), path);
            assert_eq!(path.parse(), Ok(Resource::Tile(tile)), "{path}");
            let entries = path.replacen(&format!("tile/{level}/"), "tile/entries/", 1);
            let bundle = Bundle::new(index, width).unwrap();
            assert_eq!(entries.parse(), Ok(Resource::Bundle(bundle)));
            assert_eq!(bundle.to_string(), entries);
        }
    }

    #[test]
    fn tt_2_the_older_paths_do_not_exist() {
        // golang.org/design/25530-sumdb has the tile height in the path, and `data` for entries.
        for path in [
            "tile/8/0/000",
            "tile/8/0/000.p/5",
            "tile/8/data/000",
            "tile/8/1/x001/067",
        ] {
            assert!(path.parse::<Resource>().is_err(), "{path}");
        }
    }

    #[test]
    fn tt_1_other_paths_do_not_exist() {
        let bad = [
            "",
            "tile",
            "tile/",
            "tile/0",
            "tile/0/",
            "/tile/0/000",
            "tile/0/000/",
            "tile/0/5",
            "tile/0/0005",
            "tile/0/x000/001",
            "tile/0/001/234",
            "tile/0/x001",
            "tile/0/x001/x234",
            "tile/0/000.p/0",
            "tile/0/000.p/256",
            "tile/0/000.p/08",
            "tile/0/000.p/",
            "tile/0/000.p",
            "tile/0/000.p/1/2",
            "tile/00/000",
            "tile/08/000",
            "tile/64/000",
            "tile/256/000",
            "tile/-1/000",
            "tile/+1/000",
            "tile/data/000",
            "tile/8/0/000",
            "tile/entries",
            "tile/entries/x000/000",
            "tile/0/x018/x446/x744/x073/x709/x551/616",
            "tile/0/000?x",
            "tile/0/00\u{661}",
            "tile/0/000.p/1.p/1",
            "Tile/0/000",
        ];
        for path in bad {
            assert_eq!(path.parse::<Resource>(), Err(PathError), "{path}");
        }
    }
}
