//! The maps of labels, at two positions of the log: the last entry, and the last published `map` entry.
//!
//! Other parties accept a proof only under a root that they can all see: the root in a `map` entry under a checkpoint
//! that the witnesses have cosigned. The maps are therefore exactly as of the last such `map` entry. Later labels
//! wait: they are found by [`Maps::find`], and enter the maps when the next published checkpoint has a newer `map`
//! entry. On the way, each root in the log is compared with the computed one. A wrong root is thus detected when it
//! is published; before that, nothing is proved with it.
//!
//! Memory: about 200 bytes for each label between two publications, which are some seconds apart.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use record::{Body, Label, Period, PeriodEvent};
use tlog::Hash;
use tlog::map::{Map, Value, prove_lookups};
use tlog::merkle::{Index, Size};

#[derive(Default)]
pub(super) struct Maps {
    // As of the last entry:
    /// Periods that have begun and are not final.
    open: BTreeSet<Period>,
    /// Labels that are not in the maps yet.
    fresh: HashMap<(Period, Label), Value>,
    /// Steps that have not been applied yet, in the order of the log.
    waiting: VecDeque<(Value, Step)>,
    // As of the settled `map` entry:
    maps: BTreeMap<Period, Map>,
    settled: Option<Index>,
}

/// The effect of an entry on the maps.
enum Step {
    Insert(Period, Label),
    /// The maps must have these roots.
    Compare(Vec<(Period, Hash)>),
}

impl Maps {
    /// Adds an entry.
    ///
    /// # Errors
    /// A description of the violation, if the log's rules do not allow the entry.
    pub(super) fn add(&mut self, index: Index, leaf: Hash, body: &Body) -> Result<(), String> {
        let value = Value { index, leaf };
        match body {
            // Its roots cover all entries before it.
            Body::Map { roots, .. } => {
                self.check_bound(index, roots)?;
                self.waiting.push_back((value, Step::Compare(roots.clone())));
            }
            Body::Period { period, event } => self.period_event(value, *period, event)?,
            Body::Labelled { period, .. } if !self.open.contains(period) => {
                return Err(format!(
                    "entry {index} has a label of period {}, which is not open",
                    period.0
                ));
            }
            _ => {}
        }
        let Some((period, label)) = body.map_key() else {
            return Ok(());
        };
        if let Some(existing) = self.get(period, &label) {
            return Err(format!("entry {index} has the label of entry {}", existing.index));
        }
        self.fresh.insert((period, label), value);
        self.waiting.push_back((value, Step::Insert(period, label)));
        Ok(())
    }

    fn period_event(&mut self, value: Value, period: Period, event: &PeriodEvent) -> Result<(), String> {
        match event {
            PeriodEvent::Begin { .. } => {
                self.open.insert(period);
            }
            PeriodEvent::Final { root } => {
                if !self.open.remove(&period) {
                    return Err(format!(
                        "entry {} ends period {}, which is not open",
                        value.index, period.0
                    ));
                }
                self.waiting.push_back((value, Step::Compare(vec![(period, *root)])));
            }
            PeriodEvent::Destroyed => {}
        }
        Ok(())
    }

    /// Checks that a `map` entry binds exactly map 0 and every open period.
    fn check_bound(&self, index: Index, roots: &[(Period, Hash)]) -> Result<(), String> {
        let expected = std::iter::once(Period::MAP0).chain(self.open.iter().copied());
        if roots.iter().map(|(period, _)| *period).eq(expected) {
            Ok(())
        } else {
            Err(format!(
                "map entry {index} does not bind exactly map 0 and the open periods"
            ))
        }
    }

    /// Advances the maps to the last `map` entry in the tree of `published` entries.
    ///
    /// # Errors
    /// A description of the violation, if a root in the log is not the root of its entries.
    pub(super) fn settle(&mut self, published: Size) -> Result<(), String> {
        let is_map = |(value, step): &(Value, Step)| {
            published.contains(value.index) && matches!(step, Step::Compare(roots) if binds_map0(roots))
        };
        let Some(last) = self.waiting.iter().rposition(is_map) else {
            return Ok(());
        };
        for (value, step) in self.waiting.drain(..=last) {
            match step {
                Step::Insert(period, label) => {
                    let map = self.maps.entry(period).or_default();
                    self.fresh.remove(&(period, label));
                    map.insert(label.0, value)
                        .map_err(|duplicate| format!("two entries have the label of {}", duplicate.existing.index))?;
                }
                Step::Compare(roots) => {
                    for (period, root) in &roots {
                        if self.maps.entry(*period).or_default().root() != *root {
                            return Err(format!(
                                "entry {} has another root of map {} than the entries",
                                value.index, period.0
                            ));
                        }
                    }
                    if binds_map0(&roots) {
                        self.settled = Some(value.index);
                    }
                }
            }
        }
        Ok(())
    }

    /// The root of a map over all entries; `None` while labels of the map wait.
    pub(super) fn root(&mut self, period: Period) -> Option<Hash> {
        let waits = self.fresh.keys().any(|(of, _)| *of == period);
        (!waits).then(|| self.maps.entry(period).or_default().root())
    }

    /// The `map` entry that the maps are as of.
    pub(super) fn settled(&self) -> Option<Index> {
        self.settled
    }

    /// Calls [`tlog::map::prove_lookups`] for a period's map.
    pub(super) fn prove(&mut self, period: Period, labels: &[Label]) -> Vec<u8> {
        let keys: Vec<_> = labels.iter().map(|label| label.0).collect();
        prove_lookups(self.maps.entry(period).or_default(), &keys)
    }

    /// The entry with this label, as of the last entry; searches the newest period first.
    pub(super) fn find(&self, label: &Label) -> Option<(Period, Value)> {
        let periods = self.open.iter().chain(self.maps.keys()).chain([&Period::MAP0]);
        let periods: BTreeSet<Period> = periods.copied().collect();
        let mut newest_first = periods.into_iter().rev();
        newest_first.find_map(|period| Some((period, self.get(period, label)?)))
    }

    fn get(&self, period: Period, label: &Label) -> Option<Value> {
        let settled = || self.maps.get(&period)?.get(label.as_bytes());
        self.fresh.get(&(period, *label)).copied().or_else(settled)
    }
}

/// Whether the roots are those of a `map` entry, and not of the end of a period.
fn binds_map0(roots: &[(Period, Hash)]) -> bool {
    roots.first().is_some_and(|(period, _)| *period == Period::MAP0)
}
