//! The answer to one submission.

use thiserror::Error;

use super::reader::{Reader, UnexpectedItem};
use super::refusal_code::RefusalCode;
use crate::cbor::{ARRAY, MAP, UINT, put_bytes, put_head, put_text};

const PROBLEM_TYPE: &str = "urn:einsicht:problem:";

/// Why a body is not the answers to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SubmissionAnswerError {
    /// The item at this offset is not what the format demands, or names a code that does not exist.
    #[error("byte {0}: expected [uint, bstr] or a problem in deterministic encoding")]
    Malformed(usize),
    /// There are more answers than submissions.
    #[error("more than {0} answers")]
    TooMany(usize),
    /// There are fewer answers than submissions.
    #[error("{found} answers, not {expected}")]
    TooFew {
        /// The number of answers in the body.
        found: usize,
        /// The number of submissions.
        expected: usize,
    },
}

impl From<UnexpectedItem> for SubmissionAnswerError {
    fn from(UnexpectedItem(offset): UnexpectedItem) -> Self {
        Self::Malformed(offset)
    }
}

/// What became of one submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubmissionAnswer {
    /// The log contains the entry.
    Recorded {
        /// The entry's index in the log.
        index: u64,
        /// The entry's receipt (tlog-proof).
        receipt: Vec<u8>,
    },
    /// The ledger refused the entry.
    Refused {
        /// Why.
        code: RefusalCode,
        /// The kind of problem, for people.
        title: String,
        /// This case, for people; empty if there is nothing to add.
        detail: String,
        /// The receipt of the stored entry that this one conflicts with, if there is one.
        receipt: Option<Vec<u8>>,
    },
}

