//! Why an entry is refused.
//!
//! | Status | Slug | Meaning |
//! | --- | --- | --- |
//! | 400 | `malformed` | not an entry |
//! | 403 | `unknown-writer` | the directory names no such writer |
//! | 403 | `signature` | the signature is not the writer's |
//! | 403 | `right` | the writer may not write this kind, or not now |
//! | 413 | `too-large` | entry, record or document |
//! | 422 | `record` | a record is missing, not wanted, or not the committed one |
//! | 422 | `document` | a document is missing, not wanted, not the named one, or not acceptable |
//! | 422 | `clock-skew` | the entry's time is too far from the ledger's |
//! | 422 | `period` | the period has not begun, is not the current one, or is final |
//! | 422 | `refers` | what the entry refers to is not there, or not what it must be |
//! | 503 | `rebuilding` | a period's map is being rebuilt after a start, so its root cannot be compared yet |
//! | 409 | `label-used` | the label stands in the log; the stored entry's receipt comes along |
//! | 409 | `sequence-used` | the writer's sequence number stands in the log with other bytes; the stored entry's receipt comes along |
//! | 409 | `chain` | the entry does not continue the writer's chain; says what is expected |
//!
//! An entry's own fault comes before one of its chain, so that a client learns all faulty entries of a batch at once.

use service::Problem;

/// A refusal of one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What is wrong.
    pub problem: Box<Problem>,
    /// The entry that stands in the way, if there is one.
    pub stored: Option<u64>,
}

impl Refusal {
    fn of(problem: Problem) -> Self {
        Self {
            problem: Box::new(problem),
            stored: None,
        }
    }

    pub(crate) fn malformed(detail: impl Into<String>) -> Self {
        Self::of(Problem::bad_request("malformed", detail))
    }

    pub(crate) fn unknown_writer() -> Self {
        Self::of(Problem::forbidden(
            "unknown-writer",
            "the directory names no such writer",
        ))
    }

    pub(crate) fn signature() -> Self {
        Self::of(Problem::forbidden("signature", "the signature is not the writer's"))
    }

    pub(crate) fn right(detail: impl Into<String>) -> Self {
        Self::of(Problem::forbidden("right", detail))
    }

    pub(crate) fn too_large(detail: impl Into<String>) -> Self {
        Self::of(Problem::too_large(detail))
    }

    pub(crate) fn record(detail: &str) -> Self {
        Self::of(Problem::unprocessable("record", detail))
    }

    pub(crate) fn document(detail: impl Into<String>) -> Self {
        Self::of(Problem::unprocessable("document", detail))
    }

    pub(crate) fn clock_skew(allowed: u64, now: u64, time: u64) -> Self {
        Self::of(Problem::unprocessable(
            "clock-skew",
            format!("the entry's time {time} is more than {allowed} s away from the ledger's {now}"),
        ))
    }

    pub(crate) fn period(detail: impl Into<String>) -> Self {
        Self::of(Problem::unprocessable("period", detail))
    }

    pub(crate) fn rebuilding() -> Self {
        let detail = "the periods' maps are being rebuilt after a start; try again";
        Self::of(Problem::unavailable("rebuilding", 5, detail))
    }

    pub(crate) fn refers(detail: impl Into<String>) -> Self {
        Self::of(Problem::unprocessable("refers", detail))
    }

    pub(crate) fn label_used(index: u64) -> Self {
        let problem = Problem::conflict("label-used", format!("the label stands in entry {index}"));
        Self {
            problem: Box::new(problem),
            stored: Some(index),
        }
    }

    pub(crate) fn sequence_used(sequence: u64, index: u64) -> Self {
        let detail = format!("sequence {sequence} of this writer is entry {index}, which has other bytes");
        Self {
            problem: Box::new(Problem::conflict("sequence-used", detail)),
            stored: Some(index),
        }
    }

    pub(crate) fn chain(expected: u64, previous: tlog::Hash) -> Self {
        let detail = format!("expected sequence {expected} with previous {previous}");
        Self::of(Problem::conflict("chain", detail))
    }
}
