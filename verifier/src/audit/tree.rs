//! The tree, recomputed from the tiles, top down.
//!
//! This does not use `tlog`'s tree, so that the two implementations check each other. `rs_merkle` computes the roots
//! with an RFC 6962 hasher (leaf prefix 0x00, node prefix 0x01, a lone left node is promoted), one call per tile. Two
//! facts make the tiles sufficient:
//!
//! * Hash `i` of a level `l ≥ 1` is the RFC 6962 root of the full tile `i` of level `l − 1` (tlog-tiles, TT-4).
//! * RFC 6962 splits a tree of more than 256 leaves at a multiple of 256. So the root of the tree is found by climbing
//!   the right edge: the root of the partial tile of a level is one more (last) hash for the level above.
//!
//! All tiles above the leaves are loaded and checked first (1/255 of the leaf hashes). After that each tile of level 0
//! is checked against its parent hash when it is read, so that a finding names the one file that is wrong.

use rs_merkle::MerkleTree;
use sha2::{Digest as _, Sha256};

use super::finding::Findings;
use super::layout::{self, TILE};
use super::source::Source;
use super::source_error::SourceError;

type Node = [u8; 32];

/// The RFC 6962 §2.1 hasher for `rs_merkle`.
#[derive(Clone)]
struct Rfc6962;

impl rs_merkle::Hasher for Rfc6962 {
    type Hash = Node;

    fn hash(data: &[u8]) -> Node {
        Sha256::new().chain_update([0]).chain_update(data).finalize().into()
    }

    fn concat_and_hash(left: &Node, right: Option<&Node>) -> Node {
        match right {
            Some(right) => Sha256::new()
                .chain_update([1])
                .chain_update(left)
                .chain_update(right)
                .finalize()
                .into(),
            None => *left,
        }
    }
}

/// RFC 6962 leaf hash of an entry's bytes.
pub(crate) fn leaf(data: &[u8]) -> Node {
    <Rfc6962 as rs_merkle::Hasher>::hash(data)
}

/// RFC 6962 root over leaf (or subtree) hashes. Without hashes it is the SHA-256 of the empty string.
pub(crate) fn root_of(hashes: &[Node]) -> Node {
    MerkleTree::<Rfc6962>::from_leaves(hashes)
        .root()
        .unwrap_or_else(|| Sha256::digest([]).into())
}

/// Splits the bytes of a tile into hashes. `None` unless there are exactly `width` of them.
pub(crate) fn split(bytes: &[u8], width: u64) -> Option<Vec<Node>> {
    let (nodes, rest) = bytes.as_chunks::<32>();
    (rest.is_empty() && nodes.len() as u64 == width).then(|| nodes.to_vec())
}

/// The levels above the leaves, and the partial tile of the leaves. A tile that was missing or had a wrong length is
/// `None`, and was reported when it was read.
#[derive(Debug)]
pub(crate) struct Skeleton {
    size: u64,
    /// `upper[l - 1][n]` is tile `n` of level `l`.
    upper: Vec<Vec<Option<Vec<Node>>>>,
    /// The partial tile of level 0, if the size has one.
    edge: Option<Vec<Node>>,
}

impl Skeleton {
    /// Reads and checks all tiles above level 0, and compares the root with the checkpoint's.
    ///
    /// # Errors
    /// If the source cannot be reached. A missing or wrong tile is a finding, not an error.
    pub(crate) async fn load(
        source: &Source,
        size: u64,
        root: &Node,
        findings: &mut Findings,
    ) -> Result<Skeleton, SourceError> {
        let mut skeleton = Skeleton {
            size,
            upper: Vec::new(),
            edge: None,
        };
        let mut level = 1;
        while layout::nodes(size, level) > 0 {
            let mut tiles = Vec::new();
            for index in 0..layout::nodes(size, level).div_ceil(TILE) {
                if findings.overflow() {
                    return Ok(skeleton);
                }
                tiles.push(read_tile(source, size, level, index, findings).await?);
            }
            skeleton.upper.push(tiles);
            level += 1;
        }
        if !size.is_multiple_of(TILE) {
            skeleton.edge = read_tile(source, size, 0, size / TILE, findings).await?;
        }
        skeleton.check_parents(findings);
        skeleton.check_root(root, findings);
        Ok(skeleton)
    }

