//! The body of `POST /entries` and its answer: CBOR sequences (RFC 8742), written and read by hand because this is the hot path.
//!
//! ```text
//! request = *[ leaf: bstr, sealed-record: bstr / null, document: bstr / null ]
//! answer  = *( [ index: uint, receipt: bstr ] / problem )                         ; one per submission, in order
//! problem = { "type": tstr, "title": tstr, "detail": tstr, "status": uint, ? "receipt": bstr }
//! ```
//!
//! Only definite lengths and shortest heads are understood (RFC 8949 §4.2.1); the map's keys come in the order of their encoding.

use axum::body::Bytes;
use service::Problem;

use crate::rules::Raw;

const UINT: u8 = 0;
const BYTES: u8 = 2;
const TEXT: u8 = 3;
const ARRAY: u8 = 4;
const MAP: u8 = 5;
const NULL: u8 = 0xf6;

/// Where a request stops being what it must be.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("byte {0}: expected [bstr, bstr / null, bstr / null] in deterministic encoding")]
pub(super) struct WireError(pub(super) usize);

/// Splits a request into its submissions without copying them.
pub(super) fn read_request(body: &Bytes) -> Result<Vec<Raw>, WireError> {
    let mut reader = Reader { body, at: 0 };
    let mut raws = Vec::new();
    while reader.at < body.len() {
        reader.array_of_three()?;
        let leaf = reader.bytes()?;
        raws.push(Raw {
            leaf,
            record: reader.optional_bytes()?,
            document: reader.optional_bytes()?,
        });
    }
    Ok(raws)
}

struct Reader<'a> {
    body: &'a Bytes,
    at: usize,
}

impl Reader<'_> {
    fn array_of_three(&mut self) -> Result<(), WireError> {
        let start = self.at;
        if self.head(ARRAY)? == 3 {
            Ok(())
        } else {
            Err(WireError(start))
        }
    }

    fn optional_bytes(&mut self) -> Result<Option<Bytes>, WireError> {
        if self.body.get(self.at) == Some(&NULL) {
            self.at += 1;
            return Ok(None);
        }
        self.bytes().map(Some)
    }

    fn bytes(&mut self) -> Result<Bytes, WireError> {
        let start = self.at;
        let length = usize::try_from(self.head(BYTES)?).map_err(|_| WireError(start))?;
        let end = self
            .at
            .checked_add(length)
            .filter(|end| *end <= self.body.len())
            .ok_or(WireError(start))?;
        let bytes = self.body.slice(self.at..end);
        self.at = end;
        Ok(bytes)
    }

    /// The argument of a head of this major type.
    fn head(&mut self, major: u8) -> Result<u64, WireError> {
        let error = WireError(self.at);
        let rest = &self.body[self.at..];
        let Some((first, rest)) = rest.split_first().filter(|(first, _)| *first >> 5 == major) else {
            return Err(error);
        };
        let (argument, used) = match first & 0x1f {
            small @ 0..24 => (u64::from(small), 0),
            24 => (number::<1>(rest).filter(|n| *n >= 24).ok_or(error)?, 1),
            25 => (number::<2>(rest).filter(|n| *n > 0xff).ok_or(error)?, 2),
            26 => (number::<4>(rest).filter(|n| *n > 0xffff).ok_or(error)?, 4),
            27 => (number::<8>(rest).filter(|n| *n > 0xffff_ffff).ok_or(error)?, 8),
            _ => return Err(error),
        };
        self.at += 1 + used;
        Ok(argument)
    }
}

fn number<const N: usize>(bytes: &[u8]) -> Option<u64> {
    bytes
        .first_chunk::<N>()
        .map(|bytes| bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

/// The answer for one submission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It stands in the log.
    Recorded {
        /// Where.
        index: u64,
        /// The proof.
        receipt: Vec<u8>,
    },
    /// It was refused.
    Refused {
        /// Why.
        problem: Box<Problem>,
        /// The receipt of the entry that stands in the way.
        stored: Option<Vec<u8>>,
    },
}

impl Answer {
    /// The HTTP status if this is the only answer.
    pub(super) fn status(&self) -> u16 {
        match self {
            Self::Recorded { .. } => 200,
            Self::Refused { problem, .. } => problem.status,
        }
    }

    /// Adds the answer to a sequence.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Recorded { index, receipt } => {
                write_head(out, ARRAY, 2);
                write_head(out, UINT, *index);
                write_string(out, BYTES, receipt);
            }
            Self::Refused { problem, stored } => {
                write_head(out, MAP, 4 + u64::from(stored.is_some()));
                for (key, value) in [("type", &problem.kind()), ("title", &problem.title)] {
                    write_string(out, TEXT, key.as_bytes());
                    write_string(out, TEXT, value.as_bytes());
                }
                write_string(out, TEXT, b"detail");
                write_string(out, TEXT, problem.detail.as_bytes());
                write_string(out, TEXT, b"status");
                write_head(out, UINT, u64::from(problem.status));
                if let Some(receipt) = stored {
                    write_string(out, TEXT, b"receipt");
                    write_string(out, BYTES, receipt);
                }
            }
        }
    }
}

