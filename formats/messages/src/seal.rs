//! Sealing: HPKE in base mode (RFC 9180) with padding.
//!
//! Suite: DHKEM(X25519, HKDF-SHA256) 0x0020, HKDF-SHA256 0x0001, ChaCha20Poly1305 0x0003. A sealed part is `enc (32)
//! ‖ ciphertext`, sealed in one shot. `info` is the kind of the part as ASCII text, and `aad` is what the part is
//! bound to.
//!
//! The plaintext is padded with 0x80 and zero bytes (ISO/IEC 7816-4) to a size class, so that a carrier learns only
//! the class. A part whose padding is not exactly that of its class is refused, so there is only one sealed form.
//!
//! Base mode does not authenticate the sender. Signatures over the sealed bytes do.

use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable as _, Kem as _, OpModeR, OpModeS, Serializable as _};
use record::padding;
use record::random::{RandomnessError, random};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

type Kem = X25519HkdfSha256;
type Kdf = HkdfSha256;
type Aead = ChaCha20Poly1305;

/// Length of the encapsulated key in front of every sealed part.
const ENC_LEN: usize = 32;
/// Length of the AEAD tag behind every ciphertext.
const TAG_LEN: usize = 16;
/// Largest sealed part, in bytes.
pub const MAX_SEALED: usize = 8 << 20;

/// Why a part could not be sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The public key cannot be used for sealing.
    #[error("the sealing key is not usable")]
    Key,
    /// The content does not fit the size class.
    #[error("the content is too long for its size class")]
    TooLong,
    /// Wrong key, wrong binding or changed bytes; they cannot be told apart.
    #[error("the sealed part does not open under this key and binding")]
    Open,
    /// The padding is not that of the size class.
    #[error("the sealed part is not padded to its size class")]
    Padding,
    /// The operating system gave no randomness.
    #[error(transparent)]
    Randomness(#[from] RandomnessError),
}

/// The size classes of a padded plaintext.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PadTo {
    /// Always this many bytes.
    Exactly(usize),
    /// The smallest sufficient of `n · 2^k` bytes, k = 0, 1, 2 …
    Doubling(usize),
}

impl PadTo {
    fn length(self, content: usize) -> Result<usize, SealError> {
        let needed = content.checked_add(1).ok_or(SealError::TooLong)?;
        match self {
            PadTo::Exactly(n) if needed <= n => Ok(n),
            PadTo::Exactly(_) => Err(SealError::TooLong),
            PadTo::Doubling(n) => {
                let mut class = n.max(1);
                while class < needed {
                    class = class.checked_mul(2).ok_or(SealError::TooLong)?;
                }
                if class > MAX_SEALED - ENC_LEN - TAG_LEN {
                    Err(SealError::TooLong)
                } else {
                    Ok(class)
                }
            }
        }
    }

    fn pad(self, content: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let length = self.length(content.len())?;
        padding::pad(content, length).ok_or(SealError::TooLong)
    }

    fn unpad(self, padded: &[u8]) -> Result<&[u8], SealError> {
        let content = padding::unpad(padded).ok_or(SealError::Padding)?;
        if self.length(content.len()) == Ok(padded.len()) {
            Ok(content)
        } else {
            Err(SealError::Padding)
        }
    }
}

/// A public key that parts are sealed to (X25519, 32 bytes). A CBOR byte string in messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SealingPublicKey(pub [u8; 32]);

impl Serialize for SealingPublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        record::bytes::serialize(&self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for SealingPublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        record::bytes::deserialize(deserializer).map(Self)
    }
}

/// The secret key that opens what was sealed to its public key. Zeroized on drop; `Debug` shows nothing.
#[derive(Clone)]
pub struct SealingKey {
    seed: Zeroizing<[u8; 32]>,
    secret: <Kem as hpke::Kem>::PrivateKey,
    public: SealingPublicKey,
}

impl std::fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealingKey(redacted)")
    }
}

impl SealingKey {
    /// Derives the key pair from a 32-byte seed: RFC 9180 §7.1.3 `DeriveKeyPair`.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        let seed = Zeroizing::new(seed);
        let (secret, public) = Kem::derive_keypair(seed.as_slice());
        let public = SealingPublicKey(public.to_bytes().into());
        Self { seed, secret, public }
    }

    /// Generates a random key pair.
    ///
    /// # Errors
    /// When the operating system has no randomness.
    pub fn generate() -> Result<Self, SealError> {
        Ok(Self::from_seed(random()?))
    }

    /// The seed, for a journal that keeps the key.
    pub fn seed(&self) -> &[u8; 32] {
        &self.seed
    }

    /// The public key.
    pub fn public(&self) -> SealingPublicKey {
        self.public
    }
}

/// Seals `content`, padded to `pad`, to the key `to`. Returns `enc ‖ ciphertext`.
///
/// # Errors
/// [`SealError::Key`] for an unusable key, [`SealError::TooLong`] when the content exceeds its class.
pub fn seal(to: &SealingPublicKey, info: &str, aad: &[u8], content: &[u8], pad: PadTo) -> Result<Vec<u8>, SealError> {
    let public = <Kem as hpke::Kem>::PublicKey::from_bytes(&to.0).map_err(|_| SealError::Key)?;
    let padded = pad.pad(content)?;
    let (enc, ciphertext) =
        hpke::single_shot_seal::<Aead, Kdf, Kem>(&OpModeS::Base, &public, info.as_bytes(), &padded, aad)
            .map_err(|_| SealError::Key)?;
    let mut sealed = Vec::with_capacity(ENC_LEN + ciphertext.len());
    sealed.extend_from_slice(&enc.to_bytes());
    sealed.extend_from_slice(&ciphertext);
    Ok(sealed)
}

