#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use proptest::prelude::*;

use super::*;
use crate::content::tests::exchange;
use crate::{InspectionRecord, SupervisionPart, VoidRecord};

const LABEL: Label = Label([0x77; 32]);

fn header() -> Header {
    Header::labelled(RetentionClass::IdnrG2y, ExpiryDay(21509))
}

fn key() -> RecordKey {
    DayKey(core::array::from_fn(|i| u8::try_from(i).unwrap())).record_key(&LABEL)
}

fn parts() -> Parts {
    let void = VoidRecord {
        consumer: "stadt".parse().unwrap(),
        s1_digest: Hash([0xaa; 32]),
    };
    Parts {
        shared: SharedPart::Void(void),
        citizen: CitizenPart {
            internal_reason: Some("zu spät".into()),
        },
        supervision: b"sealed once more".to_vec(),
    }
}

fn seal(parts: &Parts) -> SealedRecord {
    SealedRecord::seal(&header(), Some(&LABEL), &key(), parts).unwrap()
}

fn part_key(name: PartName) -> PartKey {
    key().part(name)
}

fn opens(record: &SealedRecord) -> bool {
    record.open_shared(&part_key(PartName::Shared), Some(&LABEL)).is_ok()
        && record.open_citizen(&part_key(PartName::Citizen), Some(&LABEL)).is_ok()
        && record
            .open_supervision(&part_key(PartName::Supervision), Some(&LABEL))
            .is_ok()
}

/// Python sealed this record (`testdata/generate.py`). It opens, and the derived keys are the same.
#[test]
fn a_record_sealed_by_another_implementation_opens() {
    let vectors: serde_json::Value = serde_json::from_str(include_str!("../../testdata/vectors.json")).unwrap();
    let text = |name: &str| vectors["sealed"][name].as_str().unwrap();
    let bytes = |name: &str| hex::decode(text(name)).unwrap();
    let day_key = DayKey(bytes("day_key").try_into().unwrap());
    assert_eq!(day_key.denial_key().0.as_slice(), bytes("denial_key"));
    assert_eq!(day_key.record_key(&LABEL).0.as_slice(), bytes("record_key"));
    assert_eq!(part_key(PartName::Shared).0.as_slice(), bytes("shared_key"));
    assert_eq!(part_key(PartName::Citizen).0.as_slice(), bytes("citizen_key"));
    assert_eq!(part_key(PartName::Supervision).0.as_slice(), bytes("supervision_key"));
    let record = SealedRecord::parse(bytes("bytes")).unwrap();
    assert_eq!(record.commitment().to_string(), text("commitment"));
    assert_eq!(record.header(), &header());
    let Parts {
        shared,
        citizen,
        supervision,
    } = parts();
    assert_eq!(
        record.open_shared(&part_key(PartName::Shared), Some(&LABEL)),
        Ok(shared)
    );
    assert_eq!(
        record.open_citizen(&part_key(PartName::Citizen), Some(&LABEL)),
        Ok(citizen)
    );
    assert_eq!(
        record.open_supervision(&part_key(PartName::Supervision), Some(&LABEL)),
        Ok(supervision)
    );
}

#[test]
fn records_of_all_kinds_have_one_size() {
    let inspection = InspectionRecord {
        reader: "Datenschutzcockpit".into(),
        reason: "Auskunft".into(),
        day: 20_778,
    };
    let none = CitizenPart::default();
    let long = CitizenPart::with_reason(&"ä".repeat(200));
    assert_eq!(long.internal_reason.as_ref().unwrap().len(), CitizenPart::MAX_REASON);
    let cut = CitizenPart::with_reason(&format!("a{}", "ä".repeat(200)));
    assert_eq!(cut.internal_reason.as_ref().unwrap().len(), CitizenPart::MAX_REASON - 1);
    for shared in [
        SharedPart::Exchange(Box::new(exchange())),
        SharedPart::Inspection(inspection),
        parts().shared,
    ] {
        for citizen in [&none, &long, &cut] {
            let parts = Parts {
                shared: shared.clone(),
                citizen: citizen.clone(),
                supervision: vec![0; 511],
            };
            let record = seal(&parts);
            assert_eq!(record.bytes().len(), 5063);
            assert_eq!(
                record.open_shared(&part_key(PartName::Shared), Some(&LABEL)).unwrap(),
                shared
            );
            assert_eq!(
                &record.open_citizen(&part_key(PartName::Citizen), Some(&LABEL)).unwrap(),
                citizen
            );
        }
    }
}

