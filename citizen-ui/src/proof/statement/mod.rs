//! What one request brings ([`PageProof`]), and what it proves ([`ProvedList`]).
//!
//! The browser's program asks once for each page. The answer is the same for every page of a session, so the program
//! can tell for any filter and page which rows there must be, and for any access what its page must say.
//!
//! ```text
//! bundle  ─▶ all entries up to its map entry, and that there are no others   (proof::bundle)
//! later   ─▶ entries of the list that are newer, each by its opening         (proof::opening)
//! both    ─▶ accesses, newest first                                          (Access::of)
//! ```

use std::collections::BTreeMap;

use proof::bundle::{Bundle, Complete, EntryPath, ProvedEntry, ProvedRecord};
use proof::opening::{Opening, ProvedAnchor};
use record::{Idnr, Kind, Period, Phase, Series};
use serde::{Deserialize, Serialize};
use tlog::Hash;
use tlog::checkpoint::Checkpoint;
use tlog::policy::Policy;

use crate::proof::access::{Access, EntryStamp, OpenedEntry};
use crate::proof::complete::{self, Claim};
use crate::proof::verify::{Failure, Trust, TrustText, failure_of};
use crate::sorted::{descending, sorted};

/// The most openings beside the bundle. More are newer than it only if the witnesses have stopped.
pub const MAX_LATER: usize = 64;

/// The answer to the one request of a page, as deterministic CBOR.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PageProof {
    /// The policy and genesis hash by which the server has checked.
    pub trust: TrustText,
    /// The proofs, or why the server has none. If it lies, the page is not proved.
    pub list: Result<ListProof, Failure>,
}

/// The proofs of all accesses of a person.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListProof {
    /// The bundle file.
    #[serde(with = "record::bytes")]
    pub bundle: Vec<u8>,
    /// Openings of the entries that are newer than the bundle, without an anchor: the bundle's reaches them.
    pub later: Vec<Opening>,
    /// The proof that the log has only grown since the size that the browser asked for.
    pub consistency: Option<Consistency>,
}

/// A consistency proof ([`tlog::merkle::consistency_proof`]) up to the bundle's checkpoint.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consistency {
    /// The hashes.
    #[serde(with = "record::bytes")]
    pub hashes: Vec<Hash>,
}

/// All accesses of a person, proved.
#[derive(Clone)]
pub struct ProvedList {
    /// The person to whom all labels belong.
    pub person: Idnr,
    /// The accesses, newest first.
    pub accesses: Vec<Access>,
    /// How many there are, and up to which time there are no others.
    pub claim: Claim,
    /// The checkpoint under which the bundle is proved.
    pub checkpoint: Checkpoint,
    /// How many witnesses have cosigned it.
    pub witnesses: usize,
    /// Whether the quorum has cosigned the entries that are newer than the bundle, too.
    pub quorum: bool,
    /// The bundle.
    pub bundle: Bundle,
}

impl ProvedList {
    /// The way of an entry to the root of the log. `None` for one that is newer than the bundle.
    pub fn path(&self, index: u64) -> Option<EntryPath> {
        self.bundle.path(index, &self.checkpoint)
    }
}

impl std::fmt::Debug for PageProof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PageProof(redacted)")
    }
}

impl std::fmt::Debug for ListProof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ListProof(redacted)")
    }
}

impl std::fmt::Debug for ProvedList {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProvedList")
            .field("claim", &self.claim)
            .finish_non_exhaustive()
    }
}

impl PageProof {
    /// Encodes the answer.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        record::cbor::to_vec(self)
    }

    /// Reads an answer.
    ///
    /// # Errors
    /// [`Failure::Form`] for any other bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, Failure> {
        record::cbor::from_slice(bytes).map_err(|_| Failure::Form)
    }
}

/// Verifies a bundle file and the openings of newer entries, and makes accesses of them.
///
/// # Errors
/// The first [`Failure`].
pub fn prove(file: &[u8], later: &[Opening], trust: &Trust) -> Result<ProvedList, Failure> {
    let bundle = Bundle::parse(file).map_err(|_| Failure::Form)?;
    let complete = bundle.verify(&trust.policy, Some(&trust.genesis));
    let mut verified = Verified::of(&bundle, complete.map_err(complete::failure)?)?;
    let quorum = verified.add_later(later, trust)?;
    let accesses = verified.accesses()?;
    let listed: Vec<Vec<u64>> = accesses.iter().map(Access::indices).collect();
    let complete = verified.complete;
    Ok(ProvedList {
        claim: complete::claim(&complete, &listed)?,
        person: bundle.idnr.clone(),
        accesses,
        witnesses: complete.cosignatures.len(),
        checkpoint: complete.checkpoint,
        quorum,
        bundle,
    })
}

