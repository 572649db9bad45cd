//! The Merkle tree of RFC 6962 §2.1 (= RFC 9162 §2.1) over SHA-256.
//!
//! ```text
//! MTH({})     = SHA-256("")
//! leaf(d)     = SHA-256(0x00 ‖ d)
//! node(l, r)  = SHA-256(0x01 ‖ l ‖ r)
//! MTH(D[0:n]) = n == 1 ? leaf(D[0]) : node(MTH(D[0:k]), MTH(D[k:n]))    k = largest power of two < n
//! ```
//!
//! The domain bytes prevent an attacker from presenting an inner node as a leaf; a library without them computes other
//! roots.
//!
//! **Nodes.** The node at level `h` (0 = leaf hashes) and index `i` covers the leaves `[i·2^h, (i+1)·2^h)`. Only
//! complete nodes have a level and an index, and a complete node never changes. Storage keeps these nodes, and
//! [`HashReader`] reads them.
//!
//! **Proofs.** A proof lists sibling hashes, the leaf's sibling first. Inclusion and consistency are both cases of a
//! proof about a [`Subtree`] `[start, end)` of a tree (draft-ietf-plants-merkle-tree-certs §4): the inclusion path of
//! `i` is the proof of `[i, i+1)`, and the consistency proof from `m` is the proof of `[0, m)`. Size 0 is a special
//! case: every tree extends the empty one, and the proof of this must be empty. One proof about many leaves contains
//! each hash once ([`inclusion_batch`]).
//!
//! Known mistakes of other implementations are verifiers that ignore surplus hashes (a proof must be used up exactly),
//! sizes of 2^63 and more (Go reads them as negative; [`Size`] excludes them), and proofs computed from unauthenticated
//! tiles (see `AuthenticatedTiles` in [`crate::tile`]).

mod batch;
mod error;
mod frontier;
mod generate;
mod number;
mod subtree;
mod verify;

use sha2::{Digest as _, Sha256};

pub use batch::{PathStep, inclusion_batch, path_in_batch, verify_inclusion_batch};
pub use error::ProofError;
pub use frontier::{Frontier, FrontierError, MemoryTree, MissingNode};
pub use generate::{GenerateError, HashReader, consistency_proof, inclusion_proof, root, subtree_hash, subtree_proof};
pub use number::{Index, RangeError, Size};
pub use subtree::Subtree;
pub use verify::{
    inclusion_proof_length, verify_consistency, verify_inclusion, verify_subtree_consistency, verify_subtree_inclusion,
};

use crate::Hash;

/// The root of the empty tree, SHA-256 of the empty string.
pub const EMPTY_ROOT: Hash = Hash([
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41,
    0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
]);

/// The most hashes that any proof can have (MT-5).
pub const MAX_PROOF: usize = 63;

/// Hash of a leaf: SHA-256(0x00 ‖ `data`).
#[must_use]
pub fn leaf_hash(data: &[u8]) -> Hash {
    Hash(Sha256::new().chain_update([0]).chain_update(data).finalize().into())
}

/// Hash of an inner node: SHA-256(0x01 ‖ `left` ‖ `right`).
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut input = [0; 65];
    input[0] = 1;
    input[1..33].copy_from_slice(&left.0);
    input[33..].copy_from_slice(&right.0);
    Hash(Sha256::digest(input).into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn mt_1_domain_bytes() {
        assert_eq!(EMPTY_ROOT, Hash::of(b""));
        assert_eq!(leaf_hash(b"ab"), Hash::of(b"\x00ab"));
        let (left, right) = (Hash([1; 32]), Hash([2; 32]));
        let bytes = [&[1][..], &left.0, &right.0].concat();
        assert_eq!(node_hash(&left, &right), Hash::of(&bytes));
    }
}
