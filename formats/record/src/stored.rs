//! How a reader with a credential reads many entries and their sealed records at once: the bodies of
//! `POST /records/batch`.
//!
//! ```text
//! request = [1*256 index: uint]
//! answer  = [1*256 (stored / null)]              ; in the order of the request; null: the log has no such entry
//! stored  = [leaf: bstr, sealed-record: bstr / null]
//! ```
//!
//! `sealed-record` is null if the entry has no record, or no longer has one. Both bodies are deterministic CBOR, as
//! everywhere ([`crate::cbor`]).
//!
//! The ledger is not trusted: a reader checks leaves and records as if they had come from anywhere.

use serde::Deserialize;
use serde::ser::{Serialize, SerializeTuple as _, Serializer};

use crate::bytes::FormRef;

/// The most entries of a request.
pub const MAX_BATCH: usize = 256;

/// One entry as the ledger stores it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "Parts")]
pub struct StoredEntry {
    /// The leaf bytes (COSE_Sign1).
    pub leaf: Vec<u8>,
    /// The sealed record, if there is one.
    pub record: Option<Vec<u8>>,
}

#[derive(Deserialize)]
struct Parts(
    #[serde(with = "crate::bytes")] Vec<u8>,
    #[serde(with = "crate::bytes")] Option<Vec<u8>>,
);

impl From<Parts> for StoredEntry {
    fn from(Parts(leaf, record): Parts) -> Self {
        Self { leaf, record }
    }
}

/// Without a copy of leaf and record, unlike a conversion into [`Parts`].
impl Serialize for StoredEntry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut parts = serializer.serialize_tuple(2)?;
        parts.serialize_element(&FormRef(&self.leaf))?;
        parts.serialize_element(&FormRef(&self.record))?;
        parts.end()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::cbor;

    #[test]
    fn the_answer_has_the_documented_form() {
        let stored = [
            Some(StoredEntry {
                leaf: vec![1, 2],
                record: Some(vec![3]),
            }),
            None,
            Some(StoredEntry {
                leaf: vec![4],
                record: None,
            }),
        ];
        let bytes = cbor::to_vec(&stored);
        assert_eq!(hex::encode(&bytes), "83824201024103f6824104f6");
        assert_eq!(cbor::from_slice::<Vec<Option<StoredEntry>>>(&bytes).unwrap(), stored);
        let with_more = hex::decode("81824201024101ff").unwrap();
        assert!(cbor::from_slice::<Vec<Option<StoredEntry>>>(&with_more).is_err());
    }
}
