#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use coset::{CoseSign1, TaggedCborSerializable as _};
use proptest::prelude::*;

use super::*;
use crate::{SignatureError, SigningKey, cose};

const LEAF_HEAD: usize = 43;

fn writer() -> SigningKey {
    SigningKey::from_seed([1; 32])
}

fn unsigned(body: Body) -> Unsigned {
    Unsigned {
        sequence: Sequence(7),
        previous: Hash([0x55; 32]),
        time: Timestamp(0x6500_0000),
        body,
    }
}

fn labelled(kind: LabelledKind, refers: Option<u64>) -> Body {
    Body::Labelled {
        kind,
        period: Period(3),
        label: Label([0x77; 32]),
        commitment: Commitment(Hash([0x88; 32])),
        refers: refers.map(|index| Index::new(index).unwrap()),
    }
}

fn document(kind: DocumentKind) -> Body {
    Body::Document {
        kind,
        digest: Hash([0xaa; 32]),
    }
}

fn reference(kind: ReferenceKind) -> Body {
    Body::Reference {
        kind,
        refers: Index::new(41).unwrap(),
    }
}

fn map(roots: Vec<(Period, Hash)>) -> Body {
    let newest = NewestSets {
        directory: Index::from(1_u32),
        registerlandkarte: Index::from(2_u32),
    };
    Body::Map { roots, newest }
}

fn period(event: PeriodEvent) -> Body {
    Body::Period {
        period: Period(3),
        event,
    }
}

/// One entry of every kind with its name in `testdata/vectors.json` and its size.
fn samples() -> Vec<(&'static str, Unsigned, usize)> {
    let begin = PeriodEvent::Begin {
        vrf_key: [0xcc; 32],
        start: Timestamp(0x6510_0000),
    };
    let roots = vec![(Period(0), Hash([0xd0; 32])), (Period(3), Hash([0xd1; 32]))];
    let mut genesis = unsigned(document(DocumentKind::Genesis));
    genesis.sequence = Sequence::FIRST;
    genesis.previous = Hash([0; 32]);
    let mut samples = vec![("genesis", genesis, 208)];
    for (name, body, size) in [
        ("directory", document(DocumentKind::Directory), 208),
        ("registry", document(DocumentKind::Registry), 208),
        ("period-begin", period(begin), 227),
        (
            "period-final",
            period(PeriodEvent::Final { root: Hash([0xd1; 32]) }),
            227,
        ),
        ("period-destroyed", period(PeriodEvent::Destroyed), 227),
        ("map", map(roots), 273),
        ("intent", labelled(LabelledKind::Intent, None), 259),
        ("outcome", labelled(LabelledKind::Outcome, Some(41)), 259),
        (
            "denial",
            Body::Denial {
                commitment: Commitment(Hash([0x88; 32])),
            },
            208,
        ),
        ("preview", labelled(LabelledKind::Preview, Some(41)), 259),
        ("void", labelled(LabelledKind::Void, None), 259),
        ("lost", reference(ReferenceKind::Lost), 183),
        ("inspection", labelled(LabelledKind::Inspection, None), 259),
        ("hold", reference(ReferenceKind::Hold), 183),
        ("hold-release", reference(ReferenceKind::HoldRelease), 183),
        ("rectification", reference(ReferenceKind::Rectification), 183),
        ("erasure", document(DocumentKind::Erasure), 208),
    ] {
        samples.push((name, unsigned(body), size));
    }
    samples
}

/// Signs any payload, to test the reader with a writer that breaks the rules.
fn signed(payload: &[u8]) -> Vec<u8> {
    cose::sign(payload, &[], &writer())
}

fn payload_of(body: Body) -> Vec<u8> {
    let Unsigned {
        sequence,
        previous,
        time,
        body,
    } = unsigned(body);
    wire::payload(&Entry {
        writer: writer().id(),
        sequence,
        previous,
        time,
        body,
    })
}

