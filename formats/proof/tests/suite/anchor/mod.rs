//! Anchors: which writer had which right at which index, and every way to claim another one.

mod authorities;
mod path;
mod rights;
mod size;

use fixtures::sample_log::SampleLog;
use fixtures::{TestWriter, grant};
use proof::opening::{Anchor, AnchorProblem, AnchorVersion, ProvedAnchor, VerifyError, WriterProblem};
use record::{Body, Kind, NewestSets, Period, RightError, SignedEntry, SigningKey, Timestamp};
use tlog::merkle::Index;
use tlog::policy::Policy;
use trust::{Key, Operation, Section, SignedChangeSet, TrustKind, Value, ValueProof, Version};

fn policy(log: &SampleLog) -> Policy {
    Policy::parse(log.policy().as_bytes()).unwrap()
}

fn verify(log: &SampleLog, anchor: &Anchor) -> Result<ProvedAnchor, VerifyError> {
    anchor.verify(&policy(log), Some(&log.genesis()))
}

/// Verifies an anchor that must be refused because of its versions.
#[track_caller]
fn refused(log: &SampleLog, anchor: &Anchor) -> AnchorProblem {
    match verify(log, anchor) {
        Err(VerifyError::Directory(problem)) => problem,
        Err(other) => panic!("refused elsewhere: {other}"),
        Ok(_) => panic!("accepted"),
    }
}

/// Checks the writer of an entry of the log, and returns its name.
fn writer_at(log: &SampleLog, proved: &ProvedAnchor, index: u64) -> Result<String, WriterProblem> {
    let entry = SignedEntry::parse(log.leaves[index as usize].clone()).unwrap();
    match proved.check_writer(&entry, Index::new(index).unwrap()) {
        Ok(name) => Ok(name.to_owned()),
        Err(VerifyError::Writer(problem)) => Err(problem),
        Err(other) => panic!("{other}"),
    }
}

fn unknown(result: &Result<String, WriterProblem>) -> bool {
    matches!(result, Err(WriterProblem::Right(RightError::UnknownWriter(_))))
}

/// The operation that gives the broker's rights to this key.
fn broker_key(key: &SigningKey) -> Operation {
    Operation::put(&Value::Writer(grant("broker", key, &[Kind::Intent, Kind::Outcome]))).unwrap()
}

fn end_broker() -> Operation {
    Operation::end(writer("broker"))
}

fn writer(name: &str) -> Key {
    Key::named(Section::Writer, name).unwrap()
}

/// A change of the directory that is no writer's or authority's.
fn other_change(seed: u8) -> Operation {
    let keys = record::IdentityKeys {
        signing: SigningKey::from_seed([seed; 32]).public(),
        sealing: [seed; 32],
    };
    Operation::put(&Value::Identity(keys)).unwrap()
}

fn change(log: &mut SampleLog, operations: Vec<Operation>) -> u64 {
    log.change(TrustKind::Directory, operations)
}

fn new_broker(seed: u8) -> TestWriter {
    TestWriter::new(SigningKey::from_seed([seed; 32]))
}

/// A set with these operations, signed by these keys.
fn set(log: &SampleLog, operations: Vec<Operation>, keys: &[&SigningKey]) -> SignedChangeSet {
    let state = log.trust().state();
    let reason = "Änderung".parse().unwrap();
    let set = state.propose(TrustKind::Directory, Timestamp(log.now), reason, operations);
    set.unwrap().sign(keys).unwrap()
}

/// Appends a set that the ledger would refuse, and a `map` entry that names it. Returns an anchor that ends with it.
fn anchor_with_forged(log: &mut SampleLog, forged: &SignedChangeSet, values: Vec<ValueProof>) -> Anchor {
    let index = log.append_set(forged);
    let newest = NewestSets {
        directory: Index::new(index).unwrap(),
        ..log.newest()
    };
    let map = map_naming(log, newest);
    let mut anchor = log.anchor(2);
    anchor.versions.push(AnchorVersion {
        receipt: log.receipt(index, 2),
        header: forged.signed().bytes().to_vec(),
        values,
    });
    anchor.map_receipt = log.receipt(map, 2);
    anchor
}

/// Appends a `map` entry that names these sets, and returns its index.
fn map_naming(log: &mut SampleLog, newest: NewestSets) -> u64 {
    let roots = vec![(Period::MAP0, log.root_of(Period::MAP0))];
    log.append_ledger(Body::Map { roots, newest })
}

/// The proofs of these keys in a version of the directory.
fn proofs(log: &SampleLog, version: u32, keys: &[Key]) -> Vec<ValueProof> {
    let map = log.trust().map_of(TrustKind::Directory, Version(version)).unwrap();
    keys.iter().map(|key| map.prove(key)).collect()
}

/// The versions of an anchor.
fn numbers(anchor: &Anchor) -> Vec<u32> {
    let headers = anchor.versions.iter();
    let parsed = headers.map(|version| trust::SignedHeader::parse(&version.header).unwrap());
    parsed.map(|signed| signed.header().version.0).collect()
}
