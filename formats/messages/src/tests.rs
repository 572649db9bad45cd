//! The messages of one exchange, and every way to swap parts of two exchanges, which must be refused.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod representation;

use record::{
    Assurance, Idnr, Label, PartKey, ParticipantId, Period, Power, Series, SigningKey, SubjectRole, TestNumbers,
    Timestamp, VerifyingKey,
};
use tlog::Hash;
use uuid::Uuid;

use crate::request::S1_VALIDITY;
use crate::*;

const NOW: Timestamp = Timestamp(1_800_000_000);
const IDNR: &str = "08214967384";

fn id(text: &str) -> ParticipantId {
    text.parse().unwrap()
}

fn consumer_key() -> SigningKey {
    SigningKey::from_seed([1; 32])
}

fn identity_key() -> SigningKey {
    SigningKey::from_seed([2; 32])
}

fn provider_key() -> SigningKey {
    SigningKey::from_seed([3; 32])
}

fn public(key: &SigningKey) -> VerifyingKey {
    key.public()
}

fn person() -> PersonQuery {
    PersonQuery {
        idnr: Some(Idnr::parse(IDNR, TestNumbers::Allowed).unwrap()),
        family_name: "Mustermann".parse().unwrap(),
        given_name: "Emma".parse().unwrap(),
        date_of_birth: "1964-08-12".parse().unwrap(),
        postal_code: "50667".parse().unwrap(),
        place: "Köln".parse().unwrap(),
    }
}

fn metadata(message: u128) -> Metadata {
    Metadata {
        exchange: Uuid::from_u128(99),
        message: Uuid::from_u128(message),
        request_reference: "BPA-1".parse().unwrap(),
        trace: "0".repeat(32).parse().unwrap(),
        test: true,
        consumer: id("stadt-a"),
        provider: id("kba"),
        evidence_type: "zb1".parse().unwrap(),
        purpose: "parken".parse().unwrap(),
        idnr_used: true,
        assurance: Assurance::High,
        subject: record::Subject::Natural,
        role: SubjectRole::DataSubject,
        representation: None,
        place: None,
        synchronous: true,
        request_digest: Hash([9; 32]),
        official: "h-1".parse().unwrap(),
        deadline: NOW.after(60),
    }
}

/// Seals everything as the consumer's connector does: to identity (seed 12) and the provider (seed 13).
fn exchange(message: u128) -> ExchangeRequest {
    let metadata = metadata(message);
    let sealed_person = person()
        .seal(&SealingKey::from_seed([12; 32]).public(), metadata.message)
        .unwrap();
    let s1 = S1::sign(
        &consumer_key(),
        id("stadt-a"),
        id("kba"),
        metadata.message,
        NOW,
        sealed_person,
    );
    let request = RequestContent {
        salt: [4; 32],
        xml: b"<xml/>".to_vec(),
        login: None,
        power: None,
    };
    let sealed_request = request
        .seal(&SealingKey::from_seed([13; 32]).public(), &s1.digest())
        .unwrap();
    let answer_key = SealingKey::from_seed([14; 32]).public();
    let s2 = S2Statement::new(&metadata, answer_key, &sealed_request, &s1).sign(&consumer_key());
    ExchangeRequest {
        metadata,
        s1,
        representative: None,
        s2,
        answer_key,
        sealed_request,
    }
}

#[test]
fn a_request_verifies_after_encoding_and_decoding() {
    let request = exchange(1);
    request.verify(&public(&consumer_key()), NOW).unwrap();
    let bytes = record::cbor::to_vec(&request);
    let read: ExchangeRequest = record::cbor::from_slice(&bytes).unwrap();
    assert_eq!(read, request);
    assert_eq!(
        read.s1.open_subject(&SealingKey::from_seed([12; 32])).unwrap(),
        SubjectQuery::Natural(person())
    );
    let opened = RequestContent::open(
        &read.sealed_request,
        &SealingKey::from_seed([13; 32]),
        &read.s1.digest(),
    );
    assert_eq!(opened.unwrap().xml, b"<xml/>");
    assert!(record::cbor::from_slice::<ExchangeRequest>(&bytes[..bytes.len() - 1]).is_err());
}