/// A writer's head: `{"leaf": bstr, "index": uint, "sequence": uint}`.
pub(super) fn writer_head(head: &crate::rules::WriterHead) -> Vec<u8> {
    let mut out = Vec::new();
    write_head(&mut out, MAP, 3);
    write_string(&mut out, TEXT, b"leaf");
    write_string(&mut out, BYTES, &head.leaf.0);
    write_string(&mut out, TEXT, b"index");
    write_head(&mut out, UINT, head.index);
    write_string(&mut out, TEXT, b"sequence");
    write_head(&mut out, UINT, head.sequence);
    out
}

fn write_string(out: &mut Vec<u8>, major: u8, bytes: &[u8]) {
    write_head(out, major, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn write_head(out: &mut Vec<u8>, major: u8, argument: u64) {
    let major = major << 5;
    match argument {
        0..24 => out.push(major | argument as u8),
        24..0x100 => out.extend([major | 24, argument as u8]),
        0x100..0x1_0000 => {
            out.push(major | 25);
            out.extend((argument as u16).to_be_bytes());
        }
        0x1_0000..0x1_0000_0000 => {
            out.push(major | 26);
            out.extend((argument as u32).to_be_bytes());
        }
        _ => {
            out.push(major | 27);
            out.extend(argument.to_be_bytes());
        }
    }
}

/// Writes a submission: the other side of [`read_request`], for tests.
#[cfg(test)]
pub(crate) fn write_submission(out: &mut Vec<u8>, leaf: &[u8], record: Option<&[u8]>, document: Option<&[u8]>) {
    write_head(out, ARRAY, 3);
    write_string(out, BYTES, leaf);
    for part in [record, document] {
        match part {
            Some(bytes) => write_string(out, BYTES, bytes),
            None => out.push(NULL),
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
        let read = |hex: &str| read_request(&Bytes::from(hex::decode(hex).unwrap())).map(|raws| raws.len());
        assert_eq!(read(""), Ok(0));
        assert_eq!(read("8340f6f6"), Ok(1));
        assert_eq!(read("8340f6f683416100f6"), Err(WireError(7)));
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
    fn answers_are_deterministic_cbor() {
        let mut out = Vec::new();
        Answer::Recorded {
            index: 500,
            receipt: vec![1, 2],
        }
        .write(&mut out);
        let problem = Box::new(Problem::conflict("chain", "x"));
        Answer::Refused {
            problem: problem.clone(),
            stored: Some(vec![7]),
        }
        .write(&mut out);
        assert_eq!(out[..7], [0x82, 0x19, 0x01, 0xf4, 0x42, 1, 2]);
        #[derive(serde::Serialize, serde::Deserialize)]
        struct Wire {
            r#type: String,
            status: u16,
            detail: String,
            title: String,
            receipt: record::bytes::Form<Vec<u8>>,
        }
        let wire: Wire = record::cbor::from_slice(&out[7..]).unwrap();
        assert_eq!((wire.r#type, wire.status), (problem.kind(), 409));
        assert_eq!((wire.title, wire.detail), (problem.title, "x".into()));
        assert_eq!(wire.receipt.0, [7]);
    }

    #[test]
    fn a_writer_head_is_deterministic_cbor() {
        let head = crate::rules::WriterHead {
            sequence: 3,
            leaf: tlog::Hash([9; 32]),
            index: 70_000,
        };
        #[derive(serde::Serialize, serde::Deserialize)]
        struct Wire {
            sequence: u64,
            leaf: record::bytes::Form<Vec<u8>>,
            index: u64,
        }
        let wire: Wire = record::cbor::from_slice(&writer_head(&head)).unwrap();
        assert_eq!((wire.sequence, wire.leaf.0, wire.index), (3, vec![9; 32], 70_000));
    }

    type Parts = (Vec<u8>, Option<Vec<u8>>, Option<Vec<u8>>);

    proptest! {
        #[test]
        fn what_is_written_is_read(parts in prop::collection::vec(any::<Parts>(), 0..5), cut in any::<prop::sample::Index>()) {
            let mut body = Vec::new();
            for (leaf, record, document) in &parts {
                write_submission(&mut body, leaf, record.as_deref(), document.as_deref());
            }
            let body = Bytes::from(body);
            let raws = read_request(&body).unwrap();
            let read: Vec<Parts> = raws.into_iter().map(|raw| {
                (raw.leaf.to_vec(), raw.record.map(|r| r.to_vec()), raw.document.map(|d| d.to_vec()))
            }).collect();
            prop_assert_eq!(&read, &parts);
            // A cut request is refused or is a shorter sequence, never a panic.
            let at = cut.index(body.len() + 1);
            if let Ok(raws) = read_request(&body.slice(..at)) {
                prop_assert!(raws.len() <= parts.len());
            }
        }
    }
}
