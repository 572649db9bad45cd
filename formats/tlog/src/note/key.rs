//! Verifier keys.
//!
//! ```text
//! vkey = name "+" hex(u32 id) "+" base64(type ‖ public key)
//! ```
//!
//! The base64 part may contain `+`, so the parser splits the text at the first two only. It recomputes the id and
//! compares it.

use core::fmt;
use core::str::FromStr;

use ml_dsa::MlDsa44;

use super::error::LineError;
use super::line::SignatureLine;
use super::name::{KeyId, KeyName, NameError};
use crate::encoding::{self, EncodingError};

/// What a key signs, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Algorithm {
    /// Ed25519 over the note text.
    Ed25519 = 0x01,
    /// Ed25519 cosignature with a time, `cosignature/v1`.
    CosignatureV1 = 0x04,
    /// ML-DSA-44 cosignature of a subtree, `subtree/v1`.
    SubtreeV1 = 0x06,
}

impl Algorithm {
    /// The type byte.
    #[must_use]
    pub const fn type_byte(self) -> u8 {
        self as u8
    }

    fn from_type(byte: u8) -> Result<Self, KeyError> {
        match byte {
            0x01 => Ok(Self::Ed25519),
            0x04 => Ok(Self::CosignatureV1),
            0x06 => Ok(Self::SubtreeV1),
            other => Err(KeyError::UnsupportedType(other)),
        }
    }
}

/// Why a key text is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The text is not three parts joined by `+`, after `PRIVATE+KEY+` for a private key.
    #[error("not a key text of the form name+id+base64")]
    Structure,
    /// The name is not a key name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The hex or base64 part is not canonical.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
    /// The key type is not implemented, for example 0x02 (ECDSA) or 0x05 (RFC 6962 tree head).
    #[error("keys of type {0:#04x} are not supported")]
    UnsupportedType(u8),
    /// The bytes are not a key of the algorithm: they have a wrong length, are not the canonical encoding of a point,
    /// or are a weak (small order) key.
    #[error("not a valid public key of its type")]
    Key,
    /// The id is not that of this name and key.
    #[error("the key id does not belong to name and key")]
    Id,
}

#[derive(Clone, PartialEq)]
enum PublicKey {
    Ed25519(ed25519_dalek::VerifyingKey),
    MlDsa44(Box<ml_dsa::VerifyingKey<MlDsa44>>),
}

/// A named public key, as it is configured to be trusted. Its text form is the vkey.
#[derive(Clone, PartialEq)]
pub struct VerifierKey {
    name: KeyName,
    id: KeyId,
    algorithm: Algorithm,
    key: PublicKey,
}

impl Eq for VerifierKey {}

impl VerifierKey {
    /// Takes a public key: 32 bytes of Ed25519 or 1312 bytes of ML-DSA-44.
    ///
    /// # Errors
    /// [`KeyError::Key`] when the bytes are not a key of the algorithm, or a weak one.
    pub fn new(name: KeyName, algorithm: Algorithm, public_key: &[u8]) -> Result<Self, KeyError> {
        let key = match algorithm {
            Algorithm::Ed25519 | Algorithm::CosignatureV1 => {
                let bytes = public_key.try_into().map_err(|_| KeyError::Key)?;
                let key = ed25519_dalek::VerifyingKey::from_bytes(bytes).map_err(|_| KeyError::Key)?;
                // A key of small order verifies crafted signatures on any message. Two encodings of one key would be
                // two keys, so that one witness could count twice.
                if key.is_weak() || key.to_edwards().compress().as_bytes() != bytes {
                    return Err(KeyError::Key);
                }
                PublicKey::Ed25519(key)
            }
            Algorithm::SubtreeV1 => {
                let bytes = ml_dsa::EncodedVerifyingKey::<MlDsa44>::try_from(public_key).map_err(|_| KeyError::Key)?;
                PublicKey::MlDsa44(Box::new(ml_dsa::VerifyingKey::decode(&bytes)))
            }
        };
        let id = KeyId::compute(&name, algorithm.type_byte(), public_key);
        Ok(Self {
            name,
            id,
            algorithm,
            key,
        })
    }

