//! Times as the portal shows them: German local time ([`record::legal_day`]) in German notation, in both languages.

use record::{GermanTime, LegalDay, Season, Timestamp};

use crate::language::lang::Lang;

/// A point in time, formatted for the reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalTime {
    /// `21.11.2026`
    pub date: String,
    /// `2026-11-21T13:03:07Z`, for the attribute `datetime`
    pub iso: String,
    /// `2026`
    pub year: i16,
    /// `14:03`
    time: String,
    /// Which of the two times this is, in the hour that occurs twice when summer time ends.
    doubled: Option<Season>,
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
            year,
            time: format!("{hour:02}:{minute:02}"),
            doubled: local.doubled(),
        }
    }

    /// The time of day: `14:03 Uhr` in German, `14:03` in English. In the hour that occurs twice, the time zone
    /// follows: `02:30 Uhr MESZ`.
    pub fn clock(&self, lang: Lang) -> String {
        let time = &self.time;
        match (lang, self.doubled) {
            (Lang::De, None) => format!("{time} Uhr"),
            (Lang::De, Some(Season::Summer)) => format!("{time} Uhr MESZ"),
            (Lang::De, Some(Season::Winter)) => format!("{time} Uhr MEZ"),
            (Lang::En, None) => time.clone(),
            (Lang::En, Some(Season::Summer)) => format!("{time} CEST"),
            (Lang::En, Some(Season::Winter)) => format!("{time} CET"),
        }
    }

    /// `21.11.2026, 14:03 Uhr` in German, `21.11.2026, 14:03` in English.
    pub fn full(&self, lang: Lang) -> String {
        format!("{}, {}", self.date, self.clock(lang))
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
        assert_eq!(LocalTime::of(1_798_758_000).year, 2027);
        assert_eq!(LocalTime::of(1_795_266_187).iso, "2026-11-21T13:03:07Z");
    }

    #[test]
    fn days_are_formatted_and_the_year_is_limited() {
        assert_eq!(day(0), "01.01.1970");
        assert_eq!(day(20_778), "21.11.2026");
        assert_eq!(LocalTime::of(u64::MAX).year, 9900);
    }
}
