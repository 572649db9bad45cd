//! Dates of birth of which only a part is known.
//!
//! German registers write an unknown day, month or year as zeros: `1950-06-00`, `1950-00-00`, `0000-00-00`. A partial
//! date is a date of its own kind. It equals the same partial date only, and never a day that it could be.
//!
//! XNachweis has no partial dates: its `DateOfBirth` is an XSD `date`. The mapping is fixed and can be undone: the
//! first day that the partial date could be, and the [`Precision`] beside it.
//!
//! | date | first day | precision |
//! | --- | --- | --- |
//! | `1950-06-15` | `1950-06-15` | none |
//! | `1950-06-00` | `1950-06-01` | `month` |
//! | `1950-00-00` | `1950-01-01` | `year` |
//! | `0000-00-00` | `0001-01-01` | `unknown` |

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};

/// A date of birth, as far as it is known. `Debug` shows nothing, because it is personal data.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum PartialDate {
    /// The day.
    Day(Date),
    /// Year and month, whose first day this is.
    Month(Date),
    /// The year, whose first day this is.
    Year(Date),
    /// Not even the year is known.
    Unknown,
}

/// Which part of a date is known, if not all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// Year and month.
    Month,
    /// The year.
    Year,
    /// Nothing.
    Unknown,
}

impl Precision {
    /// The word for it in XNachweis messages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Month => "month",
            Self::Year => "year",
            Self::Unknown => "unknown",
        }
    }
}

impl FromStr for Precision {
    type Err = DateError;

    fn from_str(text: &str) -> Result<Self, DateError> {
        [Self::Month, Self::Year, Self::Unknown]
            .into_iter()
            .find(|precision| precision.as_str() == text)
            .ok_or(DateError)
    }
}

/// The text is no date of birth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a date of the form YYYY-MM-DD, with 00 for an unknown day or month and 0000-00-00 for an unknown year")]
pub struct DateError;

impl PartialDate {
    /// The first day that the date could be, and what of it is known if not all.
    #[must_use]
    pub fn first_day(self) -> (Date, Option<Precision>) {
        match self {
            Self::Day(day) => (day, None),
            Self::Month(day) => (day, Some(Precision::Month)),
            Self::Year(day) => (day, Some(Precision::Year)),
            Self::Unknown => (Date::constant(1, 1, 1), Some(Precision::Unknown)),
        }
    }

    /// The date with this first day and precision.
    ///
    /// # Errors
    /// When the day is not the first one of the month, of the year or of all.
    pub fn from_first_day(day: Date, precision: Option<Precision>) -> Result<Self, DateError> {
        let date = match precision {
            None if day.year() < 1 => return Err(DateError),
            None => Self::Day(day),
            Some(Precision::Month) => Self::Month(day),
            Some(Precision::Year) => Self::Year(day),
            Some(Precision::Unknown) => Self::Unknown,
        };
        let first = match precision {
            None => true,
            Some(Precision::Month) => day.day() == 1 && day.year() >= 1,
            Some(Precision::Year) => day.day() == 1 && day.month() == 1 && day.year() >= 1,
            Some(Precision::Unknown) => date.first_day().0 == day,
        };
        if first { Ok(date) } else { Err(DateError) }
    }

    /// The text form, `YYYY-MM-DD` with zeros for what is not known. It is personal data.
    #[must_use]
    pub fn expose(self) -> String {
        match self {
            Self::Day(day) => format!("{:04}-{:02}-{:02}", day.year(), day.month(), day.day()),
            Self::Month(day) => format!("{:04}-{:02}-00", day.year(), day.month()),
            Self::Year(day) => format!("{:04}-00-00", day.year()),
            Self::Unknown => String::from("0000-00-00"),
        }
    }
}

impl fmt::Debug for PartialDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PartialDate(redacted)")
    }
}

impl FromStr for PartialDate {
    type Err = DateError;

    fn from_str(text: &str) -> Result<Self, DateError> {
        let shape = text.len() == 10
            && text.bytes().enumerate().all(|(at, byte)| match at {
                4 | 7 => byte == b'-',
                _ => byte.is_ascii_digit(),
            });
        if !shape {
            return Err(DateError);
        }
        let number = |part: &str| part.parse::<i16>().map_err(|_| DateError);
        let (year, month, day) = (number(&text[..4])?, number(&text[5..7])?, number(&text[8..])?);
        let month_and_day = i8::try_from(month).and_then(|month| Ok((month, i8::try_from(day)?)));
        let (month, day) = month_and_day.map_err(|_| DateError)?;
        let date = |month, day| Date::new(year, month, day).map_err(|_| DateError);
        match (year, month, day) {
            (0, 0, 0) => Ok(Self::Unknown),
            (0, _, _) => Err(DateError),
            (_, 0, 0) => Ok(Self::Year(date(1, 1)?)),
            (_, month, 0) => Ok(Self::Month(date(month, 1)?)),
            (_, month, day) => Ok(Self::Day(date(month, day)?)),
        }
    }
}

impl Serialize for PartialDate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.expose())
    }
}

impl<'de> Deserialize<'de> for PartialDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_mapping_to_a_day_is_fixed_and_can_be_undone() {
        for (text, first, precision) in [
            ("1950-06-15", "1950-06-15", None),
            ("2000-02-29", "2000-02-29", None),
            ("1950-06-00", "1950-06-01", Some("month")),
            ("1950-00-00", "1950-01-01", Some("year")),
            ("0000-00-00", "0001-01-01", Some("unknown")),
        ] {
            let date: PartialDate = text.parse().unwrap();
            let (day, known) = date.first_day();
            assert_eq!(
                (day.to_string().as_str(), known.map(Precision::as_str)),
                (first, precision)
            );
            assert_eq!(PartialDate::from_first_day(day, known), Ok(date));
            assert_eq!(date.expose(), text);
        }
    }

    #[test]
    fn a_partial_date_equals_no_day_that_it_could_be() {
        let dates = ["1950-01-01", "1950-01-00", "1950-00-00", "0000-00-00", "0001-01-01"];
        let dates = dates.map(|text| text.parse::<PartialDate>().unwrap());
        for (at, one) in dates.iter().enumerate() {
            for (other_at, other) in dates.iter().enumerate() {
                assert_eq!(one == other, at == other_at);
            }
        }
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "1950",
            "1950-13-01",
            "1950-02-30",
            "1950-00-01",
            "0000-01-01",
            "0000-00-01",
            "1950-6-15",
            "19500615",
            " 1950-06-15",
            "1950-06-15Z",
            "1950-06-1٥",
            "-950-06-15",
            "+950-06-15",
            "1950/06/15",
            "2001-02-29",
        ] {
            assert_eq!(text.parse::<PartialDate>(), Err(DateError), "{text}");
        }
        let day = |text: &str| text.parse::<Date>().unwrap();
        for (first, precision) in [
            ("1950-06-02", Precision::Month),
            ("1950-02-01", Precision::Year),
            ("1950-01-01", Precision::Unknown),
            ("0000-01-01", Precision::Year),
        ] {
            assert_eq!(PartialDate::from_first_day(day(first), Some(precision)), Err(DateError));
        }
        assert_eq!(PartialDate::from_first_day(day("0000-01-01"), None), Err(DateError));
    }

    proptest! {
        #[test]
        fn a_date_has_one_text(text in "[0-2][0-9]{3}-[01][0-9]-[0-3][0-9]") {
            if let Ok(date) = text.parse::<PartialDate>() {
                prop_assert_eq!(date.expose(), text);
            }
        }
    }
}
