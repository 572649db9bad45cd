//! Step 4 of the module's documentation: the periods and the roots of their maps.

use record::{Body, Period, PeriodEvent, Timestamp, period_label};
use tlog::Hash;
use tlog::map::{Key, Value, verify_lookups};

use super::error::{BundleError, BundleFault, MAX_PERIODS, Place};
use super::tree::Tree;
use super::{CompletenessProof, Placed};

/// What map 0 must have for a key.
enum Expected {
    /// Exactly this value, or none.
    Exactly(Option<Value>),
    /// Any value.
    Something,
}

/// Checks the periods and returns the number of the last one.
pub(super) fn check_periods(
    proof: &CompletenessProof,
    roots: &[(Period, Hash)],
    tree: &Tree,
) -> Result<Period, BundleError> {
    let count = u32::try_from(proof.periods.len()).unwrap_or(u32::MAX);
    let next = proof.first.0.checked_add(count).filter(|next| *next <= MAX_PERIODS);
    let (Some(next), 1.., 1..) = (next, count, proof.first.0) else {
        return Err(Place::Periods.because(BundleFault::Count));
    };
    let mut expected: Vec<(Key, Place, Expected)> = Vec::new();
    let mut expect = |period, event, place, what| expected.push((period_label(period, event).0, place, what));
    for period in (Period::FIRST.0..proof.first.0).map(Period) {
        expect(
            period,
            PeriodEvent::DESTROYED,
            Place::Destroyed(period),
            Expected::Something,
        );
    }
    let exactly = |placed: Option<&Placed>, place| -> Result<Expected, BundleError> {
        let entry = placed.map(|placed| tree.entry(placed, place)).transpose()?;
        Ok(Expected::Exactly(entry.map(|entry| Value {
            index: entry.index,
            leaf: entry.signed.leaf_hash(),
        })))
    };
    for (period, part) in proof.numbers() {
        let place = Place::Begin(period);
        expect(period, PeriodEvent::BEGIN, place, exactly(Some(&part.begin), place)?);
        let place = Place::Final(period);
        expect(period, PeriodEvent::FINAL, place, exactly(part.end.as_ref(), place)?);
    }
    // The period after the last one must not have begun.
    let next = Period(next);
    expect(next, PeriodEvent::BEGIN, Place::Begin(next), Expected::Exactly(None));
    let keys: Vec<Key> = expected.iter().map(|(key, ..)| *key).collect();
    let root = find_root(roots, Period::MAP0).ok_or_else(|| Place::MapEntry.because(BundleFault::NoRoot))?;
    let found = verify_lookups(&root, &keys, &proof.map0).map_err(|error| Place::Map(Period::MAP0).because(error))?;
    for ((_, place, expected), found) in expected.into_iter().zip(found) {
        match expected {
            Expected::Exactly(shown) => compare(shown, found).map_err(|fault| place.because(fault))?,
            Expected::Something if found.is_some() => {}
            Expected::Something => return Err(place.because(BundleFault::NotDestroyed)),
        }
    }
    Ok(Period(next.0 - 1))
}

/// The start of the first period, or `None` when it is period 1.
pub(super) fn since(proof: &CompletenessProof, tree: &Tree) -> Result<Option<Timestamp>, BundleError> {
    let Some((period, part)) = proof.numbers().next().filter(|(period, _)| *period != Period::FIRST) else {
        return Ok(None);
    };
    let place = Place::Begin(period);
    match &tree.entry(&part.begin, place)?.signed.entry().body {
        Body::Period {
            event: PeriodEvent::Begin { start, .. },
            ..
        } => Ok(Some(*start)),
        _ => Err(place.because(BundleFault::Kind)),
    }
}

/// Compares the value that the bundle shows for a key with the value that the map has.
pub(super) fn compare(shown: Option<Value>, found: Option<Value>) -> Result<(), BundleFault> {
    match (shown, found) {
        (shown, found) if shown == found => Ok(()),
        (_, None) => Err(BundleFault::NotInMap),
        (None, Some(found)) => Err(BundleFault::Hidden(found.index.get())),
        (Some(_), Some(found)) => Err(BundleFault::OtherEntry(found.index.get())),
    }
}

fn find_root(roots: &[(Period, Hash)], wanted: Period) -> Option<Hash> {
    roots
        .iter()
        .find(|(period, _)| *period == wanted)
        .map(|(_, root)| *root)
}

/// The root of a period's map. `check_periods` has shown that the log has a `final` entry exactly if the bundle has
/// one.
pub(super) fn root_of(
    period: Period,
    end: Option<&Placed>,
    roots: &[(Period, Hash)],
    tree: &Tree,
) -> Result<Hash, BundleError> {
    let place = Place::Final(period);
    let Some(end) = end else {
        return find_root(roots, period).ok_or_else(|| Place::Map(period).because(BundleFault::NoRoot));
    };
    match &tree.entry(end, place)?.signed.entry().body {
        Body::Period {
            event: PeriodEvent::Final { root },
            ..
        } => Ok(*root),
        _ => Err(place.because(BundleFault::Kind)),
    }
}