#[test]
fn a_changed_field_invalidates_a_signature() {
    let key = public(&consumer_key());
    type Change = fn(&mut ExchangeRequest);
    let changes: [(&str, Change, MessageError); 9] = [
        (
            "evidence type",
            |r| r.metadata.evidence_type = "other".parse().unwrap(),
            MessageError::Signature("S2"),
        ),
        (
            "official",
            |r| r.metadata.official = "h-2".parse().unwrap(),
            MessageError::Signature("S2"),
        ),
        (
            "deadline",
            |r| r.metadata.deadline = NOW.after(61),
            MessageError::Signature("S2"),
        ),
        (
            "answer key",
            |r| r.answer_key = SealingPublicKey([5; 32]),
            MessageError::Signature("S2"),
        ),
        (
            "sealed request",
            |r| r.sealed_request[40] ^= 1,
            MessageError::Signature("S2"),
        ),
        (
            "provider in S1",
            |r| r.s1.statement.provider = id("other"),
            MessageError::Signature("S1"),
        ),
        (
            "expiry in S1",
            |r| r.s1.statement.expires = NOW.after(900),
            MessageError::Signature("S1"),
        ),
        (
            "sealed person",
            |r| r.s1.sealed_person[40] ^= 1,
            MessageError::Mismatch("the sealed person part is not the one that S1 covers"),
        ),
        ("S2", |r| r.s2.0[0] ^= 1, MessageError::Signature("S2")),
    ];
    for (what, change, expected) in changes {
        let mut request = exchange(1);
        change(&mut request);
        assert_eq!(request.verify(&key, NOW), Err(expected), "{what}");
    }
    assert_eq!(
        exchange(1).verify(&public(&provider_key()), NOW),
        Err(MessageError::Signature("S1")),
        "another participant's key"
    );
}

#[test]
fn s1_and_s2_cannot_be_swapped_between_exchanges() {
    let key = public(&consumer_key());
    let (one, two) = (exchange(1), exchange(2));
    let mut crossed = one.clone();
    crossed.s1 = two.s1.clone();
    assert_eq!(crossed.verify(&key, NOW), Err(MessageError::Signature("S2")));
    crossed.s2 = two.s2;
    assert_eq!(crossed.verify(&key, NOW), Err(MessageError::Signature("S2")));
    let mut confused = one.clone();
    confused.s1.signature = one.s2;
    assert_eq!(
        confused.verify(&key, NOW),
        Err(MessageError::Signature("S1")),
        "S1 and S2 have different contexts"
    );
    let opened = RequestContent::open(&one.sealed_request, &SealingKey::from_seed([13; 32]), &two.s1.digest());
    assert_eq!(opened.unwrap_err(), MessageError::Seal(seal::SealError::Open));
}

/// Makes it a request by a representative, whose S1 has this message id, and signs again.
#[test]
fn a_consumer_cannot_sign_parts_that_contradict_each_other() {
    let mut request = exchange(1);
    request.metadata.message = Uuid::from_u128(2);
    request.s2 = S2Statement::new(
        &request.metadata,
        request.answer_key,
        &request.sealed_request,
        &request.s1,
    )
    .sign(&consumer_key());
    let mismatch = MessageError::Mismatch("S1 and the metadata name different messages");
    assert_eq!(request.verify(&public(&consumer_key()), NOW), Err(mismatch));
    let mut request = exchange(1);
    request.metadata.provider = id("other");
    request.s2 = S2Statement::new(
        &request.metadata,
        request.answer_key,
        &request.sealed_request,
        &request.s1,
    )
    .sign(&consumer_key());
    let mismatch = MessageError::Mismatch("S1 and the metadata name different participants");
    assert_eq!(request.verify(&public(&consumer_key()), NOW), Err(mismatch));
}

#[test]
fn s1_is_valid_for_five_minutes_before_and_after() {
    let s1 = exchange(1).s1;
    let key = public(&consumer_key());
    for now in [NOW.before(300), NOW, NOW.after(300)] {
        s1.verify(&key, now).unwrap();
    }
    for now in [NOW.before(301), NOW.after(301)] {
        assert_eq!(s1.verify(&key, now), Err(MessageError::Expired));
    }
}

