//! The verifiable random function ECVRF-RISTRETTO255-SHA512 (c2sp.org/vrf-r255, modelled on RFC 9381).
//!
//! For one public key, every input has exactly one output. Without the secret key the output cannot be predicted, and
//! with the proof and the public key it can be verified.
//!
//! ```text
//! suite = 0xFF ‖ "c2sp.org/vrf-r255"       x: secret scalar, little-endian       Y = x·B
//! H     = one-way-map(SHA-512(suite ‖ 0x82 ‖ Y ‖ alpha))
//! Gamma = x·H                              k = SHA-512(suite ‖ 0x81 ‖ x ‖ H) mod q
//! c     = SHA-512(suite ‖ 0x02 ‖ Y ‖ H ‖ Gamma ‖ k·B ‖ k·H ‖ 0x00)[..16]
//! s     = k + c·x mod q                    proof = Gamma ‖ c ‖ s, 80 bytes
//! beta  = SHA-512(suite ‖ 0x03 ‖ Gamma ‖ 0x00), 64 bytes
//! ```
//!
//! The group has prime order, so there is no cofactor to clear. The identity is refused as a key. The time that proving
//! takes does not depend on the secret key. The construction is not secure against quantum computers.
//!
//! Encoding a point costs a division. The library encodes the doubles of several points with one division, so the code
//! computes the halves of the points that it encodes.

use core::fmt;
use std::sync::LazyLock;

use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::{IsIdentity as _, VartimeMultiscalarMul as _};
use sha2::{Digest as _, Sha512};
use zeroize::{Zeroize as _, ZeroizeOnDrop, Zeroizing};

const SUITE: &[u8] = b"\xffc2sp.org/vrf-r255";

/// 1/2 modulo the group order.
static HALF: LazyLock<Scalar> = LazyLock::new(|| Scalar::from(2_u8).invert());

/// Why a key or a proof is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VrfError {
    /// The bytes are not a canonical scalar, or the scalar is 0.
    #[error("not a VRF secret key")]
    SecretKey,
    /// The bytes are not a canonical point, or the point is the identity.
    #[error("not a VRF public key")]
    PublicKey,
    /// The bytes are not a point and two canonical scalars, or have a wrong length.
    #[error("not a VRF proof")]
    Proof,
    /// The proof belongs to another key or input.
    #[error("the VRF proof does not hold for this key and input")]
    Mismatch,
}

/// A proof: Gamma ‖ c ‖ s.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Proof(pub [u8; 80]);

impl Proof {
    /// The output that the proof is for. This verifies nothing: it is for a proof that the caller has made itself.
    #[must_use]
    pub fn unverified_output(&self) -> Output {
        let mut gamma = [0; 32];
        gamma.copy_from_slice(&self.0[..32]);
        output(&gamma)
    }
}

/// An output of the function. Values derived from it are as secret as the output, so `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, ZeroizeOnDrop)]
pub struct Output([u8; 64]);

impl Output {
    /// The 64 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Output(…)")
    }
}

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A proof contains Gamma, from which the output can be computed.
        f.write_str("Proof(…)")
    }
}

impl TryFrom<&[u8]> for Proof {
    type Error = VrfError;

    fn try_from(bytes: &[u8]) -> Result<Self, Self::Error> {
        bytes.try_into().map(Self).map_err(|_| VrfError::Proof)
    }
}

/// A public key: a point that is not the identity.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey {
    bytes: [u8; 32],
    point: RistrettoPoint,
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", crate::Hash(self.bytes))
    }
}

impl PublicKey {
    /// Decodes a point.
    ///
    /// # Errors
    /// [`VrfError::PublicKey`] when the encoding is not canonical or the point is the identity.
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, VrfError> {
        let point = CompressedRistretto(bytes).decompress().ok_or(VrfError::PublicKey)?;
        if point.is_identity() {
            return Err(VrfError::PublicKey);
        }
        Ok(Self { bytes, point })
    }

