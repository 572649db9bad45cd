//! The path from the genesis hash to the newest version.

use fixtures::sample_log::{SampleLog, authority, idnr};
use proof::bundle::BundleError;
use proof::opening::{MAX_VALUES, MAX_VERSIONS, plan};
use record::{DocumentKind, Phase};
use tlog::checkpoint::Checkpoint;
use tlog::note::SignerKey;
use trust::{History, TrustState};

use super::*;

/// A log with two further versions of the directory, one of which changes a writer.
fn log() -> SampleLog {
    let mut log = SampleLog::new();
    change(&mut log, vec![broker_key(&SigningKey::from_seed([41; 32]))]);
    change(&mut log, vec![other_change(42)]);
    log.map();
    log
}

#[test]
fn an_anchor_without_changes_has_one_version() {
    let log = SampleLog::new();
    let anchor = log.anchor(2);
    assert_eq!(numbers(&anchor), [1]);
    let proved = verify(&log, &anchor).unwrap();
    assert!(proved.quorum());
    assert_eq!(
        (proved.origin().as_str(), *proved.genesis()),
        ("log.example/test", log.genesis())
    );
}

/// Versions in another order, twice, or none at all.
#[test]
fn versions_out_of_order_are_refused() {
    let log = log();
    let anchor = log.anchor(2);
    assert_eq!(numbers(&anchor), [1, 2, 3]);
    let with = |versions: &[usize]| Anchor {
        versions: versions.iter().map(|at| anchor.versions[*at].clone()).collect(),
        ..anchor.clone()
    };
    assert!(verify(&log, &with(&[0, 1, 2])).is_ok());
    for (versions, expected) in [
        (&[0, 2, 1][..], AnchorProblem::Order),
        (&[0, 1, 1, 2], AnchorProblem::Order),
        (&[0, 0, 1, 2], AnchorProblem::Order),
        (&[1, 0, 2], AnchorProblem::First),
        (&[], AnchorProblem::NotNewest),
    ] {
        assert_eq!(refused(&log, &with(versions)), expected, "{versions:?}");
    }
}

/// A set that is in the log twice has its version at the later entry only after a greater one.
#[test]
fn a_version_that_was_logged_again_is_out_of_order() {
    let mut log = log();
    let again = log.anchor(2).versions[1].clone();
    let digest = tlog::Hash::of(&again.header);
    let kind = DocumentKind::Directory;
    let index = log.append_operator(Body::Document { kind, digest });
    let newest = NewestSets {
        directory: Index::new(index).unwrap(),
        ..log.newest()
    };
    let map = map_naming(&mut log, newest);
    let mut anchor = log.anchor(2);
    anchor.versions.push(AnchorVersion {
        receipt: log.receipt(index, 2),
        ..again
    });
    anchor.map_receipt = log.receipt(map, 2);
    assert_eq!(refused(&log, &anchor), AnchorProblem::Order);
    // Version 3 before the entry in which version 2 is repeated.
    let mut anchor = log.anchor(2);
    anchor.versions[1].receipt = log.receipt(index, 2);
    assert_eq!(refused(&log, &anchor), AnchorProblem::Order);
}

/// The first entries of a log, as its operator would have written them or otherwise.
struct Beginning {
    /// The seed of the key that signs entry 0.
    signer: u8,
    kind: DocumentKind,
    genesis: Vec<u8>,
    first: AnchorVersion,
}

/// The seed of the operator's key in a sample log.
const OPERATOR: u8 = 2;

impl Beginning {
    fn genuine() -> Self {
        let anchor = SampleLog::new().anchor(2);
        Self {
            signer: OPERATOR,
            kind: DocumentKind::Genesis,
            genesis: anchor.genesis_document,
            first: anchor.versions[0].clone(),
        }
    }

    /// Makes a log that begins so, and verifies its anchor without a known genesis hash.
    fn verify(self) -> Result<ProvedAnchor, VerifyError> {
        let mut log = SampleLog::bare();
        log.operator = new_broker(self.signer);
        let document = |kind, document: &[u8]| Body::Document {
            kind,
            digest: tlog::Hash::of(document),
        };
        log.append_operator(document(self.kind, &self.genesis));
        log.operator = new_broker(OPERATOR);
        log.append_operator(document(DocumentKind::Directory, &self.first.header));
        log.append_operator(document(DocumentKind::Registry, &[]));
        let newest = NewestSets {
            directory: Index::from(1),
            registerlandkarte: Index::from(2),
        };
        let map = map_naming(&mut log, newest);
        let anchor = Anchor {
            genesis_receipt: log.receipt(0, 2),
            genesis_document: self.genesis,
            versions: vec![AnchorVersion {
                receipt: log.receipt(1, 2),
                ..self.first
            }],
            map_receipt: log.receipt(map, 2),
        };
        anchor.verify(&policy(&log), None)
    }
}

