//! The proof of the power by which a representative acts.
//!
//! It travels inside the sealed request, so that the provider alone reads it; the broker learns the kind of the power
//! from the metadata, and neither person. S2 covers it with the sealed request. Like the proof of a login it does not
//! prove the power by itself: the consumer has seen the document and vouches for it with its signature, and the digest
//! lets supervision compare it with the document that the consumer keeps.

use record::{GermanTime, LegalDay, Power, Timestamp};
use serde::{Deserialize, Serialize};
use text::PartialDate;
use tlog::Hash;

/// Proof of a power. `Debug` shows no digest.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PowerProof {
    /// The power.
    pub power: Power,
    /// SHA-256 of the document: a certificate of birth or of appointment, a power of attorney, a notary's card.
    #[serde(with = "record::bytes")]
    pub document: Hash,
    /// The first day on which the power is valid, in Germany.
    pub from: LegalDay,
    /// The last day; `None` if the document names none.
    pub until: Option<LegalDay>,
}

impl std::fmt::Debug for PowerProof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PowerProof({:?}, document redacted)", self.power)
    }
}

/// Why a power does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PowerRefused {
    /// The power is not valid yet.
    #[error("the power is not valid yet")]
    NotYet,
    /// The power has expired.
    #[error("the power has expired")]
    Expired,
    /// The power is not one for a person of this age, or the age is not known well enough.
    #[error("the power does not suit the represented person's age")]
    Unsuitable,
}

impl PowerProof {
    /// Checks that the power is valid on this day in Germany, and that a person with this date of birth can be
    /// represented by it. Where not all of the date is known, every age that it could mean must suit.
    ///
    /// # Errors
    /// The first of [`PowerRefused`] that applies.
    pub fn check(&self, born: PartialDate, now: Timestamp) -> Result<(), PowerRefused> {
        let today = LegalDay::of(now);
        let (youngest, oldest) = ages(born, now);
        if today < self.from {
            Err(PowerRefused::NotYet)
        } else if self.until.is_some_and(|until| today > until) {
            Err(PowerRefused::Expired)
        } else if self.power.suits(youngest) && self.power.suits(oldest) {
            Ok(())
        } else {
            Err(PowerRefused::Unsuitable)
        }
    }
}

/// The least and the greatest age, in years, of a person with this date of birth.
fn ages(born: PartialDate, now: Timestamp) -> (u16, u16) {
    let (first, _) = born.first_day();
    let first = (first.year(), first.month(), first.day());
    let last = match born {
        PartialDate::Day(_) => first,
        PartialDate::Month(_) => (first.0, first.1, 31),
        PartialDate::Year(_) => (first.0, 12, 31),
        PartialDate::Unknown => return (0, u16::MAX),
    };
    let today = GermanTime::of(now).date();
    (age(last, today), age(first, today))
}

/// Full years between two days, given as year, month and day; 0 for a person who is not born yet.
fn age(born: (i16, i8, i8), today: (i16, i8, i8)) -> u16 {
    let before_birthday = (today.1, today.2) < (born.1, born.2);
    let years = today
        .0
        .saturating_sub(born.0)
        .saturating_sub(i16::from(before_birthday));
    u16::try_from(years).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn proof(power: Power) -> PowerProof {
        PowerProof {
            power,
            document: Hash([0xab; 32]),
            from: "2026-01-01".parse().unwrap(),
            until: Some("2026-12-31".parse().unwrap()),
        }
    }

    fn at(time: &str) -> Timestamp {
        time.parse().unwrap()
    }

    #[test]
    fn a_power_counts_on_its_days_in_germany() {
        let born = "1950-05-01".parse().unwrap();
        let check = |time| proof(Power::Attorney).check(born, at(time));
        assert_eq!(check("2025-12-31T22:59:59Z"), Err(PowerRefused::NotYet));
        assert_eq!(check("2025-12-31T23:00:00Z"), Ok(()));
        assert_eq!(check("2026-12-31T22:59:59Z"), Ok(()));
        assert_eq!(check("2026-12-31T23:00:00Z"), Err(PowerRefused::Expired));
        let endless = PowerProof {
            until: None,
            ..proof(Power::Attorney)
        };
        assert_eq!(endless.check(born, at("2099-01-01T00:00:00Z")), Ok(()));
    }

    #[test]
    fn parents_represent_until_the_eighteenth_birthday_and_custodians_from_then_on() {
        let now = at("2026-06-15T12:00:00Z");
        for (born, parent, custodian) in [
            ("2008-06-16", true, false),
            ("2008-06-15", false, true),
            ("2008-07-00", true, false),
            ("2008-06-00", false, false),
            ("2008-05-00", false, true),
            ("2009-00-00", true, false),
            ("2008-00-00", false, false),
            ("2007-00-00", false, true),
            ("0000-00-00", false, false),
            ("2027-01-01", true, false),
        ] {
            let born_on: PartialDate = born.parse().unwrap();
            let suits = |power| proof(power).check(born_on, now).is_ok();
            assert_eq!(
                (suits(Power::Parent), suits(Power::Custodian)),
                (parent, custodian),
                "{born}"
            );
            assert!(suits(Power::Notary), "{born}");
        }
        // In a year without a 29 February the birthday is 1 March (§ 188 (3) BGB).
        let leap: PartialDate = "2008-02-29".parse().unwrap();
        let check = |time| proof(Power::Parent).check(leap, at(time));
        assert_eq!(check("2026-02-28T12:00:00Z"), Ok(()));
        assert_eq!(check("2026-03-01T12:00:00Z"), Err(PowerRefused::Unsuitable));
    }

    #[test]
    fn debug_shows_no_digest() {
        assert!(!format!("{:?}", proof(Power::Parent)).contains("abab"));
    }

    proptest! {
        /// On every day exactly one of custody and custodianship suits a person whose date of birth is known, and the
        /// change happens once, on the eighteenth birthday.
        #[test]
        fn every_person_is_a_minor_until_a_day_and_an_adult_from_then_on(
            year in 1930_i16..2040, month in 1_i8..=12, day in 1_i8..=28, now in 0_u64..4_000_000_000,
        ) {
            let born: PartialDate = format!("{year:04}-{month:02}-{day:02}").parse().unwrap();
            let endless = |power| PowerProof { from: LegalDay(0), until: None, ..proof(power) };
            let suits = |power| endless(power).check(born, Timestamp(now)).is_ok();
            prop_assert_ne!(suits(Power::Parent), suits(Power::Custodian));
            let birthday = (i64::from(year) + 18, month, day);
            let today = GermanTime::of(Timestamp(now)).date();
            prop_assert_eq!(suits(Power::Custodian), (i64::from(today.0), today.1, today.2) >= birthday);
        }
    }
}
