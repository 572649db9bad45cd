//! Receipts: tlog-proof files.

use tlog::Hash;
use tlog::merkle::{Index, ProofError, leaf_hash};
use tlog::note::NoteError;
use tlog::policy::{Policy, VerdictError};
use tlog::proof::{MAX_EXTRA, ProofFileError, TlogProof, VerifyError};

use crate::vectors::{TIME, VECTORS, log_key, witness_key};

fn policy() -> Policy {
    let text = format!("log {}\nwitness w {}\nquorum w\n", log_key(), witness_key());
    text.parse().unwrap()
}

fn leaf() -> Hash {
    leaf_hash(b"entry-123")
}

#[test]
fn the_vector_verifies() {
    let proof: TlogProof = VECTORS.tlog_proof_123_300.parse().unwrap();
    assert_eq!(proof.to_string(), VECTORS.tlog_proof_123_300);
    assert_eq!(proof.extra.as_deref(), Some(&b"hello"[..]));
    let verified = proof.verify(&leaf(), &policy()).unwrap();
    assert!(verified.quorum());
    assert_eq!(verified.index(), Index::from(123));
    assert_eq!(verified.checkpoint().size.get(), 300);
    assert_eq!(verified.cosignatures()[0].witness.to_str(), Some("w"));
    assert_eq!(verified.cosignatures()[0].timestamp, TIME);
}

#[test]
fn a_receipt_without_cosignatures_has_no_quorum() {
    let mut proof: TlogProof = VECTORS.tlog_proof_123_300.parse().unwrap();
    proof.checkpoint.clone_from(&VECTORS.checkpoint_300);
    let verified = proof.verify(&leaf(), &policy()).unwrap();
    assert!(!verified.quorum() && verified.cosignatures().is_empty());
}

#[test]
fn other_leaves_and_indices_are_not_proved() {
    let proof: TlogProof = VECTORS.tlog_proof_123_300.parse().unwrap();
    let refused = proof.verify(&leaf_hash(b"entry-124"), &policy());
    assert_eq!(refused, Err(VerifyError::Inclusion(ProofError::RootMismatch)));
    // The right leaf at every other index is refused, by the shape of the proof or by the root.
    for index in (0..400).filter(|index| *index != 123) {
        let text = VECTORS
            .tlog_proof_123_300
            .replace("index 123", &format!("index {index}"));
        match text.parse::<TlogProof>() {
            Ok(proof) => assert!(proof.verify(&leaf(), &policy()).is_err(), "{index}"),
            Err(error) => assert_eq!(error, ProofFileError::Shape, "{index}"),
        }
    }
    let unknown: Policy = "quorum none\n".parse().unwrap();
    assert!(matches!(
        proof.verify(&leaf(), &unknown),
        Err(VerifyError::Checkpoint(VerdictError::UnknownLog(_)))
    ));
}

#[test]
fn tp_1_tp_2_malformed_files() {
    let good = &VECTORS.tlog_proof_123_300;
    let first_hash = format!("{}\n", VECTORS.inclusion_123_300[0]);
    let refused = [
        good.replace("@v1", "@v2"),
        good.replacen("c2sp", " c2sp", 1),
        good.replace("index 123", "index 0123"),
        good.replace("index 123", "index +123"),
        good.replace("index 123", "index  123"),
        good.replace("index 123", "index 300"),
        good.replace("index 123", "index 9223372036854775808"),
        good.replace("index 123\n", ""),
        good.replace("extra aGVsbG8=\n", "extra aGVsbG8\n"),
        good.replace("extra aGVsbG8=\n", "extra aGVsbG8=\nextra aGVsbG8=\n"),
        good.replace("extra aGVsbG8=\nindex 123\n", "index 123\nextra aGVsbG8=\n"),
        good.replace("extra aGVsbG8=", "extra"),
        good.replacen(&first_hash, "", 1),
        good.replacen(&first_hash, &first_hash.repeat(2), 1),
        good.replacen(&first_hash, &first_hash.repeat(60), 1),
        good.replacen(&first_hash, &first_hash.replace('=', ""), 1),
        good.replacen("\n\nlog", "\n\n\nlog", 1),
        good.replacen("\n\nlog", "\nlog", 1),
        good.replace('\n', "\r\n"),
        good.replace("\n300\n", "\n0300\n"),
        good.trim_end().to_owned(),
        format!("{good}\n"),
        format!("{good}x"),
        format!("\n{good}"),
        String::new(),
        "\n\n".to_owned(),
    ];
    for text in refused {
        assert!(text.parse::<TlogProof>().is_err(), "{text}");
    }
    assert!(TlogProof::parse(b"\xff").is_err());
}

#[test]
fn tp_3_extra_is_optional_and_bounded() {
    let good = &VECTORS.tlog_proof_123_300;
    for (line, extra) in [("", None), ("extra \n", Some(vec![]))] {
        let text = good.replace("extra aGVsbG8=\n", line);
        let proof: TlogProof = text.parse().unwrap();
        assert_eq!(proof.extra, extra);
        assert_eq!(proof.to_string(), text);
        assert!(proof.verify(&leaf(), &policy()).is_ok());
    }
    let mut proof: TlogProof = good.parse().unwrap();
    proof.extra = Some(vec![7; MAX_EXTRA]);
    assert_eq!(proof.to_string().parse(), Ok(proof.clone()));
    proof.extra = Some(vec![7; MAX_EXTRA + 1]);
    assert!(proof.to_string().parse::<TlogProof>().is_err());
}

#[test]
fn the_cosignature_of_a_known_witness_must_verify() {
    let mut proof: TlogProof = VECTORS.tlog_proof_123_300.parse().unwrap();
    proof.checkpoint = proof
        .checkpoint
        .replace(&VECTORS.cosigv1_line_300, &VECTORS.cosigv1_line_7);
    let Err(VerifyError::Checkpoint(VerdictError::Checkpoint(error))) = proof.verify(&leaf(), &policy()) else {
        panic!("accepted a cosignature of another checkpoint");
    };
    assert!(matches!(
        error,
        tlog::checkpoint::CheckpointError::Note(NoteError::BadSignature { .. })
    ));
}

#[test]
fn the_receipt_of_a_trees_only_entry_verifies() {
    let key = crate::vectors::log_signer();
    let leaf = leaf_hash(b"only");
    let checkpoint = tlog::checkpoint::Checkpoint::new(crate::vectors::origin(), 1.into(), leaf);
    let proof = TlogProof {
        extra: None,
        index: Index::ZERO,
        hashes: vec![],
        checkpoint: checkpoint.sign(&[&key]).unwrap().to_string(),
    };
    let again: TlogProof = proof.to_string().parse().unwrap();
    assert_eq!(again, proof);
    assert!(again.verify(&leaf, &policy()).is_ok());
}
