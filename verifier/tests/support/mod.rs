//! A small log, made without the ledger: genesis, directory, Registerlandkarte, a period, exchanges with their
//! records, maps, an inspection, a denial, a lost intent. It can be written out as an export, and gives receipts and bundles.

#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod bundle;
pub mod exchanges;
mod proofs;

use std::collections::BTreeMap;

use fixtures::{Founders, Pen, grant};
use record::{Body, DayKey, Idnr, Kind, Period, PeriodEvent, SignedEntry, TestNumbers, Timestamp, WriterSigningKey};
use tlog::Hash;
use tlog::map::{Map, Value};
use tlog::merkle::{Index, MemoryTree, Size, leaf_hash};
use tlog::note::SigningKey;
use tlog::vrf;

pub const ORIGIN: &str = "log.example/test";
pub const START: u64 = 1_790_000_000;
/// Structurally valid test number.
pub const IDNR: &str = "08214967384";

pub struct Log {
    pub log_key: SigningKey,
    pub witnesses: Vec<SigningKey>,
    pub operator: Pen,
    pub ledger: Pen,
    pub identity: Pen,
    pub broker: Pen,
    day_key: DayKey,
    pub now: u64,
    pub leaves: Vec<Vec<u8>>,
    pub tree: MemoryTree,
    pub records: BTreeMap<u64, Vec<u8>>,
    pub documents: BTreeMap<String, Vec<u8>>,
    maps: BTreeMap<Period, Map>,
    /// The maps as they were at each map entry, with its index.
    pub snapshots: Vec<(u64, BTreeMap<Period, Map>)>,
    /// The checkpoints published so far, by size.
    pub history: BTreeMap<u64, String>,
    /// The period of new labels.
    pub period: Period,
    numbers: u32,
}

fn pen(seed: u8) -> Pen {
    Pen::new(WriterSigningKey::from_seed([seed; 32]))
}

pub fn idnr() -> Idnr {
    Idnr::parse(IDNR, TestNumbers::Allowed).unwrap()
}

impl Log {
    /// Genesis, directory, Registerlandkarte, period 1, a map entry: five entries.
    pub fn new() -> Log {
        let mut log = Log::bare();
        log.bootstrap();
        log.begin(Period::FIRST, &vrf_key(Period::FIRST));
        log.map();
        log
    }

    pub fn bare() -> Log {
        Log {
            log_key: SigningKey::for_notes(ORIGIN.parse().unwrap(), &[1; 32]),
            witnesses: (0..3_u8)
                .map(|n| SigningKey::for_cosignatures(format!("witness.example/{n}").parse().unwrap(), &[40 + n; 32]))
                .collect(),
            operator: pen(2),
            ledger: pen(3),
            identity: pen(4),
            broker: pen(5),
            day_key: DayKey([8; 32]),
            now: START,
            leaves: Vec::new(),
            tree: MemoryTree::new(),
            records: BTreeMap::new(),
            documents: BTreeMap::new(),
            maps: BTreeMap::from([(Period::MAP0, Map::new())]),
            snapshots: Vec::new(),
            history: BTreeMap::new(),
            period: Period::FIRST,
            numbers: 0,
        }
    }

    fn bootstrap(&mut self) {
        use Kind::{
            Denial, Erasure, Hold, HoldRelease, Inspection, Intent, Lost, Map, Outcome, Preview, Rectification, Void,
        };
        let operator = [Kind::Directory, Hold, HoldRelease, Rectification, Erasure];
        let identity = [Kind::Period, Void, Inspection, Lost, Erasure];
        let broker = [Intent, Outcome, Denial, Preview, Lost];
        let writers = vec![
            grant("operator", &self.operator.key, &operator),
            grant("ledger", &self.ledger.key, &[Map, Erasure]),
            grant("identity", &self.identity.key, &identity),
            grant("broker", &self.broker.key, &broker),
        ];
        let founders = Founders {
            origin: ORIGIN,
            log: &self.log_key,
            operator: &self.operator.key,
            authority: &WriterSigningKey::from_seed([6; 32]),
            identity: &self.identity.key,
        };
        let founding = founders.found(writers, Timestamp(START)).unwrap();
        let (entries, operator) = founding.entries(Timestamp(self.now)).unwrap();
        self.operator = operator;
        for (entry, document) in entries {
            self.documents.insert(Hash::of(&document).to_string(), document);
            self.push(entry);
        }
    }

