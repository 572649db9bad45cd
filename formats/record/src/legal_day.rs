//! Days and clock times in Germany (Europe/Berlin), by which the law counts.
//!
//! A period under §§ 187, 188 BGB begins and ends with a day, and the day is the one in Germany: from midnight to
//! midnight by legal time (§ 4 EinhZeitG). It has 23 hours when summer time begins and 25 when it ends. An access at
//! 00:57 on 29 November is an access of 29 November, although it is still the 28th in UTC.
//!
//! The European Union's rule for summer time (Directive 2000/84/EC) is written as a POSIX time zone, so that neither a
//! server nor a browser needs a time zone database. A change of that law changes [`GERMAN_TIME`].

use core::fmt;
use std::sync::LazyLock;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span};
use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// One hour ahead of UTC, two from the last Sunday in March to the last Sunday in October.
const GERMAN_TIME: &str = "CET-1CEST,M3.5.0,M10.5.0/3";
const EPOCH: Date = Date::constant(1970, 1, 1);
/// The last day of calendar arithmetic, 31 December 9900. Later times are treated as this day.
const LAST_DAY: u32 = 2_896_737;

/// The constant is a POSIX time zone, as every test shows. To say so by `expect` would bring the texts of all errors of
/// dates and times into the browser's program.
static ZONE: LazyLock<TimeZone> = LazyLock::new(|| TimeZone::posix(GERMAN_TIME).unwrap_or(TimeZone::UTC));

/// A calendar day in Germany, as days since 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LegalDay(pub u32);

impl LegalDay {
    /// The day in Germany at this time.
    #[must_use]
    pub fn of(time: Timestamp) -> Self {
        Self::of_date(GermanTime::of(time).date)
    }

    /// The first second of the day.
    #[must_use]
    pub fn begin(self) -> Timestamp {
        let midnight = self.date().to_datetime(jiff::civil::Time::midnight());
        // Midnight exists once on every day: the clock changes at two and at three o'clock.
        let begin = ZONE.to_timestamp(midnight).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        Timestamp(u64::try_from(begin.as_second()).unwrap_or(0))
    }

    /// The first second after the day.
    #[must_use]
    pub fn end(self) -> Timestamp {
        if self.0 >= LAST_DAY {
            return Timestamp(u64::MAX);
        }
        Self(self.0 + 1).begin()
    }

    /// The day before.
    #[must_use]
    pub const fn before(self) -> Self {
        Self(self.0.saturating_sub(1))
    }

    /// The first day of the next calendar month.
    #[must_use]
    pub fn first_of_next_month(self) -> Self {
        Self::of_date(self.date().first_of_month().saturating_add(months(1)))
    }

    /// The last day of a period of so many months that an event on this day has begun. SPEC: §§ 187 (1), 188 (2), (3)
    /// BGB: the day with the same number, or the month's last day if the month has no such day.
    #[must_use]
    pub fn months_later(self, months: u16) -> Self {
        Self::of_date(self.date().saturating_add(self::months(months)))
    }

    pub(crate) fn date(self) -> Date {
        EPOCH.saturating_add(SignedDuration::from_secs(86_400 * i64::from(self.0.min(LAST_DAY))))
    }

    fn of_date(date: Date) -> Self {
        let days = date.duration_since(EPOCH).as_hours() / 24;
        Self(u32::try_from(days).unwrap_or(0))
    }
}

/// So many months. A number of 16 bits is none that a span cannot have.
fn months(months: u16) -> Span {
    Span::new().try_months(i64::from(months)).unwrap_or_default()
}

/// Formats the day as ISO 8601: `2026-11-21`.
impl fmt::Display for LegalDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.date().fmt(f)
    }
}

/// The text is not a day from 1970 to 9900.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a day like 2026-11-21")]
pub struct LegalDayError;

/// Reads ISO 8601: `2026-11-21`.
impl core::str::FromStr for LegalDay {
    type Err = LegalDayError;

    fn from_str(text: &str) -> Result<Self, LegalDayError> {
        let date: Date = text.parse().map_err(|_| LegalDayError)?;
        let day = Self::of_date(date);
        // An earlier date becomes the first day, and other forms of a date are read, too.
        if day.0 <= LAST_DAY && day.to_string() == text {
            Ok(day)
        } else {
            Err(LegalDayError)
        }
    }
}