    /// The encoding, 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// Verifies a proof and returns the output that it proves.
    ///
    /// # Errors
    /// [`VrfError::Proof`] for a malformed proof, [`VrfError::Mismatch`] for the proof of another key or input.
    pub fn verify(&self, alpha: &[u8], proof: &Proof) -> Result<Output, VrfError> {
        let (gamma_bytes, rest) = proof.0.split_first_chunk::<32>().ok_or(VrfError::Proof)?;
        let (challenge_bytes, s) = rest.split_first_chunk::<16>().ok_or(VrfError::Proof)?;
        let s = s.try_into().map_err(|_| VrfError::Proof)?;
        let gamma = CompressedRistretto(*gamma_bytes).decompress().ok_or(VrfError::Proof)?;
        let s: Scalar = Option::from(Scalar::from_canonical_bytes(s)).ok_or(VrfError::Proof)?;
        let c = challenge_scalar(challenge_bytes);
        let h = hash_to_point(&self.bytes, alpha);
        // All values here are public, so variable-time operations leak nothing.
        let (s, minus_c) = (s * *HALF, -c * *HALF);
        let half_u = RistrettoPoint::vartime_double_scalar_mul_basepoint(&minus_c, &self.point, &s);
        let half_v = RistrettoPoint::vartime_multiscalar_mul([&s, &minus_c], [&h, &gamma]);
        let [u, v] = encoded_doubles([half_u, half_v]);
        if challenge(&self.bytes, &h.compress().0, gamma_bytes, &u, &v) == *challenge_bytes {
            Ok(output(gamma_bytes))
        } else {
            Err(VrfError::Mismatch)
        }
    }
}

/// A secret key. Dropping the key wipes it; `Debug` does not show it.
#[derive(Clone)]
pub struct SecretKey {
    scalar: Scalar,
    public: PublicKey,
}

impl Drop for SecretKey {
    fn drop(&mut self) {
        self.scalar.zeroize();
    }
}

impl ZeroizeOnDrop for SecretKey {}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey(…, {:?})", self.public)
    }
}

impl SecretKey {
    /// Decodes a scalar of 32 bytes, little-endian.
    ///
    /// # Errors
    /// [`VrfError::SecretKey`] when the scalar is 0 or not below the group order.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, VrfError> {
        let scalar: Scalar = Option::from(Scalar::from_canonical_bytes(*bytes)).ok_or(VrfError::SecretKey)?;
        Self::from_scalar(scalar)
    }

    /// Derives a key from 32 random bytes: SHA-512("tlog/vrf-r255/seed/v1" ‖ 0x00 ‖ seed) mod q.
    ///
    /// # Errors
    /// [`VrfError::SecretKey`] when the scalar is 0, which happens for one seed in 2^252.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, VrfError> {
        let mut wide = Zeroizing::new([0; 64]);
        wide.copy_from_slice(
            &Sha512::new()
                .chain_update(b"tlog/vrf-r255/seed/v1\0")
                .chain_update(seed)
                .finalize(),
        );
        Self::from_scalar(Scalar::from_bytes_mod_order_wide(&wide))
    }

    fn from_scalar(scalar: Scalar) -> Result<Self, VrfError> {
        if scalar == Scalar::ZERO {
            return Err(VrfError::SecretKey);
        }
        let point = RistrettoPoint::mul_base(&scalar);
        let bytes = point.compress().0;
        let public = PublicKey { bytes, point };
        Ok(Self { scalar, public })
    }

    /// The scalar, 32 bytes little-endian.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.scalar.to_bytes())
    }

    /// The public key, under which others verify.
    #[must_use]
    pub const fn public_key(&self) -> PublicKey {
        self.public
    }

    /// Evaluates the function on `alpha` and returns the output with its proof.
    #[must_use]
    pub fn prove(&self, alpha: &[u8]) -> (Proof, Output) {
        let h = hash_to_point(&self.public.bytes, alpha);
        let h_bytes = h.compress().0;
        let nonce = Zeroizing::new(self.nonce(&h_bytes));
        let half_key = Zeroizing::new(self.scalar * *HALF);
        let half_nonce = Zeroizing::new(*nonce * *HALF);
        let [gamma, u, v] = encoded_doubles([*half_key * h, RistrettoPoint::mul_base(&half_nonce), *half_nonce * h]);
        let c = challenge(&self.public.bytes, &h_bytes, &gamma, &u, &v);
        let s = *nonce + challenge_scalar(&c) * self.scalar;
        let mut proof = [0; 80];
        proof[..32].copy_from_slice(&gamma);
        proof[32..48].copy_from_slice(&c);
        proof[48..].copy_from_slice(s.as_bytes());
        (Proof(proof), output(&gamma))
    }

    /// Evaluates the function on `alpha` without a proof, in a third of the time.
    #[must_use]
    pub fn output(&self, alpha: &[u8]) -> Output {
        let h = hash_to_point(&self.public.bytes, alpha);
        output(&(self.scalar * h).compress().0)
    }

    fn nonce(&self, h: &[u8; 32]) -> Scalar {
        let mut wide = Zeroizing::new([0; 64]);
        wide.copy_from_slice(
            &Sha512::new()
                .chain_update(SUITE)
                .chain_update([0x81])
                .chain_update(self.scalar.as_bytes())
                .chain_update(h)
                .finalize(),
        );
        Scalar::from_bytes_mod_order_wide(&wide)
    }
}

