//! The Merkle tree against published roots, the draft's digests and rs_merkle.

use std::fmt::Write as _;

use proptest::prelude::*;
use rs_merkle::{Hasher, MerkleTree};
use sha2::{Digest as _, Sha256};
use tlog::Hash;
use tlog::encoding::from_hex;
use tlog::merkle::{
    EMPTY_ROOT, Frontier, GenerateError, Index, MAX_PROOF, MemoryTree, ProofError, Size, Subtree, consistency_proof,
    inclusion_proof, inclusion_proof_length, leaf_hash, node_hash, root, subtree_hash, subtree_proof,
    verify_consistency, verify_inclusion, verify_subtree_consistency, verify_subtree_inclusion,
};

/// From transparency-dev/merkle, `testonly/constants.go` (Apache-2.0).
const LEAVES: [&str; 8] = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
];
const ROOTS: [&str; 9] = [
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

#[test]
fn mt_1_published_roots() {
    let mut frontier = Frontier::new();
    for (size, expected) in ROOTS.iter().enumerate() {
        assert_eq!(frontier.root().to_string(), *expected);
        if let Some(leaf) = LEAVES.get(size) {
            frontier
                .append(leaf_hash(&from_hex(leaf).unwrap()), |_, _, _| ())
                .unwrap();
        }
    }
}

/// A tree whose leaf i is the single byte i.
fn bytes_tree(size: u8) -> MemoryTree {
    let mut tree = MemoryTree::new();
    for n in 0..size {
        tree.append(leaf_hash(&[n])).unwrap();
    }
    tree
}

fn size(n: u64) -> Size {
    Size::new(n).unwrap()
}

/// All subtrees that end at `limit` or before, in the order of the draft's digests.
fn subtrees(limit: u64) -> impl Iterator<Item = Subtree> {
    (0..=limit).flat_map(|end| (0..=end).filter_map(move |start| Subtree::new(start, end).ok()))
}

fn write_hashes(line: &mut String, hashes: &[Hash]) {
    for hash in hashes {
        write!(line, " {hash}").unwrap();
    }
    line.push('\n');
}

#[test]
fn subtree_hashes_have_the_drafts_digest() {
    let mut tree = bytes_tree(130);
    let mut lines = String::new();
    for subtree in subtrees(130) {
        let hash = subtree_hash(&mut tree, subtree).unwrap();
        writeln!(lines, "[{}, {}) {hash}", subtree.start(), subtree.end()).unwrap();
    }
    assert_eq!(
        Hash::of(lines.as_bytes()).to_string(),
        "b82806ad4265bb151c1119c0f4db437bb4d1a1f887b3a7fba1cd4ebf552e3e81"
    );
}

#[test]
fn mt_2_mt_4_subtree_inclusion_digest() {
    let mut digest = Sha256::new();
    for subtree in subtrees(130) {
        // An inclusion proof in [start, end) is the path in a tree of these leaves alone.
        let mut part = MemoryTree::new();
        for leaf in subtree.start()..subtree.end() {
            part.append(leaf_hash(&[u8::try_from(leaf).unwrap()])).unwrap();
        }
        for index in subtree.start()..subtree.end() {
            let inner = Index::new(index - subtree.start()).unwrap();
            let size = part.size();
            let proof = inclusion_proof(&mut part, inner, size).unwrap();
            assert_eq!(inclusion_proof_length(inner, part.size()), Some(proof.len()));
            let leaf = leaf_hash(&[u8::try_from(index).unwrap()]);
            let at = Index::new(index).unwrap();
            assert_eq!(
                verify_subtree_inclusion(&leaf, at, subtree, &proof, &part.root()),
                Ok(())
            );
            let mut line = format!("{index} [{}, {})", subtree.start(), subtree.end());
            write_hashes(&mut line, &proof);
            digest.update(line);
        }
    }
    assert_eq!(
        Hash(digest.finalize().into()).to_string(),
        "ac2a8f989e44d99e399db448050ff5f19757df53cfb716aa81015d3955d8163f"
    );
}

#[test]
fn mt_3_mt_4_subtree_consistency_digest() {
    let mut tree = bytes_tree(130);
    let mut digest = Sha256::new();
    let mut count = 0;
    for n in 0..=130 {
        let tree_root = root(&mut tree, size(n)).unwrap();
        for subtree in subtrees(n) {
            let hash = subtree_hash(&mut tree, subtree).unwrap();
            let proof = subtree_proof(&mut tree, subtree, size(n)).unwrap();
            assert_eq!(
                verify_subtree_consistency(subtree, &hash, size(n), &tree_root, &proof),
                Ok(())
            );
            let mut line = format!("[{}, {}) {n}", subtree.start(), subtree.end());
            write_hashes(&mut line, &proof);
            digest.update(line);
            count += 1;
        }
    }
    assert_eq!(count, 42_893);
    assert_eq!(
        Hash(digest.finalize().into()).to_string(),
        "10fa99b37bf9bf9ffa26b412fbd98bd75363256d0b75d61bc4538b9c9c5a0a74"
    );
}

#[test]
fn mt_3_the_empty_tree() {
    let other = Hash([1; 32]);
    let root = leaf_hash(b"a");
    assert_eq!(verify_consistency(size(0), &EMPTY_ROOT, size(1), &root, &[]), Ok(()));
    assert_eq!(
        verify_consistency(size(0), &EMPTY_ROOT, size(0), &EMPTY_ROOT, &[]),
        Ok(())
    );
    assert_eq!(
        verify_consistency(size(0), &EMPTY_ROOT, size(1), &root, &[other]),
        Err(ProofError::Length)
    );
    assert_eq!(
        verify_consistency(size(0), &other, size(1), &root, &[]),
        Err(ProofError::OldRootMismatch)
    );
    assert_eq!(
        verify_consistency(size(0), &EMPTY_ROOT, size(0), &other, &[]),
        Err(ProofError::RootMismatch)
    );
    assert_eq!(
        verify_consistency(size(2), &root, size(1), &root, &[]),
        Err(ProofError::Beyond)
    );
    assert_eq!(
        verify_inclusion(&root, Index::ZERO, size(0), &[], &EMPTY_ROOT),
        Err(ProofError::Beyond)
    );
    assert_eq!(inclusion_proof_length(Index::ZERO, size(0)), None);
}

#[test]
fn nothing_outside_the_tree_is_proved() {
    let mut tree = bytes_tree(5);
    let beyond = |end| Err(GenerateError::Beyond { end, size: size(5) });
    assert_eq!(inclusion_proof(&mut tree, Index::from(5), size(5)), beyond(6));
    assert_eq!(consistency_proof(&mut tree, size(6), size(5)), beyond(6));
    assert!(matches!(
        inclusion_proof(&mut tree, Index::from(4), size(6)),
        Err(GenerateError::Read(_))
    ));
}

#[test]
fn mt_5_the_longest_proof() {
    let largest = size((1 << 63) - 1);
    assert_eq!(inclusion_proof_length(Index::ZERO, largest), Some(MAX_PROOF));
    let proof = vec![Hash([7; 32]); 63];
    let expected = proof
        .iter()
        .fold(leaf_hash(b""), |hash, sibling| node_hash(&hash, sibling));
    assert_eq!(
        verify_inclusion(&leaf_hash(b""), Index::ZERO, largest, &proof, &expected),
        Ok(())
    );
}

/// RFC 6962 hashing for rs_merkle, whose own SHA-256 has no domain bytes.
#[derive(Clone)]
struct Rfc6962;

impl Hasher for Rfc6962 {
    type Hash = [u8; 32];

    fn hash(data: &[u8]) -> [u8; 32] {
        Sha256::new().chain_update([0]).chain_update(data).finalize().into()
    }

    fn concat_and_hash(left: &[u8; 32], right: Option<&[u8; 32]>) -> [u8; 32] {
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

#[test]
fn roots_and_proofs_are_those_of_rs_merkle() {
    let mut tree = MemoryTree::new();
    let mut leaves = Vec::new();
    for n in 1_u32..=300 {
        let entry = n.to_be_bytes();
        leaves.push(Rfc6962::hash(&entry));
        tree.append(leaf_hash(&entry)).unwrap();
        let second = MerkleTree::<Rfc6962>::from_leaves(&leaves);
        assert_eq!(second.root(), Some(tree.root().0));
        for index in [0, n / 3, n / 2, n - 1] {
            let proof = inclusion_proof(&mut tree, Index::from(index), Size::from(n)).unwrap();
            let theirs = second.proof(&[index as usize]);
            let theirs: Vec<Hash> = theirs.proof_hashes().iter().copied().map(Hash).collect();
            assert_eq!(proof, theirs, "{index} of {n}");
        }
    }
}

/// Variants of a proof, each with a changed, missing, doubled, swapped or surplus hash.
fn damaged(proof: &[Hash], byte: usize) -> Vec<Vec<Hash>> {
    let mut all = Vec::new();
    for at in 0..proof.len() {
        let mut flipped = proof.to_vec();
        flipped[at].0[byte] ^= 1;
        let mut dropped = proof.to_vec();
        dropped.remove(at);
        let mut doubled = proof.to_vec();
        doubled.insert(at, proof[at]);
        all.extend([flipped, dropped, doubled]);
        if at > 0 {
            let mut swapped = proof.to_vec();
            swapped.swap(at - 1, at);
            all.push(swapped);
        }
    }
    all.push([proof, &[Hash([0; 32])]].concat());
    all
}

proptest! {
    #[test]
    fn an_inclusion_proof_proves_one_leaf_at_one_index(n in 1_u32..600, at in any::<u32>(), other in any::<u32>(), byte in 0_usize..32) {
        let mut tree = MemoryTree::new();
        for leaf in 0..n {
            tree.append(leaf_hash(&leaf.to_be_bytes())).unwrap();
        }
        let (size, at, other) = (tree.size(), at % n, other % n);
        let (leaf, root) = (leaf_hash(&at.to_be_bytes()), tree.root());
        let index = Index::from(at);
        let proof = inclusion_proof(&mut tree, index, size).unwrap();
        prop_assert_eq!(verify_inclusion(&leaf, index, size, &proof, &root), Ok(()));
        for bad in damaged(&proof, byte) {
            prop_assert!(verify_inclusion(&leaf, index, size, &bad, &root).is_err());
        }
        if other != at {
            prop_assert!(verify_inclusion(&leaf, Index::from(other), size, &proof, &root).is_err());
            prop_assert!(verify_inclusion(&leaf_hash(&other.to_be_bytes()), index, size, &proof, &root).is_err());
        }
    }

    #[test]
    fn a_consistency_proof_proves_one_pair_of_roots(n in 1_u32..600, old in any::<u32>(), byte in 0_usize..32) {
        let mut tree = MemoryTree::new();
        for leaf in 0..n {
            tree.append(leaf_hash(&leaf.to_be_bytes())).unwrap();
        }
        let (new, old) = (tree.size(), Size::from(1 + old % n));
        let (new_root, old_root) = (tree.root(), root(&mut tree, old).unwrap());
        let proof = consistency_proof(&mut tree, old, new).unwrap();
        prop_assert_eq!(verify_consistency(old, &old_root, new, &new_root, &proof), Ok(()));
        for bad in damaged(&proof, byte) {
            prop_assert!(verify_consistency(old, &old_root, new, &new_root, &bad).is_err());
        }
        let mut other = new_root;
        other.0[byte] ^= 0x80;
        prop_assert!(verify_consistency(old, &old_root, new, &other, &proof).is_err());
        prop_assert!(verify_consistency(old, &other, new, &new_root, &proof).is_err());
        if old < new {
            prop_assert!(verify_consistency(old, &new_root, new, &new_root, &proof).is_err());
        }
    }

    #[test]
    fn random_hashes_prove_nothing(
        numbers in any::<[u64; 4]>(),
        hashes in proptest::collection::vec(any::<[u8; 32]>(), 0..70),
    ) {
        let [index, old, new, _] = numbers.map(|n| n >> (n % 64).max(1));
        let hashes: Vec<Hash> = hashes.into_iter().map(Hash).collect();
        let (index, old, new) = (Index::new(index).unwrap(), size(old), size(new));
        // Random hashes prove nothing about random numbers, and no verifier panics.
        prop_assert!(verify_inclusion(&Hash([1; 32]), index, new, &hashes, &Hash([2; 32])).is_err());
        prop_assert!(verify_consistency(old, &Hash([1; 32]), new, &Hash([2; 32]), &hashes).is_err());
        if let Ok(subtree) = Subtree::new(old.get(), new.get()) {
            prop_assert!(verify_subtree_inclusion(&Hash([1; 32]), index, subtree, &hashes, &Hash([2; 32])).is_err());
        }
    }
}
