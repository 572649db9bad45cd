//! Messages of every type, with optional parts and without, and with the extreme values of each type.

use messages::limits::MAX_EVIDENCE;
use messages::xnachweis::{
    Address, Agent, Authority, Availability, ConversationId, Distribution, ErrorCode, Evidence, EvidenceError0103,
    EvidenceError0303, EvidenceOrder0401, EvidenceOrderError0403, EvidenceOrderResponse0402, EvidenceRequest0101,
    EvidenceRequest0301, EvidenceResponse0102, EvidenceResponse0302, EvidenceType, Exception, GetEvidence0411,
    GetEvidenceError0413, GetEvidenceResponse0412, Head, LegalPerson, Message, NaturalPerson, Query, RegisterNumber,
    Representative, Requirement, SectorAttribute, Subject,
};
use record::{Assurance, Idnr, TestNumbers, Timestamp};
use uuid::Uuid;

/// Signs that XML must escape.
const MARKUP: &str = "<&>\"' ]]> &amp;";
/// Letters of DIN 91379 that need two or three code points.
const SEQUENCES: &str = "C\u{328}\u{306} k\u{35f}h L\u{325}\u{304}";

/// The whole corpus.
pub(crate) fn messages() -> Vec<Message> {
    let mut all = requests();
    all.extend(responses());
    all.extend(errors());
    all.extend(orders());
    all.extend(fetches());
    all
}

fn head(test: bool) -> Head {
    let authority = |identifier: &str, name: &str| Authority {
        directory: "DVDV".into(),
        identifier: identifier.into(),
        name: name.into(),
    };
    Head {
        message: Uuid::from_u128(u128::MAX),
        created: Timestamp(if test { 1_800_000_000 } else { 0 }),
        test,
        consumer: authority("ags:05315000", &format!("Stadt Köln {MARKUP}")),
        provider: authority("kba", "Kraftfahrt-Bundesamt €¡ẞ"),
    }
}

fn address(full: bool) -> Address {
    if !full {
        return Address::default();
    }
    Address {
        full: Some("Domplatz 1\n50667 Köln\r\nDeutschland".parse().unwrap()),
        thoroughfare: Some(format!("Straße des 17. Juni {MARKUP}").parse().unwrap()),
        locator: Some("1 a §".parse().unwrap()),
        country: Some("DE".into()),
        region: Some("DEA23".into()),
        postal_code: Some("50667".parse().unwrap()),
        place: Some("Köln".parse().unwrap()),
    }
}

fn attribute(value: &str) -> SectorAttribute {
    SectorAttribute {
        name: "Kundennummer".parse().unwrap(),
        uri: "urn:example:attribute:kundennummer".parse().unwrap(),
        value: value.parse().unwrap(),
    }
}

fn idnr() -> Option<Idnr> {
    Idnr::parse("08214967384", TestNumbers::Allowed).ok()
}

fn natural(date_of_birth: &str, family_name: &str, given_name: &str) -> NaturalPerson {
    NaturalPerson::new(
        date_of_birth.parse().unwrap(),
        family_name.parse().unwrap(),
        given_name.parse().unwrap(),
        Assurance::High,
    )
}

fn full_person() -> NaturalPerson {
    NaturalPerson {
        identifier: Some("AT/DE/1234567890-&<x>".parse().unwrap()),
        birth_name: Some("von und zu O’Brien-Đ".parse().unwrap()),
        place_of_birth: Some(format!("Köln {MARKUP}").parse().unwrap()),
        address: Some(address(true)),
        gender: Some("divers".parse().unwrap()),
        attributes: vec![attribute(""), attribute("a\nb c")],
        idnr: idnr(),
        ..natural("1950-06-00", "Müller-Lüdenscheidt", "Emma")
    }
}

