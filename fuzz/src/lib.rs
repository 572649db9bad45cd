//! Fuzz targets: one function for each parser of bytes that come from outside.
//!
//! A target panics when the parser panics, and when the parser accepts an input but breaks its contract: a format with
//! one encoding must write the same bytes back, and a format with several must read back the same value. libFuzzer also
//! limits time and memory.
//!
//! `corpus/TARGET/` contains hand-made seeds and the fewest inputs found by the fuzzer that reach the same edges as all
//! found inputs. The ordinary tests replay all of them (`tests/corpus.rs`), so they find a known fault without a
//! nightly compiler. `cargo xtask fuzz` runs the fuzzer itself (cargo-fuzz, nightly).
//!
//! An input of a text target (`note`, `checkpoint`, `tile_path`, `tlog_proof`, `policy`, `add_checkpoint`, `log_list`,
//! `names`) is one document, or several with a NUL byte between them. A parser ends at the first error, so most
//! documents that the fuzzer finds reach one new edge each, and the corpus keeps many of them in few files. NUL is the
//! separator because these formats allow it at most in comments and free text. The target parses each document by
//! itself; it also parses the whole input, so that a NUL byte still reaches the parser.
//!
//! To add a target, write a function here, its line in [`TARGETS`], a file in `targets/`, a `[[bin]]`, and at least one
//! accepted seed in the corpus. A seed's name must not be 40 hexadecimal digits, as a found input's name is.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A target: takes an input and reports whether the parser accepted it.
pub type Target = fn(&[u8]) -> bool;

/// Every target by its name, which is also the name of its corpus folder.
pub const TARGETS: &[(&str, Target)] = &[
    ("note", note),
    ("checkpoint", checkpoint),
    ("tile_path", tile_path),
    ("tlog_proof", tlog_proof),
    ("policy", policy),
    ("add_checkpoint", add_checkpoint),
    ("witness_answer", witness_answer),
    ("log_list", log_list),
    ("map_proof", map_proof),
    ("entry", entry),
    ("submissions", submissions),
    ("cbor", cbor),
    ("sealed_record", sealed_record),
    ("receipt", receipt),
    ("genesis", genesis),
    ("landkarte_files", landkarte_files),
    ("xdatenfelder", xdatenfelder),
    ("change_set", change_set),
    ("trust_snapshot", trust_snapshot),
    ("set_page", set_page),
    ("value_proof", value_proof),
    ("exchange", exchange),
    ("certificate_request", certificate_request),
    ("enrolment", enrolment),
    ("xnachweis", xnachweis),
    ("evidence_document", evidence_document),
    ("opening", opening),
    ("bundle", bundle),
    ("page_proof", page_proof),
    ("device_memory", device_memory),
    ("names", names),
    ("json", json),
];

/// Asserts that accepted input is written back as the same bytes, for a format with one encoding.
fn same_text(bytes: &[u8], accepted: &impl Display) {
    assert_eq!(accepted.to_string().as_bytes(), bytes, "accepted another encoding");
}

/// Asserts that an accepted value, once written, reads back as the same value.
fn reads_back<T: FromStr + Display + PartialEq + Debug>(accepted: &T)
where
    T::Err: Debug,
{
    let text = accepted.to_string();
    assert_eq!(text.parse::<T>().as_ref().ok(), Some(accepted), "{text}");
}

fn text<T: FromStr>(bytes: &[u8]) -> Option<T> {
    str::from_utf8(bytes).ok()?.parse().ok()
}

/// Parses the whole input and, if it contains NUL bytes, each document between them; reports whether `parse` accepted
/// one of these.
fn accepts_any(bytes: &[u8], parse: fn(&[u8]) -> bool) -> bool {
    let mut accepted = parse(bytes);
    if bytes.contains(&0) {
        for document in bytes.split(|byte| *byte == 0) {
            accepted |= parse(document);
        }
    }
    accepted
}

/// Signed notes, their signature lines, and keys in both forms.
pub fn note(bytes: &[u8]) -> bool {
    accepts_any(bytes, |bytes| {
        let mut accepted = text::<tlog::note::SignerKey>(bytes).is_some();
        if let Some(key) = text::<tlog::note::VerifierKey>(bytes) {
            reads_back(&key);
            accepted = true;
        }
        if let Ok(note) = tlog::note::Note::parse(bytes) {
            same_text(bytes, &note);
            assert!(
                note.verify(&[]).is_err(),
                "no key is known, so no line may count as verified"
            );
            accepted = true;
        }
        accepted
    })
}