/// Verifies a bundle under its anchor, which the caller has verified, compares it with `listed` ([`complete::claim`]),
/// and makes accesses of its entries. Listed entries that are newer than the bundle are not in the result, and remain
/// to be proved by their openings.
///
/// # Errors
/// The first [`Failure`]. [`Failure::Hidden`] means that the bundle leaves out an entry of the log, or the list leaves
/// out an entry of the bundle.
pub fn prove_listed(
    bundle: &Bundle,
    listed: &[Vec<u64>],
    policy: &Policy,
    anchor: &ProvedAnchor,
) -> Result<(Claim, Vec<Access>), Failure> {
    let complete = bundle.verify_under(policy, anchor).map_err(complete::failure)?;
    let mut verified = Verified::of(bundle, complete)?;
    let accesses = verified.accesses()?;
    Ok((complete::claim(&verified.complete, listed)?, accesses))
}

/// A bundle that has verified and that the quorum has cosigned, with its entries by number.
struct Verified<'a> {
    bundle: &'a Bundle,
    complete: Complete,
    numbers: Numbers,
}

impl<'a> Verified<'a> {
    fn of(bundle: &'a Bundle, complete: Complete) -> Result<Self, Failure> {
        if !complete.quorum {
            return Err(Failure::Witnesses);
        }
        let mut numbers = Numbers::default();
        for entry in &complete.entries {
            numbers.add((entry.period, entry.series, entry.number), entry.phase, opened(entry))?;
        }
        Ok(Self {
            bundle,
            complete,
            numbers,
        })
    }

    /// Takes the accesses, newest first.
    fn accesses(&mut self) -> Result<Vec<Access>, Failure> {
        let accesses = std::mem::take(&mut self.numbers).accesses()?;
        Ok(sorted(accesses, |access| descending(access.first().index)))
    }

    /// Adds the entries that are newer than the bundle. Returns whether the quorum has cosigned all of them.
    fn add_later(&mut self, later: &[Opening], trust: &Trust) -> Result<bool, Failure> {
        if later.is_empty() {
            return Ok(true);
        }
        if later.len() > MAX_LATER {
            return Err(Failure::Form);
        }
        let anchor = self.bundle.anchor.verify(&trust.policy, Some(&trust.genesis));
        let anchor = anchor.map_err(|_| Failure::Proof)?;
        let mut quorum = true;
        for opening in later {
            let of_person = opening.label_proof.as_ref().map(|label| &label.idnr);
            if of_person != Some(&self.bundle.idnr) {
                return Err(Failure::Entry);
            }
            let proved = opening.verify_under(&trust.policy, Some(&anchor)).map_err(failure_of)?;
            let person = proved.person.ok_or(Failure::Proof)?;
            if proved.index <= self.complete.map {
                return Err(Failure::Entry);
            }
            quorum &= proved.quorum;
            let phase = phase_of(proved.kind);
            let number = (person.period, person.series, person.number);
            self.numbers.add(number, phase, OpenedEntry::of(proved))?;
        }
        Ok(quorum)
    }
}

/// The entries by number and phase.
#[derive(Default)]
struct Numbers(BTreeMap<(Period, Series, u32), BTreeMap<Phase, OpenedEntry>>);

impl Numbers {
    fn add(&mut self, number: (Period, Series, u32), phase: Phase, entry: OpenedEntry) -> Result<(), Failure> {
        match self.0.entry(number).or_default().insert(phase, entry) {
            None => Ok(()),
            Some(_) => Err(Failure::Entry),
        }
    }

    fn accesses(self) -> Result<Vec<Access>, Failure> {
        let phases = self.0.into_values();
        let accesses = phases.map(|phases| Access::of(phases.into_values().collect()));
        accesses.collect::<Result<_, _>>().map_err(|_| Failure::Entry)
    }
}

fn phase_of(kind: Kind) -> Phase {
    match kind {
        Kind::Outcome => Phase::Outcome,
        Kind::Preview => Phase::Preview,
        _ => Phase::Intent,
    }
}

fn opened(entry: &ProvedEntry) -> OpenedEntry {
    let (shared, citizen) = match &entry.record {
        ProvedRecord::Open { shared, citizen } => (Some(shared.clone()), Some(citizen.clone())),
        ProvedRecord::Expired => (None, None),
    };
    OpenedEntry {
        stamp: EntryStamp {
            index: entry.index.get(),
            time: entry.time.seconds(),
        },
        kind: entry.kind,
        refers: entry.refers.map(|index| index.get()),
        shared,
        citizen,
        expiry: entry.expiry,
    }
}

#[cfg(test)]
mod tests;
