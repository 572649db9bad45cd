//! Labels, and the set of labels whose absence proves that nothing is missing (design §5.1, §5.6).
//!
//! ```text
//! alpha = "einsicht/label/v1" ‖ 0x00 ‖ IDNr (11 ASCII digits) ‖ u32 period ‖ u8 series ‖ u32 i   big endian
//! beta  = VRF(secret of the period, alpha)                                                          64 bytes
//! intent label  = HKDF-SHA256(beta, no salt, info = "einsicht/label/v1" ‖ u8 0)                     32 bytes
//! later label   = SHA-256("einsicht/label/v1" ‖ 0x00 ‖ u8 phase ‖ intent label)     outcome 1, preview 2
//! ```
//!
//! # Why later labels follow from the intent's
//!
//! Outcome and preview refer to their intent in public, so their labels need not hide to which intent they belong. As
//! anyone can compute these labels, the ledger, every auditor and both connectors check them ([`of_phase`]). So a
//! broker cannot record an outcome under a label that its person never finds.
//!
//! # Why few absences prove completeness
//!
//! A provider serves number i only when the log contains the labels of the number's [`chain`]: i rounded down to the
//! multiples of 2, 4, 8, 16, 64, 256, 1024 and 4096, and 1, 4, 16 and 64 if they are smaller than i. A citizen who sees
//! the numbers 0 … n−1 receives proofs that the log does *not* contain the labels of [`absence_set`]`(n)`. Lemma: for
//! every i ≥ n, the set contains i itself or a member of its chain. An exchange that was served and is hidden would
//! therefore need a label that is proved absent. The tests check the lemma for all n and i below 4096.
//!
//! Most people have few exchanges in a period, and a citizen's list spans two years. So the small numbers decide what a
//! list costs. The four fixed numbers end the absence set early: it has one or two members for n ≤ 4, and at most four
//! for n ≤ 16. The coarse steps above 16 keep a chain at twelve numbers, because a provider verifies all of it.

use tlog::{Hash, vrf};

use crate::id::{COUNTERS, Label, Period, Phase, Series};
use crate::idnr::Idnr;
use crate::kdf::hkdf;

const DOMAIN: &[u8] = b"einsicht/label/v1";

/// The VRF's input for one number of a person.
///
/// `number` is below 4096 for a person ([`crate::Counter`]). For "nobody" it can be any number (design §5.5).
#[must_use]
pub fn alpha(idnr: &Idnr, period: Period, series: Series, number: u32) -> Vec<u8> {
    let mut alpha = Vec::with_capacity(DOMAIN.len() + 21);
    alpha.extend_from_slice(DOMAIN);
    alpha.push(0);
    alpha.extend_from_slice(idnr.expose().as_bytes());
    alpha.extend_from_slice(&period.0.to_be_bytes());
    alpha.push(series.code());
    alpha.extend_from_slice(&number.to_be_bytes());
    alpha
}

/// Derives the label of a phase from a VRF output.
#[must_use]
pub fn label(beta: &vrf::Output, phase: Phase) -> Label {
    derive(beta.as_bytes(), phase)
}

fn derive(beta: &[u8; 64], phase: Phase) -> Label {
    let intent = Label(hkdf(None, beta, &[DOMAIN, &[Phase::Intent.code()]]));
    of_phase(&intent, phase)
}

/// The label of a phase of the exchange whose intent has the label `intent`.
#[must_use]
pub fn of_phase(intent: &Label, phase: Phase) -> Label {
    match phase {
        Phase::Intent => *intent,
        Phase::Outcome | Phase::Preview => Label(Hash::of(&[DOMAIN, &[0, phase.code()], &intent.0].concat()).0),
    }
}

/// The steps to whose multiples a chain rounds its number down. Each divides the next one.
const STEPS: [u32; 9] = [1, 2, 4, 8, 16, 64, 256, 1024, COUNTERS];
/// The numbers that are in the chain of every larger one.
const LANDMARKS: [u32; 4] = [1, 4, 16, 64];
/// The length of the longest chain.
pub const MAX_CHAIN: usize = 12;

/// The numbers that must be in the log before `number` is served, in descending order: `number` rounded down to the
/// multiples of 2, 4, 8, 16, 64, 256, 1024 and 4096, and those of 1, 4, 16 and 64 that are smaller. The chain of 13 is
/// 12, 8, 4, 1, 0; the chain of 0 is empty. `number` is below 4096.
#[must_use]
pub fn chain(number: u32) -> Vec<u32> {
    let rounded = STEPS.iter().map(|step| number - number % step);
    let mut chain: Vec<u32> = rounded.chain(LANDMARKS).filter(|earlier| *earlier < number).collect();
    chain.sort_unstable_by(|a, b| b.cmp(a));
    chain.dedup();
    chain
}

