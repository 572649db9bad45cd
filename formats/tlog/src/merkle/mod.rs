//! The Merkle tree of RFC 6962 §2.1 (= RFC 9162 §2.1) over SHA-256.
//!
//! ```text
//! MTH({})     = SHA-256("")
//! leaf(d)     = SHA-256(0x00 ‖ d)
//! node(l, r)  = SHA-256(0x01 ‖ l ‖ r)
//! MTH(D[0:n]) = n == 1 ? leaf(D[0]) : node(MTH(D[0:k]), MTH(D[k:n]))    k = largest power of two < n
//! ```
//!
//! The domain bytes keep an inner node from being passed off as a leaf; a library without them computes other roots.
//!
//! **Nodes.** The node at level `h` (0 = leaf hashes) and index `i` covers the leaves `[i·2^h, (i+1)·2^h)`. Only complete
//! nodes have a name, and a complete node never changes: this is what storage keeps and what [`HashReader`] reads.
//!
//! **Proofs.** A proof lists sibling hashes, the leaf's sibling first. Inclusion and consistency are both cases of a proof
//! about a [`Subtree`] `[start, end)` of a tree (draft-ietf-plants-merkle-tree-certs §4): the inclusion path of `i` is the
//! proof of `[i, i+1)`, the consistency proof from `m` is the proof of `[0, m)`. Size 0 is a rule of its own: every tree
//! extends the empty one, and the proof of that must be empty. Many leaves at once have a proof that sends each hash once
//! ([`inclusion_batch`]).
//!
//! What goes wrong elsewhere: verifiers that ignore surplus hashes (a proof must be used up exactly), sizes of 2^63 and more
//! (Go reads them as negative; here they cannot be made), and proofs built from unauthenticated tiles (see
//! [`crate::tile::AuthenticatedTiles`]).

mod batch;
mod frontier;
mod generate;
mod verify;

use core::fmt;

use sha2::{Digest as _, Sha256};

pub use batch::{inclusion_batch, verify_inclusion_batch};
pub use frontier::{Frontier, FrontierError, MemoryTree, MissingNode};
pub use generate::{GenerateError, HashReader, consistency_proof, inclusion_proof, root, subtree_hash, subtree_proof};
pub use verify::{
    ProofError, inclusion_proof_length, verify_consistency, verify_inclusion, verify_subtree_consistency,
    verify_subtree_inclusion,
};

use crate::Hash;

/// The root of the empty tree, SHA-256 of nothing.
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

/// A number is 2^63 or more, which no tree size and no index may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not below 2^63")]
pub struct RangeError(pub u64);