#[test]
fn sizes_double_up_to_a_maximum() {
    let with = |len: usize| Parts {
        supervision: vec![0; len],
        ..parts()
    };
    for (len, size) in [(0, 512), (511, 512), (512, 1024), (1023, 1024), (65_535, 65_536)] {
        let record = seal(&with(len));
        assert_eq!(record.bytes().len(), 5063 - 512 + size);
        assert_eq!(
            record
                .open_supervision(&part_key(PartName::Supervision), Some(&LABEL))
                .unwrap()
                .len(),
            len
        );
    }
    let error = SealedRecord::seal(&header(), Some(&LABEL), &key(), &with(65_536)).unwrap_err();
    assert_eq!(error, SealedError::TooLong(PartName::Supervision));
    let wordy = Parts {
        citizen: CitizenPart {
            internal_reason: Some("x".repeat(240)),
        },
        ..parts()
    };
    let error = SealedRecord::seal(&header(), Some(&LABEL), &key(), &wordy).unwrap_err();
    assert_eq!(error, SealedError::TooLong(PartName::Citizen));
    assert!(seal(&with(0)).bytes().len() < MAX_RECORD);
}

#[test]
fn two_sealings_differ() {
    assert_ne!(seal(&parts()).commitment(), seal(&parts()).commitment());
}

#[test]
fn a_wrong_label_does_not_open() {
    let record = seal(&parts());
    let other = Label([0x78; 32]);
    assert_eq!(
        record.open_shared(&part_key(PartName::Shared), Some(&other)),
        Err(SealedError::Changed)
    );
    assert_eq!(
        record.open_shared(&part_key(PartName::Shared), None),
        Err(SealedError::Address)
    );
}

#[test]
fn a_wrong_key_does_not_open() {
    let record = seal(&parts());
    assert_eq!(
        record.open_shared(&part_key(PartName::Citizen), Some(&LABEL)),
        Err(SealedError::WrongKey)
    );
    assert_eq!(
        record.open_citizen(&part_key(PartName::Shared), Some(&LABEL)),
        Err(SealedError::WrongKey)
    );
    assert_eq!(
        record.open_supervision(&PartKey([0; 32]), Some(&LABEL)),
        Err(SealedError::WrongKey)
    );
}

/// The offsets of the parts: header 7 bytes, then three times length 4, commit 32, nonce 12, ciphertext.
const SHARED: usize = 7;
const CITIZEN: usize = SHARED + 48 + 4096 + 16;

#[test]
fn a_changed_commit_value_does_not_open() {
    let mut bytes = seal(&parts()).into_bytes();
    bytes[SHARED + 4] ^= 1;
    let record = SealedRecord::parse(bytes).unwrap();
    assert_eq!(
        record.open_shared(&part_key(PartName::Shared), Some(&LABEL)),
        Err(SealedError::WrongKey)
    );
    assert!(record.open_citizen(&part_key(PartName::Citizen), Some(&LABEL)).is_ok());
}

/// With the commit value of another key in its place, the cipher itself still refuses that key.
#[test]
fn a_forged_commit_value_does_not_open_the_part() {
    let other = PartKey([9; 32]);
    let mut bytes = seal(&parts()).into_bytes();
    bytes[SHARED + 4..SHARED + 36].copy_from_slice(&other.commit_value());
    let record = SealedRecord::parse(bytes).unwrap();
    assert_eq!(record.open_shared(&other, Some(&LABEL)), Err(SealedError::Changed));
    assert_eq!(
        record.open_shared(&part_key(PartName::Shared), Some(&LABEL)),
        Err(SealedError::WrongKey)
    );
}

#[test]
fn swapped_parts_do_not_open() {
    let mine = seal(&parts()).into_bytes();
    let other_label = Label([0x11; 32]);
    let day_key = DayKey(core::array::from_fn(|i| u8::try_from(i).unwrap()));
    let other_key = day_key.record_key(&other_label);
    let theirs = SealedRecord::seal(&header(), Some(&other_label), &other_key, &parts())
        .unwrap()
        .into_bytes();
    // The citizen part of another record replaces that of this record.
    let swapped = [
        &mine[..CITIZEN],
        &theirs[CITIZEN..CITIZEN + 320],
        &mine[CITIZEN + 320..],
    ]
    .concat();
    let record = SealedRecord::parse(swapped).unwrap();
    assert_eq!(
        record.open_citizen(&part_key(PartName::Citizen), Some(&LABEL)),
        Err(SealedError::WrongKey)
    );
    let their_key = other_key.part(PartName::Citizen);
    assert_eq!(record.open_citizen(&their_key, Some(&LABEL)), Err(SealedError::Changed));
    // Two parts of one record are exchanged. The supervision part is as long as the shared part here.
    let parts = Parts {
        supervision: vec![1; 4000],
        ..parts()
    };
    let bytes = seal(&parts).into_bytes();
    let (shared, rest) = bytes[SHARED..].split_at(48 + 4096 + 16);
    let (citizen, supervision) = rest.split_at(320);
    let swapped = [&bytes[..SHARED], supervision, citizen, shared].concat();
    let record = SealedRecord::parse(swapped).unwrap();
    assert_eq!(
        record.open_shared(&part_key(PartName::Shared), Some(&LABEL)),
        Err(SealedError::WrongKey)
    );
    // Only the supervision part's own key opens the moved part, and its content is not a shared part.
    let moved = record.open_shared(&part_key(PartName::Supervision), Some(&LABEL));
    assert!(matches!(moved, Err(SealedError::Content(_))));
}

