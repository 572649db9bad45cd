//! How long records are kept.
//!
//! SPEC: § 9 (3) IDNrG requires records to be kept for two years and then deleted without delay; Art. 17 of
//! Implementing Regulation (EU) 2022/1463 requires twelve months. Periods are counted as in §§ 187 (1), 188 (2),
//! (3) BGB: the day of the event does not count, and the period ends at the end of the day with the same number, or
//! of the month's last day if the month has no such day. A record of 29 February 2028 therefore expires at the end of
//! 28 February 2030. Days are those in Germany ([`LegalDay`]).

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::legal_day::LegalDay;
use crate::time::Timestamp;

/// The day in Germany at whose end a record expires, in days since 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ExpiryDay(pub u32);

impl ExpiryDay {
    /// The first second after the day. From then on the record is due for erasure.
    #[must_use]
    pub fn end(self) -> Timestamp {
        self.day().end()
    }

    /// The day.
    #[must_use]
    pub const fn day(self) -> LegalDay {
        LegalDay(self.0)
    }
}

/// Formats the day as ISO 8601: `2026-11-21`.
impl fmt::Display for ExpiryDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.day().fmt(f)
    }
}

/// How long a record is kept, according to the law that the permission is based on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum RetentionClass {
    /// Two years: § 9 (3) IDNrG.
    #[serde(rename = "idnrg-2y")]
    IdnrG2y,
    /// Twelve months: Art. 17 of Implementing Regulation (EU) 2022/1463.
    #[serde(rename = "eu-12m")]
    Eu12m,
}

impl RetentionClass {
    /// All classes, in the order of their codes.
    pub const ALL: [Self; 2] = [Self::IdnrG2y, Self::Eu12m];

    /// The byte that encodes the class in a sealed record's header.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::IdnrG2y => 1,
            Self::Eu12m => 2,
        }
    }

    /// The class with this code; `None` if there is none.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.code() == code)
    }

    /// The name in documents: `idnrg-2y`, `eu-12m`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::IdnrG2y => "idnrg-2y",
            Self::Eu12m => "eu-12m",
        }
    }

    /// The day at whose end a record of `time` expires.
    #[must_use]
    pub fn expiry(self, time: Timestamp) -> ExpiryDay {
        let months = match self {
            Self::IdnrG2y => 24,
            Self::Eu12m => 12,
        };
        ExpiryDay(LegalDay::of(time).months_later(months).0)
    }

    /// The day at whose end all records up to `time` have expired, whatever their class.
    #[must_use]
    pub fn last_expiry(time: Timestamp) -> ExpiryDay {
        Self::ALL
            .map(|class| class.expiry(time))
            .into_iter()
            .max()
            .unwrap_or(ExpiryDay(u32::MAX))
    }
}

/// Whether the person may see the record at once. The class belongs to the permission and not to the single record,
/// so a delay reveals nothing about the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DisclosureClass {
    /// Shown as soon as it is recorded.
    Immediate,
    /// Shown when a law that delays disclosure allows it.
    Delayed,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        let time: jiff::Timestamp = text.parse().unwrap();
        Timestamp(u64::try_from(time.as_second()).unwrap())
    }

    #[test]
    fn expiry_days_follow_the_calendar() {
        let table = [
            ("2026-11-21T12:27:54Z", "2028-11-21", "2027-11-21"),
            // In Germany the next day has begun.
            ("2026-11-28T23:57:00Z", "2028-11-29", "2027-11-29"),
            ("2026-01-01T00:00:00Z", "2028-01-01", "2027-01-01"),
            ("2026-12-31T23:59:59Z", "2029-01-01", "2028-01-01"),
            // Both changes of the clock.
            ("2026-03-28T23:30:00Z", "2028-03-29", "2027-03-29"),
            ("2026-10-25T00:30:00Z", "2028-10-25", "2027-10-25"),
            ("2026-10-25T01:30:00Z", "2028-10-25", "2027-10-25"),
            // The target month has no 29th, so the period ends on its last day.
            ("2028-02-29T12:00:00Z", "2030-02-28", "2029-02-28"),
            // The target month has a 29th, but the period ends on the day with the same number.
            ("2026-02-28T12:00:00Z", "2028-02-28", "2027-02-28"),
            ("2027-02-28T12:00:00Z", "2029-02-28", "2028-02-28"),
            ("2027-03-01T00:00:00Z", "2029-03-01", "2028-03-01"),
            // 2100 is not a leap year; 2000 was one.
            ("2098-03-01T00:00:00Z", "2100-03-01", "2099-03-01"),
            ("2000-02-29T00:00:00Z", "2002-02-28", "2001-02-28"),
        ];
        for (time, two_years, twelve_months) in table {
            assert_eq!(
                RetentionClass::IdnrG2y.expiry(at(time)).to_string(),
                two_years,
                "{time}"
            );
            assert_eq!(
                RetentionClass::Eu12m.expiry(at(time)).to_string(),
                twelve_months,
                "{time}"
            );
        }
    }

    #[test]
    fn the_expiry_day_itself_still_counts() {
        let day = RetentionClass::IdnrG2y.expiry(at("2026-11-21T10:00:00Z"));
        assert!(at("2028-11-21T22:59:59Z") < day.end());
        assert!(at("2028-11-21T23:00:00Z") >= day.end(), "midnight in Germany");
    }

    #[test]
    fn times_beyond_the_calendar_do_not_panic() {
        let end = Timestamp(u64::MAX);
        assert!(RetentionClass::IdnrG2y.expiry(end).day() > LegalDay::of(end));
        assert_eq!(ExpiryDay(u32::MAX).end(), end);
    }

    #[test]
    fn class_codes_are_stable() {
        for (class, code, name) in [
            (RetentionClass::IdnrG2y, 1, "idnrg-2y"),
            (RetentionClass::Eu12m, 2, "eu-12m"),
        ] {
            assert_eq!(class.code(), code);
            assert_eq!(RetentionClass::from_code(code), Some(class));
            assert_eq!(class.as_str(), name);
            assert_eq!(serde_json::to_string(&class).unwrap(), format!("\"{name}\""));
        }
        assert_eq!(RetentionClass::from_code(0), None);
        assert_eq!(RetentionClass::from_code(3), None);
    }

    proptest! {
        #[test]
        fn records_expire_after_the_full_term_and_not_a_day_later(seconds in 0_u64..200_000_000_000) {
            let time = Timestamp(seconds);
            let today = LegalDay::of(time);
            let days = RetentionClass::IdnrG2y.expiry(time).0 - today.0;
            prop_assert!((730..=731).contains(&days));
            let days = RetentionClass::Eu12m.expiry(time).0 - today.0;
            prop_assert!((365..=366).contains(&days));
        }

        /// What happens within one German day expires together, at a German midnight and never earlier.
        #[test]
        fn records_of_one_german_day_expire_together(seconds in 86_400_u64..200_000_000_000) {
            let day = LegalDay::of(Timestamp(seconds));
            for class in RetentionClass::ALL {
                let expiry = class.expiry(day.begin());
                prop_assert_eq!(class.expiry(Timestamp(seconds)), expiry);
                prop_assert_eq!(class.expiry(day.end().before(1)), expiry);
                prop_assert_eq!(expiry.end(), LegalDay(expiry.0 + 1).begin());
            }
        }
    }
}
