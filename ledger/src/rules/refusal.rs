//! Why the rules refuse an entry, and the problem that the HTTP interface answers with.
//!
//! [`RefusalCode`] lists the codes with their meaning. An entry's own errors are reported before errors of its chain,
//! so that a client learns all faulty entries of a batch at once.

use record::RefusalCode;
use service::Problem;

/// The refusal of one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What kind of refusal.
    pub code: RefusalCode,
    /// This case in words; never a person's data.
    pub detail: String,
    /// The index of the stored entry that this one conflicts with, if there is one.
    pub stored: Option<u64>,
}

/// The problem details (RFC 9457) of a refusal.
pub(crate) fn problem(code: RefusalCode, detail: impl Into<String>) -> Problem {
    let slug = code.slug();
    match code {
        RefusalCode::Malformed => Problem::bad_request(slug, detail),
        RefusalCode::UnknownWriter | RefusalCode::Signature | RefusalCode::Right => Problem::forbidden(slug, detail),
        RefusalCode::TooLarge => Problem::too_large(detail),
        RefusalCode::Record
        | RefusalCode::Document
        | RefusalCode::ClockSkew
        | RefusalCode::Period
        | RefusalCode::Refers => Problem::unprocessable(slug, detail),
        RefusalCode::LabelUsed | RefusalCode::SequenceUsed | RefusalCode::Chain => Problem::conflict(slug, detail),
        RefusalCode::Clock | RefusalCode::Rebuilding => Problem::unavailable(slug, 5, detail),
        RefusalCode::Internal => Problem::internal(),
    }
}

impl Refusal {
    fn of(code: RefusalCode, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            stored: None,
        }
    }

    pub(crate) fn malformed(detail: impl Into<String>) -> Self {
        Self::of(RefusalCode::Malformed, detail)
    }

    pub(crate) fn unknown_writer() -> Self {
        Self::of(RefusalCode::UnknownWriter, "the directory names no such writer")
    }

    pub(crate) fn signature() -> Self {
        Self::of(RefusalCode::Signature, "the signature is not the writer's")
    }

    pub(crate) fn right(detail: impl Into<String>) -> Self {
        Self::of(RefusalCode::Right, detail)
    }

    pub(crate) fn too_large(detail: impl Into<String>) -> Self {
        Self::of(RefusalCode::TooLarge, detail)
    }

    pub(crate) fn record(detail: &str) -> Self {
        Self::of(RefusalCode::Record, detail)
    }

    pub(crate) fn document(detail: impl Into<String>) -> Self {
        Self::of(RefusalCode::Document, detail)
    }

    pub(crate) fn clock_skew(allowed: u64, now: u64, time: u64) -> Self {
        let detail = format!("the entry's time {time} is more than {allowed} s away from the ledger's {now}");
        Self::of(RefusalCode::ClockSkew, detail)
    }

    pub(crate) fn clock(detail: impl Into<String>) -> Self {
        Self::of(RefusalCode::Clock, detail)
    }

    pub(crate) fn period(detail: impl Into<String>) -> Self {
        Self::of(RefusalCode::Period, detail)
    }

    pub(crate) fn rebuilding() -> Self {
        let detail = "the periods' maps are being rebuilt after a start; try again";
        Self::of(RefusalCode::Rebuilding, detail)
    }

    pub(crate) fn refers(detail: impl Into<String>) -> Self {
        Self::of(RefusalCode::Refers, detail)
    }

    pub(crate) fn label_used(index: u64) -> Self {
        Self {
            stored: Some(index),
            ..Self::of(RefusalCode::LabelUsed, format!("entry {index} has the label"))
        }
    }

    pub(crate) fn sequence_used(sequence: u64, index: u64) -> Self {
        let detail = format!("sequence {sequence} of this writer is entry {index}, which has other bytes");
        Self {
            stored: Some(index),
            ..Self::of(RefusalCode::SequenceUsed, detail)
        }
    }

    pub(crate) fn chain(expected: u64, previous: tlog::Hash) -> Self {
        let detail = format!("expected sequence {expected} with previous {previous}");
        Self::of(RefusalCode::Chain, detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_has_the_status_and_slug_of_its_code() {
        for code in RefusalCode::ALL {
            let problem = problem(code, "");
            assert_eq!((problem.status, problem.slug.as_str()), (code.status(), code.slug()));
        }
    }
}