/// Checkpoints, as plain text and signed.
pub fn checkpoint(bytes: &[u8]) -> bool {
    accepts_any(bytes, |bytes| {
        if let Ok(note) = tlog::note::Note::parse(bytes) {
            return note.text.parse::<tlog::checkpoint::Checkpoint>().is_ok();
        }
        let checkpoint = text::<tlog::checkpoint::Checkpoint>(bytes);
        checkpoint.inspect(|checkpoint| same_text(bytes, checkpoint)).is_some()
    })
}

/// Paths of tiles and bundles, each with exactly one encoding.
pub fn tile_path(bytes: &[u8]) -> bool {
    accepts_any(bytes, |bytes| {
        let resource = text::<tlog::tile::Resource>(bytes);
        resource.inspect(|resource| same_text(bytes, resource)).is_some()
    })
}

/// tlog-proofs.
pub fn tlog_proof(bytes: &[u8]) -> bool {
    accepts_any(bytes, |bytes| {
        let proof = tlog::proof::TlogProof::parse(bytes);
        proof.inspect(|proof| same_text(bytes, proof)).is_ok()
    })
}

/// Trust policies. Comments and spaces are free, so an accepted policy reads back as the same policy.
pub fn policy(bytes: &[u8]) -> bool {
    accepts_any(bytes, |bytes| {
        let Ok(policy) = tlog::policy::Policy::parse(bytes) else {
            return false;
        };
        assert_eq!(tlog::policy::Policy::parse(&policy.to_bytes()), Ok(policy));
        true
    })
}

/// Requests to a witness.
pub fn add_checkpoint(bytes: &[u8]) -> bool {
    accepts_any(bytes, |bytes| {
        let Ok(request) = tlog::witness::AddCheckpoint::parse(bytes) else {
            return false;
        };
        same_text(bytes, &request);
        assert!(
            tlog::witness::decide(None, None, &request).is_err(),
            "cosigned for an unknown log"
        );
        true
    })
}

/// Answers of a witness; the first two bytes are the status.
pub fn witness_answer(bytes: &[u8]) -> bool {
    bytes.split_first_chunk::<2>().is_some_and(|(status, body)| {
        let answer = tlog::witness::WitnessAnswer::parse(u16::from_be_bytes(*status), body);
        matches!(answer, tlog::witness::WitnessAnswer::Cosigned(_))
    })
}

/// Lists of logs in the witness network's format. An accepted list reads back as the same list.
pub fn log_list(bytes: &[u8]) -> bool {
    accepts_any(bytes, |bytes| {
        let Ok(logs) = tlog::log_list::parse(bytes) else {
            return false;
        };
        let written = tlog::log_list::emit(&logs);
        assert_eq!(tlog::log_list::parse(written.as_bytes()).as_ref(), Ok(&logs));
        true
    })
}

/// Proofs of absence and presence in a map: root (32 bytes), key (32 bytes), then the proof.
pub fn map_proof(bytes: &[u8]) -> bool {
    let Some((root, rest)) = bytes.split_first_chunk::<32>() else {
        return false;
    };
    let Some((key, proof)) = rest.split_first_chunk::<32>() else {
        return false;
    };
    let root = tlog::Hash(*root);
    let absent = tlog::map::verify_absent(&root, key, proof).is_ok();
    let present = tlog::map::verify_present(&root, key, &[0; 40], proof).is_ok();
    assert!(!(absent && present), "present and absent under one root");
    absent || present
}

/// Entries of the log.
pub fn entry(bytes: &[u8]) -> bool {
    let Ok(entry) = record::SignedEntry::parse(bytes) else {
        return false;
    };
    assert_eq!(entry.bytes(), bytes);
    assert_eq!(entry.leaf_hash(), tlog::merkle::leaf_hash(bytes));
    true
}

/// The submissions that writers send to the ledger.
pub fn submissions(bytes: &[u8]) -> bool {
    let Ok(all) = record::Submitted::read_all(bytes) else {
        return false;
    };
    let mut written = Vec::new();
    for one in &all {
        one.write(&mut written);
    }
    assert_eq!(written, bytes, "accepted another encoding");
    true
}

fn canonical<T: DeserializeOwned + Serialize>(bytes: &[u8]) -> bool {
    let Ok(value) = record::cbor::from_slice::<T>(bytes) else {
        return false;
    };
    assert_eq!(record::cbor::to_vec(&value), bytes, "accepted another encoding");
    true
}

