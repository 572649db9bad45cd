//! Round trips of the three messages, and what their parsers refuse.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;
use record::{Assurance, Idnr, TestNumbers, Timestamp};
use uuid::Uuid;

use super::*;

mod writing;

fn head() -> Head {
    Head {
        message: Uuid::from_u128(1),
        created: Timestamp(1_800_000_000),
        test: true,
        consumer: Authority {
            directory: "DVDV".into(),
            identifier: "ags:05315000".into(),
            name: "Stadt Köln & Umland".into(),
        },
        provider: Authority {
            directory: "DVDV".into(),
            identifier: "kba".into(),
            name: "Kraftfahrt-Bundesamt".into(),
        },
    }
}

fn person() -> NaturalPerson {
    NaturalPerson {
        address: Some(Address {
            postal_code: Some("50667".parse().unwrap()),
            place: Some("Köln <Stadt> & Umland".parse().unwrap()),
            ..Address::default()
        }),
        idnr: Some(Idnr::parse("08214967384", TestNumbers::Allowed).unwrap()),
        ..NaturalPerson::new(
            "1964-08-12".parse().unwrap(),
            "Müller-Lüdenscheidt".parse().unwrap(),
            "Emma".parse().unwrap(),
            Assurance::High,
        )
    }
}

fn evidence_type() -> EvidenceType {
    EvidenceType {
        id: "zb1".into(),
        title: "Zulassungsbescheinigung Teil I".into(),
        description: None,
    }
}

fn request() -> EvidenceRequest0101 {
    EvidenceRequest0101 {
        id: Uuid::from_u128(2),
        head: head(),
        issued_token: "urn:uuid:00000000-0000-0000-0000-000000000063".into(),
        query: Query {
            evidence_type: evidence_type(),
            distribution: Distribution::of("application/json"),
            representative: None,
            subject: person().into(),
        },
    }
}

/// The request, about a changed person.
fn request_about(change: impl FnOnce(&mut NaturalPerson)) -> EvidenceRequest0101 {
    let mut person = person();
    change(&mut person);
    let mut request = request();
    request.query.subject = person.into();
    request
}

fn response() -> EvidenceResponse0102 {
    response_with(|_| {})
}

/// The response, with changed evidence.
fn response_with(change: impl FnOnce(&mut Evidence)) -> EvidenceResponse0102 {
    let mut evidence = Evidence {
        object: Uuid::from_u128(4),
        issued: "2027-01-15".parse().unwrap(),
        validity: None,
        evidence_type: evidence_type(),
        distribution: Distribution::of("application/json"),
        languages: Vec::new(),
        content: br#"{"fields":{"fin":"WVWZZZ1JZXW000001"}}"#.to_vec(),
        subject: person().into(),
    };
    change(&mut evidence);
    EvidenceResponse0102 {
        request: Uuid::from_u128(2),
        response: Uuid::from_u128(3),
        head: head(),
        availability: Availability::Evidence(Box::new(evidence)),
    }
}

fn error() -> EvidenceError0103 {
    EvidenceError0103 {
        request: Uuid::from_u128(2),
        response: Uuid::from_u128(3),
        head: head(),
        exception: ErrorCode::NotFound.into(),
    }
}

fn text(xml: Vec<u8>) -> String {
    String::from_utf8(xml).unwrap()
}

#[test]
fn messages_round_trip() {
    assert_eq!(
        EvidenceRequest0101::parse(&request().to_xml().unwrap()).unwrap(),
        request()
    );
    assert_eq!(
        EvidenceResponse0102::parse(&response().to_xml().unwrap()).unwrap(),
        response()
    );
    let found = EvidenceAnswer::parse(&response().to_xml().unwrap()).unwrap();
    assert_eq!(found, EvidenceAnswer::Response(Box::new(response())));
    for code in [ErrorCode::NotFound, ErrorCode::Refused, ErrorCode::Unavailable] {
        let exception = code.into();
        let error = EvidenceError0103 { exception, ..error() };
        assert_eq!(EvidenceError0103::parse(&error.to_xml().unwrap()).unwrap(), error);
        assert_eq!(
            EvidenceAnswer::parse(&error.to_xml().unwrap()).unwrap(),
            EvidenceAnswer::Error(Box::new(error))
        );
    }
}