    /// Checks that a tile of leaf hashes is the one that the signed root commits to. The root of a full tile must be
    /// its hash on level 1. The partial tile must be the one that the root was computed from, because a server may
    /// serve another content when a file is read for the second time.
    ///
    /// # Errors
    /// A sentence, if it is another tile.
    pub(crate) fn check_leaves(&self, index: u64, hashes: &[Node]) -> Result<(), String> {
        if layout::tile_width(self.size, 0, index) < TILE {
            let same = self.edge.as_deref().is_none_or(|edge| edge == hashes);
            return if same {
                Ok(())
            } else {
                Err("it was served with other content before".to_owned())
            };
        }
        match self.parent_of(0, index) {
            Some(parent) if parent != root_of(hashes) => {
                let above = layout::tile_path(self.size, 1, index / TILE);
                Err(format!("its root is not hash {} of {above}", index % TILE))
            }
            _ => Ok(()),
        }
    }

    /// Root of the first `tiles` full tiles of leaves, which a resumed audit compares with the saved one.
    pub(crate) fn root_of_tiles(&self, tiles: u64) -> Option<Node> {
        let hashes: Option<Vec<Node>> = (0..tiles).map(|index| self.parent_of(0, index)).collect();
        hashes.map(|hashes| root_of(&hashes))
    }

    fn parent_of(&self, level: u8, index: u64) -> Option<Node> {
        let tile = self
            .upper
            .get(usize::from(level))?
            .get(usize::try_from(index / TILE).ok()?)?
            .as_ref()?;
        tile.get(usize::try_from(index % TILE).ok()?).copied()
    }

    /// Checks the root of every full tile of the levels ≥ 1 against the level above.
    fn check_parents(&self, findings: &mut Findings) {
        for (level, tiles) in (1..).zip(&self.upper) {
            for (index, tile) in (0..).zip(tiles) {
                let Some(tile) = tile else { continue };
                if let Some(parent) = self.parent_of(level, index)
                    && tile.len() as u64 == TILE
                    && root_of(tile) != parent
                {
                    let above = layout::tile_path(self.size, level + 1, index / TILE);
                    let what = format!("its root is not hash {} of {above}", index % TILE);
                    findings.file(layout::tile_path(self.size, level, index), what);
                }
            }
        }
    }

    fn check_root(&self, signed: &Node, findings: &mut Findings) {
        let leaves = self.edge.as_deref().unwrap_or_default();
        let Some(computed) = self.root_at(self.size, leaves) else {
            return;
        };
        if computed != *signed {
            let edge: Vec<String> = layout::edge(self.size);
            let what = format!(
                "the signed root is {}, but the tiles on the right edge ({}) give {}",
                hex::encode(signed),
                edge.join(", "),
                hex::encode(computed)
            );
            findings.file("checkpoint", what);
        }
    }

    /// The root of the first `size` entries, computed by climbing the right edge of their tree. `leaves` begins with
    /// the leaf hashes of their partial tile. `None` if a tile that is needed was missing.
    pub(crate) fn root_at(&self, size: u64, leaves: &[Node]) -> Option<Node> {
        let mut below: Option<Node> = None;
        for level in 0..=u8::try_from(self.upper.len()).unwrap_or(u8::MAX) {
            let nodes = layout::nodes(size, level);
            let mut hashes = Vec::new();
            if !nodes.is_multiple_of(TILE) {
                let tile = match level {
                    0 => leaves,
                    _ => {
                        let tiles = self.upper.get(usize::from(level) - 1)?;
                        tiles.get(usize::try_from(nodes / TILE).ok()?)?.as_deref()?
                    }
                };
                hashes.extend_from_slice(tile.get(..usize::try_from(nodes % TILE).ok()?)?);
            }
            hashes.extend(below);
            if !hashes.is_empty() {
                below = Some(root_of(&hashes));
            }
        }
        Some(below.unwrap_or_else(|| root_of(&[])))
    }
}