#[test]
fn the_first_entry_is_the_operators_genesis_entry() {
    assert!(Beginning::genuine().verify().is_ok());
    let signed_by_another = Beginning {
        signer: 47,
        ..Beginning::genuine()
    };
    let of_another_kind = Beginning {
        kind: DocumentKind::Directory,
        ..Beginning::genuine()
    };
    for beginning in [signed_by_another, of_another_kind] {
        assert!(matches!(beginning.verify(), Err(VerifyError::Genesis)));
    }
    // A repeated genesis entry is not the log's first one.
    let mut log = SampleLog::new();
    let repeated = log.leaves[0].clone();
    log.tree.append(tlog::merkle::leaf_hash(&repeated)).unwrap();
    log.leaves.push(repeated);
    let mut anchor = log.anchor(2);
    assert!(verify(&log, &anchor).is_ok());
    anchor.genesis_receipt = log.receipt(log.size().get() - 1, 2);
    assert!(matches!(verify(&log, &anchor), Err(VerifyError::Genesis)));
}

#[test]
fn the_first_version_is_the_one_that_the_genesis_document_names() {
    // Another first set, which the authority has signed and the genesis document does not name.
    let log = SampleLog::new();
    let state = log.trust().state();
    let draft = TrustState::new(state.origin().clone(), state.authorities().clone());
    let values = state.directory().iter();
    let values = values.map(|(_, stored)| Operation::put(stored.value()).unwrap());
    let reason = "Eine andere Gründung".parse().unwrap();
    let other = draft.propose(TrustKind::Directory, Timestamp(log.now), reason, values.collect());
    let other = other.unwrap().sign(&[&authority()]).unwrap();
    let beginning = Beginning::genuine();
    let first = AnchorVersion {
        header: other.signed().bytes().to_vec(),
        ..beginning.first.clone()
    };
    let refused_first = Beginning { first, ..beginning }.verify();
    assert!(matches!(
        refused_first,
        Err(VerifyError::Directory(AnchorProblem::First))
    ));
    // The set that it names, in another entry.
    let mut log = log;
    let mut anchor = log.anchor(2);
    let (kind, digest) = (DocumentKind::Directory, tlog::Hash::of(&anchor.versions[0].header));
    let index = log.append_operator(Body::Document { kind, digest });
    anchor.versions[0].receipt = log.receipt(index, 2);
    assert_eq!(refused(&log, &anchor), AnchorProblem::First);
}

#[test]
fn the_header_of_another_log_or_kind_is_refused() {
    let mut log = SampleLog::new();
    let draft = set(&log, vec![other_change(43)], &[&authority()]);
    let mut header = draft.header().clone();
    header.origin = "other.example/log".parse().unwrap();
    let signature = trust::SetSignature::sign(&header, &authority());
    let signed = trust::SignedHeader::new(header, vec![signature]).unwrap();
    let of_other = SignedChangeSet::new(signed, draft.operations().clone()).unwrap();
    let anchor = anchor_with_forged(&mut log, &of_other, Vec::new());
    assert_eq!(refused(&log, &anchor), AnchorProblem::OtherDirectory);

    // A set of the Registerlandkarte in a `directory` entry.
    let mut log = SampleLog::new();
    let reason = "Änderung".parse().unwrap();
    let state = log.trust().state();
    let registry = state.propose(TrustKind::Registerlandkarte, Timestamp(log.now), reason, Vec::new());
    let registry = registry.unwrap().sign(&[&authority()]).unwrap();
    let (kind, digest) = (DocumentKind::Directory, registry.signed().digest());
    let index = log.append_operator(Body::Document { kind, digest });
    let mut anchor = log.anchor(2);
    anchor.versions.push(AnchorVersion {
        receipt: log.receipt(index, 2),
        header: registry.signed().bytes().to_vec(),
        values: Vec::new(),
    });
    assert_eq!(refused(&log, &anchor), AnchorProblem::OtherDirectory);
    // The same set in its own entry, which is no `directory` entry.
    let index = log.append_set(&registry);
    anchor.versions[1].receipt = log.receipt(index, 2);
    assert_eq!(refused(&log, &anchor), AnchorProblem::OtherHeader);
    // A header that the entry does not name.
    let mut anchor = log.anchor(2);
    anchor.versions[0].header = registry.signed().bytes().to_vec();
    assert_eq!(refused(&log, &anchor), AnchorProblem::OtherHeader);
    let mut anchor = log.anchor(2);
    anchor.versions[0].header.pop();
    assert!(matches!(refused(&log, &anchor), AnchorProblem::Header(_)));
}

