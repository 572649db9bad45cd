//! The European Unique Identifier of a legal person (EUID).
//!
//! SPEC: Implementing Regulation (EU) 2021/1042, annex: country code, identifier of the register, a full stop, and the
//! number in the register; for example `DEF1103R.HRB116737`.

use std::fmt;
use std::str::FromStr;

use super::legal_person::{LegalPerson, RegisterNumber};

/// Code of the EUID in the list of identifier schemes.
const SCHEME: &str = "EUID";
/// The most characters.
const MAX_LENGTH: usize = 64;

/// A European Unique Identifier. `Debug` shows nothing, because a small firm is its owner.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Euid(String);

/// The text is not a European Unique Identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a European Unique Identifier like DEF1103R.HRB116737")]
pub struct EuidError;

impl fmt::Debug for Euid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Euid(redacted)")
    }
}

impl fmt::Display for Euid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Euid {
    type Err = EuidError;

    fn from_str(text: &str) -> Result<Self, EuidError> {
        let upper = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
        let (register, number) = text.split_once('.').ok_or(EuidError)?;
        let country = register.bytes().take(2).all(|byte| byte.is_ascii_uppercase());
        let sound = country
            && text.len() <= MAX_LENGTH
            && register.len() > 2
            && register.bytes().all(upper)
            && !number.is_empty()
            && number.bytes().all(upper);
        sound.then(|| Self(text.to_owned())).ok_or(EuidError)
    }
}

impl From<Euid> for RegisterNumber {
    fn from(euid: Euid) -> Self {
        Self {
            value: euid.0,
            scheme: SCHEME.into(),
        }
    }
}

impl LegalPerson {
    /// The identifier by which registers find the person; `None` if it has none, several, or a malformed one.
    #[must_use]
    pub fn euid(&self) -> Option<Euid> {
        let mut euids = self.numbers.iter().filter(|number| number.scheme == SCHEME);
        match (euids.next(), euids.next()) {
            (Some(number), None) => number.value.parse().ok(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use record::Assurance;

    use super::*;

    #[test]
    fn an_identifier_has_country_register_and_number() {
        for good in ["DEF1103R.HRB116737", "FR7501.123456789", "ATBRA.123456A"] {
            assert_eq!(good.parse::<Euid>().unwrap().to_string(), good);
        }
        let long = format!("DEF1103R.{}", "1".repeat(MAX_LENGTH));
        for bad in [
            "",
            ".",
            "DE.HRB1",
            "DEF1103R.",
            "DEF1103R",
            "deF1103R.HRB1",
            "DEF1103R.HRB 1",
            "1EF.1",
            "08214967384",
            &long,
        ] {
            assert!(bad.parse::<Euid>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_legal_person_is_found_by_exactly_one_identifier() {
        let euid: Euid = "DEF1103R.HRB116737".parse().unwrap();
        let mut person = LegalPerson::new("Müller GmbH".parse().unwrap(), Assurance::High);
        assert_eq!(person.euid(), None);
        person.numbers.push(euid.clone().into());
        assert_eq!(person.euid(), Some(euid.clone()));
        assert!(!format!("{euid:?}{person:?}").contains("HRB"));
        person.numbers.push(euid.into());
        assert_eq!(person.euid(), None, "two identifiers");
    }
}