#[test]
fn a_changed_header_does_not_open() {
    let bytes = seal(&parts()).into_bytes();
    for (at, byte) in [(1, 2), (2, 1), (5, 0)] {
        let mut changed = bytes.clone();
        changed[at] = byte;
        let record = SealedRecord::parse(changed).unwrap();
        assert_ne!(record.header(), &header());
        assert_eq!(
            record.open_shared(&part_key(PartName::Shared), Some(&LABEL)),
            Err(SealedError::Changed)
        );
    }
    for (at, byte) in [(0, 2), (0, 0), (1, 0), (1, 3), (6, 2)] {
        let mut changed = bytes.clone();
        changed[at] = byte;
        assert!(
            matches!(SealedRecord::parse(changed), Err(SealedError::Malformed(_))),
            "{at}"
        );
    }
    // A labelled record is turned into a denial's. The label becomes the salt, but the changed header is not
    // authenticated.
    let turned = [&bytes[..6], &[1], LABEL.as_bytes().as_slice(), &bytes[7..]].concat();
    assert!(SealedRecord::parse(turned).is_err());
}

#[test]
fn denials_are_sealed_under_a_salt() {
    let day_key = DayKey([3; 32]);
    let header = Header::denial(RetentionClass::Eu12m, ExpiryDay(21_000)).unwrap();
    let salt = header.salt.unwrap();
    let key = day_key.denial_key().salted_record_key(&salt);
    assert_ne!(key, day_key.salted_record_key(&salt));
    let parts = Parts::denial(b"everything".to_vec());
    let record = SealedRecord::seal(&header, None, &key, &parts).unwrap();
    assert_eq!(record.bytes().len(), 7 + 32 + 3 * 64 + 256 + 256 + 2048);
    let read = SealedRecord::parse(record.bytes()).unwrap();
    assert_eq!(read.header(), &header);
    assert_eq!(
        read.open_supervision(&key.part(PartName::Supervision), None).unwrap(),
        b"everything"
    );
    assert_eq!(
        read.open_shared(&key.part(PartName::Shared), None),
        Ok(SharedPart::Denied)
    );
    assert_eq!(
        read.open_shared(&key.part(PartName::Shared), Some(&Label(salt))),
        Err(SealedError::Address)
    );
    let mut changed = record.into_bytes();
    changed[10] ^= 1;
    let changed = SealedRecord::parse(changed).unwrap();
    assert_eq!(
        changed.open_supervision(&key.part(PartName::Supervision), None),
        Err(SealedError::Changed)
    );
    assert_ne!(
        Header::denial(RetentionClass::Eu12m, ExpiryDay(21_000)).unwrap(),
        header
    );
}

#[test]
fn a_header_that_does_not_match_label_or_content_is_refused() {
    let salted = Header {
        salt: Some([1; 32]),
        ..header()
    };
    let denial = Parts::denial(Vec::new());
    let error = |header: &Header, label: Option<&Label>, parts: &Parts| {
        SealedRecord::seal(header, label, &key(), parts).unwrap_err()
    };
    assert_eq!(error(&header(), None, &parts()), SealedError::Address);
    assert_eq!(error(&salted, Some(&LABEL), &denial), SealedError::Address);
    assert_eq!(error(&salted, None, &parts()), SealedError::Shared);
    assert_eq!(error(&header(), Some(&LABEL), &denial), SealedError::Shared);
}