#[test]
fn a_person_without_idnr_and_address_round_trips() {
    let mut request = request_about(|person| (person.idnr, person.address) = (None, None));
    request.head.test = false;
    let xml = text(request.to_xml().unwrap());
    assert!(!xml.contains("IDNr") && !xml.contains("CurrentAdress") && !xml.contains("test="));
    assert_eq!(EvidenceRequest0101::parse(xml.as_bytes()).unwrap(), request);
}

/// Names, namespaces and order of the elements are those of the schemas of XNachweis 1.2.0.
#[test]
fn the_request_has_the_elements_of_the_schema_in_order() {
    let xml = text(request().to_xml().unwrap());
    let order = [
        "<xn-de:DE.EvidenceRequest.0101 ",
        "xmlns:xn-de=\"urn:xoev-de:bva:standard:xnachweis:schema:xnachweis-de-noots\"",
        "id=\"urn:uuid:00000000-0000-0000-0000-000000000002\"",
        "standard=\"XNachweis\"",
        "version=\"1.2.0\"",
        "test=\"true\"",
        "<xn-bk:nachrichtenkopf>",
        "<xn-bk:identifikation.nachricht>",
        "<xn-bk:nachrichtenUUID>",
        "<code>DE.EvidenceRequest.0101</code>",
        "<xn-bk:erstellungszeitpunkt>2027-01-15T08:00:00Z<",
        "<bn-g2g:leser>",
        "<bn-g2g:autor>",
        "<xn-de:lang ",
        "<xn-de:SpecificationIdentifier>urn:xoev-de:bva:standard:xnachweis_1.2.0<",
        "<xn-de:IssueDateTime>2027-01-15T08:00:00Z<",
        "<xn-de:EvidenceRequester>",
        "<xn-bk:Identifier schemeID=\"urn:cef.eu:names:identifier:EAS:0204\">",
        "<xn-bdt:value>Stadt Köln &amp; Umland</xn-bdt:value>",
        "<xn-eu-edm:Classification ",
        "<xn-de:EvidenceProvider>",
        "<xn-de:IssuedToken>",
        "<xn-de:Query><xn-bk:QueryDefinition>DocumentQuery<",
        "<xn-bk:RequestedEvidenceType><xn-bk:EvidenceTypeClassification>https://sr.oots.tech.ec.europa.eu/evidencetypeclassifications/ec/zb1<",
        "<xn-bk:DistributedAs><xn-bk:Format ",
        "<xn-bk:LegalOrNaturalPerson><xn-bk:NaturalPerson><xn-bk:DateOfBirth>",
        "<xn-bk:FamilyName>Müller-Lüdenscheidt<",
        "<xn-bk:GivenName>",
        "<xn-bk:LevelOfAssurance ",
        "<xn-bk:CurrentAdress>",
        "<xn-bk:IDNr>08214967384<",
    ];
    let mut rest = xml.as_str();
    for part in order {
        let at = rest
            .find(part)
            .unwrap_or_else(|| panic!("{part} is missing or in the wrong place"));
        rest = &rest[at + part.len()..];
    }
}

/// Parses the request with `from`, which must occur, replaced, and returns the error.
fn changed(from: &str, to: &str) -> XmlError {
    let xml = text(request().to_xml().unwrap());
    assert!(xml.contains(from), "{from}");
    EvidenceRequest0101::parse(xml.replacen(from, to, 1).as_bytes()).unwrap_err()
}

