//! A small log, made with `tlog` and `record` alone: genesis, directory, Registerlandkarte, a period, exchanges with their
//! records, maps, an inspection, a denial, a lost intent. It can be written out as an export, and gives receipts and bundles.

#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::path::Path;

use fixtures::{Founders, Pen, grant};
use record::{
    Body, CitizenPart, Commitment, ConsumerSignatures, DayKey, ExchangeRecord, ExchangeResult, Header, Idnr,
    InspectionRecord, Kind, Label, LabelledKind, Outcome, PartName, Parts, Period, PeriodEvent, Phase, Receipt,
    ReferenceKind, RetentionClass, SealedRecord, Series, SharedPart, SignedEntry, TestNumbers, Timestamp,
    WriterSigningKey, label,
};
use tlog::Hash;
use tlog::checkpoint::Checkpoint;
use tlog::map::{Map, Value};
use tlog::merkle::{Index, MemoryTree, Size, inclusion_proof, leaf_hash};
use tlog::note::SigningKey;
use tlog::tile::{bundles_for_size, encode_bundle, tiles_for_size};
use tlog::vrf;
use verifier::opening::{Anchor, LabelProof, Opening};

pub const ORIGIN: &str = "log.example/test";
pub const START: u64 = 1_790_000_000;
/// Structurally valid test number.
pub const IDNR: &str = "08214967384";