async fn read_tile(
    source: &Source,
    size: u64,
    level: u8,
    index: u64,
    findings: &mut Findings,
) -> Result<Option<Vec<Node>>, SourceError> {
    let path = layout::tile_path(size, level, index);
    let bytes = source.tile(size, level, index).await?;
    Ok(check_tile(
        bytes,
        &path,
        layout::tile_width(size, level, index),
        findings,
    ))
}

/// The hashes of a tile. A missing file or a wrong length is a finding.
pub(crate) fn check_tile(bytes: Option<Vec<u8>>, path: &str, width: u64, findings: &mut Findings) -> Option<Vec<Node>> {
    let Some(bytes) = bytes else {
        findings.file(path, "the file is missing");
        return None;
    };
    let nodes = split(&bytes, width);
    if nodes.is_none() {
        findings.file(
            path,
            format!("{} bytes, but {width} hashes are {} bytes", bytes.len(), width * 32),
        );
    }
    nodes
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    /// Roots of transparency-dev/merkle's eight leaves.
    #[test]
    fn mt_1_published_roots() {
        let leaves = [
            "",
            "00",
            "10",
            "2021",
            "3031",
            "40414243",
            "5051525354555657",
            "606162636465666768696a6b6c6d6e6f",
        ];
        let hashes: Vec<Node> = leaves.iter().map(|l| leaf(&hex::decode(l).unwrap())).collect();
        let roots = [
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        for (size, root) in roots.iter().enumerate() {
            assert_eq!(hex::encode(root_of(&hashes[..size])), *root, "size {size}");
        }
    }

    /// The 300-entry log of the vectors: two tiles, one of them partial, under one parent.
    #[tokio::test]
    async fn tt_4_roots_of_the_vector_log() {
        let hashes: Vec<Node> = (0..300).map(|i| leaf(format!("entry-{i}").as_bytes())).collect();
        let cases = [
            (
                7_u64,
                "9139601cc1ca8ab2a7a0c2c134c04845f2b1ba549a83d6c845cfcda439cc585d",
            ),
            (255, "45da9f374748e17a372f71c00422b12e2bf96842f1f61c5740fe494e4becff0f"),
            (256, "f85f4ead34080710b4d1e808301543aaab81aa04deb88599350dc26a4f2f58de"),
            (257, "918b1cec64f317c76e3cf55c0536841c039eff06772ebb8828ce7c176028b5ac"),
            (300, "aebb027d5c3dd08871ee52577a61fc83122d0d14352791943639bd4c12d36943"),
        ];
        for (size, root) in cases {
            let dir = tempfile::tempdir().unwrap();
            for (level, index) in layout::tiles(size) {
                let path = dir.path().join(layout::tile_path(size, level, index));
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                let bytes = match level {
                    0 => hashes[(index * 256) as usize..size.min(index * 256 + 256) as usize].concat(),
                    _ => root_of(&hashes[..256]).to_vec(),
                };
                std::fs::write(path, bytes).unwrap();
            }
            let source = Source::directory(dir.path()).unwrap();
            let root: Node = hex::decode(root).unwrap().try_into().unwrap();
            let mut findings = Findings::default();
            let skeleton = Skeleton::load(&source, size, &root, &mut findings).await.unwrap();
            assert_eq!(findings.kept(), [], "size {size}");
            for old in 0..=size {
                let leaves = &hashes[(old / 256 * 256) as usize..];
                assert_eq!(skeleton.root_at(old, leaves), Some(root_of(&hashes[..old as usize])));
            }
            assert_eq!(skeleton.parent_of(0, 0), (size >= 256).then(|| root_of(&hashes[..256])));
            assert!(skeleton.check_leaves(0, &hashes[..size.min(256) as usize]).is_ok());
            assert!(skeleton.check_leaves(0, &hashes[1..=size.min(256) as usize]).is_err());

            Skeleton::load(&source, size, &[7; 32], &mut findings).await.unwrap();
            assert_eq!(findings.kept()[0].place, "checkpoint");
        }
    }
}
