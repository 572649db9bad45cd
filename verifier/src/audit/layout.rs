//! Which files a log of a given size consists of, and whether a directory holds any other file.
//!
//! A tree of `s` entries has `⌊s/256^l⌋` hashes on level `l`, in tiles of 256. Only the last tile of a level may be
//! partial (tlog-tiles, TT-5). An export holds exactly the tiles of its checkpoint's size; a published copy may also
//! hold partial tiles and bundles of earlier sizes, which must agree with them. Any other file is a finding.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use tlog::Hash;
use tlog::tile::decode_bundle;

use super::finding::Findings;
use super::source_error::SourceError;

/// Number of hashes in a full tile.
pub(crate) const TILE: u64 = 256;

/// Number of hashes on a level.
pub(crate) fn nodes(size: u64, level: u8) -> u64 {
    size.checked_shr(u32::from(level) * 8).unwrap_or(0)
}

/// Number of hashes in one tile (or entries in one bundle, level 0).
pub(crate) fn tile_width(size: u64, level: u8, index: u64) -> u64 {
    nodes(size, level).saturating_sub(index * TILE).min(TILE)
}

/// Path of a tile in the form the size implies.
pub(crate) fn tile_path(size: u64, level: u8, index: u64) -> String {
    format!("tile/{level}/{}", tail(index, tile_width(size, level, index)))
}

/// Path of a bundle of entries in the form the size implies.
pub(crate) fn bundle_path(size: u64, index: u64) -> String {
    format!("tile/entries/{}", tail(index, tile_width(size, 0, index)))
}

/// Path of a full tile.
pub(crate) fn full_tile_path(level: u8, index: u64) -> String {
    format!("tile/{level}/{}", tail(index, TILE))
}

/// Path of a full bundle of entries.
pub(crate) fn full_bundle_path(index: u64) -> String {
    format!("tile/entries/{}", tail(index, TILE))
}

/// Path of a public document.
pub(crate) fn document_path(digest: &tlog::Hash) -> String {
    format!("documents/{digest}")
}

/// Path of an entry's sealed record.
pub(crate) fn record_path(index: u64) -> String {
    format!("records/{index}")
}

/// The folder of an export that holds its earlier checkpoints.
pub(crate) const CHECKPOINTS: &str = "checkpoints";

/// Path of the checkpoint that was published at a size.
pub(crate) fn checkpoint_path(size: u64) -> String {
    format!("{CHECKPOINTS}/{size}")
}

/// Parses a decimal number without leading zeros or sign.
pub(crate) fn decimal(name: &str) -> Option<u64> {
    name.parse::<u64>().ok().filter(|number| number.to_string() == name)
}

/// SPEC TT-1: groups of three digits, all but the last with the prefix `x`; a partial tile has the suffix `.p/<width>`.
fn tail(index: u64, width: u64) -> String {
    let mut groups = vec![format!("{:03}", index % 1000)];
    let mut rest = index / 1000;
    while rest > 0 {
        groups.push(format!("x{:03}", rest % 1000));
        rest /= 1000;
    }
    groups.reverse();
    let path = groups.join("/");
    if width < TILE {
        format!("{path}.p/{width}")
    } else {
        path
    }
}

/// All tiles of a size as (level, index).
pub(crate) fn tiles(size: u64) -> Vec<(u8, u64)> {
    let levels = (0_u8..8).take_while(|level| nodes(size, *level) > 0);
    levels
        .flat_map(|level| (0..nodes(size, level).div_ceil(TILE)).map(move |index| (level, index)))
        .collect()
}

/// The paths of the partial tiles of a size. They determine its root.
pub(crate) fn edge(size: u64) -> Vec<String> {
    let partial = |(level, index): &(u8, u64)| tile_width(size, *level, *index) < TILE;
    tiles(size)
        .iter()
        .filter(|tile| partial(tile))
        .map(|(level, index)| tile_path(size, *level, *index))
        .collect()
}

/// The files that an export may contain: fixed paths, and the indices of the entries that have a record.
#[derive(Debug)]
pub(crate) struct Inventory {
    files: HashSet<String>,
    /// The partial tiles and bundles, by the path of the full one, which may take the place of one that is gone.
    partial: HashMap<String, String>,
    folders: HashSet<String>,
    records: Option<HashSet<u64>>,
}

impl Inventory {
    /// The checkpoint, tiles and bundles of a size, and the files in `others`. `records` has the indices of the entries
    /// with a record; with `None` the folder `records` is not checked.
    pub(crate) fn new(size: u64, others: impl IntoIterator<Item = String>, records: Option<HashSet<u64>>) -> Self {
        let mut files = HashSet::from(["checkpoint".to_owned()]);
        let mut partial = HashMap::new();
        let mut add = |path: String, full: String| {
            if path != full {
                partial.insert(full, path.clone());
            }
            files.insert(path);
        };
        for (level, index) in tiles(size) {
            add(tile_path(size, level, index), full_tile_path(level, index));
            if level == 0 {
                add(bundle_path(size, index), full_bundle_path(index));
            }
        }
        files.extend(others);
        let mut folders = HashSet::new();
        for file in &files {
            let mut path = file.as_str();
            while let Some((parent, _)) = path.rsplit_once('/') {
                folders.insert(parent.to_owned());
                path = parent;
            }
        }
        if records.as_ref().is_some_and(|records| !records.is_empty()) {
            folders.insert("records".to_owned());
        }
        Inventory {
            files,
            partial,
            folders,
            records,
        }
    }

