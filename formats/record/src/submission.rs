//! What a writer sends to the ledger: entries with what belongs to them, as a CBOR sequence (RFC 8742). Read and written by hand,
//! because every entry passes here.
//!
//! ```text
//! request = *[ leaf: bstr, sealed-record: bstr / null, document: bstr / null ]
//! ```
//!
//! Only definite lengths and shortest heads are understood (RFC 8949 §4.2.1): one sequence has one encoding.

use thiserror::Error;

use crate::cbor::{self, put_bytes, put_head};

const BYTES: u8 = 2;
const ARRAY: u8 = 4;
const NULL: u8 = 0xf6;

/// Where a sequence stops being what it must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("byte {0}: expected [bstr, bstr / null, bstr / null] in deterministic encoding")]
pub struct SubmissionError(pub usize);

/// An entry and what belongs to it, none of it looked into.
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
    /// [`SubmissionError`] at the first byte of the item that is not understood.
    pub fn read_all(bytes: &'a [u8]) -> Result<Vec<Self>, SubmissionError> {
        let mut reader = Reader { bytes, at: 0 };
        let mut all = Vec::new();
        while reader.at < bytes.len() {
            reader.array_of_three()?;
            all.push(Self {
                leaf: reader.bytes()?,
                record: reader.optional_bytes()?,
                document: reader.optional_bytes()?,
            });
        }
        Ok(all)
    }

    /// Adds it to a sequence.
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

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn array_of_three(&mut self) -> Result<(), SubmissionError> {
        let start = self.at;
        match self.head(ARRAY)? {
            3 => Ok(()),
            _ => Err(SubmissionError(start)),
        }
    }

    fn optional_bytes(&mut self) -> Result<Option<&'a [u8]>, SubmissionError> {
        if self.bytes.get(self.at) == Some(&NULL) {
            self.at += 1;
            return Ok(None);
        }
        self.bytes().map(Some)
    }

    fn bytes(&mut self) -> Result<&'a [u8], SubmissionError> {
        let error = SubmissionError(self.at);
        let length = usize::try_from(self.head(BYTES)?).map_err(|_| error)?;
        let end = self.at.checked_add(length).ok_or(error)?;
        let bytes = self.bytes.get(self.at..end).ok_or(error)?;
        self.at = end;
        Ok(bytes)
    }

    /// The argument of a head of this major type.
    fn head(&mut self, wanted: u8) -> Result<u64, SubmissionError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        match cbor::head(rest) {
            Ok((major, argument, length)) if major == wanted => {
                self.at += length;
                Ok(argument)
            }
            _ => Err(SubmissionError(self.at)),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
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
