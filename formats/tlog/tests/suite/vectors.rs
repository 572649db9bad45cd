//! `testdata/vectors.json`: a log of the 300 entries `entry-0` … `entry-299`, with its checkpoints, proofs and tiles.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use ml_dsa::{KeyInit as _, MlDsa44, SignatureEncoding as _};
use serde::Deserialize;
use tlog::checkpoint::{Checkpoint, Origin};
use tlog::cosignature::{self, SubtreeStatement};
use tlog::encoding::{from_hex, from_hex_array, to_hex};
use tlog::merkle::{self, Index, MemoryTree, Size, Subtree, leaf_hash};
use tlog::note::{Algorithm, Note, SignatureLine, SignerKey, VerifierKey};
use tlog::tile::{Bundle, Resource, Tile, decode_bundle, encode_bundle, tiles_for_size};
use tlog::{Hash, note};

pub(crate) const TIME: u64 = 1_767_225_600;

#[derive(Deserialize)]
pub(crate) struct Vectors {
    pub(crate) origin: String,
    pub(crate) log_seed_hex: String,
    pub(crate) log_pk_hex: String,
    pub(crate) log_vkey: String,
    pub(crate) log_skey_go: String,
    pub(crate) witness_seed_hex: String,
    pub(crate) witness_pk_hex: String,
    pub(crate) witness_vkey: String,
    pub(crate) roots: BTreeMap<u32, Hash64>,
    pub(crate) checkpoint_7: String,
    pub(crate) checkpoint_300: String,
    pub(crate) checkpoint_0: String,
    pub(crate) cosigv1_msg_7: String,
    pub(crate) cosigv1_line_7: String,
    pub(crate) cosigv1_line_300: String,
    pub(crate) consistency_7_300: Vec<String>,
    pub(crate) inclusion_123_300: Vec<String>,
    pub(crate) add_checkpoint_body_7_to_300: String,
    pub(crate) tlog_proof_123_300: String,
    pub(crate) tile_0_000_sha256: String,
    #[serde(rename = "tile_0_001.p_44_sha256")]
    pub(crate) tile_0_001_p_44_sha256: String,
    #[serde(rename = "tile_1_000.p_1_hex")]
    pub(crate) tile_1_000_p_1_hex: String,
    pub(crate) entries_000_sha256: String,
    #[serde(rename = "entries_001.p_44_sha256")]
    pub(crate) entries_001_p_44_sha256: String,
    #[serde(rename = "entries_000.p_2_hex")]
    pub(crate) entries_000_p_2_hex: String,
    pub(crate) sub_256_300_root: String,
    pub(crate) subproof_256_300_in_300: Vec<String>,
    pub(crate) subproof_8_13_in_14: Vec<String>,
    pub(crate) mldsa_seed_hex: String,
    pub(crate) mldsa_pk_sha256: String,
    pub(crate) mldsa_name: String,
    pub(crate) mldsa_keyid: String,
    pub(crate) mldsa_vkey: String,
    pub(crate) mldsa_msg_cp300_hex: String,
    pub(crate) mldsa_msg_cp300_sha256: String,
    pub(crate) mldsa_msg_sub256_300_hex: String,
    pub(crate) mldsa_line_cp300: String,
    pub(crate) mldsa_deterministic_sig_sha256_cp300: String,
}

/// A hash in hex.
#[derive(Deserialize)]
pub(crate) struct Hash64(String);

pub(crate) static VECTORS: LazyLock<Vectors> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../testdata/vectors.json")).unwrap());

pub(crate) fn entries() -> Vec<Vec<u8>> {
    (0..300).map(|n| format!("entry-{n}").into_bytes()).collect()
}

pub(crate) fn tree(size: usize) -> MemoryTree {
    let mut tree = MemoryTree::new();
    for entry in &entries()[..size] {
        tree.append(leaf_hash(entry)).unwrap();
    }
    tree
}

pub(crate) fn log_signer() -> SignerKey {
    VECTORS.log_skey_go.parse().unwrap()
}

pub(crate) fn log_key() -> VerifierKey {
    VECTORS.log_vkey.parse().unwrap()
}

pub(crate) fn cosigner() -> SignerKey {
    let seed = from_hex_array(&VECTORS.witness_seed_hex).unwrap();
    SignerKey::for_cosignatures("witness.example/w1".parse().unwrap(), &seed)
}

pub(crate) fn witness_key() -> VerifierKey {
    VECTORS.witness_vkey.parse().unwrap()
}

pub(crate) fn pq_key() -> VerifierKey {
    VECTORS.mldsa_vkey.parse().unwrap()
}

pub(crate) fn origin() -> Origin {
    VECTORS.origin.parse().unwrap()
}

fn base64s(hashes: &[Hash]) -> Vec<String> {
    hashes.iter().map(Hash::to_base64).collect()
}

fn line(text: &str) -> SignatureLine {
    text.strip_suffix('\n').unwrap().parse().unwrap()
}

