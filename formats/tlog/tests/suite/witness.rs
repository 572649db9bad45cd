//! The witness's decision, step by step, and the client's classification of answers.

use tlog::Hash;
use tlog::checkpoint::Checkpoint;
use tlog::cosignature;
use tlog::merkle::{EMPTY_ROOT, MAX_PROOF, Size, consistency_proof, root};
use tlog::note::{Note, SignerKey};
use tlog::witness::{AddCheckpoint, KnownLog, WitnessAnswer, WitnessRefusal, decide, monitoring_path};

use crate::vectors::{TIME, VECTORS, cosigner, log_key, log_signer, origin, tree, witness_key};

fn known() -> KnownLog {
    KnownLog {
        origin: origin(),
        keys: vec![log_key()],
    }
}

fn request(old: u32, new: u32) -> AddCheckpoint {
    let mut tree = tree(300);
    let (old, new) = (Size::from(old), Size::from(new));
    let checkpoint = Checkpoint::new(origin(), new, root(&mut tree, new).unwrap());
    AddCheckpoint {
        old,
        proof: if old <= new {
            consistency_proof(&mut tree, old, new).unwrap()
        } else {
            vec![]
        },
        checkpoint: checkpoint.sign(&[&log_signer()]).unwrap().to_string(),
    }
}

fn stored(size: u32) -> Option<(Size, Hash)> {
    let size = Size::from(size);
    Some((size, root(&mut tree(300), size).unwrap()))
}

fn status(log: Option<&KnownLog>, stored: Option<(Size, Hash)>, request: &AddCheckpoint) -> u16 {
    decide(log, stored, request).map_or_else(|refusal| refusal.status(), |_| 200)
}

#[test]
fn the_vectors_request_is_cosigned() {
    let request = AddCheckpoint::parse(VECTORS.add_checkpoint_body_7_to_300.as_bytes()).unwrap();
    assert_eq!(request.to_string(), VECTORS.add_checkpoint_body_7_to_300);
    assert_eq!(request, self::request(7, 300));
    let signed = decide(Some(&known()), stored(7), &request).unwrap();
    let line = cosignature::cosign(&signed.note().text, &cosigner(), TIME).unwrap();
    assert_eq!(format!("{line}\n"), VECTORS.cosigv1_line_300);
}

#[test]
fn step_1_malformed_requests() {
    let good = &VECTORS.add_checkpoint_body_7_to_300;
    let hash = format!("{}\n", VECTORS.consistency_7_300[0]);
    let long = |count| format!("old 7\n{}\n{}", hash.repeat(count), VECTORS.checkpoint_300);
    assert!(AddCheckpoint::parse(long(MAX_PROOF).as_bytes()).is_ok());
    for bad in [
        String::new(),
        long(MAX_PROOF + 1),
        good.replace("old 7", "old 07"),
        good.replace("old 7", "old -7"),
        good.replace("old 7", "old 9223372036854775808"),
        good.replace("old 7", "Old 7"),
        good.replace("old 7\n", ""),
        good.replacen(&hash, &hash.replace('=', ""), 1),
        good.replacen(&hash, "\n", 1),
        good.replacen("\n\n", "\n", 1),
        good.replace('\n', "\r\n"),
        good.trim_end().to_owned(),
        format!("{good}\n"),
    ] {
        assert_eq!(
            AddCheckpoint::parse(bad.as_bytes()),
            Err(WitnessRefusal::Malformed),
            "{bad}"
        );
    }
    assert_eq!(WitnessRefusal::Malformed.status(), 400);
    assert_eq!(AddCheckpoint::parse(b"\xff"), Err(WitnessRefusal::Malformed));
}

#[test]
fn steps_2_and_3_whose_checkpoint() {
    let request = request(0, 7);
    assert_eq!(status(None, None, &request), 404);
    let other = KnownLog {
        origin: "log.example/other".parse().unwrap(),
        keys: vec![log_key()],
    };
    assert_eq!(status(Some(&other), None, &request), 404);
    let other_key = SignerKey::for_notes(VECTORS.origin.parse().unwrap(), &[1; 32])
        .verifier_key()
        .unwrap();
    let mut log = KnownLog {
        keys: vec![other_key],
        ..known()
    };
    assert_eq!(status(Some(&log), None, &request), 403);
    // One of two keys is enough. Lines of unknown keys are ignored, but a bad line of a known key is refused.
    log.keys.push(log_key());
    assert_eq!(status(Some(&log), None, &request), 200);
    let mut more = request.clone();
    more.checkpoint += "— someone AAAAAAA=\n";
    assert_eq!(status(Some(&log), None, &more), 200);
    let mut bad = request;
    let mut note = Note::parse(bad.checkpoint.as_bytes()).unwrap();
    note.signatures[0].signature[0] ^= 1;
    bad.checkpoint = note.to_string();
    assert_eq!(status(Some(&log), None, &bad), 403);
}