fn refusal(bytes: &[u8]) -> EntryError {
    SignedEntry::parse(bytes).unwrap_err()
}

#[test]
fn entries_of_every_kind_match_the_vectors() {
    let vectors: serde_json::Value = serde_json::from_str(include_str!("../../testdata/vectors.json")).unwrap();
    assert_eq!(vectors["public_key"], hex::encode(writer().public().as_bytes()));
    let samples = samples();
    assert_eq!(vectors["entries"].as_object().unwrap().len(), samples.len());
    for (name, unsigned, size) in samples {
        let vector = &vectors["entries"][name];
        let entry = writer().sign(unsigned).unwrap();
        assert_eq!(vector["leaf"], hex::encode(entry.bytes()), "{name}");
        assert_eq!(vector["leaf_hash"], entry.leaf_hash().to_string(), "{name}");
        assert_eq!(entry.bytes().len(), size, "{name}");
        assert!(name.starts_with(entry.entry().body.kind().as_str()), "{name}");
    }
    assert_eq!(vectors["period_label_begin_3"], period_label(Period(3), 0).to_string());
}

/// Another implementation, coset, reads the same fields from the bytes, and its to-be-signed bytes verify.
#[test]
fn coset_reads_the_same_entries() {
    for (name, unsigned, _) in samples() {
        let entry = writer().sign(unsigned).unwrap();
        let sign1 = CoseSign1::from_tagged_slice(entry.bytes()).unwrap();
        assert_eq!(sign1.protected.header.key_id, writer().id().0.as_bytes(), "{name}");
        assert_eq!(
            sign1.protected.header.alg,
            Some(coset::RegisteredLabelWithPrivate::Assigned(
                coset::iana::Algorithm::EdDSA
            ))
        );
        assert!(sign1.unprotected.is_empty());
        let verify =
            |signature: &[u8], message: &[u8]| writer().public().verify(message, signature.try_into().unwrap());
        assert_eq!(sign1.verify_signature(&[], verify), Ok(()));
        assert_eq!(sign1.to_tagged_vec().unwrap(), entry.bytes());
    }
}

#[test]
fn written_entries_are_read_back() {
    for (name, unsigned, _) in samples() {
        let entry = writer().sign(unsigned.clone()).unwrap();
        let read = SignedEntry::parse(entry.bytes()).unwrap();
        assert_eq!(read, entry, "{name}");
        assert_eq!(read.entry().body, unsigned.body);
        assert_eq!(read.entry().writer, writer().id());
        assert_eq!(read.verify(&writer().public()), Ok(()));
        assert_eq!(
            read.verify(&SigningKey::from_seed([2; 32]).public()),
            Err(SignatureError)
        );
        assert_eq!(read.clone().into_bytes(), entry.bytes());
    }
}

/// Either the parser or the signature detects every single flipped bit.
#[test]
fn any_changed_bit_is_refused() {
    let key = writer().public();
    for (name, unsigned, _) in samples() {
        let entry = writer().sign(unsigned).unwrap();
        for at in 0..entry.bytes().len() {
            for bit in 0..8 {
                let mut changed = entry.bytes().to_vec();
                changed[at] ^= 1 << bit;
                let accepted = SignedEntry::parse(changed).is_ok_and(|entry| entry.verify(&key).is_ok());
                assert!(!accepted, "{name}: byte {at}, bit {bit}");
            }
        }
    }
}

#[test]
fn truncated_or_extended_entries_are_refused() {
    for (name, unsigned, size) in samples() {
        let bytes = writer().sign(unsigned).unwrap().into_bytes();
        for len in 0..size {
            assert!(SignedEntry::parse(&bytes[..len]).is_err(), "{name}: {len}");
        }
        assert_eq!(refusal(&[bytes, vec![0]].concat()), CoseError::Signature.into());
    }
    assert_eq!(refusal(&[0; MAX_LEAF + 1]), EntryError::TooLong);
}

