#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use tlog::Hash;

use super::*;
use crate::content::tests::party;
use crate::{Body, Commitment, Sequence, Unsigned};

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed([seed; 32])
}

pub(crate) fn directory() -> Directory {
    let grant = |name: &str, seed, kinds: &[Kind]| WriterGrant {
        name: name.into(),
        key: key(seed).public(),
        kinds: kinds.into(),
    };
    let participant = |id: &str, seed, consumer| Participant {
        party: party(id),
        signing_key: key(seed).public(),
        sealing_key: [seed; 32],
        consumer,
        provider: !consumer,
    };
    Directory {
        version: 1,
        valid_from: Timestamp(1),
        writers: vec![
            grant("broker", 1, &[Kind::Intent, Kind::Denial]),
            grant("identity", 2, &[Kind::Void]),
        ],
        participants: vec![participant("stadt", 11, true), participant("kba", 12, false)],
        identity: IdentityKeys {
            signing: key(3).public(),
            sealing: [4; 32],
        },
        supervision: [5; 32],
    }
}

fn denial(writer: &SigningKey) -> SignedEntry {
    let body = Body::Denial {
        commitment: Commitment(Hash([1; 32])),
    };
    let unsigned = Unsigned {
        sequence: Sequence(1),
        previous: Hash([2; 32]),
        time: Timestamp(3),
        body,
    };
    writer.sign(unsigned).unwrap()
}

#[test]
fn only_a_directory_signed_by_an_authority_opens() {
    let signed = directory().sign(&key(9)).unwrap();
    assert_eq!(
        Directory::open(signed.bytes(), &[key(9).public()]).unwrap(),
        directory()
    );
    let error = Directory::open(signed.bytes(), &[key(8).public()]).unwrap_err();
    assert_eq!(error, DirectoryError::Document(DocumentError::UnknownAuthority));
    let nonsense = SignedDocument::sign(vec![0xa0], &key(9));
    assert!(matches!(
        Directory::open(nonsense.bytes(), &[key(9).public()]),
        Err(DirectoryError::Cbor(_))
    ));
}

#[test]
fn names_and_keys_are_unique() {
    let mut cases = Vec::new();
    let mut change = |alter: fn(&mut Directory), error: DirectoryError| {
        let mut directory = directory();
        alter(&mut directory);
        cases.push((directory, error));
    };
    change(|d| d.writers[1].name = "broker".into(), DirectoryError::Writers);
    change(|d| d.writers[1].key = d.writers[0].key, DirectoryError::Writers);
    change(
        |d| d.participants[1].party.id = "stadt".parse().unwrap(),
        DirectoryError::Participants,
    );
    change(
        |d| d.participants[1].signing_key = d.participants[0].signing_key,
        DirectoryError::Participants,
    );
    for (directory, error) in cases {
        assert_eq!(directory.sign(&key(9)), Err(error.clone()));
        let forced = SignedDocument::sign(cbor::to_vec(&directory), &key(9));
        assert_eq!(Directory::open(forced.bytes(), &[key(9).public()]), Err(error));
    }
}

#[test]
fn writers_write_only_the_kinds_they_were_granted() {
    let directory = directory();
    assert_eq!(directory.check_writer(&denial(&key(1))).unwrap().name, "broker");
    let error = directory.check_writer(&denial(&key(2))).unwrap_err();
    assert_eq!(
        error,
        RightError::Kind {
            writer: key(2).id(),
            kind: Kind::Denial
        }
    );
    assert_eq!(
        directory.check_writer(&denial(&key(7))).unwrap_err(),
        RightError::UnknownWriter(key(7).id())
    );
    let mut forged = denial(&key(1)).into_bytes();
    let last = forged.len() - 40;
    forged[last] ^= 1;
    let forged = SignedEntry::parse(forged).unwrap();
    assert_eq!(
        directory.check_writer(&forged).unwrap_err(),
        RightError::Signature(key(1).id())
    );
}

#[test]
fn lookups_find_writers_and_participants() {
    let directory = directory();
    let (stadt, kba) = ("stadt".parse().unwrap(), "kba".parse().unwrap());
    assert_eq!(directory.consumer(&stadt).unwrap().sealing_key, [11; 32]);
    assert!(directory.provider(&stadt).is_none());
    assert!(directory.provider(&kba).is_some() && directory.consumer(&kba).is_none());
    assert!(directory.participant(&"niemand".parse().unwrap()).is_none());
    assert_eq!(directory.writer(&key(2).id()).unwrap().name, "identity");
    assert!(directory.writer(&key(9).id()).is_none());
}

/// Puts a text into one field.
type Change = fn(&mut Directory);

#[test]
fn a_text_that_is_not_what_its_field_may_contain_is_refused() {
    let changes: [(&str, Change); 5] = [
        ("name", |d| d.participants[0].party.name = "Stadt \u{202e}nlöK".into()),
        ("identifier", |d| d.participants[1].party.identifier = "a\0".into()),
        ("operating", |d| d.participants[0].party.operating = "x".repeat(201)),
        ("responsible", |d| {
            d.participants[0].party.responsible = "Ko\u{308}ln".into()
        }),
        ("writer name", |d| d.writers[0].name = String::new()),
    ];
    for (field, change) in changes {
        let mut directory = directory();
        change(&mut directory);
        assert!(matches!(directory.sign(&key(9)), Err(DirectoryError::Text(error)) if error.field == field));
        let signed = SignedDocument::sign(cbor::to_vec(&directory), &key(9));
        let opened = Directory::open(signed.bytes(), &[key(9).public()]);
        assert!(matches!(opened, Err(DirectoryError::Text(error)) if error.field == field));
    }
}