macro_rules! below_two_to_63 {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(u64);

        impl $name {
            /// Zero.
            pub const ZERO: Self = Self(0);

            /// Takes a number below 2^63.
            ///
            /// # Errors
            /// [`RangeError`] from 2^63 on.
            pub const fn new(value: u64) -> Result<Self, RangeError> {
                if value >> 63 == 0 { Ok(Self(value)) } else { Err(RangeError(value)) }
            }

            /// The number.
            #[must_use]
            pub const fn get(self) -> u64 {
                self.0
            }
        }

        impl From<u32> for $name {
            fn from(value: u32) -> Self {
                Self(u64::from(value))
            }
        }

        impl TryFrom<u64> for $name {
            type Error = RangeError;

            fn try_from(value: u64) -> Result<Self, Self::Error> {
                Self::new(value)
            }
        }

        impl From<$name> for u64 {
            fn from(value: $name) -> Self {
                value.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

below_two_to_63! {
    /// Position of a leaf, counted from 0.
    Index
}

below_two_to_63! {
    /// Number of leaves of a tree.
    Size
}

impl Size {
    /// Whether a tree of this size has a leaf at `index`.
    #[must_use]
    pub const fn contains(self, index: Index) -> bool {
        index.0 < self.0
    }

    /// The last leaf's index; `None` for the empty tree.
    #[must_use]
    pub const fn last(self) -> Option<Index> {
        match self.0.checked_sub(1) {
            Some(index) => Some(Index(index)),
            None => None,
        }
    }

    /// The index that the next leaf gets; `None` when the tree is full.
    #[must_use]
    pub fn next_index(self) -> Option<Index> {
        (self.0 < i64::MAX.unsigned_abs()).then_some(Index(self.0))
    }
}

impl Index {
    /// Size of the smallest tree that has this leaf; `None` for the index 2^63 − 1.
    #[must_use]
    pub fn size_with(self) -> Option<Size> {
        Size::new(self.0 + 1).ok()
    }
}

/// A range of leaves `[start, end)` that is a subtree of every tree of at least `end` leaves: `start` is a multiple of the
/// smallest power of two that is at least `end − start`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Subtree {
    start: u64,
    end: u64,
}

impl Subtree {
    /// The subtree `[start, end)`.
    ///
    /// # Errors
    /// [`ProofError::InvalidSubtree`] when the bounds are not aligned, not in order or not below 2^63.
    pub fn new(start: u64, end: u64) -> Result<Self, ProofError> {
        if start > end || end >> 63 != 0 {
            return Err(ProofError::InvalidSubtree);
        }
        // Cannot overflow: the length is below 2^63.
        if start.is_multiple_of((end - start).next_power_of_two()) {
            Ok(Self { start, end })
        } else {
            Err(ProofError::InvalidSubtree)
        }
    }

    /// The whole tree of `size` leaves.
    #[must_use]
    pub const fn whole(size: Size) -> Self {
        Self { start: 0, end: size.0 }
    }

    /// First leaf.
    #[must_use]
    pub const fn start(self) -> u64 {
        self.start
    }

    /// First leaf after the subtree.
    #[must_use]
    pub const fn end(self) -> u64 {
        self.end
    }

    /// Whether it has no leaf.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.start == self.end
    }
}

/// Two subtrees that together cover `[start, end)` (and possibly leaves before `start`); the second is empty when one is
/// enough.
///
/// # Errors
/// [`ProofError::InvalidSubtree`] when `start > end` or `end` is not below 2^63.
pub fn find_subtrees(start: u64, end: u64) -> Result<(Subtree, Subtree), ProofError> {
    if start > end || end >> 63 != 0 {
        return Err(ProofError::InvalidSubtree);
    }
    if end - start <= 1 {
        return Ok((Subtree::new(start, end)?, Subtree::new(end, end)?));
    }
    let bit_length = |value: u64| u64::BITS - value.leading_zeros();
    let last = end - 1;
    let split = bit_length(start ^ last) - 1;
    let mask = (1_u64 << split) - 1;
    let middle = last & !mask;
    let left_split = bit_length(!start & mask);
    let left = start & !((1_u64 << left_split) - 1);
    Ok((Subtree::new(left, middle)?, Subtree::new(middle, end)?))
}

/// The largest power of two below `n`, for `n ≥ 2`.
const fn split_point(n: u64) -> u64 {
    1 << (u64::BITS - 1 - (n - 1).leading_zeros())
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

    #[test]
    fn mt_5_numbers_end_below_two_to_63() {
        assert_eq!(Size::new(1 << 63), Err(RangeError(1 << 63)));
        let last = Index::new((1 << 63) - 1).unwrap();
        assert_eq!(last.size_with(), None);
        assert_eq!(Size::new((1 << 63) - 1).unwrap().next_index(), None);
        assert_eq!(Index::from(6).size_with(), Some(Size::from(7)));
        assert_eq!(Size::ZERO.last(), None);
        assert_eq!(Size::from(7).last(), Some(Index::from(6)));
        assert!(Size::from(7).contains(Index::from(6)) && !Size::from(7).contains(Index::from(7)));
    }

    #[test]
    fn split_points() {
        for (n, k) in [(2, 1), (3, 2), (4, 2), (5, 4), (8, 4), (9, 8), ((1 << 63) - 1, 1 << 62)] {
            assert_eq!(split_point(n), k);
        }
    }

    #[test]
    fn subtrees_are_aligned() {
        assert!(Subtree::new(4, 8).is_ok() && Subtree::new(8, 13).is_ok() && Subtree::new(5, 5).is_ok());
        for (start, end) in [(2, 5), (6, 9), (3, 2), (0, 1 << 63)] {
            assert_eq!(Subtree::new(start, end), Err(ProofError::InvalidSubtree));
        }
    }
}
