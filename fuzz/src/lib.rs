//! Fuzz targets: one function for each parser of bytes that come from outside.
//!
//! A target panics when a parser does, when it takes too long or too much memory (libFuzzer's limits), or when it breaks a
//! promise: what it accepted is written back as the very bytes it read (formats with one encoding), or reads back as the same
//! value (formats with several).
//!
//! `corpus/TARGET/` keeps the inputs that found new paths; the ordinary tests replay all of them (`tests/corpus.rs`), so a fault
//! found once stays found without a nightly compiler. `cargo xtask fuzz` runs the fuzzer itself (cargo-fuzz, nightly).
//!
//! A new target: a function here, its line in [`TARGETS`], a file in `targets/`, a `[[bin]]`, and at least one input in the corpus.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A target: takes an input, and says whether it was accepted.
pub type Target = fn(&[u8]) -> bool;

/// Every target by its name, which is also its corpus' folder.
pub const TARGETS: &[(&str, Target)] = &[
    ("note", note),
    ("checkpoint", checkpoint),
    ("tile_path", tile_path),
    ("tlog_proof", tlog_proof),
    ("policy", policy),
    ("add_checkpoint", add_checkpoint),
    ("witness_answer", witness_answer),
    ("log_list", log_list),
    ("map_proof", map_proof),
    ("entry", entry),
    ("submissions", submissions),
    ("cbor", cbor),
    ("sealed_record", sealed_record),
    ("receipt", receipt),
    ("directory", directory),
    ("genesis", genesis),
    ("registerlandkarte", registerlandkarte),
    ("exchange", exchange),
    ("xnachweis", xnachweis),
    ("opening", opening),
    ("bundle", bundle),
];

/// What was accepted is written as the bytes that were read: the format has one encoding.
fn same_text(bytes: &[u8], accepted: &impl Display) {
    assert_eq!(accepted.to_string().as_bytes(), bytes, "accepted another encoding");
}

/// What was accepted reads back as the same value.
fn reads_back<T: FromStr + Display + PartialEq + Debug>(accepted: &T)
where
    T::Err: Debug,
{
    let text = accepted.to_string();
    assert_eq!(text.parse::<T>().as_ref().ok(), Some(accepted), "{text}");
}

fn text<T: FromStr>(bytes: &[u8]) -> Option<T> {
    str::from_utf8(bytes).ok()?.parse().ok()
}

/// Signed notes, their signature lines, and keys in both forms.
pub fn note(bytes: &[u8]) -> bool {
    let mut accepted = text::<tlog::note::SignerKey>(bytes).is_some();
    if let Some(key) = text::<tlog::note::VerifierKey>(bytes) {
        reads_back(&key);
        accepted = true;
    }
    if let Ok(note) = tlog::note::Note::parse(bytes) {
        same_text(bytes, &note);
        assert!(
            note.verify(&[]).is_err(),
            "no key is known, so no line may count as verified"
        );
        accepted = true;
    }
    accepted
}

/// Checkpoints: their text alone, and signed.
pub fn checkpoint(bytes: &[u8]) -> bool {
    if let Ok(note) = tlog::note::Note::parse(bytes) {
        return note.text.parse::<tlog::checkpoint::Checkpoint>().is_ok();
    }
    let checkpoint = text::<tlog::checkpoint::Checkpoint>(bytes);
    checkpoint.inspect(|checkpoint| same_text(bytes, checkpoint)).is_some()
}

/// Paths of tiles and bundles: one path for one tile.
pub fn tile_path(bytes: &[u8]) -> bool {
    let resource = text::<tlog::tile::Resource>(bytes);
    resource.inspect(|resource| same_text(bytes, resource)).is_some()
}

/// tlog-proofs.
pub fn tlog_proof(bytes: &[u8]) -> bool {
    let proof = tlog::proof::TlogProof::parse(bytes);
    proof.inspect(|proof| same_text(bytes, proof)).is_ok()
}

/// Policies of witnesses and logs: comments and spaces are free, so what is accepted reads back.
pub fn policy(bytes: &[u8]) -> bool {
    let Ok(policy) = tlog::policy::Policy::parse(bytes) else {
        return false;
    };
    let written = policy.to_string();
    let again = tlog::policy::Policy::parse(written.as_bytes());
    assert_eq!(again.map(|policy| policy.to_string()).as_deref(), Ok(&*written));
    true
}

/// Requests to a witness.
pub fn add_checkpoint(bytes: &[u8]) -> bool {
    let Ok(request) = tlog::witness::AddCheckpoint::parse(bytes) else {
        return false;
    };
    same_text(bytes, &request);
    assert!(
        tlog::witness::decide(None, None, &request).is_err(),
        "cosigned for no known log"
    );
    true
}

/// Answers of a witness; the first two bytes are the status.
pub fn witness_answer(bytes: &[u8]) -> bool {
    bytes.split_first_chunk::<2>().is_some_and(|(status, body)| {
        let answer = tlog::witness::WitnessAnswer::parse(u16::from_be_bytes(*status), body);
        matches!(answer, tlog::witness::WitnessAnswer::Cosigned(_))
    })
}