/// Natural and legal persons.
fn subjects() -> Vec<Subject> {
    let mut with_address = natural("9999-12-31", &"ế".repeat(200), "");
    with_address.address = Some(address(false));
    let mut with_idnr = natural("0000-00-00", "", SEQUENCES.split(' ').next().unwrap());
    with_idnr.idnr = idnr();
    let firm = LegalPerson {
        identifier: Some("FR/DE/x".parse().unwrap()),
        numbers: vec![
            RegisterNumber {
                value: "HRB 1234 (Amtsgericht Köln)".into(),
                scheme: "HRN".into(),
            },
            RegisterNumber {
                value: String::new(),
                scheme: "LEI".into(),
            },
        ],
        address: Some(address(true)),
        attributes: vec![attribute("1")],
        ..LegalPerson::new(format!("Müller & Söhne Ω {MARKUP}").parse().unwrap(), Assurance::Low)
    };
    vec![
        natural("1964-08-12", "Müller", "Emma").into(),
        natural("1950-00-00", "de la Cruz y García", "Nguyễn Thị Ánh").into(),
        natural(
            "0001-01-01",
            "K\u{35f}han L\u{325}\u{304}a C\u{328}\u{306}a",
            "ʿAbd ar-Raḥmān",
        )
        .into(),
        full_person().into(),
        with_address.into(),
        with_idnr.into(),
        LegalPerson::new("".parse().unwrap(), Assurance::Substantial).into(),
        firm.into(),
    ]
}

fn representatives() -> [Option<Box<Representative>>; 3] {
    let person = full_person();
    let least = Representative::new(
        "1964-08-12".parse().unwrap(),
        "Müller".parse().unwrap(),
        "Emma".parse().unwrap(),
        Assurance::Low,
    );
    let full = Representative {
        place_of_birth: person.place_of_birth,
        address: person.address,
        gender: person.gender,
        attributes: person.attributes,
        date_of_birth: "1964-08-00".parse().unwrap(),
        idnr: person.idnr,
        ..least.clone()
    };
    [None, Some(Box::new(least)), Some(Box::new(full))]
}

fn evidence_type(full: bool) -> EvidenceType {
    let id = if full {
        "https://sr.oots.tech.ec.europa.eu/evidencetypeclassifications/DE/5b8c3c0e-6a0e-4a58-9d3c-2f6d6f3f0a01"
    } else {
        "zb1"
    };
    EvidenceType {
        id: id.into(),
        title: format!("Zulassungsbescheinigung Teil I {MARKUP} \u{1f697} Приклад"),
        description: full.then(|| "Die Zulassung eines Fahrzeugs.".into()),
    }
}

fn distribution(full: bool) -> Distribution {
    let scheme = |name: &str| {
        format!("https://sr.oots.tech.ec.europa.eu/distributions/{name}")
            .parse()
            .ok()
    };
    Distribution {
        media_type: if full { "application/xml" } else { "application/pdf" }.into(),
        conforms_to: full.then(|| scheme("vehicle-1.0.0")).flatten(),
        transformation: full.then(|| scheme("vehicle-1.0.0/part?x=1&y=2#z")).flatten(),
    }
}

fn query(full: bool, representative: Option<Box<Representative>>, subject: Subject) -> Query {
    Query {
        evidence_type: evidence_type(full),
        distribution: distribution(full),
        representative,
        subject,
    }
}

fn requests() -> Vec<Message> {
    let mut all = Vec::new();
    for (number, subject) in subjects().into_iter().enumerate() {
        for representative in representatives() {
            let full = number % 2 == 1;
            let request = EvidenceRequest0101 {
                id: Uuid::from_u128(2),
                head: head(full),
                issued_token: if full {
                    "urn:uuid:00000000-0000-0000-0000-000000000063"
                } else {
                    ""
                }
                .into(),
                query: query(full, representative, subject.clone()),
            };
            all.push(EvidenceRequest0301(request.clone()).into());
            all.push(request.into());
        }
    }
    all
}

/// Evidence of every form, and none yet.
fn availabilities(subject: &Subject) -> Vec<Availability> {
    let least = Evidence {
        object: Uuid::from_u128(4),
        issued: "2027-01-15".parse().unwrap(),
        validity: None,
        evidence_type: evidence_type(false),
        distribution: distribution(false),
        languages: Vec::new(),
        content: Vec::new(),
        subject: subject.clone(),
    };
    let full = Evidence {
        issued: "0001-01-01".parse().unwrap(),
        validity: Some(("2027-01-15".parse().unwrap(), "9999-12-31".parse().unwrap())),
        evidence_type: evidence_type(true),
        distribution: distribution(true),
        languages: vec!["DE".into(), "EN".into()],
        content: (0..=255).collect(),
        ..least.clone()
    };
    vec![
        Availability::Evidence(Box::new(least)),
        Availability::Evidence(Box::new(full)),
        Availability::From(Timestamp(253_402_207_200)),
    ]
}

