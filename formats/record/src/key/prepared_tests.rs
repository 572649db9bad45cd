#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use curve25519_dalek::constants::EIGHT_TORSION;
use ed25519_dalek::Signature;
use proptest::prelude::*;

use super::*;

/// Returns the verdicts of both verifiers, which must equal that of `verify_strict`.
fn agreed(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    let writer = VerifyingKey::from_bytes(key).unwrap();
    let strict = ed25519_dalek::VerifyingKey::from_bytes(key)
        .unwrap()
        .verify_strict(message, &Signature::from_bytes(signature))
        .is_ok();
    assert_eq!(writer.verify(message, signature).is_ok(), strict);
    let prepared = PreparedKey::new(writer);
    let claim = |signature: [u8; 64]| {
        Some(Claim {
            key: &prepared,
            message: message.to_vec(),
            signature,
        })
    };
    let alone = verify_each(&[claim(*signature)]);
    assert_eq!(alone[0].is_ok(), strict);
    // Other claims beside it do not change the verdict.
    let among = verify_each(&[claim([0xff; 64]), None, claim(*signature), claim([1; 64])]);
    let among: Vec<bool> = among.iter().map(Result::is_ok).collect();
    assert_eq!(among, [false, false, strict, false]);
    strict
}

fn scalar(bytes: [u8; 32]) -> Scalar {
    Scalar::from_bytes_mod_order(bytes)
}

fn challenge(r: &[u8; 32], key: &[u8; 32], message: &[u8]) -> Scalar {
    let hash = Sha512::new().chain_update(r).chain_update(key).chain_update(message);
    Scalar::from_bytes_mod_order_wide(&hash.finalize().into())
}

fn joined(r: [u8; 32], s: [u8; 32]) -> [u8; 64] {
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(&r);
    signature[32..].copy_from_slice(&s);
    signature
}

/// s + ℓ: the same scalar in a non-canonical encoding.
fn plus_order(s: [u8; 32]) -> [u8; 32] {
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut sum = [0; 32];
    let mut carry = 0;
    for ((sum, left), right) in sum.iter_mut().zip(s).zip(ORDER) {
        let total = u16::from(left) + u16::from(right) + carry;
        [*sum, _] = total.to_le_bytes();
        carry = total >> 8;
    }
    sum
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn honest_and_damaged_signatures(
        seed: [u8; 32],
        message in prop::collection::vec(any::<u8>(), 0..400),
        byte in 0usize..64,
        bit in 0u8..8,
    ) {
        let signer = super::super::SigningKey::from_seed(seed);
        let key = *signer.public().as_bytes();
        let signature = signer.sign_bytes(&message);
        prop_assert!(agreed(&key, &message, &signature));
        let mut damaged = signature;
        damaged[byte] ^= 1 << bit;
        prop_assert!(!agreed(&key, &message, &damaged));
        let (r, s) = halves(&signature);
        prop_assert!(!agreed(&key, &message, &joined(*r, plus_order(*s))));
        let mut other = message.clone();
        other.push(0);
        prop_assert!(!agreed(&key, &other, &signature));
    }

    /// Signers that add small-order components to their key and to R. Some of these signatures are valid because the
    /// components cancel.
    #[test]
    fn crafted_signatures(secret: [u8; 32], nonce: [u8; 32], in_key in 0usize..8, in_r in 0usize..8) {
        let (secret, nonce) = (scalar(secret), scalar(nonce));
        let key = (EdwardsPoint::mul_base(&secret) + EIGHT_TORSION[in_key]).compress().to_bytes();
        prop_assume!(VerifyingKey::from_bytes(&key).is_ok());
        let r = (EdwardsPoint::mul_base(&nonce) + EIGHT_TORSION[in_r]).compress().to_bytes();
        for message in 0u8..8 {
            let s = nonce + challenge(&r, &key, &[message]) * secret;
            agreed(&key, &[message], &joined(r, s.to_bytes()));
        }
    }
}

/// R of small order with s chosen so that the equation holds. `verify` accepts some of these signatures,
/// `verify_strict` none.
#[test]
fn small_order_r_is_refused_though_the_equation_holds() {
    let secret = scalar([7; 32]);
    let mut fitting = 0;
    for torsion in EIGHT_TORSION {
        for in_key in EIGHT_TORSION {
            let key = (EdwardsPoint::mul_base(&secret) + in_key).compress().to_bytes();
            let r = torsion.compress().to_bytes();
            for message in 0u8..16 {
                let s = challenge(&r, &key, &[message]) * secret;
                let signature = joined(r, s.to_bytes());
                let lax = ed25519_dalek::Verifier::verify(
                    &ed25519_dalek::VerifyingKey::from_bytes(&key).unwrap(),
                    &[message],
                    &Signature::from_bytes(&signature),
                );
                fitting += u32::from(lax.is_ok());
                assert!(!agreed(&key, &[message], &signature));
            }
        }
    }
    assert!(fitting > 50, "{fitting}");
}

/// R in encodings that decompress but are not canonical.
#[test]
fn non_canonical_r_is_refused() {
    let key = *super::super::SigningKey::from_seed([7; 32]).public().as_bytes();
    for low in 0xed..=0xffu8 {
        for high in [0x7f, 0xff] {
            let mut r = [0xff; 32];
            (r[0], r[31]) = (low, high);
            assert!(!agreed(&key, b"message", &joined(r, [0; 32])));
        }
    }
}

#[test]
fn the_digits_add_up_to_the_scalar() {
    let edges = [
        Scalar::ZERO,
        Scalar::ONE,
        -Scalar::ONE,
        scalar([0x20; 32]),
        scalar([0x1f; 32]),
        scalar([0xff; 32]),
    ];
    for scalar in edges {
        made_of_digits::<5>(&scalar);
        made_of_digits::<8>(&scalar);
        made_of_digits::<14>(&scalar);
        made_of_digits::<16>(&scalar);
        let mut terms = Terms::default();
        BASE.times(&scalar, &mut terms);
        assert_eq!(terms.sum(), EdwardsPoint::mul_base(&scalar));
    }
}

fn made_of_digits<const BITS: u32>(scalar: &Scalar) {
    let digits: Vec<i16> = Digits::<BITS>::of(scalar).collect();
    assert_eq!(digits.len(), Digits::<BITS>::COUNT);
    let value = digits.iter().rev().fold(Scalar::ZERO, |sum, digit| {
        let size = Scalar::from(u64::from(digit.unsigned_abs()));
        sum * Scalar::from(1u64 << BITS) + if *digit < 0 { -size } else { size }
    });
    assert_eq!(value, *scalar);
}
