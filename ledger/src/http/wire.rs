//! The answer to `POST /entries`: a CBOR sequence (RFC 8742), written by hand because this is the hot path. The request is
//! [`record::submission`].
//!
//! ```text
//! answer  = *( [ index: uint, receipt: bstr ] / problem )                         ; one per submission, in order
//! problem = { "type": tstr, "title": tstr, "detail": tstr, "status": uint, ? "receipt": bstr }
//! ```
//!
//! Deterministic (RFC 8949 §4.2.1): shortest heads, the map's keys in the order of their encoding.

use service::Problem;

const UINT: u8 = 0;
const BYTES: u8 = 2;
const TEXT: u8 = 3;
const ARRAY: u8 = 4;
const MAP: u8 = 5;

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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

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
}
