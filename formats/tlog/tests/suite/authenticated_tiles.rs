//! Reading tiles from a server that returns wrong ones.

use std::collections::BTreeMap;

use tlog::merkle::{
    HashReader as _, MemoryTree, Size, consistency_proof, inclusion_proof, leaf_hash, root, verify_consistency,
    verify_inclusion,
};
use tlog::tile::{AuthenticatedTiles, AuthenticationError, Tile, TileSource, tiles_for_size};

/// Serves the tiles of a tree from memory and counts the reads.
struct Server {
    files: BTreeMap<Tile, Vec<u8>>,
    reads: usize,
}

impl TileSource for Server {
    type Error = String;

    fn tile(&mut self, tile: Tile) -> Result<Vec<u8>, String> {
        self.reads += 1;
        self.files.get(&tile).cloned().ok_or_else(|| format!("404 {tile}"))
    }
}

fn log(entries: u32) -> MemoryTree {
    let mut tree = MemoryTree::new();
    for n in 0..entries {
        tree.append(leaf_hash(&n.to_be_bytes())).unwrap();
    }
    tree
}

fn serve(tree: &mut MemoryTree, size: Size) -> Server {
    let mut files = BTreeMap::new();
    for tile in tiles_for_size(size) {
        let mut bytes = Vec::new();
        for at in 0..u64::from(tile.width()) {
            bytes.extend(tree.read(8 * tile.level(), 256 * tile.index() + at).unwrap().0);
        }
        files.insert(tile, bytes);
    }
    Server { files, reads: 0 }
}

#[test]
fn proofs_computed_from_tiles_verify() {
    let mut tree = log(70_000);
    for size in [0, 1, 2, 255, 256, 257, 300, 511, 512, 65_535, 65_536, 65_537, 70_000] {
        let size = Size::from(size);
        let tree_root = root(&mut tree, size).unwrap();
        let mut tiles = AuthenticatedTiles::new(serve(&mut tree, size), size, tree_root);
        assert_eq!(root(&mut tiles, size), Ok(tree_root), "{size}");
        let Some(last) = size.last() else { continue };
        for index in [0, last.get() / 3, last.get() / 2, last.get()] {
            let index = index.try_into().unwrap();
            let proof = inclusion_proof(&mut tiles, index, size).unwrap();
            let leaf = tiles.read(0, index.get()).unwrap();
            assert_eq!(leaf, tree.read(0, index.get()).unwrap());
            assert_eq!(verify_inclusion(&leaf, index, size, &proof, &tree_root), Ok(()));
        }
        for old in [1, size.get() / 2 + 1, size.get()] {
            let old = Size::new(old).unwrap();
            let old_root = root(&mut tree, old).unwrap();
            let proof = consistency_proof(&mut tiles, old, size).unwrap();
            assert_eq!(verify_consistency(old, &old_root, size, &tree_root, &proof), Ok(()));
        }
    }
}

#[test]
fn tiles_are_fetched_once_and_the_cache_is_bounded() {
    let mut tree = log(70_000);
    let (size, tree_root) = (tree.size(), tree.root());
    let mut tiles = AuthenticatedTiles::new(serve(&mut tree, size), size, tree_root);
    for index in 0..70_000 {
        assert_eq!(tiles.read(0, index), Ok(tree.read(0, index).unwrap()));
    }
    // 273 full tiles in order, three partial tiles, and the full tile above again each time it was dropped from the
    // cache.
    let reads = tiles.into_source().reads;
    assert!((277..=290).contains(&reads), "{reads}");
}

#[test]
fn a_damaged_tile_is_refused() {
    let mut tree = log(70_000);
    let (size, tree_root) = (tree.size(), tree.root());
    let damaged: Vec<Tile> = tiles_for_size(size)
        .step_by(23)
        .chain(tiles_for_size(size).skip(273))
        .collect();
    for tile in damaged {
        let mut server = serve(&mut tree, size);
        let bytes = server.files.get_mut(&tile).unwrap();
        bytes[tile.byte_length() / 2] ^= 0x10;
        let mut tiles = AuthenticatedTiles::new(server, size, tree_root);
        let error = tiles.tile(tile.level(), tile.index()).unwrap_err();
        let expected = if tile.is_full() {
            AuthenticationError::Tile(tile)
        } else {
            AuthenticationError::Root(size)
        };
        assert_eq!(error, expected);
    }
}

#[test]
fn missing_short_and_long_tiles_are_refused() {
    let mut tree = log(600);
    let (size, tree_root) = (tree.size(), tree.root());
    let tile = Tile::of_tree(0, 1, size).unwrap();
    let mut server = serve(&mut tree, size);
    server.files.remove(&tile);
    let mut tiles = AuthenticatedTiles::new(server, size, tree_root);
    assert_eq!(
        tiles.read(0, 300),
        Err(AuthenticationError::Source("404 tile/0/001".to_owned()))
    );
    assert!(tiles.read(0, 10).is_ok());

    for length in [0, 32 * 255, 32 * 257, 32 * 256 - 1] {
        let mut server = serve(&mut tree, size);
        server.files.get_mut(&tile).unwrap().resize(length, 0);
        let mut tiles = AuthenticatedTiles::new(server, size, tree_root);
        assert!(matches!(tiles.read(0, 300), Err(AuthenticationError::Length(_))));
    }
}

#[test]
fn only_complete_nodes_are_read() {
    let mut tree = log(600);
    let (size, tree_root) = (tree.size(), tree.root());
    let mut tiles = AuthenticatedTiles::new(serve(&mut tree, size), size, tree_root);
    for (level, index) in [
        (0, 600),
        (1, 300),
        (9, 1),
        (10, 0),
        (63, 0),
        (64, 0),
        (255, 0),
        (0, u64::MAX),
    ] {
        assert_eq!(
            tiles.read(level, index),
            Err(AuthenticationError::OutOfTree { level, index })
        );
    }
    assert!(tiles.read(9, 0).is_ok() && tiles.read(0, 599).is_ok());
    assert!(matches!(tiles.tile(0, 3), Err(AuthenticationError::OutOfTree { .. })));
}

#[test]
fn the_root_of_another_tree_is_refused() {
    let mut tree = log(600);
    let size = tree.size();
    let server = serve(&mut tree, size);
    let mut tiles = AuthenticatedTiles::new(server, size, leaf_hash(b"other"));
    assert_eq!(tiles.read(0, 0), Err(AuthenticationError::Root(size)));
    let empty = Server {
        files: BTreeMap::new(),
        reads: 0,
    };
    let mut tiles = AuthenticatedTiles::new(empty, Size::ZERO, leaf_hash(b"other"));
    assert_eq!(
        tiles.read(0, 0),
        Err(AuthenticationError::OutOfTree { level: 0, index: 0 })
    );
}