impl SubmissionAnswer {
    /// Reads the answers to a request of `expected` submissions.
    ///
    /// # Errors
    /// [`SubmissionAnswerError`]
    pub fn read_all(bytes: &[u8], expected: usize) -> Result<Vec<Self>, SubmissionAnswerError> {
        let mut reader = Reader::new(bytes);
        let mut answers = Vec::with_capacity(expected);
        while !reader.is_at_end() {
            if answers.len() == expected {
                return Err(SubmissionAnswerError::TooMany(expected));
            }
            answers.push(Self::read(&mut reader)?);
        }
        match answers.len() {
            found if found < expected => Err(SubmissionAnswerError::TooFew { found, expected }),
            _ => Ok(answers),
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, UnexpectedItem> {
        if reader.next_is_array() {
            reader.array(2)?;
            return Ok(Self::Recorded {
                index: reader.uint()?,
                receipt: reader.bytes()?.to_vec(),
            });
        }
        let start = reader.unexpected();
        let has_receipt = match reader.map()? {
            4 => false,
            5 => true,
            _ => return Err(start),
        };
        reader.key("type")?;
        let unknown = reader.unexpected();
        let slug = reader.text()?.strip_prefix(PROBLEM_TYPE).ok_or(unknown)?;
        let code = RefusalCode::from_slug(slug).ok_or(unknown)?;
        reader.key("title")?;
        let title = reader.text()?.to_owned();
        reader.key("detail")?;
        let detail = reader.text()?.to_owned();
        reader.key("status")?;
        let wrong_status = reader.unexpected();
        if reader.uint()? != u64::from(code.status()) {
            return Err(wrong_status);
        }
        let receipt = if has_receipt {
            reader.key("receipt")?;
            Some(reader.bytes()?.to_vec())
        } else {
            None
        };
        Ok(Self::Refused {
            code,
            title,
            detail,
            receipt,
        })
    }

    /// Appends the answer to a sequence.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Recorded { index, receipt } => {
                put_head(out, ARRAY, 2);
                put_head(out, UINT, *index);
                put_bytes(out, receipt);
            }
            Self::Refused {
                code,
                title,
                detail,
                receipt,
            } => {
                put_head(out, MAP, 4 + u64::from(receipt.is_some()));
                put_text(out, "type");
                put_text(out, &format!("{PROBLEM_TYPE}{}", code.slug()));
                put_text(out, "title");
                put_text(out, title);
                put_text(out, "detail");
                put_text(out, detail);
                put_text(out, "status");
                put_head(out, UINT, u64::from(code.status()));
                if let Some(receipt) = receipt {
                    put_text(out, "receipt");
                    put_bytes(out, receipt);
                }
            }
        }
    }

    /// The HTTP status of a response whose only answer this is.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Recorded { .. } => 200,
            Self::Refused { code, .. } => code.status(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use ciborium::Value;
    use proptest::prelude::*;

    use super::*;

    /// A sequence of answers, written by another CBOR library than the one under test.
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
            ("type".into(), "urn:einsicht:problem:label-used".into()),
            ("title".into(), "t".into()),
            ("detail".into(), "d".into()),
            ("status".into(), 409.into()),
        ];
        if receipt {
            fields.push(("receipt".into(), Value::Bytes(b"stored".to_vec())));
        }
        Value::Map(fields)
    }

    #[test]
    fn answers_are_deterministic_cbor() {
        let mut out = Vec::new();
        SubmissionAnswer::Recorded {
            index: 500,
            receipt: vec![1, 2],
        }
        .write(&mut out);
        SubmissionAnswer::Refused {
            code: RefusalCode::Chain,
            title: "In conflict with what is recorded".into(),
            detail: "x".into(),
            receipt: Some(vec![7]),
        }
        .write(&mut out);
        assert_eq!(out[..7], [0x82, 0x19, 0x01, 0xf4, 0x42, 1, 2]);
        #[derive(serde::Serialize, serde::Deserialize)]
        struct Wire {
            r#type: String,
            status: u16,
            detail: String,
            title: String,
            receipt: crate::bytes::Form<Vec<u8>>,
        }
        let wire: Wire = crate::cbor::from_slice(&out[7..]).unwrap();
        assert_eq!(
            (wire.r#type, wire.status),
            ("urn:einsicht:problem:chain".to_owned(), 409)
        );
        assert_eq!(
            (wire.title, wire.detail),
            ("In conflict with what is recorded".to_owned(), "x".to_owned())
        );
        assert_eq!(wire.receipt.0, [7]);
    }

    #[test]
    fn each_entry_has_its_own_answer() {
        let bytes = sequence(&[recorded(), refused(true), refused(false)]);
        let answers = SubmissionAnswer::read_all(&bytes, 3).unwrap();
        assert!(matches!(&answers[0], SubmissionAnswer::Recorded { index: 7, receipt } if receipt == b"receipt"));
        let SubmissionAnswer::Refused {
            code,
            title,
            detail,
            receipt,
        } = &answers[1]
        else {
            panic!("refused")
        };
        assert_eq!((answers[1].status(), *code), (409, RefusalCode::LabelUsed));
        assert_eq!((title.as_str(), detail.as_str()), ("t", "d"));
        assert_eq!(receipt.as_deref(), Some(&b"stored"[..]));
        assert!(matches!(&answers[2], SubmissionAnswer::Refused { receipt: None, .. }));
    }

    #[test]
    fn the_number_of_answers_must_fit() {
        let two = sequence(&[recorded(), refused(false)]);
        let read = SubmissionAnswer::read_all;
        assert_eq!(read(&two, 1), Err(SubmissionAnswerError::TooMany(1)));
        let too_few = SubmissionAnswerError::TooFew { found: 2, expected: 3 };
        assert_eq!(read(&two, 3), Err(too_few));
        assert!(read(&two[..two.len() - 1], 2).is_err());
        assert!(read(b"\x01", 1).is_err());
    }

    #[test]
    fn only_the_deterministic_form_of_a_known_refusal_is_read() {
        let Value::Map(fields) = refused(true) else {
            panic!("a map")
        };
        let read = |fields: &[(Value, Value)]| SubmissionAnswer::read_all(&sequence(&[Value::Map(fields.to_vec())]), 1);
        assert!(read(&fields).is_ok());
        for position in 1..fields.len() {
            let mut swapped = fields.clone();
            swapped.swap(position - 1, position);
            assert!(read(&swapped).is_err(), "keys in another order");
        }
        for position in 0..fields.len() - 1 {
            let mut missing = fields.clone();
            missing.remove(position);
            assert!(read(&missing).is_err(), "a key is missing");
        }
        let with = |position: usize, value: Value| {
            let mut changed = fields.clone();
            changed[position].1 = value;
            read(&changed)
        };
        assert!(with(0, "urn:einsicht:problem:unheard-of".into()).is_err());
        assert!(with(0, "label-used".into()).is_err());
        assert!(with(3, 422.into()).is_err(), "the status of another code");
        let mut more = fields.clone();
        more.push(("unknown-key".into(), 1.into()));
        assert!(read(&more).is_err());
    }

    fn answer() -> impl Strategy<Value = SubmissionAnswer> {
        let bytes = || prop::collection::vec(any::<u8>(), 0..300);
        prop_oneof![
            (any::<u64>(), bytes()).prop_map(|(index, receipt)| SubmissionAnswer::Recorded { index, receipt }),
            (
                prop::sample::select(RefusalCode::ALL.to_vec()),
                any::<String>(),
                any::<String>(),
                prop::option::of(bytes())
            )
                .prop_map(|(code, title, detail, receipt)| SubmissionAnswer::Refused {
                    code,
                    title,
                    detail,
                    receipt
                }),
        ]
    }

    proptest! {
        #[test]
        fn written_answers_are_read_back(answers in prop::collection::vec(answer(), 0..5)) {
            let mut bytes = Vec::new();
            for answer in &answers {
                answer.write(&mut bytes);
            }
            for item in crate::cbor::sequence(&bytes).unwrap() {
                prop_assert!(!item.is_empty());
            }
            prop_assert_eq!(SubmissionAnswer::read_all(&bytes, answers.len()), Ok(answers));
        }
    }
}
