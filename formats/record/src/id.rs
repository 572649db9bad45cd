//! Identifiers and numbers: writers, periods, series, labels, participants.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use tlog::Hash;

use crate::bytes::serde_as_bytes;

/// The number of a period, from 1 (design §5.2). Number 0 names map 0, which holds the `period` entries and is not a
/// period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Period(pub u32);

impl Period {
    /// The map of the `period` entries, which never becomes final.
    pub const MAP0: Self = Self(0);
    /// The first period.
    pub const FIRST: Self = Self(1);

    /// The period after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

macro_rules! public_bytes {
    ($(#[$doc:meta])* $name:ident, $inner:ty) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $inner);

        serde_as_bytes!($name, $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

public_bytes!(
    /// The public key of an entry in its period's map. Without the period's secret it cannot be told from random
    /// bytes (design §5.1).
    Label,
    [u8; 32]
);

public_bytes!(
    /// SHA-256 of a sealed record. It lets an auditor check that no record was lost or changed without reading any of
    /// them.
    Commitment,
    Hash
);

public_bytes!(
    /// The writer of an entry: SHA-256 of the 32 bytes of its Ed25519 public key, the `kid` of the COSE_Sign1.
    WriterId,
    Hash
);

impl Label {
    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl FromStr for WriterId {
    type Err = tlog::encoding::EncodingError;

    /// Reads 64 lower-case hexadecimal digits.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// The number of an entry in its writer's chain. Numbers start at 0 and have no gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sequence(pub u64);

impl Sequence {
    /// A writer's first entry.
    pub const FIRST: Self = Self(0);

    /// The number after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// One of the four independent series of labels that a person has in a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Series {
    /// Exchanges of evidence, shown at once.
    Exchanges,
    /// Inspections of records, shown at once.
    Inspections,
    /// Exchanges whose permission delays disclosure.
    DelayedExchanges,
    /// Inspections whose disclosure the law delays.
    DelayedInspections,
}

impl Series {
    /// All series, in the order of their codes.
    pub const ALL: [Self; 4] = [
        Self::Exchanges,
        Self::Inspections,
        Self::DelayedExchanges,
        Self::DelayedInspections,
    ];

    /// The byte that encodes the series in a label's input.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Exchanges => 0,
            Self::Inspections => 1,
            Self::DelayedExchanges => 2,
            Self::DelayedInspections => 3,
        }
    }

    /// The series with this code; `None` if there is none.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|series| series.code() == code)
    }
}

/// Which label of a number. An exchange has up to three.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// An intent, a void or an inspection.
    Intent,
    /// The outcome that closes the intent.
    Outcome,
    /// The person's decision at the preview.
    Preview,
}

impl Phase {
    /// All phases, in the order of their codes.
    pub const ALL: [Self; 3] = [Self::Intent, Self::Outcome, Self::Preview];

    /// The byte that encodes the phase in a label's derivation.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Intent => 0,
            Self::Outcome => 1,
            Self::Preview => 2,
        }
    }
}

/// How many numbers a person has per period and series.
pub const COUNTERS: u32 = 4096;

/// The number i of an exchange or inspection, counted per person, period and series: 0 ≤ i < 4096.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Counter(u32);

/// The number is not below [`COUNTERS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a person has at most 4096 numbers per period and series")]
pub struct CounterError;

impl Counter {
    /// The first number.
    pub const FIRST: Self = Self(0);

    /// Creates a counter.
    ///
    /// # Errors
    /// [`CounterError`] when `number` is not below [`COUNTERS`].
    pub const fn new(number: u32) -> Result<Self, CounterError> {
        if number < COUNTERS {
            Ok(Self(number))
        } else {
            Err(CounterError)
        }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The number after this one; `None` after the last.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        Self::new(self.0 + 1).ok()
    }
}

impl TryFrom<u32> for Counter {
    type Error = CounterError;