/// Opens a part that [`seal`] made. Returns the content without padding.
///
/// # Errors
/// [`SealError::Open`] for another key, info or aad, or changed bytes; [`SealError::Padding`] for another size class.
pub fn open(
    key: &SealingKey,
    info: &str,
    aad: &[u8],
    sealed: &[u8],
    pad: PadTo,
) -> Result<Zeroizing<Vec<u8>>, SealError> {
    if sealed.len() > MAX_SEALED || sealed.len() < ENC_LEN + TAG_LEN {
        return Err(SealError::Open);
    }
    let (enc, ciphertext) = sealed.split_at(ENC_LEN);
    let enc = <Kem as hpke::Kem>::EncappedKey::from_bytes(enc).map_err(|_| SealError::Open)?;
    let padded =
        hpke::single_shot_open::<Aead, Kdf, Kem>(&OpModeR::Base, &key.secret, &enc, info.as_bytes(), ciphertext, aad)
            .map_err(|_| SealError::Open)?;
    let padded = Zeroizing::new(padded);
    Ok(Zeroizing::new(pad.unpad(&padded)?.to_vec()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    fn key(n: u8) -> SealingKey {
        SealingKey::from_seed([n; 32])
    }

    fn sealed() -> Vec<u8> {
        seal(
            &key(1).public(),
            "einsicht/test/v1",
            b"bound to",
            b"content",
            PadTo::Exactly(64),
        )
        .unwrap()
    }

    /// RFC 9180 Appendix A.2.1: base mode of DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20Poly1305.
    #[test]
    fn the_key_pair_matches_rfc_9180_a_2_1() {
        let ikm = hex::decode("1ac01f181fdf9f352797655161c58b75c656a6cc2716dcb66372da835542e1df").unwrap();
        let key = SealingKey::from_seed(ikm.try_into().unwrap());
        assert_eq!(
            hex::encode(key.public().0),
            "4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a"
        );
    }

    #[test]
    fn a_sealed_part_opens_with_its_key_info_and_binding() {
        let opened = open(&key(1), "einsicht/test/v1", b"bound to", &sealed(), PadTo::Exactly(64)).unwrap();
        assert_eq!(opened.as_slice(), b"content");
        assert_eq!(sealed().len(), 32 + 64 + 16);
    }

    #[test]
    fn another_key_info_or_binding_does_not_open() {
        let pad = PadTo::Exactly(64);
        for result in [
            open(&key(2), "einsicht/test/v1", b"bound to", &sealed(), pad),
            open(&key(1), "einsicht/test/v2", b"bound to", &sealed(), pad),
            open(&key(1), "einsicht/test/v1", b"bound to another", &sealed(), pad),
        ] {
            assert_eq!(result.unwrap_err(), SealError::Open);
        }
    }

    #[test]
    fn a_changed_or_truncated_part_does_not_open() {
        let sealed = sealed();
        let pad = PadTo::Exactly(64);
        for i in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[i] ^= 1;
            assert!(
                open(&key(1), "einsicht/test/v1", b"bound to", &changed, pad).is_err(),
                "byte {i}"
            );
            assert!(
                open(&key(1), "einsicht/test/v1", b"bound to", &sealed[..i], pad).is_err(),
                "cut at {i}"
            );
        }
    }

    #[test]
    fn a_low_order_key_is_refused() {
        assert_eq!(
            seal(&SealingPublicKey([0; 32]), "i", b"", b"", PadTo::Exactly(8)),
            Err(SealError::Key)
        );
    }

    #[test]
    fn padding_has_one_form() {
        let pad = PadTo::Exactly(8);
        assert_eq!(pad.unpad(&[1, 2, 0x80, 0, 0, 0, 0, 0]), Ok([1, 2].as_slice()));
        assert_eq!(
            pad.unpad(&[1, 2, 0x80, 0, 0, 0, 0]),
            Err(SealError::Padding),
            "another class"
        );
        assert_eq!(
            pad.unpad(&[1, 2, 3, 0, 0, 0, 0, 0]),
            Err(SealError::Padding),
            "no marker"
        );
        assert_eq!(pad.unpad(&[0; 8]), Err(SealError::Padding));
        assert_eq!(pad.unpad(&[]), Err(SealError::Padding));
        assert_eq!(PadTo::Exactly(4).pad(&[0; 4]).unwrap_err(), SealError::TooLong);
        assert_eq!(
            PadTo::Doubling(4).unpad(&[0x80, 0, 0, 0, 0, 0, 0, 0]),
            Err(SealError::Padding),
            "class too large"
        );
    }

    proptest! {
        #[test]
        fn padding_round_trips(content in proptest::collection::vec(any::<u8>(), 0..300)) {
            for pad in [PadTo::Exactly(512), PadTo::Doubling(16)] {
                let padded = pad.pad(&content).unwrap();
                prop_assert_eq!(pad.unpad(&padded), Ok(content.as_slice()));
            }
        }
    }
}
