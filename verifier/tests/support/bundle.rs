//! Bundles of the log: honest ones, and those of a server that leaves out what it likes.

use std::collections::BTreeMap;

use record::{Body, Idnr, Label, Period, PeriodEvent, Phase, SealedRecord, Series, SignedEntry, label};
use tlog::map::{Key, Map, prove_lookups};
use tlog::merkle::{Index, inclusion_batch};
use verifier::bundle::{
    Bundle, CompletenessProof, Disclosed, Item, NumberProof, PeriodProof, Placed, Record, SeriesProof,
};

use super::{Log, vrf_key};

/// What a server shows: whether an entry of the person may be seen.
pub type Show<'a> = &'a dyn Fn(Period, Series, u32, Phase) -> bool;

impl Log {
    /// Everything about a person, as of the newest map entry.
    pub fn bundle(&self, person: &Idnr) -> Bundle {
        self.bundle_showing(person, self.snapshots.len() - 1, &|_, _, _, _| true)
    }

    /// As of one of the map entries, with nothing but what is shown. All proofs are made as an honest server would make them.
    pub fn bundle_showing(&self, person: &Idnr, snapshot: usize, show: Show<'_>) -> Bundle {
        self.bundle_of(person, snapshot, show, Period::FIRST)
    }

    /// As of the newest map entry, without the periods before `first`.
    pub fn bundle_since(&self, person: &Idnr, first: Period) -> Bundle {
        self.bundle_of(person, self.snapshots.len() - 1, &|_, _, _, _| true, first)
    }

    fn bundle_of(&self, person: &Idnr, snapshot: usize, show: Show<'_>, first: Period) -> Bundle {
        let (map, maps) = &self.snapshots[snapshot];
        let mut maker = Maker {
            log: self,
            person,
            maps: maps.clone(),
            before: *map,
            show,
        };
        let last = (1..)
            .find(|number| maker.public(Period(number + 1), 0).is_none())
            .unwrap();
        let periods = (first.0..=last).map(|number| maker.period(Period(number))).collect();
        let destroyed = (1..first.0).map(|number| (number, PeriodEvent::DESTROYED));
        let shown = (first.0..=last)
            .flat_map(|number| [(number, 0), (number, 1)])
            .chain([(last + 1, 0)]);
        let keys: Vec<Key> = destroyed
            .chain(shown)
            .map(|(number, event)| record::period_label(Period(number), event).0)
            .collect();
        let mut bundle = Bundle {
            idnr: person.clone(),
            anchor: self.anchor(2),
            proof: CompletenessProof {
                checkpoint: self.checkpoint(2).into_bytes(),
                tree: Vec::new(),
                map: self.placed(*map),
                map0: prove_lookups(maker.maps.get_mut(&Period::MAP0).unwrap(), &keys),
                first,
                periods,
            },
        };
        self.prove_tree(&mut bundle);
        bundle
    }

    /// Makes the tree's proof again, for the entries that now stand in the bundle.
    pub fn prove_tree(&self, bundle: &mut Bundle) {
        let proof = &bundle.proof;
        let mut indices = vec![proof.map.index];
        for period in &proof.periods {
            indices.push(period.begin.index);
            indices.extend(period.end.iter().map(|end| end.index));
            for number in period.exchanges.numbers.iter().chain(&period.inspections.numbers) {
                let items = [Some(&number.intent), number.outcome.as_ref(), number.preview.as_ref()];
                indices.extend(items.into_iter().flatten().map(|item| item.index));
            }
        }
        indices.sort_unstable();
        indices.dedup();
        let indices: Vec<Index> = indices.into_iter().map(|index| Index::new(index).unwrap()).collect();
        bundle.proof.tree = inclusion_batch(&mut self.tree.clone(), &indices, self.size()).unwrap();
    }

    pub fn placed(&self, index: u64) -> Placed {
        Placed {
            index,
            leaf: self.leaves[index as usize].clone(),
        }
    }

    pub fn disclosed(&self, index: u64) -> Item {
        let leaf = self.leaves[index as usize].clone();
        let label = SignedEntry::parse(leaf.clone()).unwrap().entry().body.label().unwrap();
        let [shared, citizen] = self.record_keys(&label);
        let record = SealedRecord::parse(self.records[&index].clone()).unwrap();
        let record = record.unseal(&shared, &citizen, &label).unwrap();
        Item {
            index,
            content: Disclosed {
                leaf,
                record: Record::Open(Box::new(record)),
            },
        }
    }
}

struct Maker<'a> {
    log: &'a Log,
    person: &'a Idnr,
    maps: BTreeMap<Period, Map>,
    before: u64,
    show: Show<'a>,
}

impl Maker<'_> {
    /// A `period` entry.
    fn public(&self, period: Period, event: u8) -> Option<Placed> {
        let value = self.maps[&Period::MAP0].get(&record::period_label(period, event).0)?;
        Some(self.log.placed(value.index.get()))
    }

    fn period(&mut self, period: Period) -> PeriodProof {
        let mut absent = Vec::new();
        let exchanges = self.row(period, Series::Exchanges, &mut absent);
        let inspections = self.row(period, Series::Inspections, &mut absent);
        let end = self.public(period, 1);
        // A final period's map stands in no later snapshot.
        let mut map = self.map_of(period);
        if let Some(end) = &end {
            let entry = SignedEntry::parse(end.leaf.clone()).unwrap();
            let Body::Period {
                event: PeriodEvent::Final { root },
                ..
            } = entry.entry().body
            else {
                panic!()
            };
            assert_eq!(map.root(), root);
        }
        PeriodProof {
            begin: self.public(period, 0).unwrap(),
            end,
            map: prove_lookups(&mut map, &absent),
            exchanges,
            inspections,
        }
    }

    fn map_of(&self, period: Period) -> Map {
        let snapshots = self
            .log
            .snapshots
            .iter()
            .rev()
            .filter(|(index, _)| *index <= self.before);
        snapshots
            .filter_map(|(_, maps)| maps.get(&period))
            .next()
            .unwrap()
            .clone()
    }

    fn row(&self, period: Period, series: Series, absent: &mut Vec<Key>) -> SeriesProof {
        let map = self.map_of(period);
        let key = vrf_key(period);
        let evaluate = |number| key.prove(&label::alpha(self.person, period, series, number));
        let mut numbers = Vec::new();
        for number in 0.. {
            let (proof, output) = evaluate(number);
            let entry = |phase| {
                let label: Label = label::label(&output, phase);
                let shown = (self.show)(period, series, number, phase);
                let value = map.get(&label.0).filter(|_| shown);
                value.map(|value| self.log.disclosed(value.index.get()))
            };
            let Some(intent) = entry(Phase::Intent) else { break };
            let (outcome, preview) = (entry(Phase::Outcome), entry(Phase::Preview));
            for (phase, item) in [(Phase::Outcome, &outcome), (Phase::Preview, &preview)] {
                if item.is_none() && series == Series::Exchanges {
                    absent.push(label::label(&output, phase).0);
                }
            }
            numbers.push(NumberProof {
                vrf_proof: proof.0,
                intent,
                outcome,
                preview,
            });
        }
        let beyond = label::absence_set(numbers.len() as u32).into_iter().map(|number| {
            let (proof, output) = evaluate(number);
            absent.push(label::label(&output, Phase::Intent).0);
            proof.0
        });
        SeriesProof {
            absent: beyond.collect(),
            numbers,
        }
    }
}
