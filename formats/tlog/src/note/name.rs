//! Names and ids of keys.

use core::fmt;
use core::str::FromStr;

use crate::Hash;
use crate::encoding::{self, EncodingError};

/// A key's name: 1 to 255 bytes, no Unicode white space, no `+`, no control character (SN-4). Compared as bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyName(String);

/// The text is not a key name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key name has 1 to 255 bytes and no white space, no control character and no '+'")]
pub struct NameError;

impl KeyName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for KeyName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = (1..=255).contains(&text.len());
        let clean = !text.chars().any(|c| c.is_whitespace() || c == '+' || c < ' ');
        if fits && clean {
            Ok(Self(text.to_owned()))
        } else {
            Err(NameError)
        }
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// A key's id: the first four bytes of SHA-256(name ‖ LF ‖ type ‖ public key). A hint, not a fingerprint.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub [u8; 4]);

impl KeyId {
    /// Computes the id of a key: its name, its type byte and its public key.
    #[must_use]
    pub fn compute(name: &KeyName, key_type: u8, public_key: &[u8]) -> Self {
        let input = [name.as_str().as_bytes(), b"\n", &[key_type], public_key].concat();
        let [a, b, c, d, ..] = Hash::of(&input).0;
        Self([a, b, c, d])
    }
}

impl FromStr for KeyId {
    type Err = EncodingError;

    /// Eight lower-case hexadecimal digits.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        encoding::from_hex_array(text).map(Self)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", u32::from_be_bytes(self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