/// Each case is a COSE_Sign1, or almost one, that other readers accept.
#[test]
fn other_frames_are_refused() {
    let good = signed(&payload_of(labelled(LabelledKind::Intent, None)));
    assert!(SignedEntry::parse(good.clone()).is_ok());
    let (head, rest) = good.split_at(LEAF_HEAD - 1);
    let with_protected = |protected: &[u8]| {
        let mut bytes = vec![0xd2, 0x84, 0x58, u8::try_from(protected.len()).unwrap()];
        bytes.extend_from_slice(protected);
        bytes.extend_from_slice(rest);
        bytes
    };
    let kid = &head[10..];
    let es256 = [&[0xa2, 0x01, 0x26, 0x04, 0x58, 0x20], kid].concat();
    let fully_specified_ed25519 = [&[0xa2, 0x01, 0x32, 0x04, 0x58, 0x20], kid].concat();
    let other_order = [&[0xa2, 0x04, 0x58, 0x20], kid, &[0x01, 0x27]].concat();
    let short_kid = [&[0xa2, 0x01, 0x27, 0x04, 0x58, 0x1f], &kid[1..]].concat();
    let extra_header = [&[0xa3, 0x01, 0x27, 0x03, 0x00, 0x04, 0x58, 0x20], kid].concat();
    for protected in [es256, fully_specified_ed25519, other_order, short_kid, extra_header] {
        assert_eq!(refusal(&with_protected(&protected)), CoseError::Protected.into());
    }
    let untagged = &good[1..];
    let other_tag = [&[0xd1], untagged].concat();
    let long_tag = [&[0xd8, 0x12], untagged].concat();
    let five = [&[0xd2, 0x85], &good[2..], &[0xf6]].concat();
    for bytes in [untagged.to_vec(), other_tag, long_tag, five] {
        assert_eq!(refusal(&bytes), CoseError::NotSign1.into());
    }
    let unprotected = [head, &[0xa1, 0x04, 0x41, 0x00], &rest[1..]].concat();
    assert_eq!(refusal(&unprotected), CoseError::Unprotected.into());
    // The payload has a length in a longer form than needed, an indefinite length, is text, and is detached.
    let payload = &rest[3..rest.len() - 66];
    let signature = &rest[rest.len() - 66..];
    let long = [head, &[0xa0, 0x59, 0x00, 0x94], payload, signature].concat();
    let indefinite = [head, &[0xa0, 0x5f, 0x58, 0x94], payload, &[0xff], signature].concat();
    let text = [head, &[0xa0, 0x78, 0x94], payload, signature].concat();
    let detached = [head, &[0xa0, 0xf6], signature].concat();
    for bytes in [long, indefinite, text, detached] {
        assert_eq!(refusal(&bytes), CoseError::Payload.into());
    }
    let short_signature = [head, &[0xa0, 0x58, 0x94], payload, &[0x58, 0x3f], &signature[3..]].concat();
    let long_length = [head, &[0xa0, 0x58, 0x94], payload, &[0x59, 0x00, 0x40], &signature[2..]].concat();
    for bytes in [short_signature, long_length] {
        assert_eq!(refusal(&bytes), CoseError::Signature.into());
    }
}

