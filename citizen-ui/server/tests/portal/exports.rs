//! The files that a citizen takes home, as other programs read them: qpdf, poppler, Python.

use std::path::{Path, PathBuf};
use std::process::Command;

use axum::http::{StatusCode, header};
use record::Receipt;
use tempfile::TempDir;
use tlog::policy::Policy;

use crate::HIGH;
use crate::world::World;
use fixtures::sample_log;

/// Runs a program of another project, which must succeed. Returns what it prints.
fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}; `cargo xtask doctor` says what is missing"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{program} {arguments:?}: {text}{error}");
    text
}

/// A file on the disk, for other programs.
struct OnDisk {
    folder: TempDir,
    file: PathBuf,
}

impl OnDisk {
    fn new(content: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, content).unwrap();
        Self { folder, file }
    }

    fn path(&self) -> &str {
        self.file.to_str().unwrap()
    }
}

/// Checks that a PDF file is sound and tagged. Returns its text as poppler reads it, and its attachments.
fn read_pdf(content: &[u8]) -> (String, Vec<(String, Vec<u8>)>) {
    let pdf = OnDisk::new(content);
    run("qpdf", &["--check", pdf.path()]);
    let info = run("pdfinfo", &[pdf.path()]);
    assert!(
        info.contains("Tagged:          yes"),
        "a screen reader needs tags: {info}"
    );
    let attached = pdf.folder.path().join("attached");
    std::fs::create_dir(&attached).unwrap();
    run("pdfdetach", &["-saveall", "-o", attached.to_str().unwrap(), pdf.path()]);
    let text = run("pdftotext", &["-raw", pdf.path(), "-"]);
    (text.replace('\n', " "), files(&attached))
}

fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let files = std::fs::read_dir(folder).unwrap();
    let read = |file: PathBuf| {
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        (name, std::fs::read(file).unwrap())
    };
    files.map(|file| read(file.unwrap().path())).collect()
}

#[tokio::test]
async fn the_list_is_a_pdf_file_with_all_its_pages_and_the_bundle() {
    let world = World::new(27, HIGH).await;
    let cookie = world.login("de").await.cookie();
    let bundle = world.get("/de/abrufe/buendel", &cookie).await.body;
    let sentences = [
        ("de", "Die Stadt Musterhausen hat beim Kraftfahrt-Bundesamt"),
        ("en", "Stadt Musterhausen retrieved your document"),
        ("leicht", "Die Stadt Musterhausen hat beim Kraftfahrt-Bundesamt"),
    ];
    for (lang, sentence) in sentences {
        let response = world.get(&format!("/{lang}/abrufe.pdf?seite=2"), &cookie).await;
        assert_eq!(response.status, StatusCode::OK);
        assert_eq!(response.headers[header::CONTENT_TYPE], "application/pdf");
        assert_eq!(response.headers[header::CACHE_CONTROL], "no-store");
        let (text, attached) = read_pdf(&response.body);
        assert_eq!(text.matches(sentence).count(), 27, "{text}");
        let page = if lang == "en" { "Page 2 of" } else { "Seite 2 von" };
        for expected in [
            "Emma Mustermann",
            page,
            "http://portal.test/",
            "Antrag auf einen Bewohnerparkausweis",
        ] {
            assert!(text.contains(expected), "{expected} is missing in {text}");
        }
        assert!(!text.contains(sample_log::IDNR), "the pages show the number");
        assert_eq!(attached, [("eintraege.bundle".to_owned(), bundle.clone())]);
    }
}

/// Reads CSV and JSON and prints the entries of the rows in their order.
const PYTHON: &str = r"
import csv, json, sys
table = list(csv.DictReader(open(sys.argv[1], encoding='utf-8-sig', newline=''), delimiter=';', strict=True))
data = json.load(open(sys.argv[2], encoding='utf-8'))
rows = [row for group in data['groups'] for row in group['rows']]
assert len(table) == len(rows) == data['matching'], (table, data)
for line, row in zip(table, rows):
    assert line['eintrag'] == ', '.join(map(str, row['entries']))
    pairs = dict(zeit='time', satz='sentence', wer='consumer', bei='provider', gesetz='law', ergebnis='result')
    assert all(line[german] == row[english] for german, english in pairs.items()), (line, row)
print(' '.join(str(row['entries'][0]) for row in rows))
";

/// The first entries of the rows of CSV and JSON for a query.
async fn rows(world: &World, cookie: &str, query: &str) -> Vec<u64> {
    let csv = world.get(&format!("/de/abrufe.csv{query}"), cookie).await;
    assert_eq!(csv.headers[header::CONTENT_TYPE], "text/csv; charset=utf-8");
    let json = world.get(&format!("/de/abrufe.json{query}"), cookie).await;
    assert_eq!(json.headers[header::CONTENT_TYPE], "application/json");
    assert!(!json.text().contains(sample_log::IDNR) && !csv.text().contains(sample_log::IDNR));
    let (csv, json) = (OnDisk::new(&csv.body), OnDisk::new(&json.body));
    let printed = run("python3", &["-c", PYTHON, csv.path(), json.path()]);
    printed.split_whitespace().map(|entry| entry.parse().unwrap()).collect()
}

