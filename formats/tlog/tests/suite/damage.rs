//! Damaged input: a changed receipt does not verify, or loses its quorum, and no parser panics.

use proptest::prelude::*;
use tlog::merkle::leaf_hash;
use tlog::note::Note;
use tlog::policy::Policy;
use tlog::proof::{TlogProof, Verified};
use tlog::tile::Resource;
use tlog::witness::{AddCheckpoint, WitnessAnswer};

use crate::vectors::{VECTORS, log_key, witness_key};

fn policy() -> Policy {
    let text = format!("log {}\nwitness w {}\nquorum w\n", log_key(), witness_key());
    text.parse().unwrap()
}

fn verify(bytes: &[u8]) -> Option<Verified> {
    let proof = TlogProof::parse(bytes).ok()?;
    assert_eq!(proof.to_string().as_bytes(), bytes, "accepted another encoding");
    proof.verify(&leaf_hash(b"entry-123"), &policy()).ok()
}

/// A receipt with a flipped bit does not verify or has no quorum, unless the bit is in the application's own `extra`.
#[test]
fn a_receipt_with_a_flipped_bit_loses_its_proof_or_its_quorum() {
    let good = VECTORS.tlog_proof_123_300.as_bytes();
    let whole = verify(good).unwrap();
    let extra = VECTORS.tlog_proof_123_300.find("aGVsbG8=").unwrap();
    for at in (0..good.len()).filter(|at| !(extra..extra + 8).contains(at)) {
        for bit in 0..8 {
            let mut bytes = good.to_vec();
            bytes[at] ^= 1 << bit;
            if let Some(verified) = verify(&bytes) {
                // The bit is in the name or id of the witness's line, which now names an unknown key and is reported
                // so.
                assert!(!verified.quorum(), "bit {bit} of byte {at}");
                assert_eq!(verified.verdict().unknown().len(), 1);
                assert_eq!(verified.checkpoint(), whole.checkpoint());
            }
        }
    }
}

#[test]
fn a_receipt_with_a_missing_part_loses_its_proof_or_its_quorum() {
    let good = VECTORS.tlog_proof_123_300.as_bytes();
    for at in 0..good.len() {
        let mut without = good.to_vec();
        without.remove(at);
        for bytes in [&good[..at], &good[at..][1..], &without] {
            if let Some(verified) = verify(bytes) {
                // The missing part is the witness's line, a byte of its name, or a byte of `extra`.
                let in_extra = bytes.len() == good.len() - 1 && verified.quorum();
                assert!(in_extra || !verified.quorum(), "byte {at}");
                assert!(!in_extra || TlogProof::parse(bytes).unwrap().extra.as_deref() != Some(b"hello"));
            }
        }
    }
}

proptest! {
    #[test]
    fn parsers_do_not_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), status in any::<u16>()) {
        // Accepted input is written back as the same bytes.
        if let Ok(note) = Note::parse(&bytes) {
            prop_assert_eq!(note.to_string().into_bytes(), bytes.clone());
        }
        if let Ok(proof) = TlogProof::parse(&bytes) {
            prop_assert_eq!(proof.to_string().into_bytes(), bytes.clone());
        }
        if let Ok(request) = AddCheckpoint::parse(&bytes) {
            prop_assert_eq!(request.to_string().into_bytes(), bytes.clone());
        }
        if let Ok(policy) = Policy::parse(&bytes) {
            prop_assert_eq!(&Policy::parse(&policy.to_bytes()).unwrap(), &policy);
        }
        let _ = (WitnessAnswer::parse(status, &bytes), tlog::log_list::parse(&bytes));
        let _ = tlog::tile::decode_bundle(&bytes, status % 257);
        let _ = tlog::map::verify_absent(&tlog::map::EMPTY_ROOT, b"key", &bytes);
    }

    #[test]
    fn spliced_vectors_do_not_panic(at in any::<usize>(), from in any::<usize>(), length in 0_usize..80, kind in 0..3) {
        let source = [&VECTORS.tlog_proof_123_300, &VECTORS.add_checkpoint_body_7_to_300, &VECTORS.checkpoint_7];
        let mut bytes = source[usize::try_from(kind).unwrap()].clone().into_bytes();
        let (at, from) = (at % bytes.len(), from % bytes.len());
        let piece: Vec<u8> = bytes[from..].iter().copied().take(length).collect();
        bytes.splice(at..at, piece);
        if let Ok(note) = Note::parse(&bytes) {
            prop_assert_eq!(note.to_string().into_bytes(), bytes.clone());
        }
        if let Ok(request) = AddCheckpoint::parse(&bytes) {
            prop_assert_eq!(request.to_string().into_bytes(), bytes.clone());
        }
        let _ = verify(&bytes);
    }

    #[test]
    fn tile_paths_have_one_form(path in "tile/(entries|[0-9]{1,2})/(x[0-9]{3}/){0,3}[0-9]{3}(\\.p/[0-9]{1,3})?") {
        if let Ok(resource) = path.parse::<Resource>() {
            prop_assert_eq!(resource.to_string(), path);
        }
    }
}