/// Date and time of day in Germany.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GermanTime {
    date: Date,
    hour: i8,
    minute: i8,
    doubled: Option<Season>,
}

/// Which of the two times an hour has that occurs twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Season {
    /// Central European Summer Time, the first of the two hours.
    Summer,
    /// Central European Time, the second one.
    Winter,
}

impl GermanTime {
    /// The date and time in Germany at this time.
    #[must_use]
    pub fn of(time: Timestamp) -> Self {
        let seconds = i64::try_from(time.0).unwrap_or(i64::MAX);
        let last = jiff::Timestamp::from_second(i64::from(LAST_DAY) * 86_400).unwrap_or(jiff::Timestamp::MAX);
        let time = jiff::Timestamp::from_second(seconds).map_or(last, |time| time.min(last));
        let local = ZONE.to_datetime(time);
        Self {
            date: local.date(),
            hour: local.hour(),
            minute: local.minute(),
            doubled: season(time, local),
        }
    }

    /// Year, month and day of the month.
    #[must_use]
    pub fn date(&self) -> (i16, i8, i8) {
        (self.date.year(), self.date.month(), self.date.day())
    }

    /// Hour and minute.
    #[must_use]
    pub const fn time(&self) -> (i8, i8) {
        (self.hour, self.minute)
    }

    /// Which of the two times this is, if the hour occurs twice on its day.
    #[must_use]
    pub const fn doubled(&self) -> Option<Season> {
        self.doubled
    }
}

