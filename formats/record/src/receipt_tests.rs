#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use tlog::merkle::{MemoryTree, inclusion_proof};
use tlog::note::SignerKey;

use super::*;
use crate::{Body, Commitment, Sequence, SigningKey, Timestamp, Unsigned};

const ORIGIN: &str = "log.example/einsicht";

fn log_key(seed: u8) -> SignerKey {
    SignerKey::for_notes(ORIGIN.parse().unwrap(), &[seed; 32])
}

fn witness_key() -> SignerKey {
    SignerKey::for_cosignatures("witness.example/w".parse().unwrap(), &[9; 32])
}

fn policy(log_seed: u8) -> Policy {
    let log = log_key(log_seed).verifier_key().unwrap();
    let witness = witness_key().verifier_key().unwrap();
    Policy::parse(format!("log {log}\nwitness w {witness}\nquorum w\n").as_bytes()).unwrap()
}

fn entry(number: u64) -> SignedEntry {
    let body = Body::Denial {
        commitment: Commitment(Hash([1; 32])),
    };
    let unsigned = Unsigned {
        sequence: Sequence(number + 1),
        previous: Hash([2; 32]),
        time: Timestamp(3),
        body,
    };
    SigningKey::from_seed([1; 32]).sign(unsigned).unwrap()
}

/// The receipt of one entry of a log of five, with or without the witness's cosignature.
fn receipt(index: u64, witnessed: bool) -> Receipt {
    let mut tree = MemoryTree::new();
    for number in 0..5 {
        tree.append(entry(number).leaf_hash()).unwrap();
    }
    let size = tlog::merkle::Size::new(5).unwrap();
    let checkpoint = Checkpoint {
        origin: ORIGIN.parse().unwrap(),
        size,
        root: tree.root(),
        extensions: vec![],
    };
    let mut note = checkpoint.sign(&[&log_key(1)]).unwrap();
    if witnessed {
        note.signatures
            .push(tlog::cosignature::cosign(&note.text, &witness_key(), 1_700_000_000).unwrap());
    }
    let index = Index::new(index).unwrap();
    let hashes = inclusion_proof(&mut tree, index, size).unwrap();
    Receipt::new(entry(index.get()), index, hashes, note.to_string())
}

#[test]
fn a_receipt_proves_its_entry() {
    for index in 0..5 {
        let receipt = receipt(index, false);
        let read = Receipt::parse(&receipt.to_bytes()).unwrap();
        assert_eq!(read, receipt);
        assert_eq!(read.entry(), &entry(index));
        let verified = read.verify(&policy(1)).unwrap();
        assert_eq!(
            (verified.entry(), verified.index().get(), verified.quorum()),
            (&entry(index), index, false)
        );
        assert_eq!(verified.checkpoint().size.get(), 5);
    }
}

#[test]
fn the_quorum_is_reported() {
    let verified = receipt(3, true).verify(&policy(1)).unwrap();
    assert!(verified.quorum());
    assert_eq!(verified.cosignatures()[0].timestamp, 1_700_000_000);
}

#[test]
fn a_receipt_that_proves_nothing_is_refused() {
    let good = receipt(3, true);
    let refused = |receipt: Receipt| matches!(receipt.verify(&policy(1)), Err(ReceiptError::Verify(_)));
    assert!(!refused(good.clone()));
    assert!(refused(Receipt {
        entry: entry(2),
        ..good.clone()
    }));
    let mut moved = good.clone();
    moved.proof.index = Index::new(2).unwrap();
    assert!(refused(moved));
    let mut changed = good.clone();
    changed.proof.hashes[0].0[0] ^= 1;
    assert!(refused(changed));
    assert!(good.verify(&policy(2)).is_err(), "another log's key");
}

#[test]
fn any_changed_character_is_refused() {
    let bytes = receipt(3, true).to_bytes();
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        let accepted = Receipt::parse(&changed).and_then(|receipt| receipt.verify(&policy(1)));
        // A changed witness line counts as that of an unknown witness, so the quorum is missing.
        let sound = accepted.is_ok_and(|verified| verified.quorum() && verified.entry() == &entry(3));
        assert!(!sound, "byte {at}");
    }
}

#[test]
fn extra_must_be_the_entry() {
    let good = receipt(3, false);
    let with = |extra: Option<Vec<u8>>| {
        let proof = TlogProof {
            extra,
            ..good.proof.clone()
        };
        Receipt::parse(proof.to_string().as_bytes()).unwrap_err()
    };
    let leaf = || Form(entry(3).bytes().to_vec());
    assert_eq!(with(None), ReceiptError::NoEntry);
    assert_eq!(
        with(Some(cbor::to_vec(&Extra("einsicht/entry/v2".into(), leaf())))),
        ReceiptError::NoEntry
    );
    assert!(matches!(with(Some(entry(3).bytes().to_vec())), ReceiptError::Cbor(_)));
    assert!(matches!(
        with(Some(cbor::to_vec(&(TYPE, leaf(), 0)))),
        ReceiptError::Cbor(_)
    ));
    assert!(matches!(
        with(Some(cbor::to_vec(&Extra(TYPE.into(), Form(vec![1]))))),
        ReceiptError::Entry(_)
    ));
}
