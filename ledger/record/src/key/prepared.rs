//! Verifying many signatures of few keys: a third of the work, the same verdicts.
//!
//! SPEC: RFC 8032 §5.1.7 in its cofactorless form. A signature (R, s) fits key A and message M when `[s]B − [k]A`, k =
//! SHA-512(R ‖ A ‖ M) mod ℓ, has the very bytes R. As everywhere here, s must be below ℓ, and R must not be of small order.
//!
//! A general verifier knows A only when it sees it, and spends most of its time on 253 doublings. A ledger has few writers and
//! meets each a million times, so two things are done ahead or together:
//!
//! * **Tables.** A product is a sum of one multiple for each six bits of the scalar: digits −32 … 31, 43 of them. All
//!   multiples `[d · 64^i]P` with 1 ≤ d ≤ 32 are kept ([`Multiples`], 215 KiB a key): 43 additions, no doubling.
//! * **One inversion.** Points become bytes by a division; the divisions of many sums share one inversion
//!   ([`EdwardsPoint::compress_batch_alloc`]).
//!
//! **Each signature is still verified for itself.** Nothing is combined: no verdict depends on a neighbour, as it does in
//! what libraries call batch verification, whose equation accepts signatures that a single verification refuses. The sums are
//! exact for every key, also for one with a small-order part. The tests compare verdicts with `ed25519-dalek`'s
//! `verify_strict`, honest and crafted.
//!
//! Everything here takes variable time: keys, messages and signatures are public.

use std::sync::LazyLock;

use curve25519_dalek::constants::ED25519_BASEPOINT_POINT;
use curve25519_dalek::{EdwardsPoint, Scalar};
use sha2::{Digest as _, Sha512};

use super::{SignatureError, WriterKey, has_small_order};
use crate::id::WriterId;

/// Bits of a digit.
const WINDOW: usize = 6;
/// Positive multiples for one digit: 1 … 32.
const MULTIPLES: usize = 1 << (WINDOW - 1);
/// Digits of a scalar below 2^253.
const DIGITS: usize = 43;

static BASE: LazyLock<Multiples> = LazyLock::new(|| Multiples::of(ED25519_BASEPOINT_POINT));

/// A writer's key with its table.
pub struct PreparedKey {
    key: WriterKey,
    id: WriterId,
    minus_key: Multiples,
}

impl PreparedKey {
    /// Computes the table: 1500 point additions, about half a millisecond.
    #[must_use]
    pub fn new(key: WriterKey) -> Self {
        Self {
            key,
            id: key.id(),
            minus_key: Multiples::of(-key.0.to_edwards()),
        }
    }

    /// The key.
    #[must_use]
    pub const fn key(&self) -> &WriterKey {
        &self.key
    }

    /// SHA-256 of the key.
    #[must_use]
    pub const fn id(&self) -> WriterId {
        self.id
    }

    /// `[s]B − [k]A`, which must be R; `None` if s is not below ℓ.
    fn expected(&self, message: &[u8], (r, s): (&[u8; 32], [u8; 32])) -> Option<EdwardsPoint> {
        let s = Option::<Scalar>::from(Scalar::from_canonical_bytes(s))?;
        let hash = Sha512::new()
            .chain_update(r)
            .chain_update(self.key.as_bytes())
            .chain_update(message);
        let k = Scalar::from_bytes_mod_order_wide(&hash.finalize().into());
        Some(BASE.times(&s) + self.minus_key.times(&k))
    }
}

impl core::fmt::Debug for PreparedKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "PreparedKey({})", self.id)
    }
}

/// A signature to be verified.
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

/// The verdict on each claim, in order; `None` is one that cannot fit.
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

/// `[d · 64^i]P` at `32 · i + d − 1`.
struct Multiples(Vec<EdwardsPoint>);

impl Multiples {
    fn of(point: EdwardsPoint) -> Self {
        let mut multiples = Vec::with_capacity(DIGITS * MULTIPLES);
        let mut unit = point;
        for _ in 0..DIGITS {
            let mut multiple = unit;
            for _ in 1..MULTIPLES {
                multiples.push(multiple);
                multiple += unit;
            }
            multiples.push(multiple);
            // 32 + 32 units are one of the next digit.
            unit = multiple + multiple;
        }
        Self(multiples)
    }

    /// `[scalar]P`.
    fn times(&self, scalar: &Scalar) -> EdwardsPoint {
        let mut sum = EdwardsPoint::default();
        for (row, digit) in self.0.chunks_exact(MULTIPLES).zip(digits(scalar)) {
            let size = usize::from(digit.unsigned_abs());
            match digit.signum() {
                1 => sum += &row[size - 1],
                -1 => sum -= &row[size - 1],
                _ => {}
            }
        }
        sum
    }
}

/// The scalar, which is below 2^253, in base 64 with digits −32 … 31, lowest first.
fn digits(scalar: &Scalar) -> [i8; DIGITS] {
    let bytes = scalar.as_bytes();
    let mut digits = [0; DIGITS];
    let mut carry = 0;
    for (place, digit) in digits.iter_mut().enumerate() {
        let (byte, bit) = (place * WINDOW / 8, place * WINDOW % 8);
        let high = bytes.get(byte + 1).copied().unwrap_or(0);
        let [window, _] = (u16::from_le_bytes([bytes[byte], high]) >> bit & 0x3f).to_le_bytes();
        // At most 64, which fits.
        let value = window as i8 + carry;
        carry = i8::from(value >= 32);
        *digit = value - 64 * carry;
    }
    digits
}

#[cfg(test)]
#[path = "prepared_tests.rs"]
mod tests;