#[test]
fn a_request_that_violates_the_schema_is_refused() {
    assert_eq!(
        changed("version=\"1.2.0\"", "version=\"1.1.0\""),
        XmlError::Value("version")
    );
    assert_eq!(changed(" standard=\"XNachweis\"", ""), XmlError::Missing("standard"));
    assert_eq!(
        changed(" standard=", " other=\"1\" standard="),
        XmlError::Unexpected("the root")
    );
    assert_eq!(
        changed("urn:uuid:00000000-0000-0000-0000-000000000002", "2"),
        XmlError::Value("id")
    );
    assert_eq!(
        changed("xnachweis_1.2.0", "xnachweis_1.1.0"),
        XmlError::Value("SpecificationIdentifier")
    );
    assert_eq!(
        changed("<xn-de:lang ", "<xn-de:other/><xn-de:lang "),
        XmlError::Missing("lang")
    );
    assert_eq!(
        changed("</xn-de:Query>", "<xn-bk:X/></xn-de:Query>"),
        XmlError::Unexpected("Query")
    );
    assert_eq!(
        changed("<xn-de:Query>", "<xn-de:Query>x"),
        XmlError::Unexpected("Query")
    );
    assert_eq!(changed("1964-08-12", "1964-13-12"), XmlError::Value("DateOfBirth"));
    assert_eq!(changed(">08214967384<", ">08214967385<"), XmlError::Value("IDNr"));
    assert_eq!(changed(">08214967384<", ">0821496738<"), XmlError::Value("IDNr"));
    assert_eq!(
        changed("<code>High</code>", "<code>Sehr hoch</code>"),
        XmlError::Value("LevelOfAssurance")
    );
    assert_eq!(
        changed("codeliste:loa", "codeliste:other"),
        XmlError::Value("LevelOfAssurance")
    );
    assert_eq!(
        changed("codeliste:loa\" listVersionID=\"1.0\"", "codeliste:loa\""),
        XmlError::Value("LevelOfAssurance")
    );
    assert_eq!(
        changed("<bn-beh:kennung>kba", "<bn-beh:kennung>kba\u{200b}"),
        XmlError::Value("kennung")
    );
    assert_eq!(changed("produkt=\"E", "produkt=\"\u{3b1}"), XmlError::Value("produkt"));
    assert_eq!(
        changed("classifications/ec/zb1", "classifications/ec/zb2"),
        XmlError::Value("Identifier")
    );
    assert_eq!(
        changed("xmlns:xn-bk=\"urn:", "xmlns:xn-bk=\"urn:x"),
        XmlError::Forbidden("a foreign namespace")
    );
    assert_eq!(changed("?>\n", "?><!DOCTYPE x>"), XmlError::Forbidden("a DTD"));
}

/// Parses a message with replacements, each of which must occur, and returns it as XML.
fn with(mut xml: String, changes: &[(&str, &str)]) -> String {
    for (from, to) in changes {
        assert!(xml.contains(from), "{from}");
        xml = xml.replace(from, to);
    }
    xml
}

/// What other programs write. All of it is valid under the schemas of XNachweis 1.2.0.
#[test]
fn a_request_in_another_valid_form_is_the_same_request() {
    for changes in [
        &[("1964-08-12", "1964-08-12+02:00")] as &[_],
        &[("1964-08-12", "1964-08-12Z")],
        &[("2027-01-15T08:00:00Z", "2027-01-15T09:00:00.000+01:00")],
        &[("2027-01-15T08:00:00Z", "2027-01-15T08:00:00.25Z")],
        &[("<code>High</code>", "\n<code>\n High </code>\r\n")],
        &[("<xn-bk:GivenName>Emma", "<xn-bk:GivenName>Em<!-- a = b -->ma<!-- -->")],
        &[("<xn-bk:GivenName>Emma", "<xn-bk:GivenName><![CDATA[Emma]]>")],
        &[("<xn-de:lang ", "<!-- language -->\n<xn-de:lang ")],
        &[("test=\"true\"", "test=\"ja\"")],
        &[(
            " standard=",
            " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:schemaLocation=\"urn:a a.xsd\" standard=",
        )],
        &[("?>\n", "?>\r\n<!-- made elsewhere -->\r\n")],
        &[("xn-bk:", "b:"), ("xmlns:xn-bk", "xmlns:b")],
        &[(
            "</bn-g2g:autor>",
            "<k:erreichbarkeit xmlns:k=\"http://xoev.de/schemata/basisnachricht/kommunikation/1_1\"><k:kanal listVersionID=\"3\"><code>01</code></k:kanal><k:kennung>a</k:kennung></k:erreichbarkeit></bn-g2g:autor>",
        )],
    ] {
        let xml = with(text(request().to_xml().unwrap()), changes);
        assert_eq!(EvidenceRequest0101::parse(xml.as_bytes()), Ok(request()), "{changes:?}");
    }
}

