//! Verification of many signatures under few keys. It takes a third of the time and returns the same verdicts.
//!
//! SPEC: RFC 8032 §5.1.7 in its cofactorless form. A signature (R, s) is valid for key A and message M when the
//! encoding of `[s]B − [k]A`, with k = SHA-512(R ‖ A ‖ M) mod ℓ, equals R. In addition s must be below ℓ
//! and R must not have small order.
//!
//! A general verifier learns A with the signature and spends most of its time on 253 doublings. A ledger has few
//! writers and verifies millions of signatures of each, so two parts of the work can be done in advance or jointly:
//!
//! * **Tables.** A product is the sum of one multiple for each digit of the scalar. [`Multiples`] holds all multiples
//!   of a key for digits of 8 bits, −128 … 127 (640 KiB), so a product takes 32 additions and no doubling. For
//!   the base point, which every signature uses, it holds the multiples for digits of 14 bits (24 MiB), so a product
//!   takes 19 additions.
//! * **One inversion.** Encoding a point needs a division. The divisions of many sums share one inversion
//!   ([`EdwardsPoint::compress_batch_alloc`]).
//!
//! The tables do not fit into the caches close to a core. The code therefore loads all 51 terms before it adds the
//! first, so that the loads overlap instead of stalling 51 additions. This saves a sixth of the time with 24 writers
//! and a quarter with 256. A key's table is computed when a directory names the key, because computing it at the
//! first signature would make that writer wait a millisecond. A directory with a hundred writers therefore costs the
//! ledger 64 MiB.
//!
//! **Each signature is verified independently.** No verdict depends on another signature. Batch verification, as
//! libraries offer it, combines signatures into one equation, which accepts signatures that a single verification
//! refuses. The sums here are exact for every key, including one with a small-order component. The tests compare the
//! verdicts with those of `ed25519-dalek`'s `verify_strict`, for honest and for crafted signatures.
//!
//! The code takes variable time, which is safe because keys, messages and signatures are public.

use std::sync::LazyLock;

use curve25519_dalek::constants::ED25519_BASEPOINT_POINT;
use curve25519_dalek::{EdwardsPoint, Scalar};
use sha2::{Digest as _, Sha512};

use super::{SignatureError, VerifyingKey, has_small_order};
use crate::id::WriterId;

static BASE: LazyLock<Multiples<14>> = LazyLock::new(|| Multiples::of(ED25519_BASEPOINT_POINT));

/// A writer's key with its table.
pub struct PreparedKey {
    key: VerifyingKey,
    id: WriterId,
    minus_key: Multiples<8>,
}

impl PreparedKey {
    /// Computes the table with 4096 point additions, which take about a millisecond. The first call also computes the
    /// table of the base point, which takes about 30 ms.
    #[must_use]
    pub fn new(key: VerifyingKey) -> Self {
        LazyLock::force(&BASE);
        Self {
            key,
            id: key.id(),
            minus_key: Multiples::of(-key.0.to_edwards()),
        }
    }

    /// The key.
    #[must_use]
    pub const fn key(&self) -> &VerifyingKey {
        &self.key
    }

    /// SHA-256 of the key.
    #[must_use]
    pub const fn id(&self) -> WriterId {
        self.id
    }

    /// Computes `[s]B − [k]A`, which must equal R; `None` if s is not below ℓ.
    fn expected(&self, message: &[u8], (r, s): (&[u8; 32], [u8; 32])) -> Option<EdwardsPoint> {
        let s = Option::<Scalar>::from(Scalar::from_canonical_bytes(s))?;
        let hash = Sha512::new()
            .chain_update(r)
            .chain_update(self.key.as_bytes())
            .chain_update(message);
        let k = Scalar::from_bytes_mod_order_wide(&hash.finalize().into());
        let mut terms = Terms::default();
        BASE.times(&s, &mut terms);
        self.minus_key.times(&k, &mut terms);
        Some(terms.sum())
    }
}

impl core::fmt::Debug for PreparedKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "PreparedKey({})", self.id)
    }
}

/// A signature to verify.
pub(crate) struct Claim<'a> {
    pub(crate) key: &'a PreparedKey,
    pub(crate) message: Vec<u8>,
    pub(crate) signature: [u8; 64],
}

impl Claim<'_> {
    fn r(&self) -> &[u8; 32] {
        let (r, _) = halves(&self.signature);
        r
    }

    fn expected(&self) -> Option<EdwardsPoint> {
        let (r, s) = halves(&self.signature);
        self.key.expected(&self.message, (r, *s))
    }
}

fn halves(signature: &[u8; 64]) -> (&[u8; 32], &[u8; 32]) {
    let (halves, _) = signature.as_chunks::<32>();
    (&halves[0], &halves[1])
}