pub mod bundle;

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

    pub fn label_of(&self, number: u32, series: Series, phase: Phase) -> (Label, [u8; 80]) {
        let alpha = label::alpha(&idnr(), self.period, series, number);
        let (proof, output) = vrf_key(self.period).prove(&alpha);
        (label::label(&output, phase), proof.0)
    }

    pub fn record_keys(&self, label: &Label) -> [record::PartKey; 2] {
        let key = self.day_key.record_key(label);
        [key.part(PartName::Shared), key.part(PartName::Citizen)]
    }

    fn seal(&self, label: &Label, shared: SharedPart) -> SealedRecord {
        let header = Header::labelled(
            RetentionClass::IdnrG2y,
            RetentionClass::IdnrG2y.expiry(Timestamp(self.now)),
        );
        let parts = Parts {
            shared,
            citizen: CitizenPart::with_reason("no reason"),
            supervision: vec![1, 2, 3],
        };
        SealedRecord::seal(&header, Some(label), &self.day_key.record_key(label), &parts).unwrap()
    }

    fn keep(&mut self, index: u64, record: SealedRecord) -> u64 {
        self.records.insert(index, record.into_bytes());
        index
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

    /// The next exchange's intent; gives its index and number.
    pub fn intent(&mut self) -> (u64, u32) {
        let number = self.numbers;
        self.numbers += 1;
        (self.intent_numbered(number), number)
    }

    pub fn intent_numbered(&mut self, number: u32) -> u64 {
        self.now += 1;
        let label = self.label_of(number, Series::Exchanges, Phase::Intent).0;
        let record = self.seal(&label, SharedPart::Exchange(Box::new(numbered(number, None))));
        let body = self.labelled(LabelledKind::Intent, label, record.commitment(), None);
        let index = self.append_broker(body);
        self.keep(index, record)
    }

    pub fn outcome(&mut self, intent: u64, number: u32) -> u64 {
        let label = self.label_of(number, Series::Exchanges, Phase::Outcome).0;
        let result = ExchangeResult {
            outcome: Outcome::Delivered,
            told: "delivered".to_owned(),
            checks: Vec::new(),
            evidence_digest: Some(noise(number, "evidence")),
            answer_digest: Some(noise(number, "answer")),
            provider_signature: Some(signature(number, "provider")),
        };
        let record = self.seal(&label, SharedPart::Exchange(Box::new(numbered(number, Some(result)))));
        let body = self.labelled(LabelledKind::Outcome, label, record.commitment(), Some(intent));
        let index = self.append_broker(body);
        self.keep(index, record)
    }

    pub fn inspection(&mut self, number: u32) -> u64 {
        let label = self.label_of(number, Series::Inspections, Phase::Intent).0;
        let shared = InspectionRecord {
            reader: "cockpit".to_owned(),
            reason: "own request".to_owned(),
            day: 20_000,
        };
        let record = self.seal(&label, SharedPart::Inspection(shared));
        let body = self.labelled(LabelledKind::Inspection, label, record.commitment(), None);
        let index = self.append_identity(body);
        self.keep(index, record)
    }

    fn labelled(&self, kind: LabelledKind, label: Label, commitment: Commitment, refers: Option<u64>) -> Body {
        let mut body = labelled(kind, label, commitment, refers);
        if let Body::Labelled { period, .. } = &mut body {
            *period = self.period;
        }
        body
    }

    pub fn denial(&mut self) -> u64 {
        let header = Header::denial(
            RetentionClass::IdnrG2y,
            RetentionClass::IdnrG2y.expiry(Timestamp(self.now)),
        )
        .unwrap();
        let key = self.day_key.denial_key().salted_record_key(&header.salt.unwrap());
        let record = SealedRecord::seal(&header, None, &key, &Parts::denial(vec![4; 100])).unwrap();
        let index = self.append_broker(Body::Denial {
            commitment: record.commitment(),
        });
        self.keep(index, record)
    }

    pub fn lost(&mut self, intent: u64) -> u64 {
        let refers = Index::new(intent).unwrap();
        self.append_broker(Body::Reference {
            kind: ReferenceKind::Lost,
            refers,
        })
    }

    /// An exchange with its map entries: four entries.
    pub fn exchange(&mut self) {
        let (intent, number) = self.intent();
        self.map();
        self.outcome(intent, number);
        self.map();
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

    /// Text of a policy with a quorum of two of three witnesses.
    pub fn policy(&self) -> String {
        let mut text = format!("log {}\n", self.log_key.verifier_key().unwrap());
        for (number, witness) in self.witnesses.iter().enumerate() {
            text += &format!("witness w{number} {}\n", witness.verifier_key().unwrap());
        }
        text + "group g 2 w0 w1 w2\nquorum g\n"
    }

    pub fn checkpoint(&self, cosigners: usize) -> String {
        let checkpoint = Checkpoint::new(ORIGIN.parse().unwrap(), self.size(), self.tree.root());
        let mut note = checkpoint.sign(&[&self.log_key]).unwrap();
        for witness in &self.witnesses[..cosigners] {
            note.signatures
                .push(tlog::cosignature::cosign(&note.text, witness, self.now + 1).unwrap());
        }
        note.to_string()
    }

    /// Keeps the checkpoint as it is in the history.
    pub fn publish(&mut self) {
        self.history.insert(self.size().get(), self.checkpoint(2));
    }

    pub fn receipt(&self, index: u64, cosigners: usize) -> Vec<u8> {
        let place = Index::new(index).unwrap();
        let hashes = inclusion_proof(&mut self.tree.clone(), place, self.size()).unwrap();
        let entry = SignedEntry::parse(self.leaves[index as usize].clone()).unwrap();
        Receipt::new(entry, place, hashes, self.checkpoint(cosigners)).to_bytes()
    }

    pub fn anchor(&self, cosigners: usize) -> Anchor {
        let digest = |index: usize| {
            let entry = SignedEntry::parse(self.leaves[index].clone()).unwrap();
            self.documents[&entry.entry().body.document().unwrap().to_string()].clone()
        };
        Anchor {
            genesis_receipt: self.receipt(0, cosigners),
            genesis_document: digest(0),
            directory_receipt: self.receipt(1, cosigners),
            directory_document: digest(1),
        }
    }

    /// Opening of an exchange's entry of the demonstration citizen.
    pub fn opening(&self, index: u64, number: u32, phase: Phase) -> Opening {
        let (label, vrf_proof) = self.label_of(number, Series::Exchanges, phase);
        let key = self.day_key.record_key(&label);
        Opening {
            receipt: self.receipt(index, 2),
            sealed_record: self.records[&index].clone(),
            shared_key: Some(key.part(PartName::Shared)),
            citizen_key: Some(key.part(PartName::Citizen)),
            label_proof: Some(LabelProof {
                idnr: idnr(),
                period_begin_receipt: self.receipt(3, 2),
                period: Period(1),
                series: Series::Exchanges,
                number,
                phase,
                vrf_proof,
            }),
            anchor: Some(self.anchor(2)),
        }
    }

    /// Writes the export as `ledger export` does.
    pub fn export(&self, dir: &Path, cosigners: usize) {
        let write = |path: String, bytes: &[u8]| {
            let path = dir.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        };
        write("checkpoint".to_owned(), self.checkpoint(cosigners).as_bytes());
        let mut levels: Vec<Vec<Hash>> = vec![self.leaves.iter().map(|leaf| leaf_hash(leaf)).collect()];
        while levels.last().unwrap().len() >= 256 {
            let full = levels.last().unwrap().chunks_exact(256).map(root).collect();
            levels.push(full);
        }
        for tile in tiles_for_size(self.size()) {
            let from = tile.index() as usize * 256;
            let hashes = &levels[usize::from(tile.level())][from..from + usize::from(tile.width())];
            write(
                tile.to_string(),
                &hashes.iter().flat_map(|hash| hash.0).collect::<Vec<u8>>(),
            );
        }
        for bundle in bundles_for_size(self.size()) {
            let from = bundle.index() as usize * 256;
            let entries = &self.leaves[from..from + usize::from(bundle.width())];
            write(bundle.to_string(), &encode_bundle(entries).unwrap());
        }
        for (name, bytes) in &self.documents {
            write(format!("documents/{name}"), bytes);
        }
        for (index, bytes) in &self.records {
            write(format!("records/{index}"), bytes);
        }
        for (size, note) in &self.history {
            write(format!("checkpoints/{size}"), note.as_bytes());
        }
    }
}

/// The VRF secret of a period.
pub fn vrf_key(period: Period) -> vrf::SecretKey {
    vrf::SecretKey::from_seed(&[6 + period.0 as u8; 32]).unwrap()
}

fn root(hashes: &[Hash]) -> Hash {
    let mut tree = MemoryTree::new();
    for hash in hashes {
        tree.append(*hash).unwrap();
    }
    tree.root()
}

pub fn labelled(kind: LabelledKind, label: Label, commitment: Commitment, refers: Option<u64>) -> Body {
    let refers = refers.map(|index| Index::new(index).unwrap());
    Body::Labelled {
        kind,
        period: Period(1),
        label,
        commitment,
        refers,
    }
}

/// Bytes like those of a digest or a key.
fn noise(number: u32, what: &str) -> Hash {
    Hash::of(format!("{number} {what}").as_bytes())
}

fn signature(number: u32, what: &str) -> [u8; 64] {
    let mut bytes = [0; 64];
    bytes[..32].copy_from_slice(&noise(number, what).0);
    bytes[32..].copy_from_slice(&noise(number + 1, what).0);
    bytes
}

/// An exchange that is like no other where real ones differ: no compression may live on it.
fn numbered(number: u32, result: Option<ExchangeResult>) -> ExchangeRecord {
    let mut record = fixtures::exchange(result);
    record.lifecycle.expiry = RetentionClass::IdnrG2y.expiry(Timestamp(START));
    let id = |what: &str| {
        let hex = noise(number, what).to_string();
        let id = format!(
            "01890a5d-{}-7{}-b{}-{}",
            &hex[..4],
            &hex[4..7],
            &hex[7..10],
            &hex[10..22]
        );
        id.parse().unwrap()
    };
    (record.ids.exchange, record.ids.message) = (id("exchange"), id("message"));
    record.ids.request_reference = noise(number, "reference").to_string();
    record.ids.trace = format!("00-{}-01", noise(number, "trace"));
    record.request_digest = noise(number, "request");
    record.consumer_signatures = ConsumerSignatures {
        s1: signature(number, "s1"),
        s2: signature(number, "s2"),
        s1_digest: noise(number, "s1 digest"),
        sealed_request: noise(number, "sealed request"),
        answer_key: noise(number, "answer key").0,
    };
    record
}
