//! Evidence as XML and as PDF/A-3 with the XML in it, as other programs read it: libxml2, qpdf, poppler, veraPDF.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::process::Command;

use messages::limits::MAX_EVIDENCE;
use messages::{EvidenceDocument, EvidenceForm};
use register::{Config, xml_schema};
use serde_json::{Value, json};
use service::ManualClock;
use service::http::{CallError, Client, RawResponse};
use service::secret::Credential;
use tempfile::TempDir;

const IDNR: &str = "08214967384";

/// Values that a document must keep as they are: names after DIN 91379, what XML escapes, other scripts, nothing, and
/// one that fills more than a page.
fn fields() -> Vec<(&'static str, String)> {
    vec![
        (
            "familienname",
            "D\u{30b}oğanşıoğlu-O’Connor Żółć Ǆemal \u{1e6e}\u{1e96}".to_owned(),
        ),
        (
            "anmerkung",
            "]]> & <halter a=\"b\">'x'</halter> &amp; &#10; stream endstream endobj".to_owned(),
        ),
        ("schrift", "Жанна Μαρία 山田".to_owned()),
        ("leer", String::new()),
        ("lang", "Straße und Hausnummer, ".repeat(170)),
        ("ohne-umbruch", "W".repeat(4096)),
    ]
}

fn schema() -> Value {
    let fields: Vec<Value> = fields()
        .iter()
        .map(|(name, _)| json!({ "name": name, "title": format!("Feld <{name}> & „Titel“"), "category": "Angaben" }))
        .collect();
    json!({ "name": "Register für <Proben> & mehr", "evidence_types": [
        { "id": "probe", "title": "Auszug „A & B“ <1>", "fields": fields },
        { "id": "kurz", "title": "Kurz", "fields": [ { "name": "a", "title": "A", "category": "Angaben" } ] },
        { "id": "voll", "title": "Voll", "fields": (0..200).map(|number| json!(
            { "name": format!("f{number}"), "title": format!("Feld {number}"), "category": "Angaben" })).collect::<Vec<_>>() },
    ] })
}

struct Fixture {
    folder: TempDir,
    url: String,
    client: Client,
}

async fn register(banner: Option<&str>) -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let all: serde_json::Map<String, Value> = fields()
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect();
    let full: serde_json::Map<String, Value> = (0..200)
        .map(|number| (format!("f{number}"), "&".repeat(600).into()))
        .collect();
    let data = json!({ IDNR: { "probe": all, "kurz": { "a": "x" }, "voll": full } });
    std::fs::write(folder.path().join("schema.json"), schema().to_string()).unwrap();
    std::fs::write(folder.path().join("data.json"), data.to_string()).unwrap();
    let config: Config = serde_json::from_value(json!({
        "directory": "state", "schema": "schema.json", "data": "data.json", "banner": banner,
        "credential_digest": hex::encode(Credential::from_bytes([7; 32]).digest().0),
    }))
    .unwrap();
    let routes = register::routes(&config.resolved(folder.path()), ManualClock::new(1_800_000_000)).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/evidence", listener.local_addr().unwrap());
    tokio::spawn(service::listen::serve(listener, routes, service::Shutdown::new()));
    let client = Client::new().unwrap().with_credential(Credential::from_bytes([7; 32]));
    Fixture { folder, url, client }
}

impl Fixture {
    async fn ask(&self, evidence_type: &str, accept: &'static str) -> RawResponse {
        let query = json!({ "idnr": IDNR, "evidence_type": evidence_type }).to_string();
        let client = self.client.with_accept(accept);
        client.post(&self.url, "application/json", query.into()).await.unwrap()
    }

    async fn document(&self, evidence_type: &str, form: EvidenceForm) -> Vec<u8> {
        let answer = self.ask(evidence_type, form.media_type()).await;
        assert_eq!((answer.status, answer.content_type.as_str()), (200, form.media_type()));
        answer.body
    }

    fn write(&self, name: &str, content: &[u8]) -> PathBuf {
        let file = self.folder.path().join(name);
        std::fs::write(&file, content).unwrap();
        file
    }
}

/// Runs a program of another project. Returns whether it succeeded, and what it prints.
fn run(program: &str, arguments: &[&str]) -> (bool, String) {
    let output = Command::new(program).args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}; `cargo xtask doctor` says what is missing"));
    let printed = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&printed).into_owned())
}