/// Returns the verdict on each claim, in order. A claim of `None` is refused.
pub(crate) fn verify_each(claims: &[Option<Claim<'_>>]) -> Vec<Result<(), SignatureError>> {
    let mut verdicts = vec![Err(SignatureError); claims.len()];
    let (places, sums): (Vec<usize>, Vec<EdwardsPoint>) = claims
        .iter()
        .enumerate()
        .filter_map(|(place, claim)| Some((place, claim.as_ref()?.expected()?)))
        .unzip();
    for (place, bytes) in places.into_iter().zip(EdwardsPoint::compress_batch_alloc(&sums)) {
        let r = claims[place].as_ref().map(Claim::r);
        if r == Some(bytes.as_bytes()) && !has_small_order(bytes.as_bytes()) {
            verdicts[place] = Ok(());
        }
    }
    verdicts
}

/// Multiples of a point P for digits of `BITS` bits (at most 16): `[d · 2^(BITS · i)]P` at index
/// `2^(BITS − 1) · i + d − 1`.
struct Multiples<const BITS: u32>(Vec<EdwardsPoint>);

impl<const BITS: u32> Multiples<BITS> {
    /// The number of positive multiples for one digit: 1 … 2^(BITS − 1).
    const ROW: usize = 1 << (BITS - 1);

    fn of(point: EdwardsPoint) -> Self {
        let mut multiples = Vec::with_capacity(Self::ROW * Digits::<BITS>::COUNT);
        let mut unit = point;
        for _ in 0..Digits::<BITS>::COUNT {
            let mut multiple = unit;
            for _ in 1..Self::ROW {
                multiples.push(multiple);
                multiple += unit;
            }
            multiples.push(multiple);
            // `multiple` is now half of the digit's range. Twice that is the unit of the next digit.
            unit = multiple + multiple;
        }
        Self(multiples)
    }

    /// Adds the terms of `[scalar]P` to `terms`.
    fn times(&self, scalar: &Scalar, terms: &mut Terms) {
        for (row, digit) in self.0.chunks_exact(Self::ROW).zip(Digits::<BITS>::of(scalar)) {
            let size = usize::from(digit.unsigned_abs());
            match digit.signum() {
                1 => terms.plus.push(row[size - 1]),
                -1 => terms.minus.push(row[size - 1]),
                _ => {}
            }
        }
    }
}

/// The terms of a sum of points.
struct Terms {
    plus: Vec<EdwardsPoint>,
    minus: Vec<EdwardsPoint>,
}

impl Default for Terms {
    /// Allocates room for the digits of two scalars.
    fn default() -> Self {
        Self {
            plus: Vec::with_capacity(64),
            minus: Vec::with_capacity(64),
        }
    }
}

impl Terms {
    fn sum(&self) -> EdwardsPoint {
        let plus: EdwardsPoint = self.plus.iter().sum();
        self.minus.iter().fold(plus, |sum, term| sum - term)
    }
}

/// The digits of a scalar, which is below 2^253, in base 2^BITS from −2^(BITS − 1) to 2^(BITS − 1) − 1,
/// lowest first.
struct Digits<const BITS: u32> {
    /// The scalar, followed by zeros because the last digits may extend beyond it.
    bytes: [u8; 40],
    /// The number of digits that the iterator has returned.
    taken: usize,
    carry: u32,
}

impl<const BITS: u32> Digits<BITS> {
    /// Enough digits for 254 bits, so that the last digit absorbs the carry of the previous one and produces none.
    const COUNT: usize = 254_u32.div_ceil(BITS) as usize;

    fn of(scalar: &Scalar) -> Self {
        let mut bytes = [0; 40];
        bytes[..32].copy_from_slice(scalar.as_bytes());
        let (taken, carry) = (0, 0);
        Self { bytes, taken, carry }
    }
}

impl<const BITS: u32> Iterator for Digits<BITS> {
    type Item = i16;

    fn next(&mut self) -> Option<i16> {
        if self.taken == Self::COUNT {
            return None;
        }
        let bit = self.taken * BITS as usize;
        let window = self.bytes.get(bit / 8..)?.first_chunk()?;
        let value = (u32::from_le_bytes(*window) >> (bit % 8) & ((1 << BITS) - 1)) + self.carry;
        // The value is at most 2^BITS. From 2^(BITS − 1) on, the digit is smaller by 2^BITS and the carry
        // compensates.
        self.carry = u32::from(value >= 1 << (BITS - 1));
        self.taken += 1;
        let digit = i64::from(value) - (i64::from(self.carry) << BITS);
        i16::try_from(digit).ok()
    }
}

#[cfg(test)]
#[path = "prepared_tests.rs"]
mod tests;
