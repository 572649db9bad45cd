//! Ed25519 signing keys, and their text form.
//!
//! ```text
//! PRIVATE+KEY+<name>+<hex id>+<base64(type ‖ 32-byte seed)>
//! ```
//!
//! This text form is a convention of the Go tools, not of C2SP. The id in it is that of the *public* key.

use core::fmt;
use core::str::FromStr;

use ed25519_dalek::Signer as _;
use zeroize::{Zeroize as _, Zeroizing};

use super::error::NoteError;
use super::key::{Algorithm, KeyError, VerifierKey, split_key_text};
use super::line::SignatureLine;
use super::name::{KeyId, KeyName};
use crate::encoding;

const PREFIX: &str = "PRIVATE+KEY+";

/// A named Ed25519 signing key: [`Algorithm::Ed25519`] for notes or [`Algorithm::CosignatureV1`] for cosignatures.
/// Dropping the key wipes its seed; `Debug` does not show it.
#[derive(Clone)]
pub struct SignerKey {
    name: KeyName,
    id: KeyId,
    algorithm: Algorithm,
    key: ed25519_dalek::SigningKey,
}

impl SignerKey {
    /// Makes a key that signs notes (type 0x01) from its 32-byte seed.
    #[must_use]
    pub fn for_notes(name: KeyName, seed: &[u8; 32]) -> Self {
        Self::new(name, Algorithm::Ed25519, seed)
    }

    /// Makes a key that cosigns checkpoints (type 0x04) from its 32-byte seed.
    #[must_use]
    pub fn for_cosignatures(name: KeyName, seed: &[u8; 32]) -> Self {
        Self::new(name, Algorithm::CosignatureV1, seed)
    }

    fn new(name: KeyName, algorithm: Algorithm, seed: &[u8; 32]) -> Self {
        let key = ed25519_dalek::SigningKey::from_bytes(seed);
        let id = KeyId::compute(&name, algorithm.type_byte(), key.verifying_key().as_bytes());
        Self {
            name,
            id,
            algorithm,
            key,
        }
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

    /// The public part.
    ///
    /// # Errors
    /// [`KeyError::Key`] for a seed whose public key is weak. No such seed is known.
    pub fn verifier_key(&self) -> Result<VerifierKey, KeyError> {
        VerifierKey::new(self.name.clone(), self.algorithm, self.key.verifying_key().as_bytes())
    }

    /// The private key text. It contains the key: write it to a protected file and nowhere else.
    #[must_use]
    pub fn to_private_text(&self) -> Zeroizing<String> {
        let mut typed = Zeroizing::new([0; 33]);
        typed[0] = self.algorithm.type_byte();
        typed[1..].copy_from_slice(self.key.as_bytes());
        let seed = Zeroizing::new(encoding::to_base64(&typed[..]));
        Zeroizing::new(format!("{PREFIX}{}+{}+{}", self.name, self.id, *seed))
    }

    /// Signs a note text.
    pub(super) fn sign_text(&self, text: &str) -> Result<SignatureLine, NoteError> {
        if self.algorithm == Algorithm::Ed25519 {
            let signature = self.sign_bytes(text.as_bytes()).to_vec();
            Ok(self.line(signature))
        } else {
            Err(NoteError::NotANoteKey(self.name.clone()))
        }
    }

    pub(crate) fn sign_bytes(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }

    pub(crate) fn line(&self, signature: Vec<u8>) -> SignatureLine {
        SignatureLine {
            name: self.name.clone(),
            id: self.id,
            signature,
        }
    }
}

impl FromStr for SignerKey {
    type Err = KeyError;

    /// Reads the private key text.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rest = text.strip_prefix(PREFIX).ok_or(KeyError::Structure)?;
        let (name, id, mut typed) = split_key_text(rest)?;
        let parsed = match typed.split_first() {
            Some((0x01, seed)) => seed.try_into().map(|seed| Self::for_notes(name, seed)),
            Some((0x04, seed)) => seed.try_into().map(|seed| Self::for_cosignatures(name, seed)),
            Some((other, _)) => return Err(KeyError::UnsupportedType(*other)),
            None => return Err(KeyError::Structure),
        };
        typed.zeroize();
        let key = parsed.map_err(|_| KeyError::Key)?;
        if key.id == id { Ok(key) } else { Err(KeyError::Id) }
    }
}

impl fmt::Debug for SignerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignerKey({}+{}, …)", self.name, self.id)
    }
}