fn hash_to_point(public_key: &[u8; 32], alpha: &[u8]) -> RistrettoPoint {
    let uniform = Sha512::new()
        .chain_update(SUITE)
        .chain_update([0x82])
        .chain_update(public_key)
        .chain_update(alpha)
        .finalize();
    RistrettoPoint::from_uniform_bytes(&uniform.into())
}

/// The encodings of the doubles of the points, in constant time.
fn encoded_doubles<const N: usize>(halves: [RistrettoPoint; N]) -> [[u8; 32]; N] {
    let mut encoded = [[0; 32]; N];
    for (to, double) in encoded
        .iter_mut()
        .zip(RistrettoPoint::double_and_compress_batch(&halves))
    {
        *to = double.0;
    }
    encoded
}

fn challenge(public_key: &[u8; 32], h: &[u8; 32], gamma: &[u8; 32], u: &[u8; 32], v: &[u8; 32]) -> [u8; 16] {
    let digest: [u8; 64] = Sha512::new()
        .chain_update(SUITE)
        .chain_update([0x02])
        .chain_update(public_key)
        .chain_update(h)
        .chain_update(gamma)
        .chain_update(u)
        .chain_update(v)
        .chain_update([0x00])
        .finalize()
        .into();
    let mut c = [0; 16];
    c.copy_from_slice(&digest[..16]);
    c
}

fn challenge_scalar(challenge: &[u8; 16]) -> Scalar {
    Scalar::from(u128::from_le_bytes(*challenge))
}