fn responses() -> Vec<Message> {
    let mut all = Vec::new();
    for subject in subjects() {
        for (number, availability) in availabilities(&subject).into_iter().enumerate() {
            let response = EvidenceResponse0102 {
                request: Uuid::from_u128(2),
                response: Uuid::from_u128(3),
                head: head(number % 2 == 0),
                availability,
            };
            all.push(EvidenceResponse0302(response.clone()).into());
            all.push(response.into());
        }
    }
    if let Some(Message::Response0102(response)) = all.get_mut(1)
        && let Availability::Evidence(evidence) = &mut response.availability
    {
        evidence.content = vec![0xff; MAX_EVIDENCE];
    }
    all
}

fn errors() -> Vec<Message> {
    let mut all = Vec::new();
    for code in [ErrorCode::NotFound, ErrorCode::Refused, ErrorCode::Unavailable] {
        let full = Exception {
            code,
            detail: Some(format!("Später erneut versuchen {MARKUP}\nÜ").parse().unwrap()),
            at: Some(Timestamp(1_800_000_000)),
        };
        let (detail, at) = (full.detail.clone(), full.at);
        for exception in [
            code.into(),
            Exception { detail, ..code.into() },
            Exception { at, ..code.into() },
            full,
        ] {
            let error = EvidenceError0103 {
                request: Uuid::nil(),
                response: Uuid::from_u128(3),
                head: head(exception.at.is_some()),
                exception,
            };
            all.push(EvidenceError0303(error.clone()).into());
            all.push(EvidenceOrderError0403(error.clone()).into());
            all.push(GetEvidenceError0413(error.clone()).into());
            all.push(error.into());
        }
    }
    all
}

fn foreign(full: bool) -> Agent {
    Agent {
        scheme: if full { "9930" } else { "0088" }.into(),
        identifier: format!("AT:BMI {}", if full { MARKUP } else { "" }).trim_end().into(),
        name: "Bundesministerium für Inneres \u{1f1e6}\u{1f1f9} Ελλάδα".into(),
        address: full.then(|| address(true)),
    }
}

fn orders() -> Vec<Message> {
    let requirement = |country: Option<&str>| Requirement {
        id: Uuid::from_u128(7),
        name: format!("Nachweis der Zulassung {MARKUP}"),
        country: country.map(str::to_owned),
    };
    let mut all = Vec::new();
    for (number, subject) in subjects().into_iter().enumerate() {
        for requirements in [
            vec![],
            vec![requirement(None)],
            vec![requirement(Some("AT")), requirement(None)],
        ] {
            let full = number % 2 == 1;
            all.push(
                EvidenceOrder0401 {
                    id: Uuid::from_u128(2),
                    head: head(full),
                    issued_token: "t".into(),
                    provider: foreign(full),
                    procedure: "R1".into(),
                    query: query(full, representatives()[requirements.len()].clone(), subject.clone()),
                    requirements,
                    back_to: "https://amt.example/zur%C3%BCck?vorgang=1&schritt=2".parse().unwrap(),
                }
                .into(),
            );
        }
    }
    for conversation in conversations() {
        all.push(
            EvidenceOrderResponse0402 {
                order: Uuid::from_u128(2),
                response: Uuid::from_u128(3),
                head: head(true),
                platform: "https://platform.example:8443/x;a=1".parse().unwrap(),
                conversation,
            }
            .into(),
        );
    }
    all
}

fn conversations() -> Vec<ConversationId> {
    let mut all = vec![
        ConversationId::from(Uuid::from_u128(u128::MAX)),
        ConversationId::from(Uuid::nil()),
    ];
    all.extend(["a", "_.-9Z", &"x".repeat(ConversationId::MAX)].map(|id| id.parse().unwrap()));
    all
}

fn fetches() -> Vec<Message> {
    let mut all = Vec::new();
    for (number, conversation) in conversations().into_iter().enumerate() {
        let head = head(number % 2 == 0);
        let id = Uuid::from_u128(2);
        all.push(GetEvidence0411 { id, head, conversation }.into());
    }
    for (number, subject) in subjects().into_iter().enumerate() {
        for availability in availabilities(&subject) {
            all.push(
                GetEvidenceResponse0412 {
                    request: Uuid::from_u128(2),
                    response: Uuid::from_u128(3),
                    head: head(number % 2 == 0),
                    provider: foreign(number % 2 == 1),
                    availability,
                }
                .into(),
            );
        }
    }
    all
}
