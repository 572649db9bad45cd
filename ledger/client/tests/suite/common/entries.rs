//! The broker's key, and bodies of entries made of a number.

use record::{Commitment, Label, LabelledKind, Period, PeriodEvent, SigningKey};
use tlog::Hash;

pub fn broker() -> SigningKey {
    SigningKey::from_seed([11; 32])
}

pub fn hash(text: &str, number: u64) -> Hash {
    Hash::of(format!("{text} {number}").as_bytes())
}

/// A labelled body of period 1; `number` determines all its fields.
pub fn labelled(kind: LabelledKind, number: u64) -> record::Body {
    record::Body::Labelled {
        kind,
        period: Period(1),
        label: Label(hash("label", number).0),
        commitment: Commitment(hash("record", number)),
        refers: None,
    }
}

pub fn intent(number: u64) -> record::Body {
    labelled(LabelledKind::Intent, number)
}

pub fn denial(number: u64) -> record::Body {
    record::Body::Denial {
        commitment: Commitment(hash("denial", number)),
    }
}

pub fn begin(period: u32) -> record::Body {
    begin_at(period, record::Timestamp(0))
}

pub fn begin_at(period: u32, start: record::Timestamp) -> record::Body {
    record::Body::Period {
        period: Period(period),
        event: PeriodEvent::Begin {
            vrf_key: hash("vrf", period.into()).0,
            start,
        },
    }
}
