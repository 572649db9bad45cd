//! Times as the portal shows them: German local time ([`record::legal_day`]), in the notation of the page's language.

use record::{GermanTime, LegalDay, Season, Timestamp};

use crate::language::lang::Lang;

const MONTHS_DE: [&str; 12] = [
    "Januar",
    "Februar",
    "März",
    "April",
    "Mai",
    "Juni",
    "Juli",
    "August",
    "September",
    "Oktober",
    "November",
    "Dezember",
];
const MONTHS_EN: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS_DE: [&str; 7] = ["Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"];
const WEEKDAYS_EN: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// A point in time, formatted for the reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalTime {
    /// `21.11.2026`
    pub date: String,
    /// `2026-11-21T13:03:07Z`, for the attribute `datetime`
    pub iso: String,
    /// The month in Germany.
    pub month: Month,
    day: i8,
    /// Days since 1970-01-01, in Germany.
    days: u32,
    /// `14:03`
    time: String,
    second: u64,
    /// Which of the two times this is, in the hour that occurs twice when summer time ends.
    doubled: Option<Season>,
}

/// A month of a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month {
    /// The year.
    pub year: i16,
    /// From 1 to 12.
    pub month: u8,
}

impl LocalTime {
    /// Formats POSIX seconds. A time after the year 9900 becomes the last day of that year.
    pub fn of(posix: u64) -> Self {
        let local = GermanTime::of(Timestamp(posix));
        let (year, month, day) = local.date();
        let (hour, minute) = local.time();
        Self {
            date: format!("{day:02}.{month:02}.{year:04}"),
            iso: Timestamp(posix).to_string(),
            month: Month {
                year,
                month: month.unsigned_abs(),
            },
            day,
            days: LegalDay::of(Timestamp(posix)).0,
            time: format!("{hour:02}:{minute:02}"),
            second: posix % 60,
            doubled: local.doubled(),
        }
    }

    /// The time of day: `14:03 Uhr` in German, `14:03` in English. In the hour that occurs twice, the time zone
    /// follows: `02:30 Uhr MESZ`.
    pub fn clock(&self, lang: Lang) -> String {
        self.zoned(&self.time, lang)
    }

    /// The same with seconds: `14:03:07 Uhr`.
    pub fn clock_with_seconds(&self, lang: Lang) -> String {
        self.zoned(&format!("{}:{:02}", self.time, self.second), lang)
    }

    fn zoned(&self, time: &str, lang: Lang) -> String {
        let zone = match (lang.is_german(), self.doubled) {
            (_, None) => "",
            (true, Some(Season::Summer)) => " MESZ",
            (true, Some(Season::Winter)) => " MEZ",
            (false, Some(Season::Summer)) => " CEST",
            (false, Some(Season::Winter)) => " CET",
        };
        let unit = if lang.is_german() { " Uhr" } else { "" };
        format!("{time}{unit}{zone}")
    }

    /// `21.11.2026, 14:03 Uhr` in German, `21.11.2026, 14:03` in English.
    pub fn full(&self, lang: Lang) -> String {
        format!("{}, {}", self.date, self.clock(lang))
    }

    /// `21. November 2026` in German, `21 November 2026` in English.
    pub fn long_date(&self, lang: Lang) -> String {
        let stop = if lang.is_german() { "." } else { "" };
        format!("{}{stop} {}", self.day, self.month.name(lang))
    }

    /// For a list by months: `Sa 21.11., 14:03` in German, `Sat 21.11., 14:03` in English.
    pub fn short(&self, lang: Lang) -> String {
        // 1970-01-01 was a Thursday.
        let weekday = (self.days as usize + 3) % 7;
        let weekday = if lang.is_german() {
            WEEKDAYS_DE[weekday]
        } else {
            WEEKDAYS_EN[weekday]
        };
        let Self { day, month, .. } = self;
        format!("{weekday} {day:02}.{:02}., {}", month.month, self.clock(lang))
    }

    /// `2026-11-21`, as a field of a form has it.
    pub fn form_date(&self) -> String {
        let Month { year, month } = self.month;
        format!("{year:04}-{month:02}-{:02}", self.day)
    }
}

