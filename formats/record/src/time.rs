//! POSIX time.
//!
//! A [`Timestamp`] comes from a writer's clock or from an argument; this module reads no clock.

use core::fmt;

use jiff::SignedDuration;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

const DAY: u64 = 86_400;
const EPOCH: Date = Date::constant(1970, 1, 1);
/// The last day that is printed, 31 December 9900. Later times are printed as this day.
const LAST_DAY: u64 = 2_896_737;

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
}

/// The text is not an RFC 3339 time since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a time like 2026-11-21T23:27:54Z")]
pub struct TimestampError;

/// Reads RFC 3339, with any offset from UTC.
impl core::str::FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, TimestampError> {
        let time: jiff::Timestamp = text.parse().map_err(|_| TimestampError)?;
        u64::try_from(time.as_second()).map(Self).map_err(|_| TimestampError)
    }
}

/// Formats the time as RFC 3339 in UTC: `2026-11-21T23:27:54Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = i64::try_from((self.0 / DAY).min(LAST_DAY)).unwrap_or_default();
        let date = EPOCH.saturating_add(SignedDuration::from_secs(86_400 * days));
        let seconds = self.0 % DAY;
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        write!(f, "{date}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn times_beyond_the_calendar_do_not_panic() {
        let end = Timestamp(u64::MAX);
        assert_eq!(end.to_string().get(..10), Some("9900-12-31"));
        assert_eq!(end.after(1), end);
        assert_eq!(Timestamp(0).before(1), Timestamp(0));
    }

    proptest! {
        #[test]
        fn times_are_printed_as_rfc_3339(seconds in 0_u64..200_000_000_000) {
            prop_assert_eq!(Timestamp(seconds).to_string().parse(), Ok(Timestamp(seconds)));
        }
    }
}