fn succeed(program: &str, arguments: &[&str]) -> String {
    let (succeeded, text) = run(program, arguments);
    assert!(succeeded, "{program} {arguments:?}: {text}");
    text
}

/// What poppler reads of a PDF file that qpdf finds sound: its text, and its only attachment.
fn read_pdf(file: &Path) -> (String, Vec<u8>) {
    let path = file.to_str().unwrap();
    succeed("qpdf", &["--check", path]);
    let info = succeed("pdfinfo", &[path]);
    assert!(
        info.contains("Tagged:          yes"),
        "a screen reader needs tags: {info}"
    );
    let listed = succeed("pdfdetach", &["-list", path]);
    assert!(
        listed.starts_with("1 embedded files") && listed.contains("nachweis.xml"),
        "{listed}"
    );
    let attached = file.with_extension("attached");
    succeed("pdfdetach", &["-save", "1", "-o", attached.to_str().unwrap(), path]);
    let text = succeed("pdftotext", &["-raw", path, "-"]);
    (text, std::fs::read(attached).unwrap())
}

/// The text without spaces, line ends and page breaks, because lines are broken anywhere.
fn solid(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_whitespace()).collect()
}

#[tokio::test]
async fn the_xml_document_is_valid_by_the_schema_and_has_every_value() {
    let register = register(None).await;
    let xml = register.document("probe", EvidenceForm::Xml).await;
    let schema = xml_schema::of_file(&register.folder.path().join("schema.json")).unwrap();
    let schema = register.write("schema.xsd", schema.as_bytes());
    let check = |content: &[u8]| {
        let file = register.write("evidence.xml", content);
        run(
            "xmllint",
            &[
                "--noout",
                "--nonet",
                "--schema",
                schema.to_str().unwrap(),
                file.to_str().unwrap(),
            ],
        )
    };
    let (valid, said) = check(&xml);
    assert!(valid, "{said}");
    // A schema that accepts anything would be none.
    let text = String::from_utf8(xml.clone()).unwrap();
    for (from, to) in [
        ("familienname>", "vorname>"),
        ("<leer></leer>", ""),
        ("2027-01-15T08:00:00Z", "gestern"),
        ("Auszug", "Auszüge"),
        ("<leer></leer>", "<leer><b/></leer>"),
    ] {
        let changed = text.replace(from, to);
        assert!(changed != text && !check(changed.as_bytes()).0, "{from} → {to}");
    }
    let document = EvidenceDocument::from_xml(&xml).unwrap();
    assert_eq!(&*document.title, "Auszug „A & B“ <1>");
    assert_eq!(&*document.issued_at, "2027-01-15T08:00:00Z");
    for ((name, value), (expected, kept)) in document.fields.iter().zip(fields()) {
        assert_eq!((name.as_str(), &**value), (expected, kept.as_str()), "{name}");
    }
}

#[tokio::test]
async fn the_pdf_document_shows_the_evidence_and_has_its_xml_byte_for_byte() {
    let register = register(Some("Demonstrator – alle Personen sind erfunden")).await;
    let pdf = register.document("probe", EvidenceForm::Pdf).await;
    let again = register.document("probe", EvidenceForm::Pdf).await;
    assert!(pdf == again, "the same bytes again");
    let file = register.write("evidence.pdf", &pdf);
    if let Ok(folder) = std::env::var("EINSICHT_PICTURES") {
        std::fs::copy(&file, Path::new(&folder).join("evidence.pdf")).unwrap();
    }
    let (text, attached) = read_pdf(&file);
    let xml = register.document("probe", EvidenceForm::Xml).await;
    assert!(attached == xml);
    assert!(messages::document::xml_in_pdf(&pdf).unwrap() == xml);
    // What other programs make of the file has the same XML in it.
    for (name, arguments) in [
        (
            "packed.pdf",
            [
                "--object-streams=generate",
                "--compress-streams=y",
                "--recompress-flate",
            ],
        ),
        (
            "plain.pdf",
            ["--qdf", "--object-streams=disable", "--stream-data=uncompress"],
        ),
    ] {
        let written = register.folder.path().join(name);
        let files = [file.to_str().unwrap(), written.to_str().unwrap()];
        succeed("qpdf", &[arguments.as_slice(), files.as_slice()].concat());
        assert_eq!(
            messages::document::xml_in_pdf(&std::fs::read(written).unwrap()).unwrap(),
            xml,
            "{name}"
        );
    }
    let plain = std::fs::read(register.folder.path().join("plain.pdf")).unwrap();
    assert!(String::from_utf8_lossy(&plain).contains("/AFRelationship /Source"));
    let text = solid(&text);
    for expected in [
        "Demonstrator – alle Personen sind erfunden",
        "Register für <Proben> & mehr",
        "Auszug „A & B“ <1>",
        "Ausgestellt am 15.1.2027, 9:00 Uhr",
        "]]> & <halter a=\"b\">'x'</halter> &amp; &#10; stream endstream endobj",
        "[U+5C71][U+7530]",
        "keine Angabe",
        "Seite 4 von 4",
        "nachweis.xml",
    ] {
        assert!(text.contains(&solid(expected)), "{expected} is missing in {text}");
    }
    let letters = text.matches('W').count();
    assert!(
        letters >= 4096,
        "{letters} of 4096 letters of a word that is longer than a page"
    );
}

