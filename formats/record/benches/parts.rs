//! Measures the cost of one entry: signing, checking, hashing, sealing, labelling. `cargo xtask bench` runs this
//! benchmark and makes the table.

#![allow(clippy::unwrap_used, missing_docs)]

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use record::content::{InspectionRecord, SharedPart};
use record::entry::LabelledKind;
use record::{
    Body, CitizenPart, Commitment, DayKey, ExpiryDay, Header, Idnr, Label, PartName, Parts, Period, Phase, PreparedKey,
    RetentionClass, SealedRecord, Sequence, Series, SignedEntry, SigningKey, Timestamp, Unsigned, verify_each,
};
use tlog::Hash;
use tlog::map::{Map, Value};
use tlog::merkle::{Frontier, Index, MemoryTree, Size, inclusion_proof, leaf_hash, node_hash, verify_inclusion};
use tlog::vrf::SecretKey;

fn unsigned(number: u64) -> Unsigned {
    let mut label = [0; 32];
    label[..8].copy_from_slice(&number.to_be_bytes());
    Unsigned {
        sequence: Sequence(number + 1),
        previous: Hash([1; 32]),
        time: Timestamp(1_800_000_000),
        body: Body::Labelled {
            kind: LabelledKind::Intent,
            period: Period(1),
            label: Label(label),
            commitment: Commitment(Hash([2; 32])),
            refers: None,
        },
    }
}

fn entries(c: &mut Criterion) {
    let key = SigningKey::from_seed([7; 32]);
    let public = key.public();
    let entry = key.sign(unsigned(1)).unwrap();
    let bytes = entry.bytes().to_vec();
    c.bench_function("entry: write and sign", |b| {
        b.iter(|| key.sign(unsigned(black_box(1))).unwrap())
    });
    c.bench_function("entry: read strictly", |b| {
        b.iter(|| SignedEntry::parse(black_box(bytes.as_slice())).unwrap())
    });
    c.bench_function("entry: verify the signature", |b| {
        b.iter(|| entry.verify(black_box(&public)).unwrap())
    });
    let prepared = PreparedKey::new(public);
    c.bench_function("entry: verify 32 signatures of a prepared key", |b| {
        b.iter(|| verify_each(black_box([(&entry, &prepared); 32])))
    });
    c.bench_function("entry: leaf hash", |b| b.iter(|| leaf_hash(black_box(&bytes))));
}

fn tree(c: &mut Criterion) {
    let (left, right) = (Hash([1; 32]), Hash([2; 32]));
    c.bench_function("tree: node hash", |b| {
        b.iter(|| node_hash(black_box(&left), black_box(&right)))
    });
    c.bench_function("tree: append a leaf hash", |b| {
        let mut frontier = Frontier::new();
        b.iter(|| frontier.append(black_box(left), |_, _, _| {}).unwrap());
    });
    let mut tree = MemoryTree::new();
    for number in 0..100_000_u64 {
        tree.append(Hash::of(&number.to_be_bytes())).unwrap();
    }
    let (index, size) = (Index::new(54_321).unwrap(), Size::new(100_000).unwrap());
    let proof = inclusion_proof(&mut tree, index, size).unwrap();
    let (leaf, root) = (Hash::of(&54_321_u64.to_be_bytes()), tree.root());
    c.bench_function("tree: verify an inclusion proof of 100 000", |b| {
        b.iter(|| verify_inclusion(black_box(&leaf), index, size, &proof, &root).unwrap());
    });
}

fn map(c: &mut Criterion) {
    let item = |number: u64| {
        let value = Value {
            index: Index::from(u32::try_from(number % 4_000_000_000).unwrap()),
            leaf: Hash([3; 32]),
        };
        (Hash::of(&number.to_be_bytes()).0, value)
    };
    let mut full = Map::new();
    full.insert_batch((0..100_000).map(item)).unwrap();
    full.root();
    let mut next = 100_000;
    c.bench_function("map: 1 000 labels and the root, in 100 000", |b| {
        b.iter_batched(
            || {
                next += 1_000;
                (next..next + 1_000).map(item).collect::<Vec<_>>()
            },
            |batch| {
                full.insert_batch(batch).unwrap();
                full.root()
            },
            BatchSize::PerIteration,
        );
    });
}

fn records(c: &mut Criterion) {
    let label = Label([4; 32]);
    let key = DayKey([5; 32]).record_key(&label);
    let header = Header::labelled(RetentionClass::IdnrG2y, ExpiryDay(21_000));
    let parts = Parts {
        shared: SharedPart::Inspection(InspectionRecord {
            reader: "cockpit".into(),
            reason: "login".into(),
            day: 20_000,
        }),
        citizen: CitizenPart::default(),
        supervision: vec![6; 400],
    };
    let sealed = SealedRecord::seal(&header, Some(&label), &key, &parts).unwrap();
    let shared = key.part(PartName::Shared);
    c.bench_function("record: seal", |b| {
        b.iter(|| SealedRecord::seal(&header, Some(&label), black_box(&key), &parts).unwrap());
    });
    c.bench_function("record: open the shared part", |b| {
        b.iter(|| sealed.open_shared(black_box(&shared), Some(&label)).unwrap());
    });
}

fn labels(c: &mut Criterion) {
    let secret = SecretKey::from_seed(&[8; 32]).unwrap();
    let person = Idnr::nobody();
    let alpha = record::label::alpha(&person, Period(1), Series::Exchanges, 17);
    let (proof, output) = secret.prove(&alpha);
    let public = secret.public_key();
    c.bench_function("label: VRF prove", |b| b.iter(|| secret.prove(black_box(&alpha))));
    c.bench_function("label: VRF verify", |b| {
        b.iter(|| public.verify(black_box(&alpha), &proof).unwrap())
    });
    c.bench_function("label: from the VRF's output", |b| {
        b.iter(|| record::label::label(black_box(&output), Phase::Intent));
    });
}

criterion_group!(parts, entries, tree, map, records, labels);
criterion_main!(parts);
