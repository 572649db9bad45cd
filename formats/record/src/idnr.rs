//! The identification number of § 139b AO (IDNr): eleven digits, the last one a check digit.
//!
//! Rules over the first ten digits: the first is not 0 (a leading 0 marks a test number); exactly one digit occurs
//! twice and no other more than once (numbers issued up to 2015), or exactly one digit occurs three times, not all
//! three in a row, and no other more than once (from 2016). The eleventh is the check digit of ISO 7064 MOD 11,10.
//!
//! Storing the number without authority is a crime (§ 17 IDNrG), and an attacker can enumerate its 10^10 values, so
//! a hash does not protect it. [`Idnr`] therefore has no `Display`, its `Debug` prints no digits, only
//! [`Idnr::expose`] returns them, and its memory is wiped when it is dropped.

use core::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Whether numbers with a leading 0 are accepted. Production refuses them; tests and demonstrations need them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TestNumbers {
    /// Test numbers are accepted.
    Allowed,
    /// Test numbers are refused.
    Refused,
}

/// Why a text is not an identification number. The error does not contain the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum IdnrError {
    /// Not eleven ASCII digits.
    #[error("an IDNr has eleven digits")]
    Form,
    /// The digits do not repeat as the rules require.
    #[error("the IDNr's structure is wrong")]
    Structure,
    /// The check digit is wrong.
    #[error("the IDNr's check digit is wrong")]
    CheckDigit,
    /// The number is a test number, and test numbers are refused.
    #[error("test numbers are not accepted here")]
    TestNumber,
}

/// An identification number, or the reserved number of "nobody" (design §5.5).
///
/// On the wire it is text. Reading accepts test numbers and [`Idnr::nobody`] because messages carry both. A caller
/// that must not accept them checks [`Idnr::is_test_number`] and [`Idnr::is_nobody`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Zeroize, ZeroizeOnDrop, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Idnr(String);

impl Idnr {
    /// The reserved number for unknown, ambiguous, blocked and legal persons (design §5.5). It is not a valid number.
    pub const NOBODY: &'static str = "00000000000";

    /// Checks form, structure and check digit.
    ///
    /// # Errors
    /// See [`IdnrError`]. The reserved number of "nobody" is refused with [`IdnrError::Structure`].
    pub fn parse(text: &str, tests: TestNumbers) -> Result<Self, IdnrError> {
        let digits = digits(text).ok_or(IdnrError::Form)?;
        if !has_structure(&digits) {
            return Err(IdnrError::Structure);
        }
        if check_digit(&digits) != digits[10] {
            return Err(IdnrError::CheckDigit);
        }
        if digits[0] == 0 && tests == TestNumbers::Refused {
            return Err(IdnrError::TestNumber);
        }
        Ok(Self(text.to_owned()))
    }

    /// The reserved number of "nobody" (design §5.5).
    #[must_use]
    pub fn nobody() -> Self {
        Self(Self::NOBODY.to_owned())
    }

    /// Whether this is the reserved number of "nobody" (design §5.5).
    #[must_use]
    pub fn is_nobody(&self) -> bool {
        self.0 == Self::NOBODY
    }

    /// Whether this is a test number.
    #[must_use]
    pub fn is_test_number(&self) -> bool {
        self.0.starts_with('0') && !self.is_nobody()
    }

    /// The eleven digits. Never log them, store them or put them into a URL.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Idnr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Idnr(…)")
    }
}

impl TryFrom<String> for Idnr {
    type Error = IdnrError;

    fn try_from(mut text: String) -> Result<Self, IdnrError> {
        let number = if text == Self::NOBODY {
            Ok(Self::nobody())
        } else {
            Self::parse(&text, TestNumbers::Allowed)
        };
        text.zeroize();
        number
    }
}

impl From<Idnr> for String {
    fn from(number: Idnr) -> Self {
        number.0.clone()
    }
}

fn digits(text: &str) -> Option<[u8; 11]> {
    let bytes: [u8; 11] = text.as_bytes().try_into().ok()?;
    bytes
        .iter()
        .all(u8::is_ascii_digit)
        .then(|| bytes.map(|byte| byte - b'0'))
}