#[test]
fn keys_are_those_of_the_vectors() {
    let v = &*VECTORS;
    let (log, witness, pq) = (log_key(), witness_key(), pq_key());
    assert_eq!(
        (log.to_string(), witness.to_string()),
        (v.log_vkey.clone(), v.witness_vkey.clone())
    );
    assert_eq!(pq.to_string(), v.mldsa_vkey);
    assert_eq!(
        (log.id().to_string(), witness.id().to_string()),
        ("74538357".into(), "20324abe".into())
    );
    assert_eq!(pq.id().to_string(), v.mldsa_keyid);
    assert_eq!(log.algorithm(), Algorithm::Ed25519);
    assert_eq!(witness.algorithm(), Algorithm::CosignatureV1);
    assert_eq!(pq.algorithm(), Algorithm::SubtreeV1);
    assert_eq!(to_hex(&log.public_key()), v.log_pk_hex);
    assert_eq!(to_hex(&witness.public_key()), v.witness_pk_hex);
    assert_eq!(Hash::of(&pq.public_key()).to_string(), v.mldsa_pk_sha256);
    assert_eq!(log_signer().verifier_key().unwrap(), log);
    assert_eq!(cosigner().verifier_key().unwrap(), witness);
    let seed = from_hex_array(&v.log_seed_hex).unwrap();
    let signer = SignerKey::for_notes(v.origin.parse().unwrap(), &seed);
    assert_eq!(*signer.to_private_text(), v.log_skey_go);
}

#[test]
fn mt_1_roots() {
    assert_eq!(VECTORS.roots.len(), 11);
    let mut tree = tree(300);
    for (size, root) in &VECTORS.roots {
        let computed = merkle::root(&mut tree, Size::from(*size)).unwrap();
        assert_eq!(computed.to_string(), root.0, "{size}");
    }
}

#[test]
fn mt_2_mt_3_proofs() {
    let mut tree = tree(300);
    let size = Size::from(300);
    let inclusion = merkle::inclusion_proof(&mut tree, Index::from(123), size).unwrap();
    assert_eq!(base64s(&inclusion), VECTORS.inclusion_123_300);
    let consistency = merkle::consistency_proof(&mut tree, Size::from(7), size).unwrap();
    assert_eq!(base64s(&consistency), VECTORS.consistency_7_300);
    let right = Subtree::new(256, 300).unwrap();
    let proof = merkle::subtree_proof(&mut tree, right, size).unwrap();
    assert_eq!(base64s(&proof), VECTORS.subproof_256_300_in_300);
    let hash = merkle::subtree_hash(&mut tree, right).unwrap();
    assert_eq!(hash.to_string(), VECTORS.sub_256_300_root);
    let inner = Subtree::new(8, 13).unwrap();
    let proof = merkle::subtree_proof(&mut tree, inner, Size::from(14)).unwrap();
    assert_eq!(base64s(&proof), VECTORS.subproof_8_13_in_14);
}

#[test]
fn signed_checkpoints_are_those_of_the_vectors() {
    let mut tree = tree(300);
    for (size, expected) in [
        (0, &VECTORS.checkpoint_0),
        (7, &VECTORS.checkpoint_7),
        (300, &VECTORS.checkpoint_300),
    ] {
        let size = Size::from(size);
        let root = merkle::root(&mut tree, size).unwrap();
        let checkpoint = Checkpoint::new(origin(), size, root);
        assert_eq!(checkpoint.sign(&[&log_signer()]).unwrap().to_string(), *expected);
    }
}

#[test]
fn ed25519_cosignatures_are_those_of_the_vectors() {
    let text = Note::parse(VECTORS.checkpoint_7.as_bytes()).unwrap().text;
    assert_eq!(
        cosignature::cosignature_message(&text, TIME),
        VECTORS.cosigv1_msg_7.as_bytes()
    );
    let made = cosignature::cosign(&text, &cosigner(), TIME).unwrap();
    assert_eq!(format!("{made}\n"), VECTORS.cosigv1_line_7);
    assert_eq!(cosignature::verify(&text, &made, &witness_key()), Ok(TIME));
}