/// The parts of an opened record.
pub fn cbor(bytes: &[u8]) -> bool {
    canonical::<record::content::SharedPart>(bytes)
        || canonical::<record::content::CitizenPart>(bytes)
        || canonical::<record::content::SupervisionPart>(bytes)
}

/// Sealed records.
pub fn sealed_record(bytes: &[u8]) -> bool {
    let sealed = record::sealed::SealedRecord::parse(bytes);
    sealed.inspect(|sealed| assert_eq!(sealed.bytes(), bytes)).is_ok()
}

/// Receipts: tlog-proofs that contain the entry.
pub fn receipt(bytes: &[u8]) -> bool {
    let receipt = record::Receipt::parse(bytes);
    receipt.inspect(|receipt| assert_eq!(receipt.to_bytes(), bytes)).is_ok()
}

/// The genesis document.
pub fn genesis(bytes: &[u8]) -> bool {
    let Ok(genesis) = record::GenesisDocument::parse(bytes) else {
        return false;
    };
    assert_eq!(genesis.to_bytes(), bytes, "accepted another encoding");
    if let Ok(state) = trust::TrustState::founded(&genesis) {
        assert!(state.authorities().threshold().get() <= genesis.authorities.len());
    }
    true
}

/// Files of the Registerlandkarte, separated by NUL bytes. The first line of each is its name. Tables that are accepted
/// are written as CSV and as TOML, which must read back as the same tables.
pub fn landkarte_files(bytes: &[u8]) -> bool {
    use landkarte::content::{SourceFile, read};
    let file = |bytes: &[u8]| {
        let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
        SourceFile {
            name: String::from_utf8_lossy(&bytes[..end]).into_owned(),
            bytes: bytes.get(end + 1..).unwrap_or_default().to_vec(),
        }
    };
    let files: Vec<SourceFile> = bytes.split(|byte| *byte == 0).map(file).collect();
    let tables = match read(&files) {
        Ok(tables) => tables,
        Err(findings) => {
            assert!(!findings.is_empty(), "refused without a finding");
            assert!(findings.iter().all(|finding| finding.line > 0 && finding.column > 0));
            return false;
        }
    };
    for as_csv in [true, false] {
        let written = registerlandkarte::Table::ALL.into_iter().filter_map(|table| {
            let has_rows = !landkarte::write::cells::rows(table, &tables).is_empty();
            let (ending, text) = match as_csv {
                true => ("csv", landkarte::write::csv(table, &tables).ok()?),
                false => ("toml", landkarte::write::toml(table, &tables)),
            };
            has_rows.then(|| SourceFile {
                name: format!("{}.{ending}", table.name()),
                bytes: text.into_bytes(),
            })
        });
        let written: Vec<SourceFile> = written.collect();
        assert_eq!(read(&written).as_ref(), Ok(&tables), "written as CSV: {as_csv}");
    }
    true
}

/// Evidence as a document: XML, or a PDF file with one XML document in it.
pub fn evidence_document(bytes: &[u8]) -> bool {
    let xml = messages::document::xml_in_pdf(bytes);
    let Ok(document) = messages::EvidenceDocument::from_xml(xml.as_deref().unwrap_or(bytes)) else {
        return false;
    };
    // White space and comments are not kept, and the text of a document may become longer when it is written.
    if let Ok(written) = document.to_xml() {
        assert_eq!(messages::EvidenceDocument::from_xml(&written).as_ref(), Ok(&document));
    }
    true
}

/// Data schemas of FIM. A type of evidence that is made of one contradicts itself in nothing.
pub fn xdatenfelder(bytes: &[u8]) -> bool {
    let names = ("evidence".parse().ok(), "register".parse().ok());
    let (Ok(file), (Some(id), Some(register))) = (std::str::from_utf8(bytes), names) else {
        return false;
    };
    let Ok(evidence) = landkarte::xdatenfelder::evidence(file, id, register) else {
        return false;
    };
    assert!(evidence.defects().is_empty(), "{:?}", evidence.defects());
    true
}