/// The receipts of an anchor, and the entry that is opened under it, are of one log, even if the policy trusts another.
#[test]
fn receipts_of_another_log_are_refused() {
    let mut log = log();
    log.broker = new_broker(41);
    let (intent, number) = log.intent();
    log.map();
    let key = SignerKey::for_notes("other.example/log".parse().unwrap(), &[44; 32]);
    let checkpoint = Checkpoint::new("other.example/log".parse().unwrap(), log.size(), log.tree.root());
    let note = checkpoint.sign(&[&key]).unwrap().to_string();
    let text = format!("log {}\n{}", key.verifier_key().unwrap(), log.policy());
    let both = Policy::parse(text.as_bytes()).unwrap();
    let other = |index: u64| log.receipt_under(index, note.clone());
    let genuine = log.anchor(2);
    assert!(genuine.verify(&both, Some(&log.genesis())).is_ok());
    let newest = log.newest().directory.get();
    let mut version = genuine.clone();
    version.versions[2].receipt = other(newest);
    let mut map = genuine.clone();
    map.map_receipt = other(log.snapshots.last().unwrap().0);
    for anchor in [version, map] {
        assert!(matches!(anchor.verify(&both, None), Err(VerifyError::OtherLog)));
    }
    let mut genesis = genuine;
    genesis.genesis_receipt = other(0);
    assert!(matches!(genesis.verify(&both, None), Err(VerifyError::Genesis)));
    let mut opening = log.opening(intent, number, Phase::Intent);
    assert!(opening.verify(&both, None).is_ok());
    opening.receipt = other(intent);
    opening.label_proof = None;
    assert!(matches!(opening.verify(&both, None), Err(VerifyError::OtherLog)));
    opening.anchor = None;
    assert!(opening.verify(&both, None).is_ok());
    let mut bundle = log.bundle(&idnr());
    assert!(bundle.verify(&both, None).is_ok());
    bundle.proof.checkpoint = note.clone().into_bytes();
    assert!(matches!(bundle.verify(&both, None), Err(BundleError::OtherLog)));
}

#[test]
fn a_value_of_another_version_is_not_proved() {
    let log = log();
    let genuine = log.anchor(2);
    let with = |values: Vec<ValueProof>| {
        let mut anchor = genuine.clone();
        anchor.versions[2].values = values;
        anchor
    };
    let (broker, ledger) = (writer("broker"), writer("ledger"));
    // Version 1 had another key of the broker, and the ledger's key with other neighbours in the map.
    for key in [&broker, &ledger] {
        let anchor = with(proofs(&log, 1, std::slice::from_ref(key)));
        assert!(matches!(refused(&log, &anchor), AnchorProblem::Value(_)), "{key}");
    }
    assert!(verify(&log, &with(proofs(&log, 3, &[broker.clone(), ledger.clone()]))).is_ok());
    for keys in [[&ledger, &broker], [&ledger, &ledger]] {
        let anchor = with(proofs(&log, 3, &keys.map(Clone::clone)));
        assert_eq!(refused(&log, &anchor), AnchorProblem::Order);
    }
    let anchor = with(proofs(&log, 3, &[Key::identity()]));
    assert_eq!(refused(&log, &anchor), AnchorProblem::Section(Key::identity()));
    let none = writer("nobody");
    let anchor = with(proofs(&log, 3, std::slice::from_ref(&none)));
    assert_eq!(refused(&log, &anchor), AnchorProblem::NoValue(none));
}

