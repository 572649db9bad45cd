//! Why the ledger refuses an entry, as a code that both ends know.

/// Why the ledger refuses one entry of a request. The slug is the last part of the problem's `type`.
///
/// | Status | Slug | Meaning |
/// | --- | --- | --- |
/// | 400 | `malformed` | the bytes are not an entry |
/// | 403 | `unknown-writer` | the directory names no such writer |
/// | 403 | `signature` | the signature is not the writer's |
/// | 403 | `right` | the writer may not write this kind, or not now |
/// | 413 | `too-large` | the entry, the record or the document is too large |
/// | 422 | `record` | a record is missing, not allowed, or not the committed one |
/// | 422 | `document` | a document is missing, not allowed, not the named one, or not acceptable |
/// | 422 | `clock-skew` | the entry's time is too far from the ledger's |
/// | 422 | `period` | the period has not begun, is not the current one, or is final |
/// | 422 | `refers` | the entry that this one refers to does not exist, is of the wrong kind, or has another label |
/// | 503 | `clock` | the ledger's own clock is in doubt, or the witnesses' time does not support the entry yet |
/// | 503 | `rebuilding` | the ledger is rebuilding a period's map after a start and cannot compare its root yet |
/// | 409 | `label-used` | the log already contains the label |
/// | 409 | `sequence-used` | the log already contains other bytes under the writer's sequence number |
/// | 409 | `chain` | the entry does not continue the writer's chain; `detail` states the expected values |
/// | 500 | `internal` | the ledger failed; if the entry was recorded, the same bytes sent again return its receipt |
///
/// The answers `label-used` and `sequence-used` carry the receipt of the stored entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RefusalCode {
    /// The bytes are not an entry.
    Malformed,
    /// The directory names no such writer.
    UnknownWriter,
    /// The signature is not the writer's.
    Signature,
    /// The writer may not write this kind of entry, or not now.
    Right,
    /// The entry, the record or the document is too large.
    TooLarge,
    /// The sealed record is missing, not allowed, or not the committed one.
    Record,
    /// The document is missing, not allowed, not the named one, or not acceptable.
    Document,
    /// The entry's time is too far from the ledger's.
    ClockSkew,
    /// The period has not begun, is not the current one, or is final.
    Period,
    /// The entry that this one refers to does not exist or is of the wrong kind, or the label does not follow from that
    /// entry's.
    Refers,
    /// The ledger's own clock is in doubt, or the witnesses' time does not support the entry yet.
    Clock,
    /// The ledger is rebuilding a period's map after a start.
    Rebuilding,
    /// The log already contains the label.
    LabelUsed,
    /// The log already contains other bytes under the writer's sequence number.
    SequenceUsed,
    /// The entry does not continue the writer's chain.
    Chain,
    /// The ledger failed.
    Internal,
}

impl RefusalCode {
    /// Every code.
    pub const ALL: [Self; 16] = [
        Self::Malformed,
        Self::UnknownWriter,
        Self::Signature,
        Self::Right,
        Self::TooLarge,
        Self::Record,
        Self::Document,
        Self::ClockSkew,
        Self::Period,
        Self::Refers,
        Self::Clock,
        Self::Rebuilding,
        Self::LabelUsed,
        Self::SequenceUsed,
        Self::Chain,
        Self::Internal,
    ];

    /// The slug on the wire.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::UnknownWriter => "unknown-writer",
            Self::Signature => "signature",
            Self::Right => "right",
            Self::TooLarge => "too-large",
            Self::Record => "record",
            Self::Document => "document",
            Self::ClockSkew => "clock-skew",
            Self::Period => "period",
            Self::Refers => "refers",
            Self::Clock => "clock",
            Self::Rebuilding => "rebuilding",
            Self::LabelUsed => "label-used",
            Self::SequenceUsed => "sequence-used",
            Self::Chain => "chain",
            Self::Internal => "internal",
        }
    }

    /// The code with this slug; `None` if there is none.
    #[must_use]
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.slug() == slug)
    }

    /// The HTTP status of a refusal with this code.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Malformed => 400,
            Self::UnknownWriter | Self::Signature | Self::Right => 403,
            Self::LabelUsed | Self::SequenceUsed | Self::Chain => 409,
            Self::TooLarge => 413,
            Self::Record | Self::Document | Self::ClockSkew | Self::Period | Self::Refers => 422,
            Self::Internal => 500,
            Self::Clock | Self::Rebuilding => 503,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_names_one_code() {
        for code in RefusalCode::ALL {
            assert_eq!(RefusalCode::from_slug(code.slug()), Some(code));
        }
        assert_eq!(RefusalCode::from_slug("busy"), None);
    }
}
