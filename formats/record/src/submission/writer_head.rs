//! The newest entry of a writer, as the ledger reports it.

use serde::{Deserialize, Serialize};
use tlog::Hash;
use tlog::merkle::Index;

use crate::cbor::{self, CborError};
use crate::id::Sequence;

/// The last entry of a writer's chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriterHead {
    /// The entry's number in the writer's chain.
    pub sequence: Sequence,
    /// The entry's leaf hash.
    pub leaf_hash: Hash,
    /// The entry's index in the log.
    pub index: Index,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeadMap {
    #[serde(with = "crate::bytes")]
    leaf: Hash,
    index: u64,
    sequence: u64,
}

impl WriterHead {
    /// The deterministic CBOR encoding.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        cbor::to_vec(&HeadMap {
            leaf: self.leaf_hash,
            index: self.index.get(),
            sequence: self.sequence.0,
        })
    }

    /// Reads what [`WriterHead::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`CborError`] when the bytes are not the deterministic encoding or the index is not one of a log.
    pub fn parse(bytes: &[u8]) -> Result<Self, CborError> {
        let map: HeadMap = cbor::from_slice(bytes)?;
        Ok(Self {
            sequence: Sequence(map.sequence),
            leaf_hash: map.leaf,
            index: Index::new(map.index).map_err(|error| CborError::Shape(error.to_string()))?,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use ciborium::Value;

    use super::*;

    #[test]
    fn a_writer_head_is_deterministic_cbor() {
        let head = WriterHead {
            sequence: Sequence(3),
            leaf_hash: Hash([9; 32]),
            index: Index::from(70_000),
        };
        #[derive(Serialize, Deserialize)]
        struct Wire {
            sequence: u64,
            leaf: crate::bytes::Form<Vec<u8>>,
            index: u64,
        }
        let wire: Wire = cbor::from_slice(&head.to_bytes()).unwrap();
        assert_eq!((wire.sequence, wire.leaf.0, wire.index), (3, vec![9; 32], 70_000));
        assert_eq!(WriterHead::parse(&head.to_bytes()), Ok(head));
    }

    #[test]
    fn a_writers_head() {
        let map = |index: u64| {
            let map = Value::Map(vec![
                ("leaf".into(), Value::Bytes(vec![9; 32])),
                ("index".into(), index.into()),
                ("sequence".into(), 3.into()),
            ]);
            let mut bytes = Vec::new();
            ciborium::into_writer(&map, &mut bytes).unwrap();
            bytes
        };
        let head = WriterHead::parse(&map(5)).unwrap();
        assert_eq!(
            (head.sequence, head.leaf_hash, head.index),
            (Sequence(3), Hash([9; 32]), Index::from(5))
        );
        assert!(WriterHead::parse(b"\xa0").is_err());
        assert!(WriterHead::parse(&map(u64::MAX)).is_err());
    }
}
