//! The bundle: everything recorded about one person, with the proof that nothing is missing.
//!
//! A receipt proves that an entry is in the log; only a bundle proves that no entry is missing. The normative form is
//! `docs/bundle.cddl`.
//!
//! ```text
//! file = "einsicht/bundle/v1\n" ‖ u32 length ‖ zlib(deterministic CBOR of Bundle, of that length)
//! ```
//!
//! # What is proved
//!
//! In each period, a person has two open series of numbers: exchanges and inspections. (A bundle makes no claim about
//! series 2 and 3, whose disclosure the law delays; later versions will add them.) [`Bundle::verify`] checks, in this
//! order:
//!
//! 1. **Anchor and checkpoint**: genesis and directory ([`Anchor`]) verify, and the log has signed the checkpoint. A
//!    missing quorum is reported and not an error.
//! 2. **Tree**: every entry of the bundle is in that tree, by one proof that contains each hash once, and its writer
//!    has the right to its kind by the directory in force at its index.
//! 3. **Time**: the `map` entry is the last entry of the tree, or at most [`MAX_MAP_AGE`] seconds older and at most
//!    [`MAX_MAP_LEAD`] seconds newer than the time that a quorum of witnesses states. The claim holds as of
//!    [`Complete::as_of`]; the bundle proves nothing about later entries.
//! 4. **Periods**: map 0, under the root in that `map` entry, shows that the `begin` of each period is the one in the
//!    bundle (so there is one VRF key), that the period after the last one has not begun (so no period is hidden), and
//!    that a period is final exactly if the bundle has its `final` entry. The root of a final period is in that entry,
//!    the root of an open one in the `map` entry. For every period before the first one of the bundle, map 0 shows that
//!    it is destroyed, so its labels cannot be attributed to a person any more. The claim is then "everything since the
//!    start of the first period" ([`Complete::since`]).
//! 5. **Numbers** 0 … n−1 of each series: the VRF proof gives the labels; the entry of phase 0 is present; outcome and
//!    preview are present and refer to it, or are proved absent. (An inspection has one phase only.) The position is
//!    the number, so none can be skipped.
//! 6. **Nothing beyond**: the labels of `absence_set(n)` are proved absent. A provider serves number i only when the
//!    chain of i is in the log, so no number ≥ n was ever served ([`record::label`] has the lemma).
//! 7. **Records**: each content, sealed again, has the SHA-256 to which its entry committed. So does a record that is
//!    shown sealed; its header must show that it had expired at that time, so that readable records cannot be withheld.
//!
//! The tree proves presence and the map proves absence, both as of the same `map` entry: an entry after it is refused.
//!
//! # What is not proved
//!
//! A bundle does not prove that providers kept the rule of step 6 (their checks enforce it), that no other writer has
//! used a label and that every outcome has the label that follows from its intent's (auditing witnesses check both),
//! and what was recorded in destroyed periods. The file contains the IDNr and all content in clear: it belongs to the
//! person alone.

mod complete;
mod error;
mod file;
mod numbers;
mod path;
mod periods;
mod tree;
mod verify;

pub use crate::opening::{MAX_MAP_AGE, MAX_MAP_LEAD};
pub use complete::{Complete, ProvedEntry, ProvedRecord};
pub use error::{BundleError, BundleFault, MAX_CONTENT, Place};
pub use path::EntryPath;

use record::{Idnr, Period, Phase, Series, Unsealed};
use serde::{Deserialize, Serialize};
use tlog::Hash;

use crate::opening::Anchor;

/// First line of a bundle file.
pub const FORMAT: &[u8] = b"einsicht/bundle/v1\n";

/// A person, the log and the proof. `Debug` does not show the person.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    /// The person whose entries these are.
    pub idnr: Idnr,
    /// Proves the log's origin and the writers' rights.
    pub anchor: Anchor,
    /// The entries and the proof.
    pub proof: CompletenessProof,
}

/// The proof; `E` is the content of each entry besides its index. Identity does not know the records, so it makes the
/// proof with `()`, and the cockpit fills in the content.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CompletenessProof<E = Disclosed> {
    /// The signed and cosigned checkpoint (c2sp.org/tlog-checkpoint).
    #[serde(with = "record::bytes")]
    pub checkpoint: Vec<u8>,
    /// [`tlog::merkle::inclusion_batch`] of all entries.
    #[serde(with = "record::bytes")]
    pub tree: Vec<Hash>,
    /// The `map` entry whose roots the proof uses.
    pub map: Placed,
    /// [`tlog::map::prove_lookups`] in map 0: `begin` and `final` of each period, `begin` of the next period, and
    /// `destroyed` of all periods before the first.
    #[serde(with = "record::bytes")]
    pub map0: Vec<u8>,
    /// The number of the first period: 1, or the first period that is not destroyed.
    pub first: Period,
    /// The periods, consecutive from the first.
    pub periods: Vec<PeriodProof<E>>,
}

