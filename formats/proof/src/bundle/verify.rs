//! Steps 1 to 4 of the manual: what the whole bundle rests on; then every period, and the verdict.

use std::collections::BTreeMap;

use record::{
    Body, CitizenPart, ExpiryDay, Kind, Period, PeriodEvent, Phase, Series, SharedPart, SignedEntry, Timestamp,
    period_label,
};
use tlog::Hash;
use tlog::checkpoint::Checkpoint;
use tlog::map::{Key, Value, verify_lookups};
use tlog::merkle::{Index, verify_inclusion_batch};
use tlog::policy::{Policy, PolicyVerdict, WitnessCosignature};

use super::error::MAX_PERIODS;
use super::numbers::PeriodContext;
use super::{Bundle, BundleError, BundleFault, CompletenessProof, Disclosed, Place, Placed};
use crate::opening::{FRESH, ProvedAnchor};

/// These are all. Only [`Bundle::verify`] makes one. `Debug` shows nothing of the records.
#[derive(Clone)]
#[non_exhaustive]
pub struct Complete {
    /// As of when: what came later is not known.
    pub as_of: Timestamp,
    /// Whether the policy's quorum has cosigned every checkpoint that the proof rests on.
    pub quorum: bool,
    /// The first period and the last.
    pub periods: (Period, Period),
    /// Since when, if not since the log began: all periods before are destroyed.
    pub since: Option<Timestamp>,
    /// How many exchanges there are, those included whose request was never sent (`void`).
    pub exchanges: usize,
    /// How often somebody has opened the records.
    pub inspections: usize,
    /// Every entry, ascending by index.
    pub entries: Vec<ProvedEntry>,
    /// The `map` entry that the absences are proved under.
    pub map: Index,
    /// The checkpoint.
    pub checkpoint: Checkpoint,
    /// Who has cosigned it.
    pub cosignatures: Vec<WitnessCosignature>,
}

/// One entry of the person.
#[derive(Clone)]
#[non_exhaustive]
pub struct ProvedEntry {
    /// Index of the entry in the log.
    pub index: Index,
    /// Its kind.
    pub kind: Kind,
    /// The writer's clock.
    pub time: Timestamp,
    /// The writer's name in the directory.
    pub writer: String,
    /// The entry it closes or is about.
    pub refers: Option<Index>,
    /// The period of its label.
    pub period: Period,
    /// The row.
    pub series: Series,
    /// The number in it.
    pub number: u32,
    /// Which of the number's entries.
    pub phase: Phase,
    /// What its record says.
    pub record: ProvedRecord,
}

/// A record that is the one which was recorded.
#[derive(Clone)]
pub enum ProvedRecord {
    /// It could be opened.
    Open {
        /// The part for both parties, citizen and supervision.
        shared: SharedPart,
        /// The citizen's part.
        citizen: CitizenPart,
    },
    /// It expired at the end of this day, and nobody can open it any more.
    Expired(ExpiryDay),
}

impl std::fmt::Debug for Complete {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Complete")
            .field("as_of", &self.as_of)
            .field("map", &self.map)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for ProvedEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProvedEntry")
            .field("index", &self.index)
            .finish_non_exhaustive()
    }
}