#[test]
fn the_map_entry_names_the_last_version() {
    let mut log = log();
    let genuine = log.anchor(2);
    let newest = log.newest();
    let mut with = |newest: NewestSets| {
        let map = map_naming(&mut log, newest);
        let anchor = Anchor {
            map_receipt: log.receipt(map, 2),
            ..genuine.clone()
        };
        verify(&log, &anchor)
    };
    assert!(with(newest).is_ok());
    for directory in [1, newest.directory.get() + 1] {
        let directory = Index::new(directory).unwrap();
        let refused = with(NewestSets { directory, ..newest });
        assert!(matches!(refused, Err(VerifyError::Directory(AnchorProblem::NotNewest))));
    }
    let mut anchor = log.anchor(2);
    anchor.map_receipt = anchor.genesis_receipt.clone();
    assert_eq!(refused(&log, &anchor), AnchorProblem::NoMap);
}

/// A `map` entry that names a set after itself is no evidence of what came between.
#[test]
fn a_map_entry_before_the_version_that_it_names_is_refused() {
    let mut log = SampleLog::new();
    let next = Index::new(log.size().get() + 1).unwrap();
    let newest = NewestSets {
        directory: next,
        ..log.newest()
    };
    let map = map_naming(&mut log, newest);
    assert_eq!(change(&mut log, vec![other_change(45)]), next.get());
    let mut anchor = log.anchor(2);
    anchor.map_receipt = log.receipt(map, 2);
    assert_eq!(refused(&log, &anchor), AnchorProblem::NotNewest);
}

/// A quorum that one receipt lacks is not claimed for the anchor.
#[test]
fn a_missing_quorum_on_any_receipt_is_reported() {
    let log = log();
    let (genuine, few) = (log.anchor(2), log.anchor(1));
    assert!(verify(&log, &genuine).unwrap().quorum());
    let mut anchors = vec![genuine.clone(); 2 + genuine.versions.len()];
    anchors[0].genesis_receipt = few.genesis_receipt;
    anchors[1].map_receipt = few.map_receipt;
    for (at, version) in few.versions.into_iter().enumerate() {
        anchors[2 + at].versions[at] = version;
    }
    for (at, anchor) in anchors.iter().enumerate() {
        assert!(!verify(&log, anchor).unwrap().quorum(), "{at}");
    }
}

#[test]
fn an_anchor_is_bounded() {
    let log = SampleLog::new();
    let mut anchor = log.anchor(2);
    anchor.versions[0].values.clear();
    anchor.versions = vec![anchor.versions[0].clone(); MAX_VERSIONS + 1];
    assert_eq!(refused(&log, &anchor), AnchorProblem::TooMany);
    let mut anchor = log.anchor(2);
    anchor.versions[0].values = vec![anchor.versions[0].values[0].clone(); MAX_VALUES + 1];
    assert_eq!(refused(&log, &anchor), AnchorProblem::TooMany);
}

/// Nothing that a reader would refuse is planned.
#[test]
fn a_plan_needs_the_first_version_and_has_a_bound() {
    let log = log();
    let state = log.trust().state().clone();
    let position = log.trust().newest(TrustKind::Directory).unwrap().position;
    let snapshot = History::starting_at(state, Some(position), None);
    assert!(plan(&snapshot).unwrap_err().to_string().contains("version 3"));
    // Each rotation ends the grant of the version before it, so an anchor has every version.
    let mut log = SampleLog::new();
    for rotation in 1..MAX_VERSIONS {
        let mut seed = [46; 32];
        seed[0] = u8::try_from(rotation).unwrap();
        change(&mut log, vec![broker_key(&SigningKey::from_seed(seed))]);
    }
    log.map();
    assert!(verify(&log, &log.anchor(2)).is_ok());
    change(&mut log, vec![end_broker()]);
    let refused = plan(log.trust()).unwrap_err();
    assert!(refused.to_string().contains("257 versions"), "{refused}");
}

/// Each byte matters: with one changed, the anchor does not verify or lacks the quorum. (A changed name of a witness
/// makes its cosignature one of an unknown witness.)
#[test]
fn no_byte_of_an_anchor_can_be_changed() {
    let log = log();
    let policy = policy(&log);
    let bytes = record::cbor::to_vec(&log.anchor(2));
    for position in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[position] ^= 1;
        let Ok(anchor) = record::cbor::from_slice::<Anchor>(&changed) else {
            continue;
        };
        let verified = anchor.verify(&policy, Some(&log.genesis()));
        assert!(
            verified.is_err() || verified.is_ok_and(|proved| !proved.quorum()),
            "byte {position}"
        );
    }
}
