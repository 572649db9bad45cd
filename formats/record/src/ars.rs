//! Areas by their Amtlicher Regionalschlüssel.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The lengths that a key may have, longest first.
const LENGTHS: [usize; 6] = [12, 9, 5, 3, 2, 0];
/// How many states (Länder) there are: their numbers are 01 to 16.
const STATES: u8 = 16;

/// An area by its Amtlicher Regionalschlüssel: the Federation (no digit), a state (2), a Regierungsbezirk (3), a
/// district (5), an association of municipalities (9) or a municipality (12). An area contains those that begin with
/// its digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Ars(String);

/// The text is not an Amtlicher Regionalschlüssel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ArsError {
    /// The number of digits names no level of administration, or there are other characters.
    #[error("an Amtlicher Regionalschlüssel has 0, 2, 3, 5, 9 or 12 digits")]
    Form,
    /// The first two digits name no state.
    #[error("an Amtlicher Regionalschlüssel begins with the number of a state, 01 to 16")]
    State,
}

impl Ars {
    /// The Federation.
    #[must_use]
    pub const fn federation() -> Self {
        Self(String::new())
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `other` is this area or lies in it.
    #[must_use]
    pub fn contains(&self, other: &Self) -> bool {
        other.0.starts_with(&self.0)
    }

    /// Whether one of the two areas contains the other.
    #[must_use]
    pub fn is_nested_with(&self, other: &Self) -> bool {
        self.contains(other) || other.contains(self)
    }

    /// The digits of the areas that contain this one, the smallest first: itself, then larger ones, up to the
    /// Federation.
    pub fn enclosing(&self) -> impl Iterator<Item = &str> {
        LENGTHS.into_iter().filter_map(|length| self.0.get(..length))
    }
}

impl FromStr for Ars {
    type Err = ArsError;

    fn from_str(text: &str) -> Result<Self, ArsError> {
        text.to_owned().try_into()
    }
}

impl TryFrom<String> for Ars {
    type Error = ArsError;

    fn try_from(text: String) -> Result<Self, ArsError> {
        if !LENGTHS.contains(&text.len()) || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(ArsError::Form);
        }
        let state = text.get(..2).map_or(Some(1), |state| state.parse::<u8>().ok());
        match state {
            Some(1..=STATES) => Ok(Self(text)),
            _ => Err(ArsError::State),
        }
    }
}

impl From<Ars> for String {
    fn from(ars: Ars) -> Self {
        ars.0
    }
}

impl fmt::Display for Ars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn ars(text: &str) -> Ars {
        text.parse().unwrap()
    }

    #[test]
    fn areas_are_checked() {
        for text in ["", "05", "053", "05315", "053155001", "053155001001", "16"] {
            assert_eq!(ars(text).as_str(), text);
        }
        for text in ["0", "0531", "05315x", "0531500100100", "٠١", "05 15"] {
            assert_eq!(text.parse::<Ars>(), Err(ArsError::Form), "{text}");
        }
        for text in ["00", "17", "99999"] {
            assert_eq!(text.parse::<Ars>(), Err(ArsError::State), "{text}");
        }
    }

    #[test]
    fn an_area_contains_those_that_begin_with_its_digits() {
        let (federation, state, district) = (Ars::federation(), ars("05"), ars("05315"));
        assert!(federation.contains(&state) && state.contains(&district) && district.contains(&district));
        assert!(!district.contains(&state) && !ars("05316").contains(&district));
        assert!(district.is_nested_with(&state) && !ars("06").is_nested_with(&district));
    }

    #[test]
    fn enclosing_areas_come_smallest_first() {
        let municipality = ars("053155001001");
        let enclosing: Vec<&str> = municipality.enclosing().collect();
        assert_eq!(enclosing, ["053155001001", "053155001", "05315", "053", "05", ""]);
        assert_eq!(Ars::federation().enclosing().collect::<Vec<_>>(), [""]);
    }
}
