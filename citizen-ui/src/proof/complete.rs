//! The claim "these are all": compares a verified bundle with a list of accesses ([`crate::proof::statement`]).
//!
//! 1. [`proof::bundle`] proves which entries the citizen has, and that there are no others, as of a time.
//! 2. The witnesses' quorum has cosigned the checkpoint of the bundle.
//! 3. The list has every entry of the bundle, outcomes among them, and an outcome in the access of its intent. A page
//!    that leaves an outcome out would show a delivery as a request without an answer.
//!
//! The list may have accesses that are newer than the bundle. They are counted in [`Claim::later`] and proved one by
//! one; the bundle says nothing about further entries of that time.

use std::collections::{BTreeMap, BTreeSet};

use proof::bundle::{BundleError, BundleFault, Complete, ProvedEntry, ProvedRecord};
use proof::opening::WriterProblem;
use record::{Kind, Phase, SharedPart};
use serde::{Deserialize, Serialize};

use crate::proof::verify::Failure;

/// What a bundle proves about a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Number of requests for data, without the citizen's own, and of releases of base data.
    pub exchanges: usize,
    /// Number of requests that the citizen has caused. Those whose record has expired count as `exchanges`.
    pub own: usize,
    /// Number of inspections. Releases whose record has expired are among them.
    pub inspections: usize,
    /// Number of accesses of the kind "unused number": identity issued a number and the broker did not use it.
    pub unused: usize,
    /// POSIX seconds from which the list is complete. `None` means from the beginning of the log; otherwise the earlier
    /// periods are destroyed.
    pub since: Option<u64>,
    /// POSIX seconds up to which the list is complete.
    pub as_of: u64,
    /// Number of accesses in the list that are newer than `as_of`.
    pub later: usize,
}

/// The failure that the citizen reads about.
pub fn failure(error: BundleError) -> Failure {
    match error {
        BundleError::At {
            fault: BundleFault::Hidden(_),
            ..
        } => Failure::Hidden,
        BundleError::At {
            fault: BundleFault::Writer(WriterProblem::Beyond { .. }),
            ..
        } => Failure::Witnesses,
        BundleError::TooLong(_) => Failure::TooLong,
        _ => Failure::Proof,
    }
}

/// Compares a list with a verified bundle. `listed` has the log indices of the entries of each listed access, first
/// entry first.
pub(crate) fn claim(complete: &Complete, listed: &[Vec<u64>]) -> Result<Claim, Failure> {
    // `collect` would sort first, and the code for that is large in the browser's program.
    let mut proved = BTreeSet::new();
    proved.extend(complete.entries.iter().map(|entry| entry.index.get()));
    // Each listed entry, with the first entry of its access.
    let entries = listed
        .iter()
        .filter_map(|access| Some((*access.first()?, access)))
        .flat_map(|(first, access)| access.iter().map(move |index| (*index, first)));
    let mut shown = BTreeMap::new();
    shown.extend(entries);
    for entry in &complete.entries {
        let first = shown.get(&entry.index.get()).ok_or(Failure::Hidden)?;
        let closes = entry
            .refers
            .filter(|_| matches!(entry.kind, Kind::Outcome | Kind::Preview));
        if closes.is_some_and(|intent| intent.get() != *first) {
            return Err(Failure::Entry);
        }
    }
    // A listed entry that is not in the bundle must be newer than the bundle's map; otherwise it is not the citizen's.
    let newer = |index: &u64| proved.contains(index) || *index > complete.map.get();
    if !shown.keys().all(newer) {
        return Err(Failure::Entry);
    }
    let first_entries = || complete.entries.iter().filter(|entry| entry.phase == Phase::Intent);
    let count = |kind| first_entries().filter(|entry| entry.kind == kind).count();
    let own = first_entries().filter(|entry| is_own_request(entry)).count();
    let released = first_entries().filter(|entry| is_release(entry)).count();
    let later = listed.iter().filter_map(|access| access.first());
    Ok(Claim {
        exchanges: count(Kind::Intent) - own + released,
        own,
        inspections: count(Kind::Inspection) - released,
        unused: count(Kind::Void),
        since: complete.since.map(|since| since.seconds()),
        as_of: complete.as_of.seconds(),
        later: later.filter(|first| !proved.contains(first)).count(),
    })
}

fn is_release(entry: &ProvedEntry) -> bool {
    let ProvedRecord::Open { shared, .. } = &entry.record else {
        return false;
    };
    entry.kind == Kind::Inspection && matches!(shared, SharedPart::Release(_))
}

fn is_own_request(entry: &ProvedEntry) -> bool {
    let ProvedRecord::Open { shared, .. } = &entry.record else {
        return false;
    };
    matches!(shared, SharedPart::Exchange(record) if entry.kind == Kind::Intent && record.why.is_own_request())
}
