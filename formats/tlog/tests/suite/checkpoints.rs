//! Checkpoints: their form, their log's signature, and the verdict of a policy.

use tlog::Hash;
use tlog::checkpoint::{Checkpoint, CheckpointError, Origin, SignedCheckpoint};
use tlog::cosignature::{self, MAX_TIMESTAMP};
use tlog::merkle::{EMPTY_ROOT, Size};
use tlog::note::{LineError, Note, NoteError, SignerKey};
use tlog::policy::{Policy, VerdictError};

use crate::vectors::{TIME, VECTORS, cosigner, log_key, log_signer, origin, pq_key, witness_key};

fn text(origin: &str, size: &str, root: &str, rest: &str) -> String {
    format!("{origin}\n{size}\n{root}\n{rest}")
}

#[test]
fn cp_1_cp_2_malformed_texts() {
    let root = EMPTY_ROOT.to_base64();
    let parse = |text: String| text.parse::<Checkpoint>();
    let good = parse(text("go.sum database tree", "0", &root, "ext é\n+\n")).unwrap();
    assert_eq!(good.extensions, ["ext é", "+"]);
    assert_eq!(good.to_string(), text("go.sum database tree", "0", &root, "ext é\n+\n"));
    for size in [
        "",
        "00",
        "01",
        "-1",
        "+1",
        " 1",
        "1 ",
        "1e3",
        "9223372036854775808",
        "18446744073709551616",
    ] {
        assert_eq!(parse(text("o", size, &root, "")), Err(CheckpointError::Size), "{size}");
    }
    for bad in [
        &root[..43],
        "AAAA",
        &root.replace('/', "_"),
        &root.replace("FU=", "FV="),
        &root.replace('=', ""),
    ] {
        assert_eq!(parse(text("o", "0", bad, "")), Err(CheckpointError::Root), "{bad}");
    }
    for rest in ["\n", "a\n\n", "\na\n", "a"] {
        assert_eq!(
            parse(text("o", "0", &root, rest)),
            Err(CheckpointError::Structure),
            "{rest:?}"
        );
    }
    assert_eq!(parse(text("", "0", &root, "")), Err(CheckpointError::Origin));
    assert_eq!(parse("o\n0\n".to_owned()), Err(CheckpointError::Structure));
    assert!("o".repeat(255).parse::<Origin>().is_ok() && "o".repeat(256).parse::<Origin>().is_err());
    assert!("a\nb".parse::<Origin>().is_err() && "a\rb".parse::<Origin>().is_err());
}

#[test]
fn cp_5_the_logs_signature_is_needed() {
    let keys = [log_key()];
    let signed = SignedCheckpoint::open(VECTORS.checkpoint_300.as_bytes(), &origin(), &keys).unwrap();
    assert_eq!(signed.checkpoint().size, Size::from(300));
    assert_eq!(signed.to_string(), VECTORS.checkpoint_300);
    assert_eq!(signed.lines_of(&keys).count(), 1);
    let cosigned = format!("{}\n{}", signed.note().text, VECTORS.cosigv1_line_300);
    let refused = SignedCheckpoint::open(cosigned.as_bytes(), &origin(), &keys);
    assert_eq!(refused, Err(CheckpointError::Note(NoteError::NoKnownSignature)));
    // CP-6: the empty tree has a checkpoint.
    let empty = SignedCheckpoint::open(VECTORS.checkpoint_0.as_bytes(), &origin(), &keys).unwrap();
    assert_eq!(
        (empty.checkpoint().size, empty.checkpoint().root),
        (Size::ZERO, EMPTY_ROOT)
    );
}

#[test]
fn another_log_with_the_same_key_is_refused() {
    let other: Origin = "log.example/other".parse().unwrap();
    let note = Checkpoint::new(other.clone(), Size::ZERO, EMPTY_ROOT)
        .sign(&[&log_signer()])
        .unwrap();
    let refused = SignedCheckpoint::open(note.to_string().as_bytes(), &origin(), &[log_key()]);
    let expected = CheckpointError::OtherLog {
        expected: origin(),
        found: other.clone(),
    };
    assert_eq!(refused, Err(expected));
    let policy: Policy = format!("log {}\nquorum none\n", log_key()).parse().unwrap();
    let verdict = policy.verify_checkpoint(note.to_string().as_bytes());
    assert_eq!(verdict, Err(VerdictError::UnknownLog(other)));
}

#[test]
fn either_key_is_enough_while_a_log_changes_its_key() {
    let old = log_signer();
    let new = SignerKey::for_notes(VECTORS.origin.parse().unwrap(), &[8; 32]);
    let checkpoint = Checkpoint::new(origin(), Size::ZERO, EMPTY_ROOT);
    let keys = [old.verifier_key().unwrap(), new.verifier_key().unwrap()];
    let text = format!("log {}\nlog {}\nquorum none\n", keys[0], keys[1]);
    let policy: Policy = text.parse().unwrap();
    for signers in [vec![&old], vec![&old, &new], vec![&new]] {
        let note = checkpoint.sign(&signers).unwrap().to_string();
        assert!(SignedCheckpoint::open(note.as_bytes(), &origin(), &keys).is_ok());
        assert!(policy.verify_checkpoint(note.as_bytes()).unwrap().unknown().is_empty());
    }
}

#[test]
fn cp_3_extension_lines_need_a_signature_that_covers_them() {
    let mut checkpoint: Checkpoint = Note::parse(VECTORS.checkpoint_300.as_bytes())
        .unwrap()
        .text
        .parse()
        .unwrap();
    checkpoint.extensions.push("extended".to_owned());
    let pq_only = format!("{checkpoint}\n{}", VECTORS.mldsa_line_cp300);
    let refused = SignedCheckpoint::open(pq_only.as_bytes(), &origin(), &[pq_key()]);
    assert_eq!(refused, Err(CheckpointError::UncoveredExtensions));
    let both = format!(
        "{}{}",
        checkpoint.sign(&[&log_signer()]).unwrap(),
        VECTORS.mldsa_line_cp300
    );
    assert!(SignedCheckpoint::open(both.as_bytes(), &origin(), &[log_key(), pq_key()]).is_ok());
}

