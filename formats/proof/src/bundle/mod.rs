//! The bundle: everything recorded about one person, with the proof that this is all of it.
//!
//! A receipt shows that an entry is there; only this shows that none is missing. Normative form: `docs/bundle.cddl`.
//!
//! ```text
//! file = "einsicht/bundle/v1\n" ‖ u32 length ‖ zlib(deterministic CBOR of Bundle, of that length)
//! ```
//!
//! # What is proved
//!
//! A person has in each period two open rows of numbers: exchanges and inspections. (The rows whose disclosure the law delays,
//! series 2 and 3, are not claimed; they will stand beside these two.) [`Bundle::verify`] checks, in this order:
//!
//! 1. **Beginning**: genesis and directory ([`Anchor`]). **Checkpoint**: signed by the log, quorum told.
//! 2. **Tree**: every entry of the bundle stands in that tree, by one proof that sends each hash once, and was written by whom
//!    the directory allows to.
//! 3. **Time**: the `map` entry is the last of the tree, or at most [`FRESH`] seconds older than what a quorum of witnesses
//!    states as its time. The claim is good as of [`Complete::as_of`], and nothing is said of what came later.
//! 4. **Periods**: in map 0, under the root in that `map` entry, the `begin` of each period is the one shown (so there is one
//!    VRF key), the period after the last has not begun (so no period is hidden), and a period is final exactly if its `final`
//!    entry is shown. A final period's root is the one in that entry, an open one's the one in the `map` entry. Of every period
//!    before the first one shown map 0 says that it is destroyed: nobody can tell any more whose its labels were. The claim
//!    is then "all since the first one's start" ([`Complete::since`]).
//! 5. **Numbers** 0 … n−1 of each row: the VRF proof gives the labels; the entry of phase 0 is there; outcome and preview are
//!    there or proved absent. (An inspection has one phase only.) The position is the number, so none can be skipped.
//! 6. **Nothing beyond**: the labels of `absence_set(n)` are proved absent. With the rule that a provider serves number i only
//!    when the chain of i stands in the log, no number ≥ n was ever served ([`record::label`] has the lemma).
//! 7. **Records**: each content, sealed again, has the SHA-256 that its entry committed to. A record that is shown sealed has it
//!    too, and by its header it had expired at that time: what can still be read is not withheld.
//!
//! Presence is proved by the tree, absence by the map; both as of the same `map` entry: an entry after it is refused.
//!
//! # What is not proved
//!
//! That a provider kept the rule of step 6 (its checks do), that nobody else wrote a label twice (auditing witnesses do), and
//! what stood in destroyed periods. The content is the person's own: the file holds the IDNr and all of it in clear.

mod complete;
mod error;
mod file;
mod numbers;
mod periods;
mod tree;
mod verify;

pub use crate::opening::FRESH;
pub use complete::{Complete, ProvedEntry, ProvedRecord};
pub use error::{BundleError, BundleFault, Place};

use record::{Idnr, Period, Phase, Series, Unsealed};
use serde::{Deserialize, Serialize};
use tlog::Hash;

use crate::opening::Anchor;

/// First line of a bundle file.
pub const FORMAT: &[u8] = b"einsicht/bundle/v1\n";

/// Whose entries, in which log, and the proof. `Debug` shows no person.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    /// Whose entries.
    pub idnr: Idnr,
    /// Proves the writers' rights.
    pub anchor: Anchor,
    /// The entries and the proof.
    pub proof: CompletenessProof,
}

/// The proof; `E` is what is told of each entry beside its index. Identity, which does not know the records, makes it with
/// nothing there (`()`), and the cockpit fills it in.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CompletenessProof<E = Disclosed> {
    /// The signed and cosigned checkpoint (c2sp.org/tlog-checkpoint).
    #[serde(with = "record::bytes")]
    pub checkpoint: Vec<u8>,
    /// [`tlog::merkle::inclusion_batch`] of all entries.
    #[serde(with = "record::bytes")]
    pub tree: Vec<Hash>,
    /// The `map` entry whose roots count.
    pub map: Placed,
    /// [`tlog::map::prove_lookups`] in map 0: begin and final of each period, the begin of the next, and `destroyed` of all
    /// before the first.
    #[serde(with = "record::bytes")]
    pub map0: Vec<u8>,
    /// The number of the first period: 1, or the first that is not destroyed.
    pub first: Period,
    /// The periods, one after the other.
    pub periods: Vec<PeriodProof<E>>,
}

/// A public entry that the proof rests on.
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
    /// Its `begin` entry: the VRF public key.
    pub begin: Placed,
    /// Its `final` entry, if it is final: the root for good.
    pub end: Option<Placed>,
    /// [`tlog::map::prove_lookups`] in its map: everything that is said to be absent.
    #[serde(with = "record::bytes")]
    pub map: Vec<u8>,
    /// Series 0.
    pub exchanges: SeriesProof<E>,
    /// Series 1.
    pub inspections: SeriesProof<E>,
}

/// One row of numbers.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeriesProof<E = Disclosed> {
    /// 0, 1, 2, …
    pub numbers: Vec<NumberProof<E>>,
    /// VRF proofs of [`record::label::absence_set`] of how many there are, in its order.
    #[serde(with = "record::bytes")]
    pub absent: Vec<[u8; 80]>,
}

/// One number.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NumberProof<E = Disclosed> {
    /// VRF proof of all its labels (c2sp.org/vrf-r255).
    #[serde(with = "record::bytes")]
    pub vrf_proof: [u8; 80],
    /// Phase 0: intent or void, inspection.
    pub intent: Item<E>,
    /// Phase 1, or absent.
    pub outcome: Option<Item<E>>,
    /// Phase 2, or absent.
    pub preview: Option<Item<E>>,
}

/// One entry of the person.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item<E = Disclosed> {
    /// Its index in the log.
    pub index: u64,
    /// What is told of it.
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

/// A record, as far as it can be read.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Record {
    /// What it says.
    Open(Box<Unsealed>),
    /// It has expired and its keys are destroyed: the sealed bytes, whose header says when it expired.
    Expired(#[serde(with = "record::bytes")] Vec<u8>),
}

impl<E> CompletenessProof<E> {
    /// Puts something else in the place of what is told of each entry.
    ///
    /// # Errors
    /// The first of `fill`.
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

    /// The numbers of the periods, in their order.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = (Period, &PeriodProof<E>)> {
        let number = |at: u32| Period(self.first.0.saturating_add(at));
        (0..).map(number).zip(&self.periods)
    }
}

impl<E> PeriodProof<E> {
    /// The rows that are claimed, in the order of their codes.
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