impl Month {
    /// `November 2026`
    pub fn name(self, lang: Lang) -> String {
        format!("{} {}", self.name_alone(lang), self.year)
    }

    fn name_alone(self, lang: Lang) -> &'static str {
        let names = if lang.is_german() { MONTHS_DE } else { MONTHS_EN };
        let at = usize::from(self.month).saturating_sub(1);
        names.get(at).copied().unwrap_or_default()
    }

    /// `Nov`
    pub fn short_name(self, lang: Lang) -> String {
        self.name_alone(lang).chars().take(3).collect()
    }

    /// The months since the year 0.
    pub fn count(self) -> i32 {
        i32::from(self.year) * 12 + i32::from(self.month) - 1
    }

    /// The month that many months earlier.
    #[must_use]
    pub fn earlier(self, months: i32) -> Self {
        let count = self.count() - months;
        Self {
            year: i16::try_from(count.div_euclid(12)).unwrap_or(i16::MIN),
            month: u8::try_from(count.rem_euclid(12) + 1).unwrap_or(1),
        }
    }

    /// The first and the last day, as fields of a form have them.
    pub fn form_dates(self) -> (String, String) {
        let Self { year, month } = self;
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = match month {
            2 if leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        (
            format!("{year:04}-{month:02}-01"),
            format!("{year:04}-{month:02}-{days:02}"),
        )
    }
}

/// Formats a day in Germany, counted from 1970-01-01, as `21.11.2026`.
pub fn day(days: u32) -> String {
    LocalTime::of(LegalDay(days).begin().0).date
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
            (1_792_889_999, "25.10.2026", "02:59 CEST"), // the last second before winter time
            (1_792_890_000, "25.10.2026", "02:00 CET"),
            (1_798_758_000, "01.01.2027", "00:00"), // the new year has begun in Germany but not in UTC
        ] {
            let when = LocalTime::of(posix);
            let shown = (when.date.as_str(), when.clock(Lang::En));
            assert_eq!(shown, (date, time.to_owned()), "{posix}");
        }
        assert_eq!(LocalTime::of(1_795_266_180).full(Lang::De), "21.11.2026, 14:03 Uhr");
        assert_eq!(LocalTime::of(1_795_266_180).full(Lang::En), "21.11.2026, 14:03");
        let twice = [1_792_889_999, 1_792_890_000].map(|posix| LocalTime::of(posix).full(Lang::De));
        assert_eq!(twice, ["25.10.2026, 02:59 Uhr MESZ", "25.10.2026, 02:00 Uhr MEZ"]);
        assert_eq!(LocalTime::of(1_798_758_000).month.year, 2027);
        assert_eq!(LocalTime::of(1_795_266_187).iso, "2026-11-21T13:03:07Z");
    }

    #[test]
    fn a_time_has_a_long_and_a_short_form_and_seconds() {
        let when = LocalTime::of(1_795_266_187);
        assert_eq!(when.long_date(Lang::De), "21. November 2026");
        assert_eq!(when.long_date(Lang::En), "21 November 2026");
        assert_eq!(when.short(Lang::De), "Sa 21.11., 14:03 Uhr");
        assert_eq!(when.short(Lang::En), "Sat 21.11., 14:03");
        assert_eq!(when.clock_with_seconds(Lang::Leicht), "14:03:07 Uhr");
        assert_eq!(when.form_date(), "2026-11-21");
    }

    #[test]
    fn months_are_counted_across_years() {
        let march = Month { year: 2028, month: 3 };
        assert_eq!(march.name(Lang::De), "März 2028");
        assert_eq!(march.earlier(3), Month { year: 2027, month: 12 });
        let february = march.earlier(1).form_dates();
        assert_eq!(february, ("2028-02-01".to_owned(), "2028-02-29".to_owned()));
    }

    #[test]
    fn days_are_formatted_and_the_year_is_limited() {
        assert_eq!(day(0), "01.01.1970");
        assert_eq!(day(20_778), "21.11.2026");
        assert_eq!(LocalTime::of(u64::MAX).month.year, 9900);
    }
}
