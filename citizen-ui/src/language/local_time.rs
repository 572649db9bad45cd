//! Times as the portal shows them: German local time in German notation, in both languages.
//!
//! The European Union's rule for summer time (Directive 2000/84/EC) is written as a POSIX time zone, so that neither
//! the server nor the browser needs a time zone database.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::language::lang::Lang;

/// Europe/Berlin since 1996: one hour ahead of UTC, two from the last Sunday in March to the last Sunday in October.
const GERMAN_TIME: &str = "CET-1CEST,M3.5.0,M10.5.0/3";

/// A point in time, formatted for the reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalTime {
    /// `21.11.2026`
    pub date: String,
    /// `14:03`
    pub time: String,
    /// `2026-11-21T13:03:07Z`, for the attribute `datetime`
    pub iso: String,
    /// `2026`
    pub year: i16,
}

impl LocalTime {
    /// Formats POSIX seconds. A time after the year 9999 becomes the last second of that year.
    pub fn of(posix: u64) -> Self {
        let seconds = i64::try_from(posix).unwrap_or(i64::MAX);
        let instant = Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX);
        let zone = TimeZone::posix(GERMAN_TIME).unwrap_or(TimeZone::UTC);
        let local = instant.to_zoned(zone);
        Self {
            date: format!("{:02}.{:02}.{:04}", local.day(), local.month(), local.year()),
            time: format!("{:02}:{:02}", local.hour(), local.minute()),
            iso: instant.to_string(),
            year: local.year(),
        }
    }

    /// `21.11.2026, 14:03 Uhr` in German, `21.11.2026, 14:03` in English.
    pub fn full(&self, lang: Lang) -> String {
        match lang {
            Lang::De => format!("{}, {} Uhr", self.date, self.time),
            Lang::En => format!("{}, {}", self.date, self.time),
        }
    }
}

/// Formats a day, counted from 1970-01-01 (UTC), as `21.11.2026`.
pub fn day(days: u32) -> String {
    // Noon UTC is on the same day in Germany, in winter and in summer.
    LocalTime::of(u64::from(days) * 86_400 + 43_200).date
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_german_local_time() {
        for (posix, date, time) in [
            (1_795_266_180, "21.11.2026", "14:03"), // winter
            (1_784_638_980, "21.07.2026", "15:03"), // summer
            (1_774_745_999, "29.03.2026", "01:59"), // the last second before summer time
            (1_774_746_000, "29.03.2026", "03:00"),
            (1_792_889_999, "25.10.2026", "02:59"), // the last second before winter time
            (1_792_890_000, "25.10.2026", "02:00"),
            (1_798_758_000, "01.01.2027", "00:00"), // the new year has begun in Germany but not in UTC
        ] {
            let when = LocalTime::of(posix);
            assert_eq!((when.date.as_str(), when.time.as_str()), (date, time), "{posix}");
        }
        assert_eq!(LocalTime::of(1_795_266_180).full(Lang::De), "21.11.2026, 14:03 Uhr");
        assert_eq!(LocalTime::of(1_795_266_180).full(Lang::En), "21.11.2026, 14:03");
        assert_eq!(LocalTime::of(1_798_758_000).year, 2027);
        assert_eq!(LocalTime::of(1_795_266_187).iso, "2026-11-21T13:03:07Z");
    }

    #[test]
    fn days_are_formatted_and_the_year_is_limited() {
        assert_eq!(day(0), "01.01.1970");
        assert_eq!(day(20_778), "21.11.2026");
        assert_eq!(LocalTime::of(u64::MAX).year, 9999);
    }
}
