//! Values that a process hands out and gets back, instead of storing them.
//!
//! A server that stores something for each anonymous request can be filled by anonymous requests. It seals the value
//! with a key of its own instead, and gives the result to the client. Only the process that sealed a value can read
//! it, and only in the context for which it was sealed; a restart makes all of them unreadable.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::secret::{SecretError, random};

/// Bytes of a nonce. At this length random nonces do not repeat, however many values are sealed.
const NONCE: usize = 24;

/// The key with which a process seals values.
pub struct Sealer(XChaCha20Poly1305);

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealer(…)")
    }
}

/// Why a value cannot be sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The operating system returns no random bytes.
    #[error(transparent)]
    Random(#[from] SecretError),
    /// The value has no JSON form, or the cipher refuses its length.
    #[error("the value cannot be sealed")]
    Value,
}

impl Sealer {
    /// A sealer with a new key.
    ///
    /// # Errors
    /// [`SecretError::Random`].
    pub fn new() -> Result<Self, SecretError> {
        Ok(Self(XChaCha20Poly1305::new(&random()?.into())))
    }

    /// Seals a value for a context. The result consists of letters, digits, `-` and `_`.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn seal<T: Serialize>(&self, context: &str, value: &T) -> Result<String, SealError> {
        let plain = serde_json::to_vec(value).map_err(|_| SealError::Value)?;
        let mut nonce = [0; NONCE];
        nonce.copy_from_slice(random()?.get(..NONCE).ok_or(SealError::Value)?);
        let payload = Payload {
            msg: &plain,
            aad: context.as_bytes(),
        };
        let sealed = self.0.encrypt(&XNonce::from(nonce), payload);
        Ok(BASE64.encode([nonce.as_slice(), &sealed.map_err(|_| SealError::Value)?].concat()))
    }

    /// Reads a sealed value. `None` if this process did not seal it for this context.
    pub fn open<T: DeserializeOwned>(&self, context: &str, text: &str) -> Option<T> {
        let bytes = BASE64.decode(text).ok()?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE>()?;
        let payload = Payload {
            msg: sealed,
            aad: context.as_bytes(),
        };
        let plain = self.0.decrypt(&XNonce::from(*nonce), payload).ok()?;
        text::json::from_slice(&plain).ok()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_sealed_value_is_read_only_by_its_sealer_in_its_context() {
        let sealer = Sealer::new().unwrap();
        let sealed = sealer.seal("a", &(7, "text")).unwrap();
        let read = |sealer: &Sealer, context: &str, text: &str| sealer.open::<(u8, String)>(context, text);
        assert_eq!(read(&sealer, "a", &sealed), Some((7, "text".to_owned())));
        assert_eq!(read(&sealer, "b", &sealed), None);
        assert_eq!(read(&Sealer::new().unwrap(), "a", &sealed), None);
        for cut in 0..sealed.len() {
            assert_eq!(read(&sealer, "a", &sealed[..cut]), None);
        }
        assert_ne!(sealed, sealer.seal("a", &(7, "text")).unwrap());
    }
}
