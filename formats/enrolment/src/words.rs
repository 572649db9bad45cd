//! The fingerprint of an application as words.
//!
//! Operator and body compare them on the telephone or on paper. They are the first 128 bits of
//! `SHA-256("einsicht/application-words/v1" ‖ 0x00 ‖ CBOR of the application)` as twelve words of BIP-39, the last of
//! which contains a checksum, so a wrong word is found before anything is sent.

use core::fmt;
use core::str::FromStr;

use bip39::{Language, Mnemonic};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

const CONTEXT: &[u8] = b"einsicht/application-words/v1\0";
/// The most characters of a text with twelve words, with room for spaces.
const MAX_TEXT: usize = 400;

/// Twelve words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Words(#[serde(with = "record::bytes")] [u8; 16]);

/// The text does not have the twelve words of a fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("these are not the twelve words of a fingerprint: check their spelling and their order")]
pub struct InvalidWords;

impl Words {
    /// The words of an application, of which this is the CBOR.
    pub(crate) fn of(application: &[u8]) -> Self {
        let digest = Sha256::new().chain_update(CONTEXT);
        let digest = digest.chain_update(application).finalize();
        let mut words = [0; 16];
        words.copy_from_slice(&digest[..16]);
        Self(words)
    }
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // 16 bytes are one of the lengths that BIP-39 has.
        let words = Mnemonic::from_entropy_in(Language::English, &self.0).map_err(|_| fmt::Error)?;
        write!(f, "{words}")
    }
}

impl FromStr for Words {
    type Err = InvalidWords;

    /// Capitals and spaces do not matter.
    fn from_str(text: &str) -> Result<Self, InvalidWords> {
        if text.len() > MAX_TEXT {
            return Err(InvalidWords);
        }
        let text = text.to_lowercase();
        let text: Vec<&str> = text.split_whitespace().collect();
        let words = Mnemonic::parse_in_normalized(Language::English, &text.join(" ")).map_err(|_| InvalidWords)?;
        let (bytes, len) = words.to_entropy_array();
        let bytes = bytes.get(..len).ok_or(InvalidWords)?;
        bytes.try_into().map(Self).map_err(|_| InvalidWords)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn words_are_read_as_people_write_them_and_a_wrong_one_is_found() {
        let words = Words([7; 16]);
        let text = words.to_string();
        assert_eq!(text.split(' ').count(), 12);
        assert_eq!(text.parse::<Words>().unwrap(), words);
        let written = format!("  {} \n", text.to_uppercase().replace(' ', "  "));
        assert_eq!(written.parse::<Words>().unwrap(), words);
        let (first, rest) = text.split_once(' ').unwrap();
        for wrong in [
            String::new(),
            rest.to_owned(),
            format!("{rest} {first}"),
            format!("zebra {rest}"),
            format!("{text} {text}"),
            "abandon ".repeat(100),
        ] {
            assert_eq!(wrong.parse::<Words>(), Err(InvalidWords), "{wrong}");
        }
    }
}