#[test]
fn steps_4_and_5_sizes() {
    let log = known();
    assert_eq!(status(Some(&log), stored(300), &request(300, 7)), 400);
    let refusal = decide(Some(&log), stored(8), &request(7, 300)).unwrap_err();
    assert_eq!((refusal.status(), refusal.body()), (409, "8\n".to_owned()));
    let refusal = decide(Some(&log), None, &request(7, 300)).unwrap_err();
    assert_eq!((refusal.status(), refusal.body()), (409, "0\n".to_owned()));
    // WI-4: the log's first request to a witness that has already cosigned a checkpoint.
    let refusal = decide(Some(&log), stored(7), &request(0, 300)).unwrap_err();
    assert_eq!(
        WitnessAnswer::parse(refusal.status(), refusal.body().as_bytes()),
        WitnessAnswer::Resync(Size::from(7))
    );
}

#[test]
fn steps_6_and_7_consistency() {
    let log = known();
    let sign = |size, root| {
        Checkpoint::new(origin(), size, root)
            .sign(&[&log_signer()])
            .unwrap()
            .to_string()
    };
    // The empty tree.
    let mut empty = request(0, 0);
    assert_eq!(status(Some(&log), None, &empty), 200);
    empty.checkpoint = sign(Size::ZERO, Hash([1; 32]));
    assert_eq!(status(Some(&log), None, &empty), 422);
    // From size 0, the proof must be empty.
    let mut first = request(0, 7);
    assert_eq!(status(Some(&log), None, &first), 200);
    first.proof.push(EMPTY_ROOT);
    assert_eq!(status(Some(&log), None, &first), 422);
    // WI-5: the same size again, with the same root and with another.
    let mut again = request(7, 7);
    assert_eq!(status(Some(&log), stored(7), &again), 200);
    again.checkpoint = sign(Size::from(7), Hash([1; 32]));
    assert_eq!(status(Some(&log), stored(7), &again), 422);
    // A larger tree with its proof, after another history, and without the full proof.
    let mut growth = request(7, 300);
    assert_eq!(status(Some(&log), stored(7), &growth), 200);
    assert_eq!(status(Some(&log), Some((Size::from(7), Hash([1; 32]))), &growth), 422);
    growth.proof.pop();
    assert_eq!(status(Some(&log), stored(7), &growth), 422);
}

#[test]
fn answers_are_classified() {
    let line: tlog::note::SignatureLine = VECTORS.cosigv1_line_7.trim_end().parse().unwrap();
    assert_eq!(
        WitnessAnswer::parse(200, VECTORS.cosigv1_line_7.as_bytes()),
        WitnessAnswer::Cosigned(vec![line])
    );
    assert_eq!(WitnessAnswer::parse(200, b"hello"), WitnessAnswer::Refused(200));
    assert_eq!(
        WitnessAnswer::parse(409, b"12\n"),
        WitnessAnswer::Resync(Size::from(12))
    );
    assert_eq!(WitnessAnswer::parse(409, b""), WitnessAnswer::Alarm(409));
    assert_eq!(WitnessAnswer::parse(409, b"012\n"), WitnessAnswer::Alarm(409));
    assert_eq!(WitnessAnswer::parse(422, b""), WitnessAnswer::Alarm(422));
    for status in [429, 500, 503] {
        assert_eq!(WitnessAnswer::parse(status, b""), WitnessAnswer::Retry);
    }
    for status in [400, 403, 404, 302] {
        assert_eq!(WitnessAnswer::parse(status, b""), WitnessAnswer::Refused(status));
    }
    // WI-3: the lines of an answer are signatures on the checkpoint of the request.
    let whole = format!("{}{}", VECTORS.checkpoint_7, VECTORS.cosigv1_line_7);
    let opened = Note::open(whole.as_bytes(), &[&log_key(), &witness_key()]).unwrap();
    assert_eq!(opened.verified()[1].timestamp, Some(TIME));
}

#[test]
fn the_monitoring_path_contains_the_hash_of_the_origin() {
    let hash = Hash::of(VECTORS.origin.as_bytes());
    assert_eq!(monitoring_path(&origin()), format!("{hash}/checkpoint"));
}