/// Lists of logs in the witness network's format: what is accepted reads back.
pub fn log_list(bytes: &[u8]) -> bool {
    let Ok(logs) = tlog::log_list::parse(bytes) else {
        return false;
    };
    let written = tlog::log_list::emit(&logs);
    assert_eq!(tlog::log_list::parse(written.as_bytes()).as_ref(), Ok(&logs));
    true
}

/// Proofs of absence and presence in a map: root (32 bytes), key (32 bytes), then the proof.
pub fn map_proof(bytes: &[u8]) -> bool {
    let Some((root, rest)) = bytes.split_first_chunk::<32>() else {
        return false;
    };
    let Some((key, proof)) = rest.split_first_chunk::<32>() else {
        return false;
    };
    let root = tlog::Hash(*root);
    let absent = tlog::map::verify_absent(&root, key, proof).is_ok();
    let present = tlog::map::verify_present(&root, key, &[0; 40], proof).is_ok();
    assert!(!(absent && present), "present and absent under one root");
    absent || present
}

/// Entries of the log.
pub fn entry(bytes: &[u8]) -> bool {
    let Ok(entry) = record::SignedEntry::parse(bytes) else {
        return false;
    };
    assert_eq!(entry.bytes(), bytes);
    assert_eq!(entry.leaf_hash(), tlog::merkle::leaf_hash(bytes));
    true
}

/// What writers send to the ledger.
pub fn submissions(bytes: &[u8]) -> bool {
    let Ok(all) = record::Submitted::read_all(bytes) else {
        return false;
    };
    let mut written = Vec::new();
    for one in &all {
        one.write(&mut written);
    }
    assert_eq!(written, bytes, "accepted another encoding");
    true
}

fn canonical<T: DeserializeOwned + Serialize>(bytes: &[u8]) -> bool {
    let Ok(value) = record::cbor::from_slice::<T>(bytes) else {
        return false;
    };
    assert_eq!(record::cbor::to_vec(&value), bytes, "accepted another encoding");
    true
}

/// What records say, once opened.
pub fn cbor(bytes: &[u8]) -> bool {
    canonical::<record::content::SharedPart>(bytes)
        || canonical::<record::content::CitizenPart>(bytes)
        || canonical::<record::content::SupervisionPart>(bytes)
}

/// Sealed records.
pub fn sealed_record(bytes: &[u8]) -> bool {
    let sealed = record::sealed::SealedRecord::parse(bytes);
    sealed.inspect(|sealed| assert_eq!(sealed.bytes(), bytes)).is_ok()
}

/// Receipts: a tlog-proof with the entry in it.
pub fn receipt(bytes: &[u8]) -> bool {
    let receipt = record::Receipt::parse(bytes);
    receipt.inspect(|receipt| assert_eq!(receipt.to_bytes(), bytes)).is_ok()
}

/// The directory of participants, and the envelope of signed documents.
pub fn directory(bytes: &[u8]) -> bool {
    let opened = record::directory::Directory::open(bytes, &[]);
    assert!(opened.is_err(), "no authority is known, so none has signed");
    canonical::<record::directory::Directory>(bytes)
}

/// The genesis document.
pub fn genesis(bytes: &[u8]) -> bool {
    record::genesis::GenesisDocument::parse(bytes).is_ok()
}

/// The Registerlandkarte.
pub fn registerlandkarte(bytes: &[u8]) -> bool {
    registerlandkarte::Registerlandkarte::parse(bytes).is_ok()
}

/// The messages of an exchange.
pub fn exchange(bytes: &[u8]) -> bool {
    canonical::<messages::ExchangeRequest>(bytes)
        || canonical::<messages::LabelRequest>(bytes)
        || canonical::<messages::LabelAnswer>(bytes)
        || canonical::<messages::Forward>(bytes)
        || canonical::<messages::Reply>(bytes)
        || canonical::<messages::Completion>(bytes)
        || canonical::<messages::OutcomeNotice>(bytes)
        || canonical::<messages::DisclosureRequest>(bytes)
        || canonical::<messages::Disclosure>(bytes)
}

/// XNachweis: requests, answers, errors.
pub fn xnachweis(bytes: &[u8]) -> bool {
    messages::xnachweis::EvidenceRequest0101::parse(bytes).is_ok()
        || messages::xnachweis::EvidenceResponse0102::parse(bytes).is_ok()
        || messages::xnachweis::EvidenceError0103::parse(bytes).is_ok()
}

/// Citizens' openings.
pub fn opening(bytes: &[u8]) -> bool {
    proof::opening::Opening::parse(bytes).is_ok()
}

/// Bundles, and what is compressed in them.
pub fn bundle(bytes: &[u8]) -> bool {
    proof::bundle::Bundle::parse(bytes).is_ok()
}