#[test]
fn a_person_query_needs_idnr_or_names_and_a_date_of_birth() {
    let mut by_name = person();
    by_name.idnr = None;
    by_name.check().unwrap();
    by_name.given_name = Default::default();
    by_name.check().unwrap();
    by_name.family_name = Default::default();
    assert!(by_name.check().is_err());
    let mut no_place = person();
    no_place.idnr = None;
    no_place.place = Default::default();
    assert!(no_place.check().is_err());
    let mut by_number = person();
    by_number.family_name = Default::default();
    by_number.date_of_birth = "0000-00-00".parse().unwrap();
    by_number.check().unwrap();
}

#[test]
fn a_person_query_of_the_longest_texts_fits_its_size_class() {
    let longest = PersonQuery {
        family_name: "ế".repeat(200).parse().unwrap(),
        given_name: "ế".repeat(200).parse().unwrap(),
        place: "ế".repeat(200).parse().unwrap(),
        postal_code: "€".repeat(20).parse().unwrap(),
        ..person()
    };
    let identity = SealingKey::from_seed([12; 32]);
    let sealed = longest.seal(&identity.public(), Uuid::nil()).unwrap();
    assert_eq!(
        sealed.len(),
        person().seal(&identity.public(), Uuid::nil()).unwrap().len()
    );
    let s1 = S1::sign(&consumer_key(), id("stadt-a"), id("kba"), Uuid::nil(), NOW, sealed);
    assert_eq!(s1.open_subject(&identity).unwrap(), SubjectQuery::Natural(longest));
}

#[test]
fn the_sealed_person_part_has_one_size_and_is_bound_to_the_message() {
    let identity = SealingKey::from_seed([12; 32]);
    let mut short = person();
    short.given_name = "E".parse().unwrap();
    let sealed = short.seal(&identity.public(), Uuid::nil()).unwrap();
    assert_eq!(
        sealed.len(),
        person().seal(&identity.public(), Uuid::nil()).unwrap().len()
    );
    let s1 = S1::sign(
        &consumer_key(),
        id("stadt-a"),
        id("kba"),
        Uuid::from_u128(5),
        NOW,
        sealed,
    );
    assert_eq!(
        s1.open_subject(&identity).unwrap_err(),
        MessageError::Seal(seal::SealError::Open)
    );
}

fn content() -> ProviderContent {
    let entry = LinkedEntry {
        leaf: vec![1; 350],
        index: 7,
        hashes: vec![Hash([2; 32]); 30],
    };
    let link = ChainLink {
        number: 0,
        vrf_proof: [3; 80],
        entry: entry.clone(),
    };
    ProviderContent {
        idnr: Idnr::parse(IDNR, TestNumbers::Allowed).unwrap(),
        period: Period(1),
        series: Series::Exchanges,
        number: 4095,
        vrf_proof: [4; 80],
        checkpoint: vec![b'c'; 200],
        period_begin: entry,
        chain: vec![link; record::label::MAX_CHAIN],
        shared_key: PartKey([5; 32]),
    }
}

fn context() -> ProviderContext {
    ProviderContext {
        label: Label([6; 32]),
        provider: id("kba"),
        s1: Hash([7; 32]),
    }
}

#[test]
fn the_provider_part_has_one_size_with_and_without_the_longest_chain() {
    let provider = SealingKey::from_seed([13; 32]);
    let mut nobody = content();
    nobody.idnr = Idnr::nobody();
    nobody.chain.clear();
    let sizes = [content(), nobody].map(|content| {
        let part = ProviderPart::sign(content, &context(), &identity_key());
        let sealed = part.seal(&context(), &provider.public()).unwrap();
        let opened = ProviderPart::open(&sealed, &provider, &context()).unwrap();
        opened.verify(&context(), &public(&identity_key())).unwrap();
        sealed.len()
    });
    assert_eq!(sizes, [24 * 1024 + 48; 2]);
}

