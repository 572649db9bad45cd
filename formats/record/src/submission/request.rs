//! What a writer sends to the ledger: entries with their sealed records and documents.

use thiserror::Error;

use super::reader::{Reader, UnexpectedItem};
use crate::cbor::{ARRAY, NULL, put_bytes, put_head};

/// The offset at which a body stops being a sequence of submissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("byte {0}: expected [bstr, bstr / null, bstr / null] in deterministic encoding")]
pub struct SubmissionError(pub usize);

impl From<UnexpectedItem> for SubmissionError {
    fn from(UnexpectedItem(offset): UnexpectedItem) -> Self {
        Self(offset)
    }
}

/// An entry with its record and document, none of them checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Submitted<'a> {
    /// The leaf.
    pub leaf: &'a [u8],
    /// The sealed record.
    pub record: Option<&'a [u8]>,
    /// The public document.
    pub document: Option<&'a [u8]>,
}

impl<'a> Submitted<'a> {
    /// Splits a sequence; nothing is copied.
    ///
    /// # Errors
    /// [`SubmissionError`] with the offset of the first item that is not what the format demands.
    pub fn read_all(bytes: &'a [u8]) -> Result<Vec<Self>, SubmissionError> {
        let mut reader = Reader::new(bytes);
        let mut all = Vec::new();
        while !reader.is_at_end() {
            reader.array(3)?;
            all.push(Self {
                leaf: reader.bytes()?,
                record: reader.optional_bytes()?,
                document: reader.optional_bytes()?,
            });
        }
        Ok(all)
    }

    /// The leaf of the first submission of a sequence, as soon as all of the leaf is there.
    #[must_use]
    pub fn first_leaf(bytes: &'a [u8]) -> Option<&'a [u8]> {
        let mut reader = Reader::new(bytes);
        reader.array(3).ok()?;
        reader.bytes().ok()
    }

    /// Appends the submission to a sequence.
    pub fn write(&self, out: &mut Vec<u8>) {
        put_head(out, ARRAY, 3);
        put_bytes(out, self.leaf);
        for part in [self.record, self.document] {
            match part {
                Some(bytes) => put_bytes(out, bytes),
                None => out.push(NULL),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::entry::MAX_LEAF;
    use proptest::prelude::*;

    #[test]
    fn only_the_shortest_heads_are_read() {
        let read = |hex: &str| Submitted::read_all(&hex::decode(hex).unwrap()).map(|all| all.len());
        assert_eq!(read(""), Ok(0));
        assert_eq!(read("8340f6f6"), Ok(1));
        assert_eq!(read("8340f6f683416100f6"), Err(SubmissionError(7)));
        for bad in [
            "83",
            "8340",
            "8340f6",
            "8240f6",
            "8440f6f6f6",
            "9f40f6f6ff",
            "83f6f6f6",
            "835f4100fff6f6",
            "835801f6f6f6",
            "8359000100f6f6",
            "8341",
            "835bffffffffffffffff00",
            "8340f6f600",
            "a0",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_first_leaf_is_found_as_soon_as_it_is_complete() {
        for length in [0, 23, 24, 255, 256, MAX_LEAF] {
            let leaf = vec![7; length];
            let mut body = Vec::new();
            Submitted {
                leaf: &leaf,
                record: None,
                document: None,
            }
            .write(&mut body);
            let end = body.len() - 2;
            assert_eq!(Submitted::first_leaf(&body[..end]), Some(leaf.as_slice()));
            assert!(Submitted::first_leaf(&body[..end - 1]).is_none(), "{length}");
        }
        assert!(Submitted::first_leaf(b"\x9f\x40").is_none());
    }

    #[test]
    fn a_request_is_a_sequence_of_arrays() {
        let one = Submitted {
            leaf: &[1],
            record: None,
            document: Some(&[2, 3]),
        };
        let expected = [0x83, 0x41, 1, 0xf6, 0x42, 2, 3];
        let mut body = Vec::new();
        one.write(&mut body);
        assert_eq!(body, expected);
        one.write(&mut body);
        assert_eq!(body, [expected, expected].concat());
    }

    type Parts = (Vec<u8>, Option<Vec<u8>>, Option<Vec<u8>>);

    proptest! {
        #[test]
        fn what_is_written_is_read(parts in prop::collection::vec(any::<Parts>(), 0..5), cut in any::<prop::sample::Index>()) {
            let mut bytes = Vec::new();
            for (leaf, record, document) in &parts {
                Submitted { leaf, record: record.as_deref(), document: document.as_deref() }.write(&mut bytes);
            }
            let read: Vec<Parts> = Submitted::read_all(&bytes).unwrap().into_iter().map(|one| {
                (one.leaf.to_vec(), one.record.map(<[u8]>::to_vec), one.document.map(<[u8]>::to_vec))
            }).collect();
            prop_assert_eq!(&read, &parts);
            // A sequence that is cut is refused or is a shorter one, never a panic.
            let at = cut.index(bytes.len() + 1);
            if let Ok(all) = Submitted::read_all(&bytes[..at]) {
                prop_assert!(all.len() <= parts.len());
            }
        }
    }
}