#[tokio::test]
async fn csv_and_json_have_the_rows_of_the_query_in_its_order_on_all_pages() {
    let world = World::new(27, HIGH).await;
    let cookie = world.login("de").await.cookie();
    let mut all: Vec<u64> = world.backend().exchanges.iter().map(|(intent, _)| *intent).collect();
    assert_eq!(rows(&world, &cookie, "?sort=aelteste&seite=2").await, all);
    all.reverse();
    assert_eq!(rows(&world, &cookie, "").await, all);
    assert_eq!(rows(&world, &cookie, "?ergebnis=abgelehnt").await, [0; 0]);
}

#[tokio::test]
async fn a_letter_is_a_pdf_file_with_the_receipt_of_its_entry() {
    let world = World::new(1, HIGH).await;
    let cookie = world.login("en").await.cookie();
    let (intent, _) = world.backend().exchanges[0];
    let path = format!("/en/abrufe/{intent}/brief.pdf?was=auskunft");
    let (text, attached) = read_pdf(&world.get(&path, &cookie).await.body);
    for expected in [
        "Emma Mustermann",
        "Auskunft nach Artikel 15 DSGVO",
        "Stadt Musterhausen, datenschutz@musterhausen.example",
        "Mit freundlichen Grüßen",
        &format!("http://portal.test/de/protokoll/eintrag/{intent}"),
    ] {
        assert!(text.contains(expected), "{expected} is missing in {text}");
    }
    assert!(!text.contains(sample_log::IDNR), "the number was not wanted");
    let [(name, receipt)] = attached.as_slice() else {
        panic!("{} attachments", attached.len());
    };
    assert_eq!(*name, format!("eintrag-{intent}.tlog-proof"));
    let policy = Policy::parse(world.backend().log.policy().as_bytes()).unwrap();
    let verified = Receipt::parse(receipt).unwrap().verify(&policy).unwrap();
    assert_eq!(verified.index().get(), intent);
    let (with_number, _) = read_pdf(&world.get(&format!("{path}&nummer=ja"), &cookie).await.body);
    assert!(with_number.contains(sample_log::IDNR), "the number was wanted");
}

#[tokio::test]
async fn files_are_for_the_citizen_of_the_session_alone_and_of_entries_that_exist() {
    let world = World::new(1, HIGH).await;
    let cookie = world.login("de").await.cookie();
    let (intent, outcome) = world.backend().exchanges[0];
    for path in [
        "/de/abrufe.pdf".to_owned(),
        "/de/abrufe.csv".to_owned(),
        "/de/abrufe.json".to_owned(),
        format!("/de/abrufe/{intent}/brief.pdf?was=verstehen"),
    ] {
        assert_eq!(world.get(&path, "").await.status, StatusCode::UNAUTHORIZED, "{path}");
        assert_eq!(world.get(&path, &cookie).await.status, StatusCode::OK, "{path}");
    }
    for path in [
        "/de/abrufe/999/brief.pdf?was=verstehen".to_owned(),
        "/de/abrufe/x/brief.pdf?was=verstehen".to_owned(),
        format!("/de/abrufe/{intent}/brief.pdf"),
        format!("/de/abrufe/{}/brief.pdf?was=verstehen", outcome.unwrap()),
    ] {
        assert_eq!(world.get(&path, &cookie).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

/// veraPDF needs Java and some minutes to be fetched, so `cargo xtask test --long` runs this test and says where the
/// program is.
#[tokio::test]
#[ignore = "needs veraPDF, whose folder EINSICHT_VERAPDF names"]
async fn verapdf_finds_no_fault_in_list_and_letter() {
    let jars = std::env::var("EINSICHT_VERAPDF").expect("EINSICHT_VERAPDF names the folder of veraPDF's jars");
    let world = World::new(27, HIGH).await;
    let cookie = world.login("de").await.cookie();
    let (intent, _) = world.backend().exchanges[0];
    for path in [
        "/de/abrufe.pdf".to_owned(),
        "/en/abrufe.pdf?q=stadt&sort=behoerde".to_owned(),
        "/leicht/abrufe.pdf?q=nichts".to_owned(),
        format!("/de/abrufe/{intent}/brief.pdf?was=beschweren&nummer=ja"),
    ] {
        let pdf = OnDisk::new(&world.get(&path, &cookie).await.body);
        if let Ok(folder) = std::env::var("EINSICHT_PICTURES") {
            let name = path.trim_start_matches('/').replace(['/', '?', '&', '='], "-");
            std::fs::copy(&pdf.file, Path::new(&folder).join(format!("{name}.pdf"))).unwrap();
        }
        for flavour in ["3a", "ua1"] {
            let classes = format!("{jars}/*");
            let program = ["-cp", &classes, "org.verapdf.apps.GreenfieldCliWrapper"];
            let check = ["--format", "text", "--flavour", flavour, "--nonpdfext", pdf.path()];
            let report = run("java", &[program.as_slice(), check.as_slice()].concat());
            assert!(report.starts_with("PASS"), "{path}: {report}");
        }
    }
}