#[test]
fn the_provider_part_is_bound_to_its_label_provider_and_s1() {
    let provider = SealingKey::from_seed([13; 32]);
    let part = ProviderPart::sign(content(), &context(), &identity_key());
    let sealed = part.seal(&context(), &provider.public()).unwrap();
    let others = [
        ProviderContext {
            label: Label([8; 32]),
            ..context()
        },
        ProviderContext {
            provider: id("other"),
            ..context()
        },
        ProviderContext {
            s1: Hash([8; 32]),
            ..context()
        },
    ];
    for other in others {
        assert_eq!(
            ProviderPart::open(&sealed, &provider, &other).unwrap_err(),
            MessageError::Seal(seal::SealError::Open)
        );
        let refused = MessageError::Signature("the provider part");
        assert_eq!(part.verify(&other, &public(&identity_key())), Err(refused));
    }
    let mut changed = part.clone();
    changed.content.number = 1;
    assert!(changed.verify(&context(), &public(&identity_key())).is_err());
    assert!(part.verify(&context(), &public(&consumer_key())).is_err());
    assert!(ProviderPart::open(&sealed, &SealingKey::from_seed([14; 32]), &context()).is_err());
}

fn reply(result: AnswerResult) -> Reply {
    let answer = AnswerContent {
        salt: [8; 32],
        xml: b"<answer/>".to_vec(),
    };
    let sealed = answer
        .seal(
            &SealingKey::from_seed([14; 32]).public(),
            Uuid::from_u128(1),
            EvidenceForm::Json,
        )
        .unwrap();
    Reply::sign(&provider_key(), (Uuid::from_u128(1), 7), result, sealed)
}

#[test]
fn a_reply_is_bound_to_its_sealed_answer() {
    let key = public(&provider_key());
    let good = reply(AnswerResult::Delivered(Hash([1; 32])));
    good.verify(&key).unwrap();
    let answer = AnswerContent::open(
        &good.sealed_answer,
        &SealingKey::from_seed([14; 32]),
        Uuid::from_u128(1),
    )
    .unwrap();
    assert_eq!(answer.digest(), sha256_of(&[&[8; 32], b"<answer/>"]));
    let mut swapped = good.clone();
    swapped.sealed_answer = reply(AnswerResult::Delivered(Hash([1; 32]))).sealed_answer;
    assert_eq!(
        swapped.verify(&key),
        Err(MessageError::Mismatch("the sealed answer is not the signed one"))
    );
    let mut changed = good.clone();
    changed.statement.intent = 8;
    assert_eq!(changed.verify(&key), Err(MessageError::Signature("the answer")));
    assert_eq!(
        good.verify(&public(&consumer_key())),
        Err(MessageError::Signature("the answer"))
    );
    let other = AnswerContent::open(
        &good.sealed_answer,
        &SealingKey::from_seed([14; 32]),
        Uuid::from_u128(2),
    );
    assert_eq!(other.unwrap_err(), MessageError::Seal(seal::SealError::Open));
}

#[test]
fn a_reply_that_contradicts_itself_is_refused() {
    let key = public(&provider_key());
    for result in [
        AnswerResult::Refused(CheckName::P4),
        AnswerResult::NothingFound,
        AnswerResult::TimedOut,
        AnswerResult::Failed(FailureReason::EvidenceTooLarge),
        AnswerResult::Failed(FailureReason::Clock),
    ] {
        reply(result).verify(&key).unwrap();
    }
    let changes: [fn(&mut AnswerStatement); 5] = [
        |statement| statement.outcome = ReplyOutcome::Refused,
        |statement| statement.outcome = ReplyOutcome::Delivered,
        |statement| statement.outcome = ReplyOutcome::Failed,
        |statement| statement.refusal = Some(CheckName::P1),
        |statement| statement.evidence_digest = Some(Hash([1; 32])),
    ];
    for change in changes {
        let mut changed = reply(AnswerResult::NothingFound);
        change(&mut changed.statement);
        changed.signature = sign::sign(&provider_key(), "einsicht/answer/v1", &changed.statement);
        assert_eq!(
            changed.verify(&key),
            Err(MessageError::Mismatch("the answer's outcome and its details"))
        );
    }
}