fn season(time: jiff::Timestamp, local: DateTime) -> Option<Season> {
    if !ZONE.to_ambiguous_timestamp(local).is_ambiguous() {
        return None;
    }
    let summer = ZONE.to_offset_info(time).dst().is_dst();
    Some(if summer { Season::Summer } else { Season::Winter })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use proptest::prelude::*;

    #[test]
    fn days_are_read_as_they_are_written() {
        assert_eq!("2026-11-21".parse(), Ok(LegalDay(20_778)));
        assert_eq!("1970-01-01".parse(), Ok(LegalDay(0)));
        for text in [
            "1969-12-31",
            "2026-02-29",
            "20261121",
            "2026-11-21T00:00:00Z",
            "9901-01-01",
            "",
        ] {
            assert_eq!(text.parse::<LegalDay>(), Err(LegalDayError), "{text}");
        }
    }

    use super::*;

    fn at(text: &str) -> Timestamp {
        let time: jiff::Timestamp = text.parse().unwrap();
        Timestamp(u64::try_from(time.as_second()).unwrap())
    }

    #[test]
    fn a_day_lasts_from_midnight_to_midnight_in_germany() {
        for (time, day) in [
            ("2026-11-28T22:59:59Z", "2026-11-28"),
            ("2026-11-28T23:00:00Z", "2026-11-29"), // winter: midnight in Germany
            ("2026-11-28T23:57:00Z", "2026-11-29"),
            ("2026-07-01T21:59:59Z", "2026-07-01"),
            ("2026-07-01T22:00:00Z", "2026-07-02"), // summer: midnight in Germany
            ("2026-12-31T23:00:00Z", "2027-01-01"),
            ("2028-02-28T23:30:00Z", "2028-02-29"),
        ] {
            assert_eq!(LegalDay::of(at(time)).to_string(), day, "{time}");
        }
    }

    #[test]
    fn days_with_a_change_of_the_clock_have_23_and_25_hours() {
        for (day, begin, hours) in [
            ("2026-03-28T12:00:00Z", "2026-03-27T23:00:00Z", 24),
            ("2026-03-29T12:00:00Z", "2026-03-28T23:00:00Z", 23),
            ("2026-03-30T12:00:00Z", "2026-03-29T22:00:00Z", 24),
            ("2026-10-25T12:00:00Z", "2026-10-24T22:00:00Z", 25),
            ("2026-10-26T12:00:00Z", "2026-10-25T23:00:00Z", 24),
        ] {
            let day = LegalDay::of(at(day));
            assert_eq!(day.begin(), at(begin), "{day}");
            assert_eq!(day.end().since(day.begin()), hours * 3600, "{day}");
        }
    }

    #[test]
    fn an_hour_that_occurs_twice_says_which_one_it_is() {
        for (time, clock, doubled) in [
            ("2026-10-24T23:59:59Z", (1, 59), None),
            ("2026-10-25T00:00:00Z", (2, 0), Some(Season::Summer)),
            ("2026-10-25T00:59:59Z", (2, 59), Some(Season::Summer)),
            ("2026-10-25T01:00:00Z", (2, 0), Some(Season::Winter)),
            ("2026-10-25T01:59:59Z", (2, 59), Some(Season::Winter)),
            ("2026-10-25T02:00:00Z", (3, 0), None),
            ("2026-03-29T00:59:59Z", (1, 59), None),
            ("2026-03-29T01:00:00Z", (3, 0), None),
        ] {
            let shown = GermanTime::of(at(time));
            assert_eq!((shown.time(), shown.doubled()), (clock, doubled), "{time}");
        }
    }

    #[test]
    fn months_begin_at_midnight_in_germany() {
        let next = |time: &str| LegalDay::of(at(time)).first_of_next_month().begin();
        assert_eq!(next("2026-11-21T23:27:54Z"), at("2026-11-30T23:00:00Z"));
        assert_eq!(next("2026-11-30T23:00:00Z"), at("2026-12-31T23:00:00Z"));
        assert_eq!(next("2026-03-31T21:59:59Z"), at("2026-03-31T22:00:00Z"));
        assert_eq!(next("2028-01-31T00:00:00Z"), at("2028-01-31T23:00:00Z"));
    }

    #[test]
    fn times_beyond_the_calendar_do_not_panic() {
        let last = LegalDay::of(Timestamp(u64::MAX));
        assert_eq!(last.to_string(), "9900-12-31");
        assert_eq!(last.end(), Timestamp(u64::MAX));
        assert_eq!(LegalDay(u32::MAX).end(), Timestamp(u64::MAX));
        assert!(last.months_later(24) > last);
        assert_eq!(
            LegalDay(0).begin(),
            Timestamp(0),
            "1970 began in Germany before it began in UTC"
        );
        assert_eq!(LegalDay(0).before(), LegalDay(0));
    }

    #[test]
    fn each_year_has_one_day_of_23_and_one_of_25_hours() {
        for year in 2026..2066 {
            let first = LegalDay::of_date(Date::new(year, 1, 1).unwrap());
            let last = LegalDay::of_date(Date::new(year, 12, 31).unwrap());
            let hours = |day: LegalDay| day.end().since(day.begin()) / 3600;
            let days = (first.0..=last.0).map(LegalDay);
            let changes = days.map(|day| (day.date().month(), hours(day)));
            let changes: Vec<_> = changes.filter(|(_, hours)| *hours != 24).collect();
            assert_eq!(changes, [(3, 23), (10, 25)], "{year}");
        }
    }

    proptest! {
        #[test]
        fn every_second_belongs_to_one_day(seconds in 86_400_u64..200_000_000_000) {
            let time = Timestamp(seconds);
            let day = LegalDay::of(time);
            prop_assert!(day.begin() <= time && time < day.end());
            prop_assert_eq!(day.before().end(), day.begin());
            prop_assert_eq!(LegalDay::of(day.end()), LegalDay(day.0 + 1));
            let hours = day.end().since(day.begin()) / 3600;
            prop_assert!((23..=25).contains(&hours));
        }

        /// § 188 (2), (3) BGB: the same number, or the month's last day.
        #[test]
        fn a_period_ends_on_the_day_with_the_same_number(day in 0_u32..200_000, months in 1_u16..60) {
            let (begin, end) = (LegalDay(day).date(), LegalDay(day).months_later(months).date());
            let distance = i32::from(end.year() - begin.year()) * 12 + i32::from(end.month() - begin.month());
            prop_assert_eq!(distance, i32::from(months));
            prop_assert!(end.day() == begin.day() || end.day() < begin.day() && end == end.last_of_month());
        }
    }
}
