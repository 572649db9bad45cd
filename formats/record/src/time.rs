//! Times and retention.
//!
//! A [`Timestamp`] counts POSIX seconds. It comes from a writer's clock or from an argument; this module reads no
//! clock. An [`ExpiryDay`] is the UTC day at whose end a record's day key is destroyed.
//!
//! SPEC: § 9 (3) IDNrG requires records to be kept for two years and then deleted without delay; Art. 17 of
//! Implementing Regulation (EU) 2022/1463 requires twelve months. Periods are counted as in §§ 187 (1), 188 (2),
//! (3) BGB: the day of the event does not count, and the period ends at the end of the day with the same number, or
//! of the month's last day if the month has no such day. A record of 29 February 2028 therefore expires at the end of
//! 28 February 2030.

use core::fmt;

use jiff::{SignedDuration, ToSpan as _, civil::Date};
use serde::{Deserialize, Serialize};

const DAY: u64 = 86_400;
const EPOCH: Date = Date::constant(1970, 1, 1);
/// The last day of calendar arithmetic, 31 December 9900. Later times are treated as this day.
const LAST_DAY: u32 = 2_896_737;

/// POSIX seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// Seconds since 1970-01-01 00:00:00 UTC, without leap seconds.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        self.0
    }

    /// The time `seconds` later.
    #[must_use]
    pub const fn after(self, seconds: u64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// The time `seconds` earlier, but not before 1970.
    #[must_use]
    pub const fn before(self, seconds: u64) -> Self {
        Self(self.0.saturating_sub(seconds))
    }

    /// Seconds from `earlier` to this time; 0 if `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The distance in seconds, whichever time comes first.
    #[must_use]
    pub const fn distance(self, other: Self) -> u64 {
        self.0.abs_diff(other.0)
    }

    /// The UTC day that contains this time, in days since 1970-01-01.
    #[must_use]
    pub fn day(self) -> u32 {
        u32::try_from(self.0 / DAY).unwrap_or(LAST_DAY).min(LAST_DAY)
    }

    /// The first second of the next UTC calendar month. By default the next period begins then.
    #[must_use]
    pub fn next_month(self) -> Self {
        let first = date(self.day()).first_of_month().saturating_add(1.month());
        Self(u64::from(day(first)) * DAY)
    }
}

/// Formats the time as RFC 3339 in UTC: `2026-11-21T23:27:54Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0 % DAY;
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        write!(f, "{}T{hour:02}:{minute:02}:{second:02}Z", date(self.day()))
    }
}

/// The UTC day at whose end a record expires, in days since 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ExpiryDay(pub u32);

impl ExpiryDay {
    /// The first second after the day. From then on the record is due for erasure.
    #[must_use]
    pub fn end(self) -> Timestamp {
        Timestamp((u64::from(self.0) + 1) * DAY)
    }
}

/// Formats the day as ISO 8601: `2026-11-21`.
impl fmt::Display for ExpiryDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        date(self.0.min(LAST_DAY)).fmt(f)
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
        let kept = match self {
            Self::IdnrG2y => 2.years(),
            Self::Eu12m => 12.months(),
        };
        ExpiryDay(day(date(time.day()).saturating_add(kept)))
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

fn date(day: u32) -> Date {
    EPOCH.saturating_add(SignedDuration::from_hours(24 * i64::from(day)))
}

fn day(date: Date) -> u32 {
    u32::try_from(date.duration_since(EPOCH).as_hours() / 24).unwrap_or(0)
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
            ("2026-11-21T23:27:54Z", "2028-11-21", "2027-11-21"),
            ("2026-01-01T00:00:00Z", "2028-01-01", "2027-01-01"),
            ("2026-12-31T23:59:59Z", "2028-12-31", "2027-12-31"),
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
        assert!(at("2028-11-21T23:59:59Z") < day.end());
        assert!(at("2028-11-22T00:00:00Z") >= day.end());
    }

    #[test]
    fn times_beyond_the_calendar_do_not_panic() {
        let end = Timestamp(u64::MAX);
        assert_eq!(end.to_string().get(..10), Some("9900-12-31"));
        assert!(RetentionClass::IdnrG2y.expiry(end) > ExpiryDay(end.day()));
        assert!(end.next_month() > Timestamp(u64::from(LAST_DAY) * DAY));
        assert_eq!(end.after(1), end);
        assert_eq!(Timestamp(0).before(1), Timestamp(0));
        assert_eq!(ExpiryDay(u32::MAX).end().0, (1 << 32) * DAY);
    }

    #[test]
    fn periods_begin_with_the_month() {
        assert_eq!(at("2026-11-21T23:27:54Z").next_month(), at("2026-12-01T00:00:00Z"));
        assert_eq!(at("2026-12-01T00:00:00Z").next_month(), at("2027-01-01T00:00:00Z"));
        assert_eq!(at("2028-01-31T00:00:00Z").next_month(), at("2028-02-01T00:00:00Z"));
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
        fn times_are_printed_as_rfc_3339(seconds in 0_u64..200_000_000_000) {
            prop_assert_eq!(at(&Timestamp(seconds).to_string()), Timestamp(seconds));
        }

        #[test]
        fn records_expire_after_the_full_term_and_not_a_day_later(seconds in 0_u64..200_000_000_000) {
            let time = Timestamp(seconds);
            let days = RetentionClass::IdnrG2y.expiry(time).0 - time.day();
            prop_assert!((730..=731).contains(&days));
            let days = RetentionClass::Eu12m.expiry(time).0 - time.day();
            prop_assert!((365..=366).contains(&days));
        }
    }
}