#[test]
fn any_changed_byte_is_refused() {
    let bytes = seal(&parts()).into_bytes();
    let commitment = SealedRecord::parse(bytes.as_slice()).unwrap().commitment();
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 0x10;
        let Ok(record) = SealedRecord::parse(changed) else {
            continue;
        };
        assert_ne!(record.commitment(), commitment);
        assert!(!opens(&record), "byte {at}");
    }
    for cut in [0, 6, 7, 10, 100, CITIZEN, bytes.len() - 1] {
        assert!(SealedRecord::parse(&bytes[..cut]).is_err(), "{cut}");
    }
    assert!(SealedRecord::parse([bytes, vec![0]].concat()).is_err());
}

#[test]
fn lengths_must_be_size_classes() {
    let bytes = seal(&parts()).into_bytes();
    for len in [0_u32, 15, 16, 4096, 4111, 4113, 8208, 65_552, 131_088, u32::MAX] {
        let mut changed = bytes.clone();
        changed[SHARED..SHARED + 4].copy_from_slice(&len.to_be_bytes());
        assert!(SealedRecord::parse(changed).is_err(), "{len}");
    }
}

#[test]
fn debug_prints_no_secrets() {
    let text = format!(
        "{:?} {:?} {:?}",
        DayKey([0xab; 32]),
        RecordKey([0xab; 32]),
        PartKey([0xab; 32])
    );
    assert_eq!(text, "DayKey(…) RecordKey(…) PartKey(…)");
    let bytes = crate::cbor::to_vec(&PartKey([0xab; 32]));
    assert_eq!((bytes.len(), bytes[0]), (34, 0x58));
    assert_eq!(crate::cbor::from_slice::<PartKey>(&bytes).unwrap(), PartKey([0xab; 32]));
}

#[test]
fn the_supervision_part_is_read_back() {
    let part = SupervisionPart {
        official: "7f3a".into(),
        denial: None,
    };
    assert_eq!(
        crate::cbor::from_slice::<SupervisionPart>(&crate::cbor::to_vec(&part)).unwrap(),
        part
    );
}

proptest! {
    #[test]
    fn padding_round_trip(content in proptest::collection::vec(any::<u8>(), 0..300)) {
        let size = (content.len() + 1).next_power_of_two();
        let padded = pad(&content, size).unwrap();
        prop_assert_eq!(padded.len(), size);
        prop_assert_eq!(unpad(&padded).unwrap(), content);
    }

    #[test]
    fn parsing_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        if let Ok(record) = SealedRecord::parse(bytes.clone()) {
            prop_assert_eq!(record.bytes(), bytes);
        }
    }
}

#[test]
fn padding_without_its_mark_is_refused() {
    for padded in [vec![], vec![0, 0], vec![1, 0], vec![0x80, 1]] {
        assert!(unpad(&padded).is_none());
    }
}

/// Contents, keys and nonces reproduce the sealed bytes, and any change to them does not.
#[test]
fn an_unsealed_record_reproduces_its_bytes() {
    let exchange = Parts {
        shared: SharedPart::Exchange(Box::new(exchange())),
        ..parts()
    };
    for parts in [parts(), exchange] {
        let record = seal(&parts);
        let (shared, citizen) = (part_key(PartName::Shared), part_key(PartName::Citizen));
        let unsealed = record.unseal(&shared, &citizen, &LABEL).unwrap();
        let bytes = crate::cbor::to_vec(&unsealed);
        assert!(bytes.len() < record.bytes().len());
        let unsealed: Unsealed = crate::cbor::from_slice(&bytes).unwrap();
        assert_eq!(
            (&unsealed.shared.content, &unsealed.citizen.content),
            (&parts.shared, &parts.citizen)
        );
        assert_eq!(unsealed.reseal(&LABEL).unwrap(), record);

        let differs = |change: &dyn Fn(&mut Unsealed)| {
            let mut changed = unsealed.clone();
            change(&mut changed);
            changed
                .reseal(&LABEL)
                .map_or(true, |resealed| resealed.commitment() != record.commitment())
        };
        assert!(differs(&|u| u.citizen.content.internal_reason = None));
        assert!(differs(&|u| u.shared.content = SharedPart::Denied));
        assert!(differs(&|u| u.shared.key.0[0] ^= 1));
        assert!(differs(&|u| u.citizen.nonce[0] ^= 1));
        assert!(differs(&|u| u.expiry.0 += 1));
        assert!(differs(&|u| u.supervision[50] ^= 1));
        assert!(differs(&|u| u.supervision.truncate(40)));
        assert!(unsealed.reseal(&Label([1; 32])).unwrap() != record);
        assert!(record.unseal(&citizen, &shared, &LABEL).is_err());
        assert_eq!(format!("{unsealed:?}"), "Unsealed(…)");
    }
}