/// The numbers whose absence proves that no number ≥ `n` is used, in ascending order. The set of 5 is 5, 6, 8, 16; the
/// set of 0 is 0; the set of 4096 (all numbers used) is empty. It has at most 15 members.
///
/// A number that is a multiple of a step is in the chains of all numbers up to its next multiple, so the set continues
/// there. It ends at a number that is in the chains of all larger ones.
#[must_use]
pub fn absence_set(n: u32) -> Vec<u32> {
    let mut absent = Vec::new();
    let mut next = n;
    while next < COUNTERS {
        absent.push(next);
        if LANDMARKS.contains(&next) {
            break;
        }
        next += STEPS
            .into_iter()
            .filter(|step| next.is_multiple_of(*step))
            .max()
            .unwrap_or(1);
    }
    absent
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::idnr::TestNumbers;

    #[test]
    fn alpha_has_fixed_positions() {
        let idnr = Idnr::parse("08214967384", TestNumbers::Allowed).unwrap();
        let alpha = alpha(&idnr, Period(0x0102_0304), Series::DelayedExchanges, 0x0506_0708);
        assert_eq!(
            alpha,
            *b"einsicht/label/v1\x0008214967384\x01\x02\x03\x04\x02\x05\x06\x07\x08"
        );
    }

    /// The expected values come from Python: for the intent HMAC-SHA256 applied twice, as in RFC 5869, and for the
    /// later phases `hashlib.sha256` of the intent's label.
    #[test]
    fn labels_match_the_vectors() {
        let beta = core::array::from_fn(|i| u8::try_from(i).unwrap());
        let expected = [
            (
                Phase::Intent,
                "7124aa4a3adad5438feeed962de30fb4e241e011fe705b43f0ddf446ba13cb1f",
            ),
            (
                Phase::Outcome,
                "3a9fa358ebe564275d86eb0b589c079b84622466f49614f9ed966fdbcd4b794b",
            ),
            (
                Phase::Preview,
                "bf87db6d9695e7608584fa7a9bf58642292257493f0c396808b8bf390048df16",
            ),
        ];
        for (phase, text) in expected {
            assert_eq!(derive(&beta, phase).to_string(), text);
        }
    }

    /// A holder of the IDNr can verify a label with the VRF proof, and every number, phase, series and period has its
    /// own label.
    #[test]
    fn labels_are_provable_and_distinct() {
        let secret = vrf::SecretKey::from_seed(&[1; 32]).unwrap();
        let idnr = Idnr::parse("08214967384", TestNumbers::Allowed).unwrap();
        let mut seen = std::collections::BTreeSet::new();
        for (period, series, number) in [
            (1, Series::Exchanges, 0),
            (1, Series::Exchanges, 1),
            (1, Series::Inspections, 0),
            (2, Series::Exchanges, 0),
        ] {
            let alpha = alpha(&idnr, Period(period), series, number);
            let (proof, output) = secret.prove(&alpha);
            let verified = secret.public_key().verify(&alpha, &proof).unwrap();
            let intent = label(&output, Phase::Intent);
            for phase in Phase::ALL {
                assert_eq!(label(&verified, phase), label(&output, phase));
                assert_eq!(of_phase(&intent, phase), label(&output, phase));
                assert!(seen.insert(label(&output, phase)));
            }
        }
    }

    #[test]
    fn chains_and_absence_sets_match_the_examples_of_the_design() {
        assert_eq!(chain(13), [12, 8, 4, 1, 0]);
        assert_eq!(chain(0), [0_u32; 0]);
        assert_eq!(chain(1), [0]);
        assert_eq!(chain(4095), [4094, 4092, 4088, 4080, 4032, 3840, 3072, 64, 16, 4, 1, 0]);
        assert_eq!(absence_set(0), [0]);
        assert_eq!(absence_set(1), [1]);
        assert_eq!(absence_set(3), [3, 4]);
        assert_eq!(absence_set(5), [5, 6, 8, 16]);
        assert_eq!(absence_set(17), [17, 18, 20, 24, 32, 48, 64]);
        assert_eq!(absence_set(4095), [4095]);
        assert_eq!(absence_set(4096), [0_u32; 0]);
    }

    /// The lemma of design §5.6, for all n and i < 4096: hiding an exchange needs a label that is proved absent. The
    /// honest case stays provable, because the set contains no number below n.
    #[test]
    fn lemma_every_hidden_number_needs_an_absent_one() {
        let chains: Vec<Vec<u32>> = (0..COUNTERS).map(|i| [vec![i], chain(i)].concat()).collect();
        for n in 0..COUNTERS {
            let mut absent = vec![false; COUNTERS as usize];
            for number in absence_set(n) {
                assert!((n..COUNTERS).contains(&number), "n = {n}: {number}");
                absent[number as usize] = true;
            }
            for (i, needed) in chains.iter().enumerate().skip(n as usize) {
                assert!(needed.iter().any(|number| absent[*number as usize]), "n = {n}, i = {i}");
            }
        }
    }

    #[test]
    fn chains_and_absence_sets_are_short() {
        for i in 1..COUNTERS {
            let chain = chain(i);
            assert!(chain.len() <= MAX_CHAIN);
            assert!(chain.windows(2).all(|pair| pair[0] > pair[1]) && chain[0] < i);
            assert_eq!(chain.last(), Some(&0));
        }
        let longest = |numbers: std::ops::RangeInclusive<u32>| numbers.map(|n| absence_set(n).len()).max();
        assert_eq!(longest(0..=4), Some(2));
        assert_eq!(longest(0..=16), Some(4));
        assert_eq!(longest(0..=COUNTERS), Some(15));
    }
}