impl Bundle {
    /// Verifies everything. `genesis`: the genesis hash if it is known from elsewhere.
    ///
    /// A missing quorum is no error: see [`Complete::quorum`].
    ///
    /// # Errors
    /// [`BundleError`], at the first thing that is wrong; then nothing is proved.
    pub fn verify(&self, policy: &Policy, genesis: Option<&Hash>) -> Result<Complete, BundleError> {
        let anchor = self.anchor.verify(policy, genesis).map_err(BundleError::Beginning)?;
        let proof = &self.proof;
        let verdict = policy.verify_checkpoint(&proof.checkpoint)?;
        if verdict.checkpoint().origin != *anchor.origin() {
            return Err(BundleError::OtherLog);
        }
        if self.idnr.is_nobody() {
            return Err(BundleError::Nobody);
        }
        let tree = Tree::prove(proof, verdict.checkpoint(), &anchor)?;
        let map = tree.entry(&proof.map, Place::MapEntry)?;
        let Body::Map { roots } = &map.signed.entry().body else {
            return Err(Place::MapEntry.because(BundleFault::Kind));
        };
        let as_of = as_of(policy, &verdict, map)?;
        let last = check_periods(proof, roots, &tree)?;
        let mut entries = Vec::new();
        for (period, part) in proof.numbers() {
            let context = PeriodContext {
                idnr: &self.idnr,
                period,
                tree: &tree,
                before: map.index,
                as_of,
            };
            entries.extend(context.check(part, &root_of(period, part.end.as_ref(), roots, &tree)?)?);
        }
        entries.sort_by_key(|entry| entry.index);
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

/// An entry that stands in the tree, written by whom the directory allows to.
pub(super) struct InTree {
    pub(super) index: Index,
    pub(super) signed: SignedEntry,
    pub(super) writer: String,
}

/// All entries of a bundle, proved to stand in one tree.
pub(super) struct Tree(BTreeMap<u64, InTree>);

impl Tree {
    fn prove(proof: &CompletenessProof, checkpoint: &Checkpoint, anchor: &ProvedAnchor) -> Result<Self, BundleError> {
        let mut entries = BTreeMap::new();
        for (place, index, leaf) in placed(proof) {
            let signed = SignedEntry::parse(leaf).map_err(|_| place.because(BundleFault::Entry))?;
            let writer = anchor
                .writer_of(&signed)
                .map_err(|error| place.because(BundleFault::Writer(error)))?;
            let entry = InTree {
                index: Index::new(index).map_err(|_| place.because(BundleFault::Entry))?,
                writer: writer.to_owned(),
                signed,
            };
            if entries.insert(index, entry).is_some() {
                return Err(place.because(BundleFault::Twice(index)));
            }
        }
        let leaves: Vec<(Index, Hash)> = entries
            .values()
            .map(|entry| (entry.index, entry.signed.leaf_hash()))
            .collect();
        verify_inclusion_batch(&leaves, checkpoint.size, &proof.tree, &checkpoint.root)
            .map_err(|error| Place::Tree.because(error))?;
        Ok(Self(entries))
    }

    /// The entry at an index. Every index that stands in the bundle is here.
    pub(super) fn get(&self, index: u64, place: Place) -> Result<&InTree, BundleError> {
        self.0.get(&index).ok_or_else(|| place.because(BundleFault::Entry))
    }

    fn entry(&self, placed: &Placed, place: Place) -> Result<&InTree, BundleError> {
        self.get(placed.index, place)
    }
}

/// Every entry of the bundle: where it stands in it, its index and its bytes.
fn placed(proof: &CompletenessProof) -> Vec<(Place, u64, &[u8])> {
    let mut all = vec![(Place::MapEntry, proof.map.index, proof.map.leaf.as_slice())];
    for (period, part) in proof.numbers() {
        all.push((Place::Begin(period), part.begin.index, &part.begin.leaf));
        all.extend(
            part.end
                .iter()
                .map(|end| (Place::Final(period), end.index, end.leaf.as_slice())),
        );
        for (series, row) in part.series() {
            for (number, shown) in (0..).zip(&row.numbers) {
                all.extend(shown.phases().into_iter().filter_map(|(phase, item)| {
                    let item = item?;
                    let Disclosed { leaf, .. } = &item.content;
                    Some((
                        Place::Number(period, series, number, phase),
                        item.index,
                        leaf.as_slice(),
                    ))
                }));
            }
        }
    }
    all
}

/// SPEC design §5.3: "A reader accepts a `map` entry that is the last of the tree, or at most 60 s older than the witnesses'
/// time." The witnesses' time is the newest that a whole quorum states. Where the policy asks for no witness, or none has
/// cosigned, nobody but the log states a time, and the map entry's own is the one that is claimed.
fn as_of(policy: &Policy, verdict: &PolicyVerdict, map: &InTree) -> Result<Timestamp, BundleError> {
    let time = map.signed.entry().time;
    let Some(witnessed) = quorum_time(policy, verdict) else {
        return Ok(time);
    };
    if verdict.checkpoint().size.last() == Some(map.index) {
        return Ok(Timestamp(witnessed));
    }
    let age = witnessed.saturating_sub(time.0);
    if age > FRESH {
        return Err(Place::MapEntry.because(BundleFault::Stale(age)));
    }
    // A log whose clock is ahead may not claim a time that nobody has confirmed.
    Ok(Timestamp(time.0.min(witnessed)))
}

/// The newest time T such that the cosignatures from T on are a quorum.
fn quorum_time(policy: &Policy, verdict: &PolicyVerdict) -> Option<u64> {
    let stated = |name: &str| {
        let line = verdict.cosignatures().iter().find(|line| line.witness == name);
        line.map(|line| line.timestamp)
    };
    let mut times: Vec<u64> = verdict.cosignatures().iter().map(|line| line.timestamp).collect();
    times.sort_unstable();
    times
        .into_iter()
        .rev()
        .find(|from| policy.quorum_satisfied(|witness| stated(&witness.name).is_some_and(|time| time >= *from)))
}

/// What must stand in one place of map 0.
enum Expected {
    /// This, or nothing.
    Exactly(Option<Value>),
    /// An entry, whichever.
    Something,
}

/// Step 4 of the manual; gives the last period.
fn check_periods(proof: &CompletenessProof, roots: &[(Period, Hash)], tree: &Tree) -> Result<Period, BundleError> {
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
    // Also of the period after the last: there must be none.
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

/// When the first period started, if there were others before it.
fn since(proof: &CompletenessProof, tree: &Tree) -> Result<Option<Timestamp>, BundleError> {
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

/// What the bundle shows in one place of a map, against what is there.
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

/// The root of a period's map. Step 4 has shown that there is a `final` entry exactly if one is in the bundle.
fn root_of(period: Period, end: Option<&Placed>, roots: &[(Period, Hash)], tree: &Tree) -> Result<Hash, BundleError> {
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