    fn try_from(number: u32) -> Result<Self, CounterError> {
        Self::new(number)
    }
}

impl From<Counter> for u32 {
    fn from(counter: Counter) -> Self {
        counter.0
    }
}

/// The name of a participant (an authority's component) in the directory: 1 to 64 of `a`–`z`, `0`–`9`, `.`, `:`,
/// `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ParticipantId(String);

/// The text is not a participant id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a participant id has 1 to 64 characters of a-z, 0-9, '.', ':' and '-'")]
pub struct ParticipantIdError;

impl ParticipantId {
    /// Checks length and characters.
    ///
    /// # Errors
    /// [`ParticipantIdError`]
    pub fn new(text: impl Into<String>) -> Result<Self, ParticipantIdError> {
        let text = text.into();
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b':' | b'-');
        if (1..=64).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text))
        } else {
            Err(ParticipantIdError)
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ParticipantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ParticipantId {
    type Err = ParticipantIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text)
    }
}

impl TryFrom<String> for ParticipantId {
    type Error = ParticipantIdError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::new(text)
    }
}

impl From<ParticipantId> for String {
    fn from(id: ParticipantId) -> Self {
        id.0
    }
}

/// The identifier of a body (Stelle), with the characters of a [`ParticipantId`]. A Leitweg-ID is written with its
/// scheme, in lower case: `0204:05315000-12345-06`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BodyId(ParticipantId);

impl BodyId {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Display for BodyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for BodyId {
    type Err = ParticipantIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::cbor;

    #[test]
    fn participant_ids_are_checked() {
        let longest = "x".repeat(64);
        for good in ["kba", "stadt-koeln.parken:1", "0", longest.as_str()] {
            let id: ParticipantId = good.parse().unwrap();
            assert_eq!(id.as_str(), good);
            assert_eq!(cbor::from_slice::<ParticipantId>(&cbor::to_vec(&id)).unwrap(), id);
        }
        let too_long = "x".repeat(65);
        for bad in ["", "KBA", "stadt köln", "a/b", "a_b", "a\n", too_long.as_str()] {
            assert_eq!(bad.parse::<ParticipantId>(), Err(ParticipantIdError), "{bad:?}");
            assert!(cbor::from_slice::<ParticipantId>(&cbor::to_vec(bad)).is_err());
        }
    }

    #[test]
    fn counters_are_bounded() {
        assert_eq!(Counter::new(4095).unwrap().get(), 4095);
        assert_eq!(Counter::new(4095).unwrap().next(), None);
        assert_eq!(Counter::FIRST.next(), Counter::new(1).ok());
        assert_eq!(Counter::new(4096), Err(CounterError));
        assert!(cbor::from_slice::<Counter>(&cbor::to_vec(&4096)).is_err());
    }

    #[test]
    fn codes_are_stable() {
        assert_eq!(Series::ALL.map(Series::code), [0, 1, 2, 3]);
        assert_eq!(Series::from_code(2), Some(Series::DelayedExchanges));
        assert_eq!(Series::from_code(4), None);
        assert_eq!(Phase::ALL.map(Phase::code), [0, 1, 2]);
        assert_eq!(
            serde_json::to_string(&Series::DelayedInspections).unwrap(),
            "\"delayed-inspections\""
        );
    }

    #[test]
    fn numbers_and_bytes_have_their_wire_form() {
        assert_eq!(cbor::to_vec(&Period(7)), [7]);
        assert_eq!(cbor::to_vec(&Sequence(24)), [0x18, 24]);
        let label = cbor::to_vec(&Label([9; 32]));
        assert_eq!((label.len(), &label[..3]), (34, [0x58, 0x20, 9].as_slice()));
        assert_eq!(cbor::from_slice::<Label>(&label).unwrap(), Label([9; 32]));
        assert!(cbor::from_slice::<Label>(&cbor::to_vec(&[9_u8; 32])).is_err());
        let writer = WriterId(Hash([0xab; 32]));
        assert_eq!(writer.to_string().parse(), Ok(writer));
    }
}