#[test]
fn evidence_in_lines_is_the_same_evidence() {
    let response = response_with(|evidence| evidence.content = (0..=255).cycle().take(1_000).collect());
    let xml = text(response.to_xml().unwrap());
    let (head, rest) = xml.split_once("<xn-bk:RepositoryItem><xn-bk:RepositoryItem>").unwrap();
    let (content, tail) = rest.split_once('<').unwrap();
    for (width, end) in [(76, "\r\n"), (64, "\n"), (76, "&#13;\n"), (4, " "), (1, "\t")] {
        let lines: Vec<&str> = content
            .as_bytes()
            .chunks(width)
            .map(|line| std::str::from_utf8(line).unwrap())
            .collect();
        let lines = lines.join(end);
        let xml = format!("{head}<xn-bk:RepositoryItem><xn-bk:RepositoryItem>{end}{lines}{end}<{tail}");
        assert_eq!(
            EvidenceResponse0102::parse(xml.as_bytes()).unwrap(),
            response,
            "{width}"
        );
    }
}

#[test]
fn a_value_outside_its_type_is_refused() {
    for zone in ["+15:00", "+14:01", "+2:00", "+0200", "z", "+02:60", "x"] {
        assert_eq!(
            changed("1964-08-12", &format!("1964-08-12{zone}")),
            XmlError::Value("DateOfBirth"),
            "{zone}"
        );
    }
    for time in [
        "2027-01-15T08:00:00",
        "2027-01-15 08:00:00Z",
        "2027-01-15T08:00Z",
        "2027-01-15T08:00:00.Z",
        "20270115T080000Z",
        "2027-01-15T23:59:60Z",
        "2027-01-15T08:00:00Z ",
        "2027-01-15T08:00:00Z[UTC]",
    ] {
        let error = changed("2027-01-15T08:00:00Z", time);
        assert_eq!(error, XmlError::Value("erstellungszeitpunkt"), "{time}");
    }
    for date in [
        "0000-01-01",
        " 1964-08-12",
        "1964-08-12Z\n",
        "20270115T1",
        "2027-W01-1",
        "+2027-01-1",
    ] {
        assert_eq!(changed("1964-08-12", date), XmlError::Value("DateOfBirth"), "{date}");
    }
    for attribute in ["xsi:type=\"b:PersonType\"", "xsi:nil=\"true\"", "xsi:other=\"1\""] {
        let with = format!("<xn-bk:NaturalPerson xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" {attribute}>");
        assert_eq!(
            changed("<xn-bk:NaturalPerson>", &with),
            XmlError::Unexpected("NaturalPerson"),
            "{attribute}"
        );
    }
    assert_eq!(
        changed("?>\n", "?><?xml-stylesheet href=\"a\"?>"),
        XmlError::Forbidden("a processing instruction")
    );
}

#[test]
fn the_end_of_a_day_is_the_beginning_of_the_next() {
    let time = |text| values::time(text, "time");
    assert_eq!(time("2026-12-31T24:00:00.0+01:00"), time("2027-01-01T00:00:00+01:00"));
    assert!(time("2026-12-31T24:00:01Z").is_err());
}

#[test]
fn different_parties_in_head_and_body_are_refused() {
    let xml = text(request().to_xml().unwrap());
    let second = xml.rfind("Kraftfahrt-Bundesamt").unwrap();
    let mut other = xml.clone();
    other.replace_range(second..second + "Kraftfahrt-Bundesamt".len(), "Bundesamt");
    assert_eq!(
        EvidenceRequest0101::parse(other.as_bytes()).unwrap_err(),
        XmlError::Value("EvidenceProvider")
    );
}

#[test]
fn a_message_of_another_type_is_refused() {
    let request = request().to_xml().unwrap();
    let response = response().to_xml().unwrap();
    let error = error().to_xml().unwrap();
    assert!(EvidenceAnswer::parse(&request).is_err());
    assert!(EvidenceRequest0101::parse(&response).is_err());
    assert!(EvidenceResponse0102::parse(&error).is_err());
    assert!(EvidenceError0103::parse(&response).is_err());
    let failure = text(response).replace("ResponseStatusType:Success", "ResponseStatusType:Failure");
    assert_eq!(
        EvidenceResponse0102::parse(failure.as_bytes()).unwrap_err(),
        XmlError::Value("status")
    );
}

#[test]
fn every_proper_prefix_of_a_message_is_refused() {
    let xml = response().to_xml().unwrap();
    for length in 0..xml.len() {
        assert!(EvidenceAnswer::parse(&xml[..length]).is_err(), "{length}");
    }
}

#[test]
fn a_partial_date_of_birth_has_one_mapping() {
    for (date, first_day, precision) in [
        ("1950-06-00", "1950-06-01", "month"),
        ("1950-00-00", "1950-01-01", "year"),
        ("0000-00-00", "0001-01-01", "unknown"),
    ] {
        let request = request_about(|person| person.date_of_birth = date.parse().unwrap());
        let xml = text(request.to_xml().unwrap());
        assert!(xml.contains(&format!("<xn-bk:DateOfBirth>{first_day}<")), "{xml}");
        assert!(xml.contains(&format!("<xn-bk:AttributeValue>{precision}<")), "{xml}");
        assert_eq!(EvidenceRequest0101::parse(xml.as_bytes()).unwrap(), request);
        // Another day of the month or year, or an unknown attribute, would be a second form of the same date.
        for (from, to) in [
            (first_day, "1950-06-02"),
            ("date-of-birth-precision<", "date-of-birth<"),
            (&format!(">{precision}<"), ">day<"),
        ] {
            assert!(EvidenceRequest0101::parse(xml.replace(from, to).as_bytes()).is_err());
        }
    }
}

#[test]
fn a_name_of_another_unicode_form_is_read_as_the_same_person() {
    let xml = text(request().to_xml().unwrap());
    let decomposed = xml.replace("Müller", "Mu\u{308}ller");
    assert_ne!(decomposed, xml);
    assert_eq!(EvidenceRequest0101::parse(decomposed.as_bytes()).unwrap(), request());
    for name in ["Мюллер", "Mül\u{202e}ler", "Mül\tler"] {
        let result = EvidenceRequest0101::parse(xml.replace("Müller", name).as_bytes());
        assert_eq!(result, Err(XmlError::Value("FamilyName")));
    }
}

#[test]
fn debug_shows_nothing_personal() {
    let text = format!("{:?} {:?}", request(), response());
    for secret in ["08214967384", "Müller", "Emma", "1964", "WVWZZZ"] {
        assert!(!text.contains(secret), "{secret}");
    }
}

proptest! {
    #[test]
    fn any_name_round_trips(name in "[A-Za-zäöüßéÑŁı’' .-]{0,40}", content in proptest::collection::vec(any::<u8>(), 0..200)) {
        let response = response_with(|evidence| {
            let mut person = person();
            person.family_name = name.parse().unwrap();
            (evidence.subject, evidence.content) = (person.into(), content);
        });
        let xml = response.to_xml().unwrap();
        prop_assert_eq!(EvidenceResponse0102::parse(&xml).unwrap(), response);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = EvidenceAnswer::parse(&bytes);
        let _ = EvidenceRequest0101::parse(&bytes);
    }
}