#[test]
fn cosigners_state_a_time() {
    let text = Note::parse(VECTORS.checkpoint_7.as_bytes()).unwrap().text;
    for time in [0, MAX_TIMESTAMP + 1] {
        assert_eq!(cosignature::cosign(&text, &cosigner(), time), Err(LineError::Timestamp));
    }
    assert_eq!(
        cosignature::cosign(&text, &log_signer(), TIME),
        Err(LineError::WrongKey)
    );
    assert_eq!(
        cosignature::cosign("no checkpoint\n", &cosigner(), TIME),
        Err(LineError::NotACheckpoint)
    );
    let line = cosignature::cosign(&text, &cosigner(), MAX_TIMESTAMP).unwrap();
    assert_eq!(cosignature::verify(&text, &line, &witness_key()), Ok(MAX_TIMESTAMP));
    let mut over = line.clone();
    over.signature[0] = 0x80;
    assert_eq!(
        cosignature::verify(&text, &over, &witness_key()),
        Err(LineError::Timestamp)
    );
    assert_eq!(cosignature::verify(&text, &line, &pq_key()), Err(LineError::WrongKey));
    let mut other_time = line;
    other_time.signature[7] ^= 1;
    assert_eq!(
        cosignature::verify(&text, &other_time, &witness_key()),
        Err(LineError::Signature)
    );
}

#[test]
fn po_4_the_policys_verdict() {
    let policy: Policy = format!(
        "log {}\nwitness ed {}\nwitness pq {}\ngroup both all ed pq\nquorum both\n",
        log_key(),
        witness_key(),
        pq_key()
    )
    .parse()
    .unwrap();
    let verdict_with = |lines: &[&str]| {
        let bytes = format!("{}{}", VECTORS.checkpoint_300, lines.concat());
        policy.verify_checkpoint(bytes.as_bytes())
    };
    let (ed, pq) = (VECTORS.cosigv1_line_300.as_str(), VECTORS.mldsa_line_cp300.as_str());
    assert!(
        !verdict_with(&[]).unwrap().quorum()
            && !verdict_with(&[ed]).unwrap().quorum()
            && !verdict_with(&[pq]).unwrap().quorum()
    );
    let verdict = verdict_with(&[ed, pq, "— someone AAAAAAA=\n"]).unwrap();
    assert!(verdict.quorum());
    let seen: Vec<_> = verdict
        .cosignatures()
        .iter()
        .map(|line| (line.witness.to_str().unwrap(), line.timestamp))
        .collect();
    assert_eq!(seen, [("ed", TIME), ("pq", TIME)]);
    assert_eq!(verdict.unknown().len(), 1);
    assert_eq!(verdict_with(&[ed, ed]).unwrap().cosignatures().len(), 1);
    // A known witness's cosignature of another checkpoint makes the policy refuse the whole checkpoint.
    let refused = verdict_with(&[VECTORS.cosigv1_line_7.as_str(), pq]);
    assert!(matches!(
        refused,
        Err(VerdictError::Checkpoint(CheckpointError::Note(
            NoteError::BadSignature { .. }
        )))
    ));
    let unsigned = Checkpoint::new(origin(), Size::ZERO, Hash([1; 32]));
    assert!(
        policy
            .verify_checkpoint(format!("{unsigned}\n{ed}").as_bytes())
            .is_err()
    );
}

/// The time of two witnesses of three cannot be moved by one of them.
#[test]
fn the_quorums_time_is_one_that_a_whole_quorum_has_reached() {
    let witnesses = [1_u8, 2, 3].map(|n| SignerKey::for_cosignatures(format!("w{n}").parse().unwrap(), &[n; 32]));
    let lines = (1..).zip(&witnesses);
    let lines: String = lines
        .map(|(n, key)| format!("witness w{n} {}\n", key.verifier_key().unwrap()))
        .collect();
    let policy = |quorum: &str| -> Policy {
        let text = format!("log {}\n{lines}group two 2 w1 w2 w3\nquorum {quorum}\n", log_key());
        text.parse().unwrap()
    };
    let note = Checkpoint::new(origin(), Size::ZERO, EMPTY_ROOT);
    let note = note.sign(&[&log_signer()]).unwrap().to_string();
    let text = Note::parse(note.as_bytes()).unwrap().text;
    let time = |policy: &Policy, times: &[(usize, u64)]| {
        let cosigned = times.iter().fold(note.clone(), |note, (witness, time)| {
            let line = cosignature::cosign(&text, &witnesses[*witness], *time).unwrap();
            format!("{note}{line}\n")
        });
        policy.verify_checkpoint(cosigned.as_bytes()).unwrap().quorum_time()
    };
    let two = policy("two");
    assert!(two.needs_witnesses() && !policy("none").needs_witnesses());
    assert_eq!(time(&two, &[]), None);
    assert_eq!(time(&two, &[(0, 50)]), None);
    assert_eq!(time(&two, &[(0, 50), (1, 70)]), Some(50));
    assert_eq!(time(&two, &[(0, 50), (1, 70), (2, 60)]), Some(60));
    assert_eq!(time(&two, &[(0, 50), (1, 70), (2, MAX_TIMESTAMP)]), Some(70));
    assert_eq!(time(&two, &[(0, 50), (1, 70), (2, 1)]), Some(50));
}
