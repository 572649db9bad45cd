//! The header `Idempotency-Key` of a request (draft-ietf-httpapi-idempotency-key-header).
//!
//! ```text
//! id          = HKDF-SHA256(IKM = key, info = "einsicht/idempotency/id/v1", L = 16)
//! fingerprint = HKDF-SHA256(IKM = key, salt = SHA-256(body), info = "einsicht/idempotency/body/v1", L = 32)
//! seal        = HKDF-SHA256(IKM = key, info = "einsicht/idempotency/seal/v1", L = 32)
//! sealed      = nonce ‖ XChaCha20-Poly1305(seal, nonce, plain, aad = exchange id)
//! ```
//!
//! The connector keeps the id and the fingerprint, and never the key. So what it keeps for a repeated request opens
//! only for a caller that presents the key again, and the fingerprint does not let anyone guess the person in the body.

use axum::http::HeaderMap;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use service::Problem;
use sha2::{Digest as _, Sha256};
use tlog::Hash;
use uuid::Uuid;
use zeroize::Zeroizing;

/// Name of the header.
pub(crate) const HEADER: &str = "idempotency-key";
/// The length of a key in bytes. A UUID has 36; fewer than 32 characters are too few to be unguessable.
const LENGTH: std::ops::RangeInclusive<usize> = 32..=255;
/// Bytes of a nonce. At this length random nonces do not repeat.
const NONCE: usize = 24;

/// What a key is kept under. It does not tell the key.
pub(crate) type KeyId = [u8; 16];

/// The secret of a key, with which the connector seals what only the key's holder may get again.
#[derive(Clone)]
pub(crate) struct KeySeal(Zeroizing<[u8; 32]>);

impl std::fmt::Debug for KeySeal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeySeal(redacted)")
    }
}

impl KeySeal {
    /// Seals `plain` for an exchange. `None` when the operating system has no randomness.
    pub(crate) fn seal(&self, exchange: Uuid, plain: &[u8]) -> Option<Vec<u8>> {
        let nonce: [u8; NONCE] = messages::random().ok()?;
        let payload = Payload {
            msg: plain,
            aad: exchange.as_bytes(),
        };
        let sealed = self.cipher()?.encrypt(&XNonce::from(nonce), payload).ok()?;
        Some([nonce.as_slice(), &sealed].concat())
    }

    /// Opens what was sealed for the exchange with the same key.
    pub(crate) fn open(&self, exchange: Uuid, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE>()?;
        let payload = Payload {
            msg: sealed,
            aad: exchange.as_bytes(),
        };
        let plain = self.cipher()?.decrypt(&XNonce::from(*nonce), payload).ok()?;
        Some(Zeroizing::new(plain))
    }

    fn cipher(&self) -> Option<XChaCha20Poly1305> {
        XChaCha20Poly1305::new_from_slice(self.0.as_slice()).ok()
    }
}

/// A key and the body that came with it.
#[derive(Debug, Clone)]
pub(crate) struct KeyedRequest {
    /// What the key is kept under.
    pub(crate) id: KeyId,
    /// Which body came with the key.
    pub(crate) fingerprint: Hash,
    /// Seals what the key's holder may get again.
    pub(crate) seal: KeySeal,
}

impl KeyedRequest {
    /// Reads the header, if there is one. The value is a string of structured fields (RFC 9651): in quotation marks.
    ///
    /// # Errors
    /// 400 `idempotency-key`.
    pub(crate) fn read(headers: &HeaderMap, body: &[u8]) -> Result<Option<Self>, Problem> {
        let mut values = headers.get_all(HEADER).iter();
        let Some(value) = values.next() else { return Ok(None) };
        let text = value.to_str().ok().filter(|_| values.next().is_none());
        let key = text.and_then(|text| text.trim().strip_prefix('"')?.strip_suffix('"'));
        let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
        let key = key.filter(|key| LENGTH.contains(&key.len()) && key.bytes().all(plain));
        let key = key.ok_or_else(|| {
            Problem::bad_request(
                "idempotency-key",
                "Idempotency-Key: 32 to 255 random characters in quotation marks, such as a UUID",
            )
        })?;
        Self::new(key, body).map(Some).ok_or_else(Problem::internal)
    }

    fn new(key: &str, body: &[u8]) -> Option<Self> {
        let mut id = KeyId::default();
        expand(None, key, b"einsicht/idempotency/id/v1", &mut id)?;
        let mut fingerprint = [0; 32];
        let body = Sha256::digest(body);
        expand(Some(&body), key, b"einsicht/idempotency/body/v1", &mut fingerprint)?;
        let mut seal = Zeroizing::new([0; 32]);
        expand(None, key, b"einsicht/idempotency/seal/v1", seal.as_mut_slice())?;
        Some(Self {
            id,
            fingerprint: Hash(fingerprint),
            seal: KeySeal(seal),
        })
    }
}

fn expand(salt: Option<&[u8]>, key: &str, info: &[u8], out: &mut [u8]) -> Option<()> {
    Hkdf::<Sha256>::new(salt, key.as_bytes()).expand(info, out).ok()
}

/// 400: only a request with a key can be asynchronous.
pub(crate) fn key_missing() -> Problem {
    Problem::bad_request(
        "idempotency-key",
        "an asynchronous request needs an Idempotency-Key, with which its answer is collected",
    )
}

/// 422: the key came with another body before.
pub(crate) fn key_reused() -> Problem {
    Problem::unprocessable(
        "idempotency-key-reused",
        "this Idempotency-Key came with another request",
    )
}

/// 409: the exchange of the key was closed when no caller waited for it.
pub(crate) fn closed_without_caller() -> Problem {
    Problem::conflict(
        "closed",
        "the exchange was closed while no caller waited for it, and its evidence was destroyed; begin another one",
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(values: &[&str], body: &[u8]) -> Result<Option<KeyedRequest>, Problem> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(HEADER, value.parse().unwrap());
        }
        KeyedRequest::read(&headers, body)
    }

    #[test]
    fn a_key_that_is_no_quoted_string_or_could_be_guessed_is_refused() {
        let uuid = "\"8e03978e-40d5-43e8-bc93-6894a57f9324\"";
        assert!(read(&[], b"").unwrap().is_none());
        assert!(read(&[uuid], b"").unwrap().is_some());
        let (long, short) = (format!("\"{}\"", "k".repeat(256)), format!("\"{}\"", "k".repeat(31)));
        let inner = format!("\"{}\"x\"", "k".repeat(40));
        for wrong in ["", "\"\"", uuid.trim_matches('"'), &long, &short, &inner, "\""] {
            assert_eq!(read(&[wrong], b"").unwrap_err().slug, "idempotency-key", "{wrong}");
        }
        assert!(read(&[uuid, uuid], b"").is_err(), "two keys");
    }

    #[test]
    fn what_is_sealed_opens_with_its_key_and_exchange_alone() {
        let [mine, other] = ["a", "b"].map(|letter| {
            let key = format!("\"{}\"", letter.repeat(32));
            read(&[&key], b"body").unwrap().unwrap()
        });
        let [first, second] = [1, 2].map(Uuid::from_u128);
        let sealed = mine.seal.seal(first, b"plain").unwrap();
        assert_eq!(mine.seal.open(first, &sealed).unwrap().as_slice(), b"plain");
        assert!(mine.seal.open(second, &sealed).is_none() && other.seal.open(first, &sealed).is_none());
        assert_ne!(mine.id, other.id);
        assert_ne!(mine.fingerprint, other.fingerprint, "one body with two keys");
    }
}