/// Change sets: signed headers, operations, and the values that these put. The fuzzer has no authority's key, so no
/// set may be applied.
pub fn change_set(bytes: &[u8]) -> bool {
    let mut accepted = false;
    if let Ok(signed) = trust::SignedHeader::parse(bytes) {
        assert_eq!(signed.bytes(), bytes);
        accepted = true;
    }
    if let Ok(operations) = trust::Operations::parse(bytes) {
        accepted |= put_values(&operations);
    }
    if let Ok(set) = trust::SignedChangeSet::parse(bytes) {
        assert_eq!(set.to_bytes(), bytes, "accepted another encoding");
        put_values(set.operations());
        let header = set.header();
        let authority = record::SigningKey::from_seed([0xff; 32]).public();
        let threshold = trust::Threshold::new(1).expect("one is a threshold");
        let authorities = trust::Authorities::genesis(&[authority], threshold).expect("there is one authority");
        let state = trust::TrustState::new(header.origin.clone(), authorities);
        assert!(state.apply(header.kind, &set).is_err(), "applied a forged set");
        accepted = true;
    }
    accepted
}

/// Reads the values that operations put and reports whether all of them are accepted.
fn put_values(operations: &trust::Operations) -> bool {
    let puts = operations
        .list()
        .iter()
        .filter_map(|operation| Some((operation.key(), operation.value()?)));
    puts.fold(true, |all, (key, bytes)| match trust::Value::parse(key, bytes) {
        Ok(value) => {
            assert_eq!(value.to_bytes(), bytes, "accepted another encoding");
            assert_eq!(value.key().as_ref(), Ok(key));
            all
        }
        Err(_) => false,
    })
}

/// Snapshots. One that is accepted writes the same bytes.
pub fn trust_snapshot(bytes: &[u8]) -> bool {
    let Ok(snapshot) = trust::Snapshot::parse(bytes) else {
        return false;
    };
    let head = snapshot.head().clone();
    let header = trust::SetHeader {
        kind: head.kind,
        origin: head.origin.clone(),
        version: head.version,
        valid_from: record::Timestamp(0),
        reason: "Probe".parse().expect("a word is a paragraph"),
        operations: tlog::Hash([0; 32]),
        root: snapshot.root(),
    };
    let signature = trust::SetSignature::sign(&header, &record::SigningKey::from_seed([0xff; 32]));
    let signed = trust::SignedHeader::new(header, vec![signature]).expect("one signature is enough");
    if let Ok(map) = snapshot.accept(&signed) {
        assert_eq!(map.to_snapshot(&head.origin), bytes, "accepted another encoding");
        return true;
    }
    false
}

/// Pages of change sets.
pub fn set_page(bytes: &[u8]) -> bool {
    let Ok(page) = trust::SetPage::parse(bytes) else {
        return false;
    };
    assert_eq!(page.into_bytes(), bytes, "accepted another encoding");
    true
}

/// Proofs of one value.
pub fn value_proof(bytes: &[u8]) -> bool {
    let Ok(proof) = trust::ValueProof::parse(bytes) else {
        return false;
    };
    assert_eq!(proof.to_bytes(), bytes, "accepted another encoding");
    let verified = proof.verify(proof.key(), &tlog::Hash([0x5a; 32]));
    assert!(verified.is_err(), "proved under a root that was made for nothing");
    true
}

/// The messages of an exchange.
pub fn exchange(bytes: &[u8]) -> bool {
    canonical::<messages::ExchangeRequest>(bytes)
        || canonical::<messages::LabelRequest>(bytes)
        || canonical::<messages::LabelAnswer>(bytes)
        || canonical::<messages::Forward>(bytes)
        || canonical::<messages::Reply>(bytes)
        || canonical::<messages::Completion>(bytes)
        || canonical::<messages::OutcomeNotice>(bytes)
        || canonical::<messages::DisclosureRequest>(bytes)
        || canonical::<messages::Disclosure>(bytes)
        || canonical::<messages::Acknowledgement>(bytes)
        || canonical::<messages::Deferral>(bytes)
        || canonical::<messages::Deferred>(bytes)
        || canonical::<messages::Withdrawal>(bytes)
        || canonical::<messages::SignedDecision>(bytes)
        || canonical::<messages::PreviewNotice>(bytes)
        || canonical::<messages::Collection>(bytes)
        || canonical::<messages::CollectedCall>(bytes)
        || canonical::<messages::CallAnswer>(bytes)
}

/// Requests for certificates, and the CSR in them.
pub fn certificate_request(bytes: &[u8]) -> bool {
    let Ok(request) = certificates::CertificateRequest::from_bytes(bytes) else {
        return certificates::Csr::read(bytes).is_ok();
    };
    assert_eq!(request.to_bytes(), bytes, "accepted another encoding");
    certificates::Csr::read(&request.statement.csr).is_ok()
}