#[tokio::test]
async fn a_form_that_the_register_does_not_have_is_refused_and_none_is_json() {
    let register = register(None).await;
    let refused = register.ask("kurz", "image/png").await;
    assert_eq!(refused.status, 406);
    assert!(
        !register
            .folder
            .path()
            .join("state/access.log")
            .metadata()
            .is_ok_and(|file| file.len() > 0)
    );
    for accept in ["*/*", "application/json"] {
        let answer = register.ask("kurz", accept).await;
        assert_eq!(answer.content_type, "application/json");
        let value: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(value["fields"], json!({ "a": "x" }));
    }
    let (text, _) = read_pdf(&register.write("kurz.pdf", &register.document("kurz", EvidenceForm::Pdf).await));
    assert!(
        !text.contains("Demonstrator") && text.contains("Seite 1 von 1"),
        "{text}"
    );
}

#[tokio::test]
async fn the_limit_is_that_of_the_form() {
    let register = register(None).await;
    let json = register.document("voll", EvidenceForm::Json).await;
    assert!(json.len() < MAX_EVIDENCE);
    // Each `&` takes five bytes in XML.
    for form in [EvidenceForm::Xml, EvidenceForm::Pdf] {
        let answer = register.ask("voll", form.media_type()).await;
        let Err(CallError::Refused(problem)) = answer.success() else {
            panic!("not a problem")
        };
        assert_eq!((problem.status, problem.slug.as_str()), (422, "evidence-too-large"));
    }
}

/// The schemas of the demonstration's registers are published beside their schema files.
#[test]
fn the_published_schemas_are_those_of_the_schema_files() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../einsicht/data");
    for register in ["kba", "meldewesen", "handelsregister"] {
        let made = xml_schema::of_file(&folder.join(format!("register-{register}.schema.json"))).unwrap();
        let published = std::fs::read_to_string(folder.join(format!("register-{register}.xsd"))).unwrap();
        assert!(
            made == published,
            "cargo run -p register --example xml-schema -- einsicht/data/register-{register}.schema.json"
        );
    }
}

/// `cargo xtask test --long` runs this test and says where veraPDF is.
#[tokio::test]
#[ignore = "needs veraPDF, whose folder EINSICHT_VERAPDF names"]
async fn verapdf_finds_no_fault_in_evidence() {
    let jars = std::env::var("EINSICHT_VERAPDF").expect("EINSICHT_VERAPDF names the folder of veraPDF's jars");
    for banner in [None, Some("Demonstrator")] {
        let register = register(banner).await;
        for evidence_type in ["probe", "kurz"] {
            let pdf = register.document(evidence_type, EvidenceForm::Pdf).await;
            let file = register.write("evidence.pdf", &pdf);
            for flavour in ["3a", "ua1"] {
                let classes = format!("{jars}/*");
                let program = ["-cp", &classes, "org.verapdf.apps.GreenfieldCliWrapper"];
                let check = [
                    "--format",
                    "text",
                    "--flavour",
                    flavour,
                    "--nonpdfext",
                    file.to_str().unwrap(),
                ];
                let report = succeed("java", &[program.as_slice(), check.as_slice()].concat());
                assert!(report.starts_with("PASS"), "{evidence_type}: {report}");
            }
        }
    }
}
