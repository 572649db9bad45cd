//! Steps 1 and 3 of the module's documentation, and the order of all steps.

use record::{Body, Phase, Series, Timestamp};
use tlog::Hash;
use tlog::policy::{Policy, PolicyVerdict};

use super::Bundle;
use super::complete::{Complete, ProvedEntry};
use super::error::{BundleError, BundleFault, Place};
use super::numbers::PeriodContext;
use super::periods::{check_periods, root_of, since};
use super::tree::{InTree, Tree};
use crate::opening::{MAX_MAP_AGE, MAX_MAP_LEAD, ProvedAnchor};

impl Bundle {
    /// Verifies the whole bundle. `genesis` is the genesis hash, if the caller knows it from elsewhere.
    ///
    /// A missing quorum is not an error: see [`Complete::quorum`].
    ///
    /// # Errors
    /// [`BundleError`] for the first check that fails; then nothing is proved.
    pub fn verify(&self, policy: &Policy, genesis: Option<&Hash>) -> Result<Complete, BundleError> {
        let anchor = self.anchor.verify(policy, genesis).map_err(BundleError::Beginning)?;
        self.verify_under(policy, &anchor)
    }

    /// Verifies everything but the bundle's own anchor, under an anchor that the caller has verified, for a server that
    /// makes many bundles with one anchor.
    ///
    /// # Errors
    /// [`BundleError`] for the first check that fails; then nothing is proved.
    pub fn verify_under(&self, policy: &Policy, anchor: &ProvedAnchor) -> Result<Complete, BundleError> {
        let proof = &self.proof;
        let verdict = policy.verify_checkpoint(&proof.checkpoint)?;
        if verdict.checkpoint().origin != *anchor.origin() {
            return Err(BundleError::OtherLog);
        }
        if self.idnr.is_nobody() {
            return Err(BundleError::Nobody);
        }
        let tree = Tree::prove(proof, verdict.checkpoint(), anchor)?;
        let map = tree.entry(&proof.map, Place::MapEntry)?;
        let Body::Map { roots, .. } = &map.signed.entry().body else {
            return Err(Place::MapEntry.because(BundleFault::Kind));
        };
        let witnessed = verdict.quorum_time().map(Timestamp);
        let as_of = as_of(witnessed, &verdict, map)?;
        let last = check_periods(proof, roots, &tree)?;
        let mut entries = Vec::new();
        for (period, part) in proof.numbers() {
            let context = PeriodContext {
                idnr: &self.idnr,
                period,
                tree: &tree,
                before: map.index,
                witnessed,
            };
            entries.extend(context.check(part, &root_of(period, part.end.as_ref(), roots, &tree)?)?);
        }
        entries.sort_unstable_by_key(|entry| entry.index);
        let count = |series: Series| {
            let first = |entry: &&ProvedEntry| entry.series == series && entry.phase == Phase::Intent;
            entries.iter().filter(first).count()
        };
        Ok(Complete {
            as_of,
            quorum: verdict.quorum() && anchor.quorum(),
            periods: (proof.first, last),
            since: since(proof, &tree)?,
            exchanges: count(Series::Exchanges),
            inspections: count(Series::Inspections),
            entries,
            map: map.index,
            checkpoint: verdict.checkpoint().clone(),
            cosignatures: verdict.cosignatures().to_vec(),
        })
    }
}

/// SPEC design §5.3: "A reader accepts a `map` entry that is the last of the tree, or at most 60 s older than the
/// witnesses' time and at most 10 s ahead of it." The witnesses' time is the newest time that a whole quorum states.
/// When the policy requires no witness, or none has cosigned, only the log states a time, and the bundle is complete as
/// of the `map` entry's own time.
fn as_of(witnessed: Option<Timestamp>, verdict: &PolicyVerdict, map: &InTree) -> Result<Timestamp, BundleError> {
    let time = map.signed.entry().time;
    let Some(witnessed) = witnessed else {
        return Ok(time);
    };
    if verdict.checkpoint().size.last() == Some(map.index) {
        return Ok(witnessed);
    }
    let (age, lead) = (witnessed.since(time), time.since(witnessed));
    if age > MAX_MAP_AGE {
        return Err(Place::MapEntry.because(BundleFault::Stale(age)));
    }
    if lead > MAX_MAP_LEAD {
        return Err(Place::MapEntry.because(BundleFault::Ahead(lead)));
    }
    // A log whose clock is fast must not claim a time that no witness has confirmed.
    Ok(time.min(witnessed))
}