/// Enrolments, which the registrars' tool and the operator's command read from a service that they do not trust, and
/// the links and words that people copy.
pub fn enrolment(bytes: &[u8]) -> bool {
    if let Ok(text) = std::str::from_utf8(bytes) {
        if let Ok(link) = text.parse::<enrolment::Link>() {
            let again: enrolment::Link = link.to_text().parse().expect("a link that was read");
            assert_eq!(again.key().public(), link.key().public());
        }
        if let Ok(words) = text.parse::<enrolment::Words>() {
            assert_eq!(words.to_string().parse(), Ok(words));
        }
    }
    let Ok(dossier) = enrolment::Dossier::from_bytes(bytes) else {
        return false;
    };
    assert_eq!(dossier.to_bytes(), bytes, "accepted another encoding");
    true
}

/// XNachweis messages of every type. An accepted message is written and read again as the same message.
pub fn xnachweis(bytes: &[u8]) -> bool {
    let Ok(message) = messages::xnachweis::Message::parse(bytes) else {
        return false;
    };
    if let Ok(written) = message.to_xml() {
        assert_eq!(messages::xnachweis::Message::parse(&written).as_ref(), Ok(&message));
    }
    true
}

/// Openings.
pub fn opening(bytes: &[u8]) -> bool {
    proof::opening::Opening::parse(bytes).is_ok()
}

/// Bundles, and their compressed content.
pub fn bundle(bytes: &[u8]) -> bool {
    proof::bundle::Bundle::parse(bytes).is_ok()
}

/// What proves a page of the portal, as the browser's program receives it.
pub fn page_proof(bytes: &[u8]) -> bool {
    let read = citizen_ui::proof::statement::PageProof::parse(bytes);
    if let Ok(proof) = &read {
        assert_eq!(proof.to_bytes(), bytes);
    }
    read.is_ok()
}

/// What a browser's storage gives back to the portal's program.
pub fn device_memory(bytes: &[u8]) -> bool {
    use citizen_ui::proof::device::Memory;
    let read = str::from_utf8(bytes).ok().and_then(Memory::parse);
    if let Some(memory) = &read {
        assert_eq!(Memory::parse(&memory.to_text()).as_ref(), Some(memory));
    }
    read.is_some()
}

/// Names, free text and dates of birth. What an entrance accepts is in canonical form and stays as it is.
pub fn names(bytes: &[u8]) -> bool {
    accepts_any(bytes, |bytes| {
        let Ok(input) = str::from_utf8(bytes) else {
            return false;
        };
        let mut accepted = false;
        if let Ok(name) = ::text::PersonName::new(input) {
            assert_eq!(::text::PersonName::exact(&name).as_ref(), Ok(&name));
            let place = ::text::PlaceName::exact(&name).expect("data type B contains data type A");
            assert!(::text::SearchForm::from(&name) == ::text::SearchForm::from(&place));
            accepted = true;
        }
        if let Ok(title) = ::text::Title::new(input) {
            assert_eq!(::text::Title::exact(&title).as_ref(), Ok(&title));
            accepted = true;
        }
        if let Ok(date) = input.parse::<::text::PartialDate>() {
            assert_eq!(date.expose(), input);
            let (day, precision) = date.first_day();
            assert_eq!(::text::PartialDate::from_first_day(day, precision), Ok(date));
            accepted = true;
        }
        accepted
    })
}

/// JSON without duplicate keys, and files with rows. What is accepted is what `serde_json` reads.
pub fn json(bytes: &[u8]) -> bool {
    let rows = ::text::Rows::of_array(bytes, |mut fields| {
        let name = fields.parse::<::text::PersonName>("name")?;
        fields.end()?;
        Ok(name)
    });
    if let Ok(rows) = rows {
        assert!(rows.sound.iter().all(|(row, _)| *row > 0));
    }
    let object = ::text::Rows::of_object(bytes, |key, value: serde_json::Value| Ok((key, value)));
    let value = ::text::json::from_slice::<serde_json::Value>(bytes);
    if let (Ok(value), Ok(object)) = (&value, &object) {
        assert!(
            object.set_aside.is_empty() && value.as_object().map(|members| members.len()) == Some(object.sound.len())
        );
    }
    let Ok(value) = value else {
        return false;
    };
    assert_eq!(serde_json::from_slice::<serde_json::Value>(bytes).ok(), Some(value));
    true
}
