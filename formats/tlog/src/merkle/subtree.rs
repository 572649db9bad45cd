//! Subtrees, about which all proofs are.

use super::error::ProofError;
use super::number::Size;

/// A range of leaves `[start, end)` that is a subtree of every tree of at least `end` leaves: `start` is a multiple of
/// the smallest power of two that is at least `end − start`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Subtree {
    pub(super) start: u64,
    pub(super) end: u64,
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
        // This cannot overflow, because the length is below 2^63.
        if start.is_multiple_of((end - start).next_power_of_two()) {
            Ok(Self { start, end })
        } else {
            Err(ProofError::InvalidSubtree)
        }
    }

    /// The whole tree of `size` leaves.
    #[must_use]
    pub const fn whole(size: Size) -> Self {
        Self {
            start: 0,
            end: size.get(),
        }
    }

    /// Index of the first leaf.
    #[must_use]
    pub const fn start(self) -> u64 {
        self.start
    }

    /// Index of the first leaf after the subtree.
    #[must_use]
    pub const fn end(self) -> u64 {
        self.end
    }

    /// Whether the subtree has no leaf.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.start == self.end
    }
}

/// The largest power of two below `n`, for `n ≥ 2`.
pub(super) const fn split_point(n: u64) -> u64 {
    1 << (u64::BITS - 1 - (n - 1).leading_zeros())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn a_split_point_is_the_largest_power_of_two_below() {
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