#[test]
fn ml_dsa_cosignatures_verify_and_have_the_vectors_message() {
    let v = &*VECTORS;
    let (key, origin) = (pq_key(), origin());
    let name = v.mldsa_name.parse().unwrap();
    let text = Note::parse(v.checkpoint_300.as_bytes()).unwrap().text;
    assert_eq!(cosignature::verify(&text, &line(&v.mldsa_line_cp300), &key), Ok(TIME));

    let checkpoint: Checkpoint = text.parse().unwrap();
    let statement = SubtreeStatement {
        cosigner: &name,
        timestamp: TIME,
        origin: &origin,
        subtree: Subtree::whole(checkpoint.size),
        hash: checkpoint.root,
    };
    let message = statement.message().unwrap();
    assert_eq!(to_hex(&message), v.mldsa_msg_cp300_hex);
    assert_eq!(Hash::of(&message).to_string(), v.mldsa_msg_cp300_sha256);

    // Deterministic signing with the same key gives the signature of the other implementation.
    let seed: [u8; 32] = from_hex_array(&v.mldsa_seed_hex).unwrap();
    let signer = ml_dsa::SigningKey::<MlDsa44>::new(&seed.into());
    let signature = signer
        .expanded_key()
        .sign_deterministic(&message, &[])
        .unwrap()
        .to_bytes();
    assert_eq!(signature.len(), 2420);
    assert_eq!(Hash::of(&signature).to_string(), v.mldsa_deterministic_sig_sha256_cp300);

    let subtree = SubtreeStatement {
        timestamp: 0,
        subtree: Subtree::new(256, 300).unwrap(),
        hash: v.sub_256_300_root.parse().unwrap(),
        ..statement
    };
    let message = subtree.message().unwrap();
    assert_eq!(to_hex(&message), v.mldsa_msg_sub256_300_hex);
    let signature = signer
        .expanded_key()
        .sign_deterministic(&message, &[])
        .unwrap()
        .to_bytes();
    let on_subtree = SignatureLine {
        name: name.clone(),
        id: key.id(),
        signature: [&0_u64.to_be_bytes()[..], &signature].concat(),
    };
    assert_eq!(subtree.verify(&on_subtree, &key), Ok(()));
    let mut timed = on_subtree.clone();
    timed.signature[7] = 1;
    assert_eq!(subtree.verify(&timed, &key), Err(note::LineError::Timestamp));
    // A line on a subtree is not a cosignature of the checkpoint.
    assert!(cosignature::verify(&text, &on_subtree, &key).is_err());
}

#[test]
fn cs_5_a_subtree_has_no_time() {
    let (name, origin) = (VECTORS.mldsa_name.parse().unwrap(), origin());
    let statement = SubtreeStatement {
        cosigner: &name,
        timestamp: TIME,
        origin: &origin,
        subtree: Subtree::new(256, 300).unwrap(),
        hash: Hash([0; 32]),
    };
    assert_eq!(statement.message(), Err(note::LineError::Timestamp));
}

#[test]
fn tiles_and_bundles_are_those_of_the_vectors() {
    let v = &*VECTORS;
    let mut tree = tree(300);
    let size = tree.size();
    let mut contents = BTreeMap::new();
    for tile in tiles_for_size(size) {
        let mut bytes = Vec::new();
        for at in 0..u64::from(tile.width()) {
            let hash = merkle::HashReader::read(&mut tree, 8 * tile.level(), 256 * tile.index() + at).unwrap();
            bytes.extend(hash.0);
        }
        contents.insert(tile.to_string(), bytes);
    }
    assert_eq!(contents.len(), 3);
    assert_eq!(Hash::of(&contents["tile/0/000"]).to_string(), v.tile_0_000_sha256);
    assert_eq!(
        Hash::of(&contents["tile/0/001.p/44"]).to_string(),
        v.tile_0_001_p_44_sha256
    );
    assert_eq!(to_hex(&contents["tile/1/000.p/1"]), v.tile_1_000_p_1_hex);

    let entries = entries();
    let first = encode_bundle(&entries[..256]).unwrap();
    let second = encode_bundle(&entries[256..]).unwrap();
    assert_eq!(Hash::of(&first).to_string(), v.entries_000_sha256);
    assert_eq!(Hash::of(&second).to_string(), v.entries_001_p_44_sha256);
    assert_eq!(to_hex(&encode_bundle(&entries[..2]).unwrap()), v.entries_000_p_2_hex);
    assert_eq!(decode_bundle(&second, 44).unwrap(), entries[256..]);
    assert_eq!(
        "tile/0/001.p/44".parse(),
        Ok(Resource::Tile(Tile::new(0, 1, 44).unwrap()))
    );
    let bundle = Bundle::of_tree(1, size).unwrap();
    assert_eq!(bundle.to_string(), "tile/entries/001.p/44");
    assert_eq!(bundle.tile().to_string(), "tile/0/001.p/44");
    assert_eq!(from_hex(&v.entries_000_p_2_hex).unwrap().len(), 18);
}

#[test]
fn sn_9_a_key_signs_a_note_once() {
    let (log, renamed) = (log_signer(), SignerKey::for_notes("other".parse().unwrap(), &[1; 32]));
    assert_eq!(note::sign("a\n", &[&log, &renamed]).unwrap().signatures.len(), 2);
    assert_eq!(note::sign("a\n", &[&log, &log]), Err(note::NoteError::Signers));
    assert_eq!(note::sign("a\n", &[]), Err(note::NoteError::Signers));
    assert_eq!(note::sign("a", &[&log]), Err(note::NoteError::Text));
    assert_eq!(note::sign("a\r\n", &[&log]), Err(note::NoteError::Text));
    let cosigner = cosigner();
    assert_eq!(
        note::sign("a\n", &[&cosigner]),
        Err(note::NoteError::NotANoteKey(cosigner.name().clone()))
    );
}
