//! What `POST /entries` and `GET /writers/{kid}/head` carry.
//!
//! ```text
//! request   [`record::submission`]
//! answer    CBOR sequence of [index uint, receipt bstr]
//!                          / {"status": uint, "type": tstr, "title": tstr, "detail": tstr, ? "receipt": bstr}
//! head      {"sequence": uint, "leaf": bstr .size 32, "index": uint}
//! ```

use ciborium::Value;
use record::{Sequence, Submitted};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use service::problem::Problem;
use tlog::Hash;
use tlog::merkle::Index;

use super::{ApiError, AppendAnswer, Submission, WriterHead};

const PROBLEM_TYPE: &str = "urn:einsicht:problem:";

/// The request's body.
pub fn encode(submissions: &[Submission]) -> Vec<u8> {
    let mut body = Vec::new();
    for submission in submissions {
        let submitted = Submitted {
            leaf: &submission.leaf,
            record: submission.record.as_deref(),
            document: submission.document.as_deref(),
        };
        submitted.write(&mut body);
    }
    body
}

/// The answer's body: exactly `expected` answers.
///
/// # Errors
/// [`ApiError::Invalid`]
pub fn decode(mut body: &[u8], expected: usize) -> Result<Vec<AppendAnswer>, ApiError> {
    let mut answers = Vec::with_capacity(expected);
    while !body.is_empty() {
        if answers.len() == expected {
            return Err(ApiError::Invalid(format!("more than {expected} answers")));
        }
        let item: Value = ciborium::from_reader(&mut body).map_err(invalid)?;
        answers.push(answer(&item)?);
    }
    if answers.len() < expected {
        return Err(ApiError::Invalid(format!("{} answers, not {expected}", answers.len())));
    }
    Ok(answers)
}

fn answer(item: &Value) -> Result<AppendAnswer, ApiError> {
    if item.is_array() {
        let (index, receipt): (u64, ByteBuf) = item.deserialized().map_err(invalid)?;
        return Ok(AppendAnswer::Recorded {
            index,
            receipt: receipt.into_vec(),
        });
    }
    let wire: WireProblem = item.deserialized().map_err(invalid)?;
    let slug = wire.kind.strip_prefix(PROBLEM_TYPE).unwrap_or(&wire.kind);
    Ok(AppendAnswer::Refused {
        problem: Box::new(Problem::new(wire.status, slug, &wire.title, wire.detail)),
        receipt: wire.receipt.map(ByteBuf::into_vec),
    })
}

#[derive(Deserialize)]
struct WireProblem {
    status: u16,
    #[serde(rename = "type")]
    kind: String,
    title: String,
    detail: String,
    receipt: Option<ByteBuf>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireHead {
    sequence: u64,
    leaf: ByteBuf,
    index: u64,
}

pub(super) fn decode_writer_head(bytes: &[u8]) -> Result<WriterHead, ApiError> {
    let wire: WireHead = record::cbor::from_slice(bytes).map_err(invalid)?;
    Ok(WriterHead {
        sequence: Sequence(wire.sequence),
        leaf_hash: Hash::try_from(wire.leaf.as_ref()).map_err(invalid)?,
        index: Index::new(wire.index).map_err(invalid)?,
    })
}

fn invalid(error: impl std::fmt::Display) -> ApiError {
    ApiError::Invalid(error.to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn sequence(items: &[Value]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for item in items {
            ciborium::into_writer(item, &mut bytes).unwrap();
        }
        bytes
    }

    fn recorded() -> Value {
        Value::Array(vec![7.into(), Value::Bytes(b"receipt".to_vec())])
    }

    fn refused(receipt: bool) -> Value {
        let mut fields = vec![
            ("status".into(), 409.into()),
            ("type".into(), "urn:einsicht:problem:label-used".into()),
            ("title".into(), "t".into()),
            ("detail".into(), "d".into()),
        ];
        if receipt {
            fields.push(("receipt".into(), Value::Bytes(b"stored".to_vec())));
        }
        Value::Map(fields)
    }

    #[test]
    fn a_request_is_a_sequence_of_arrays() {
        let one = Submission {
            leaf: vec![1],
            record: None,
            document: Some(vec![2, 3]),
        };
        let expected = [0x83, 0x41, 1, 0xf6, 0x42, 2, 3];
        assert_eq!(encode(std::slice::from_ref(&one)), expected);
        assert_eq!(encode(&[one.clone(), one]), [expected, expected].concat());
    }

    #[test]
    fn each_entry_has_its_own_answer() {
        let answers = decode(&sequence(&[recorded(), refused(true), refused(false)]), 3).unwrap();
        assert!(matches!(&answers[0], AppendAnswer::Recorded { index: 7, receipt } if receipt == b"receipt"));
        let AppendAnswer::Refused { problem, receipt } = &answers[1] else {
            panic!("refused")
        };
        assert_eq!((problem.status, problem.slug.as_str()), (409, "label-used"));
        assert_eq!(receipt.as_deref(), Some(&b"stored"[..]));
        assert!(matches!(&answers[2], AppendAnswer::Refused { receipt: None, .. }));
    }

    #[test]
    fn the_number_of_answers_must_fit() {
        let two = sequence(&[recorded(), refused(false)]);
        assert!(decode(&two, 1).is_err() && decode(&two, 3).is_err());
        assert!(decode(&two[..two.len() - 1], 2).is_err());
        assert!(decode(b"\x01", 1).is_err());
    }

    #[test]
    fn a_writers_head() {
        let head = Value::Map(vec![
            ("leaf".into(), Value::Bytes(vec![9; 32])),
            ("index".into(), 5.into()),
            ("sequence".into(), 3.into()),
        ]);
        let head = decode_writer_head(&sequence(&[head])).unwrap();
        assert_eq!(
            (head.sequence, head.leaf_hash, head.index),
            (Sequence(3), Hash([9; 32]), Index::from(5))
        );
        assert!(decode_writer_head(b"\xa0").is_err());
    }
}
