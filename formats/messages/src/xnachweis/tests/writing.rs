//! What is written, and what is refused instead.

use super::*;

#[test]
fn a_character_that_xml_cannot_carry_is_refused_when_written() {
    let mut request = request();
    request.issued_token = "Em\u{0}ma".into();
    assert!(matches!(request.to_xml(), Err(XmlError::Value(_))));
}

#[test]
fn a_message_at_the_limit_is_written_and_read_and_one_above_is_not_written() {
    let with = |title: usize| {
        let response = response_with(|evidence| {
            evidence.content = vec![b'x'; crate::limits::MAX_EVIDENCE];
            evidence.evidence_type.title = "t".repeat(title);
        });
        response.to_xml()
    };
    let title = 1 + crate::limits::MAX_XML - with(1).unwrap().len();
    for below in [1, 0] {
        let xml = with(title - below).unwrap();
        assert_eq!(xml.len(), crate::limits::MAX_XML - below);
        assert!(EvidenceAnswer::parse(&xml).is_ok());
    }
    assert_eq!(with(title + 1), Err(XmlError::TooLarge));
}

#[test]
fn an_evidence_type_has_one_classification_that_contains_one_address() {
    let base = "https://sr.oots.tech.ec.europa.eu/evidencetypeclassifications/";
    for (id, classification) in [
        ("zb1", format!("{base}ec/zb1")),
        (&format!("{base}DE/x"), format!("{base}ec/DE/x")),
    ] {
        let mut request = request();
        request.query.evidence_type.id = id.to_owned();
        let xml = text(request.to_xml().unwrap());
        assert!(xml.contains(&format!(">{classification}<")), "{id}");
        assert_eq!(EvidenceRequest0101::parse(xml.as_bytes()).unwrap(), request);
    }
    for id in [
        "",
        "DE/x",
        "a b",
        "ä",
        "https://other.example/x",
        &format!("{base}ec/zb1"),
        &format!("{base}DE/{base}"),
    ] {
        let mut request = request();
        request.query.evidence_type.id = id.to_owned();
        assert_eq!(
            request.to_xml(),
            Err(XmlError::Value("EvidenceTypeClassification")),
            "{id}"
        );
    }
}

#[test]
fn what_a_type_does_not_have_is_not_written() {
    let refused = |change: fn(&mut EvidenceRequest0101)| {
        let mut request = request();
        change(&mut request);
        request.to_xml().unwrap_err()
    };
    let name = refused(|request| request.head.provider.name = "Ministerium \u{3b1}\u{200b}".into());
    assert_eq!(name, XmlError::Value("name"));
    let identifier = refused(|request| request.head.consumer.identifier = "u\u{308}".into());
    assert_eq!(identifier, XmlError::Value("kennung"));
    let code = refused(|request| request.head.consumer.directory = " DVDV".into());
    assert_eq!(code, XmlError::Value("verzeichnisdienst"));
    let form = refused(|request| request.query.distribution.conforms_to = "https://a.example/x".parse().ok());
    assert_eq!(form, XmlError::Value("ConformsTo"));
    let time = refused(|request| request.head.created = Timestamp(u64::MAX));
    assert_eq!(time, XmlError::Value("erstellungszeitpunkt"));
    let date = response_with(|evidence| evidence.issued = "0000-01-01".parse().unwrap()).to_xml();
    assert_eq!(date, Err(XmlError::Value("IssuingDate")));
}

#[test]
fn a_conversation_is_named_by_an_xml_name() {
    let uuid = Uuid::from_u128(1);
    assert_eq!(ConversationId::from(uuid).as_str(), format!("_{uuid}"));
    assert_eq!(" a\n".parse::<ConversationId>().unwrap().as_str(), "a");
    for id in [
        "",
        "1a",
        "-a",
        "a:b",
        "a b",
        "ä",
        &uuid.to_string(),
        &"a".repeat(ConversationId::MAX + 1),
    ] {
        assert!(id.parse::<ConversationId>().is_err(), "{id}");
    }
}
