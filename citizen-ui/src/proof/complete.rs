//! "These are all": the bundle checked, and compared with the list that is shown.
//!
//! The same steps on the server and in the browser: (1) [`proof::bundle`] proves which entries there are and that there are no
//! others, as of a time; (2) the quorum of witnesses stands behind it; (3) the list has every one of them. Entries of the list
//! that came after that time are counted: they are proved one by one, and what else came after it is not known.

use std::collections::BTreeSet;

use proof::bundle::{Bundle, BundleError, BundleFault, Complete};
use record::{Kind, Phase};
use serde::{Deserialize, Serialize};

use crate::proof::verify::{Failure, Trust};

/// What may be claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Requests for data.
    pub exchanges: usize,
    /// How often the list was opened.
    pub inspections: usize,
    /// Numbers that were given out and not used.
    pub unused: usize,
    /// POSIX seconds since when these are all, if not since the log began: what was before is erased.
    pub since: Option<u64>,
    /// POSIX seconds as of which these are all.
    pub as_of: u64,
    /// Accesses in the list that came later.
    pub later: usize,
}

/// How far it is proved that nothing is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Completeness {
    /// There is no proof yet: the witnesses have not confirmed any state of the log.
    Absent,
    /// This browser is checking.
    Pending,
    /// This browser has proved it.
    Browser(Claim),
    /// The server has proved it.
    Server(Claim),
    /// Not proved.
    Failed(Failure),
}

/// Checks a bundle file against the accesses that are listed, each by its first entry.
///
/// # Errors
/// The first [`Failure`]; [`Failure::Hidden`] when the bundle leaves out what stands in the log, or the list what stands in the
/// bundle.
pub fn check(file: &[u8], listed: &[u64], trust: &Trust) -> Result<Claim, Failure> {
    let bundle = Bundle::parse(file).map_err(|_| Failure::Form)?;
    let complete = bundle.verify(&trust.policy, Some(&trust.genesis)).map_err(failure)?;
    if !complete.quorum {
        return Err(Failure::Witnesses);
    }
    claim(&complete, listed)
}

fn failure(error: BundleError) -> Failure {
    match error {
        BundleError::At {
            fault: BundleFault::Hidden(_),
            ..
        } => Failure::Hidden,
        _ => Failure::Proof,
    }
}

fn claim(complete: &Complete, listed: &[u64]) -> Result<Claim, Failure> {
    let first_entries = || complete.entries.iter().filter(|entry| entry.phase == Phase::Intent);
    let listed: BTreeSet<u64> = listed.iter().copied().collect();
    let proved: BTreeSet<u64> = first_entries().map(|entry| entry.index.get()).collect();
    if !proved.is_subset(&listed) {
        return Err(Failure::Hidden);
    }
    // What is listed and not in the bundle came after its map, or the list shows what is not the reader's.
    let later = listed.difference(&proved);
    if later.clone().any(|index| *index < complete.map.get()) {
        return Err(Failure::Entry);
    }
    let count = |kind| first_entries().filter(|entry| entry.kind == kind).count();
    Ok(Claim {
        exchanges: count(Kind::Intent),
        inspections: count(Kind::Inspection),
        unused: count(Kind::Void),
        since: complete.since.map(|since| since.seconds()),
        as_of: complete.as_of.seconds(),
        later: later.count(),
    })
}