/// A writer that breaks the rules signed these payloads. Many of them could be understood, but each entry has one
/// encoding only.
#[test]
fn other_payloads_are_refused() {
    let good = payload_of(labelled(LabelledKind::Intent, None));
    let replaced = |from: &[u8], to: &[u8]| {
        let at = good
            .windows(from.len())
            .position(|window| window == from)
            .expect("the payload contains the field");
        [&good[..at], to, &good[at + from.len()..]].concat()
    };
    let field = EntryError::Field;
    let cases: Vec<(Vec<u8>, EntryError)> = vec![
        (Vec::new(), field("map")),
        (vec![0xa9], field("version")),
        (replaced(&[0xa9, 0x01], &[0xaa, 0x01]), field("map")),
        (replaced(&[0xa9, 0x01], &[0xa8, 0x01]), field("map")),
        (replaced(&[0xa9, 0x01], &[0xb8, 0x09, 0x01]), field("version")),
        (replaced(&[0xa9, 0x01], &[0xbf, 0x01]), field("map")),
        (
            replaced(&[0x01, 0x41, 0x01], &[0x01, 0x41, 0x02]),
            EntryError::Version(2),
        ),
        (replaced(&[0x01, 0x41, 0x01], &[0x01, 0x01]), field("version")),
        (
            replaced(
                &[0x01, 0x41, 0x01, 0x02, 0x41, 0x05],
                &[0x02, 0x41, 0x05, 0x01, 0x41, 0x01],
            ),
            field("version"),
        ),
        (replaced(&[0x02, 0x41, 0x05], &[0x02, 0x41, 0x10]), EntryError::Kind(16)),
        (replaced(&[0x02, 0x41, 0x05], &[0x02, 0x41, 0x07]), field("map")),
        (replaced(&[0x02, 0x41, 0x05], &[0x02, 0x42, 0x00, 0x05]), field("kind")),
        (replaced(&[0x02, 0x41, 0x05], &[0x18, 0x02, 0x41, 0x05]), field("kind")),
        (replaced(&[0x03, 0x48], &[0x03, 0x58, 0x08]), field("time")),
        (replaced(&[0x03, 0x48, 0, 0, 0, 0], &[0x03, 0x44]), field("time")),
        (
            replaced(&[0x03, 0x48, 0, 0, 0, 0, 0x65], &[0x03, 0x1a, 0x65]),
            field("time"),
        ),
        (replaced(&[0x04, 0x48], &[0x05, 0x48]), field("sequence")),
        (
            replaced(&[0x05, 0x58, 0x20], &[0x05, 0x58, 0x21, 0x00]),
            field("previous"),
        ),
        (
            replaced(&[0x06, 0x44, 0, 0, 0, 3], &[0x06, 0x44, 0, 0, 0, 0]),
            EntryError::Period,
        ),
        (replaced(&[0x06, 0x44, 0, 0, 0, 3], &[]), field("period")),
        (replaced(&[0x07, 0x58, 0x20, 0x77], &[0x07, 0x58, 0x1f]), field("label")),
        (replaced(&[0x09, 0x48], &[0x0a, 0x48]), field("refers")),
        (replaced(&[0xff; 8], &[0x80, 0, 0, 0, 0, 0, 0, 0]), field("refers")),
        (replaced(&[0xff; 8], &[0; 8]), EntryError::Refers),
        ([good.as_slice(), &[0x00]].concat(), field("end")),
        ([good.as_slice(), &[0x0a, 0x41, 0x00]].concat(), field("end")),
        (
            [replaced(&[0xa9, 0x01], &[0xaa, 0x01]).as_slice(), &[0x0f, 0x41, 0x00]].concat(),
            field("map"),
        ),
        (vec![0x80], field("version")),
    ];
    for (payload, expected) in cases {
        assert_eq!(refusal(&signed(&payload)), expected, "{}", hex::encode(&payload));
    }
}

#[test]
fn period_events_have_no_foreign_values() {
    let destroyed = payload_of(period(PeriodEvent::Destroyed));
    let event_at = destroyed.len() - (10 + 35) - 1;
    let changed = |at: usize, byte: u8| {
        let mut payload = destroyed.clone();
        payload[at] = byte;
        SignedEntry::parse(signed(&payload))
    };
    assert!(changed(event_at, 2).is_ok());
    assert!(
        changed(event_at, 1)
            .is_ok_and(|entry| entry.entry().body == period(PeriodEvent::Final { root: Hash([0; 32]) }))
    );
    assert_eq!(changed(event_at, 3).unwrap_err(), EntryError::Event);
    assert_eq!(changed(destroyed.len() - 1, 1).unwrap_err(), EntryError::Event);
    assert_eq!(changed(destroyed.len() - 12, 1).unwrap_err(), EntryError::Event);
    let zero = Body::Period {
        period: Period::MAP0,
        event: PeriodEvent::Destroyed,
    };
    assert_eq!(refusal(&signed(&payload_of(zero.clone()))), EntryError::Period);
    assert_eq!(writer().sign(unsigned(zero)), Err(EntryError::Period));
}

