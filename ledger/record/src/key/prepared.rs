//! Verifying many signatures of few keys: a third of the work, the same verdicts.
//!
//! SPEC: RFC 8032 §5.1.7 in its cofactorless form. A signature (R, s) fits key A and message M when `[s]B − [k]A`, k =
//! SHA-512(R ‖ A ‖ M) mod ℓ, has the very bytes R. As everywhere here, s must be below ℓ, and R must not be of small order.
//!
//! A general verifier knows A only when it sees it, and spends most of its time on 253 doublings. A ledger has few writers and
//! meets each a million times, so two things are done ahead or together:
//!
//! * **Tables.** A product is a sum of one multiple for each byte of the scalar: digits −128 … 127, 32 of them. All
//!   multiples `[d · 256^i]P` with 1 ≤ d ≤ 128 are kept ([`Multiples`], 640 KiB a key): 32 additions, no doubling.
//! * **One inversion.** Points become bytes by a division; the divisions of many sums share one inversion
//!   ([`EdwardsPoint::compress_batch_alloc`]).
//!
//! The tables of many writers fit no near cache. So all 64 terms are fetched before the first is added: the fetches overlap, while
//! an addition that waited for its own would wait 64 times. With 24 writers this is worth a sixth of the time, with 256 a quarter.
//! A key's table is made when a directory names it, not when its first signature comes: a millisecond then is one that a writer waits.
//! So a directory with a hundred writers costs the ledger 64 MiB.
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

/// Digits of a scalar: its bytes.
const DIGITS: usize = 32;
/// Positive multiples for one digit: 1 … 128.
const MULTIPLES: usize = 128;

static BASE: LazyLock<Multiples> = LazyLock::new(|| Multiples::of(ED25519_BASEPOINT_POINT));

/// A writer's key with its table.
pub struct PreparedKey {
    key: WriterKey,
    id: WriterId,
    minus_key: Multiples,
}

impl PreparedKey {
    /// Computes the table: 4096 point additions, about a millisecond.
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

/// `[d · 256^i]P` at `128 · i + d − 1`.
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
            // 128 + 128 units are one of the next digit.
            unit = multiple + multiple;
        }
        Self(multiples)
    }

    /// The terms of `[scalar]P`.
    fn times(&self, scalar: &Scalar, terms: &mut Terms) {
        for (row, digit) in self.0.chunks_exact(MULTIPLES).zip(digits(scalar)) {
            let size = usize::from(digit.unsigned_abs());
            match digit.signum() {
                1 => terms.plus.push(row[size - 1]),
                -1 => terms.minus.push(row[size - 1]),
                _ => {}
            }
        }
    }
}

/// What a sum consists of.
struct Terms {
    plus: Vec<EdwardsPoint>,
    minus: Vec<EdwardsPoint>,
}

impl Default for Terms {
    /// With room for the digits of two scalars.
    fn default() -> Self {
        Self {
            plus: Vec::with_capacity(2 * DIGITS),
            minus: Vec::with_capacity(2 * DIGITS),
        }
    }
}

impl Terms {
    fn sum(&self) -> EdwardsPoint {
        let plus: EdwardsPoint = self.plus.iter().sum();
        self.minus.iter().fold(plus, |sum, term| sum - term)
    }
}

/// The scalar, which is below 2^253, in base 256 with digits −128 … 127, lowest first.
fn digits(scalar: &Scalar) -> [i8; DIGITS] {
    let mut carry = 0;
    scalar.to_bytes().map(|byte| {
        // At most 256. From 128 on the digit is 256 less, which the next one makes up for; the last byte is at most 0x1f.
        let value = u16::from(byte) + carry;
        carry = u16::from(value >= 128);
        let [digit, _] = value.to_le_bytes();
        digit.cast_signed()
    })
}

#[cfg(test)]
#[path = "prepared_tests.rs"]
mod tests;