/// A public entry on which the proof relies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Placed {
    /// Its index in the log.
    pub index: u64,
    /// Its bytes.
    #[serde(with = "record::bytes")]
    pub leaf: Vec<u8>,
}

/// One period.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeriodProof<E = Disclosed> {
    /// The period's `begin` entry, which contains the VRF public key.
    pub begin: Placed,
    /// The period's `final` entry if it is final, which contains the permanent root.
    pub end: Option<Placed>,
    /// [`tlog::map::prove_lookups`] in the period's map: every label that the bundle claims to be absent.
    #[serde(with = "record::bytes")]
    pub map: Vec<u8>,
    /// Series 0.
    pub exchanges: SeriesProof<E>,
    /// Series 1.
    pub inspections: SeriesProof<E>,
}

/// One series of numbers.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeriesProof<E = Disclosed> {
    /// The numbers 0, 1, 2, …
    pub numbers: Vec<NumberProof<E>>,
    /// VRF proofs of the numbers in [`record::label::absence_set`] of the length of `numbers`, in its order.
    #[serde(with = "record::bytes")]
    pub absent: Vec<[u8; 80]>,
}

/// One number.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NumberProof<E = Disclosed> {
    /// VRF proof of all labels of the number (c2sp.org/vrf-r255).
    #[serde(with = "record::bytes")]
    pub vrf_proof: [u8; 80],
    /// The entry of phase 0: an intent, a void or an inspection.
    pub intent: Item<E>,
    /// The entry of phase 1, if present.
    pub outcome: Option<Item<E>>,
    /// The entry of phase 2, if present.
    pub preview: Option<Item<E>>,
}

/// One entry of the person.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item<E = Disclosed> {
    /// Its index in the log.
    pub index: u64,
    /// Its content.
    pub content: E,
}

/// An entry with its record.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disclosed {
    /// The entry's bytes.
    #[serde(with = "record::bytes")]
    pub leaf: Vec<u8>,
    /// Its record.
    pub record: Record,
}

/// A record, opened or sealed.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Record {
    /// The opened parts of the record.
    Open(Box<Unsealed>),
    /// The sealed bytes of a record that has expired and whose keys are destroyed. The header has the expiry day.
    Expired(#[serde(with = "record::bytes")] Vec<u8>),
}

impl<E> CompletenessProof<E> {
    /// Replaces the content of each entry by the result of `fill`, which receives the entry's index and its content.
    ///
    /// # Errors
    /// The first error of `fill`.
    pub fn fill<T, X>(self, mut fill: impl FnMut(u64, E) -> Result<T, X>) -> Result<CompletenessProof<T>, X> {
        let periods = self.periods.into_iter().map(|period| {
            Ok(PeriodProof {
                begin: period.begin,
                end: period.end,
                map: period.map,
                exchanges: period.exchanges.fill(&mut fill)?,
                inspections: period.inspections.fill(&mut fill)?,
            })
        });
        Ok(CompletenessProof {
            periods: periods.collect::<Result<_, X>>()?,
            checkpoint: self.checkpoint,
            tree: self.tree,
            map: self.map,
            map0: self.map0,
            first: self.first,
        })
    }

    /// The periods with their numbers, in ascending order.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = (Period, &PeriodProof<E>)> {
        let number = |at: u32| Period(self.first.0.saturating_add(at));
        (0..).map(number).zip(&self.periods)
    }
}

impl<E> PeriodProof<E> {
    /// The series that the bundle covers, in the order of their codes.
    pub(crate) fn series(&self) -> [(Series, &SeriesProof<E>); 2] {
        [
            (Series::Exchanges, &self.exchanges),
            (Series::Inspections, &self.inspections),
        ]
    }
}

impl<E> NumberProof<E> {
    pub(crate) fn phases(&self) -> [(Phase, Option<&Item<E>>); 3] {
        [
            (Phase::Intent, Some(&self.intent)),
            (Phase::Outcome, self.outcome.as_ref()),
            (Phase::Preview, self.preview.as_ref()),
        ]
    }
}

impl<E> SeriesProof<E> {
    fn fill<T, X>(self, fill: &mut impl FnMut(u64, E) -> Result<T, X>) -> Result<SeriesProof<T>, X> {
        let mut item = |Item { index, content }| {
            Ok(Item {
                index,
                content: fill(index, content)?,
            })
        };
        let numbers = self.numbers.into_iter().map(|number| {
            Ok(NumberProof {
                vrf_proof: number.vrf_proof,
                intent: item(number.intent)?,
                outcome: number.outcome.map(&mut item).transpose()?,
                preview: number.preview.map(&mut item).transpose()?,
            })
        });
        Ok(SeriesProof {
            numbers: numbers.collect::<Result<_, X>>()?,
            absent: self.absent,
        })
    }
}

impl std::fmt::Debug for Bundle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Bundle(redacted)")
    }
}

impl<E> std::fmt::Debug for CompletenessProof<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CompletenessProof(redacted)")
    }
}