#[test]
fn roots_ascend_from_map_0() {
    let roots = |periods: &[u32]| map(periods.iter().map(|period| (Period(*period), Hash([9; 32]))).collect());
    let all: Vec<u32> = (0..64).collect();
    let too_many: Vec<u32> = (0..65).collect();
    for good in [[0].as_slice(), &[0, 1, 2], &[0, 7, 300], &all] {
        let entry = writer().sign(unsigned(roots(good))).unwrap();
        assert_eq!(SignedEntry::parse(entry.bytes()).unwrap(), entry);
        let long_head = usize::from(good.len() > 4) + usize::from(good.len() > 23);
        assert_eq!(entry.bytes().len(), 193 + 40 * good.len() + long_head);
    }
    for bad in [[].as_slice(), &[1], &[0, 0], &[0, 2, 1], &[0, 1, 1], &too_many] {
        assert_eq!(writer().sign(unsigned(roots(bad))), Err(EntryError::Roots), "{bad:?}");
        assert_eq!(refusal(&signed(&payload_of(roots(bad)))), EntryError::Roots, "{bad:?}");
    }
}

#[test]
fn a_huge_announced_number_of_roots_allocates_nothing() {
    let mut payload = payload_of(map(vec![(Period(0), Hash([9; 32]))]));
    let at = payload.len() - 41 - 18;
    assert_eq!(payload[at], 0x81);
    payload.splice(at..=at, [0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    assert_eq!(refusal(&signed(&payload)), EntryError::Roots);
}

#[test]
fn references_follow_the_kind() {
    for (kind, refers, good) in [
        (LabelledKind::Intent, None, true),
        (LabelledKind::Intent, Some(0), false),
        (LabelledKind::Void, None, true),
        (LabelledKind::Void, Some(0), false),
        (LabelledKind::Outcome, None, false),
        (LabelledKind::Outcome, Some(0), true),
        (LabelledKind::Preview, None, false),
        (LabelledKind::Preview, Some(0), true),
        (LabelledKind::Inspection, None, true),
        (LabelledKind::Inspection, Some(0), true),
    ] {
        let body = labelled(kind, refers);
        assert_eq!(
            writer().sign(unsigned(body.clone())).is_ok(),
            good,
            "{kind:?} {refers:?}"
        );
        assert_eq!(
            SignedEntry::parse(signed(&payload_of(body))).is_ok(),
            good,
            "{kind:?} {refers:?}"
        );
    }
}

#[test]
fn only_a_first_entry_has_a_zero_predecessor() {
    let body = labelled(LabelledKind::Intent, None);
    let first = Unsigned {
        sequence: Sequence::FIRST,
        ..unsigned(body.clone())
    };
    assert_eq!(writer().sign(first), Err(EntryError::Previous));
    let later = Unsigned {
        previous: Hash([0; 32]),
        ..unsigned(body)
    };
    assert_eq!(writer().sign(later), Err(EntryError::Previous));
}

#[test]
fn kinds_have_stable_codes_and_names() {
    for (code, kind) in Kind::ALL.into_iter().enumerate() {
        assert_eq!(usize::from(kind.code()), code);
        assert_eq!(Kind::from_code(kind.code()), Some(kind));
        assert_eq!(serde_json::to_string(&kind).unwrap(), format!("\"{kind}\""));
    }
    assert_eq!(Kind::from_code(16), None);
}

#[test]
fn bodies_return_their_map_keys() {
    let intent = labelled(LabelledKind::Intent, None);
    assert_eq!(intent.map_key(), Some((Period(3), Label([0x77; 32]))));
    let begin = period(PeriodEvent::Begin {
        vrf_key: [1; 32],
        start: Timestamp(1),
    });
    assert_eq!(begin.map_key(), Some((Period::MAP0, period_label(Period(3), 0))));
    assert_ne!(period_label(Period(3), 0), period_label(Period(3), 1));
    for (_, unsigned, _) in samples() {
        let body = unsigned.body;
        assert_eq!(body.commitment().is_some(), body.kind().has_record());
        let has_document = matches!(
            body.kind(),
            Kind::Genesis | Kind::Directory | Kind::Registry | Kind::Erasure
        );
        assert_eq!(body.document().is_some(), has_document);
        assert_eq!(body.label(), body.map_key().map(|(_, label)| label));
    }
}

fn any_body() -> impl Strategy<Value = Body> {
    let hash = || any::<[u8; 32]>().prop_map(Hash);
    let index = || (0..1_u64 << 63).prop_map(|index| Index::new(index).unwrap());
    let periods = || (1_u32..).prop_map(Period);
    prop_oneof![
        hash().prop_map(|digest| Body::Document {
            kind: DocumentKind::Erasure,
            digest
        }),
        (periods(), any::<[u8; 32]>(), any::<u64>()).prop_map(|(period, vrf_key, start)| Body::Period {
            period,
            event: PeriodEvent::Begin {
                vrf_key,
                start: Timestamp(start)
            }
        }),
        (periods(), hash()).prop_map(|(period, root)| Body::Period {
            period,
            event: PeriodEvent::Final { root }
        }),
        (
            hash(),
            proptest::collection::btree_map(1_u32.., hash(), 0..MAX_ROOTS),
            index(),
            index()
        )
            .prop_map(|(root, periods, directory, registerlandkarte)| {
                let rest = periods.into_iter().map(|(period, root)| (Period(period), root));
                Body::Map {
                    roots: std::iter::once((Period(0), root)).chain(rest).collect(),
                    newest: NewestSets {
                        directory,
                        registerlandkarte,
                    },
                }
            }),
        (periods(), any::<[u8; 32]>(), hash(), index()).prop_map(|(period, label, commitment, refers)| {
            Body::Labelled {
                kind: LabelledKind::Outcome,
                period,
                label: Label(label),
                commitment: Commitment(commitment),
                refers: Some(refers),
            }
        }),
        index().prop_map(|refers| Body::Reference {
            kind: ReferenceKind::Lost,
            refers
        }),
    ]
}

proptest! {
    #[test]
    fn round_trip(body in any_body(), sequence in 1_u64.., previous in any::<[u8; 32]>(), time: u64) {
        let unsigned = Unsigned { sequence: Sequence(sequence), previous: Hash(previous), time: Timestamp(time), body };
        prop_assume!(previous != [0; 32]);
        let entry = writer().sign(unsigned).unwrap();
        let read = SignedEntry::parse(entry.bytes()).unwrap();
        prop_assert_eq!(read.verify(&writer().public()), Ok(()));
        prop_assert_eq!(read, entry);
    }

    /// The parser does not panic, and an accepted text is the only encoding of its entry.
    #[test]
    fn accepted_payloads_are_canonical(payload in proptest::collection::vec(any::<u8>(), 0..160), at in 0_usize..148, byte: u8) {
        let _ = SignedEntry::parse(payload.clone());
        let _ = SignedEntry::parse(signed(&payload));
        let mut near = payload_of(labelled(LabelledKind::Inspection, None));
        near[at] = byte;
        if let Ok(entry) = SignedEntry::parse(signed(&near)) {
            prop_assert_eq!(wire::payload(entry.entry()), near);
        }
    }
}