    fn push(&mut self, entry: SignedEntry) -> u64 {
        let index = self.leaves.len() as u64;
        if let Body::Period {
            period,
            event: PeriodEvent::Begin { .. },
        } = &entry.entry().body
        {
            self.maps.entry(*period).or_default();
        }
        if let Some((period, label)) = entry.entry().body.map_key() {
            let value = Value {
                index: Index::new(index).unwrap(),
                leaf: entry.leaf_hash(),
            };
            // A test may reuse a label: then the map keeps the first.
            let _ = self.maps.entry(period).or_default().insert(label.0, value);
        }
        self.tree.append(leaf_hash(entry.bytes())).unwrap();
        self.leaves.push(entry.into_bytes());
        index
    }

    pub fn append_operator(&mut self, body: Body) -> u64 {
        let entry = self.operator.write(Timestamp(self.now), body).unwrap();
        self.push(entry)
    }

    pub fn append_ledger(&mut self, body: Body) -> u64 {
        let entry = self.ledger.write(Timestamp(self.now), body).unwrap();
        self.push(entry)
    }

    pub fn append_identity(&mut self, body: Body) -> u64 {
        let entry = self.identity.write(Timestamp(self.now), body).unwrap();
        self.push(entry)
    }

    pub fn append_broker(&mut self, body: Body) -> u64 {
        let entry = self.broker.write(Timestamp(self.now), body).unwrap();
        self.push(entry)
    }

    /// A map entry with the roots as they are.
    pub fn map(&mut self) -> u64 {
        let roots = self
            .maps
            .iter_mut()
            .map(|(period, map)| (*period, map.root()))
            .collect();
        let index = self.append_ledger(Body::Map { roots });
        self.snapshots.push((index, self.maps.clone()));
        index
    }

    /// A period begins under this key, and new labels are in it.
    pub fn begin(&mut self, period: Period, key: &vrf::SecretKey) -> u64 {
        (self.period, self.numbers) = (period, 0);
        let event = PeriodEvent::Begin {
            vrf_key: *key.public_key().as_bytes(),
            start: Timestamp(self.now),
        };
        self.append_identity(Body::Period { period, event })
    }

    /// A period is final.
    pub fn finish(&mut self, period: Period) -> u64 {
        let root = self.root_of(period);
        let event = PeriodEvent::Final { root };
        let index = self.append_identity(Body::Period { period, event });
        self.close(period);
        index
    }

    /// A period's secret is destroyed.
    pub fn destroy(&mut self, period: Period) -> u64 {
        let event = PeriodEvent::Destroyed;
        self.append_identity(Body::Period { period, event })
    }

    /// Other people's entries: as many labels, whose bytes nobody asks for.
    pub fn others(&mut self, count: u64) {
        let map = self.maps.entry(self.period).or_default();
        for _ in 0..count {
            let index = self.leaves.len() as u64;
            let leaf = Hash::of(&index.to_be_bytes());
            let value = Value {
                index: Index::new(index).unwrap(),
                leaf,
            };
            map.insert(Hash::of(&leaf.0).0, value).unwrap();
            self.tree.append(leaf).unwrap();
            self.leaves.push(Vec::new());
        }
    }

    pub fn root_of(&mut self, period: Period) -> Hash {
        self.maps.get_mut(&period).unwrap().root()
    }

    /// A period is final: its map is in no map entry any more.
    pub fn close(&mut self, period: Period) {
        self.maps.remove(&period);
    }

    pub fn size(&self) -> Size {
        self.tree.size()
    }

    pub fn genesis(&self) -> Hash {
        leaf_hash(&self.leaves[0])
    }
}

/// The VRF secret of a period.
pub fn vrf_key(period: Period) -> vrf::SecretKey {
    vrf::SecretKey::from_seed(&[6 + period.0 as u8; 32]).unwrap()
}