fn output(gamma: &[u8; 32]) -> Output {
    let beta = Sha512::new()
        .chain_update(SUITE)
        .chain_update([0x03])
        .chain_update(gamma)
        .chain_update([0x00])
        .finalize();
    Output(beta.into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::encoding::{from_hex, from_hex_array, to_hex};

    /// The test vector of the specification.
    const ALPHA: &[u8] = b"c2sp.org/vrf-r255";
    const SK: &str = "3431c2b03533e280b23232e280b34e2c3132c2b03238e280b23131e280b34500";
    const PK: &str = "54136cd90d99fbd1d4e855d9556efea87ba0337f2a6ce22028d0f5726fcb854e";
    const H: &str = "f245308737c2a888ba56448c8cdbce9d063b57b147e063ce36c580194ef31a63";
    const K: &str = "d32fcc5ae91ba05704da9df434f22fd4c2c373fdd8294bbb58bf27292aeec00a";
    const GAMMA: &str = "0a97d961262fb549b4175c5117860f42ae44a123f93c476c439eddd1c0cff926";
    const U: &str = "9a30709d72de12d67f7af1cd8695ff16214d2d4600ae5f478873d2e7ed0ece73";
    const V: &str = "5e727d972b11f6490b0b1ba8147775bceb1a2cb523b381fa22d5a5c0e97d4744";
    const C: &str = "5c805525233e2284dbed45e593b8eea3";
    const S: &str = "1d5ca9734d72bcbba9738d5237f955f3b2422351149d1312503b6441a47c940c";
    const BETA: &str = "dd653f0879b48c3ef69e13551239bec4cbcc1c18fe8894de2e9e1c790e18273603bf1c6c25d7a797aeff3c43fd32b974\
                        d3fcbd4bcce916007097922a3ea3a794";

    fn key() -> SecretKey {
        SecretKey::from_bytes(&from_hex_array(SK).unwrap()).unwrap()
    }

    #[test]
    fn every_intermediate_value_is_that_of_the_vector() {
        let key = key();
        assert_eq!(to_hex(key.public_key().as_bytes()), PK);
        let h = hash_to_point(key.public_key().as_bytes(), ALPHA);
        assert_eq!(to_hex(&h.compress().0), H);
        let nonce = key.nonce(&h.compress().0);
        assert_eq!(to_hex(nonce.as_bytes()), K);
        assert_eq!(to_hex(&RistrettoPoint::mul_base(&nonce).compress().0), U);
        assert_eq!(to_hex(&(nonce * h).compress().0), V);
        let (proof, output) = key.prove(ALPHA);
        assert_eq!(to_hex(&proof.0), [GAMMA, C, S].concat());
        assert_eq!(to_hex(output.as_bytes()), BETA);
        assert_eq!(key.output(ALPHA), output);
        assert_eq!(proof.unverified_output(), output);
        assert_eq!(key.public_key().verify(ALPHA, &proof), Ok(output));
        assert_eq!(to_hex(&*key.to_bytes()), SK);
    }

    #[test]
    fn doubles_are_encoded_as_one_by_one_and_the_identity_spoils_none() {
        use curve25519_dalek::traits::Identity as _;
        let point = hash_to_point(key().public_key().as_bytes(), ALPHA);
        let halves = [point, RistrettoPoint::identity(), point * *HALF];
        let expected = halves.map(|half| (half + half).compress().0);
        assert_eq!(encoded_doubles(halves), expected);
        assert_eq!(expected, [(point + point).compress().0, [0; 32], point.compress().0]);
    }

    #[test]
    fn a_proof_with_any_bit_flipped_is_refused() {
        let key = key();
        let (proof, _) = key.prove(ALPHA);
        for bit in 0..proof.0.len() * 8 {
            let mut bad = proof;
            bad.0[bit / 8] ^= 1 << (bit % 8);
            assert!(key.public_key().verify(ALPHA, &bad).is_err(), "{bit}");
        }
        assert_eq!(key.public_key().verify(b"other", &proof), Err(VrfError::Mismatch));
        let other = SecretKey::from_seed(&[7; 32]).unwrap().public_key();
        assert_eq!(other.verify(ALPHA, &proof), Err(VrfError::Mismatch));
        assert_eq!(Proof::try_from(&proof.0[..79]), Err(VrfError::Proof));
    }

    #[test]
    fn keys_and_proofs_that_are_not_canonical_are_refused() {
        let order = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
        for bad in [order, &"00".repeat(32), &"ff".repeat(32)] {
            let bytes = from_hex_array(bad).unwrap();
            assert_eq!(SecretKey::from_bytes(&bytes).map(|_| ()), Err(VrfError::SecretKey));
        }
        // The identity, and the encoding of a negative point.
        assert_eq!(PublicKey::from_bytes([0; 32]), Err(VrfError::PublicKey));
        let mut odd = *key().public_key().as_bytes();
        odd[0] |= 1;
        assert_eq!(PublicKey::from_bytes(odd), Err(VrfError::PublicKey));
        // The scalar s + q instead of s.
        let (mut proof, _) = key().prove(ALPHA);
        let mut carry = 0_u16;
        for (byte, add) in proof.0[48..].iter_mut().zip(from_hex(order).unwrap()) {
            let sum = u16::from(*byte) + u16::from(add) + carry;
            *byte = sum.to_le_bytes()[0];
            carry = sum >> 8;
        }
        assert_eq!(key().public_key().verify(ALPHA, &proof), Err(VrfError::Proof));
    }

    #[test]
    fn seeds_give_different_keys_and_debug_shows_no_secret() {
        let (one, two) = (
            SecretKey::from_seed(&[1; 32]).unwrap(),
            SecretKey::from_seed(&[2; 32]).unwrap(),
        );
        assert_ne!(one.public_key(), two.public_key());
        assert_ne!(one.output(b"a"), one.output(b"b"));
        let (proof, output) = key().prove(ALPHA);
        let shown = format!("{:?} {proof:?} {output:?}", key());
        assert!(
            !shown.contains("3431c2") && shown.contains("Proof(…) Output(…)"),
            "{shown}"
        );
    }
}