    fn holds_file(&self, root: &Path, path: &str) -> bool {
        let in_place_of = |partial: &String| !root.join(partial).exists();
        self.files.contains(path)
            || self.partial.get(path).is_some_and(in_place_of)
            || path
                .strip_prefix("records/")
                .is_some_and(|name| self.holds_record(name))
    }

    /// Whether this is a partial tile or bundle of an earlier size, as a published copy keeps them for readers with an
    /// older checkpoint: the beginning of the one that this size has.
    fn holds_earlier(&self, root: &Path, path: &str) -> bool {
        let Some((full, width)) = path.rsplit_once(".p/").filter(|_| path.starts_with("tile/")) else {
            return false;
        };
        let current = self.files.get(full).or_else(|| self.partial.get(full));
        let (Some(current), Some(width)) = (current, decimal(width).and_then(|width| u16::try_from(width).ok())) else {
            return false;
        };
        let (Ok(earlier), Ok(current)) = (std::fs::read(root.join(path)), std::fs::read(root.join(current))) else {
            return false;
        };
        let whole = if full.starts_with("tile/entries/") {
            decode_bundle(&earlier, width).is_ok()
        } else {
            earlier.len() == usize::from(width) * Hash::LEN
        };
        whole && current.starts_with(&earlier)
    }

    fn holds_folder(&self, path: &str) -> bool {
        self.folders.contains(path) || path.strip_suffix(".p").is_some_and(|full| self.files.contains(full))
    }

    fn holds_record(&self, name: &str) -> bool {
        decimal(name).is_some_and(|index| self.records.as_ref().is_some_and(|records| records.contains(&index)))
    }

    /// Reports everything in a directory that is not part of the export.
    ///
    /// # Errors
    /// If the directory cannot be listed.
    pub(crate) fn check_directory(&self, root: &Path, findings: &mut Findings) -> Result<(), SourceError> {
        let mut todo = vec![String::new()];
        while let Some(folder) = todo.pop() {
            let path = root.join(&folder);
            let unreadable = |error| SourceError::unreadable(&path, &error);
            for item in std::fs::read_dir(&path).map_err(unreadable)? {
                let item = item.map_err(unreadable)?;
                let name = item.file_name();
                let name = name.to_string_lossy();
                let inner = if folder.is_empty() {
                    name.into_owned()
                } else {
                    format!("{folder}/{name}")
                };
                let kind = item.file_type().map_err(unreadable)?;
                if kind.is_dir() {
                    match inner.as_str() {
                        "records" if self.records.is_none() => {}
                        _ if self.holds_folder(&inner) => todo.push(inner),
                        _ => findings.file(inner, "a directory that is not part of this log"),
                    }
                } else if !kind.is_file() {
                    findings.file(inner, "not a regular file");
                } else if !self.holds_file(root, &inner) && !self.holds_earlier(root, &inner) {
                    findings.file(inner, "a file that is not part of this log");
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn tt_5_files_of_size_70000() {
        let size = 70_000;
        assert_eq!(tiles(size).len(), 274 + 2 + 1);
        assert_eq!(edge(size), ["tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"]);
        assert_eq!(tile_path(size, 0, 272), "tile/0/272");
        assert_eq!(edge(256), ["tile/1/000.p/1"]);
        assert_eq!(tiles(0), []);
    }

    #[test]
    fn tt_1_large_indices_are_grouped() {
        let size = 1_234_068 * 256;
        assert_eq!(bundle_path(size, 1_234_067), "tile/entries/x001/x234/067");
        assert_eq!(tile_path(size, 0, 1_234), "tile/0/x001/234");
    }

    /// What a directory of a log of 258 entries has too much.
    fn surplus(files: &[(&str, &[u8])]) -> Vec<String> {
        let root = tempfile::tempdir().unwrap();
        let put = |name: &str, bytes: &[u8]| {
            let path = root.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        };
        let entries = [0, 1, 7].repeat(256);
        let (full, pair) = ([5; 256 * 32], [[6; 32], [7; 32]].concat());
        put("checkpoint", b"");
        put("tile/0/000", &full);
        put("tile/0/001.p/2", &pair);
        put("tile/1/000.p/1", &[8; 32]);
        put("tile/entries/000", &entries);
        put("tile/entries/001.p/2", &entries[..6]);
        for (name, bytes) in files {
            put(name, bytes);
        }
        let mut findings = Findings::default();
        let inventory = Inventory::new(258, [], None);
        inventory.check_directory(root.path(), &mut findings).unwrap();
        findings.kept().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn partial_tiles_of_an_earlier_size_must_be_the_beginning_of_the_later_ones() {
        let none: [String; 0] = [];
        let entries = [0, 1, 7].repeat(3);
        let earlier: [(&str, &[u8]); 4] = [
            ("tile/0/000.p/2", &[5; 64]),
            ("tile/0/001.p/1", &[6; 32]),
            ("tile/entries/000.p/3", &entries),
            ("tile/entries/001.p/1", &entries[..3]),
        ];
        assert_eq!(surplus(&earlier), none);
        let wrong: [(&str, &[u8]); 9] = [
            ("tile/0/000.p/2", &[4; 64]),
            ("tile/0/000.p/2", &[5; 32]),
            ("tile/0/000.p/x", &[5; 32]),
            ("tile/0/001.p/3", &[6; 96]),
            ("tile/0/002.p/1", &[6; 32]),
            ("tile/2/000.p/1", &[6; 32]),
            ("tile/entries/000.p/3", &entries[..6]),
            ("tile/entries/000.p/2", &entries),
            ("checkpoint.p/1", &[]),
        ];
        for file in wrong {
            assert_eq!(surplus(&[file]).len(), 1, "{file:?}");
        }
    }
}