#[test]
fn a_request_at_its_limit_is_sealed_and_opened_and_one_above_is_neither() {
    let provider = SealingKey::from_seed([13; 32]);
    let request = |length| RequestContent {
        salt: [8; 32],
        xml: vec![b'x'; length],
        login: None,
        power: None,
    };
    // Map, names, salt, length of the XML, neither login nor power, and the padding's marker.
    let largest = (128 << 10) - 64;
    for length in [largest - 1, largest] {
        let sealed = request(length).seal(&provider.public(), &Hash([7; 32])).unwrap();
        assert!(RequestContent::open(&sealed, &provider, &Hash([7; 32])).is_ok());
        assert_eq!(sealed.len(), limits::MAX_SEALED_REQUEST);
    }
    let refused = Err(MessageError::Seal(seal::SealError::TooLong));
    assert_eq!(request(largest + 1).seal(&provider.public(), &Hash([7; 32])), refused);
    let above = vec![0; limits::MAX_SEALED_REQUEST + 1];
    assert_eq!(
        RequestContent::open(&above, &provider, &Hash([7; 32])).map(drop),
        refused.map(drop)
    );
}

#[test]
fn an_answer_at_the_limit_of_xnachweis_fits_the_largest_sealed_answer() {
    let key = SealingKey::from_seed([14; 32]);
    let answer = |length| AnswerContent {
        salt: [8; 32],
        xml: vec![b'x'; length],
    };
    let message = Uuid::from_u128(1);
    for form in EvidenceForm::ALL {
        let sealed = |length| answer(length).seal(&key.public(), message, form);
        let largest = sealed(limits::MAX_XML).unwrap();
        assert_eq!(largest.len(), limits::MAX_SEALED_ANSWER);
        assert!(AnswerContent::open(&largest, &key, message).is_ok());
        assert!(sealed(1 << 20).is_err());
    }
    // Without evidence, the answer to a request for a PDF document is as long as with most.
    let sealed = |length, form| answer(length).seal(&key.public(), message, form).unwrap();
    let nothing = sealed(100, EvidenceForm::Pdf);
    assert_eq!(nothing.len(), sealed(60_000, EvidenceForm::Pdf).len());
    assert!(nothing.len() > sealed(100, EvidenceForm::Json).len());
    assert!(AnswerContent::open(&nothing, &key, message).is_ok());
}

#[test]
fn a_changed_acknowledgement_does_not_verify() {
    let acknowledgement = Acknowledgement::sign(&consumer_key(), Uuid::from_u128(1), 8);
    acknowledgement.verify(&public(&consumer_key())).unwrap();
    let other = Acknowledgement {
        entry: 9,
        ..acknowledgement
    };
    assert!(other.verify(&public(&consumer_key())).is_err());
}

#[test]
fn debug_shows_nothing_personal() {
    let request = exchange(1);
    let part = ProviderPart::sign(content(), &context(), &identity_key());
    let answer = AnswerContent {
        salt: [8; 32],
        xml: b"FIN WVWZZZ1JZXW000001".to_vec(),
    };
    let request_part = RequestContent {
        salt: [8; 32],
        xml: b"Mustermann".to_vec(),
        login: None,
        power: None,
    };
    let text = format!("{request:?} {part:?} {:?} {answer:?} {request_part:?}", person());
    for secret in [IDNR, "Mustermann", "Emma", "1964", "50667", "WVWZZZ", "4095"] {
        assert!(!text.contains(secret), "{secret}");
    }
}

#[test]
fn metadata_with_a_text_that_is_not_free_text_are_refused() {
    let bytes = record::cbor::to_vec(&metadata(1));
    let at = bytes.windows(5).position(|window| window == b"BPA-1").unwrap();
    let read = |text: &[u8; 5]| {
        let mut changed = bytes.clone();
        changed[at..at + 5].copy_from_slice(text);
        record::cbor::from_slice::<Metadata>(&changed)
    };
    assert!(read(b"BPA-2").is_ok());
    for text in [
        b"BPA\0 ",
        b"BPA\n1",
        b"     ",
        "B\u{202e}A".as_bytes().try_into().unwrap(),
        "B\u{200b}A".as_bytes().try_into().unwrap(),
        "o\u{308}12".as_bytes().try_into().unwrap(),
    ] {
        assert!(read(text).is_err(), "{text:?}");
    }
}
