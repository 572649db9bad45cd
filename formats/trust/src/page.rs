//! Consecutive change sets of a log in one answer, for a follower that lacks many of them.
//!
//! A page has all sets of both kinds from an index of the log on, in the order of the log, up to a limit. Every entry
//! is proved under the page's checkpoint, with one proof for all ([`tlog::merkle::inclusion_batch`]). Leaves and
//! documents are bytes as the log has them: a page that can be read says nothing about them yet.
//!
//! A ledger could leave a set out. The versions of a kind have no gaps, so the next set of the kind shows it, and a
//! `map` entry names the last one.

use record::cbor::{self, CborError};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tlog::Hash;
use tlog::merkle::Index;

use crate::limits::{MAX_PAGE, MAX_PAGE_SETS};

/// Consecutive change sets with their entries.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SetPage {
    /// The signed checkpoint under which the entries are proved.
    pub checkpoint: String,
    /// The proof of all entries; empty if there are none.
    pub proof: Vec<Hash>,
    /// The sets, ascending by index.
    pub sets: Vec<LoggedSet>,
}

/// A change set as the log has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedSet {
    /// The index of the entry that carries the set.
    pub index: Index,
    /// The entry's bytes.
    pub leaf: Vec<u8>,
    /// The signed header's bytes.
    pub header: Vec<u8>,
    /// The operations' bytes.
    pub operations: Vec<u8>,
}

/// Why bytes are not a page. Another answer may be sound.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PageError {
    /// The page is longer than [`MAX_PAGE`].
    #[error("the page is longer than {MAX_PAGE} bytes")]
    TooLong,
    /// The page has more sets than [`MAX_PAGE_SETS`].
    #[error("the page has more than {MAX_PAGE_SETS} sets")]
    TooMany,
    /// The bytes are not the deterministic CBOR of a page.
    #[error(transparent)]
    Cbor(#[from] CborError),
    /// The indexes are not ascending, or too large.
    #[error("the indexes of the page's entries do not ascend")]
    Order,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    checkpoint: String,
    #[serde(with = "record::bytes")]
    proof: Vec<Hash>,
    sets: Vec<WireSet>,
}

#[derive(Serialize, Deserialize)]
struct WireSet(
    u64,
    #[serde(with = "record::bytes")] Vec<u8>,
    #[serde(with = "record::bytes")] Vec<u8>,
    #[serde(with = "record::bytes")] Vec<u8>,
);

impl LoggedSet {
    /// How many bytes the set adds to a page, about.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.leaf.len() + self.header.len() + self.operations.len()
    }

    /// Whether the set has no bytes.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl SetPage {
    /// Reads a page.
    ///
    /// # Errors
    /// See [`PageError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, PageError> {
        if bytes.len() > MAX_PAGE {
            return Err(PageError::TooLong);
        }
        let wire: Wire = cbor::from_slice(bytes)?;
        if wire.sets.len() > MAX_PAGE_SETS {
            return Err(PageError::TooMany);
        }
        let sets = wire.sets.into_iter().map(|WireSet(index, leaf, header, operations)| {
            Ok(LoggedSet {
                index: Index::new(index).map_err(|_| PageError::Order)?,
                leaf,
                header,
                operations,
            })
        });
        let sets: Vec<_> = sets.collect::<Result<_, PageError>>()?;
        if sets.windows(2).any(|pair| pair[0].index >= pair[1].index) {
            return Err(PageError::Order);
        }
        Ok(Self {
            checkpoint: wire.checkpoint,
            proof: wire.proof,
            sets,
        })
    }

    /// The page's CBOR.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        let sets = self.sets.into_iter();
        cbor::to_vec(&Wire {
            checkpoint: self.checkpoint,
            proof: self.proof,
            sets: sets
                .map(|set| WireSet(set.index.get(), set.leaf, set.header, set.operations))
                .collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn set(index: u32, size: usize) -> LoggedSet {
        LoggedSet {
            index: Index::from(index),
            leaf: vec![1; 3],
            header: vec![2; 4],
            operations: vec![3; size],
        }
    }

    fn page(sets: Vec<LoggedSet>) -> SetPage {
        SetPage {
            checkpoint: "log.example\n".into(),
            proof: vec![Hash([7; 32])],
            sets,
        }
    }

    #[test]
    fn a_page_reads_back_and_no_byte_may_follow() {
        let page = page(vec![set(1, 5), set(2, 0), set(900, 70_000)]);
        let bytes = page.clone().into_bytes();
        assert_eq!(SetPage::parse(&bytes), Ok(page));
        assert!(SetPage::parse(&[&bytes[..], &[0]].concat()).is_err());
        assert!(SetPage::parse(&bytes[..bytes.len() - 1]).is_err());
    }

    #[test]
    fn pages_are_bounded_and_ascend() {
        let parse = |sets| SetPage::parse(&page(sets).into_bytes());
        for sets in [vec![set(2, 0), set(1, 0)], vec![set(2, 0), set(2, 0)]] {
            assert_eq!(parse(sets), Err(PageError::Order));
        }
        let many = |number: u32| (0..number).map(|index| set(index, 0)).collect::<Vec<_>>();
        let limit = u32::try_from(MAX_PAGE_SETS).unwrap();
        assert!(parse(many(limit)).is_ok());
        assert_eq!(parse(many(limit + 1)), Err(PageError::TooMany));
        assert_eq!(parse(vec![set(1, MAX_PAGE)]), Err(PageError::TooLong));
    }
}
