//! Sizes of trees and positions of leaves.

use core::fmt;

/// The number is 2^63 or more, and so is neither a tree size nor an index.
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
            /// [`RangeError`] when the number is 2^63 or more.
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

    /// The index of the last leaf; `None` for the empty tree.
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn mt_5_numbers_end_below_two_to_63() {
        assert_eq!(Size::new(1 << 63), Err(RangeError(1 << 63)));
        assert!(Index::new((1 << 63) - 1).is_ok());
        assert_eq!(Size::new((1 << 63) - 1).unwrap().next_index(), None);
        assert_eq!(Size::ZERO.last(), None);
        assert_eq!(Size::from(7).last(), Some(Index::from(6)));
        assert!(Size::from(7).contains(Index::from(6)) && !Size::from(7).contains(Index::from(7)));
    }
}
