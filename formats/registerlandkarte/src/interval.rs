//! Half-open intervals of time.

use record::Timestamp;
use serde::{Deserialize, Serialize};

/// A half-open interval of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interval {
    /// The beginning, which the interval contains.
    pub from: Timestamp,
    /// The end, which the interval does not contain; `None` if it has no end.
    pub until: Option<Timestamp>,
}

impl Interval {
    /// An interval that begins at `from` and has no end.
    #[must_use]
    pub const fn since(from: Timestamp) -> Self {
        Self { from, until: None }
    }

    /// Whether the interval contains `time`.
    #[must_use]
    pub fn contains(&self, time: Timestamp) -> bool {
        self.from <= time && self.until.is_none_or(|until| time < until)
    }

    /// Whether the two intervals have a time in common.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        other.until.is_none_or(|until| self.from < until) && self.until.is_none_or(|until| other.from < until)
    }

    /// Whether the interval contains no time.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.until.is_some_and(|until| until <= self.from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_contains_its_beginning_and_not_its_end() {
        let interval = |from, until: Option<u64>| Interval {
            from: Timestamp(from),
            until: until.map(Timestamp),
        };
        let day = interval(10, Some(20));
        assert!(day.contains(Timestamp(10)) && day.contains(Timestamp(19)));
        assert!(!day.contains(Timestamp(9)) && !day.contains(Timestamp(20)));
        assert!(Interval::since(Timestamp(10)).contains(Timestamp(u64::MAX)));
        assert!(day.overlaps(&interval(19, None)) && interval(0, Some(11)).overlaps(&day));
        assert!(!day.overlaps(&interval(20, None)) && !interval(0, Some(10)).overlaps(&day));
        assert!(interval(10, Some(10)).is_empty() && !day.is_empty());
    }
}