    /// The key's name.
    #[must_use]
    pub const fn name(&self) -> &KeyName {
        &self.name
    }

    /// The key's id.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// The key's algorithm.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The raw public key: 32 or 1312 bytes.
    #[must_use]
    pub fn public_key(&self) -> Vec<u8> {
        match &self.key {
            PublicKey::Ed25519(key) => key.to_bytes().to_vec(),
            PublicKey::MlDsa44(key) => key.encode().to_vec(),
        }
    }

    /// Reports whether the line names this key (SN-5).
    #[must_use]
    pub fn matches(&self, line: &SignatureLine) -> bool {
        line.is_of(&self.name, self.id)
    }

    /// Verifies an Ed25519 signature of 64 bytes by dalek's strict rules.
    pub(crate) fn verify_ed25519(&self, message: &[u8], signature: &[u8]) -> Result<(), LineError> {
        let PublicKey::Ed25519(key) = &self.key else {
            return Err(LineError::WrongKey);
        };
        let signature = ed25519_dalek::Signature::from_slice(signature).map_err(|_| LineError::Length)?;
        key.verify_strict(message, &signature).map_err(|_| LineError::Signature)
    }

    /// Verifies a pure ML-DSA-44 signature of 2420 bytes with an empty context.
    pub(crate) fn verify_ml_dsa(&self, message: &[u8], signature: &[u8]) -> Result<(), LineError> {
        let PublicKey::MlDsa44(key) = &self.key else {
            return Err(LineError::WrongKey);
        };
        let encoded = ml_dsa::EncodedSignature::<MlDsa44>::try_from(signature).map_err(|_| LineError::Length)?;
        let signature = ml_dsa::Signature::decode(&encoded).ok_or(LineError::Signature)?;
        if key.verify_with_context(message, &[], &signature) {
            Ok(())
        } else {
            Err(LineError::Signature)
        }
    }
}

impl FromStr for VerifierKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, id, typed_key) = split_key_text(text)?;
        let (key_type, public_key) = typed_key.split_first().ok_or(KeyError::Structure)?;
        let key = Self::new(name, Algorithm::from_type(*key_type)?, public_key)?;
        if key.id == id { Ok(key) } else { Err(KeyError::Id) }
    }
}

/// Splits `name+id+base64` and decodes the parts.
pub(super) fn split_key_text(text: &str) -> Result<(KeyName, KeyId, Vec<u8>), KeyError> {
    let mut parts = text.splitn(3, '+');
    let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(KeyError::Structure);
    };
    Ok((name.parse()?, id.parse()?, encoding::from_base64(key)?))
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let typed = [&[self.algorithm.type_byte()][..], &self.public_key()].concat();
        write!(f, "{}+{}+{}", self.name, self.id, encoding::to_base64(&typed))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifierKey({}+{}, {:?})", self.name, self.id, self.algorithm)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    /// The y coordinates from p = 2^255 − 19 on have a second, smaller encoding. Some are points of large order.
    #[test]
    fn a_key_in_a_second_encoding_is_refused() {
        let name: KeyName = "log.example/vectors".parse().unwrap();
        let accepts = |bytes: &[u8; 32]| {
            [Algorithm::Ed25519, Algorithm::CosignatureV1]
                .map(|kind| VerifierKey::new(name.clone(), kind, bytes).is_ok())
        };
        let mut strong = 0;
        for (y, sign) in (2..19).flat_map(|y| [(y, 0), (y, 0x80)]) {
            let mut small = [0; 32];
            (small[0], small[31]) = (y, sign);
            let mut large = [0xff; 32];
            (large[0], large[31]) = (0xed + y, 0x7f | sign);
            if accepts(&small) == [true, true] {
                assert!(ed25519_dalek::VerifyingKey::from_bytes(&large).is_ok_and(|key| !key.is_weak()));
                strong += 1;
            }
            assert_eq!(accepts(&large), [false, false], "{y}");
        }
        assert!(strong > 0);
    }
}