fn has_structure(digits: &[u8; 11]) -> bool {
    let body = &digits[..10];
    let mut counts = [0_u8; 10];
    for digit in body {
        counts[usize::from(*digit)] += 1;
    }
    let occurring = |times: u8| counts.iter().filter(|count| **count == times).count();
    let three_in_a_row = body
        .windows(3)
        .any(|three| three[0] == three[1] && three[1] == three[2]);
    let one_double = occurring(2) == 1 && occurring(1) == 8;
    let one_triple = occurring(3) == 1 && occurring(1) == 7 && !three_in_a_row;
    one_double || one_triple
}

/// SPEC: ISO/IEC 7064, MOD 11,10.
fn check_digit(digits: &[u8; 11]) -> u8 {
    let product = digits[..10].iter().fold(10, |product, digit| {
        let sum = match (digit + product) % 10 {
            0 => 10,
            sum => sum,
        };
        2 * sum % 11
    });
    match 11 - product {
        10 => 0,
        check => check,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::cbor;

    const REAL: [&str; 7] = [
        "86095742719",
        "47036892816",
        "36574261809",
        "81872495633",
        "65929970489",
        "57549285017",
        "25768131411",
    ];
    const TEST: [&str; 8] = [
        "08214967384",
        "02476291358",
        "08854869212",
        "07465932380",
        "09874368528",
        "03987613421",
        "02717345963",
        "03168574961",
    ];

    #[test]
    fn valid_numbers_are_read() {
        for text in REAL {
            let number = Idnr::parse(text, TestNumbers::Refused).unwrap();
            assert_eq!(number.expose(), text);
            assert!(!number.is_test_number() && !number.is_nobody());
        }
        for text in TEST {
            assert_eq!(
                Idnr::parse(text, TestNumbers::Refused),
                Err(IdnrError::TestNumber),
                "{text}"
            );
            assert!(Idnr::parse(text, TestNumbers::Allowed).unwrap().is_test_number());
        }
    }

    #[test]
    fn invalid_numbers_are_refused() {
        let table = [
            ("86095742718", IdnrError::CheckDigit),
            ("12345556788", IdnrError::Structure),
            ("11233456784", IdnrError::Structure),
            ("00000000001", IdnrError::Structure),
            ("00000000000", IdnrError::Structure),
            ("12345678901", IdnrError::Structure),
            ("11111111111", IdnrError::Structure),
            ("", IdnrError::Form),
            ("8609574271", IdnrError::Form),
            ("860957427199", IdnrError::Form),
            ("8609574271a", IdnrError::Form),
            ("86 09574271", IdnrError::Form),
            ("+8609574271", IdnrError::Form),
            ("٨٦٠٩٥٧٤", IdnrError::Form),
        ];
        for (text, error) in table {
            assert_eq!(Idnr::parse(text, TestNumbers::Allowed), Err(error), "{text}");
        }
    }

    /// In these numbers the check digit detects every single wrong digit.
    #[test]
    fn single_wrong_digits_are_detected() {
        for text in REAL.into_iter().chain(TEST) {
            for at in 0..11 {
                for digit in b'0'..=b'9' {
                    let mut changed = text.as_bytes().to_vec();
                    changed[at] = digit;
                    let changed = String::from_utf8(changed).unwrap();
                    assert_eq!(
                        Idnr::parse(&changed, TestNumbers::Allowed).is_ok(),
                        changed == text,
                        "{changed}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_number_of_nobody_is_not_valid_but_is_read_back() {
        let nobody = Idnr::nobody();
        assert!(nobody.is_nobody() && !nobody.is_test_number());
        assert_eq!(cbor::from_slice::<Idnr>(&cbor::to_vec(&nobody)).unwrap(), nobody);
        assert!(cbor::from_slice::<Idnr>(&cbor::to_vec("86095742718")).is_err());
    }

    #[test]
    fn debug_and_errors_contain_no_digits() {
        let number = Idnr::parse(REAL[0], TestNumbers::Refused).unwrap();
        assert_eq!(format!("{number:?}"), "Idnr(…)");
        let error = cbor::from_slice::<Idnr>(&cbor::to_vec("86095742718")).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("8609574271"));
    }
}
